// SPDX-License-Identifier: Apache-2.0
//! `clawrank status`: a subnet at a glance.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Args;
use clawrank_client::{
    ChainPort,
    types::{EpochPayout, Neuron, SubnetSnapshot},
};
use clawrank_primitives::{MECID_INTEL, MECID_SERVING};
use clawrank_protocol::proof::ss58;
use clawrank_validator::{
    Report,
    commit::{blocked::BlockedReport, standing::Standing},
    report::{GateState, MinerReport},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    chain::NetworkArgs,
    error::CliError,
    output::{Output, line, percent, table, tao},
};

/// What to show.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    network: NetworkArgs,
    /// A validator's data folder: gates, scores and shares of its last report are shown beside the chain's figures.
    #[arg(long, value_name = "DIR")]
    validator_data: Option<PathBuf>,
}

/// One subnet, ready to print.
#[derive(Debug, Serialize)]
struct Status {
    block: u64,
    block_hash: String,
    netuid: u16,
    tempo: u16,
    epoch: u64,
    blocks_to_next_epoch: Option<u64>,
    seconds_to_next_epoch: Option<u64>,
    commit_reveal: bool,
    mechanisms: u8,
    report_epoch: Option<u64>,
    /// Rules of the report: a preset, a file, or the chain at a block.
    report_rules: Option<String>,
    report_notice: Option<String>,
    /// Where the validator of `--validator-data` stands with the chain, as it last said.
    standing: Option<Standing>,
    neurons: Vec<Row>,
    /// Stored weights by mechanism: `(uid, [(uid, weight)])`.
    weights: Vec<Vec<WeightRow>>,
}

/// One validator's weights of one mechanism.
type WeightRow = (u16, Vec<(u16, u16)>);

#[derive(Debug, Serialize)]
struct Row {
    uid: u16,
    /// The chain knows no roles: a validator sets weights, or could and earns no incentive.
    role: &'static str,
    hotkey: String,
    coldkey: String,
    stake_rao: u64,
    validator_permit: bool,
    active: bool,
    gate: Option<String>,
    serving_score: Option<String>,
    intel_score: Option<String>,
    share_ppb: Vec<u32>,
    weight_u16: Vec<u16>,
    incentive_u16: Vec<u16>,
    dividends_u16: u16,
    emission_rao: u64,
    payout_rao: u64,
    last_commit_block: Vec<u64>,
}

/// Reads and prints.
///
/// # Errors
///
/// [`CliError`] when the chain cannot be read or the report is not one.
pub(crate) async fn run(args: StatusArgs, output: Output) -> Result<(), CliError> {
    let chain = args.network.connect().await?;
    let status = read(&*chain, args.network.netuid(), args.validator_data.as_deref()).await?;
    if output.json { output.json(&status) } else { line(&text(&status)) }
}

/// What the chain says now, and beside it what a validator's folder says.
async fn read(chain: &dyn ChainPort, netuid: u16, validator_data: Option<&Path>) -> Result<Status, CliError> {
    let report: Option<Report> = read_report(validator_data, "latest.json")?;
    let standing = read_report(validator_data, "standing.json")?;
    Ok(Status { standing, ..gather(chain, netuid, report.as_ref()).await? })
}

fn read_report<T: DeserializeOwned>(dir: Option<&Path>, name: &str) -> Result<Option<T>, CliError> {
    let Some(dir) = dir else { return Ok(None) };
    let path = dir.join("reports").join(name);
    if !path.exists() {
        return Ok(None);
    }
    let text = crate::config::read_text(&path)?;
    serde_json::from_str(&text).map(Some).map_err(|e| CliError::input(path.display().to_string(), e.to_string()))
}

