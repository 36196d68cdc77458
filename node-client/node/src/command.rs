// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! What each command does.

use crate::{
    cli::{ChainSpecCmd, Cli, RuntimeCmd, Subcommand},
    compiled_runtimes, service,
};
use clawrank_chain_spec::{Preset, SpecError, from_file, to_json, with_block_time};
use clawrank_runtime::{VERSION, WASM_BINARY, opaque::Block};
use sc_cli::SubstrateCli;
use std::{
    io::Write,
    path::{Path, PathBuf},
};

impl SubstrateCli for Cli {
    fn impl_name() -> String {
        "ClawRank Node".into()
    }

    fn impl_version() -> String {
        env!("SUBSTRATE_CLI_IMPL_VERSION").into()
    }

    fn description() -> String {
        "A node of a local ClawRank chain: the market for LLM inference of Bittensor subnet 92, on one machine.".into()
    }

    fn author() -> String {
        "The ClawRank authors".into()
    }

    fn support_url() -> String {
        env!("CARGO_PKG_REPOSITORY").into()
    }

    fn copyright_start_year() -> i32 {
        2026
    }

    fn load_spec(&self, id: &str) -> Result<Box<dyn sc_cli::ChainSpec>, String> {
        let spec = match Preset::from_chain_id(id) {
            Some(preset) => with_block_time(preset, self.block_time_ms).map_err(|error| error.to_string())?,
            None if self.block_time_ms.is_some() => {
                return Err(format!(
                    "--block-time-ms is for --chain dev, local, fast, localnet and sn92; '{id}' has its own: set it with \
                     `chain-spec --block-time-ms`"
                ));
            }
            None => from_file(Path::new(id)).map_err(|error| match error {
                SpecError::File { .. } => {
                    format!("--chain '{id}' is not dev, local, fast, localnet or sn92, and as a file: {error}")
                }
                error => error.to_string(),
            })?,
        };
        Ok(Box::new(spec))
    }
}

/// Parses the command line and runs the command.
pub(crate) fn run() -> sc_cli::Result<()> {
    let mut cli = Cli::from_args();
    // A local node may take any network identity; an authority of a public chain would have to guard its own.
    cli.run.network_params.node_key_params.unsafe_force_node_key_generation = true;
    let cache = compiled_runtimes::folder(cli.compiled_runtimes.as_deref());
    match &cli.subcommand {
        None => run_node(&cli, cache),
        Some(Subcommand::ChainSpec(cmd)) => write_chain_spec(cmd),
        Some(Subcommand::Runtime(cmd)) => show_runtime(cmd),
        Some(Subcommand::Key(cmd)) => cmd.run(&cli),
        Some(Subcommand::CheckBlock(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let (parts, queue) = service::with_import_queue(&config, cache)?;
            Ok((cmd.run(parts.client, queue), parts.task_manager))
        }),
        Some(Subcommand::ImportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let (parts, queue) = service::with_import_queue(&config, cache)?;
            Ok((cmd.run::<Block, _, _>(parts.client, queue), parts.task_manager))
        }),
        Some(Subcommand::ExportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::parts(&config, cache)?;
            Ok((cmd.run::<Block, _>(parts.client, config.database), parts.task_manager))
        }),
        Some(Subcommand::PurgeChain(cmd)) => cli.create_runner(cmd)?.sync_run(|config| cmd.run(config.database)),
    }
}

fn run_node(cli: &Cli, compiled_runtimes: Option<PathBuf>) -> sc_cli::Result<()> {
    let beacon = match (cli.dev_beacon, cli.no_beacon) {
        (true, _) => service::Beacon::Dev,
        (false, true) => service::Beacon::Others,
        (false, false) => service::Beacon::OfGenesis,
    };
    let options = service::Options { sealing: cli.sealing, beacon, compiled_runtimes };
    let wants_metrics =
        cli.run.prometheus_params.prometheus_port.is_some() || cli.run.prometheus_params.prometheus_external;
    let runner = cli.create_runner(&cli.run)?;
    runner.run_node_until_exit(|mut config| async move {
        if !wants_metrics {
            // The default port would keep a second node on this machine from starting.
            config.prometheus_config = None;
        }
        service::start(config, options).map_err(sc_cli::Error::Service)
    })
}

fn write_chain_spec(cmd: &ChainSpecCmd) -> sc_cli::Result<()> {
    let json = to_json(&cmd.options, cmd.raw).map_err(|error| sc_cli::Error::Input(error.to_string()))?;
    std::io::stdout().lock().write_all(json.as_bytes())?;
    Ok(())
}

fn show_runtime(cmd: &RuntimeCmd) -> sc_cli::Result<()> {
    let wasm = WASM_BINARY.ok_or_else(|| sc_cli::Error::Input(SpecError::NoWasm.to_string()))?;
    let hash = sp_core::bytes::to_hex(&sp_io::hashing::blake2_256(wasm), false);
    if let Some(path) = &cmd.wasm {
        std::fs::write(path, wasm)?;
    }
    if cmd.hash {
        println!("{hash}");
    } else {
        println!("name                {}", VERSION.spec_name);
        println!("spec version        {}", VERSION.spec_version);
        println!("transaction version {}", VERSION.transaction_version);
        println!("compressed Wasm     {} bytes", wasm.len());
        println!("BLAKE2b-256         {hash}");
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Cli;
    use clap::Parser;

    #[test]
    fn dev_beacon_is_taken_beside_every_flag_but_no_beacon() {
        assert!(!Cli::try_parse_from(["clawrank-node", "--dev"]).unwrap().dev_beacon);
        assert!(Cli::try_parse_from(["clawrank-node", "--dev", "--dev-beacon"]).unwrap().dev_beacon);
        let both = Cli::try_parse_from(["clawrank-node", "--dev-beacon", "--no-beacon"]).unwrap_err();
        assert_eq!(both.kind(), clap::error::ErrorKind::ArgumentConflict);
    }
}
