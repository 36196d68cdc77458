// SPDX-License-Identifier: Apache-2.0

//! Requests that need tools, images or JSON, and models that lack them.

use clawrank_protocol::{
    Hotkey,
    frames::ModelOffer,
    http::{HEADER_ENDPOINT, HEADER_MINER},
    needs::Need,
};
use serde_json::{Value, json};

use crate::{
    endpoints::provider,
    miner::{Miner, offer},
    support::{Gateway, chat, key, refusal},
};

fn lacking(lacks: &[Need]) -> Vec<ModelOffer> {
    vec![ModelOffer { lacks: lacks.to_vec(), ..offer("llama") }]
}

fn with_tools() -> Value {
    let mut body = chat("llama", false);
    body["tools"] = json!([{"type": "function", "function": {"name": "f", "parameters": {}}}]);
    body
}

fn with_json() -> Value {
    let mut body = chat("llama", false);
    body["response_format"] = json!({"type": "json_object"});
    body
}

#[tokio::test]
async fn request_goes_to_the_miner_that_can_when_another_lacks_what_it_needs() {
    let gateway = Gateway::start().await;
    let secret = gateway.customer("acme", 1_000_000).await;
    Miner::connect_with(&gateway, "Bob", lacking(&[Need::Tools])).await.spawn_honest(&["Bob."]);
    Miner::connect_with(&gateway, "Carol", lacking(&[Need::Json])).await.spawn_honest(&["Carol."]);
    for (body, name) in [(with_tools(), "Carol"), (with_json(), "Bob")] {
        for _ in 0..5 {
            let response = gateway.post(&secret, &body).await;
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()[HEADER_MINER], Hotkey(key(name).public()).to_string());
        }
    }
}

#[tokio::test]
async fn request_is_refused_by_what_it_needs_when_nobody_can() {
    let gateway = Gateway::start().await;
    let secret = gateway.customer("acme", 1_000_000).await;
    Miner::connect_with(&gateway, "Bob", lacking(&[Need::Tools, Need::Json])).await.spawn_honest(&["Bob."]);
    assert_eq!(gateway.post(&secret, &chat("llama", false)).await.status(), 200);
    let mut both = with_tools();
    both["response_format"] = json!({"type": "json_object"});
    for (body, words) in [
        (with_tools(), "supports tools,"),
        (with_json(), "supports JSON output,"),
        (both, "supports tools and JSON output,"),
    ] {
        let (status, code, message) = refusal(gateway.post(&secret, &body).await).await;
        assert_eq!((status, code.as_str()), (503, "no_miner_available"), "{message}");
        assert!(message.contains("`llama`") && message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn endpoint_serves_what_the_miners_lack_when_the_catalogue_says_that_it_can() {
    for (lacks, status) in [("", 200), (", lacks = [\"tools\"]", 503)] {
        let address = provider().await;
        let gateway = Gateway::with(|config| {
            let path = config.ledger_path.with_file_name("endpoints.toml");
            let catalogue = format!(
                "[[endpoint]]\nid = \"afar\"\nbase_url = \"http://{address}/v1\"\ntask_types = [\"chat\"]\n\
                 models = [{{ id = \"llama\", upstream_id = \"vendor/Up\", price_in_micro_usd_per_mtok = 1, \
                 price_out_micro_usd_per_mtok = 1, context_tokens = 8192{lacks} }}]\n"
            );
            std::fs::write(&path, catalogue).unwrap();
            config.catalogue_path = Some(path);
            config.endpoints_fallback = true;
        })
        .await;
        let secret = gateway.customer("acme", 1_000_000).await;
        Miner::connect_with(&gateway, "Bob", lacking(&[Need::Tools])).await.spawn_honest(&["Bob."]);
        let response = gateway.post(&secret, &with_tools()).await;
        assert_eq!(response.status(), status, "{lacks}");
        assert_eq!(response.headers().contains_key(HEADER_ENDPOINT), status == 200);
    }
}
