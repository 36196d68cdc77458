// SPDX-License-Identifier: Apache-2.0
//! The subnet: may this key do what its role needs, and when.

use clawrank_client::types::{Beacon, Neuron, SubnetSnapshot};
use clawrank_protocol::proof::{HotkeyId, ss58};

use super::{
    Check, Role,
    chain::{Reached, round_time_ms, seconds},
    keys::Known,
};
use crate::output::tao;

/// Versions of commit-reveal that the validator speaks: 0 for chains without the item, 4 for timelocked commits.
const COMMIT_REVEAL_VERSIONS: [u16; 2] = [0, 4];
/// Timelocked commits, which need a beacon.
const TIMELOCKED_VERSION: u16 = 4;
/// What a transaction may cost, in rao: a thousandth of a TAO.
const FEE_RAO: u64 = 1_000_000;
/// Pulses come every few seconds; a gap above these is a fault.
const PULSE_WARN_MS: u64 = 60_000;
const PULSE_FAIL_MS: u64 = 600_000;

/// What follows for a role.
pub(super) fn judge(role: Role, facts: &Reached, known: &Known, version_key: Option<u64>) -> Vec<Check> {
    let subnet = match &facts.subnet {
        Ok(subnet) => subnet,
        Err(why) => return vec![Check::fail("subnet", why.clone(), "check --netuid and --network")],
    };
    let mut checks = vec![schedule(subnet)];
    match role {
        Role::Validator => {
            checks.extend(registration(subnet, facts, known));
            if let Some(neuron) = neuron(subnet, known) {
                checks.push(stake(subnet, neuron));
                checks.push(permit(subnet, neuron));
                checks.push(rate_limit(subnet, neuron));
            }
            checks.push(commit_reveal(subnet));
            checks.push(version(subnet, version_key));
            checks.extend(beacon(subnet, &facts.beacon, facts.now_ms));
            checks.push(immunity(subnet, role));
        }
        Role::Miner => {
            checks.extend(registration(subnet, facts, known));
            checks.extend(neuron(subnet, known).map(|neuron| protection(subnet, neuron)));
            checks.extend(neuron(subnet, known).map(axon));
            checks.push(immunity(subnet, role));
        }
        Role::Owner => {
            checks.push(ownership(subnet, known));
            checks.extend(balance(facts, known, FEE_RAO, "pay for transactions"));
            checks.push(commit_reveal(subnet));
            checks.push(immunity(subnet, role));
        }
        Role::Gateway => {}
    }
    checks
}

fn neuron<'a>(subnet: &'a SubnetSnapshot, known: &Known) -> Option<&'a Neuron> {
    subnet.by_hotkey(known.hotkey.as_ref()?)
}

/// Blocks as blocks and as time.
fn blocks(subnet: &SubnetSnapshot, blocks: u64) -> String {
    format!("{blocks} blocks (about {})", seconds(blocks.saturating_mul(subnet.block_time_ms)))
}

fn schedule(subnet: &SubnetSnapshot) -> Check {
    let name = "subnet";
    let size = format!("{} has {} of {} neurons", subnet.netuid, subnet.neurons.len(), subnet.max_allowed_uids);
    match subnet.next_epoch_block() {
        Some(due) => {
            let left = due.saturating_sub(subnet.head.number);
            Check::ok(name, format!("{size}, epoch {} ends in {}", subnet.epoch_index, blocks(subnet, left)))
        }
        None => Check::fail(name, format!("{size}, but runs no epochs: its tempo is 0"), "the owner must set a tempo"),
    }
}

fn registration(subnet: &SubnetSnapshot, facts: &Reached, known: &Known) -> Vec<Check> {
    let name = "registration";
    let Some(hotkey) = known.hotkey else {
        return vec![Check::fail(name, "no hotkey is known", "put right the hotkey first")];
    };
    if let Some(neuron) = subnet.by_hotkey(&hotkey) {
        let found = format!("uid {} since block {}", neuron.uid, neuron.registered_at);
        let mut checks = vec![Check::ok(name, found)];
        if let Some(coldkey) = known.coldkey.filter(|coldkey| *coldkey != neuron.coldkey && *coldkey != hotkey) {
            checks.push(Check::warn(
                "coldkey owner",
                format!(
                    "{} owns the hotkey, not this wallet's {}",
                    ss58::encode(&neuron.coldkey),
                    ss58::encode(&coldkey)
                ),
                "name the wallet that the hotkey was registered with, or mind that emission goes to the other coldkey",
            ));
        }
        return checks;
    }
    let found = format!("{} is not registered on subnet {}", ss58::encode(&hotkey), subnet.netuid);
    let cost = facts.burn_rao.as_ref().copied().unwrap_or(0);
    let fix = format!("register it with the coldkey; now that burns {} TAO", tao(cost));
    let mut checks = vec![Check::fail(name, found, fix)];
    checks.extend(balance(facts, known, cost.saturating_add(FEE_RAO), "register"));
    checks
}

