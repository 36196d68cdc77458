// SPDX-License-Identifier: Apache-2.0

//! Views of OpenAI chat requests, chunks and answers.
//!
//! A view reads the few fields that routing and metering need; the JSON itself is passed on as it came, so that fields
//! this code has never heard of survive.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    error::ApiError,
    frames::shorten,
    limits::{MAX_CHOICES, MAX_MESSAGES, MAX_MODEL_BYTES, MAX_OUTPUT_TOKENS},
    needs::Needs,
    text::{DeliveredText, coarse_tokens},
};

/// Tokens that a chat template adds per message, in the input estimate.
const TOKENS_PER_MESSAGE: u32 = 4;

/// Tokens of one image, in the input estimate.
const TOKENS_PER_IMAGE: u32 = 256;

/// A checked chat request and its unchanged JSON.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    /// Model asked for.
    pub model: String,
    /// Whether the answer is streamed.
    pub stream: bool,
    /// `stream_options.include_usage`.
    pub include_usage: bool,
    /// `max_completion_tokens`, else `max_tokens`.
    pub max_tokens: Option<u32>,
    /// Number of choices, 1 where absent.
    pub choices: u32,
    /// Coarse count of the prompt, tools and images included.
    pub input_tokens: u32,
    /// What it needs.
    pub needs: Needs,
    /// The same for all requests that begin with the same two messages: follow-ups of one conversation.
    pub conversation: u64,
    raw: Box<RawValue>,
}

#[derive(Deserialize)]
struct RequestView<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    messages: Option<Vec<MessageView<'a>>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    n: Option<u64>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    response_format: Option<FormatView<'a>>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct FormatView<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct MessageView<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct PartView<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
}

impl ChatRequest {
    /// Reads and checks the body of `POST /v1/chat/completions`. The caller has limited its size.
    ///
    /// # Errors
    ///
    /// A 400 that names the field: not JSON, `model` absent, `messages` absent or empty, a content that is neither text
    /// nor parts, `max_tokens` or `n` out of range.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let text = core::str::from_utf8(body).map_err(|_| ApiError::invalid("body", "body is not UTF-8; send JSON"))?;
        let view: RequestView<'_> = serde_json::from_str(text).map_err(|error| {
            ApiError::invalid("body", format!("body is not a chat request: {}", shorten(&error.to_string())))
        })?;
        let model = view.model.ok_or_else(|| ApiError::invalid("model", "`model` is missing; see GET /v1/models"))?;
        if model.is_empty() || model.len() > MAX_MODEL_BYTES {
            return Err(ApiError::invalid("model", format!("`model` must have 1 to {MAX_MODEL_BYTES} bytes")));
        }
        let messages = view.messages.ok_or_else(|| ApiError::invalid("messages", "`messages` is missing"))?;
        if messages.is_empty() {
            return Err(ApiError::invalid("messages", "`messages` is empty; send at least one message"));
        }
        if messages.len() > MAX_MESSAGES {
            return Err(ApiError::invalid("messages", format!("{} messages exceed {MAX_MESSAGES}", messages.len())));
        }
        let mut needs = Needs {
            tools: view.tools.is_some_and(|tools| !matches!(tools.get(), "null" | "[]")),
            vision: false,
            json: view
                .response_format
                .and_then(|format| format.kind)
                .is_some_and(|kind| matches!(kind.as_ref(), "json_object" | "json_schema")),
        };
        let mut input_tokens = if needs.tools { view.tools.map_or(0, |tools| coarse_tokens(tools.get())) } else { 0 };
        for (index, message) in messages.iter().enumerate() {
            let tokens = message_tokens(message, &mut needs)
                .map_err(|what| ApiError::invalid("messages", format!("`messages[{index}]`: {what}")))?;
            input_tokens = input_tokens.saturating_add(tokens);
        }
        let mut opening = DeliveredText::new(&[0; 16]);
        for content in messages.iter().take(2).filter_map(|message| message.content) {
            opening.push(content.get());
        }
        let conversation = opening.hash().first_chunk::<8>().copied().map_or(0, u64::from_le_bytes);
        let max_tokens = view
            .max_completion_tokens
            .or(view.max_tokens)
            .map(|asked| match u32::try_from(asked) {
                Ok(tokens) if (1..=MAX_OUTPUT_TOKENS).contains(&tokens) => Ok(tokens),
                _ => Err(ApiError::invalid(
                    "max_tokens",
                    format!("`max_tokens` {asked} is outside 1 ..= {MAX_OUTPUT_TOKENS}"),
                )),
            })
            .transpose()?;
        let choices = match view.n {
            None => 1,
            Some(n) => u32::try_from(n)
                .ok()
                .filter(|n| (1..=MAX_CHOICES).contains(n))
                .ok_or_else(|| ApiError::invalid("n", format!("`n` {n} is outside 1 ..= {MAX_CHOICES}")))?,
        };
        let model = model.into_owned();
        let raw = RawValue::from_string(text.trim().to_owned())
            .map_err(|_| ApiError::invalid("body", "body is not a JSON object"))?;
        Ok(Self {
            model,
            stream: view.stream.unwrap_or(false),
            include_usage: view.stream_options.and_then(|options| options.include_usage).unwrap_or(false),
            max_tokens,
            choices,
            input_tokens,
            needs,
            conversation,
            raw,
        })
    }

    /// The JSON as it came.
    #[must_use]
    pub fn raw(&self) -> &RawValue {
        &self.raw
    }

    /// The JSON with top-level fields replaced or added; all other fields stay as they are.
    ///
    /// # Errors
    ///
    /// Only when a value cannot be written as JSON.
    pub fn with_fields(&self, fields: &[(&str, serde_json::Value)]) -> Result<Box<RawValue>, serde_json::Error> {
        let mut all: BTreeMap<Cow<'_, str>, Box<RawValue>> = serde_json::from_str(self.raw.get())?;
        for (name, value) in fields {
            all.insert(Cow::Borrowed(name), to_raw_value(value)?);
        }
        to_raw_value(&all)
    }
}

