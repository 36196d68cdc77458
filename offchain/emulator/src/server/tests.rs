// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::{
    sync::{Mutex, OnceLock},
    time::Instant,
};

use clawrank_protocol::{
    proof::{AnswerVerdict, blake2_256},
    tasks::Task,
};
use serde_json::{Value, json};
use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::{NoSubscriber, set_default},
};

use super::*;
use crate::telemetry::{
    TelemetryRow,
    tests::{recorded_file, recorded_pairs},
};

struct Running {
    emulator: Emulator,
    client: reqwest::Client,
    cancel: CancellationToken,
}

async fn start(model: &str, endpoint: &str) -> Running {
    let text = format!(
        "seed = 3\n[[endpoint]]\nid = \"a\"\n{endpoint}\n[[endpoint.model]]\nid = \"m\"\n{model}\n\
         [[endpoint]]\nid = \"b\"\n[[endpoint.model]]\nid = \"other\"\n\
         latency = {{ ttft_median_ms = 1.0, tokens_per_second = 10000.0 }}"
    );
    let cancel = CancellationToken::new();
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let emulator = Emulator::start(Profile::parse(&text, "t").unwrap(), listen, cancel.clone()).await.unwrap();
    Running { emulator, client: reqwest::Client::new(), cancel }
}

const FAST: &str = "latency = { ttft_median_ms = 5.0, tokens_per_second = 2000.0 }";

impl Running {
    async fn post(&self, endpoint: &str, body: &Value) -> reqwest::Response {
        let url = format!("{}/chat/completions", self.emulator.base_url(endpoint));
        self.client.post(url).json(body).send().await.unwrap()
    }
}

fn chat(stream: bool) -> Value {
    json!({ "model": "m", "messages": [{ "role": "user", "content": "hello" }], "stream": stream, "temperature": 0,
            "stream_options": { "include_usage": true } })
}

fn data(events: &str) -> Vec<&str> {
    events.split("\n\n").filter(|event| !event.is_empty()).map(|event| event.strip_prefix("data: ").unwrap()).collect()
}

/// A second listener, which hears nothing. With one alone, the thread that first comes to a place in the code decides for
/// all threads whether anybody listens there (`tracing_core::callsite`).
static SECOND: OnceLock<Dispatch> = OnceLock::new();

/// Keeps every event, with its level and fields.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("clawrank")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn log_says_it_is_an_emulator_when_it_starts() {
    SECOND.get_or_init(|| Dispatch::new(NoSubscriber::new()));
    let log = Log::default();
    let _watching = set_default(log.clone());
    let running = start(FAST, "").await;
    let said = log.0.lock().unwrap().concat();
    assert_eq!(said.matches("this is an EMULATOR of LLM endpoints for development").count(), 1, "{said}");
    let address = format!("address: {}", running.emulator.address());
    for part in ["its answers come from no model", "Warn", "endpoints: \"a, b\"", &address] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[tokio::test]
async fn every_response_says_it_is_an_emulator() {
    let running = start(FAST, "").await;
    let root = format!("http://{}/", running.emulator.address());
    let banner: Value = running.client.get(&root).send().await.unwrap().json().await.unwrap();
    assert_eq!(banner["emulator"], true);
    for path in ["", "a/v1/models", "nowhere", "x/v1/models"] {
        let response = running.client.get(format!("{root}{path}")).send().await.unwrap();
        assert_eq!(response.headers()[HEADER_EMULATOR], "1", "{path}");
    }
    assert_eq!(running.post("a", &chat(true)).await.headers()[HEADER_EMULATOR], "1");
}

