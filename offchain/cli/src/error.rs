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
