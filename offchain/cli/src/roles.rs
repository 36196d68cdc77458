// SPDX-License-Identifier: Apache-2.0
//! The subcommands that run until they are told to stop.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clawrank_emulator::cheats;
use clawrank_primitives::units::Ppb;
use clawrank_store::journal::JournalError;
use clawrank_validator::Report;
use tokio_util::sync::CancellationToken;
use toml::Table;

use crate::{
    chain::{ConfigArgs, NetworkArgs, WalletArgs, flag},
    config::{Layers, environment},
    error::CliError,
    output::{Output, line, percent, table},
};

/// Settings of the gateway.
#[derive(Debug, Args)]
pub(crate) struct GatewayArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    wallet: WalletArgs,
    /// Address to serve on. Default 127.0.0.1:8092.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// File of the ledger. Default gateway.db.
    #[arg(long, value_name = "FILE")]
    ledger: Option<String>,
}

/// Which miner.
#[derive(Debug, Subcommand)]
pub(crate) enum MinerCommand {
    /// Serves requests of a gateway with an OpenAI-compatible backend.
    Serve(ServeArgs),
    /// Measures provider endpoints and submits proof bundles.
    Measure(MeasureArgs),
}

/// Settings of a serving miner.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    wallet: WalletArgs,
    /// The gateway, as http://host:port.
    #[arg(long, value_name = "URL")]
    gateway: Option<String>,
    /// The backend, as http://127.0.0.1:8000/v1.
    #[arg(long, value_name = "URL")]
    backend: Option<String>,
    /// Folder of the receipts' copies.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
}

/// Settings of an intel miner.
#[derive(Debug, Args)]
pub(crate) struct MeasureArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    wallet: WalletArgs,
    /// The gateway that takes bundles, as http://host:port.
    #[arg(long, value_name = "URL")]
    gateway: Option<String>,
    /// File of the endpoints to measure. Default endpoints.toml.
    #[arg(long, value_name = "FILE")]
    catalogue: Option<String>,
    /// Folder of attempts and bundles. Default miner-data.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
}

/// Settings of a validator.
#[derive(Debug, Args)]
pub(crate) struct ValidatorArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    wallet: WalletArgs,
    /// File of the endpoints to replay on. Default endpoints.toml.
    #[arg(long, value_name = "FILE")]
    catalogue: Option<String>,
    /// Folder of journal, bundles and reports. Default validator-data.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// How weights are committed: auto, timelock or salted. Default auto.
    #[arg(long, value_name = "FORM")]
    commit: Option<String>,
    /// Goes on although the chain has weights of this hotkey that the journal does not know. Stop the other validator first.
    #[arg(long)]
    take_over: bool,
    /// Measures and scores the running epoch once, prints what it would set and why per miner, and sends nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Development only: nothing here is a provider or an honest miner.
#[derive(Debug, Subcommand)]
pub(crate) enum EmulatorCommand {
    /// Answers as provider endpoints would, with the latencies, failures and accuracy of a profile.
    Run(EmulatorArgs),
    /// Runs a miner that cheats, to see it caught.
    #[command(subcommand)]
    Cheat(CheatCommand),
}

/// Settings of the emulator.
#[derive(Debug, Args)]
pub(crate) struct EmulatorArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Address to serve on. Default 127.0.0.1:9101.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Profile of the endpoints. Default emulator.toml.
    #[arg(long, value_name = "FILE")]
    profile: Option<String>,
}

