// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::HashSet;

use clawrank_proof::blake2_256;

use super::*;

fn id(seed: u32) -> Hash {
    blake2_256(&seed.to_le_bytes())
}

fn wrong_number(task: &Task) -> String {
    match task.expected {
        Some(Expected::Integer(value)) => (value + 1).to_string(),
        _ => panic!("not a math task"),
    }
}

#[test]
fn task_is_the_same_when_made_again_from_its_id() {
    for task_type in TASK_TYPES {
        for seed in 0..200 {
            let task = Task::from_id(task_type, &id(seed)).unwrap();
            assert_eq!(task, Task::from_id(task_type, &id(seed)).unwrap());
            assert_eq!(
                task.request_bytes("m", true),
                Task::from_id(task_type, &id(seed)).unwrap().request_bytes("m", true)
            );
        }
    }
}

#[test]
fn tasks_differ_when_their_ids_differ() {
    for task_type in TASK_TYPES {
        let prompts: HashSet<String> =
            (0..2_000).map(|seed| Task::from_id(task_type, &id(seed)).unwrap().messages[0].content.clone()).collect();
        assert!(prompts.len() > 1_990, "{task_type}: only {} distinct prompts", prompts.len());
    }
}

#[test]
fn task_is_pinned_to_known_bytes_when_its_id_is_zero() {
    let body =
        |task_type| String::from_utf8(Task::from_id(task_type, &[0; 32]).unwrap().request_bytes("m", true)).unwrap();
    let pinned: Vec<&str> = include_str!("fixtures.txt").lines().collect();
    assert_eq!(pinned, TASK_TYPES.map(body));
}

#[test]
fn unknown_type_is_refused_when_no_task_has_it() {
    assert_eq!(Task::from_id("poem", &id(1)), Err(TaskError::UnknownType("poem".to_owned())));
}

#[test]
fn request_has_stream_options_only_when_it_is_a_stream() {
    let task = Task::from_id("math", &id(3)).unwrap();
    let stream = task.request_body("llama", true);
    assert_eq!(stream["stream_options"]["include_usage"], true);
    assert_eq!(stream["temperature"], 0);
    assert_eq!(stream["model"], "llama");
    assert!(task.request_body("llama", false).get("stream_options").is_none());
    assert!(task.is_request("llama", &task.request_bytes("llama", true)));
    assert!(!task.is_request("llama", &task.request_bytes("llama", false)));
    assert!(!task.is_request("other", &task.request_bytes("llama", true)));
}

#[test]
fn right_answer_is_recognised_and_accepted_when_the_prompt_is_ours() {
    for task_type in TASK_TYPES {
        for seed in 0..500 {
            let task = Task::from_id(task_type, &id(seed)).unwrap();
            let found = recognise(&task.messages).unwrap();
            assert_eq!((found.task_type, &found.expected, &found.schema), (task_type, &task.expected, &task.schema));
            let Some(text) = found.right_answer() else {
                assert_eq!(task.check("anything"), (SchemaVerdict::NotChecked, AnswerVerdict::NotChecked));
                continue;
            };
            assert_eq!(task.check(&text).1, AnswerVerdict::Right, "{text}");
        }
    }
}

#[test]
fn foreign_prompt_is_not_recognised_when_no_task_made_it() {
    for content in ["", "hello", "Compute the meaning of life.\nReply with the integer only.", "Explain tides."] {
        let message = Message { role: "user".into(), content: content.into() };
        assert_eq!(recognise(&[message]), None, "{content}");
    }
    assert_eq!(recognise(&[]), None);
}

#[test]
fn number_is_wrong_when_it_is_another() {
    let task = Task::from_id("math", &id(9)).unwrap();
    assert_eq!(task.check(&wrong_number(&task)), (SchemaVerdict::NotChecked, AnswerVerdict::Wrong));
    assert_eq!(task.check("I do not know"), (SchemaVerdict::NotChecked, AnswerVerdict::Wrong));
    assert_eq!(task.check(""), (SchemaVerdict::NotChecked, AnswerVerdict::Wrong));
}

#[test]
fn json_verdicts_follow_from_shape_and_values() {
    let task = Task::from_id("json", &id(4)).unwrap();
    let right = recognise(&task.messages).unwrap().right_answer().unwrap();
    let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&right).unwrap();
    let check = |object: &serde_json::Map<String, serde_json::Value>| {
        task.check(&serde_json::Value::Object(object.clone()).to_string())
    };
    assert_eq!(check(&object), (SchemaVerdict::Valid, AnswerVerdict::Right));
    object.insert("quantity".into(), 1_000_000.into());
    assert_eq!(check(&object), (SchemaVerdict::Valid, AnswerVerdict::Wrong));
    object.insert("quantity".into(), "12".into());
    assert_eq!(check(&object), (SchemaVerdict::Invalid, AnswerVerdict::Wrong));
    object.insert("quantity".into(), 1.5.into());
    assert_eq!(check(&object), (SchemaVerdict::Invalid, AnswerVerdict::Wrong));
    object.remove("quantity");
    assert_eq!(check(&object), (SchemaVerdict::Invalid, AnswerVerdict::Wrong));
    assert_eq!(task.check(&format!("```json\n{right}\n```")), (SchemaVerdict::Invalid, AnswerVerdict::Wrong));
    assert_eq!(task.check(&format!(" {right}\n")), (SchemaVerdict::Valid, AnswerVerdict::Right));
    assert_eq!(task.check(&" ".repeat(MAX_CHECKED_BYTES + 1)), (SchemaVerdict::Invalid, AnswerVerdict::Wrong));
}

#[test]
fn verdicts_are_not_checked_when_the_answer_is_not_complete() {
    let task = Task::from_id("json", &id(4)).unwrap();
    for status in [AttemptStatus::Timeout, AttemptStatus::Malformed, AttemptStatus::ServerError] {
        assert_eq!(task.verdicts(status, "{}"), (SchemaVerdict::NotChecked, AnswerVerdict::NotChecked));
    }
    assert_eq!(task.verdicts(AttemptStatus::Ok, "{}"), (SchemaVerdict::Invalid, AnswerVerdict::Wrong));
}

#[test]
fn measure_task_ids_differ_when_any_part_differs() {
    let base = measure_task_id(&id(1), &id(2), &id(3), 4);
    let others = [
        measure_task_id(&id(9), &id(2), &id(3), 4),
        measure_task_id(&id(1), &id(9), &id(3), 4),
        measure_task_id(&id(1), &id(2), &id(9), 4),
        measure_task_id(&id(1), &id(2), &id(3), 5),
    ];
    assert!(others.iter().all(|other| *other != base));
    assert_eq!(others.iter().collect::<HashSet<_>>().len(), 4);
}

proptest::proptest! {
    #[test]
    fn check_never_panics_when_the_text_is_any(text in ".*", seed in 0u32..50) {
        for task_type in TASK_TYPES {
            let _ = Task::from_id(task_type, &id(seed)).unwrap().check(&text);
        }
    }
}
