// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! What each command does.

use crate::{
    beacon::Endpoint,
    cli::{ChainSpecCmd, Cli, RuntimeCmd, Subcommand},
    compiled_runtimes,
    database::Ended,
    service::{self, Storage},
};
use clawrank_chain_spec::{Preset, SpecError, from_file, to_json, with_block_time};
use clawrank_runtime::{VERSION, WASM_BINARY, opaque::Block};
use sc_cli::SubstrateCli;
use std::{io::Write, path::Path};

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
    let storage = Storage {
        compiled_runtimes: compiled_runtimes::folder(cli.compiled_runtimes.as_deref()),
        threshold: cli.db_storage_threshold,
    };
    match &cli.subcommand {
        None => run_node(&cli, storage),
        Some(Subcommand::ChainSpec(cmd)) => write_chain_spec(cmd),
        Some(Subcommand::Runtime(cmd)) => show_runtime(cmd),
        Some(Subcommand::Key(cmd)) => cmd.run(&cli),
        Some(Subcommand::CheckBlock(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let (parts, queue) = service::with_import_queue(&config, storage)?;
            Ok((cmd.run(parts.client, queue), parts.task_manager))
        }),
        Some(Subcommand::ImportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let (parts, queue) = service::with_import_queue(&config, storage)?;
            Ok((cmd.run::<Block, _, _>(parts.client, queue), parts.task_manager))
        }),
        Some(Subcommand::ExportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let parts = service::parts(&config, storage)?;
            Ok((cmd.run::<Block, _>(parts.client, config.database), parts.task_manager))
        }),
        Some(Subcommand::PurgeChain(cmd)) => cli.create_runner(cmd)?.sync_run(|config| cmd.run(config.database)),
    }
}

fn run_node(cli: &Cli, storage: Storage) -> sc_cli::Result<()> {
    let endpoints: Result<Vec<Endpoint>, String> = cli.beacon_endpoint.iter().map(|url| url.parse()).collect();
    let beacon = match endpoints.map_err(sc_cli::Error::Input)? {
        endpoints if !endpoints.is_empty() => service::Beacon::At(endpoints),
        _ if cli.dev_beacon => service::Beacon::Dev,
        _ if cli.no_beacon => service::Beacon::Others,
        _ => service::Beacon::OfGenesis,
    };
    let ended = Ended::default();
    let options = service::Options { sealing: cli.sealing, beacon, storage, ended: ended.clone() };
    let wants_metrics =
        cli.run.prometheus_params.prometheus_port.is_some() || cli.run.prometheus_params.prometheus_external;
    let runner = cli.create_runner(&cli.run)?;
    let result = runner.run_node_until_exit(|mut config| async move {
        if !wants_metrics {
            // The default port would keep a second node on this machine from starting.
            config.prometheus_config = None;
        }
        service::start(config, options).map_err(sc_cli::Error::Service)
    });
    // Of a task that ended the framework says only that there was one.
    result.map_err(|error| match ended.get() {
        Some(reason) => sc_cli::Error::Service(reason.clone().into()),
        None => error,
    })
}

/// The error in one line, without the names of the framework's types.
pub(crate) fn line(error: &sc_cli::Error) -> String {
    match error {
        sc_cli::Error::Service(sc_service::Error::Application(error)) => error.to_string(),
        sc_cli::Error::Service(sc_service::Error::Other(error)) | sc_cli::Error::Input(error) => error.clone(),
        error => error.to_string(),
    }
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
    use super::{Cli, Subcommand};
    use clap::Parser;

    #[test]
    fn chain_with_a_block_time_of_its_own_is_named_when_it_is_purged_and_when_it_is_written() {
        let purge = ["clawrank-node", "purge-chain", "-y", "--chain", "fast", "--block-time-ms", "100"];
        assert_eq!(Cli::try_parse_from(purge).unwrap().block_time_ms, Some(100));
        let spec = ["clawrank-node", "chain-spec", "--preset", "fast", "--block-time-ms", "100"];
        let Some(Subcommand::ChainSpec(spec)) = Cli::try_parse_from(spec).unwrap().subcommand else {
            panic!("{spec:?}")
        };
        assert_eq!(spec.options.block_time_ms, Some(100));
    }

    #[test]
    fn dev_beacon_is_taken_beside_every_flag_but_no_beacon() {
        assert!(!Cli::try_parse_from(["clawrank-node", "--dev"]).unwrap().dev_beacon);
        assert!(Cli::try_parse_from(["clawrank-node", "--dev", "--dev-beacon"]).unwrap().dev_beacon);
        let both = Cli::try_parse_from(["clawrank-node", "--dev-beacon", "--no-beacon"]).unwrap_err();
        assert_eq!(both.kind(), clap::error::ErrorKind::ArgumentConflict);
    }

    #[test]
    fn beacon_endpoints_are_taken_in_their_order_but_not_beside_a_flag_that_fetches_nothing() {
        let [first, second] = ["--beacon-endpoint=http://one", "--beacon-endpoint=http://two"];
        let both = Cli::try_parse_from(["clawrank-node", first, second]).unwrap();
        assert_eq!(both.beacon_endpoint, ["http://one", "http://two"]);
        for other in ["--dev-beacon", "--no-beacon"] {
            let refused = Cli::try_parse_from(["clawrank-node", first, other]).unwrap_err();
            assert_eq!(refused.kind(), clap::error::ErrorKind::ArgumentConflict, "{other}");
        }
    }
}
