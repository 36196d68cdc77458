// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::error::ErrorCode;

fn refused(body: &str, param: &str) {
    let error = ChatRequest::parse(body.as_bytes()).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidRequestError, "{body}");
    assert_eq!(error.param.as_deref(), Some(param), "{body}: {error}");
}

#[test]
fn request_is_read_when_well_formed() {
    let body = r#" {"model":"m","messages":[{"role":"user","content":"abcdefgh"}],"stream":true,
        "stream_options":{"include_usage":true},"max_tokens":7,"n":2,"future":{"x":[1]}} "#;
    let request = ChatRequest::parse(body.as_bytes()).unwrap();
    assert_eq!((request.model.as_str(), request.stream, request.include_usage), ("m", true, true));
    assert_eq!((request.max_tokens, request.choices, request.input_tokens), (Some(7), 2, 6));
    assert_eq!(request.raw().get(), body.trim());
}

#[test]
fn request_keeps_unknown_fields_when_fields_are_added() {
    let request = ChatRequest::parse(
        br#"{"model":"m","max_tokens":null,"messages":[{"role":"user","content":"a"}],"thinking":{"signature":"\u00e9=="}}"#,
    )
    .unwrap();
    let raw = request.with_fields(&[("max_tokens", 9.into())]).unwrap();
    let value: serde_json::Value = serde_json::from_str(raw.get()).unwrap();
    assert_eq!(value["max_tokens"], 9);
    assert_eq!(value["thinking"]["signature"], "é==");
    assert_eq!(value["messages"][0]["content"], "a");
}

#[test]
fn request_is_refused_when_a_field_is_wrong() {
    refused("", "body");
    refused("[]", "body");
    refused("{\"model\":\"m\",\"model\":\"x\"}", "body");
    refused(r#"{"messages":[{"role":"user","content":"a"}]}"#, "model");
    refused(r#"{"model":"","messages":[{"role":"user","content":"a"}]}"#, "model");
    refused(r#"{"model":"m"}"#, "messages");
    refused(r#"{"model":"m","messages":[]}"#, "messages");
    refused(r#"{"model":"m","messages":[{"role":"user","content":5}]}"#, "messages");
    refused(r#"{"model":"m","messages":[{"role":"user","content":"a"}],"max_tokens":0}"#, "max_tokens");
    refused(r#"{"model":"m","messages":[{"role":"user","content":"a"}],"max_tokens":99999999}"#, "max_tokens");
    refused(r#"{"model":"m","messages":[{"role":"user","content":"a"}],"n":0}"#, "n");
    let many = format!(r#"{{"model":"m","messages":[{}]}}"#, vec![r#"{"role":"user"}"#; MAX_MESSAGES + 1].join(","));
    refused(&many, "messages");
    assert!(ChatRequest::parse(&[0xff, 0xfe]).is_err());
}

#[test]
fn needs_are_seen_when_request_has_tools_images_or_json() {
    let body = br#"{"model":"m","tools":[{"type":"function"}],"response_format":{"type":"json_object"},
        "messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:"}}]},
        {"role":"assistant","content":null,"tool_calls":[]}]}"#;
    let request = ChatRequest::parse(body).unwrap();
    assert_eq!(request.needs, Needs { tools: true, vision: true, json: true });
    assert!(request.input_tokens > TOKENS_PER_IMAGE);
}

#[test]
fn delivered_text_is_the_same_when_streamed_and_when_whole() {
    let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
    let mut streamed = DeliveredText::new(&[9; 16]);
    let first = raw(r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#);
    assert!(!read_answer(&first, &mut streamed).unwrap().text);
    for piece in ["Hel", "lo \\u00e9"] {
        let chunk = raw(&format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"{piece}"}}}}]}}"#));
        assert!(read_answer(&chunk, &mut streamed).unwrap().text);
    }
    let end = raw(
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
    );
    let facts = read_answer(&end, &mut streamed).unwrap();
    assert!(facts.finished && facts.usage == Some(Usage { prompt_tokens: 3, completion_tokens: 2, total_tokens: 0 }));

    let mut whole = DeliveredText::new(&[9; 16]);
    let answer = r#"{"choices":[{"message":{"role":"assistant","content":"Hello é"},"finish_reason":"stop"}]}"#;
    read_answer(&raw(answer), &mut whole).unwrap();
    assert_eq!(streamed.hash(), whole.hash());
    assert_eq!(answer_text(answer).unwrap(), "Hello é");
}

#[test]
fn error_object_is_seen_when_inside_an_answer() {
    let raw = RawValue::from_string(r#"{"error":{"message":"overloaded"}}"#.to_owned()).unwrap();
    assert!(read_answer(&raw, &mut DeliveredText::new(&[9; 16])).unwrap().error);
    let raw = RawValue::from_string(r#"{"choices":7}"#.to_owned()).unwrap();
    assert!(read_answer(&raw, &mut DeliveredText::new(&[9; 16])).is_err());
}
