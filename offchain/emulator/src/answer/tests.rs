// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_protocol::{
    proof::{AnswerVerdict, SchemaVerdict, blake2_256},
    tasks::Task,
};

use super::*;

fn task(task_type: &str, seed: u32) -> Task {
    Task::from_id(task_type, &blake2_256(&seed.to_le_bytes())).unwrap()
}

fn verdicts(task_type: &str, answers: Answers, count: u32) -> (usize, usize) {
    let (mut valid, mut right) = (0, 0);
    for seed in 0..count {
        let task = task(task_type, seed);
        let text = answer(u64::from(seed), &task.messages, false, Some(task.max_tokens), &answers);
        assert!(!text.cut);
        let (schema, answer) = task.check(&text.pieces.concat());
        valid += usize::from(schema == SchemaVerdict::Valid);
        right += usize::from(answer == AnswerVerdict::Right);
    }
    (valid, right)
}

#[test]
fn answers_are_right_when_the_profile_says_always() {
    assert_eq!(verdicts("math", Answers::default(), 300), (0, 300));
    assert_eq!(verdicts("json", Answers::default(), 300), (300, 300));
}

#[test]
fn answers_are_wrong_when_the_profile_says_never() {
    let never = Answers { right: 0.0, json_valid: 1.0 };
    assert_eq!(verdicts("math", never, 300), (0, 0));
    assert_eq!(verdicts("json", never, 300), (300, 0));
    assert_eq!(verdicts("json", Answers { right: 1.0, json_valid: 0.0 }, 300), (0, 0));
}

#[test]
fn answers_are_right_as_often_as_the_profile_says() {
    let (_, right) = verdicts("math", Answers { right: 0.7, json_valid: 1.0 }, 2_000);
    assert!((1_320..=1_480).contains(&right), "{right}");
    let (valid, right) = verdicts("json", Answers { right: 0.5, json_valid: 0.8 }, 2_000);
    assert!((1_520..=1_680).contains(&valid) && (720..=880).contains(&right), "{valid} {right}");
}

#[test]
fn answer_is_the_same_when_asked_again_and_another_when_the_seed_is() {
    let chat = task("chat", 1).messages;
    let ask = |seed| answer(seed, &chat, false, Some(96), &Answers::default());
    assert_eq!(ask(1), ask(1));
    assert_ne!(ask(1), ask(2));
}

#[test]
fn answer_keeps_to_max_tokens_and_counts_as_the_coarse_rule_does() {
    let chat = task("chat", 1).messages;
    for limit in [1, 2, 5, 40, 1_000] {
        let text = answer(3, &chat, false, Some(limit), &Answers::default());
        assert!(!text.pieces.is_empty() && text.pieces.len() <= limit as usize);
        assert_eq!(coarse_tokens(&text.pieces.concat()) as usize, text.pieces.len());
    }
    let cut = answer(3, &task("json", 1).messages, false, Some(5), &Answers::default());
    assert!(cut.cut && cut.pieces.len() == 5);
}

#[test]
fn answer_is_json_when_asked_for_json_in_an_unknown_prompt() {
    let message = Message { role: "user".into(), content: "anything".into() };
    let text = answer(3, &[message], true, None, &Answers::default()).pieces.concat();
    assert!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["answer"].is_string());
}
