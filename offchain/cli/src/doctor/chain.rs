// SPDX-License-Identifier: Apache-2.0
//! The node and its chain: reached, the right one, spoken to, alive, and at the same time as this machine.

use std::time::Duration;

use clawrank_client::{
    Chain, ChainConfig, ChainPort, ClientError, ItemStatus,
    types::{Beacon, Hash, Head, SubnetSnapshot},
};
use tokio::time::timeout;

use super::{Check, DoctorArgs, keys::Known, now_ms};
use crate::error::CliError;

/// Block 0 of the public chain, finney.
const FINNEY: Hash = [
    0x2f, 0x05, 0x55, 0xcc, 0x76, 0xfc, 0x28, 0x40, 0xa2, 0x5a, 0x6e, 0xa3, 0xb9, 0x63, 0x71, 0x46, 0x80, 0x6f, 0x1f,
    0x44, 0xb0, 0x90, 0xc1, 0x75, 0xff, 0xde, 0x2a, 0x7e, 0x5a, 0xb3, 0x6c, 0x03,
];

/// How far this clock may be behind the chain's before signatures and schedules suffer.
const SKEW_MS: u64 = 2_000;
/// How much older than expected the newest block may be before the clock is suspected.
const AHEAD_MS: u64 = 30_000;
/// Blocks between the best and the finalised one: more is unusual, and far more is a halt of finality.
const LAG_WARN_BLOCKS: u64 = 10;
const LAG_FAIL_BLOCKS: u64 = 100;

/// What could be told of the chain.
#[derive(Debug)]
pub(super) enum Facts {
    /// No node answered.
    Unreached(String),
    /// A node answered.
    Reached(Box<Reached>),
}

/// Facts from a node that answered.
#[derive(Debug)]
pub(super) struct Reached {
    /// `--network` as given.
    pub(super) network: String,
    pub(super) endpoint: String,
    pub(super) genesis: Hash,
    pub(super) spec_version: Option<u32>,
    /// Items that the client needs and the runtime lacks.
    pub(super) unusable: Vec<String>,
    /// The newest finalised block.
    pub(super) head: Head,
    /// Number of the best block.
    pub(super) best: Result<u64, String>,
    /// Whether another block became final while waiting; `None` where the head was fresh.
    pub(super) moved: Option<bool>,
    /// This machine's clock when the head was read.
    pub(super) now_ms: u64,
    pub(super) block_time_ms: u64,
    pub(super) subnet: Result<SubnetSnapshot, String>,
    pub(super) beacon: Result<Option<Beacon>, String>,
    /// Free balance of the coldkey, where that is known.
    pub(super) balance_rao: Option<Result<u64, String>>,
    /// What a registration burns.
    pub(super) burn_rao: Result<u64, String>,
}

/// Connects and reads; `netuid` is the configuration's, which goes before the default.
///
/// # Errors
///
/// [`CliError::Input`] for an unknown network.
pub(super) async fn gather(args: &DoctorArgs, netuid: Option<u16>, known: &Known) -> Result<Facts, CliError> {
    let wait = Duration::from_secs(args.wait);
    let config = ChainConfig {
        endpoints: args.network.network.split(',').map(|name| name.trim().to_owned()).collect(),
        start_timeout_ms: args.wait.saturating_mul(1_000),
        request_timeout_ms: args.wait.saturating_mul(1_000),
        // A chain that stands still is to be read too.
        stall_after_ms: 0,
        ..ChainConfig::default()
    };
    let chain = match Chain::connect(&config).await {
        Ok(chain) => chain,
        Err(error @ ClientError::Config { .. }) => return Err(CliError::input("--network", error.to_string())),
        Err(error) => return Ok(Facts::Unreached(CliError::work(&error).to_string())),
    };
    let facts = read(&chain, args, netuid, known, wait).await;
    chain.close().await;
    Ok(facts)
}

async fn read(chain: &Chain, args: &DoctorArgs, netuid: Option<u16>, known: &Known, wait: Duration) -> Facts {
    let text = |error: ClientError| CliError::work(&error).to_string();
    let netuid = netuid.unwrap_or(args.network.netuid());
    let mut heads = chain.heads();
    let Some(mut head) = *heads.borrow_and_update() else {
        return Facts::Unreached("the node knows no finalised block".to_owned());
    };
    let block_time_ms = chain.block_time_ms();
    let mut moved = None;
    if now_ms().saturating_sub(head.timestamp_ms) > block_time_ms.saturating_mul(5) {
        let next = timeout(wait, heads.changed()).await;
        moved = Some(matches!(next, Ok(Ok(()))));
        head = heads.borrow().unwrap_or(head);
    }
    let now_ms = now_ms();
    let runtime = chain.runtime();
    let unusable = runtime.iter().flat_map(|runtime| clawrank_client::check(runtime));
    let unusable = unusable.filter(ItemStatus::is_fatal);
    let status = chain.status().borrow().clone();
    Facts::Reached(Box::new(Reached {
        network: args.network.network.clone(),
        endpoint: status.endpoint,
        genesis: chain.genesis_hash(),
        spec_version: status.spec_version,
        unusable: unusable.map(|item| item.item.to_string()).collect(),
        head,
        best: chain.best_number().await.map_err(text),
        moved,
        now_ms,
        block_time_ms,
        subnet: chain.subnet(netuid).await.map_err(text),
        beacon: chain.beacon().await.map_err(text),
        balance_rao: match &known.coldkey {
            Some(coldkey) => Some(chain.balance_rao(coldkey).await.map_err(text)),
            None => None,
        },
        burn_rao: chain.registration_cost_rao(netuid).await.map_err(text),
    }))
}

