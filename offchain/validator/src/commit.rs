// SPDX-License-Identifier: Apache-2.0
//! Weights on their way to the chain: payload and salt, what to do next, and doing it.
//!
//! Every step is decided from the journal and the chain's own state by [`plan::next`], a pure function; the journal is
//! written before the chain is asked. So a process that is killed anywhere goes on where it was: it reveals what it
//! committed, and sends a commit again only when the chain does not have it.

use clawrank_client::types::{Call, SubnetSnapshot};
use clawrank_primitives::proof::{HotkeyId, weights_commit_hash};
use clawrank_store::journal::{CommitRow, CommitState};

use crate::{Error, report::MechanismReport};

mod committer;
pub mod plan;
#[cfg(test)]
mod tests;

pub(crate) use committer::Committer;

/// Numbers of the salt: 128 bits of the operating system's randomness.
const SALT_LEN: usize = 8;
/// Mechanisms of a subnet are stored at `mecid · 4096 + netuid`.
const MECHANISM_STRIDE: u16 = 4_096;

/// A fresh row for one mechanism's weights: salted and hashed, nothing sent.
///
/// # Errors
///
/// [`Error::Randomness`].
pub(crate) fn prepare(
    epoch: u64,
    weights: &MechanismReport,
    subnet: &SubnetSnapshot,
    me: &HotkeyId,
    version_key: u64,
) -> Result<CommitRow, Error> {
    let hotkeys = weights.uids.iter().map(|uid| hotkey_of(subnet, *uid).unwrap_or_default()).collect();
    let mut row = CommitRow {
        epoch,
        mecid: weights.mecid,
        commit_reveal: subnet.commit_reveal,
        single_mechanism: subnet.mechanism_count <= 1,
        uids: weights.uids.clone(),
        values: weights.weights.clone(),
        hotkeys,
        salt: Vec::new(),
        version_key,
        hash: [0; 32],
        state: CommitState::Prepared,
        block: subnet.head.number,
        chain_epoch: None,
        attempts: 0,
        detail: String::new(),
    };
    seal(&mut row, subnet, me)?;
    Ok(row)
}

/// The row as it must be now, where the subnet has changed since it was prepared: weights of a uid that passed to
/// another hotkey are dropped, and the chain's mode is followed. `None` where nothing has changed.
///
/// # Errors
///
/// [`Error::Randomness`].
pub(crate) fn refresh(
    row: &CommitRow,
    subnet: &SubnetSnapshot,
    me: &HotkeyId,
    version_key: u64,
) -> Result<Option<CommitRow>, Error> {
    let mut fresh = row.clone();
    fresh.commit_reveal = subnet.commit_reveal;
    fresh.single_mechanism = subnet.mechanism_count <= 1;
    fresh.version_key = version_key;
    let entries = row.uids.iter().zip(row.values.iter().zip(&row.hotkeys));
    let kept: Vec<_> = entries.filter(|(uid, (_, hotkey))| hotkey_of(subnet, **uid) == Some(**hotkey)).collect();
    fresh.uids = kept.iter().map(|(uid, _)| **uid).collect();
    fresh.values = kept.iter().map(|(_, (value, _))| **value).collect();
    fresh.hotkeys = kept.iter().map(|(_, (_, hotkey))| **hotkey).collect();
    if fresh == *row {
        return Ok(None);
    }
    for (uid, hotkey) in row.uids.iter().zip(&row.hotkeys).filter(|(uid, _)| !fresh.uids.contains(uid)) {
        tracing::warn!(epoch = row.epoch, mecid = row.mecid, uid, hotkey = %clawrank_protocol::Hotkey(*hotkey), "uid was replaced; its weight is dropped");
    }
    upscale(&mut fresh.values);
    fresh.block = subnet.head.number;
    seal(&mut fresh, subnet, me)?;
    Ok(Some(fresh))
}

/// Scales so that the largest is 65,535 again, as the chain would; rounded down, zeros kept out of nothing.
fn upscale(values: &mut [u16]) {
    let largest = u32::from(values.iter().copied().max().unwrap_or(0));
    if largest == 0 || largest == u32::from(u16::MAX) {
        return;
    }
    for value in values {
        let scaled = u32::from(*value).saturating_mul(u32::from(u16::MAX)).checked_div(largest).unwrap_or(0);
        *value = u16::try_from(scaled).unwrap_or(u16::MAX);
    }
}

fn seal(row: &mut CommitRow, subnet: &SubnetSnapshot, me: &HotkeyId) -> Result<(), Error> {
    let mut bytes = [0u8; SALT_LEN * 2];
    getrandom::fill(&mut bytes).map_err(Error::Randomness)?;
    row.salt = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    let index = u16::from(row.mecid).wrapping_mul(MECHANISM_STRIDE).wrapping_add(subnet.netuid);
    row.hash = weights_commit_hash(me, index, &row.uids, &row.values, &row.salt, row.version_key);
    Ok(())
}

fn hotkey_of(subnet: &SubnetSnapshot, uid: u16) -> Option<HotkeyId> {
    subnet.neurons.get(usize::from(uid)).map(|neuron| neuron.hotkey)
}

/// The call that commits the row, or that sets its weights at once.
pub(crate) fn first_call(row: &CommitRow, netuid: u16) -> Call {
    let (mecid, commit_hash, version_key) = (row.mecid, row.hash, row.version_key);
    let (dests, weights) = (row.uids.clone(), row.values.clone());
    match (row.commit_reveal, row.single_mechanism) {
        (true, true) => Call::CommitWeights { netuid, commit_hash },
        (true, false) => Call::CommitMechanismWeights { netuid, mecid, commit_hash },
        (false, true) => Call::SetWeights { netuid, dests, weights, version_key },
        (false, false) => Call::SetMechanismWeights { netuid, mecid, dests, weights, version_key },
    }
}

/// The call that reveals the row.
pub(crate) fn reveal_call(row: &CommitRow, netuid: u16) -> Call {
    let CommitRow { mecid, uids, values, salt, version_key, .. } = row.clone();
    if row.single_mechanism {
        Call::RevealWeights { netuid, uids, values, salt, version_key }
    } else {
        Call::RevealMechanismWeights { netuid, mecid, uids, values, salt, version_key }
    }
}
