// SPDX-License-Identifier: Apache-2.0
//! Weights on their way to the chain: payload, salt and ciphertext, what to do next, and doing it.
//!
//! Every step is decided from the journal and the chain's own state by [`plan::next`], a pure function; the journal is
//! written before the chain is asked. So a process that is killed anywhere goes on where it was: it reveals what it
//! committed, and sends a commit again only when the chain does not have it.
//!
//! `docs/validator.md` has the states of a commit on one page.

use clawrank_client::types::{Beacon, Call, SubnetSnapshot};
use clawrank_primitives::proof::{HotkeyId, blake2_256, weights_commit_hash};
use clawrank_store::journal::{CommitForm, CommitRow, CommitState};
use clawrank_timelock::WeightsPayload;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde::{Deserialize, Serialize};

use crate::{Error, report::MechanismReport};

pub mod blocked;
mod committer;
pub mod own;
pub mod plan;
pub mod round;
mod send;
pub mod standing;
mod survey;
#[cfg(test)]
mod tests;

pub(crate) use committer::Committer;

/// Numbers of the salt: 128 bits of the operating system's randomness.
const SALT_LEN: usize = 8;
/// Mechanisms of a subnet are stored at `mecid · 4096 + netuid`.
const MECHANISM_STRIDE: u16 = 4_096;

/// How weights are committed where the subnet wants them committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitMode {
    /// Timelocked where the chain has a beacon and has stored any of its rounds, salted elsewhere.
    #[default]
    Auto,
    /// Timelocked; nothing is committed on a chain without a beacon.
    Timelock,
    /// Salted, with a second call for the reveal.
    Salted,
}

/// A row of one mechanism's weights, nothing sealed, nothing sent.
pub(crate) fn prepare(epoch: u64, weights: &MechanismReport, subnet: &SubnetSnapshot, version_key: u64) -> CommitRow {
    CommitRow {
        epoch,
        mecid: weights.mecid,
        seq: 0,
        commit_epoch: epoch,
        form: if subnet.commit_reveal { CommitForm::Salted } else { CommitForm::Plain },
        single_mechanism: subnet.mechanism_count <= 1,
        uids: weights.uids.clone(),
        values: weights.weights.clone(),
        hotkeys: weights.uids.iter().map(|uid| hotkey_of(subnet, *uid).unwrap_or_default()).collect(),
        salt: Vec::new(),
        version_key,
        ciphertext: Vec::new(),
        round: 0,
        hash: [0; 32],
        state: CommitState::Prepared,
        block: subnet.head.number,
        chain_epoch: None,
        commit_block: None,
        attempts: 0,
        detail: String::new(),
    }
}

/// A row to be committed in `commit_epoch` in the place of `row`: the same weights, unsealed.
pub(crate) fn again(row: &CommitRow, commit_epoch: u64, block: u64, why: &str) -> CommitRow {
    CommitRow {
        seq: row.seq.saturating_add(1),
        commit_epoch,
        salt: Vec::new(),
        ciphertext: Vec::new(),
        round: 0,
        hash: [0; 32],
        state: CommitState::Prepared,
        block,
        chain_epoch: None,
        commit_block: None,
        attempts: 0,
        detail: why.to_owned(),
        ..row.clone()
    }
}

/// Weights of uids that passed to another hotkey since are dropped, and what is left is scaled up again.
pub(crate) fn drop_replaced(row: &mut CommitRow, subnet: &SubnetSnapshot) {
    let entries = row.uids.iter().zip(row.values.iter().zip(&row.hotkeys));
    let (mut uids, mut values, mut hotkeys) = (Vec::new(), Vec::new(), Vec::new());
    for (uid, (value, hotkey)) in entries {
        if hotkey_of(subnet, *uid) == Some(*hotkey) {
            uids.push(*uid);
            values.push(*value);
            hotkeys.push(*hotkey);
        } else {
            let hotkey = clawrank_protocol::Hotkey(*hotkey);
            tracing::warn!(epoch = row.epoch, mecid = row.mecid, uid, %hotkey, "uid was replaced; its weight is dropped");
        }
    }
    if uids.len() < row.uids.len() {
        upscale(&mut values);
        (row.uids, row.values, row.hotkeys) = (uids, values, hotkeys);
        unseal(row);
    }
}

