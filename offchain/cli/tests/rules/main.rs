// SPDX-License-Identifier: Apache-2.0
//! `clawrank rules`, as its user runs it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod answers;
mod bad_input;
mod examples;
mod gate;
mod schema;

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// Every rule.
const RULES: [&str; 6] = ["allocate", "yuma", "gate", "serving", "intel", "merkle"];

/// Runs `clawrank rules` with `input` on standard input.
fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_clawrank"))
        .arg("rules")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // A program that refuses a flag reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// What a rule answers to a good input.
fn answer(arguments: &[&str], input: &Value) -> Value {
    let done = run(arguments, input.to_string().as_bytes());
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "one line, for pipes: {text}");
    serde_json::from_str(&text).unwrap()
}
