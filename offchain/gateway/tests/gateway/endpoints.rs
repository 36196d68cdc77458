// SPDX-License-Identifier: Apache-2.0

//! Endpoints of the catalogue as fallback.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::Path,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
    routing::post,
};
use clawrank_client::ChainPort;
use clawrank_gateway::{Config, Error, Server};
use clawrank_protocol::{
    catalogue::CatalogueError,
    cells::{CellTable, MeasuredCell, RoutedCells},
    http::{HEADER_ENDPOINT, HEADER_MINER},
    limits::MAX_CELLS_BODY_BYTES,
    proof::Method,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    miner::Miner,
    money::receipts,
    support::{FakeChain, Gateway, chat, config, events, eventually, key, refusal, streamed_text},
};

/// A provider: model `up` answers, `cut` breaks its stream, `busy` says 429, `no` says 400.
pub(crate) async fn provider() -> SocketAddr {
    async fn complete(body: String) -> Response {
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(body["max_tokens"].is_number());
        let stream = body["stream"] == true;
        let chunk =
            |text: &str| format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"content": text}}]}));
        match body["model"].as_str().unwrap() {
            "vendor/Up" if stream => {
                let parts = [chunk("From"), chunk(" afar."), "data: [DONE]\n\n".to_owned()];
                Body::from(parts.concat()).into_response()
            }
            "vendor/Up" => json!({"choices": [{"message": {"content": "From afar."}}]}).to_string().into_response(),
            "cut" => Body::from(chunk("From")).into_response(),
            "busy" => (StatusCode::TOO_MANY_REQUESTS, "slow down").into_response(),
            _ => (
                StatusCode::BAD_REQUEST,
                json!({"error": {"message": "bad tool", "type": "x", "code": null}}).to_string(),
            )
                .into_response(),
        }
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        axum_serve(listener, Router::new().route("/v1/chat/completions", post(complete))).await;
    });
    address
}