/// Which cheat.
#[derive(Debug, Subcommand)]
pub(crate) enum CheatCommand {
    /// A serving miner that says hello and answers nobody.
    Ghost {
        #[command(flatten)]
        wallet: WalletArgs,
        /// The gateway, as http://host:port.
        #[arg(long, value_name = "URL")]
        gateway: String,
        /// Model it claims to serve; may be repeated.
        #[arg(long = "model", required = true)]
        models: Vec<String>,
    },
    /// An intel miner that reports a part of the latencies it measured.
    Liar {
        #[command(flatten)]
        measure: MeasureArgs,
        /// The part, as 50%.
        #[arg(long, default_value = "50%", value_parser = parse_part)]
        part: Ppb,
    },
    /// An intel miner that signs the attempts of another as its own.
    Copier {
        #[command(flatten)]
        measure: MeasureArgs,
        /// Data folder of the miner that is copied.
        #[arg(long, value_name = "DIR")]
        victim_data: PathBuf,
    },
}

fn parse_part(text: &str) -> Result<Ppb, String> {
    text.parse().map_err(|e| format!("{e}; write it as 50%"))
}

/// Cancelled by SIGINT or SIGTERM.
fn until_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let signal = token.clone();
    tokio::spawn(async move {
        let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "SIGTERM will end the process at once");
                return;
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
        signal.cancel();
    });
    token
}

fn load<C: serde::de::DeserializeOwned>(role: &str, args: &ConfigArgs, flags: Table) -> Result<C, CliError> {
    Layers { role, file: args.config.as_deref(), set: &args.set, flags }.load(&environment())
}

#[allow(clippy::needless_pass_by_value)]
fn work<E: std::error::Error + 'static>(error: E) -> CliError {
    CliError::work(&error)
}

/// Runs the gateway.
pub(crate) async fn gateway(args: GatewayArgs) -> Result<(), CliError> {
    let mut flags = Table::new();
    flag(&mut flags, "netuid", args.network.named_netuid());
    flag(&mut flags, "listen", args.listen);
    flag(&mut flags, "ledger_path", args.ledger);
    let config: clawrank_gateway::Config = load("gateway", &args.config, flags)?;
    let keypair = args.wallet.hotkey()?;
    let chain = args.network.connect().await?;
    clawrank_gateway::run(config, keypair, chain, until_signal()).await.map_err(work)
}

/// Runs a miner.
pub(crate) async fn miner(command: MinerCommand) -> Result<(), CliError> {
    let mut flags = Table::new();
    match command {
        MinerCommand::Serve(args) => {
            flag(&mut flags, "gateway_url", args.gateway);
            flag(&mut flags, "backend_url", args.backend);
            flag(&mut flags, "data_dir", args.data_dir);
            let config = load("miner serve", &args.config, flags)?;
            let keypair = args.wallet.hotkey()?;
            clawrank_miner::serve::run(config, keypair, until_signal()).await.map_err(work)
        }
        MinerCommand::Measure(args) => {
            let (config, keypair, chain) = measure_parts(args, flags).await?;
            clawrank_miner::measure::run(config, keypair, chain, until_signal()).await.map_err(work)
        }
    }
}

async fn measure_parts(
    args: MeasureArgs,
    mut flags: Table,
) -> Result<
    (
        clawrank_miner::measure::Config,
        clawrank_protocol::proof::Keypair,
        std::sync::Arc<dyn clawrank_client::ChainPort>,
    ),
    CliError,
> {
    flag(&mut flags, "netuid", args.network.named_netuid());
    flag(&mut flags, "gateway_url", args.gateway);
    flag(&mut flags, "catalogue", args.catalogue);
    flag(&mut flags, "data_dir", args.data_dir);
    let config = load("miner measure", &args.config, flags)?;
    let keypair = args.wallet.hotkey()?;
    Ok((config, keypair, args.network.connect().await?))
}

