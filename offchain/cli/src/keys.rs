// SPDX-License-Identifier: Apache-2.0
//! `clawrank keys`: hotkeys in Bittensor's wallet format, and API keys of a gateway.

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::{Args, Subcommand};
use clawrank_primitives::units::MicroUsd;
use clawrank_protocol::{
    proof::ss58,
    wallet::{self, Overwrite, Wallet},
};
use clawrank_store::ledger::{ApiSecret, KeyKind, Ledger, LedgerError, LedgerOptions, SqliteLedger};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::{
    chain::{WalletArgs, wallet_error},
    error::CliError,
    output::{Output, line, table},
};

/// Wallets and API keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Makes a hotkey in a wallet, with a mnemonic of 12 words that is shown once.
    New(WalletArgs),
    /// Shows the address of a hotkey.
    Show(WalletArgs),
    /// Writes wallets of the development keys that `clawrank-node chain-spec` registers. Local chains only.
    Dev(DevArgs),
    /// Manages the API keys of a gateway's callers. The gateway may be running.
    #[command(subcommand)]
    Api(ApiCommand),
}

/// Which development wallets.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// Folder for the wallets; each is called miner-N, validator-N or owner, its hotkey `default`.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Number of miners.
    #[arg(long, default_value_t = 16)]
    miners: u16,
    /// Number of validators.
    #[arg(long, default_value_t = 3)]
    validators: u16,
}

