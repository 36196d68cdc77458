// SPDX-License-Identifier: Apache-2.0
//! `clawrank doctor`: what must be put right before a role can work, in plain words.
//!
//! Facts are gathered first ([`chain`], [`local`], [`keys`], [`gateway`]), each with a deadline; what follows from them is
//! decided by functions without I/O.

mod chain;
mod gateway;
mod keys;
mod local;
mod subnet;

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::{Args, ValueEnum};
use serde::Serialize;
use url::Url;

use crate::{
    chain::{ConfigArgs, NetworkArgs, WalletArgs},
    config::{Layers, environment},
    error::CliError,
    output::{Output, line},
};

/// What to examine.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --role only chain, clock and wallet are examined. With --config (or the role's environment \
                        variables) folders and gateways are those that the role would use. Nothing is sent to the chain, \
                        and nothing is written but a file that is removed at once.\n\nExit code 0: the role can work; \
                        1: something marked `fail` must be put right first; 2: the input is at fault."
)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    wallet: WalletArgs,
    /// The role that is to run here.
    #[arg(long, value_enum)]
    role: Option<Role>,
    /// Folder of the role's data, where it is not the configured one.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The gateway to reach, as http://host:port, where it is not the configured one.
    #[arg(long, value_name = "URL")]
    gateway: Option<Url>,
    /// How long to wait for a node, a block or a gateway, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    wait: u64,
}

/// A role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Probes, scores, sets weights.
    Validator,
    /// Serves or measures.
    Miner,
    /// Owns the subnet.
    Owner,
    /// Sells access.
    Gateway,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// It works, but not for long or not well.
    Warn,
    /// Nothing works before it is put right.
    Fail,
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// What was examined, in a word or two.
    pub(crate) name: &'static str,
    /// How it ended.
    pub(crate) level: Level,
    /// What was found.
    pub(crate) found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fix: Option<String>,
}

impl Check {
    pub(crate) fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, level: Level::Ok, found: found.into(), fix: None }
    }

    pub(crate) fn warn(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, level: Level::Warn, found: found.into(), fix: Some(fix.into()) }
    }

    pub(crate) fn fail(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, level: Level::Fail, found: found.into(), fix: Some(fix.into()) }
    }
}

/// The whole list, as printed with `--json`.
#[derive(Debug, Serialize)]
struct Diagnosis {
    role: Option<Role>,
    ok: bool,
    checks: Vec<Check>,
}

/// What the role's configuration says of folders and gateways.
#[derive(Debug, Default, PartialEq, Eq)]
struct Places {
    data_dir: Option<PathBuf>,
    ledger: Option<PathBuf>,
    gateways: Vec<Url>,
    connections: Option<usize>,
    version_key: Option<u64>,
    /// Where the configuration says it and the flag does not.
    netuid: Option<u16>,
}

impl Places {
    fn of(args: &DoctorArgs) -> Result<Self, CliError> {
        let mut places = match args.role {
            Some(Role::Validator) => {
                let config: clawrank_validator::Config = load("validator", &args.config)?;
                Self {
                    data_dir: Some(config.data_dir),
                    gateways: config.gateways.into_iter().map(|gateway| gateway.url).collect(),
                    version_key: Some(config.version_key),
                    netuid: Some(config.netuid),
                    ..Self::default()
                }
            }
            Some(Role::Gateway) => {
                let config: clawrank_gateway::Config = load("gateway", &args.config)?;
                Self {
                    ledger: Some(config.ledger_path),
                    connections: Some(config.limits.max_connections),
                    netuid: Some(config.netuid),
                    ..Self::default()
                }
            }
            // A miner's two ways of working have settings of their own; the flags name what they share.
            Some(Role::Miner) => Self { data_dir: Some("miner-data".into()), ..Self::default() },
            Some(Role::Owner) | None => Self::default(),
        };
        places.netuid = places.netuid.filter(|_| args.network.named_netuid().is_none());
        if let Some(dir) = &args.data_dir {
            match args.role {
                Some(Role::Gateway) => places.ledger = Some(dir.join("gateway.db")),
                _ => places.data_dir = Some(dir.clone()),
            }
        }
        if let Some(url) = &args.gateway {
            places.gateways = vec![url.clone()];
        }
        Ok(places)
    }
}

fn load<C: serde::de::DeserializeOwned>(role: &str, args: &ConfigArgs) -> Result<C, CliError> {
    Layers { role, file: args.config.as_deref(), set: &args.set, flags: toml::Table::new() }.load(&environment())
}

/// Examines and prints.
///
/// # Errors
///
/// [`CliError::Input`] for flags or a configuration at fault, [`CliError::Work`] when something must be put right.
pub(crate) async fn run(args: DoctorArgs, output: Output) -> Result<(), CliError> {
    let places = Places::of(&args)?;
    let checks = examine(&args, &places).await?;
    let failed = checks.iter().filter(|check| check.level == Level::Fail).count();
    if output.json {
        output.json(&Diagnosis { role: args.role, ok: failed == 0, checks })?;
    } else {
        checks.iter().try_for_each(print)?;
        let warned = checks.iter().filter(|check| check.level == Level::Warn).count();
        line(&format!(
            "\n{} checks: {} ok, {warned} warn, {failed} fail",
            checks.len(),
            checks.len() - warned - failed
        ))?;
    }
    match failed {
        0 => Ok(()),
        1 => Err(CliError::Work("one thing must be put right first; see `fail` above".to_owned())),
        n => Err(CliError::Work(format!("{n} things must be put right first; see `fail` above"))),
    }
}

fn print(check: &Check) -> Result<(), CliError> {
    let level = match check.level {
        Level::Ok => "ok  ",
        Level::Warn => "warn",
        Level::Fail => "FAIL",
    };
    line(&format!("{level}  {:<16}  {}", check.name, check.found))?;
    match &check.fix {
        Some(fix) => line(&format!("{:24}-> {fix}", "")),
        None => Ok(()),
    }
}

async fn examine(args: &DoctorArgs, places: &Places) -> Result<Vec<Check>, CliError> {
    let (mut checks, known) = keys::examine(&args.wallet, args.role);
    let facts = chain::gather(args, places.netuid, &known).await?;
    checks.extend(chain::judge(&facts));
    if let (Some(role), chain::Facts::Reached(reached)) = (args.role, &facts) {
        checks.extend(subnet::judge(role, reached, &known, places.version_key));
    }
    if let Some(folder) = &places.data_dir {
        checks.extend(local::folder("data folder", folder, "journal.lock"));
    }
    if let Some(ledger) = &places.ledger {
        checks.extend(local::ledger(ledger));
    }
    if let Some(connections) = places.connections {
        checks.push(local::open_files(local::open_file_limit(), connections));
    }
    checks.extend(gateway::examine(args.role, &places.gateways, args.wait).await);
    Ok(checks)
}

/// Unix time, milliseconds.
fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