/// Runs a validator, or shows what it would do.
pub(crate) async fn validator(args: ValidatorArgs, output: Output) -> Result<(), CliError> {
    let mut flags = Table::new();
    flag(&mut flags, "netuid", args.network.named_netuid());
    flag(&mut flags, "catalogue", args.catalogue);
    flag(&mut flags, "data_dir", args.data_dir);
    flag(&mut flags, "commit", args.commit);
    flag(&mut flags, "take_over", args.take_over.then_some(true));
    let config: clawrank_validator::Config = load("validator", &args.config, flags)?;
    let keypair = args.wallet.hotkey()?;
    let chain = args.network.connect().await?;
    if args.dry_run {
        let latest = config.data_dir.join("reports/latest.json");
        let report = clawrank_validator::dry_run(config, keypair, chain).await.map_err(|error| match error {
            clawrank_validator::Error::Journal(JournalError::Held { .. }) => CliError::Work(format!(
                "a validator runs on this data folder: {} says what it found, and `clawrank status --validator-data` \
                 where it stands",
                latest.display()
            )),
            other => CliError::work(&other),
        })?;
        return if output.json { output.json(&report) } else { line(&report_text(&report)) };
    }
    clawrank_validator::run(config, keypair, chain, until_signal()).await.map_err(work)
}

/// For people: what was scored by which rules, one row per miner, and the reason of each in words.
fn report_text(report: &Report) -> String {
    let mut lines = vec![format!(
        "epoch {} of subnet {}, rules `{}`, {} replays; nothing was sent",
        report.epoch, report.netuid, report.preset, report.replays
    )];
    lines.extend(report.notice.iter().map(|notice| format!("notice: {notice}")));
    let mechanisms = u8::try_from(report.mechanisms.len()).unwrap_or(u8::MAX);
    lines.extend(crate::status::blocked_lines(&report.blocked, &report.warnings, mechanisms));
    let blended = report.miners.iter().any(|m| m.blended.is_some());
    let share = |ppb: u32| percent(u64::from(ppb), 1_000_000_000);
    let rows = report
        .miners
        .iter()
        .map(|m| {
            let who = vec![m.uid.to_string(), crate::status::short(&m.hotkey.to_string()), crate::status::gate_text(m)];
            let earned = match m.blended {
                _ if !blended => vec![m.serving.earned, m.intel.earned],
                earned => vec![earned.unwrap_or_default()],
            };
            let cells = earned.iter().flat_map(|earned| [share(earned.share_ppb), earned.weight.to_string()]);
            who.into_iter().chain(cells).collect()
        })
        .collect();
    let header: &[&str] = if blended {
        &["uid", "hotkey", "gate", "share", "weight"]
    } else {
        &["uid", "hotkey", "gate", "serving share", "weight", "intel share", "weight"]
    };
    lines.push(table(header, 3, rows).to_string());
    lines.extend(report.miners.iter().map(|m| format!("uid {}: {}", m.uid, m.why)));
    lines.join("\n")
}

/// Runs the emulator or a cheat.
pub(crate) async fn emulator(command: EmulatorCommand) -> Result<(), CliError> {
    let mut flags = Table::new();
    match command {
        EmulatorCommand::Run(args) => {
            flag(&mut flags, "listen", args.listen);
            flag(&mut flags, "profile", args.profile);
            let config = load("emulator", &args.config, flags)?;
            clawrank_emulator::run(config, until_signal()).await.map_err(work)
        }
        EmulatorCommand::Cheat(CheatCommand::Ghost { wallet, gateway, models }) => {
            let config = cheats::GhostConfig { gateway_url: gateway, models };
            cheats::ghost(config, wallet.hotkey()?, until_signal()).await.map_err(work)
        }
        EmulatorCommand::Cheat(CheatCommand::Liar { measure, part }) => {
            let (config, keypair, chain) = measure_parts(measure, flags).await?;
            cheats::liar(config, part, keypair, chain, until_signal()).await.map_err(work)
        }
        EmulatorCommand::Cheat(CheatCommand::Copier { measure, victim_data }) => {
            let (config, keypair, chain) = measure_parts(measure, flags).await?;
            cheats::copier(config, victim_data, keypair, chain, until_signal()).await.map_err(work)
        }
    }
}

#[cfg(test)]
mod tests;
