// SPDX-License-Identifier: Apache-2.0
//! `clawrank chain`: what a runtime takes, with or without a connection to it.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use clawrank_client::{ChainConfig, ClientError, ItemState, ItemStatus, Runtime, check};
use serde_json::{Value, json};

use super::{
    client_error, connect,
    params::{self, ParamsArgs, SetParamsArgs},
};
use crate::{
    config::{one_line, read_text},
    error::CliError,
    output::{Output, line, table},
};

/// Tools for a chain's runtime.
#[derive(Debug, Subcommand)]
pub(crate) enum ChainCommand {
    /// Prints the bytes of a call, as the chain takes them.
    Encode(EncodeArgs),
    /// Compares a runtime with what the workers read, call and sign; exit code 1 when something needed is missing.
    Check(CheckArgs),
    /// Writes the metadata that a chain serves into a file.
    Metadata(MetadataArgs),
    /// Prints the rules' parameters that a subnet stores, as a TOML file.
    Params(ParamsArgs),
    /// Sets them from a TOML file, signed by the coldkey of the subnet's owner.
    SetParams(SetParamsArgs),
}

/// Where metadata comes from.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SourceArgs {
    /// File with metadata: raw, or hexadecimal text as a node answers it.
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,
    /// Chain to ask: finney, test, archive, local, or ws:// or wss:// addresses parted by commas.
    #[arg(long, value_name = "NETWORK")]
    network: Option<String>,
}

/// Which call.
#[derive(Debug, Args)]
pub(crate) struct EncodeArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Name of the call: `set_weights`, `commit_timelocked_mechanism_weights`, .. or `Pallet.call` for any other.
    #[arg(long, value_name = "CALL")]
    call: String,
    /// Its arguments by the chain's names, as a JSON object, `@FILE`, or `-` for standard input. Keys are addresses or
    /// 0x text, bytes 0x text or lists, integers numbers or decimal texts.
    #[arg(long, value_name = "JSON")]
    args: String,
}

/// Which runtime.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    source: SourceArgs,
}

