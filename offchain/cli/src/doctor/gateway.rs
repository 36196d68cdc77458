// SPDX-License-Identifier: Apache-2.0
//! Gateways: do they answer, and how do they feel.

use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::{Check, Role};

/// Largest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1_024;

/// What `GET /healthz` says, as far as it matters here.
#[derive(Debug, Deserialize)]
pub(super) struct Health {
    pub(super) status: String,
    #[serde(default)]
    pub(super) reasons: Vec<String>,
    #[serde(default)]
    pub(super) miners: u32,
}

/// Asks every gateway.
pub(super) async fn examine(role: Option<Role>, gateways: &[Url], wait: u64) -> Vec<Check> {
    let mut checks = Vec::new();
    for url in gateways {
        checks.push(judge(url, ask(url, wait).await));
    }
    if !gateways.is_empty() {
        return checks;
    }
    match role {
        Some(Role::Validator) => checks.push(Check::warn(
            "gateway",
            "none is configured, so serving stays unscored and no bundle is found",
            "put [[gateways]] with url and hotkey into the configuration, or name one with --gateway",
        )),
        Some(Role::Miner) => checks.push(Check::fail(
            "gateway",
            "none is named",
            "name the gateway that the miner is to serve with --gateway http://host:port",
        )),
        _ => {}
    }
    checks
}

async fn ask(url: &Url, wait: u64) -> Result<Health, String> {
    let at = url.join("/healthz").map_err(|e| e.to_string())?;
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(wait))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|e| chain_of(&e))?;
    let mut answer = client.get(at).send().await.map_err(|e| chain_of(&e))?;
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|e| chain_of(&e))? {
        if body.len().saturating_add(part.len()) > MAX_ANSWER_BYTES {
            return Err("answers far more than a gateway would".to_owned());
        }
        body.extend_from_slice(&part);
    }
    if !status.is_success() {
        return Err(format!("answers {status} to GET /healthz"));
    }
    serde_json::from_slice(&body).map_err(|_| "answers, but not as a gateway of this project".to_owned())
}

/// An error with its causes, on one line and without the URL, which may hold a password.
fn chain_of(error: &reqwest::Error) -> String {
    let mut cause = std::error::Error::source(error);
    let mut deepest = if error.is_timeout() { "no answer in time".to_owned() } else { "cannot be asked".to_owned() };
    while let Some(inner) = cause {
        deepest = inner.to_string();
        cause = inner.source();
    }
    deepest
}

/// What follows from an answer.
pub(super) fn judge(url: &Url, answer: Result<Health, String>) -> Check {
    let name = "gateway";
    let shown = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default())
        + &url.port().map_or_else(String::new, |port| format!(":{port}"));
    match answer {
        Ok(health) if health.status == "ok" => Check::ok(name, format!("{shown} is well, {} miners", health.miners)),
        Ok(health) => Check::warn(
            name,
            format!("{shown} is {}: {}", health.status, health.reasons.join("; ")),
            "ask its operator; it may recover by itself",
        ),
        Err(why) => Check::fail(
            name,
            format!("{shown}: {why}"),
            "check the URL, and that the gateway runs and its port is open",
        ),
    }
}
