// SPDX-License-Identifier: Apache-2.0

use std::time::Duration;

use bytes::Bytes;
use clawrank_protocol::{
    ApiError, ErrorCode,
    frames::{Done, Fail},
    limits::MAX_DELIVERED_BYTES,
    openai::{Facts, Usage, read_answer},
    text::DeliveredText,
};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::{
    Attempt, Customer, Failure, Head, Outcome, Run,
    settle::{Delivered, SettleError},
    timed_out,
};
use crate::{
    clock::elapsed_ms,
    hub::{Ended, Event},
};

/// Parts of a stream that may wait for a slow customer.
const PARTS: usize = 64;

/// Chunks that are held back before the first text.
const MAX_HELD: usize = 64;

/// What happened next.
enum Next {
    Event(Event),
    Ended(Ended),
    Late,
    Left,
}

/// Why a stream stopped before its end.
enum Stop {
    Failed(Failure),
    Left,
}

/// A stream that the customer has begun to see.
struct Shown {
    parts: mpsc::Sender<Bytes>,
    first_byte_ms: u32,
}

impl Run {
    async fn next(&mut self, attempt: &mut Attempt, shown: Option<&Shown>) -> Next {
        let limit = if shown.is_some() { self.deadline } else { attempt.first_byte };
        let head = &mut self.head;
        let left = async {
            match (shown, head) {
                (Some(shown), _) => shown.parts.closed().await,
                (None, Some(head)) => head.closed().await,
                (None, None) => {}
            }
        };
        tokio::select! {
            biased;
            event = attempt.call.next() => match event {
                Ok(event) => Next::Event(event),
                Err(ended) => Next::Ended(ended),
            },
            () = left => Next::Left,
            () = tokio::time::sleep_until(limit) => Next::Late,
        }
    }

    /// Notes a failure of the candidate, for its health and a probe's verdict.
    fn blame(&mut self, attempt: &Attempt, ended: Ended) -> Failure {
        let (code, message) = match ended {
            Ended::Lost => (ErrorCode::UpstreamError, "the connection to who served was lost"),
            Ended::Breach(what) => (ErrorCode::UpstreamError, what),
            Ended::TooSlow => {
                // The customer's own doing.
                let message = "the answer was not read fast enough".to_owned();
                return Failure { code: ErrorCode::Timeout, message };
            }
        };
        self.miner_at_fault = true;
        if let Ended::Breach(what) = ended {
            attempt.stats.breached();
            self.app.metrics.breaches.increment(1);
            tracing::warn!(id = %self.id, by = attempt.by.label(), what, "breach");
        } else {
            attempt.stats.failed();
        }
        Failure { code, message: message.to_owned() }
    }

    fn blame_late(&mut self, attempt: &Attempt) -> Failure {
        self.miner_at_fault = true;
        attempt.stats.failed();
        timed_out()
    }

    fn blame_fail(&mut self, attempt: &Attempt, fail: &Fail) -> Failure {
        if fail.code == "bad_request" && !fail.retryable {
            // Perhaps the customer's fault, so it costs no health; a miner gains nothing by saying it.
            self.miner_at_fault = true;
            let message = format!("the request was refused upstream: {}", fail.message);
            return Failure { code: ErrorCode::InvalidRequestError, message };
        }
        if fail.code != "busy" {
            attempt.stats.failed();
        }
        self.miner_at_fault = true;
        let code = if fail.code == "busy" { ErrorCode::NoMinerAvailable } else { ErrorCode::UpstreamError };
        Failure { code, message: format!("who served could not: {}: {}", fail.code, fail.message) }
    }

