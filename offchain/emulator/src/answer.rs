// SPDX-License-Identifier: Apache-2.0

//! What is answered: right or wrong to the prompts of our tasks, prose to all others.

#[cfg(test)]
mod tests;

use clawrank_protocol::{
    tasks::{Expected, FieldValue, Message, Recognised, recognise},
    text::coarse_tokens,
};
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

use crate::Answers;

const WORDS: [&str; 48] = [
    "water", "light", "slowly", "because", "between", "a", "the", "each", "small", "part", "of", "moves", "toward",
    "surface", "while", "heat", "rises", "and", "pressure", "falls", "so", "that", "it", "holds", "together", "under",
    "load", "in", "practice", "people", "notice", "only", "what", "changes", "from", "day", "to", "night", "when",
    "two", "sides", "meet", "one", "gives", "way", "then", "order", "returns",
];

/// Tokens of an answer where nothing limits it.
const DEFAULT_TOKENS: usize = 64;

/// Text of an answer in pieces, one for each token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) pieces: Vec<String>,
    /// Whether `max_tokens` cut it.
    pub(crate) cut: bool,
}

/// The answer to a conversation: the same whenever `seed`, conversation and limits are.
pub(crate) fn answer(seed: u64, messages: &[Message], json: bool, max_tokens: Option<u32>, answers: &Answers) -> Text {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let limit = max_tokens.and_then(|limit| usize::try_from(limit).ok());
    let text = match recognise(messages).and_then(|task| task_text(&task, answers, &mut rng)) {
        Some(text) => text,
        None if json => serde_json::json!({ "answer": prose(&mut rng, 8) }).to_string(),
        None => {
            let typical = rng.random_range(DEFAULT_TOKENS / 2..=DEFAULT_TOKENS);
            prose(&mut rng, limit.map_or(typical, |limit| limit.min(typical)))
        }
    };
    let mut pieces = pieces(&text);
    let whole = pieces.len();
    pieces.truncate(limit.unwrap_or(usize::MAX).max(1));
    Text { cut: pieces.len() < whole, pieces }
}

/// Tokens of a conversation: the coarse count and four for each message's frame.
pub(crate) fn prompt_tokens(messages: &[Message]) -> u32 {
    messages.iter().fold(0, |sum: u32, message| sum.saturating_add(coarse_tokens(&message.content)).saturating_add(4))
}

fn task_text(task: &Recognised, answers: &Answers, rng: &mut ChaCha8Rng) -> Option<String> {
    let right = task.right_answer()?;
    let (is_right, is_valid) = (rng.random::<f64>() < answers.right, rng.random::<f64>() < answers.json_valid);
    if task.schema.is_some() && !is_valid {
        return Some(right.trim_end_matches('}').to_owned());
    }
    if is_right {
        return Some(right);
    }
    let mut wrong = task.clone();
    match wrong.expected.as_mut()? {
        Expected::Integer(value) => *value = value.saturating_add(rng.random_range(1..=9)),
        Expected::Fields(values) => match values.last_mut()? {
            FieldValue::Integer(value) => *value = value.saturating_add(1),
            FieldValue::Text(text) => text.push('s'),
        },
    }
    wrong.right_answer()
}

fn prose(rng: &mut ChaCha8Rng, tokens: usize) -> String {
    let mut text = String::new();
    // A token is four characters here; the full stop is the last of them.
    let length = tokens.saturating_mul(4).saturating_sub(1);
    while text.len() < length {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(WORDS.choose(rng).copied().unwrap_or("so"));
    }
    text.truncate(length);
    text.push('.');
    text
}

/// Pieces of four characters, so that their number is the coarse count of the text.
fn pieces(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(4).map(|piece| piece.iter().collect()).collect()
}