async fn gather(chain: &dyn ChainPort, netuid: u16, report: Option<&Report>) -> Result<Status, CliError> {
    let work = |e: clawrank_client::ClientError| CliError::work(&e);
    let subnet = chain.subnet(netuid).await.map_err(work)?;
    let payouts = chain.payouts(netuid).await.map_err(work)?;
    let newest = payouts.iter().map(|p| p.epoch).max();
    let paid: BTreeMap<u16, u64> = payouts
        .iter()
        .filter(|p| Some(p.epoch) == newest)
        .map(|EpochPayout { uid, amount_rao, .. }| (*uid, *amount_rao))
        .collect();
    let mut weights = Vec::new();
    for mecid in 0..subnet.mechanism_count {
        weights.push(chain.weights(netuid, mecid).await.map_err(work)?);
    }
    let heaviest: Vec<_> = weights.iter().map(|rows| heaviest(&subnet, rows)).collect();
    let validates = |n: &Neuron| {
        let sets = weights.iter().flatten().any(|(uid, _)| *uid == n.uid);
        sets || (n.validator_permit && n.incentive.iter().all(|earned| *earned == 0))
    };
    let neurons = subnet.neurons.iter();
    let neurons = neurons.map(|n| Row { role: role(validates(n)), ..row(n, report, &heaviest, &paid) }).collect();
    let left = subnet.next_epoch_block().map(|b| b.saturating_sub(subnet.head.number));
    Ok(Status {
        block: subnet.head.number,
        block_hash: hex::encode(subnet.head.hash),
        netuid,
        tempo: subnet.tempo,
        epoch: subnet.epoch_index,
        blocks_to_next_epoch: left,
        seconds_to_next_epoch: left.map(|b| b.saturating_mul(subnet.block_time_ms) / 1_000),
        commit_reveal: subnet.commit_reveal,
        mechanisms: subnet.mechanism_count,
        report_epoch: report.map(|r| r.epoch),
        report_rules: report.map(|r| r.preset.clone()),
        report_notice: report.and_then(|r| r.notice.clone()),
        standing: None,
        neurons,
        weights,
    })
}

/// Weights of the validator with the most stake that has set any: what consensus mostly follows.
fn heaviest(subnet: &SubnetSnapshot, rows: &[WeightRow]) -> BTreeMap<u16, u16> {
    let stake = |uid: u16| subnet.neurons.get(usize::from(uid)).map_or(0, |n| n.stake_rao);
    rows.iter().max_by_key(|(uid, _)| stake(*uid)).map(|(_, row)| row.iter().copied().collect()).unwrap_or_default()
}

fn role(validates: bool) -> &'static str {
    if validates { "validator" } else { "miner" }
}

fn row(n: &Neuron, report: Option<&Report>, weights: &[BTreeMap<u16, u16>], paid: &BTreeMap<u16, u64>) -> Row {
    let found = report.and_then(|r| r.miners.iter().find(|m| m.hotkey.0 == n.hotkey));
    let shares = |m: &MinerReport| match m.blended {
        Some(blended) => vec![blended.share_ppb],
        None => vec![m.serving.earned.share_ppb, m.intel.earned.share_ppb],
    };
    Row {
        uid: n.uid,
        role: role(false),
        hotkey: ss58::encode(&n.hotkey),
        coldkey: ss58::encode(&n.coldkey),
        stake_rao: n.stake_rao,
        validator_permit: n.validator_permit,
        active: n.active,
        gate: found.map(gate_text),
        serving_score: found.map(|m| m.serving.score.to_string()),
        intel_score: found.map(|m| m.intel.score.to_string()),
        share_ppb: found.map(shares).unwrap_or_default(),
        weight_u16: weights.iter().map(|w| w.get(&n.uid).copied().unwrap_or(0)).collect(),
        incentive_u16: n.incentive.clone(),
        dividends_u16: n.dividends,
        emission_rao: n.emission_rao,
        payout_rao: paid.get(&n.uid).copied().unwrap_or(0),
        last_commit_block: n.last_update.clone(),
    }
}

/// For people: two lines on the subnet, what stands in the validator's way, one row per neuron, and the units.
fn text(status: &Status) -> String {
    let mut lines = vec![
        format!(
            "subnet {} at block {} (0x{}), epoch {}, tempo {}, {}",
            status.netuid,
            status.block,
            status.block_hash.get(..8).unwrap_or_default(),
            status.epoch,
            status.tempo,
            match (status.blocks_to_next_epoch, status.seconds_to_next_epoch) {
                (Some(blocks), Some(seconds)) => format!("next epoch in {blocks} blocks (about {seconds} s)"),
                _ => "no epochs: its tempo is 0".to_owned(),
            }
        ),
        format!(
            "{} mechanism(s), commit-reveal {}{}",
            status.mechanisms,
            if status.commit_reveal { "on" } else { "off" },
            status.report_epoch.map_or_else(String::new, |e| format!(
                ", gates and scores of epoch {e} by rules `{}`",
                status.report_rules.as_deref().unwrap_or_default()
            )),
        ),
    ];
    lines.extend(status.report_notice.iter().map(|notice| format!("notice: {notice}")));
    if let Some(standing) = &status.standing {
        lines.extend(standing_lines(standing, status.mechanisms));
    }
    let rows = status.neurons.iter().map(cells).collect();
    lines.push(table(&HEADER, 4, rows).to_string());
    lines.push(
        "stake, emission of the last epoch and payout in TAO; weight (of the validator with the most stake), incentive \
         and dividends of 65,535"
            .to_owned(),
    );
    if status.report_epoch.is_some() {
        lines.push("score: serving / intel, each in a unit of its own".to_owned());
    }
    if status.mechanisms > 1 {
        lines.push("share, weight and incentive: serving / intel".to_owned());
    }
    lines.join("\n")
}