/// From where to where.
#[derive(Debug, Args)]
pub(crate) struct MetadataArgs {
    /// Chain to ask: finney, test, archive, local, or ws:// or wss:// addresses parted by commas.
    #[arg(long, value_name = "NETWORK")]
    network: String,
    /// File to write, raw bytes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs a tool.
///
/// # Errors
///
/// [`CliError::Input`] that names the flag, file or argument; [`CliError::Work`] where the runtime or the node is at
/// fault.
pub(crate) async fn run(command: ChainCommand, output: Output) -> Result<(), CliError> {
    match command {
        ChainCommand::Encode(args) => encode(&args, output).await,
        ChainCommand::Check(args) => report(&args.source.runtime().await?, output),
        ChainCommand::Metadata(args) => fetch(&args, output).await,
        ChainCommand::Params(args) => params::show(&args, output).await,
        ChainCommand::SetParams(args) => params::set(&args, output).await,
    }
}

impl SourceArgs {
    async fn runtime(&self) -> Result<Runtime, CliError> {
        if let Some(path) = &self.metadata {
            return load(path);
        }
        let chain = connect(&ChainConfig::on(self.network.as_deref().unwrap_or_default())).await?;
        let runtime = chain.runtime().ok_or_else(|| CliError::Work("the node has named no runtime yet".into()));
        chain.close().await;
        runtime.map(|runtime| Runtime::clone(&runtime))
    }
}

fn load(path: &Path) -> Result<Runtime, CliError> {
    Runtime::load(path).map_err(|error| match error {
        ClientError::MetadataFile { source, .. } => {
            CliError::input(path.display().to_string(), format!("cannot be read: {source}"))
        }
        ClientError::Decode { why, .. } => {
            CliError::input(path.display().to_string(), format!("is no runtime metadata: {}", one_line(&why)))
        }
        other => CliError::work(&other),
    })
}

async fn encode(args: &EncodeArgs, output: Output) -> Result<(), CliError> {
    // The arguments are read first: they are cheaper than a connection.
    let values = read_args(&args.args)?;
    let runtime = args.source.runtime().await?;
    let encoded = runtime.encode_json(&args.call, &values).map_err(client_error)?;
    if !output.json {
        return line(&encoded.hex);
    }
    let mut value = serde_json::to_value(&encoded).map_err(|e| CliError::work(&e))?;
    if let Value::Object(object) = &mut value {
        object.insert("spec_version".into(), json!(runtime.spec_version()));
    }
    output.json(&value)
}

fn read_args(text: &str) -> Result<Value, CliError> {
    let text = match text.strip_prefix('@') {
        Some(file) => read_text(Path::new(file))?,
        None if text == "-" => read_text(Path::new("-"))?,
        None => text.to_owned(),
    };
    serde_json::from_str(&text)
        .map_err(|e| CliError::input("--args", format!("is not JSON: {}", one_line(&e.to_string()))))
}

fn report(runtime: &Runtime, output: Output) -> Result<(), CliError> {
    let items = check(runtime);
    let fatal: Vec<&str> = items.iter().filter(|item| item.is_fatal()).map(|item| item.item.as_ref()).collect();
    if output.json {
        output.json(&json!({
            "spec_version": runtime.spec_version(),
            "transaction_version": runtime.transaction_version(),
            "ok": fatal.is_empty(),
            "items": items,
        }))?;
    } else {
        line(&table(&["item", "kind", "status", ""], 4, items.iter().map(row).collect()).to_string())?;
        let count = |wanted: fn(&ItemState) -> bool| items.iter().filter(|item| wanted(&item.state)).count();
        line(&format!(
            "\nruntime {}: {} items, {} ok, {} changed, {} missing",
            runtime.spec_version(),
            items.len(),
            count(|state| matches!(state, ItemState::Ok)),
            count(|state| matches!(state, ItemState::Changed { .. })),
            count(|state| matches!(state, ItemState::Missing)),
        ))?;
    }
    if fatal.is_empty() {
        Ok(())
    } else {
        Err(CliError::Work(format!("runtime {} lacks what workers need: {}", runtime.spec_version(), fatal.join(", "))))
    }
}

/// Item, kind, status, and what is to be said about it.
fn row(item: &ItemStatus) -> Vec<String> {
    let kind = serde_json::to_value(item.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
    let (status, how) = match &item.state {
        ItemState::Ok => ("ok", String::new()),
        ItemState::Changed { expected, found, usable } => {
            let served = if *usable { "served all the same" } else { "not served" };
            ("changed", format!("{served}: found {found}; expected {expected}"))
        }
        ItemState::Missing if item.optional => ("missing", "optional".to_owned()),
        ItemState::Missing => ("missing", "needed".to_owned()),
    };
    vec![item.item.to_string(), kind.unwrap_or_default(), status.to_owned(), how]
}

async fn fetch(args: &MetadataArgs, output: Output) -> Result<(), CliError> {
    let chain = connect(&ChainConfig::on(&args.network)).await?;
    let fetched = chain.metadata().await;
    chain.close().await;
    let bytes = fetched.map_err(client_error)?;
    let runtime = Runtime::parse(&bytes).map_err(client_error)?;
    std::fs::write(&args.out, &bytes)
        .map_err(|e| CliError::input(args.out.display().to_string(), format!("cannot be written: {e}")))?;
    let (file, version) = (args.out.display().to_string(), bytes.get(4).copied().unwrap_or_default());
    if output.json {
        return output.json(&json!({
            "file": file,
            "bytes": bytes.len(),
            "metadata_version": version,
            "spec_version": runtime.spec_version(),
        }));
    }
    line(&format!("{file}: {} bytes, metadata V{version} of runtime {}", bytes.len(), runtime.spec_version()))
}

#[cfg(test)]
mod tests;
