// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;

fn refused(config: ChainConfig, field: &str) {
    let error = config.parse().unwrap_err();
    assert!(matches!(&error, ClientError::Config { field: found, .. } if *found == field), "{error}");
}

#[test]
fn config_is_refused_when_a_field_is_unusable() {
    ChainConfig::default().parse().unwrap();
    refused(ChainConfig { endpoints: vec![], ..Default::default() }, "endpoints");
    refused(ChainConfig::at("http://127.0.0.1:9944"), "endpoints");
    refused(ChainConfig::at("mainnet"), "endpoints");
    refused(ChainConfig { era_blocks: 100, ..Default::default() }, "era_blocks");
    refused(ChainConfig { genesis: Some("0x12".into()), ..Default::default() }, "genesis");
    refused(ChainConfig { request_timeout_ms: 0, ..Default::default() }, "request_timeout_ms");
}

#[test]
fn endpoint_hides_credentials_when_shown() {
    let settings = ChainConfig::at("wss://user:pass@rpc.example.org/v1/s3cret?key=abc").parse().unwrap();
    let shown = format!("{0} {0:?}", settings.endpoints[0]);
    assert_eq!(shown, "wss://rpc.example.org:443 wss://rpc.example.org:443");
}

#[test]
fn network_url_is_known_when_the_name_is_bittensors() {
    assert_eq!(network_url("finney").unwrap(), "wss://entrypoint-finney.opentensor.ai:443");
    assert_eq!(network_url("ws://10.0.0.1:1").unwrap(), "ws://10.0.0.1:1");
    assert_eq!(network_url("nowhere"), None);
    assert_eq!(network_urls("finney").unwrap().len(), 3);
}

#[test]
fn config_parses_when_only_some_fields_are_given() {
    let config: ChainConfig = serde_json::from_str(r#"{"endpoints":["test"],"stall_after_ms":0}"#).unwrap();
    assert_eq!(config.max_attempts, 5);
    assert!(config.parse().unwrap().stall_after.is_none());
    assert!(serde_json::from_str::<ChainConfig>(r#"{"url":"x"}"#).is_err());
}

#[test]
fn endpoints_are_in_order_when_networks_and_urls_are_mixed() {
    let shown = |network: &str| {
        let settings = ChainConfig::on(network).parse().unwrap();
        (settings.endpoints.iter().map(ToString::to_string).collect::<Vec<_>>(), settings.genesis.map(hex::encode))
    };
    let finney = [
        "wss://entrypoint-finney.opentensor.ai:443",
        "wss://lite.chain.opentensor.ai:443",
        "wss://lite.sub.latent.to:443",
    ];
    let genesis = network_genesis("finney").map(str::to_owned);
    assert!(genesis.is_some());
    assert_eq!(shown("finney"), (finney.map(str::to_owned).to_vec(), genesis.clone()));
    let (endpoints, found) = shown(" finney , ws://10.0.0.1:9944,finney,");
    assert_eq!((endpoints.len(), endpoints[3].as_str(), found), (4, "ws://10.0.0.1:9944", genesis));
    assert_eq!(shown("local,finney").1, None, "the first endpoint decides what the chain is");
    refused(ChainConfig::on(" , "), "endpoints");
    refused(ChainConfig::on("finney,nowhere"), "endpoints");
}
