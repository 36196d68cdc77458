// SPDX-License-Identifier: Apache-2.0
//! Chain specifications of local ClawRank chains.
//!
//! [`Options`] are what an operator says (as flags of `clawrank-node chain-spec`, or as a value), [`Options::topology`]
//! checks them and derives the keys, [`chain_spec`] makes the specification that a node starts from, [`to_json`] writes
//! it out.
//!
//! # Keys
//!
//! Every account of a generated chain derives from one secret, by default Substrate's public development phrase, so
//! that workers find their keys without copying files:
//!
//! | account | URI | holds |
//! |---|---|---|
//! | owner, coldkey / hotkey | `//owner//cold` / `//owner` | 1,000,000 / 100 TAO |
//! | miner `n`, coldkey / hotkey | `//miner//n//cold` / `//miner//n` | 10,000 / 100 TAO |
//! | validator `n` of `v`, coldkey / hotkey | `//validator//n//cold` / `//validator//n` | 10,000 / 100 TAO, stake 1000 · (v - n) TAO |
//! | authorities; `//Alice` is sudo | `//Alice`, `//Bob`, … | 1,000,000 TAO |
//!
//! uids: 0 is the owner, then the validators, then the miners.
//!
//! A `--seed-prefix` goes before each URI (not before the authorities', which nodes insert by `--alice` and so on), so
//! that two chains need not share keys: with `//net7`, miner 0 is `//net7//miner//0`. Without a phrase of your own in
//! the prefix these keys are public: anyone can spend from them.

//!
//! # Beacon
//!
//! Timelocked commits are opened by the signatures of a drand beacon. A chain follows, by `--beacon`, either the dev
//! beacon, which its own authorities sign with a secret that everyone knows, or the public beacon quicknet, which its
//! nodes fetch. Weights locked to the dev beacon are no secret to anyone who wants to know.

mod account;
mod options;
mod spec;

pub use account::{parse_account, role_accounts};
pub use clawrank_runtime::genesis::{
    Authority, BeaconParams, DEV_BEACON, NETUID, Neuron, Subnet, Topology, keys::Role, validator_stake,
};
pub use options::{Beacon, Options, Preset};
pub use spec::{ChainSpec, chain_spec, from_file, genesis_storage, to_json, with_block_time};

/// Why a specification cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// A number is outside its range.
    #[error("--{name} is {value}, must be {min} to {max}")]
    OutOfRange {
        /// The flag.
        name: &'static str,
        /// What was given.
        value: u64,
        /// The least allowed.
        min: u64,
        /// The most allowed.
        max: u64,
    },
    /// The owner, the validators and the miners do not fit on the subnet.
    #[error("1 owner + --validators {validators} + --miners {miners} = {sum} neurons, a subnet has {max} uids")]
    TooManyNeurons {
        /// Validators asked for.
        validators: u32,
        /// Miners asked for.
        miners: u32,
        /// Their sum, with the owner.
        sum: u64,
        /// The uids of a subnet.
        max: u64,
    },
    /// A flag does not name an account.
    #[error(
        "--{name} '{value}' is no account: give an SS58 address, 0x and 64 hex digits, or a secret URI like //owner//cold"
    )]
    BadAccount {
        /// The flag.
        name: &'static str,
        /// What was given; a phrase is shown as `<phrase>`.
        value: String,
    },
    /// The secret prefix cannot be derived from.
    #[error("--seed-prefix is no secret: give a path like //net7, or a phrase of 12 to 24 words and a path")]
    BadSeedPrefix,
    /// The public beacon keeps its own time.
    #[error("--beacon-period is for --beacon dev; quicknet has a round every 3 s")]
    QuicknetPeriod,
    /// A file holds no specification.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        error: String,
    },
    /// The runtime was compiled without its Wasm.
    #[error("this build has no Wasm runtime: build again without SKIP_WASM_BUILD")]
    NoWasm,
    /// The runtime refuses the genesis.
    #[error("the runtime refuses this genesis: {0}")]
    Refused(String),
}