    /// Reads a chunk or an answer; an error is the candidate's fault.
    fn read(&mut self, attempt: &Attempt, json: &RawValue, text: &mut DeliveredText) -> Result<Facts, Failure> {
        let facts = read_answer(json, text);
        if facts.as_ref().is_ok_and(|facts| facts.error) {
            self.miner_at_fault = true;
            attempt.stats.failed();
            let message = "who served reported an error inside its answer".to_owned();
            return Err(Failure { code: ErrorCode::UpstreamError, message });
        }
        let what = match &facts {
            Err(_) => "answer is not of OpenAI's shape",
            Ok(_) if text.bytes() > MAX_DELIVERED_BYTES || self.is_over_limit(text) => {
                "answer is longer than its max_tokens allow"
            }
            Ok(_) => "",
        };
        match facts {
            Ok(facts) if what.is_empty() => Ok(facts),
            _ => Err(self.blame(attempt, Ended::Breach(what))),
        }
    }

    /// Twice the tokens asked for and a little more, since the count is coarse.
    fn is_over_limit(&self, text: &DeliveredText) -> bool {
        u64::from(text.tokens()) > u64::from(self.most_tokens).saturating_mul(2).saturating_add(64)
    }

    /// An attempt whose answer comes in one piece.
    pub(super) async fn whole(&mut self, mut attempt: Attempt) -> Outcome {
        let mut text = DeliveredText::new(&attempt.salt);
        let mut body: Option<(Box<RawValue>, u32)> = None;
        loop {
            match self.next(&mut attempt, None).await {
                Next::Event(Event::Answer(answer)) => match self.read(&attempt, &answer, &mut text) {
                    Ok(facts) if facts.choices => body = Some((answer, elapsed_ms(self.job.received))),
                    Ok(_) => return Outcome::Failed(self.blame(&attempt, Ended::Breach("answer has no choices"))),
                    Err(failure) => return Outcome::Failed(failure),
                },
                Next::Event(Event::Done(done)) => {
                    let Some((body, first_byte_ms)) = body else {
                        return Outcome::Failed(self.blame(&attempt, Ended::Breach("done before the answer")));
                    };
                    return self.finish_whole(&attempt, done.as_deref(), &text, body, first_byte_ms).await;
                }
                Next::Event(Event::Chunk(_)) => {
                    return Outcome::Failed(self.blame(&attempt, Ended::Breach("chunk for a whole answer")));
                }
                Next::Event(Event::Fail(fail)) => return Outcome::Failed(self.blame_fail(&attempt, &fail)),
                Next::Ended(ended) => return Outcome::Failed(self.blame(&attempt, ended)),
                Next::Late => return Outcome::Failed(self.blame_late(&attempt)),
                Next::Left => {
                    self.abandon(attempt, text, None).await;
                    return Outcome::Over;
                }
            }
        }
    }

    async fn finish_whole(
        &mut self,
        attempt: &Attempt,
        done: Option<&Done>,
        text: &DeliveredText,
        body: Box<RawValue>,
        first_byte_ms: u32,
    ) -> Outcome {
        if let Err(error) = self.ensure_durable().await {
            self.answer(Err(error));
            return Outcome::Over;
        }
        match self.settle(attempt, done, Delivered { text, complete: true, first_byte_ms }).await {
            Ok(_) => {}
            Err(SettleError::Claim(what)) => return Outcome::Failed(self.blame(attempt, Ended::Breach(what))),
            Err(SettleError::Ledger(error)) => {
                self.app.metrics.failed.increment(1);
                self.settle_failed().await;
                self.answer(Err(error));
                return Outcome::Over;
            }
        }
        self.served(attempt, first_byte_ms);
        let body = String::from(Box::<str>::from(body));
        self.answer(Ok(Head::Whole { by: attempt.by.clone(), body }));
        Outcome::Over
    }

    fn served(&mut self, attempt: &Attempt, first_byte_ms: u32) {
        let before = attempt.started.duration_since(self.job.received);
        let before_ms = u32::try_from(before.as_millis()).unwrap_or(u32::MAX);
        attempt.stats.served(&self.job.model, first_byte_ms.saturating_sub(before_ms));
        self.app.metrics.served.increment(1);
        self.app.metrics.first_byte.record(Duration::from_millis(first_byte_ms.into()));
        self.miner_at_fault = false;
    }