const HEADER: [&str; 13] = [
    "uid",
    "role",
    "hotkey",
    "gate",
    "stake",
    "score",
    "share",
    "weight",
    "incentive",
    "dividends",
    "emission",
    "payout",
    "last commit",
];

/// A neuron's cells under [`HEADER`].
fn cells(n: &Row) -> Vec<String> {
    let per_mechanism = |values: &[u16]| values.iter().map(|v| v.to_string()).collect::<Vec<_>>().join(" / ");
    let score = n.serving_score.iter().chain(&n.intel_score).map(|score| rounded(score)).collect::<Vec<_>>();
    vec![
        n.uid.to_string(),
        n.role.to_owned(),
        short(&n.hotkey),
        n.gate.clone().unwrap_or_else(|| "-".to_owned()),
        tao(n.stake_rao),
        score.join(" / "),
        n.share_ppb.iter().map(|s| percent(u64::from(*s), 1_000_000_000)).collect::<Vec<_>>().join(" / "),
        per_mechanism(&n.weight_u16),
        per_mechanism(&n.incentive_u16),
        n.dividends_u16.to_string(),
        tao(n.emission_rao),
        tao(n.payout_rao),
        n.last_commit_block.iter().max().copied().unwrap_or(0).to_string(),
    ]
}

/// Decimal digits as three of them and a power of ten, cut off, where there are more than six.
fn rounded(digits: &str) -> String {
    match (digits.get(..1), digits.get(1..3), digits.len()) {
        (Some(first), Some(rest), len) if len > 6 => format!("{first}.{rest}e{}", len.saturating_sub(1)),
        _ => digits.to_owned(),
    }
}

fn standing_lines(standing: &Standing, mechanisms: u8) -> Vec<String> {
    let how = match standing.form.as_deref() {
        Some("plain") => "set in the open",
        Some("salted") => "committed as a salted hash and revealed by a call",
        Some("timelocked") => "committed timelocked and revealed by the chain",
        _ => "committed in a way that this program does not know",
    };
    let mut lines = vec![format!("this validator at block {}: weights are {how}", standing.block)];
    lines.extend(blocked_lines(&standing.blocked, &standing.warnings, mechanisms));
    lines
}

/// Why weights cannot be set now and when they can, then what somebody should look at.
pub(crate) fn blocked_lines(blocked: &[BlockedReport], warnings: &[String], mechanisms: u8) -> Vec<String> {
    let why = blocked.iter().map(|BlockedReport { mecid, message, until_block, .. }| {
        let until = until_block.map_or_else(String::new, |block| format!(" (until block {block})"));
        let name = match *mecid {
            _ if mechanisms <= 1 => " (blended)",
            MECID_SERVING => " (serving)",
            MECID_INTEL => " (intel)",
            _ => "",
        };
        format!("mechanism {mecid}{name}: weights cannot be set now{until}: {message}")
    });
    why.chain(warnings.iter().map(|warning| format!("warning: {warning}"))).collect()
}

/// Gate and reason of a miner in one word or two.
pub(crate) fn gate_text(miner: &MinerReport) -> String {
    match miner.intel.gate {
        GateState::Open => "open".to_owned(),
        GateState::Tripped => format!("0: {}", miner.intel.reason.as_deref().unwrap_or("unknown")),
        GateState::NoBundle if miner.serving.ghost => "ghost".to_owned(),
        GateState::NoBundle => "-".to_owned(),
    }
}

/// First and last characters of an address.
pub(crate) fn short(address: &str) -> String {
    match (address.get(..6), address.get(address.len().saturating_sub(4)..)) {
        (Some(head), Some(tail)) => format!("{head}..{tail}"),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
