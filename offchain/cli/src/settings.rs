// SPDX-License-Identifier: Apache-2.0
//! `clawrank settings`: every setting of a role as a TOML file, with what it means, from the types that read it.

use clap::{Args, ValueEnum};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

use crate::{
    error::CliError,
    output::{Output, line},
};

/// Width of a comment, without `# `.
const WIDTH: usize = 110;

/// Whose settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// `clawrank gateway`.
    Gateway,
    /// `clawrank miner serve`.
    MinerServe,
    /// `clawrank miner measure`.
    MinerMeasure,
    /// `clawrank validator`.
    Validator,
    /// `clawrank emulator run`.
    Emulator,
}

/// Options of `clawrank settings`.
#[derive(Debug, Args)]
pub(crate) struct SettingsArgs {
    /// The role.
    role: Role,
}

/// Prints the file, or with `--json` its schema.
pub(crate) fn run(args: &SettingsArgs, output: Output) -> Result<(), CliError> {
    let schema = args.role.schema();
    if output.json { output.json(&schema) } else { line(template(args.role, &schema).trim_end()) }
}

impl Role {
    fn schema(self) -> Schema {
        fn of<C: JsonSchema>() -> Schema {
            schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<C>()
        }
        match self {
            Self::Gateway => of::<clawrank_gateway::Config>(),
            Self::MinerServe => of::<clawrank_miner::serve::Config>(),
            Self::MinerMeasure => of::<clawrank_miner::measure::Config>(),
            Self::Validator => of::<clawrank_validator::Config>(),
            Self::Emulator => of::<clawrank_emulator::Config>(),
        }
    }

    /// What is typed to run it.
    fn command(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::MinerServe => "miner serve",
            Self::MinerMeasure => "miner measure",
            Self::Validator => "validator",
            Self::Emulator => "emulator run",
        }
    }

    /// The middle of its variables, as [`crate::config::Layers`] has it.
    fn variable(self) -> &'static str {
        match self {
            Self::Gateway => "GATEWAY",
            Self::MinerServe => "MINER_SERVE",
            Self::MinerMeasure => "MINER_MEASURE",
            Self::Validator => "VALIDATOR",
            Self::Emulator => "EMULATOR",
        }
    }
}

/// A TOML file whose values are the defaults; what has no default is a comment.
fn template(role: Role, schema: &Schema) -> String {
    let mut text = format!(
        "# Settings of `clawrank {}`, with their defaults: keep the lines that you change, and name the file with --config.\n\
         # Each is also CLAWRANK_{}_<KEY> in the environment, with __ before a key of a table.\n",
        role.command(),
        role.variable()
    );
    let empty = Map::new();
    let definitions = schema.get("$defs").and_then(Value::as_object).unwrap_or(&empty);
    let mut tables = String::new();
    for (key, property) in properties(schema.as_value()) {
        let inner = definition(property, definitions);
        if let Some(table) = inner.filter(|_| property.get("type").is_none()) {
            tables.push('\n');
            describe(&mut tables, property, inner);
            tables.push_str(&format!("[{key}]\n"));
            for (key, property) in properties(table) {
                setting(&mut tables, key, property);
            }
            continue;
        }
        text.push('\n');
        setting(&mut text, key, property);
        if let Some(item) = property.get("items").and_then(|items| definition(items, definitions)) {
            entries(&mut text, key, item);
        }
    }
    text + &tables
}

/// How an entry of the list `key` looks, as a comment.
fn entries(text: &mut String, key: &str, item: &Value) {
    text.push_str(&format!("# For each, instead of the line above and behind all that is in no table:\n# [[{key}]]\n"));
    let required: Vec<&str> =
        item.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for (key, property) in properties(item) {
        let needed = if required.contains(&key.as_str()) { " Required." } else { "" };
        comment(text, "#     ", &format!("{}{needed}", description(property)));
        text.push_str(&format!("# {key} = {}\n", value(property)));
    }
}

fn setting(text: &mut String, key: &str, property: &Value) {
    describe(text, property, None);
    let comment = if has_default(property) { "" } else { "# " };
    text.push_str(&format!("{comment}{key} = {}\n", value(property)));
}

/// The meaning of a property, or where it has none of its own that of its type, as comments.
fn describe(text: &mut String, property: &Value, or: Option<&Value>) {
    let own = description(property);
    comment(text, "# ", &if own.is_empty() { or.map_or(own, description) } else { own });
}

/// Words in lines that begin with `mark`.
fn comment(text: &mut String, mark: &str, words: &str) {
    let mut column = 0;
    for word in words.split_whitespace() {
        if column == 0 || column + 1 + word.len() > WIDTH {
            text.push_str(if column == 0 { "" } else { "\n" });
            text.push_str(mark);
            column = 0;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += word.len();
    }
    text.push('\n');
}

fn description(property: &Value) -> String {
    let text = property.get("description").and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The default in TOML, or a placeholder that says the type.
fn value(property: &Value) -> String {
    match property.get("default") {
        Some(default) if has_default(property) => toml_value(default),
        _ => format!("<{}>", kind(property)),
    }
}

fn toml_value(value: &Value) -> String {
    // TOML's numbers, texts, switches and lists of them are written as JSON's.
    value.to_string()
}

fn has_default(property: &Value) -> bool {
    property.get("default").is_some_and(|default| !default.is_null())
}

fn kind(property: &Value) -> &str {
    let kinds = property.get("type");
    let named = kinds.and_then(Value::as_str).or_else(|| {
        let several = kinds.and_then(Value::as_array)?;
        several.iter().filter_map(Value::as_str).find(|kind| *kind != "null")
    });
    match named {
        Some("integer" | "number") => "number",
        Some("boolean") => "true or false",
        Some("array") => "list",
        _ => "text",
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// What `$ref` of a property names.
fn definition<'a>(property: &Value, definitions: &'a Map<String, Value>) -> Option<&'a Value> {
    definitions.get(property.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?)
}

#[cfg(test)]
mod tests;
