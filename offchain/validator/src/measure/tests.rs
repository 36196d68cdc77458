// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_protocol::catalogue::Catalogue;

use super::*;
use crate::{gateway::http_client, testing::StubEndpoints};

async fn call(endpoints: &StubEndpoints, task_type: &str, deadline_ms: u64) -> Result<Measured, Unmeasured> {
    let catalogue = Catalogue::parse(&endpoints.catalogue(&["a"], &["chat", "math", "json"]), "test").unwrap();
    let endpoint = catalogue.endpoint("a").unwrap();
    let task = Task::from_id(task_type, &[5; 32]).unwrap();
    let deadline = Duration::from_millis(deadline_ms);
    let http = http_client(Duration::from_secs(5)).unwrap();
    measure(&http, endpoint, &endpoint.models[0], None, &task, deadline).await
}

#[tokio::test]
async fn replay_is_timed_and_checked_when_it_is_answered() {
    let endpoints = StubEndpoints::start().await;
    endpoints.set_latency("a", 40);
    for (task_type, schema, answer) in [
        ("chat", SchemaVerdict::NotChecked, AnswerVerdict::NotChecked),
        ("math", SchemaVerdict::NotChecked, AnswerVerdict::Right),
        ("json", SchemaVerdict::Valid, AnswerVerdict::Right),
    ] {
        let measured = call(&endpoints, task_type, 20_000).await.unwrap();
        assert_eq!((measured.status, measured.schema, measured.answer), (AttemptStatus::Ok, schema, answer));
        assert!(measured.ttft_ms >= 40 && measured.total_ms >= measured.ttft_ms);
        // 20 tokens in at 0.05, 4 out at 0.10 micro-dollars, rounded up.
        assert_eq!((measured.input_tokens, measured.output_tokens, measured.cost_micro_usd), (20, 4, 2));
    }
}

#[tokio::test]
async fn replay_has_the_endpoints_status_when_it_fails() {
    let endpoints = StubEndpoints::start().await;
    for (status, expected) in [
        (500, AttemptStatus::ServerError),
        (503, AttemptStatus::ServerError),
        (504, AttemptStatus::Timeout),
        (400, AttemptStatus::ClientError),
    ] {
        endpoints.set_status("a", status);
        let measured = call(&endpoints, "math", 20_000).await.unwrap();
        assert_eq!((measured.status, measured.answer), (expected, AnswerVerdict::NotChecked), "{status}");
        assert_eq!(measured.cost_micro_usd, 0);
    }
}

#[tokio::test]
async fn replay_times_out_when_the_endpoint_is_too_slow() {
    let endpoints = StubEndpoints::start().await;
    endpoints.set_latency("a", 60_000);
    let measured = call(&endpoints, "math", 80).await.unwrap();
    assert_eq!(measured.status, AttemptStatus::Timeout);
    assert!(measured.total_ms >= 80 && measured.ttft_ms == measured.total_ms);
}

#[tokio::test]
async fn replay_says_nothing_when_the_fault_may_be_the_validators() {
    let endpoints = StubEndpoints::start().await;
    for status in [401, 403, 404, 429] {
        endpoints.set_status("a", status);
        let error = call(&endpoints, "math", 20_000).await.unwrap_err();
        assert!(matches!(error, Unmeasured::Refused { status: found, .. } if found == status), "{error}");
    }
    let text = "[[endpoint]]\nid = \"a\"\nbase_url = \"http://127.0.0.1:9/v1\"\nmodels = [{ id = \"m\", \
                price_in_micro_usd_per_mtok = 1, price_out_micro_usd_per_mtok = 1, context_tokens = 8192 }]\n\
                task_types = [\"math\"]\n";
    let catalogue = Catalogue::parse(text, "test").unwrap();
    let endpoint = catalogue.endpoint("a").unwrap();
    let task = Task::from_id("math", &[5; 32]).unwrap();
    let http = http_client(Duration::from_secs(5)).unwrap();
    let error = measure(&http, endpoint, &endpoint.models[0], None, &task, Duration::from_secs(5)).await.unwrap_err();
    assert!(matches!(error, Unmeasured::NoConnection { .. }), "{error}");
}