#[tokio::test]
async fn answer_has_text_and_usage_when_not_streamed() {
    let running = start(FAST, "").await;
    let body: Value = running.post("a", &chat(false)).await.json().await.unwrap();
    let text = body["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(body["usage"]["completion_tokens"], text.len().div_ceil(4));
    assert_eq!(body["usage"]["prompt_tokens"], 6);
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    let again: Value = running.post("a", &chat(false)).await.json().await.unwrap();
    assert_eq!(again["choices"], body["choices"]);
}

#[tokio::test]
async fn stream_gives_the_same_text_and_usage_when_asked() {
    let running = start(FAST, "").await;
    let whole: Value = running.post("a", &chat(false)).await.json().await.unwrap();
    let response = running.post("a", &chat(true)).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let events = response.text().await.unwrap();
    let data = data(&events);
    assert_eq!(*data.last().unwrap(), "[DONE]");
    let chunks: Vec<Value> = data[..data.len() - 1].iter().map(|chunk| serde_json::from_str(chunk).unwrap()).collect();
    let text: String = chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(text, whole["choices"][0]["message"]["content"].as_str().unwrap());
    assert_eq!(chunks.last().unwrap()["usage"], whole["usage"]);
    let mut plain = chat(true);
    plain.as_object_mut().unwrap().remove("stream_options");
    assert!(!running.post("a", &plain).await.text().await.unwrap().contains("\"usage\""));
}

#[tokio::test]
async fn tasks_are_answered_right_when_the_profile_says_so() {
    let running = start(FAST, "").await;
    for task_type in ["math", "json"] {
        let task = Task::from_id(task_type, &blake2_256(b"t")).unwrap();
        let body: Value = running.post("a", &task.request_body("m", false)).await.json().await.unwrap();
        let text = body["choices"][0]["message"]["content"].as_str().unwrap();
        assert_eq!(task.check(text).1, AnswerVerdict::Right, "{text}");
    }
}

#[tokio::test]
async fn tokens_take_the_time_of_the_profile() {
    let running = start("latency = { ttft_median_ms = 120.0, tokens_per_second = 100.0 }", "").await;
    let mut body = chat(true);
    body["max_tokens"] = 11.into();
    let started = Instant::now();
    let mut response = running.post("a", &body).await;
    assert!(response.chunk().await.unwrap().is_some());
    let first = started.elapsed().as_millis();
    while response.chunk().await.unwrap().is_some() {}
    let total = started.elapsed().as_millis();
    assert!((120..400).contains(&first), "first token after {first} ms");
    assert!((220..700).contains(&total), "last token after {total} ms");
}

#[tokio::test]
async fn calls_take_the_recorded_time_and_fail_where_the_recorded_ones_did() {
    let Some(path) = recorded_file() else { return };
    let (provider, name, scale) = ("groq.com", "llama3-70b-8192", 0.05);
    let rows = recorded_pairs(&path).remove(&(provider.to_owned(), name.to_owned())).unwrap();
    assert!(rows.iter().any(TelemetryRow::is_failure));
    let model = format!(
        "recorded = {{ csv = {path:?}, provider = \"{provider}\", model = \"{name}\", sequential = true, \
         time_scale = {scale} }}"
    );
    let running = start(&model, "").await;
    let mut late: Vec<f64> = Vec::new();
    for row in rows {
        let mut body = chat(true);
        body["max_tokens"] = 4.into();
        let started = Instant::now();
        let mut response = running.post("a", &body).await;
        assert_eq!(response.status(), if row.is_failure() { 500 } else { 200 }, "{row:?}");
        assert!(response.chunk().await.unwrap().is_some());
        let expected = scale * if row.is_failure() { row.ttr_s } else { row.ttft_s };
        let took = started.elapsed().as_secs_f64();
        assert!(took >= expected, "{took} s for {row:?}");
        late.push(took - expected);
        while response.chunk().await.unwrap().is_some() {}
    }
    // No more than a busy machine takes itself.
    late.sort_by(f64::total_cmp);
    assert!(late[late.len() / 2] < 0.05, "{late:?}");
}

#[tokio::test]
async fn failures_look_like_a_providers() {
    for (failure, status) in [("status_500", 500), ("status_429", 429)] {
        let running = start(&format!("{FAST}\nfailures = {{ {failure} = 1.0 }}"), "").await;
        let response = running.post("a", &chat(true)).await;
        assert_eq!(response.status(), status);
        assert!(response.json::<Value>().await.unwrap()["error"]["message"].is_string());
    }
    let hang = start(&format!("{FAST}\nfailures = {{ hang = 1.0, hang_ms = 50 }}"), "").await;
    let started = Instant::now();
    assert_eq!(hang.post("a", &chat(true)).await.status(), 504);
    assert!(started.elapsed().as_millis() >= 50);
    let malformed = start(&format!("{FAST}\nfailures = {{ malformed = 1.0 }}"), "").await;
    let events = malformed.post("a", &chat(true)).await.text().await.unwrap();
    assert!(data(&events).iter().any(|chunk| serde_json::from_str::<Value>(chunk).is_err() && *chunk != "[DONE]"));
    assert!(malformed.post("a", &chat(false)).await.json::<Value>().await.is_err());
    let broken = start(&format!("{FAST}\nfailures = {{ broken = 1.0 }}"), "").await;
    assert!(broken.post("a", &chat(true)).await.text().await.is_err());
    assert!(broken.post("a", &chat(false)).await.text().await.is_err());
}

#[tokio::test]
async fn request_is_refused_when_key_model_body_or_endpoint_is_wrong() {
    let running = start(FAST, "api_key = \"k\"").await;
    assert_eq!(running.post("a", &chat(false)).await.status(), 401);
    let url = format!("{}/chat/completions", running.emulator.base_url("a"));
    let with_key = running.client.post(&url).bearer_auth("k").json(&chat(false)).send().await.unwrap();
    assert_eq!(with_key.status(), 200);
    assert_eq!(running.post("b", &chat(false)).await.status(), 404);
    assert_eq!(running.post("b", &json!({ "model": 1 })).await.status(), 400);
    assert_eq!(running.post("x", &chat(false)).await.status(), 404);
    assert_eq!(running.emulator.control().requests("a"), 2);
}

#[tokio::test]
async fn request_is_rate_limited_when_concurrency_is_used_up() {
    let running = start("latency = { ttft_median_ms = 300.0, tokens_per_second = 100.0 }", "max_concurrency = 1").await;
    let body = chat(false);
    let (one, two) = tokio::join!(running.post("a", &body), running.post("a", &body));
    let mut statuses = [one.status().as_u16(), two.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429]);
    drop((one.bytes().await, two.bytes().await));
    assert_eq!(running.post("a", &body).await.status(), 200);
}