    /// An attempt whose answer comes in chunks.
    pub(super) async fn stream(&mut self, mut attempt: Attempt) -> Outcome {
        let mut text = DeliveredText::new(&attempt.salt);
        let mut held: Vec<Box<RawValue>> = Vec::new();
        let mut shown: Option<Shown> = None;
        let stop = loop {
            match self.next(&mut attempt, shown.as_ref()).await {
                Next::Event(Event::Chunk(chunk)) => {
                    let facts = match self.read(&attempt, &chunk, &mut text) {
                        Ok(facts) => facts,
                        Err(failure) => break Stop::Failed(failure),
                    };
                    if !facts.choices {
                        // Usage is reported once, at the end, and only when asked for; what else a provider puts into such a
                        // chunk (its filter's findings, its sources) is no part of OpenAI's format.
                        continue;
                    }
                    if let Some(shown) = &shown {
                        if !self.show(shown, &chunk).await {
                            break Stop::Left;
                        }
                        continue;
                    }
                    held.push(chunk);
                    if facts.text || facts.finished || held.len() >= MAX_HELD {
                        match self.begin(&attempt).await {
                            Ok(begun) => {
                                let begun = shown.insert(begun);
                                let mut all = true;
                                for chunk in held.drain(..) {
                                    all = all && self.show(begun, &chunk).await;
                                }
                                if !all {
                                    break Stop::Left;
                                }
                            }
                            Err(outcome) => return outcome,
                        }
                    }
                }
                Next::Event(Event::Done(done)) => {
                    let begun = match shown.take() {
                        Some(begun) => begun,
                        None if held.is_empty() => {
                            break Stop::Failed(self.blame(&attempt, Ended::Breach("stream has no chunks")));
                        }
                        None => match self.begin(&attempt).await {
                            Ok(begun) => {
                                for chunk in held.drain(..) {
                                    let _ = self.show(&begun, &chunk).await;
                                }
                                begun
                            }
                            Err(outcome) => return outcome,
                        },
                    };
                    self.finish_stream(&attempt, done.as_deref(), &text, begun).await;
                    return Outcome::Over;
                }
                Next::Event(Event::Answer(_)) => {
                    break Stop::Failed(self.blame(&attempt, Ended::Breach("answer for a stream")));
                }
                Next::Event(Event::Fail(fail)) => break Stop::Failed(self.blame_fail(&attempt, &fail)),
                Next::Ended(ended) => break Stop::Failed(self.blame(&attempt, ended)),
                Next::Late => break Stop::Failed(self.blame_late(&attempt)),
                Next::Left => break Stop::Left,
            }
        };
        match (stop, shown) {
            (Stop::Left, shown) => {
                self.abandon(attempt, text, shown.map(|shown| shown.first_byte_ms)).await;
                Outcome::Over
            }
            (Stop::Failed(failure), None) => Outcome::Failed(failure),
            (Stop::Failed(failure), Some(shown)) => {
                drop(attempt);
                self.app.metrics.broken.increment(1);
                self.settle_failed().await;
                self.show_error(&shown, &ApiError::new(failure.code, failure.message)).await;
                Outcome::Over
            }
        }
    }

    /// The customer sees that an answer begins.
    async fn begin(&mut self, attempt: &Attempt) -> Result<Shown, Outcome> {
        if let Err(error) = self.ensure_durable().await {
            self.answer(Err(error));
            return Err(Outcome::Over);
        }
        let first_byte_ms = elapsed_ms(self.job.received);
        let (parts, receiver) = mpsc::channel(PARTS);
        // Where the customer has left, the closed channel tells at the next part.
        self.answer(Ok(Head::Stream { by: attempt.by.clone(), parts: receiver }));
        Ok(Shown { parts, first_byte_ms })
    }

    /// Sends one event; `false` when the customer has left or does not read.
    async fn show(&self, shown: &Shown, json: &RawValue) -> bool {
        self.send_part(shown, event(json.get())).await
    }

    async fn send_part(&self, shown: &Shown, part: Bytes) -> bool {
        let patience = Duration::from_millis(self.app.config.timing.client_stall_ms);
        matches!(tokio::time::timeout(patience, shown.parts.send(part)).await, Ok(Ok(())))
    }

