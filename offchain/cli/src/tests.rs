// SPDX-License-Identifier: Apache-2.0
//! Command lines of the documentation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command as Process, Stdio},
};

use clap::CommandFactory;

use super::*;

const PAGES: [&str; 6] =
    ["README.md", "docs/architecture.md", "docs/protocol.md", "docs/rules.md", "docs/sdk.md", "docs/validator.md"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Words of a shell's line: quotes are taken off, and what follows `#`, `|`, `>` or `;` begins another command.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let (mut word, mut started, mut quote) = (String::new(), false, None);
    for letter in line.chars().chain([' ']) {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some(_), _) => word.push(letter),
            (None, '\'' | '"') => (quote, started) = (Some(letter), true),
            (None, '#') if !started => break,
            (None, ' ' | '|' | '>' | ';') => {
                if started {
                    commands.last_mut().unwrap().push(std::mem::take(&mut word));
                }
                started = false;
                if letter != ' ' {
                    commands.push(Vec::new());
                }
            }
            (None, _) => {
                word.push(letter);
                started = true;
            }
        }
    }
    commands
}

/// Every command of this program in the shell blocks of the pages; `...` stands for what was said before.
fn documented(program: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for name in PAGES {
        let page = std::fs::read_to_string(root().join(name)).unwrap();
        for block in page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            for command in block.replace("\\\n", " ").lines().flat_map(commands) {
                if command.first().is_some_and(|first| first == program) {
                    found.push((name.to_owned(), command.into_iter().filter(|word| word != "...").collect()));
                }
            }
        }
    }
    found
}

#[test]
fn flags_are_those_of_the_program_when_the_documentation_writes_them() {
    let lines = documented("clawrank");
    assert!(lines.len() >= 17, "{} lines were found", lines.len());
    for (page, line) in &lines {
        Cli::try_parse_from(line).unwrap_or_else(|error| panic!("{page}: {line:?}: {error}"));
    }
    // Every role that somebody runs is shown how.
    for role in ["gateway", "miner", "validator", "rules", "keys", "chain", "status", "doctor"] {
        assert!(lines.iter().any(|(_, line)| line[1] == role), "no line shows {role}");
    }
    let mut wrong = lines[0].1.clone();
    wrong.push("--colour".to_owned());
    assert!(Cli::try_parse_from(wrong).is_err(), "any flag would do");
}

/// The node's own parser reads its lines, up to the `--help` at their end.
#[test]
fn flags_are_those_of_the_node_when_the_documentation_writes_them() {
    // The folder of the programs is above that of this test.
    let built = std::env::current_exe().unwrap().parent().unwrap().join("../clawrank-node");
    let node = std::env::var_os("CLAWRANK_NODE_BIN").map_or(built, PathBuf::from);
    if !node.exists() {
        let _ = writeln!(
            std::io::stderr(),
            "\nSKIPPED: no node at {}; build it or set CLAWRANK_NODE_BIN\n",
            node.display()
        );
        return;
    }
    let accepts = |words: &[String]| {
        let done = Process::new(&node).args(words).arg("--help").stdin(Stdio::null()).output().unwrap();
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let lines = documented("clawrank-node");
    assert!(lines.len() >= 5, "{} lines were found", lines.len());
    for (page, line) in &lines {
        let (good, error) = accepts(&line[1..]);
        assert!(good, "{page}: {line:?}: {error}");
        assert!(!accepts(&[&line[1..], &["--colour".to_owned()]].concat()).0, "{line:?}: any flag would do");
    }
}

#[test]
fn settings_of_the_command_line_are_consistent_when_it_is_built() {
    Cli::command().debug_assert();
}