#[tokio::test]
async fn endpoint_is_down_when_its_override_says_so() {
    let running = start(FAST, "").await;
    let url = format!("http://{}/a/override", running.emulator.address());
    let set = running.client.put(&url).json(&json!({ "down": true })).send().await.unwrap();
    assert_eq!(set.status(), 200);
    assert_eq!(running.post("a", &chat(false)).await.status(), 500);
    assert!(running.emulator.control().set("a", Override::default()));
    assert_eq!(running.post("a", &chat(false)).await.status(), 200);
    assert!(!running.emulator.control().set("x", Override::default()));
    let bad = running.client.put(&url).json(&json!({ "latency_factor": -1.0 })).send().await.unwrap();
    assert_eq!(bad.status(), 400);
}

#[tokio::test]
async fn emulator_ends_when_cancelled_even_with_a_hanging_request() {
    let running = start(&format!("{FAST}\nfailures = {{ hang = 1.0 }}"), "").await;
    let url = format!("{}/chat/completions", running.emulator.base_url("a"));
    let request = tokio::spawn(running.client.post(url).json(&chat(true)).send());
    while running.emulator.control().requests("a") == 0 {
        tokio::task::yield_now().await;
    }
    running.cancel.cancel();
    tokio::time::timeout(Duration::from_secs(5), running.emulator.wait()).await.unwrap().unwrap();
    request.abort();
}

#[tokio::test]
async fn address_is_named_when_it_is_taken() {
    let running = start(FAST, "").await;
    let profile = Profile::parse(&format!("[[endpoint]]\nid = \"a\"\n[[endpoint.model]]\nid = \"m\"\n{FAST}"), "t");
    let taken = Emulator::start(profile.unwrap(), running.emulator.address(), CancellationToken::new()).await;
    let Err(error) = taken else { panic!("the address was taken") };
    assert!(error.to_string().contains(&running.emulator.address().to_string()));
}