fn message_tokens(message: &MessageView<'_>, needs: &mut Needs) -> Result<u32, &'static str> {
    if message.role.is_empty() {
        return Err("`role` is empty");
    }
    let Some(content) = message.content else {
        return Ok(TOKENS_PER_MESSAGE);
    };
    let text = content.get();
    let tokens = match text.as_bytes().first() {
        Some(b'"') => {
            let text: Cow<'_, str> = serde_json::from_str::<CowText<'_>>(text).map_err(|_| "`content` is not text")?.0;
            coarse_tokens(&text)
        }
        Some(b'[') => {
            let parts: Vec<PartView<'_>> =
                serde_json::from_str(text).map_err(|_| "`content` has a part without `type`")?;
            let mut sum = 0u32;
            for part in parts {
                sum = sum.saturating_add(match part.kind.as_ref() {
                    "image_url" | "input_image" => {
                        needs.vision = true;
                        TOKENS_PER_IMAGE
                    }
                    _ => part.text.as_deref().map_or(0, coarse_tokens),
                });
            }
            sum
        }
        _ if text == "null" => 0,
        _ => return Err("`content` must be text or a list of parts"),
    };
    Ok(tokens.saturating_add(TOKENS_PER_MESSAGE))
}

#[derive(Deserialize)]
#[serde(transparent)]
struct CowText<'a>(#[serde(borrow)] Cow<'a, str>);

/// Token counts as OpenAI reports them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Input.
    #[serde(default)]
    pub prompt_tokens: u32,
    /// Output.
    #[serde(default)]
    pub completion_tokens: u32,
    /// Both.
    #[serde(default)]
    pub total_tokens: u32,
}

