// SPDX-License-Identifier: Apache-2.0
//! API keys of a gateway's callers.

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::{Args, Subcommand};
use clawrank_primitives::units::MicroUsd;
use clawrank_store::ledger::{ApiSecret, KeyKind, Ledger, LedgerError, LedgerOptions, SqliteLedger};
use serde_json::json;

use crate::{
    error::CliError,
    output::{Output, line, table},
};

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
/// [`CliError::Input`] naming the flag; [`CliError::Work`] when the ledger cannot be read or written.
pub(super) async fn run(command: ApiCommand, output: Output) -> Result<(), CliError> {
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
