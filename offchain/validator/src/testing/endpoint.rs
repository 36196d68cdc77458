// SPDX-License-Identifier: Apache-2.0
//! Endpoints that answer tasks rightly after a given time, over real HTTP.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::post,
};
use clawrank_protocol::tasks::{Message, recognise};
use tokio::net::TcpListener;

#[derive(Default)]
pub(crate) struct Shared {
    /// Time to answer by endpoint, milliseconds.
    latency_ms: Mutex<BTreeMap<String, u64>>,
    /// Status instead of an answer, by endpoint.
    status: Mutex<BTreeMap<String, u16>>,
    calls: AtomicUsize,
    /// What requests to an endpoint had as authorization.
    keys: Mutex<BTreeMap<String, BTreeSet<Option<String>>>>,
}

/// `http://addr/<endpoint>/v1/chat/completions`.
pub(crate) struct StubEndpoints {
    pub(crate) addr: SocketAddr,
    shared: Arc<Shared>,
}

impl StubEndpoints {
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let app = Router::new().route("/{endpoint}/v1/chat/completions", post(chat)).with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { addr, shared }
    }

    pub(crate) fn set_latency(&self, endpoint: &str, ms: u64) {
        self.shared.latency_ms.lock().unwrap().insert(endpoint.to_owned(), ms);
    }

    pub(crate) fn set_status(&self, endpoint: &str, status: u16) {
        self.shared.status.lock().unwrap().insert(endpoint.to_owned(), status);
    }

    pub(crate) fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }

    /// Every authorization that requests to an endpoint had; `None` is that of one without.
    pub(crate) fn keys(&self, endpoint: &str) -> Vec<Option<String>> {
        self.shared.keys.lock().unwrap().get(endpoint).into_iter().flatten().cloned().collect()
    }

    /// A catalogue of these endpoints, all with the model `m` and these task types.
    pub(crate) fn catalogue(&self, endpoints: &[&str], task_types: &[&str]) -> String {
        let entry = |id: &&str| {
            format!(
                "[[endpoint]]\nid = \"{id}\"\nbase_url = \"http://{}/{id}/v1\"\nmodels = [{{ id = \"m\", \
                 price_in_micro_usd_per_mtok = 50_000, price_out_micro_usd_per_mtok = 100_000, context_tokens = 8192 \
                 }}]\ntask_types = {task_types:?}\n",
                self.addr
            )
        };
        endpoints.iter().map(entry).collect()
    }
}

async fn chat(
    State(shared): State<Arc<Shared>>,
    Path(endpoint): Path<String>,
    headers: HeaderMap,
    Json(body): Json<serde_json::Value>,
) -> Response {
    shared.calls.fetch_add(1, Ordering::SeqCst);
    let key = headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    shared.keys.lock().unwrap().entry(endpoint.clone()).or_default().insert(key);
    let latency = shared.latency_ms.lock().unwrap().get(&endpoint).copied().unwrap_or(0);
    tokio::time::sleep(Duration::from_millis(latency)).await;
    let status = shared.status.lock().unwrap().get(&endpoint).copied();
    if let Some(status) = status {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let messages: Vec<Message> = serde_json::from_value(body["messages"].clone()).unwrap();
    let answer = recognise(&messages).and_then(|task| task.right_answer()).unwrap_or_else(|| "A short answer.".into());
    let chunk = |value: serde_json::Value| format!("data: {value}\n\n");
    let stream = [
        chunk(serde_json::json!({ "choices": [{ "delta": { "content": answer }, "finish_reason": null }] })),
        chunk(serde_json::json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] })),
        chunk(
            serde_json::json!({ "choices": [], "usage": { "prompt_tokens": 20, "completion_tokens": 4, "total_tokens": 24 } }),
        ),
        "data: [DONE]\n\n".to_owned(),
    ];
    ([(CONTENT_TYPE, "text/event-stream")], stream.concat()).into_response()
}