/// What follows from the facts, for every role.
pub(super) fn judge(facts: &Facts) -> Vec<Check> {
    let facts = match facts {
        Facts::Reached(facts) => facts,
        Facts::Unreached(why) => {
            let fix = "check --network, this machine's connection, and that the node runs with its RPC port open";
            return vec![Check::fail("endpoint", why.clone(), fix)];
        }
    };
    let spec = facts.spec_version.map_or_else(String::new, |spec| format!(", runtime {spec}"));
    let mut checks = vec![Check::ok("endpoint", format!("{} answers{spec}", facts.endpoint))];
    checks.push(genesis(&facts.network, &facts.genesis));
    checks.push(runtime(&facts.unusable));
    checks.push(moving(facts));
    checks.push(finality(facts));
    checks.push(clock(facts));
    checks
}

fn genesis(network: &str, genesis: &Hash) -> Check {
    let name = "genesis";
    let named = network.split(',').any(|name| matches!(name.trim(), "finney" | "archive"));
    let hash = hex::encode(genesis);
    match (named, *genesis == FINNEY) {
        (_, true) => Check::ok(name, "the public chain, finney"),
        (false, false) => Check::ok(name, format!("0x{hash}, not the public chain")),
        (true, false) => Check::fail(
            name,
            format!("0x{hash} is not the public chain, though --network is `{network}`"),
            "something answers in the node's place: check name resolution and proxies, or name another endpoint",
        ),
    }
}

fn runtime(unusable: &[String]) -> Check {
    let name = "runtime items";
    if unusable.is_empty() {
        return Check::ok(name, "all that are read and called are there");
    }
    Check::fail(
        name,
        format!("not to be used: {}", unusable.join(", ")),
        "update this software; if it is the newest, this network's runtime is not one that it can speak to",
    )
}

fn moving(facts: &Reached) -> Check {
    let name = "chain moves";
    let number = facts.head.number;
    let age = seconds(facts.now_ms.saturating_sub(facts.head.timestamp_ms));
    match facts.moved {
        None => Check::ok(name, format!("block {number} became final {age} after it was made")),
        Some(true) => Check::ok(name, format!("blocks become final, the newest is {number}")),
        Some(false) => Check::fail(
            name,
            format!("no block became final; the newest, {number}, is {age} old"),
            "name another endpoint; for a node of your own, see whether it has peers and catches up",
        ),
    }
}

fn finality(facts: &Reached) -> Check {
    let name = "finality";
    let number = facts.head.number;
    let lag = match &facts.best {
        Ok(best) => best.saturating_sub(number),
        Err(why) => return Check::warn(name, format!("the best block is not known: {why}"), "try again"),
    };
    let found = format!("{lag} blocks behind the best one");
    let fix = "name another endpoint; if all are alike, the chain's finality has halted and nothing will be confirmed";
    match lag {
        _ if lag <= LAG_WARN_BLOCKS => Check::ok(name, found),
        _ if lag <= LAG_FAIL_BLOCKS => Check::warn(name, found, fix),
        _ => Check::fail(name, found, fix),
    }
}

/// The clock against the newest block and the newest round of the beacon: neither can be from the future.
fn clock(facts: &Reached) -> Check {
    let name = "clock";
    let fix = "set this machine's clock by NTP: `timedatectl set-ntp true`";
    let round_ms = match &facts.beacon {
        Ok(Some(beacon)) => round_time_ms(beacon).unwrap_or(0),
        _ => 0,
    };
    let behind = facts.head.timestamp_ms.max(round_ms).saturating_sub(facts.now_ms);
    if behind > SKEW_MS {
        return Check::fail(name, format!("{} behind the chain, or more", seconds(behind)), fix);
    }
    let lag = facts.best.as_ref().map_or(0, |best| best.saturating_sub(facts.head.number));
    let expected = lag.saturating_add(2).saturating_mul(facts.block_time_ms);
    let late = facts.now_ms.saturating_sub(facts.head.timestamp_ms).saturating_sub(expected);
    match facts.moved {
        Some(true) if late > AHEAD_MS => Check::warn(
            name,
            format!(
                "blocks arrive, but are {} older than they should be: this clock is ahead, or the node catches up",
                seconds(late)
            ),
            "compare with `date -u` elsewhere, set the clock by NTP, or wait for the node",
        ),
        Some(false) => Check::ok(name, "not behind the chain; more cannot be told while it stands still"),
        _ => Check::ok(name, "agrees with the chain"),
    }
}

/// When the newest stored round was due, unix milliseconds; `None` before the first.
pub(super) fn round_time_ms(beacon: &Beacon) -> Option<u64> {
    let rounds = beacon.last_stored_round.checked_sub(1)?;
    let since = rounds.saturating_mul(u64::from(beacon.period));
    Some(beacon.genesis_time.saturating_add(since).saturating_mul(1_000))
}

/// Milliseconds in words: `4.2 s`, `3 min`, `5 h`, `2 days`.
pub(super) fn seconds(ms: u64) -> String {
    match ms / 1_000 {
        0..120 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        s @ 120..7_200 => format!("{} min", s / 60),
        s @ 7_200..172_800 => format!("{} h", s / 3_600),
        s => format!("{} days", s / 86_400),
    }
}
