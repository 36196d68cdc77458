// SPDX-License-Identifier: Apache-2.0
//! `clawrank chain params` and `clawrank chain set-params`: the rules' parameters that a subnet stores.

use clap::Args;
use clawrank_client::{Chain, ChainConfig, ChainPort};
use clawrank_primitives::Params;
use clawrank_validator::{CHAIN, Config};
use serde_json::{Value, json};

use super::{NetworkArgs, WalletArgs, client_error, connect};
use crate::{
    config::one_line,
    error::CliError,
    output::{Output, line},
};

/// The call that stores them.
const CALL: &str = "ProviderRank.set_params";

/// Whose parameters.
#[derive(Debug, Args)]
pub(crate) struct ParamsArgs {
    #[command(flatten)]
    network: NetworkArgs,
}

/// Which parameters, and who sets them.
#[derive(Debug, Args)]
pub(crate) struct SetParamsArgs {
    /// TOML file with the rules, as `clawrank chain params` prints it, or the name of a preset.
    #[arg(value_name = "FILE")]
    file: String,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    wallet: WalletArgs,
    /// Prints the bytes of the call and sends nothing: for a multisig or a signer elsewhere. Needs no key.
    #[arg(long)]
    encode: bool,
}

/// Prints what the newest final block stores, as a file that `set-params` and a validator's `params` take.
///
/// # Errors
///
/// [`CliError::Work`] when the chain cannot be read, or stores what makes no sense.
pub(super) async fn show(args: &ParamsArgs, output: Output) -> Result<(), CliError> {
    let netuid = args.network.netuid();
    let chain = connect(&ChainConfig::on(&args.network.network)).await?;
    let found = read(&chain, netuid).await;
    chain.close().await;
    let (block, params) = found?;
    if output.json {
        return output.json(&json!({ "netuid": netuid, "block": block, "params": params }));
    }
    line(&text(netuid, block, params.as_ref())?)
}

async fn read(chain: &Chain, netuid: u16) -> Result<(u64, Option<Params>), CliError> {
    let head = *chain.heads().borrow();
    let head = head.ok_or_else(|| CliError::Work("the node has named no final block yet".into()))?;
    Ok((head.number, chain.params(netuid, head.hash).await.map_err(client_error)?))
}

fn text(netuid: u16, block: u64, params: Option<&Params>) -> Result<String, CliError> {
    match params {
        Some(params) => {
            let file = toml::to_string(params).map_err(|e| CliError::work(&e))?;
            Ok(format!("# parameters of netuid {netuid} at block {block}\n{}", file.trim_end()))
        }
        None => Ok(format!("# netuid {netuid} stores no parameters at block {block}")),
    }
}

/// Sets the parameters of a file, signed by the subnet owner's coldkey, or prints the call.
///
/// # Errors
///
/// [`CliError::Input`] that names the file or the key; [`CliError::Work`] where the chain refuses.
pub(super) async fn set(args: &SetParamsArgs, output: Output) -> Result<(), CliError> {
    let netuid = args.network.netuid();
    let call = arguments(netuid, &load(&args.file)?)?;
    let signer = if args.encode { None } else { Some(args.wallet.coldkey()?) };
    let chain = connect(&ChainConfig::on(&args.network.network)).await?;
    let done = match signer {
        None => {
            let runtime = chain.runtime().ok_or_else(|| CliError::Work("the node has named no runtime yet".into()));
            runtime.and_then(|runtime| runtime.encode_json(CALL, &call).map_err(client_error)).map(Done::Encoded)
        }
        Some(signer) => chain.submit_json(&signer, CALL, call).await.map(Done::Sent).map_err(client_error),
    };
    chain.close().await;
    match done? {
        Done::Encoded(call) if output.json => output.json(&call),
        Done::Encoded(call) => line(&call.hex),
        Done::Sent(sent) if output.json => output.json(&json!({ "netuid": netuid, "block": sent.block_number })),
        Done::Sent(sent) => line(&format!(
            "parameters of netuid {netuid} are in block {}: epochs that begin after it are judged by them",
            sent.block_number
        )),
    }
}

enum Done {
    Encoded(clawrank_client::EncodedCall),
    Sent(clawrank_client::types::Submitted),
}

/// The rules of a preset or a file, checked as a validator checks them.
fn load(file: &str) -> Result<Params, CliError> {
    if file == CHAIN {
        return Err(CliError::input("FILE", "is `chain`; name the file or the preset that the chain shall store"));
    }
    let config = Config { params: file.to_owned(), ..Config::default() };
    let rules = config.rules().map_err(|error| match error {
        clawrank_validator::Error::Config { why, .. } => CliError::input(file, one_line(&why)),
        clawrank_validator::Error::File { source, .. } => CliError::input(file, format!("cannot be read: {source}")),
        other => CliError::work(&other),
    })?;
    rules.ok_or_else(|| CliError::input("FILE", "names no rules"))
}

/// Arguments of the call: the file's names are the chain's, but for variants of enums.
fn arguments(netuid: u16, params: &Params) -> Result<Value, CliError> {
    let mut value = serde_json::to_value(params).map_err(|e| CliError::work(&e))?;
    for (path, name) in [
        ("/serving_rule", format!("{:?}", params.serving_rule)),
        ("/cap/shortfall", format!("{:?}", params.cap.shortfall)),
    ] {
        if let Some(found) = value.pointer_mut(path) {
            *found = Value::String(name);
        }
    }
    Ok(json!({ "netuid": netuid, "params": value }))
}

#[cfg(test)]
mod tests;
