// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! The command line.

use sc_cli::RunCmd;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  clawrank-node --dev --block-time-ms 250
      One authority on a temporary chain with subnet 92, 250 ms blocks; RPC on ws://127.0.0.1:9944.
  clawrank-node --dev --sealing manual
      Blocks only by the RPC engine_createBlock(create_empty, finalize, parent_hash).
  clawrank-node chain-spec --preset fast --miners 8 --validators 4 --tempo 20 > spec.json
  clawrank-node --chain spec.json --alice --base-path /tmp/alice
      A chain of your own: its topology is in the specification, its data outlives the node.
  clawrank-node --chain local --alice --base-path /tmp/alice
  clawrank-node --chain local --bob --base-path /tmp/bob --port 30334 --rpc-port 9945 \\
      --bootnodes /ip4/127.0.0.1/tcp/30333/p2p/<the identity that alice logs>
      Two authorities.

--chain takes: dev (one authority, 12 s blocks), local (two authorities, 12 s), fast (one authority, 250 ms), localnet (as
Subtensor's: 250 ms, subnet 1, the well-known accounts), sn92 (subnet 92 new and empty, 12 s), or a file.";

/// A node of a local ClawRank chain.
#[derive(Debug, clap::Parser)]
// The framework's default of 1 GiB is for the state of a public chain; a local one's would fill it block by block.
#[command(after_long_help = EXAMPLES, mut_arg("trie_cache_size", |arg| arg.default_value("67108864")))]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) subcommand: Option<Subcommand>,

    #[command(flatten)]
    pub(crate) run: RunCmd,

    /// Milliseconds between two blocks of a new chain of a preset, 100 to 60000.
    ///
    /// The block time is part of genesis: a chain that exists, or one from a specification file, keeps its own.
    /// Where another command names such a chain, it takes the flag too.
    #[arg(long, value_name = "MS", global = true)]
    pub(crate) block_time_ms: Option<u64>,

    /// How blocks come to be.
    #[arg(long, value_enum, default_value = "slots")]
    pub(crate) sealing: Sealing,

    /// Follow the development beacon, and sign its rounds here if this node is an authority: timelocked weights are revealed
    /// without the internet.
    ///
    /// Which beacon a chain follows is part of its genesis, and that of `--dev` and every other preset is this one. With
    /// this flag a node refuses to start on a chain that follows another: write its specification with `chain-spec --beacon
    /// dev`. The beacon's secret is public, so weights that are locked to it are no secret.
    #[arg(long, conflicts_with = "no_beacon")]
    pub(crate) dev_beacon: bool,

    /// Leave the beacon to others: neither sign the dev beacon's rounds nor fetch those of the public one.
    ///
    /// Without rounds no timelocked commit is revealed. Which beacon a chain follows is part of its genesis: `chain-spec
    /// --beacon dev` (the default) or `quicknet`.
    #[arg(long)]
    pub(crate) no_beacon: bool,

    /// Fetch the beacon's rounds from this HTTP or HTTPS address, in the place of those where the public beacon is published;
    /// may be given several times.
    ///
    /// Blocks take turns: each asks the next address, for `URL/<the beacon's hash>/public/<round>`. None of them need be
    /// trusted, since every signature is checked. With this flag the rounds of any beacon but the development beacon are
    /// fetched, not only the public one's.
    #[arg(long, value_name = "URL", conflicts_with_all = ["dev_beacon", "no_beacon"])]
    pub(crate) beacon_endpoint: Vec<String>,

    /// The folder in which compiled runtimes are kept for the next start, or `none`.
    ///
    /// What is in it is executed: nobody else may be able to write there. [default: clawrank/runtimes in the user's folder
    /// of caches]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) compiled_runtimes: Option<PathBuf>,

    /// MiB that stay free on the disk of the database: with less left the node does not start, and ends if it runs. 0 looks
    /// at nothing.
    ///
    /// Ending takes room: what is in the database's log has to be entered into its tables, at most about this much.
    #[arg(long, value_name = "MiB", default_value_t = 256, global = true)]
    pub(crate) db_storage_threshold: u64,
}

/// How blocks come to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Sealing {
    /// One block per slot by Aura, finalised by GRANDPA.
    Slots,
    /// A block whenever the RPC `engine_createBlock` asks for one; time advances by one slot per block.
    Manual,
    /// A finalised block for every transaction that becomes ready, and whenever the RPC asks for one.
    Instant,
}

/// What the program does instead of running a node.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant, reason = "parsed once")]
pub(crate) enum Subcommand {
    /// Write the specification of a chain to standard output
    ChainSpec(ChainSpecCmd),

    /// Show the embedded runtime: version, size and BLAKE2b-256 of its Wasm
    Runtime(RuntimeCmd),

    /// Generate, inspect and insert keys
    #[command(subcommand)]
    Key(sc_cli::KeySubcommand),

    /// Validate blocks
    CheckBlock(sc_cli::CheckBlockCmd),

    /// Export blocks
    ExportBlocks(sc_cli::ExportBlocksCmd),

    /// Import blocks
    ImportBlocks(sc_cli::ImportBlocksCmd),

    /// Remove the whole chain
    PurgeChain(sc_cli::PurgeChainCmd),
}

/// Options of `chain-spec`.
#[derive(Debug, clap::Args)]
pub(crate) struct ChainSpecCmd {
    #[command(flatten)]
    pub(crate) options: clawrank_chain_spec::Options,

    /// Write raw storage instead of a readable patch: what nodes of other builds must share to agree on genesis
    #[arg(long)]
    pub(crate) raw: bool,
}

/// Options of `runtime`.
#[derive(Debug, clap::Args)]
pub(crate) struct RuntimeCmd {
    /// Print the hash alone
    #[arg(long)]
    pub(crate) hash: bool,

    /// Also write the compressed Wasm to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) wasm: Option<PathBuf>,
}