/// API keys.
#[derive(Debug, Subcommand)]
pub(crate) enum ApiCommand {
    /// Makes a key. Its secret is shown once; the ledger keeps a hash.
    New {
        #[command(flatten)]
        database: DatabaseArgs,
        /// Account that pays; made when it does not exist.
        #[arg(long)]
        payer: String,
        /// Name of the key, to tell it from others.
        #[arg(long, default_value = "default")]
        name: String,
        /// Requests of this key cost nothing, and earn the miner nothing.
        #[arg(long)]
        free: bool,
        /// Credit for the payer, in USD with up to six decimals.
        #[arg(long, value_name = "USD", value_parser = parse_usd)]
        credit: Option<MicroUsd>,
    },
    /// Lists keys and balances.
    List {
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Adds credit to a payer.
    Credit {
        #[command(flatten)]
        database: DatabaseArgs,
        /// The account.
        #[arg(long)]
        payer: String,
        /// How much, in USD with up to six decimals.
        #[arg(value_parser = parse_usd)]
        usd: MicroUsd,
    },
    /// Revokes a key; requests that are under way go on.
    Revoke {
        #[command(flatten)]
        database: DatabaseArgs,
        /// Number of the key, as `list` shows it.
        id: i64,
    },
}

/// The gateway's ledger.
#[derive(Debug, Args)]
pub(crate) struct DatabaseArgs {
    /// The gateway's database file.
    #[arg(long, env = "CLAWRANK_GATEWAY_DATABASE", value_name = "FILE")]
    database: PathBuf,
}

impl DatabaseArgs {
    async fn open(&self) -> Result<SqliteLedger, CliError> {
        SqliteLedger::open(&self.database, LedgerOptions::default()).await.map_err(work)
    }
}

/// Runs the subcommand.
///
/// # Errors
///
/// [`CliError::Input`] naming flag or file; [`CliError::Work`] when wallet or ledger cannot be written.
pub(crate) async fn run(command: KeysCommand, output: Output) -> Result<(), CliError> {
    match command {
        KeysCommand::New(args) => new_hotkey(&args, output),
        KeysCommand::Show(args) => {
            let address = ss58::encode(&args.hotkey()?.public());
            if output.json { output.json(&json!({ "ss58": address })) } else { line(&address) }
        }
        KeysCommand::Dev(args) => dev_wallets(&args, output),
        KeysCommand::Api(command) => api(command, output).await,
    }
}

fn new_hotkey(args: &WalletArgs, output: Output) -> Result<(), CliError> {
    if args.dev_key.is_some() {
        return Err(CliError::input("--dev-key", "a development key needs no file; leave the flag out"));
    }
    let made = args.wallet()?.create_hotkey(&args.wallet_hotkey, Overwrite::Never).map_err(wallet_error)?;
    let (address, words) = (ss58::encode(&made.public), made.mnemonic.expose_secret());
    if output.json {
        return output.json(&json!({ "ss58": address, "file": made.path, "mnemonic": words }));
    }
    line(&format!("hotkey    {address}"))?;
    line(&format!("file      {}", made.path.display()))?;
    line(&format!("mnemonic  {words}"))?;
    line("Write the mnemonic down: it is not shown again, and it is the only way back to this key.")
}

fn dev_wallets(args: &DevArgs, output: Output) -> Result<(), CliError> {
    let roles = (0..args.miners)
        .map(|n| (format!("miner-{n}"), format!("//miner//{n}")))
        .chain((0..args.validators).map(|n| (format!("validator-{n}"), format!("//validator//{n}"))))
        .chain([("owner".to_owned(), "//owner".to_owned())]);
    let mut rows = Vec::new();
    for (name, uri) in roles {
        let keypair = wallet::keypair_from_uri(&uri.as_str().into()).map_err(wallet_error)?;
        // What is replaced here is a development key: its secret is public, and the same as before.
        let wallet = Wallet::new(&args.out, &name).map_err(wallet_error)?;
        wallet.save_hotkey("default", &keypair, Overwrite::Replace).map_err(wallet_error)?;
        rows.push(vec![name, uri, ss58::encode(&keypair.public())]);
    }
    if output.json {
        let list: Vec<_> =
            rows.iter().map(|row| json!({ "wallet": row.first(), "uri": row.get(1), "ss58": row.get(2) })).collect();
        return output.json(&list);
    }
    line(&table(&["wallet", "uri", "hotkey"], 3, rows).to_string())
}

async fn api(command: ApiCommand, output: Output) -> Result<(), CliError> {
    match command {
        ApiCommand::New { database, payer, name, free, credit } => {
            let ledger = database.open().await?;
            let secret = ApiSecret::generate().map_err(work)?;
            let kind = if free { KeyKind::Free } else { KeyKind::Paid };
            let key = ledger.create_key(&name, &payer, kind, secret.hash(), now_ms()).await.map_err(work)?;
            if let Some(amount) = credit {
                ledger.deposit(&payer, amount).await.map_err(work)?;
            }
            if output.json {
                return output.json(&json!({ "id": key.id, "payer": payer, "kind": kind, "secret": secret.expose() }));
            }
            line(&format!("key {} of {payer} ({})", key.id, if free { "free" } else { "paid" }))?;
            line(secret.expose())?;
            line("The secret is not shown again.")
        }
        ApiCommand::List { database } => {
            let ledger = database.open().await?;
            let keys = ledger.keys().await.map_err(work)?;
            let payers = ledger.payers().await.map_err(work)?;
            if output.json {
                return output.json(&json!({ "keys": keys, "payers": payers }));
            }
            let rows = keys
                .iter()
                .map(|k| {
                    let state = if k.revoked_ms.is_some() { "revoked" } else { "in use" };
                    let kind = if k.kind == KeyKind::Free { "free" } else { "paid" };
                    vec![k.id.to_string(), k.name.clone(), k.payer.clone(), kind.to_owned(), state.to_owned()]
                })
                .collect();
            line(&table(&["id", "name", "payer", "kind", "state"], 5, rows).to_string())?;
            let rows = payers.iter().map(|p| vec![p.name.clone(), usd(p.balance), usd(p.spent)]).collect();
            line(&table(&["payer", "balance USD", "spent USD"], 1, rows).to_string())
        }
        ApiCommand::Credit { database, payer, usd: amount } => {
            let after = database.open().await?.deposit(&payer, amount).await.map_err(work)?;
            if output.json { output.json(&after) } else { line(&format!("{payer} has {} USD", usd(after.balance))) }
        }
        ApiCommand::Revoke { database, id } => {
            if !database.open().await?.revoke_key(id, now_ms()).await.map_err(work)? {
                return Err(CliError::input(id.to_string(), "no key in use has this number; see `keys api list`"));
            }
            if output.json { output.json(&json!({ "revoked": id })) } else { line(&format!("key {id} is revoked")) }
        }
    }
}

#[allow(clippy::needless_pass_by_value)]
fn work(error: LedgerError) -> CliError {
    CliError::work(&error)
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// `12.5` as 12,500,000 micro-USD; exact, at most six decimals.
fn parse_usd(text: &str) -> Result<MicroUsd, String> {
    let wrong = || format!("`{text}` is not an amount in USD with at most six decimals, as 25 or 0.000001");
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    if whole.is_empty() || part.is_empty() || part.len() > 6 {
        return Err(wrong());
    }
    let digits = |s: &str| if s.bytes().all(|b| b.is_ascii_digit()) { s.parse::<u64>().ok() } else { None };
    let micro = digits(&format!("{part:0<6}")).ok_or_else(wrong)?;
    let total = digits(whole).and_then(|w| w.checked_mul(1_000_000)).and_then(|w| w.checked_add(micro));
    total.map(MicroUsd).ok_or_else(wrong)
}

fn usd(amount: MicroUsd) -> String {
    let micro = amount.get();
    format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn amounts_are_exact_when_written_with_decimals() {
        assert_eq!(parse_usd("12.5").unwrap(), MicroUsd(12_500_000));
        assert_eq!(parse_usd("0.000001").unwrap(), MicroUsd(1));
        assert_eq!(usd(MicroUsd(12_500_000)), "12.500000");
    }

    #[test]
    fn amounts_are_refused_when_they_are_not_exact() {
        for text in ["", ".5", "1.", "-1", "1e3", "0.0000001", "99999999999999999999"] {
            assert!(parse_usd(text).is_err(), "{text}");
        }
    }
}
