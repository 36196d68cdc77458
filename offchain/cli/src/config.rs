// SPDX-License-Identifier: Apache-2.0
//! Layered configuration: file, then environment, then flags; the later wins.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::error::CliError;

/// Where one role's configuration comes from.
#[derive(Debug)]
pub(crate) struct Layers<'a> {
    /// Name of the role: the section of the file, and the middle of `CLAWRANK_<ROLE>_<KEY>`.
    pub(crate) role: &'a str,
    /// `--config FILE`.
    pub(crate) file: Option<&'a Path>,
    /// `--set key=value`, in order.
    pub(crate) set: &'a [String],
    /// What dedicated flags say.
    pub(crate) flags: Table,
}

impl Layers<'_> {
    /// Reads the layers into `C`.
    ///
    /// The file may hold the role's keys at top level, or under a `[role]` table, so that one file can serve several
    /// roles. `--set a.b=1` reaches nested keys.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] naming the file, variable or flag, and the key at fault.
    pub(crate) fn load<C: DeserializeOwned>(&self, environment: &BTreeMap<String, String>) -> Result<C, CliError> {
        let mut table = match self.file {
            Some(path) => self.read_file(path)?,
            None => Table::new(),
        };
        let prefix = format!("CLAWRANK_{}_", self.role.to_ascii_uppercase().replace(['-', ' '], "_"));
        for (name, text) in environment {
            if let Some(key) = name.strip_prefix(&prefix) {
                let key = key.to_ascii_lowercase().replace("__", ".");
                put(&mut table, &key, parse_value(text)).map_err(|e| CliError::input(name.clone(), e))?;
            }
        }
        for (key, value) in &self.flags {
            table.insert(key.clone(), value.clone());
        }
        for pair in self.set {
            let Some((key, text)) = pair.split_once('=') else {
                return Err(CliError::input("--set", format!("`{pair}` is not of the form key=value")));
            };
            put(&mut table, key.trim(), parse_value(text.trim())).map_err(|e| CliError::input("--set", e))?;
        }
        Value::Table(table).try_into().map_err(|e: toml::de::Error| {
            let source = self.file.map_or_else(|| format!("{} configuration", self.role), |p| p.display().to_string());
            CliError::input(source, one_line(e.message()))
        })
    }

    fn read_file(&self, path: &Path) -> Result<Table, CliError> {
        let text = read_text(path)?;
        let mut table: Table = toml::from_str(&text).map_err(|e| {
            let line = e.span().map(|s| text.get(..s.start).map_or(1, |t| t.lines().count().max(1)));
            let at = line.map_or_else(String::new, |l| format!(" line {l}"));
            CliError::input(format!("{}{at}", path.display()), one_line(e.message()))
        })?;
        Ok(match table.remove(&self.role.replace(' ', "-")) {
            Some(Value::Table(section)) => section,
            Some(other) => {
                return Err(CliError::input(
                    path.display().to_string(),
                    format!("[{}] must be a table, found {}", self.role, other.type_str()),
                ));
            }
            None => table,
        })
    }
}

/// The process's environment, for [`Layers::load`].
pub(crate) fn environment() -> BTreeMap<String, String> {
    std::env::vars().collect()
}

/// Reads a text file of at most 16 MiB; `-` is standard input.
///
/// # Errors
///
/// [`CliError::Input`] naming the path.
pub(crate) fn read_text(path: &Path) -> Result<String, CliError> {
    use std::io::Read;
    const LIMIT: u64 = 16 << 20;
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(LIMIT + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|f| f.take(LIMIT + 1).read_to_string(&mut text))
    };
    let name = if path == Path::new("-") { PathBuf::from("standard input") } else { path.to_owned() };
    let size = read.map_err(|e| CliError::input(name.display().to_string(), format!("cannot be read: {e}")))?;
    if size as u64 > LIMIT {
        return Err(CliError::input(name.display().to_string(), format!("is larger than {LIMIT} bytes")));
    }
    Ok(text)
}

fn put(table: &mut Table, key: &str, value: Value) -> Result<(), String> {
    match key.split_once('.') {
        None if key.is_empty() => Err("the key is empty".to_owned()),
        None => {
            table.insert(key.to_owned(), value);
            Ok(())
        }
        Some((head, rest)) => {
            let entry = table.entry(head.to_owned()).or_insert_with(|| Value::Table(Table::new()));
            match entry {
                Value::Table(inner) => put(inner, rest, value),
                other => Err(format!("`{head}` is {}, so `{head}.{rest}` cannot be set", other.type_str())),
            }
        }
    }
}

/// A TOML value where the text is one, else the text itself: `8080` is a number, `127.0.0.1:80` a string.
fn parse_value(text: &str) -> Value {
    format!("v = {text}")
        .parse::<Table>()
        .ok()
        .and_then(|mut t| t.remove("v"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

pub(crate) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