/// Serves without axum's own server, which this build does not carry.
async fn axum_serve(listener: tokio::net::TcpListener, router: Router) {
    use hyper_util::{rt::TokioIo, service::TowerToHyperService};
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn start(fallback: bool) -> (Gateway, String) {
    start_with(fallback, &["afar"]).await
}

/// The same provider under several names.
async fn start_with(fallback: bool, endpoints: &[&str]) -> (Gateway, String) {
    let address = provider().await;
    let gateway = Gateway::with(|config| {
        let path = config.ledger_path.with_file_name("endpoints.toml");
        let model = |id: &str| {
            format!(
                "{{ id = \"{id}\", price_in_micro_usd_per_mtok = 1, price_out_micro_usd_per_mtok = 1, context_tokens = 8192 }}"
            )
        };
        let models = ["cut", "busy", "no"].map(model).join(", ");
        let up = model("up").replace("{ ", "{ upstream_id = \"vendor/Up\", ");
        let endpoint = |id: &&str| {
            format!(
                "[[endpoint]]\nid = \"{id}\"\nbase_url = \"http://{address}/v1\"\nmodels = [{models}, {up}]\ntask_types = [\"chat\"]\n"
            )
        };
        std::fs::write(&path, endpoints.iter().map(endpoint).collect::<String>()).unwrap();
        config.catalogue_path = Some(path);
        config.endpoints_fallback = fallback;
    })
    .await;
    let secret = gateway.customer("acme", 10_000).await;
    (gateway, secret)
}

#[tokio::test]
async fn endpoint_serves_when_no_miner_offers_the_model() {
    let (gateway, secret) = start(true).await;
    let response = gateway.post(&secret, &chat("up", false)).await;
    assert_eq!(response.headers()[HEADER_ENDPOINT], "afar");
    assert!(!response.headers().contains_key(HEADER_MINER));
    assert!(response.text().await.unwrap().contains("From afar."));
    let text = gateway.post(&secret, &chat("up", true)).await.text().await.unwrap();
    assert_eq!(streamed_text(&text), "From afar.");
    assert_eq!(events(&text).last(), Some(&"[DONE]"));
    // Paid by the gateway's own count; no miner, so no receipt.
    assert_eq!(gateway.balance("acme").await, 10_000 - 2 * 13);
    assert!(receipts(&gateway, 0).await.receipts.is_empty());
}

#[tokio::test]
async fn endpoint_serves_when_the_miner_fails_and_fallback_is_on() {
    let (gateway, secret) = start(true).await;
    let mut miner = Miner::connect(&gateway, "Bob", "up").await;
    let (answer, ()) = tokio::join!(async { gateway.post(&secret, &chat("up", false)).await }, async {
        let request = miner.request().await;
        miner.fail(&request, "upstream_error", true).await;
    });
    assert_eq!(answer.headers()[HEADER_ENDPOINT], "afar");
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn endpoint_is_left_alone_when_a_miner_offers_the_model_and_fallback_is_off() {
    let (gateway, secret) = start(false).await;
    assert_eq!(gateway.post(&secret, &chat("up", false)).await.status(), 200);
    let mut miner = Miner::connect(&gateway, "Bob", "up").await;
    let (answer, ()) = tokio::join!(async { gateway.post(&secret, &chat("up", false)).await }, async {
        let request = miner.request().await;
        miner.fail(&request, "upstream_error", true).await;
    });
    assert_eq!(refusal(answer).await.0, 502);
}

#[tokio::test]
async fn endpoint_failures_are_told_apart_when_they_happen() {
    let (gateway, secret) = start(true).await;
    let text = gateway.post(&secret, &chat("cut", true)).await.text().await.unwrap();
    assert!(text.contains("From") && text.contains("upstream_error") && !text.contains("[DONE]"), "{text}");
    let (status, code, _) = refusal(gateway.post(&secret, &chat("busy", false)).await).await;
    assert_eq!((status, code.as_str()), (503, "no_miner_available"));
    let (status, code, message) = refusal(gateway.post(&secret, &chat("no", false)).await).await;
    assert_eq!((status, code.as_str()), (400, "invalid_request_error"));
    assert!(message.contains("bad tool"), "{message}");
    gateway.await_balance("acme", 10_000).await;
}

/// A provider whose answer is the `authorization` that it was given.
async fn echoing_provider() -> SocketAddr {
    let complete = async |headers: HeaderMap| {
        let given = headers.get(AUTHORIZATION).map_or("none", |value| value.to_str().unwrap());
        json!({"choices": [{"message": {"content": given}}]}).to_string()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum_serve(listener, Router::new().route("/v1/chat/completions", post(complete))));
    address
}

/// Puts it into the catalogue twice: endpoint `keyed`, whose key this variable has, and endpoint `open` without one. Each
/// serves the model of its name.
fn name_key(config: &mut Config, address: SocketAddr, variable: &str) {
    let endpoint = |id: &str, more: &str| {
        format!(
            "[[endpoint]]\nid = \"{id}\"\nbase_url = \"http://{address}/v1\"\ntask_types = [\"chat\"]\n{more}\
             models = [{{ id = \"{id}\", price_in_micro_usd_per_mtok = 1, price_out_micro_usd_per_mtok = 1, \
             context_tokens = 8192 }}]\n"
        )
    };
    let path = config.ledger_path.with_file_name("endpoints.toml");
    let both = endpoint("open", "") + &endpoint("keyed", &format!("api_key_env = \"{variable}\"\n"));
    std::fs::write(&path, both).unwrap();
    config.catalogue_path = Some(path);
}

#[tokio::test]
async fn endpoint_gets_its_own_key_as_a_bearer_token_when_the_catalogue_names_one() {
    // A variable that is set everywhere: no test may change the environment of all others.
    let (variable, value) = ("PATH", std::env::var("PATH").unwrap());
    let address = echoing_provider().await;
    let gateway = Gateway::with(|config| name_key(config, address, variable)).await;
    let secret = gateway.customer("acme", 10_000).await;
    for (endpoint, expected) in [("keyed", format!("Bearer {value}")), ("open", "none".to_owned())] {
        let response = gateway.post(&secret, &chat(endpoint, false)).await;
        assert_eq!(response.headers()[HEADER_ENDPOINT], endpoint);
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["choices"][0]["message"]["content"], expected, "{endpoint}");
    }
}

#[tokio::test]
async fn start_is_refused_when_the_environment_lacks_an_endpoints_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    name_key(&mut config, SocketAddr::from(([127, 0, 0, 1], 9)), "CLAWRANK_TEST_KEY_THAT_IS_NOT_SET");
    let chain: Arc<dyn ChainPort> = FakeChain::new(&[], &[]);
    let started = Server::start(config, key("Gateway"), chain, CancellationToken::new()).await;
    let Err(error) = started else { panic!("it started") };
    assert!(matches!(error, Error::Catalogue(CatalogueError::KeyMissing { .. })) && !error.is_retryable(), "{error:?}");
    let message = error.to_string();
    assert!(message.contains("`keyed`") && message.contains("CLAWRANK_TEST_KEY_THAT_IS_NOT_SET"), "{message}");
}

