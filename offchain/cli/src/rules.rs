// SPDX-License-Identifier: Apache-2.0
//! `clawrank rules`: the very code that the chain runs, on JSON.

mod allocate;
mod gate;
mod intel;
mod merkle;
mod params;
mod scalar;
mod serving;
mod submission;
mod yuma;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    config::{one_line, read_text},
    error::CliError,
    output::{Output, line},
};

/// One rule. Each reads a JSON file (`-` for standard input) and writes JSON; `--schema` shows both shapes.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Scores to capped proportional shares, chain units and u16 weights (rules 4.2 to 4.4).
    Allocate(allocate::AllocateArgs),
    /// Stake and weights, epoch after epoch, to consensus, bonds and emission (rules 4.6).
    Yuma(IoArgs),
    /// A submission and replays to its gate, with the evidence (rules 3); claims and replays to its statistics alone.
    Gate(PresetArgs),
    /// Probes and traffic per payer to serving scores (rules 1).
    Serving(PresetArgs),
    /// Attempts, signal and reference, or accuracy and usefulness, to intel scores (rules 4.1).
    Intel(PresetArgs),
    /// Leaves to a Merkle root and inclusion proofs, or a proof to a yes or no (rules 2.1).
    Merkle(IoArgs),
}

/// Input and shape.
#[derive(Debug, Args)]
pub(crate) struct IoArgs {
    /// JSON file, `-` for standard input.
    #[arg(default_value = "-", value_name = "FILE")]
    file: PathBuf,
    /// Prints the JSON schema of input and output, and reads nothing.
    #[arg(long)]
    schema: bool,
}

/// Input, shape and parameters.
#[derive(Debug, Args)]
pub(crate) struct PresetArgs {
    #[command(flatten)]
    io: IoArgs,
    /// Set of parameters: clawrank, local or tensorclaw-v1.
    #[arg(long, default_value = "clawrank")]
    preset: String,
}

/// Runs a rule.
///
/// # Errors
///
/// [`CliError::Input`] that names the field.
pub(crate) fn run(command: RulesCommand) -> Result<(), CliError> {
    match command {
        RulesCommand::Allocate(args) => call(&args.io, |input| allocate::allocate(input, &args)),
        RulesCommand::Yuma(io) => call(&io, yuma::yuma),
        RulesCommand::Gate(args) => call(&args.io, |input| gate::gate(input, &params::preset(&args.preset)?)),
        RulesCommand::Serving(args) => call(&args.io, |input| serving::serving(input, &params::preset(&args.preset)?)),
        RulesCommand::Intel(args) => call(&args.io, |input| intel::intel(input, &params::preset(&args.preset)?)),
        RulesCommand::Merkle(io) => call(&io, merkle::merkle),
    }
}

fn call<I, O>(io: &IoArgs, rule: impl FnOnce(I) -> Result<O, CliError>) -> Result<(), CliError>
where
    I: DeserializeOwned + JsonSchema,
    O: Serialize + JsonSchema,
{
    if io.schema {
        let schema = serde_json::json!({
            "input": schemars::schema_for!(I),
            "output": schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<O>(),
        });
        // For reading; what a rule computes is one line, for pipes.
        return Output { json: true }.json(&schema);
    }
    print(&rule(parse(&read_text(&io.file)?)?)?)
}

/// Reads JSON; an error names the field by its path, as `epochs[0].stake[3]`.
fn parse<I: DeserializeOwned>(text: &str) -> Result<I, CliError> {
    // Serde takes a list for an object, by position; nobody means that.
    if text.trim_start().starts_with('[') {
        return Err(CliError::input("input", "is a list; it must be an object"));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|e| {
        let path = e.path().to_string();
        let why = one_line(&e.into_inner().to_string());
        CliError::input(field(&path, &why), why)
    })?;
    reader.end().map_err(|e| CliError::input("input", one_line(&e.to_string())))?;
    Ok(value)
}

/// The field at fault. The path of one that is missing ends at what lacks it.
fn field(path: &str, why: &str) -> String {
    let missing = why.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    match (path, missing) {
        (".", Some(name)) => name.to_owned(),
        (".", None) => "input".to_owned(),
        (path, Some(name)) => format!("{path}.{name}"),
        (path, None) => path.to_owned(),
    }
}

fn print<T: Serialize>(value: &T) -> Result<(), CliError> {
    line(&serde_json::to_string(value).map_err(|e| CliError::work(&e))?)
}

/// A rule's own refusal, about a field of the input.
fn refuse(what: &str, why: impl core::fmt::Display) -> CliError {
    CliError::input(what, why.to_string())
}

#[cfg(test)]
mod tests;
