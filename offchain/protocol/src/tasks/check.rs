// SPDX-License-Identifier: Apache-2.0

use clawrank_proof::{AnswerVerdict, SchemaVerdict};
use serde_json::{Map, Value};

use super::{Expected, FieldKind, FieldValue, MAX_CHECKED_BYTES, Schema, Task};

pub(super) fn check(task: &Task, text: &str) -> (SchemaVerdict, AnswerVerdict) {
    let text = if text.len() > MAX_CHECKED_BYTES { "" } else { text.trim() };
    let object = task.schema.as_ref().and_then(|schema| parse(schema, text));
    let schema = match (&task.schema, &object) {
        (None, _) => SchemaVerdict::NotChecked,
        (Some(_), Some(_)) => SchemaVerdict::Valid,
        (Some(_), None) => SchemaVerdict::Invalid,
    };
    let right = match (&task.expected, &task.schema) {
        (None, _) => return (schema, AnswerVerdict::NotChecked),
        (Some(Expected::Integer(value)), _) => last_integer(text) == Some(*value),
        (Some(Expected::Fields(values)), Some(keys)) => object.is_some_and(|object| holds(&object, keys, values)),
        (Some(Expected::Fields(_)), None) => false,
    };
    (schema, if right { AnswerVerdict::Right } else { AnswerVerdict::Wrong })
}

/// The object, when the whole text is one with exactly the schema's keys and types.
fn parse(schema: &Schema, text: &str) -> Option<Map<String, Value>> {
    let Ok(Value::Object(object)) = serde_json::from_str::<Value>(text) else {
        return None;
    };
    let fits = object.len() == schema.keys.len()
        && schema.keys.iter().all(|(key, kind)| match (kind, object.get(*key)) {
            (FieldKind::Text, Some(Value::String(_))) => true,
            (FieldKind::Integer, Some(Value::Number(number))) => number.is_i64() || number.is_u64(),
            _ => false,
        });
    fits.then_some(object)
}

fn holds(object: &Map<String, Value>, schema: &Schema, values: &[FieldValue]) -> bool {
    schema.keys.len() == values.len()
        && schema.keys.iter().zip(values).all(|((key, _), value)| match (value, object.get(*key)) {
            (FieldValue::Text(right), Some(Value::String(found))) => right == found,
            (FieldValue::Integer(right), Some(Value::Number(found))) => found.as_i64() == Some(*right),
            _ => false,
        })
}

/// The last number of the text, if it is an integer.
///
/// Thousands may be set off by commas (`12,345`), a fraction of zeros is none (`7.0`); any other fraction makes the number
/// not an integer.
fn last_integer(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let end = bytes.iter().rposition(u8::is_ascii_digit)?.saturating_add(1);
    let head = bytes.get(..end)?;
    let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b',' | b'.');
    let start = head.iter().rposition(|byte| !is_part(byte)).map_or(0, |before| before.saturating_add(1));
    let negative = start > 0 && head.get(start.saturating_sub(1)) == Some(&b'-') && {
        // A minus sign right after a digit or a letter is an operator or a hyphen: `9-4`, `x-4`.
        start < 2 || !head.get(start.saturating_sub(2)).is_some_and(u8::is_ascii_alphanumeric)
    };
    let number = std::str::from_utf8(head.get(start..)?).ok()?.trim_start_matches([',', '.']);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if !fraction.bytes().all(|byte| byte == b'0') || !well_grouped(whole) {
        return None;
    }
    let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
    let value: i64 = digits.parse().ok()?;
    Some(if negative { value.saturating_neg() } else { value })
}

/// No comma, or a comma before every three digits.
fn well_grouped(whole: &str) -> bool {
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let mut rest = groups.peekable();
    let grouped = rest.peek().is_some();
    !first.is_empty() && (!grouped || first.len() <= 3) && rest.all(|group| group.len() == 3)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use super::last_integer;

    #[test]
    fn integer_is_found_when_it_is_the_last_number_of_the_text() {
        for (text, expected) in [
            ("42", Some(42)),
            ("The answer is 20,961.", Some(20_961)),
            ("3 * 4 = 12", Some(12)),
            ("-7", Some(-7)),
            ("it is -7.", Some(-7)),
            ("9-4", Some(4)),
            ("7.00", Some(7)),
            ("**1,234,567**", Some(1_234_567)),
            ("12. ", Some(12)),
            (",5", Some(5)),
        ] {
            assert_eq!(last_integer(text), expected, "{text}");
        }
    }

    #[test]
    fn integer_is_none_when_the_last_number_is_no_integer() {
        for text in ["", "none", "7.5", "1,23", "12,3456", "99999999999999999999", "1.2.3", "1,,000"] {
            assert_eq!(last_integer(text), None, "{text}");
        }
    }
}