/// What a broken provider sends in place of an answer, streamed or not, and what the gateway says of it.
const GARBAGE: [(&str, bool, &str); 9] = [
    ("html", true, "stream is not server-sent events"),
    ("html", false, "answer is not JSON"),
    ("broken", true, "chunk is not JSON"),
    ("broken", false, "answer is not JSON"),
    ("binary", true, "stream is not server-sent events"),
    ("binary", false, "answer is not JSON"),
    ("endless", true, "larger than its max_tokens allow"),
    ("shape", true, "answer is not of OpenAI's shape"),
    ("shape", false, "answer is not of OpenAI's shape"),
];

/// A provider that sends garbage under `/bad/v1`, except for model `up`, and answers under `/good/v1`. Counts what
/// garbage was asked for.
async fn garbling_provider() -> (SocketAddr, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let chunk = |text: &str| format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"content": text}}]}));
    let complete = async move |Path(place): Path<String>, body: String| {
        let body: Value = serde_json::from_str(&body).unwrap();
        let stream = body["stream"] == true;
        let model = body["model"].as_str().unwrap();
        if place == "good" || model == "up" {
            return if stream {
                Body::from([chunk("From"), chunk(" afar."), "data: [DONE]\n\n".to_owned()].concat()).into_response()
            } else {
                json!({"choices": [{"message": {"content": "From afar."}}]}).to_string().into_response()
            };
        }
        counter.fetch_add(1, Ordering::Relaxed);
        match model {
            "html" => "<html>Sign in first</html>\n\n".into_response(),
            "broken" if stream => "data: {\"choices\": [\n\n".into_response(),
            "broken" => "{\"choices\": [".into_response(),
            "shape" if stream => "data: {\"choices\": 7}\n\n".into_response(),
            "shape" => "{\"choices\": 7}".into_response(),
            "binary" => b"data: \xff\xfe\n\n".to_vec().into_response(),
            // One line without an end.
            "endless" => {
                let part = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'x'; 65_536]));
                Body::from_stream(part).into_response()
            }
            "late" => Body::from([chunk("From"), "data: {oops\n\n".to_owned()].concat()).into_response(),
            other => panic!("{other}"),
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/{place}/v1/chat/completions", post(complete));
    tokio::spawn(axum_serve(listener, router));
    (address, asked)
}

/// A gateway in front of it, with these places as endpoints, the bad one first by price.
async fn start_garbled(address: SocketAddr, places: &[&str]) -> (Gateway, String) {
    let gateway = Gateway::with(|config| {
        let path = config.ledger_path.with_file_name("endpoints.toml");
        let endpoint = |place: &&str| {
            let price = if *place == "bad" { 1 } else { 10_000_000 };
            let model = |id: &str| {
                format!(
                    "{{ id = \"{id}\", price_in_micro_usd_per_mtok = {price}, \
                     price_out_micro_usd_per_mtok = {price}, context_tokens = 8192 }}"
                )
            };
            let models = ["html", "broken", "binary", "endless", "shape", "late", "up"].map(model).join(", ");
            format!(
                "[[endpoint]]\nid = \"{place}\"\nbase_url = \"http://{address}/{place}/v1\"\nmodels = [{models}]\n\
                 task_types = [\"chat\"]\n"
            )
        };
        std::fs::write(&path, places.iter().map(endpoint).collect::<String>()).unwrap();
        config.catalogue_path = Some(path);
    })
    .await;
    let secret = gateway.customer("acme", 10_000).await;
    (gateway, secret)
}

#[tokio::test]
async fn request_fails_alone_when_an_endpoint_sends_garbage() {
    let (address, asked) = garbling_provider().await;
    for (model, stream, said) in GARBAGE {
        let (gateway, secret) = start_garbled(address, &["bad"]).await;
        let (bad, other) = (chat(model, stream), chat("up", stream));
        let (garbled, other) = tokio::join!(gateway.post(&secret, &bad), gateway.post(&secret, &other));
        let (status, code, message) = refusal(garbled).await;
        assert_eq!((status, code.as_str()), (502, "upstream_error"), "{model}: {message}");
        assert!(message.contains(said), "{model}: {message}");
        // Another request of the same endpoint is served, and it alone is paid for.
        assert!(other.text().await.unwrap().contains("From"), "{model}");
        gateway.await_balance("acme", 10_000 - 13).await;
        assert_eq!(gateway.post(&secret, &chat("up", !stream)).await.status(), 200);
    }
    assert_eq!(asked.load(Ordering::Relaxed), GARBAGE.len());
}

