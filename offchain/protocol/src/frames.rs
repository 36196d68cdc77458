// SPDX-License-Identifier: Apache-2.0

//! JSON text frames of a miner's WebSocket (`GET /v1/miner`), tagged by `type`.
//!
//! The gateway speaks first with [`Challenge`]; the miner answers with [`Hello`]; then [`Welcome`] or [`Refused`].
//! Unknown fields are ignored, unknown types are refused. OpenAI bodies travel as raw JSON and are never re-written.

use clawrank_proof::{Attempt, Hash, InclusionProof, Opening, ProofError, blake2_256};
use codec::{DecodeAll, Encode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    encoding::{Base64, Hex, HexBytes, Hotkey, RequestId},
    limits::{MAX_AGENT_BYTES, MAX_MESSAGE_BYTES, MAX_MODEL_BYTES, MAX_MODELS, MAX_OPEN_LEAVES, MAX_PATH_NODES},
    needs::Need,
};

/// Why a frame was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// More bytes than accepted.
    #[error("frame of {found} bytes exceeds {max}; send less at once")]
    TooLarge {
        /// Largest accepted frame.
        max: usize,
        /// Bytes found.
        found: usize,
    },
    /// Not a JSON object with a text field `type`.
    #[error("frame is not a JSON object with a text field `type`: {message}")]
    NotAFrame {
        /// The parser's words, shortened.
        message: String,
    },
    /// A `type` this version does not know.
    #[error("frame type `{found}` is unknown; upgrade the older side")]
    UnknownType {
        /// The type, shortened.
        found: String,
    },
    /// A field is missing, has another type or breaks its cap.
    #[error("frame `{kind}` is malformed: {message}")]
    Invalid {
        /// The frame's type.
        kind: &'static str,
        /// What is wrong, shortened.
        message: String,
    },
}

/// Cuts `text` to [`MAX_MESSAGE_BYTES`] at a character boundary and drops control characters.
#[must_use]
pub fn shorten(text: &str) -> String {
    let mut end = text.len().min(MAX_MESSAGE_BYTES);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default().chars().filter(|c| !c.is_control()).collect()
}

/// First frame of the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// [`PROTOCOL_VERSION`](crate::limits::PROTOCOL_VERSION) of the gateway.
    pub version: u16,
    /// Fresh for every connection; goes into the signature.
    pub nonce: Hex<32>,
    /// Genesis hash of the chain the gateway follows.
    pub genesis: Hex<32>,
    /// Subnet.
    pub netuid: u16,
    /// The gateway's hotkey.
    pub gateway: Hotkey,
    /// The gateway's clock, Unix milliseconds.
    pub time_ms: u64,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Serves customers' requests.
    Serve,
    /// Only opens leaves of its bundles.
    Measure,
}

/// A model that a miner offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelOffer {
    /// Name that customers ask for.
    pub id: String,
    /// Requests it takes at the same time, at least 1.
    pub max_concurrency: u32,
    /// Longest prompt and answer together, in tokens.
    pub context_tokens: u32,
    /// Price of a million input tokens, micro-USD.
    pub price_in_micro_usd_per_mtok: u64,
    /// Price of a million output tokens, micro-USD.
    pub price_out_micro_usd_per_mtok: u64,
    /// What it cannot do; left out where empty, as miners that say nothing do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<Need>,
}

/// First frame of the miner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Protocol version of the miner.
    pub version: u16,
    /// Its hotkey, registered on the subnet.
    pub hotkey: Hotkey,
    /// What the connection is for.
    pub role: Role,
    /// What it offers; empty with [`Role::Measure`].
    pub models: Vec<ModelOffer>,
    /// Program and version, free text.
    pub agent: String,
    /// Over [`clawrank_proof::Hello`] with [`body_hash`](Self::body_hash).
    pub signature: Hex<64>,
}

impl Hello {
    /// blake2-256 of the canonical JSON of role, models and agent: `{"role":..,"models":[..],"agent":..}`, compact, the
    /// fields of [`ModelOffer`] in their order.
    #[must_use]
    pub fn body_hash(&self) -> Hash {
        hello_body_hash(self.role, &self.models, &self.agent)
    }
}

