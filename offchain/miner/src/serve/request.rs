// SPDX-License-Identifier: Apache-2.0

//! One request: from the gateway's frame to the signed claim.

use bytes::Bytes;
use clawrank_primitives::proof::{Claim, Domain, HotkeyId, Keypair, ModelName};
use clawrank_protocol::{
    Hex, HexBytes,
    frames::{Answer, Chunk, Done, Fail, MinerFrame, Request, shorten},
    openai::{ChatRequest, Facts, Usage, read_answer},
    text::DeliveredText,
};
use codec::Encode;
use reqwest::Client;
use serde_json::{json, value::RawValue};
use tokio::sync::mpsc;

use super::config::{ModelConfig, Plan};
use crate::{
    UpstreamError,
    upstream::{self, DONE, Events, Limits},
};

/// Why a request failed, as the gateway is told.
struct Failure {
    code: &'static str,
    message: String,
    retryable: bool,
}

impl From<UpstreamError> for Failure {
    fn from(error: UpstreamError) -> Self {
        let retryable = error.is_retryable();
        let code = match &error {
            UpstreamError::Deadline { .. } => "timeout",
            UpstreamError::TooLarge { .. } => "answer_too_large",
            UpstreamError::Status { status: 400..=407 | 409..=424 | 426..=428, .. } => "upstream_refused",
            _ => "upstream_error",
        };
        Self { code, message: shorten(&error.to_string()), retryable }
    }
}

/// The session is over: nothing can be sent any more.
struct Gone;

enum Stop {
    Failed(Failure),
    Gone,
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<UpstreamError> for Stop {
    fn from(error: UpstreamError) -> Self {
        Self::Failed(error.into())
    }
}

fn bad_request(message: String) -> Stop {
    Stop::Failed(Failure { code: "bad_request", message, retryable: false })
}

/// Everything that requests of one connection share.
pub(super) struct Shared<'a> {
    pub(super) plan: &'a Plan,
    pub(super) keypair: &'a Keypair,
    pub(super) client: &'a Client,
    pub(super) gateway: HotkeyId,
    pub(super) max_frame_bytes: u64,
    pub(super) outgoing: &'a mpsc::Sender<String>,
}

/// A `fail` frame.
pub(super) fn fail(request: &Request, code: &str, message: &str, retryable: bool) -> MinerFrame {
    MinerFrame::Fail(Fail { id: request.id, code: code.to_owned(), message: shorten(message), retryable })
}