#[tokio::test]
async fn next_endpoint_serves_when_the_first_sends_garbage() {
    let (address, asked) = garbling_provider().await;
    for (index, (model, stream, _)) in GARBAGE.into_iter().enumerate() {
        let (gateway, secret) = start_garbled(address, &["bad", "good"]).await;
        let response = gateway.post(&secret, &chat(model, stream)).await;
        assert_eq!(asked.load(Ordering::Relaxed), index + 1, "{model} was asked of the bad one first");
        assert_eq!(response.headers()[HEADER_ENDPOINT], "good");
        let text = response.text().await.unwrap();
        assert!(if stream { streamed_text(&text) == "From afar." } else { text.contains("From afar.") }, "{text}");
        gateway.await_balance("acme", 10_000 - 13).await;
    }
}

#[tokio::test]
async fn stream_ends_with_an_error_event_when_an_endpoint_sends_garbage_after_its_first_text() {
    let (address, _) = garbling_provider().await;
    let (gateway, secret) = start_garbled(address, &["bad", "good"]).await;
    let response = gateway.post(&secret, &chat("late", true)).await;
    assert_eq!(response.headers()[HEADER_ENDPOINT], "bad");
    let text = response.text().await.unwrap();
    assert!(text.contains("From") && text.contains("chunk is not JSON") && !text.contains("[DONE]"), "{text}");
    gateway.await_balance("acme", 10_000).await;
}

/// A validator's table for model `up`: (endpoint, checks passed of 100).
fn table(block: u64, passed: &[(&str, u32)]) -> Vec<u8> {
    let cell = |(endpoint, passed): &(&str, u32)| MeasuredCell {
        model: "up".to_owned(),
        endpoint: (*endpoint).to_owned(),
        task_type: "chat".to_owned(),
        replays: 100,
        ok: 100,
        checks: 100,
        passed: *passed,
        p50_ttft_ms: 50,
        p95_ttft_ms: 60,
    };
    serde_json::to_vec(&CellTable { epoch: 1, block, cells: passed.iter().map(cell).collect() }).unwrap()
}

#[tokio::test]
async fn endpoint_of_higher_quality_is_chosen_when_a_validator_measured_it() {
    let (gateway, secret) = start_with(true, &["afar", "beyond"]).await;
    let put =
        async |who: &str, body: &[u8]| gateway.signed(&key(who), Method::Put, "/v1/cells", body).send().await.unwrap();
    let chosen = async || {
        let response = gateway.post(&secret, &chat("up", false)).await;
        response.headers()[HEADER_ENDPOINT].to_str().unwrap().to_owned()
    };
    for (block, passed, best) in
        [(5, [("afar", 10), ("beyond", 95)], "beyond"), (6, [("afar", 95), ("beyond", 10)], "afar")]
    {
        let answer = put("Eve", &table(block, &passed)).await;
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, r#"{"cells":2}"#));
        eventually("the routing table follows", async || chosen().await == best).await;
        for _ in 0..5 {
            assert_eq!(chosen().await, best);
        }
    }
    let shown: RoutedCells = gateway.get("/v1/cells").await.json().await.unwrap();
    let seen: Vec<(&str, u32)> =
        shown.cells.iter().map(|cell| (cell.endpoint.as_str(), cell.quality_ppb / 10_000_000)).collect();
    assert_eq!(seen, [("afar", 95), ("beyond", 10)]);
    // Refusals change nothing.
    let (status, code, _) = refusal(put("Bob", &table(7, &[("afar", 1)])).await).await;
    assert_eq!((status, code.as_str()), (403, "permission_denied"));
    let (status, _, why) = refusal(put("Eve", &table(7, &[("afar", 101)])).await).await;
    assert!(status == 400 && why.contains("101 of 100 checks passed"), "{status} {why}");
    let long = vec![b' '; MAX_CELLS_BODY_BYTES + 1];
    let (status, code, _) = refusal(put("Eve", &long).await).await;
    assert_eq!((status, code.as_str()), (413, "body_too_large"));
    assert_eq!(gateway.get("/v1/cells").await.json::<RoutedCells>().await.unwrap(), shown);
}