/// [`Hello::body_hash`] before there is a `hello`.
#[must_use]
pub fn hello_body_hash(role: Role, models: &[ModelOffer], agent: &str) -> Hash {
    #[derive(Serialize)]
    struct Body<'a> {
        role: Role,
        models: &'a [ModelOffer],
        agent: &'a str,
    }
    // Structs of texts and integers always serialise: qed; an empty body would only fail the signature check.
    blake2_256(&serde_json::to_vec(&Body { role, models, agent }).unwrap_or_default())
}

/// The gateway accepts the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Number of the connection, for logs.
    pub session: u64,
    /// Time between pings.
    pub ping_interval_ms: u64,
    /// Largest frame the gateway accepts.
    pub max_frame_bytes: u64,
    /// Requests the gateway will have in flight on this connection.
    pub max_in_flight: u32,
}

/// Why the gateway refuses or ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The signature does not verify.
    BadSignature,
    /// The hotkey is not registered on the subnet.
    Unregistered,
    /// The nonce was used before.
    ReplayedNonce,
    /// The versions differ.
    Version,
    /// More models than allowed.
    TooManyModels,
    /// Too many connections of this address or hotkey.
    Quota,
    /// A frame is malformed or out of place.
    BadFrame,
    /// A frame is over the cap.
    FrameTooLarge,
    /// No `hello` within the deadline.
    AuthTimeout,
    /// Pings or writes went unanswered.
    Stuck,
    /// The gateway is shutting down; connect again later.
    Shutdown,
}

impl RefusalCode {
    /// Whether connecting again, later and unchanged, can succeed.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        match self {
            Self::Unregistered
            | Self::ReplayedNonce
            | Self::Quota
            | Self::AuthTimeout
            | Self::Stuck
            | Self::Shutdown
            | Self::BadFrame
            | Self::FrameTooLarge => true,
            Self::BadSignature | Self::Version | Self::TooManyModels => false,
        }
    }

    /// The code as it is on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadSignature => "bad_signature",
            Self::Unregistered => "unregistered",
            Self::ReplayedNonce => "replayed_nonce",
            Self::Version => "version",
            Self::TooManyModels => "too_many_models",
            Self::Quota => "quota",
            Self::BadFrame => "bad_frame",
            Self::FrameTooLarge => "frame_too_large",
            Self::AuthTimeout => "auth_timeout",
            Self::Stuck => "stuck",
            Self::Shutdown => "shutdown",
        }
    }
}

/// The gateway refuses the connection, then closes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Why.
    pub code: RefusalCode,
    /// In words, with what to do.
    pub message: String,
}

/// A request for the miner to serve.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Identity; goes into the claim.
    pub id: RequestId,
    /// Model, as offered.
    pub model: String,
    /// Whether the answer goes as [`Chunk`]s.
    pub stream: bool,
    /// Time left for the whole answer, milliseconds from receipt of the frame.
    pub deadline_ms: u64,
    /// Salt of the claim's response hash; see [`DeliveredText`](crate::text::DeliveredText).
    pub salt: Hex<16>,
    /// The OpenAI request.
    pub body: Box<RawValue>,
}

/// Part of a streamed answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Chunk {
    /// Which request.
    pub id: RequestId,
    /// From 0, without gaps.
    pub seq: u32,
    /// The OpenAI chunk.
    pub data: Box<RawValue>,
}

/// A whole answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// Which request.
    pub id: RequestId,
    /// The OpenAI answer.
    pub body: Box<RawValue>,
}

/// The answer is complete; the miner's signed claim about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Which request.
    pub id: RequestId,
    /// SCALE of [`clawrank_proof::Claim`].
    pub claim: HexBytes,
    /// The miner's signature of it.
    pub signature: Hex<64>,
}

/// Why a miner could not serve a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fail {
    /// Which request.
    pub id: RequestId,
    /// Short machine-readable cause, for example `busy`, `upstream_error`, `bad_request`.
    pub code: String,
    /// In words; shortened by the reader.
    pub message: String,
    /// Whether another miner may succeed with the same request.
    pub retryable: bool,
}

/// Asks for leaves of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Identity of this question.
    pub id: RequestId,
    /// Root of the bundle.
    pub root: Hex<32>,
    /// Indices asked for.
    pub leaves: Vec<u32>,
    /// Time left.
    pub deadline_ms: u64,
}

