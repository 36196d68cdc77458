// SPDX-License-Identifier: Apache-2.0
//! What can go wrong at the command line, and the exit code it gives.

use thiserror::Error;

/// A failure of a subcommand.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    /// The user's input is at fault: exit code 2.
    #[error("{what}: {why}")]
    Input {
        /// The file, field, variable or flag.
        what: String,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// The work failed: exit code 1.
    #[error("{0}")]
    Work(String),
}

impl CliError {
    /// Input at fault.
    pub(crate) fn input(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Input { what: what.into(), why: why.into() }
    }

    /// Work that failed, with the whole chain of causes on one line.
    pub(crate) fn work(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let more = cause.to_string();
            if !text.contains(&more) {
                text.push_str(": ");
                text.push_str(&more);
            }
            source = cause.source();
        }
        Self::Work(crate::config::one_line(&text))
    }

    /// Exit code of the process.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Work(_) => 1,
            Self::Input { .. } => 2,
        }
    }
}

/// What clap says of a bad flag, on one line: the complaint and its tips, without the usage, and where help is.
pub(crate) fn bad_flag(rendered: &str) -> String {
    let body = rendered.strip_prefix("error: ").unwrap_or(rendered);
    let mut text = String::new();
    for line in body.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        if !text.is_empty() {
            text.push_str(if line.starts_with("tip:") { "; " } else { " " });
        }
        text.push_str(line);
    }
    format!("{text}; `--help` shows what is possible")
}
