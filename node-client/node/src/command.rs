// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! What each command does.

use crate::{
    cli::{ChainSpecCmd, Cli, RuntimeCmd, Subcommand},
    service,
};
use clawrank_chain_spec::{ChainSpec, Preset, SpecError, chain_spec, to_json, with_block_time};
use clawrank_runtime::{VERSION, WASM_BINARY, opaque::Block};
use sc_cli::SubstrateCli;
use std::{io::Write, path::PathBuf};

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
            None => ChainSpec::from_json_file(PathBuf::from(id)).map_err(|error| {
                format!("--chain '{id}' is not dev, local, fast, localnet or sn92, and as a file: {error}")
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
    match &cli.subcommand {
        None => run_node(&cli),
        Some(Subcommand::ChainSpec(cmd)) => write_chain_spec(cmd),
        Some(Subcommand::Runtime(cmd)) => show_runtime(cmd),
        Some(Subcommand::Key(cmd)) => cmd.run(&cli),
        Some(Subcommand::CheckBlock(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let (parts, queue) = service::with_import_queue(&config)?;
            Ok((cmd.run(parts.client, queue), parts.task_manager))
        }),
        Some(Subcommand::ImportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let (parts, queue) = service::with_import_queue(&config)?;
            Ok((cmd.run::<Block, _, _>(parts.client, queue), parts.task_manager))
        }),
        Some(Subcommand::ExportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::parts(&config)?;
            Ok((cmd.run::<Block, _>(parts.client, config.database), parts.task_manager))
        }),
        Some(Subcommand::PurgeChain(cmd)) => cli.create_runner(cmd)?.sync_run(|config| cmd.run(config.database)),
    }
}

fn run_node(cli: &Cli) -> sc_cli::Result<()> {
    let (sealing, with_beacon) = (cli.sealing, !cli.no_beacon);
    let wants_metrics =
        cli.run.prometheus_params.prometheus_port.is_some() || cli.run.prometheus_params.prometheus_external;
    let runner = cli.create_runner(&cli.run)?;
    runner.run_node_until_exit(|mut config| async move {
        if !wants_metrics {
            // The default port would keep a second node on this machine from starting.
            config.prometheus_config = None;
        }
        service::start(config, sealing, with_beacon).map_err(sc_cli::Error::Service)
    })
}

fn write_chain_spec(cmd: &ChainSpecCmd) -> sc_cli::Result<()> {
    let json = chain_spec(&cmd.options)
        .and_then(|spec| to_json(&spec, cmd.raw))
        .map_err(|error| sc_cli::Error::Input(error.to_string()))?;
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