fn balance(facts: &Reached, known: &Known, needed: u64, purpose: &str) -> Option<Check> {
    let name = "balance";
    let address = ss58::encode(&known.coldkey?);
    Some(match facts.balance_rao.as_ref()? {
        Ok(free) if *free >= needed => Check::ok(name, format!("{} TAO free", tao(*free))),
        Ok(free) => Check::fail(
            name,
            format!("{} TAO free, {} needed to {purpose}", tao(*free), tao(needed)),
            format!("send {} TAO or more to {address}", tao(needed.saturating_sub(*free).saturating_add(99_999))),
        ),
        Err(why) => Check::warn(name, format!("cannot be read: {why}"), "try again"),
    })
}

fn stake(subnet: &SubnetSnapshot, neuron: &Neuron) -> Check {
    let (name, least) = ("stake", subnet.stake_threshold_rao);
    let found = format!("{} TAO, {} needed to set weights", tao(neuron.stake_rao), tao(least));
    if neuron.stake_rao >= least {
        return Check::ok(name, found);
    }
    let missing = tao(least.saturating_sub(neuron.stake_rao).saturating_add(99_999));
    Check::fail(name, found, format!("add stake worth {missing} TAO or more to the hotkey"))
}

fn permit(subnet: &SubnetSnapshot, neuron: &Neuron) -> Check {
    let name = "permit";
    if neuron.validator_permit {
        return Check::ok(name, "its weights count");
    }
    let left = subnet.next_epoch_block().map(|due| due.saturating_sub(subnet.head.number));
    let when = left.map_or_else(|| "never, with tempo 0".to_owned(), |left| format!("in {}", blocks(subnet, left)));
    Check::fail(
        name,
        "none: its weights are refused",
        format!(
            "permits are given to the highest stakes at each epoch, next {when}; add stake if it does not come then"
        ),
    )
}

fn rate_limit(subnet: &SubnetSnapshot, neuron: &Neuron) -> Check {
    let (name, limit) = ("rate limit", subnet.weights_rate_limit);
    let last = neuron.last_update.iter().max().copied().unwrap_or(0);
    let free_at = if last == 0 { 0 } else { last.saturating_add(limit) };
    if limit >= u64::from(subnet.tempo) && subnet.tempo > 0 {
        return Check::warn(
            name,
            format!("one setting per {limit} blocks, but an epoch is {} blocks: some epochs are missed", subnet.tempo),
            "the owner should set weights_rate_limit below the tempo",
        );
    }
    match free_at.saturating_sub(subnet.head.number) {
        0 if limit == 0 => Check::ok(name, "none: weights may be set in every block".to_owned()),
        0 => Check::ok(name, format!("weights may be set now, then every {limit} blocks")),
        left => Check::ok(name, format!("the next setting is free in {}; the validator waits", blocks(subnet, left))),
    }
}

fn commit_reveal(subnet: &SubnetSnapshot) -> Check {
    let (name, version) = ("commit-reveal", subnet.commit_reveal_version);
    if !subnet.commit_reveal {
        return Check::ok(name, "off: weights are set openly");
    }
    if COMMIT_REVEAL_VERSIONS.contains(&version) {
        let period = subnet.reveal_period_epochs;
        let when = if period == 1 { "in the next epoch".to_owned() } else { format!("{period} epochs later") };
        return Check::ok(name, format!("on, version {version}; weights are revealed {when}"));
    }
    let fix = "update this software before the validator is started";
    Check::fail(name, format!("on, version {version}, which this software does not speak"), fix)
}

