// SPDX-License-Identifier: Apache-2.0

//! Measurement tasks: prompts that follow from a 32-byte id alone, with a check of the answer.
//!
//! A miner measures an endpoint with tasks and a validator replays the very same ones. So a task is a pure function of
//! its type and id: same messages, same pinned parameters, same expected answer, same request bytes, on every machine.
//!
//! | type | asks for | schema check | answer check |
//! |---|---|---|---|
//! | `chat` | a short explanation | no | no |
//! | `math` | one integer | no | the last number of the answer |
//! | `json` | the fields of a note as a JSON object | exactly the given keys, each with its type | every value |

mod check;
mod draw;
mod text;

#[cfg(test)]
mod tests;

pub use clawrank_proof::challenge::measure_task_id;
use clawrank_proof::{AnswerVerdict, AttemptStatus, Hash, SchemaVerdict};
use serde::{Deserialize, Serialize};

use draw::Draw;

/// Names of all task types, in the order in which they were introduced.
pub const TASK_TYPES: [&str; 3] = ["chat", "math", "json"];

/// Largest text that [`Task::check`] looks at, in bytes; a longer answer is wrong and matches no schema.
pub const MAX_CHECKED_BYTES: usize = 256 * 1024;

/// Why a task cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// No task type has this name.
    #[error("unknown task type `{0}`; use one of chat, math, json")]
    UnknownType(String),
}

/// One message of a conversation, as the OpenAI API writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// The text.
    pub content: String,
}

/// What a right answer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The last number of the answer is this integer.
    Integer(i64),
    /// The answer is a JSON object with these values, in the order of the schema's keys.
    Fields(Vec<FieldValue>),
}

/// A value that a `json` task asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// A text, compared as it is.
    Text(String),
    /// An integer.
    Integer(i64),
}

/// Type of a key in a [`Schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A JSON string.
    Text,
    /// A JSON number without a fraction.
    Integer,
}

/// Shape of a JSON answer: an object with exactly these keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Keys and the type of each.
    pub keys: Vec<(&'static str, FieldKind)>,
}

/// A prompt with pinned parameters and, where it can be checked, its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Name of the type, one of [`TASK_TYPES`].
    pub task_type: &'static str,
    /// The conversation to send.
    pub messages: Vec<Message>,
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// Seed for the endpoint's sampler; below 2^31, so that every provider takes it.
    pub seed: u64,
    /// Sampling temperature: always 0.
    pub temperature: u8,
    /// The right answer, if there is one.
    pub expected: Option<Expected>,
    /// The shape of the answer, if it has one.
    pub schema: Option<Schema>,
}

/// Request bytes in one fixed order of fields, whatever features of the JSON library are on.
#[derive(Serialize)]
struct RequestBody<'a> {
    model: &'a str,
    messages: &'a [Message],
    max_tokens: u32,
    temperature: u8,
    seed: u64,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct ResponseFormat {
    r#type: &'static str,
}

impl Task {
    /// The task of this type with this id.
    ///
    /// # Errors
    ///
    /// [`TaskError::UnknownType`] when `task_type` is none of [`TASK_TYPES`].
    pub fn from_id(task_type: &str, task_id: &Hash) -> Result<Self, TaskError> {
        let mut draw = Draw::new(task_type, task_id);
        match task_type {
            "chat" => Ok(text::chat(&mut draw)),
            "math" => Ok(text::math(&mut draw)),
            "json" => Ok(text::json(&mut draw)),
            other => Err(TaskError::UnknownType(other.to_owned())),
        }
    }

    /// The body of the request to a chat completions endpoint, byte for byte the same everywhere.
    ///
    /// A measurement is always a stream, since only a stream has a time to first token; its `request_hash` is the
    /// salted hash of `request_bytes(model, true)`.
    #[must_use]
    pub fn request_bytes(&self, model: &str, stream: bool) -> Vec<u8> {
        let body = RequestBody {
            model,
            messages: &self.messages,
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            seed: self.seed,
            stream,
            stream_options: stream.then_some(StreamOptions { include_usage: true }),
            response_format: self.schema.as_ref().map(|_| ResponseFormat { r#type: "json_object" }),
        };
        // Strings, integers and booleans with text keys: no serialisation of these fails.
        serde_json::to_vec(&body).unwrap_or_default()
    }

    /// [`Task::request_bytes`] as a JSON value.
    #[must_use]
    pub fn request_body(&self, model: &str, stream: bool) -> serde_json::Value {
        serde_json::from_slice(&self.request_bytes(model, stream)).unwrap_or_default()
    }

    /// Whether `body` is the request that a measurement of this task sends to `model`.
    #[must_use]
    pub fn is_request(&self, model: &str, body: &[u8]) -> bool {
        self.request_bytes(model, true) == body
    }

    /// Checks the text of a complete answer. Never panics, whatever the text; O(length).
    #[must_use]
    pub fn check(&self, text: &str) -> (SchemaVerdict, AnswerVerdict) {
        check::check(self, text)
    }

    /// The verdicts of an attempt: those of [`Task::check`] for a complete answer, `NotChecked` for any other status.
    ///
    /// Miner and validator both use this one, so that they agree on answers that never came.
    #[must_use]
    pub fn verdicts(&self, status: AttemptStatus, text: &str) -> (SchemaVerdict, AnswerVerdict) {
        match status {
            AttemptStatus::Ok => self.check(text),
            _ => (SchemaVerdict::NotChecked, AnswerVerdict::NotChecked),
        }
    }
}

/// Whether a task type has a right answer that [`Task::check`] can tell.
#[must_use]
pub fn is_checkable(task_type: &str) -> bool {
    matches!(task_type, "math" | "json")
}

/// What a prompt of ours asks for, read back from its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// Name of the type, one of [`TASK_TYPES`].
    pub task_type: &'static str,
    /// The right answer, if there is one.
    pub expected: Option<Expected>,
    /// The shape of the answer, if it has one.
    pub schema: Option<Schema>,
}

impl Recognised {
    /// A text that [`Task::check`] finds right; `None` where nothing is checked.
    #[must_use]
    pub fn right_answer(&self) -> Option<String> {
        match (self.expected.as_ref()?, &self.schema) {
            (Expected::Integer(value), _) => Some(value.to_string()),
            (Expected::Fields(values), Some(schema)) => {
                let object: serde_json::Map<String, serde_json::Value> = schema
                    .keys
                    .iter()
                    .zip(values)
                    .map(|((key, _), value)| {
                        let value = match value {
                            FieldValue::Text(text) => text.as_str().into(),
                            FieldValue::Integer(number) => (*number).into(),
                        };
                        ((*key).to_owned(), value)
                    })
                    .collect();
                Some(serde_json::Value::Object(object).to_string())
            }
            (Expected::Fields(_), None) => None,
        }
    }
}

/// The task behind a conversation that [`Task::from_id`] made, read back from its text; `None` for any other.
///
/// For tools that answer tasks (the emulator); nothing that decides money may rely on it.
#[must_use]
pub fn recognise(messages: &[Message]) -> Option<Recognised> {
    text::recognise(messages)
}