/// One opened leaf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedLeaf {
    /// Index in the bundle.
    pub leaf: u32,
    /// SCALE of the [`clawrank_proof::Attempt`].
    pub attempt: HexBytes,
    /// Inclusion path, from the leaf upwards.
    pub path: Vec<Hex<32>>,
    /// The request body as it was sent.
    pub request: Base64,
    /// The response text as it was received.
    pub response: Base64,
    /// Salt of the request hash.
    pub request_salt: Hex<16>,
    /// Salt of the response hash.
    pub response_salt: Hex<16>,
}

impl From<Opening> for OpenedLeaf {
    fn from(opening: Opening) -> Self {
        Self {
            leaf: opening.index,
            attempt: HexBytes(opening.attempt.encode()),
            path: opening.proof.path.into_iter().map(Hex).collect(),
            request: Base64(opening.request),
            response: Base64(opening.response),
            request_salt: Hex(opening.request_salt),
            response_salt: Hex(opening.response_salt),
        }
    }
}

impl TryFrom<OpenedLeaf> for Opening {
    type Error = ProofError;

    /// Reads the attempt.
    ///
    /// # Errors
    ///
    /// [`ProofError::Malformed`]: the attempt is not one encoded attempt.
    fn try_from(leaf: OpenedLeaf) -> Result<Self, ProofError> {
        Ok(Self {
            index: leaf.leaf,
            attempt: Attempt::decode_all(&mut leaf.attempt.0.as_slice()).map_err(|_| ProofError::Malformed)?,
            proof: InclusionProof { path: leaf.path.into_iter().map(|node| node.0).collect() },
            request_salt: leaf.request_salt.0,
            response_salt: leaf.response_salt.0,
            request: leaf.request.0,
            response: leaf.response.0,
        })
    }
}

/// Answer to [`Open`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Which question.
    pub id: RequestId,
    /// The leaves; fewer than asked for where the miner no longer has them.
    pub openings: Vec<OpenedLeaf>,
    /// Whether another `opened` with the same id follows, because all leaves do not fit into one frame.
    #[serde(default)]
    pub more: bool,
}

/// What the gateway sends.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum GatewayFrame {
    /// See [`Challenge`].
    Challenge(Challenge),
    /// See [`Welcome`].
    Welcome(Welcome),
    /// See [`Refused`].
    Refused(Refused),
    /// See [`Request`].
    Request(Request),
    /// Nobody waits for this request any more. A miner that sent part of a stream may answer within 2 s with [`Done`],
    /// its claim not `ok` and over exactly the chunks it sent, and is paid for that part.
    Cancel {
        /// Which request.
        id: RequestId,
    },
    /// Answer with the same number.
    Ping {
        /// Number to repeat.
        n: u64,
    },
    /// The miner's copy of a receipt.
    Receipt {
        /// SCALE of [`clawrank_proof::SignedReceipt`].
        receipt: HexBytes,
    },
    /// See [`Open`].
    Open(Open),
}

/// What a miner sends.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum MinerFrame {
    /// See [`Hello`].
    Hello(Hello),
    /// See [`Chunk`].
    Chunk(Chunk),
    /// See [`Answer`].
    Answer(Answer),
    /// See [`Done`].
    Done(Done),
    /// See [`Fail`].
    Fail(Fail),
    /// Answer to a ping.
    Pong {
        /// The ping's number.
        n: u64,
    },
    /// See [`Opened`].
    Opened(Opened),
    /// The miner leaves; requests in flight still end, new ones go elsewhere.
    Bye {},
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
}

#[derive(Deserialize)]
struct Number {
    n: u64,
}

#[derive(Deserialize)]
struct Id {
    id: RequestId,
}

#[derive(Deserialize)]
struct ReceiptField {
    receipt: HexBytes,
}

fn tag(text: &str, max: usize) -> Result<std::borrow::Cow<'_, str>, FrameError> {
    if text.len() > max {
        return Err(FrameError::TooLarge { max, found: text.len() });
    }
    serde_json::from_str::<Tag<'_>>(text)
        .map(|tag| tag.kind)
        .map_err(|error| FrameError::NotAFrame { message: shorten(&error.to_string()) })
}

fn body<T: DeserializeOwned>(kind: &'static str, text: &str) -> Result<T, FrameError> {
    serde_json::from_str(text).map_err(|error| FrameError::Invalid { kind, message: shorten(&error.to_string()) })
}

fn invalid(kind: &'static str, message: String) -> FrameError {
    FrameError::Invalid { kind, message }
}