/// Forgets salt and ciphertext, which belong to another payload.
fn unseal(row: &mut CommitRow) {
    row.salt.clear();
    row.ciphertext.clear();
    row.round = 0;
    row.hash = [0; 32];
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

/// What a seal is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Seal<'a> {
    /// Set at once: nothing to hide.
    Plain,
    /// A fresh salt and its hash.
    Salted,
    /// A ciphertext for a round of a beacon.
    Timelocked {
        /// The beacon.
        beacon: &'a Beacon,
        /// The round.
        round: u64,
    },
}

/// Makes a row ready to be sent: with fresh randomness, under the hotkey `me`.
///
/// # Errors
///
/// [`Error::Randomness`], or [`Error::Timelock`] where the payload or the beacon's key cannot be used.
pub(crate) fn seal(row: &mut CommitRow, subnet: &SubnetSnapshot, me: &HotkeyId, how: Seal<'_>) -> Result<(), Error> {
    unseal(row);
    row.single_mechanism = subnet.mechanism_count <= 1;
    match how {
        Seal::Plain => row.form = CommitForm::Plain,
        Seal::Salted => {
            row.form = CommitForm::Salted;
            let mut bytes = [0u8; SALT_LEN * 2];
            getrandom::fill(&mut bytes).map_err(Error::Randomness)?;
            row.salt = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
            let index = u16::from(row.mecid).wrapping_mul(MECHANISM_STRIDE).wrapping_add(subnet.netuid);
            row.hash = weights_commit_hash(me, index, &row.uids, &row.values, &row.salt, row.version_key);
        }
        Seal::Timelocked { beacon, round } => {
            row.form = CommitForm::Timelocked;
            let mut seed = [0u8; 32];
            getrandom::fill(&mut seed).map_err(Error::Randomness)?;
            let payload = WeightsPayload {
                hotkey: *me,
                uids: row.uids.clone(),
                values: row.values.clone(),
                version_key: row.version_key,
            };
            let mut rng = ChaCha20Rng::from_seed(seed);
            row.ciphertext = clawrank_timelock::encrypt(&beacon.public_key, round, &payload.encode(), &mut rng)?;
            row.round = round;
            row.hash = blake2_256(&row.ciphertext);
        }
    }
    Ok(())
}

/// The hotkey of a uid.
pub(crate) fn hotkey_of(subnet: &SubnetSnapshot, uid: u16) -> Option<HotkeyId> {
    subnet.neurons.get(usize::from(uid)).map(|neuron| neuron.hotkey)
}

/// The call that commits the row, or that sets its weights at once.
pub(crate) fn first_call(row: &CommitRow, netuid: u16) -> Call {
    let (mecid, commit_hash, version_key) = (row.mecid, row.hash, row.version_key);
    let (dests, weights) = (row.uids.clone(), row.values.clone());
    match (row.form, row.single_mechanism) {
        (CommitForm::Plain, true) => Call::SetWeights { netuid, dests, weights, version_key },
        (CommitForm::Plain, false) => Call::SetMechanismWeights { netuid, mecid, dests, weights, version_key },
        (CommitForm::Salted, true) => Call::CommitWeights { netuid, commit_hash },
        (CommitForm::Salted, false) => Call::CommitMechanismWeights { netuid, mecid, commit_hash },
        (CommitForm::Timelocked, _) => Call::CommitTimelockedWeights {
            netuid,
            mecid,
            commit: row.ciphertext.clone(),
            reveal_round: row.round,
            version: blocked::COMMIT_REVEAL_VERSION,
        },
    }
}

/// The call that reveals a salted row.
pub(crate) fn reveal_call(row: &CommitRow, netuid: u16) -> Call {
    let CommitRow { mecid, uids, values, salt, version_key, .. } = row.clone();
    if row.single_mechanism {
        Call::RevealWeights { netuid, uids, values, salt, version_key }
    } else {
        Call::RevealMechanismWeights { netuid, mecid, uids, values, salt, version_key }
    }
}
