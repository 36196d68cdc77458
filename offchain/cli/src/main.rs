// SPDX-License-Identifier: Apache-2.0
//! `clawrank`: the workers and tools of subnet 92 in one binary, one subcommand per role.
//!
//! Exit codes: 0 done, 1 the work failed, 2 the input is at fault (one line names it).

mod chain;
mod config;
mod doctor;
mod error;
mod keys;
mod output;
mod prompt;
mod roles;
mod rules;
mod settings;
mod status;

use std::{io::IsTerminal, process::ExitCode};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::error::CliError;

/// Software of Bittensor subnet 92: gateway, miners, validators, and the rules they share.
#[derive(Debug, Parser)]
#[command(
    name = "clawrank",
    version,
    propagate_version = true,
    after_help = "Settings come from --config FILE (TOML), then CLAWRANK_<ROLE>_<KEY> in the environment, then flags; \
                  the later wins. `clawrank <role> --help` shows what a role needs, `clawrank settings <role>` all it can be \
                  told."
)]
struct Cli {
    /// Prints machine-readable JSON on standard output.
    #[arg(long, global = true)]
    json: bool,
    /// What is logged on standard error: error, warn, info, debug, trace, or a filter as `clawrank_gateway=debug`;
    /// by default info for the roles that keep running, else warn.
    #[arg(long, global = true, env = "CLAWRANK_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// Logs one JSON object a line instead of text.
    #[arg(long, global = true, env = "CLAWRANK_LOG_JSON")]
    log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the gateway (AICenter): OpenAI-compatible HTTP in front, miners on WebSockets behind.
    Gateway(roles::GatewayArgs),
    /// Runs a miner.
    #[command(subcommand)]
    Miner(roles::MinerCommand),
    /// Runs a validator: probe, fetch, replay, gate, score, commit, reveal.
    Validator(roles::ValidatorArgs),
    /// Computes a rule on JSON input, with the very code that the chain runs.
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// Makes and shows wallets, and the gateway's API keys.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Encodes calls, compares a runtime with what the workers need, fetches metadata, shows and sets a subnet's parameters.
    #[command(subcommand)]
    Chain(chain::ChainCommand),
    /// Shows a subnet at a glance: miners, gates, scores, shares, last commit, next epoch.
    Status(status::StatusArgs),
    /// Prints every setting of a role with its default and meaning, as a file for --config.
    Settings(settings::SettingsArgs),
    /// Examines whether a role can work here: node, clock, wallet, registration, stake, folders; says what to fix.
    Doctor(doctor::DoctorArgs),
    /// Runs emulated provider endpoints and cheating miners, for development.
    #[command(subcommand)]
    Emulator(roles::EmulatorCommand),
}

impl Command {
    fn default_log(&self) -> &'static str {
        match self {
            Self::Gateway(_) | Self::Miner(_) | Self::Validator(_) | Self::Emulator(_) => "info",
            Self::Chain(_) | Self::Rules(_) | Self::Keys(_) | Self::Status(_) | Self::Settings(_) | Self::Doctor(_) => {
                "warn"
            }
        }
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let filter = cli.log.as_deref().unwrap_or(cli.command.default_log());
    if let Err(error) = start_log(filter, cli.log_json) {
        return finish(Err(error));
    }
    let output = output::Output { json: cli.json };
    let result = match cli.command {
        Command::Rules(command) => rules::run(command),
        Command::Keys(command) => block_on(keys::run(command, output)),
        Command::Chain(command) => block_on(chain::run(command, output)),
        Command::Status(args) => block_on(status::run(args, output)),
        Command::Doctor(args) => block_on(doctor::run(args, output)),
        Command::Settings(args) => settings::run(&args, output),
        Command::Gateway(args) => block_on(roles::gateway(args)),
        Command::Miner(command) => block_on(roles::miner(command)),
        Command::Validator(args) => block_on(roles::validator(args, output)),
        Command::Emulator(command) => block_on(roles::emulator(command)),
    };
    finish(result)
}

fn block_on<F: Future<Output = Result<(), CliError>>>(future: F) -> Result<(), CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::Work(format!("cannot start the async runtime: {e}")))?
        .block_on(future)
}

/// Help and version as clap prints them; a bad flag is bad input like any other: one line, exit code 2.
fn refuse(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
    if matches!(error.kind(), DisplayHelp | DisplayHelpOnMissingArgumentOrSubcommand | DisplayVersion) {
        error.exit()
    }
    eprintln!("error: {}", error::bad_flag(&error.render().to_string()));
    ExitCode::from(2)
}

fn finish(result: Result<(), CliError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.code())
        }
    }
}

fn start_log(filter: &str, json: bool) -> Result<(), CliError> {
    let filter = EnvFilter::try_new(filter).map_err(|e| CliError::input("--log", format!("`{filter}`: {e}")))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    if json {
        builder.json().init()
    } else {
        builder.init()
    }
    Ok(())
}

#[cfg(test)]
mod tests;