fn version(subnet: &SubnetSnapshot, ours: Option<u64>) -> Check {
    let (name, least) = ("version key", subnet.weights_version_key);
    match ours {
        Some(ours) if ours < least => Check::fail(
            name,
            format!("{ours} is configured, the subnet takes {least} or more"),
            format!("set version_key = {least}, after reading what the owner changed"),
        ),
        _ => Check::ok(name, format!("the subnet takes {least} or more")),
    }
}

fn beacon(subnet: &SubnetSnapshot, beacon: &Result<Option<Beacon>, String>, now_ms: u64) -> Option<Check> {
    let name = "beacon";
    let needed = subnet.commit_reveal && subnet.commit_reveal_version == TIMELOCKED_VERSION;
    let fix = "without pulses nobody's weights are revealed: see that the chain's nodes fetch them (offchain worker)";
    let found = match beacon {
        Err(why) => return needed.then(|| Check::fail(name, why.clone(), "try again, or update this software")),
        Ok(None) if needed => {
            return Some(Check::fail(name, "the chain has none, but timelocked commits need it", fix));
        }
        Ok(None) => return None,
        Ok(Some(beacon)) => beacon,
    };
    let Some(due_ms) = round_time_ms(found) else {
        let none = "no pulse was ever stored";
        return Some(if needed {
            Check::fail(name, none, fix)
        } else {
            Check::ok(name, "not used, and without pulses")
        });
    };
    let age = now_ms.saturating_sub(due_ms);
    let text = format!("newest round {}, {} old", found.last_stored_round, seconds(age));
    Some(match age {
        0..PULSE_WARN_MS => Check::ok(name, text),
        _ if !needed => Check::ok(name, text),
        PULSE_WARN_MS..PULSE_FAIL_MS => Check::warn(name, text, fix),
        _ => Check::fail(name, text, fix),
    })
}

/// A newcomer must be judged at least once before it can be replaced.
fn immunity(subnet: &SubnetSnapshot, role: Role) -> Check {
    let (name, period) = ("immunity", u64::from(subnet.immunity_period));
    let epochs = if subnet.commit_reveal { subnet.reveal_period_epochs.saturating_add(1) } else { 1 };
    let judged = epochs.saturating_mul(u64::from(subnet.tempo));
    let found = format!("{period} blocks; weights for a newcomer take effect within {judged}");
    if period > judged {
        return Check::ok(name, found);
    }
    let fix = format!("set immunity_period above {judged}, or newcomers are replaced before anyone judged them");
    match role {
        Role::Owner => Check::fail(name, found, fix),
        _ => Check::warn(name, found, format!("ask the owner to {fix}")),
    }
}

fn protection(subnet: &SubnetSnapshot, neuron: &Neuron) -> Check {
    let name = "protection";
    let until = neuron.registered_at.saturating_add(u64::from(subnet.immunity_period));
    match until.saturating_sub(subnet.head.number) {
        0 if subnet.neurons.len() < usize::from(subnet.max_allowed_uids) => {
            Check::ok(name, "over, but nobody is replaced while uids are free")
        }
        0 => Check::ok(name, "over: the neuron with the least emission is replaced by the next newcomer"),
        left => Check::ok(name, format!("cannot be replaced for {}", blocks(subnet, left))),
    }
}

fn axon(neuron: &Neuron) -> Check {
    let name = "axon";
    match &neuron.axon {
        Some(axon) if axon.port != 0 => {
            Check::ok(name, format!("port {} announced at block {}; gateways do not need it", axon.port, axon.block))
        }
        _ => Check::ok(name, "none announced, and none needed: the miner connects to its gateway"),
    }
}

fn ownership(subnet: &SubnetSnapshot, known: &Known) -> Check {
    let name = "ownership";
    let shown = |key: &HotkeyId| ss58::encode(key);
    match (&subnet.owner_coldkey, &known.coldkey) {
        (Some(owner), Some(coldkey)) if owner == coldkey => Check::ok(name, "this wallet's coldkey owns the subnet"),
        (Some(owner), Some(coldkey)) => Check::fail(
            name,
            format!("{} owns the subnet, not {}", shown(owner), shown(coldkey)),
            "name the owner's wallet with --wallet-name",
        ),
        (Some(owner), None) => Check::fail(
            name,
            format!("{} owns the subnet; no coldkey is known here", shown(owner)),
            "put right the coldkey",
        ),
        (None, _) => Check::fail(name, "the subnet has no owner", "check --netuid"),
    }
}
