// SPDX-License-Identifier: Apache-2.0
//! Keys of backends and endpoints: from the environment to those that want them.

use std::{process::Command, time::Duration};

use clawrank_emulator::Emulator;
use clawrank_miner::{
    Error,
    serve::{self, Config},
};
use clawrank_protocol::{catalogue::CatalogueError, frames::MinerFrame};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{
    FAST, emulators,
    gateway::StubGateway,
    measure::{Run, setup},
    serve::{chat, complete, keypair},
};

const VARIABLE: &str = "CLAWRANK_TEST_BACKEND_KEY";
const KEY: &str = "sk-of-the-backend";

/// An emulator that serves those who have the key.
async fn guarded() -> Emulator {
    emulators(&format!("[[endpoint]]\nid = \"a\"\napi_key = \"{KEY}\"\n[[endpoint.model]]\nid = \"m\"\n{FAST}")).await
}

/// Whether this process has the key. One without runs `test` again in one that has: no test may change the environment of
/// the others.
fn has_key(test: &str) -> bool {
    if std::env::var_os(VARIABLE).is_some() {
        return true;
    }
    let mut again = Command::new(std::env::current_exe().unwrap());
    let done = again.args(["--exact", test]).env(VARIABLE, KEY).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&done.stderr));
    false
}

/// A serving miner's settings as they are written, the variable of its key among them if it has one.
fn written(gateway: &StubGateway, backend: &Emulator, variable: Option<&str>, folder: &TempDir) -> Config {
    let mut settings = json!({
        "gateway_url": gateway.url(),
        "gateway_hotkey": gateway.hotkey(),
        "backend_url": backend.base_url("a"),
        "models": [{ "id": "m" }],
        "data_dir": folder.path(),
    });
    if let Some(variable) = variable {
        settings["backend_key_env"] = Value::from(variable);
    }
    serde_json::from_value(settings).unwrap()
}

#[tokio::test]
async fn backend_gets_its_key_when_the_environment_has_it() {
    if !has_key("keys::backend_gets_its_key_when_the_environment_has_it") {
        return;
    }
    for variable in [Some(VARIABLE), None] {
        let (gateway, backend) = (StubGateway::start().await, guarded().await);
        let (folder, cancel) = (tempfile::tempdir().unwrap(), CancellationToken::new());
        let config = written(&gateway, &backend, variable, &folder);
        let miner = tokio::spawn(serve::run(config, keypair(), cancel.clone()));
        let mut connection = gateway.accept().await;
        connection.request(1, true, &chat(8)).await;
        if variable.is_some() {
            assert!(!complete(&mut connection, true).await.0.is_empty());
        } else {
            // The backend does refuse whoever comes without.
            let MinerFrame::Fail(fail) = connection.next().await else { panic!("it has no key") };
            assert_eq!((fail.code.as_str(), fail.retryable), ("upstream_refused", false));
            assert!(fail.message.starts_with("status 401: ") && !fail.message.contains(KEY), "{}", fail.message);
        }
        cancel.cancel();
        miner.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn miner_does_not_start_when_the_environment_lacks_the_backends_key() {
    let (gateway, backend) = (StubGateway::start().await, guarded().await);
    let folder = tempfile::tempdir().unwrap();
    let config = written(&gateway, &backend, Some(VARIABLE), &folder);
    let running = serve::run(config, keypair(), CancellationToken::new());
    let error = timeout(Duration::from_secs(10), running).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Config { field: "backend_key_env", .. }) && !error.is_retryable(), "{error}");
    assert!(error.to_string().contains(&format!("environment variable {VARIABLE} is not set")), "{error}");
    assert!(gateway.accept_if_any().await.is_none());
}

/// An intel miner whose catalogue has the variable.
async fn measuring() -> Run {
    let setup = setup(guarded().await);
    let text = std::fs::read_to_string(&setup.config.catalogue).unwrap();
    let text = text.replacen("task_types", &format!("api_key_env = \"{VARIABLE}\"\ntask_types"), 1);
    std::fs::write(&setup.config.catalogue, text).unwrap();
    Run::with(setup).await
}

#[tokio::test]
async fn endpoint_gets_its_key_when_the_environment_has_it() {
    if !has_key("keys::endpoint_gets_its_key_when_the_environment_has_it") {
        return;
    }
    let run = measuring().await;
    let (cancel, miner) = run.start();
    // Whoever comes without the key gets no answer that would count.
    assert_eq!((run.gateway.bundle().await.header.count, run.setup.requests()), (10, 10));
    cancel.cancel();
    miner.await.unwrap().unwrap();
}

#[tokio::test]
async fn miner_does_not_measure_when_the_environment_lacks_an_endpoints_key() {
    let run = measuring().await;
    let (_, miner) = run.start();
    let error = timeout(Duration::from_secs(10), miner).await.unwrap().unwrap().unwrap_err();
    assert!(matches!(error, Error::Catalogue(CatalogueError::KeyMissing { .. })) && !error.is_retryable(), "{error}");
    assert!(error.to_string().contains(VARIABLE) && error.to_string().contains("`a`"), "{error}");
    assert_eq!(run.setup.requests(), 0);
}