impl Shared<'_> {
    /// Serves one request. Sends `done` or `fail` at the end, unless the session is gone.
    pub(super) async fn serve(&self, request: Request, model: &ModelConfig) {
        let failure = match self.answer(&request, model).await {
            Ok(()) | Err(Stop::Gone) => return,
            Err(Stop::Failed(failure)) => failure,
        };
        tracing::warn!(request = %request.id, code = failure.code, error = failure.message, "request failed");
        let frame = fail(&request, failure.code, &failure.message, failure.retryable);
        // Gone means that nobody waits for it.
        let _ = self.send(&frame).await;
    }

    async fn send(&self, frame: &MinerFrame) -> Result<(), Gone> {
        self.outgoing.send(frame.encode()).await.map_err(|_| Gone)
    }

    async fn answer(&self, request: &Request, model: &ModelConfig) -> Result<(), Stop> {
        let chat = ChatRequest::parse(request.body.get().as_bytes())
            .map_err(|error| bad_request(format!("the request cannot be read: {error}")))?;
        let deadline_ms = request.deadline_ms.min(self.plan.request_deadline_ms);
        let limits = Limits::new(deadline_ms, self.plan.max_answer_bytes);
        let body = self.body(request, &chat, model)?;
        let response = upstream::post(self.client, &self.plan.chat_url, self.plan.key.as_ref(), body, &limits).await?;
        let mut text = DeliveredText::new(&request.salt.0);
        let usage = if request.stream {
            self.pass_stream(request, Events::new(response, limits), &mut text).await?
        } else {
            let bytes = upstream::read_all(response, &limits).await?;
            self.pass_whole(request, &bytes, &mut text).await?
        };
        self.finish(request, &chat, usage, &text).await.map_err(Into::into)
    }

    /// The request as the backend gets it: its own name of the model, and usage in every stream.
    fn body(&self, request: &Request, chat: &ChatRequest, model: &ModelConfig) -> Result<Bytes, Stop> {
        let name = model.upstream_id.as_deref().unwrap_or(&model.id);
        let mut fields = vec![("model", json!(name)), ("stream", json!(request.stream))];
        if request.stream && !chat.include_usage {
            fields.push(("stream_options", json!({ "include_usage": true })));
        }
        let body = chat.with_fields(&fields).map_err(|error| bad_request(error.to_string()))?;
        Ok(Bytes::copy_from_slice(body.get().as_bytes()))
    }

    async fn pass_stream(
        &self,
        request: &Request,
        mut events: Events,
        text: &mut DeliveredText,
    ) -> Result<Option<Usage>, Stop> {
        let (mut seq, mut usage, mut finished) = (0u32, None, false);
        loop {
            let data = match events.next().await {
                Ok(Some(data)) if data.trim() == DONE => break,
                Ok(Some(data)) if data.trim().is_empty() => continue,
                Ok(Some(data)) => data,
                // Some backends close the stream without the last event.
                Ok(None) if finished => break,
                Ok(None) => return Err(UpstreamError::Malformed("stream ended in the middle".to_owned()).into()),
                Err(error) => return Err(error.into()),
            };
            let (data, facts) = self.read(data, text)?;
            usage = facts.usage.or(usage);
            finished |= facts.finished;
            self.send(&MinerFrame::Chunk(Chunk { id: request.id, seq, data })).await?;
            seq = seq.saturating_add(1);
        }
        if seq == 0 {
            return Err(UpstreamError::Malformed("stream without a chunk".to_owned()).into());
        }
        Ok(usage)
    }

    async fn pass_whole(
        &self,
        request: &Request,
        bytes: &[u8],
        text: &mut DeliveredText,
    ) -> Result<Option<Usage>, Stop> {
        let body = String::from_utf8(bytes.to_vec())
            .map_err(|_| UpstreamError::Malformed("answer is not UTF-8".to_owned()))?;
        let (body, facts) = self.read(body, text)?;
        if !facts.choices {
            return Err(UpstreamError::Malformed("answer without choices".to_owned()).into());
        }
        self.send(&MinerFrame::Answer(Answer { id: request.id, body })).await?;
        Ok(facts.usage)
    }

    /// Reads a chunk or an answer, and refuses what no frame can carry or what is an error in disguise.
    fn read(&self, json: String, text: &mut DeliveredText) -> Result<(Box<RawValue>, Facts), UpstreamError> {
        // Id, sequence and names around the JSON have less than this.
        const ENVELOPE: u64 = 256;
        let length = u64::try_from(json.len()).unwrap_or(u64::MAX);
        if length.saturating_add(ENVELOPE) > self.max_frame_bytes {
            return Err(UpstreamError::TooLarge { max: self.max_frame_bytes });
        }
        let raw = RawValue::from_string(json).map_err(|error| UpstreamError::Malformed(shorten(&error.to_string())))?;
        let facts = read_answer(&raw, text).map_err(UpstreamError::Malformed)?;
        if facts.error {
            return Err(UpstreamError::Malformed("the backend sent an error inside its answer".to_owned()));
        }
        Ok((raw, facts))
    }

    async fn finish(
        &self,
        request: &Request,
        chat: &ChatRequest,
        usage: Option<Usage>,
        text: &DeliveredText,
    ) -> Result<(), Gone> {
        let usage = usage.unwrap_or_else(|| Usage::new(chat.input_tokens, text.tokens()));
        // The gateway asks for models by the names that were offered, and those fit: qed.
        let model = ModelName::new(&request.model).unwrap_or_default();
        let claim = Claim {
            request_id: request.id.0,
            miner: self.keypair.public(),
            gateway: self.gateway,
            model,
            input_tokens: usage.prompt_tokens,
            output_tokens: usage.completion_tokens,
            response_hash: text.hash(),
            stream: request.stream,
            ok: true,
        };
        let signature = Hex(self.keypair.sign_for(Domain::Claim, &claim));
        let done = Done { id: request.id, claim: HexBytes(claim.encode()), signature };
        self.send(&MinerFrame::Done(done)).await
    }
}