    /// Tells a failure inside the stream; no `[DONE]` follows.
    async fn show_error(&self, shown: &Shown, error: &ApiError) {
        let _ = self.send_part(shown, event(&error.to_json())).await;
    }

    async fn finish_stream(&mut self, attempt: &Attempt, done: Option<&Done>, text: &DeliveredText, shown: Shown) {
        let first_byte_ms = shown.first_byte_ms;
        let usage = match self.settle(attempt, done, Delivered { text, complete: true, first_byte_ms }).await {
            Ok(usage) => usage,
            Err(SettleError::Claim(what)) => {
                let failure = self.blame(attempt, Ended::Breach(what));
                self.app.metrics.broken.increment(1);
                self.settle_failed().await;
                self.show_error(&shown, &ApiError::new(failure.code, failure.message)).await;
                return;
            }
            Err(SettleError::Ledger(error)) => {
                self.app.metrics.broken.increment(1);
                self.settle_failed().await;
                self.show_error(&shown, &error).await;
                return;
            }
        };
        self.served(attempt, first_byte_ms);
        let mut last = Vec::new();
        if self.job.request.include_usage {
            last.extend_from_slice(&event(&self.usage_chunk(usage)));
        }
        last.extend_from_slice(b"data: [DONE]\n\n");
        self.send_part(&shown, Bytes::from(last)).await;
    }

    fn usage_chunk(&self, usage: Usage) -> String {
        serde_json::json!({
            "id": format!("chatcmpl-{}", self.id),
            "object": "chat.completion.chunk",
            "created": self.job.received_ms / 1_000,
            "model": self.job.request.model,
            "choices": [],
            "usage": usage,
        })
        .to_string()
    }

    /// The customer left: the candidate is told, and what was shown is paid for.
    async fn abandon(&mut self, mut attempt: Attempt, mut text: DeliveredText, first_byte_ms: Option<u32>) {
        self.app.metrics.abandoned.increment(1);
        self.head = None;
        if self.ensure_durable().await.is_err() {
            return;
        }
        let Some(first_byte_ms) = first_byte_ms else {
            if let Customer::Probe { .. } = self.job.customer {
                // A validator whose own deadline is a moment shorter than the gateway's.
                let almost = self.deadline.checked_sub(Duration::from_secs(1)).unwrap_or(self.deadline);
                self.miner_at_fault |= tokio::time::Instant::now() >= almost;
            }
            drop(attempt);
            self.settle_failed().await;
            return;
        };
        attempt.call.cancel();
        let grace = Duration::from_millis(self.app.config.timing.cancel_grace_ms);
        // What is still on its way belongs to the text that the miner will claim.
        let drain = async {
            while attempt.session().is_some() {
                match attempt.call.next().await {
                    Ok(Event::Chunk(chunk)) => {
                        if read_answer(&chunk, &mut text).is_err() || self.is_over_limit(&text) {
                            return None;
                        }
                    }
                    Ok(Event::Done(done)) => return done,
                    _ => return None,
                }
            }
            None
        };
        let done = tokio::time::timeout(grace, drain).await.ok().flatten();
        if let Some(done) = done {
            let delivered = Delivered { text: &text, complete: false, first_byte_ms };
            match self.settle(&attempt, Some(&done), delivered).await {
                Ok(_) => return,
                Err(SettleError::Ledger(_)) => {}
                Err(SettleError::Claim(what)) => {
                    let _ = self.blame(&attempt, Ended::Breach(what));
                }
            }
        }
        self.settle_partial(&attempt, &text).await;
    }
}

/// A server-sent event. Line ends in JSON stand between its tokens only, so spaces mean the same.
fn event(json: &str) -> Bytes {
    let mut event = Vec::with_capacity(json.len().saturating_add(8));
    event.extend_from_slice(b"data: ");
    event.extend(json.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
    event.extend_from_slice(b"\n\n");
    Bytes::from(event)
}