impl GatewayFrame {
    /// Reads a frame of at most `max` bytes.
    ///
    /// # Errors
    ///
    /// See [`FrameError`].
    pub fn decode(text: &str, max: usize) -> Result<Self, FrameError> {
        Ok(match tag(text, max)?.as_ref() {
            "challenge" => Self::Challenge(body("challenge", text)?),
            "welcome" => Self::Welcome(body("welcome", text)?),
            "refused" => Self::Refused(body("refused", text)?),
            "request" => Self::Request(body("request", text)?),
            "cancel" => Self::Cancel { id: body::<Id>("cancel", text)?.id },
            "ping" => Self::Ping { n: body::<Number>("ping", text)?.n },
            "receipt" => Self::Receipt { receipt: body::<ReceiptField>("receipt", text)?.receipt },
            "open" => {
                let open: Open = body("open", text)?;
                if open.leaves.len() > MAX_OPEN_LEAVES {
                    return Err(invalid("open", format!("{} leaves exceed {MAX_OPEN_LEAVES}", open.leaves.len())));
                }
                Self::Open(open)
            }
            other => return Err(FrameError::UnknownType { found: shorten(other) }),
        })
    }

    /// The frame as text.
    #[must_use]
    pub fn encode(&self) -> String {
        encode(self)
    }
}

impl MinerFrame {
    /// Reads a frame of at most `max` bytes and checks the caps of its lists and texts.
    ///
    /// # Errors
    ///
    /// See [`FrameError`].
    pub fn decode(text: &str, max: usize) -> Result<Self, FrameError> {
        Ok(match tag(text, max)?.as_ref() {
            "chunk" => Self::Chunk(body("chunk", text)?),
            "answer" => Self::Answer(body("answer", text)?),
            "done" => Self::Done(body("done", text)?),
            "fail" => {
                let mut fail: Fail = body("fail", text)?;
                fail.code = shorten(&fail.code);
                fail.message = shorten(&fail.message);
                Self::Fail(fail)
            }
            "pong" => Self::Pong { n: body::<Number>("pong", text)?.n },
            "opened" => {
                let opened: Opened = body("opened", text)?;
                if opened.openings.len() > MAX_OPEN_LEAVES {
                    return Err(invalid(
                        "opened",
                        format!("{} leaves exceed {MAX_OPEN_LEAVES}", opened.openings.len()),
                    ));
                }
                if opened.openings.iter().any(|leaf| leaf.path.len() > MAX_PATH_NODES) {
                    return Err(invalid("opened", format!("a path has more than {MAX_PATH_NODES} nodes")));
                }
                Self::Opened(opened)
            }
            "bye" => Self::Bye {},
            "hello" => {
                let hello: Hello = body("hello", text)?;
                check_hello(&hello)?;
                Self::Hello(hello)
            }
            other => return Err(FrameError::UnknownType { found: shorten(other) }),
        })
    }

    /// The frame as text.
    #[must_use]
    pub fn encode(&self) -> String {
        encode(self)
    }
}

/// Caps of `hello`. The number of models has its own refusal code, so the gateway checks it against its own limit too.
fn check_hello(hello: &Hello) -> Result<(), FrameError> {
    if hello.models.len() > MAX_MODELS.saturating_mul(16) {
        return Err(invalid("hello", format!("{} models exceed {MAX_MODELS}", hello.models.len())));
    }
    if hello.agent.len() > MAX_AGENT_BYTES {
        return Err(invalid("hello", format!("agent of {} bytes exceeds {MAX_AGENT_BYTES}", hello.agent.len())));
    }
    for offer in &hello.models {
        if offer.id.is_empty() || offer.id.len() > MAX_MODEL_BYTES || offer.id.chars().any(char::is_control) {
            return Err(invalid(
                "hello",
                format!("model name `{}` is empty, too long or unprintable", shorten(&offer.id)),
            ));
        }
        if offer.max_concurrency == 0 {
            return Err(invalid("hello", format!("max_concurrency of `{}` is 0; offer at least 1", offer.id)));
        }
    }
    Ok(())
}

fn encode<T: Serialize>(frame: &T) -> String {
    // Frames hold texts, integers and raw JSON that was parsed before: serialisation cannot fail, qed.
    serde_json::to_string(frame).unwrap_or_default()
}

#[cfg(test)]
mod tests;