impl Usage {
    /// Both counts and their sum.
    #[must_use]
    pub fn new(prompt_tokens: u32, completion_tokens: u32) -> Self {
        Self { prompt_tokens, completion_tokens, total_tokens: prompt_tokens.saturating_add(completion_tokens) }
    }
}

/// What a chunk or an answer contains, beyond the text that was fed to [`DeliveredText`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether it delivered text.
    pub text: bool,
    /// Whether it has a choice.
    pub choices: bool,
    /// Whether a choice has a `finish_reason`.
    pub finished: bool,
    /// `usage`, where present.
    pub usage: Option<Usage>,
    /// Whether it is an error object inside a 200.
    pub error: bool,
}

#[derive(Deserialize)]
struct AnswerView<'a> {
    #[serde(borrow, default)]
    choices: Option<Vec<ChoiceView<'a>>>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ChoiceView<'a> {
    #[serde(borrow, default)]
    delta: Option<TextView<'a>>,
    #[serde(borrow, default)]
    message: Option<TextView<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct TextView<'a> {
    #[serde(borrow, default)]
    reasoning_content: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    refusal: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<ToolCallView<'a>>>,
}

#[derive(Deserialize)]
struct ToolCallView<'a> {
    #[serde(borrow, default)]
    function: Option<FunctionView<'a>>,
}

#[derive(Deserialize)]
struct FunctionView<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    arguments: Option<Cow<'a, str>>,
}

impl TextView<'_> {
    /// The pieces in the order that both sides hash them.
    fn feed(&self, text: &mut DeliveredText) -> bool {
        let before = text.bytes();
        for piece in [&self.reasoning_content, &self.content, &self.refusal].into_iter().flatten() {
            text.push(piece);
        }
        for function in self.tool_calls.iter().flatten().filter_map(|call| call.function.as_ref()) {
            for piece in [&function.name, &function.arguments].into_iter().flatten() {
                text.push(piece);
            }
        }
        text.bytes() > before
    }
}

/// Reads a chunk (`choices[].delta`) or an answer (`choices[].message`) and feeds its text to `text`.
///
/// The delivered text is, choice by choice in the order they stand: reasoning content, content, refusal, then name and
/// arguments of each tool call.
///
/// # Errors
///
/// The parser's words, shortened, when the JSON is not of that shape.
pub fn read_answer(json: &RawValue, text: &mut DeliveredText) -> Result<Facts, String> {
    // A list would be read as the fields in their order, which no customer's client does.
    if !json.get().starts_with('{') {
        return Err("it is no object".to_owned());
    }
    let view: AnswerView<'_> = serde_json::from_str(json.get()).map_err(|error| shorten(&error.to_string()))?;
    let mut facts = Facts {
        usage: view.usage,
        error: view.error.is_some_and(|error| error.get() != "null"),
        choices: view.choices.as_ref().is_some_and(|choices| !choices.is_empty()),
        ..Facts::default()
    };
    for choice in view.choices.iter().flatten() {
        facts.finished |= choice.finish_reason.is_some();
        for part in [&choice.delta, &choice.message].into_iter().flatten() {
            facts.text |= part.feed(text);
        }
    }
    Ok(facts)
}

/// The whole text of an answer (`choices[].message`), as [`read_answer`] feeds it.
///
/// # Errors
///
/// As [`read_answer`].
pub fn answer_text(json: &str) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Owned<'a> {
        #[serde(borrow, default)]
        choices: Vec<ChoiceView<'a>>,
    }
    let view: Owned<'_> = serde_json::from_str(json).map_err(|error| shorten(&error.to_string()))?;
    let mut out = String::new();
    for part in view.choices.iter().flat_map(|choice| [&choice.delta, &choice.message]).flatten() {
        for piece in [&part.reasoning_content, &part.content, &part.refusal].into_iter().flatten() {
            out.push_str(piece);
        }
        for function in part.tool_calls.iter().flatten().filter_map(|call| call.function.as_ref()) {
            for piece in [&function.name, &function.arguments].into_iter().flatten() {
                out.push_str(piece);
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
