// SPDX-License-Identifier: Apache-2.0
//! What a request needs beyond text, and what a model can do.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing beyond text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// Tools.
    Tools,
    /// Images.
    Vision,
    /// JSON output.
    Json,
}

/// A set of them: what a request needs of whoever serves it, or what a model lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// It declares tools.
    pub tools: bool,
    /// It has images.
    pub vision: bool,
    /// It asks for JSON output.
    pub json: bool,
}

impl Needs {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        !(self.tools || self.vision || self.json)
    }

    /// Those that are in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { tools: self.tools && other.tools, vision: self.vision && other.vision, json: self.json && other.json }
    }
}

impl FromIterator<Need> for Needs {
    fn from_iter<I: IntoIterator<Item = Need>>(all: I) -> Self {
        let mut needs = Self::default();
        for need in all {
            match need {
                Need::Tools => needs.tools = true,
                Need::Vision => needs.vision = true,
                Need::Json => needs.json = true,
            }
        }
        needs
    }
}

/// In words, as `tools and images`.
impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [(self.tools, "tools"), (self.vision, "images"), (self.json, "JSON output")];
        let words: Vec<&str> = all.into_iter().filter(|(is_in, _)| *is_in).map(|(_, word)| word).collect();
        f.write_str(&words.join(" and "))
    }
}
