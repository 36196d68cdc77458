// SPDX-License-Identifier: Apache-2.0
//! A probe: a micro-prompt through the same route and in the same shape as a customer's request (rules §1.2).

use std::time::{Duration, Instant};

use clawrank_primitives::proof::{HotkeyId, Method};
use clawrank_protocol::{Hotkey, http::HEADER_MINER, openai::answer_text};
use reqwest::StatusCode;

use super::{Gateway, GatewayError, is_miners_fault};

/// Largest answer to a probe, in bytes.
const MAX_PROBE_BYTES: usize = 64 * 1024;

const ROUTE: &str = "/v1/chat/completions";

/// What to ask.
#[derive(Clone, Debug)]
pub struct ProbeRequest {
    /// The miner that must answer.
    pub miner: HotkeyId,
    /// Model, as the miner offers it.
    pub model: String,
    /// Most output tokens.
    pub max_tokens: u32,
    /// Time until the whole answer must be there.
    pub deadline: Duration,
    /// Chooses the words.
    pub variant: u64,
}

/// What became of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// A complete answer after this time, milliseconds.
    Answered(u32),
    /// No answer: the time waited, milliseconds, and why.
    Failed(u32, String),
}

/// Questions that customers ask; short, so that a probe costs a miner next to nothing.
const SUBJECTS: [&str; 16] = [
    "a palindrome",
    "the tide",
    "a prime number",
    "rust on iron",
    "a haiku",
    "the stock market",
    "photosynthesis",
    "a hash table",
    "the equator",
    "sourdough bread",
    "a compass",
    "inflation",
    "a violin",
    "gravity",
    "a cookie banner",
    "the alphabet",
];
const FORMS: [&str; 8] = [
    "In a few words: what is {}?",
    "Tell me about {}, very briefly.",
    "Describe {} in one short line.",
    "Quick question: what comes to mind with {}?",
    "Say something about {}.",
    "How would you define {}?",
    "One fact about {}, please.",
    "Name something related to {}.",
];

fn words(variant: u64) -> String {
    let pick = |list: &'static [&'static str], by: u64| {
        let index = usize::try_from(by % (list.len() as u64).max(1)).unwrap_or(0);
        list.get(index).copied().unwrap_or("the weather")
    };
    pick(&FORMS, variant / 16).replace("{}", pick(&SUBJECTS, variant % 16))
}

impl Gateway {
    /// Sends a probe to one miner.
    ///
    /// # Errors
    ///
    /// [`GatewayError`] when the gateway, not the miner, is why there is no answer: such a probe says nothing about the
    /// miner and must not be recorded.
    pub async fn probe(&self, request: &ProbeRequest) -> Result<ProbeOutcome, GatewayError> {
        let body = serde_json::json!({
            "model": request.model,
            "messages": [{ "role": "user", "content": words(request.variant) }],
            "max_tokens": request.max_tokens,
        });
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let miner = Hotkey(request.miner).to_string();
        let headers = [("content-type", "application/json".to_owned()), (HEADER_MINER, miner.clone())];
        let began = Instant::now();
        let elapsed = || u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
        let work = async {
            let response = self.request(Method::Post, ROUTE, body, &headers, true)?.send().await;
            let response = response.map_err(|source| self.transport(ROUTE, source))?;
            let status = response.status();
            if status == StatusCode::OK {
                let served = response.headers().get(HEADER_MINER).is_some_and(|by| by.as_bytes() == miner.as_bytes());
                if !served {
                    return Err(self.malformed(ROUTE, "another miner than the pinned one served the probe".into()));
                }
                let answer = match self.read(ROUTE, response, MAX_PROBE_BYTES).await {
                    Err(GatewayError::TooLarge { .. }) => {
                        return Ok(ProbeOutcome::Failed(elapsed(), "answer is too long".into()));
                    }
                    other => other?,
                };
                let text = std::str::from_utf8(&answer).ok().and_then(|json| answer_text(json).ok());
                return Ok(match text {
                    Some(text) if !text.is_empty() => ProbeOutcome::Answered(elapsed()),
                    Some(_) => ProbeOutcome::Failed(elapsed(), "answer is empty".into()),
                    None => ProbeOutcome::Failed(elapsed(), "answer is malformed".into()),
                });
            }
            let text = self.read(ROUTE, response, super::MAX_ERROR_BYTES).await.unwrap_or_default();
            let message = super::error_message(&text);
            if is_miners_fault(status) {
                return Ok(ProbeOutcome::Failed(elapsed(), format!("{}: {message}", status.as_u16())));
            }
            Err(GatewayError::Status {
                gateway: self.name(),
                route: ROUTE.to_owned(),
                status: status.as_u16(),
                message,
            })
        };
        match tokio::time::timeout(request.deadline, work).await {
            Ok(Ok(ProbeOutcome::Answered(ms))) if Duration::from_millis(u64::from(ms)) > request.deadline => {
                Ok(ProbeOutcome::Failed(ms, "deadline passed".into()))
            }
            Ok(result) => result,
            Err(_) => Ok(ProbeOutcome::Failed(elapsed(), "deadline passed".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use super::words;

    #[test]
    fn words_differ_when_the_variant_differs() {
        let all: std::collections::BTreeSet<String> = (0..128).map(words).collect();
        assert_eq!(all.len(), 128);
        assert!(all.iter().all(|text| !text.contains("{}") && text.len() < 80));
        assert_eq!(words(5), words(133));
    }
}
