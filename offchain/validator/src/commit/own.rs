// SPDX-License-Identifier: Apache-2.0
//! The validator's own commits on chain, and those that its journal does not know.

use std::collections::{BTreeMap, BTreeSet};

use clawrank_client::{
    ChainPort, ClientError,
    types::{AccountId, Hash, SubnetSnapshot},
};
use clawrank_primitives::proof::blake2_256;
use clawrank_store::journal::{CommitForm, CommitRow};

use super::round::MAX_REVEAL_PERIOD_EPOCHS;

/// A commit of this hotkey on chain, of either form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnCommit {
    /// Salted or timelocked.
    pub form: CommitForm,
    /// The committed hash, or blake2-256 of the ciphertext.
    pub hash: Hash,
    /// Epoch the chain put it in.
    pub epoch: u64,
    /// Block of the commit.
    pub block: u64,
}

/// What the chain has of this hotkey for one mechanism.
#[derive(Clone, Debug, Default)]
pub(crate) struct OnChain {
    pub(crate) own: Vec<OwnCommit>,
    pub(crate) stored: Vec<(u16, u16)>,
}

/// Epochs in which a commit may be found that still matters: the running one, the one that the next block may begin,
/// and those of open rows. All that the chain keeps where `all`.
pub(crate) fn epochs(subnet: &SubnetSnapshot, rows: &[CommitRow], all: bool) -> BTreeSet<u64> {
    let (head, state) = (subnet.head.number, subnet.epoch_state());
    let now = state.epoch_at(head);
    let mut epochs = BTreeSet::from([now, state.epoch_at(head.saturating_add(1))]);
    for row in rows {
        match row.chain_epoch {
            Some(epoch) => drop(epochs.insert(epoch)),
            // It may have got into a block of the next epoch.
            None => epochs.extend([row.commit_epoch, row.commit_epoch.saturating_add(1)]),
        }
    }
    if all {
        let period = subnet.reveal_period_epochs.min(MAX_REVEAL_PERIOD_EPOCHS);
        epochs.extend(now.saturating_sub(period)..=now);
    }
    epochs.retain(|epoch| *epoch <= now.saturating_add(1));
    epochs
}

/// Reads commits, then weights: a commit that is gone by then has its weights there, if it ever gets them.
pub(crate) async fn read(
    chain: &dyn ChainPort,
    subnet: &SubnetSnapshot,
    me: &AccountId,
    mecid: u8,
    epochs: &BTreeSet<u64>,
    with_timelocked: bool,
) -> Result<OnChain, ClientError> {
    let netuid = subnet.netuid;
    let mut own: Vec<OwnCommit> = chain
        .weight_commits(netuid, mecid, me)
        .await?
        .into_iter()
        .map(|commit| OwnCommit {
            form: CommitForm::Salted,
            hash: commit.hash,
            epoch: commit.epoch,
            block: commit.block,
        })
        .collect();
    if with_timelocked {
        for epoch in epochs {
            let found = chain.timelocked_commits(netuid, mecid, *epoch).await?;
            own.extend(found.into_iter().filter(|commit| commit.hotkey == *me).map(|commit| OwnCommit {
                form: CommitForm::Timelocked,
                hash: blake2_256(&commit.commit),
                epoch: *epoch,
                block: commit.block,
            }));
        }
    }
    let uid = subnet.by_hotkey(me).map(|neuron| neuron.uid);
    let rows: BTreeMap<u16, Vec<(u16, u16)>> = chain.weights(netuid, mecid).await?.into_iter().collect();
    let stored = uid.and_then(|uid| rows.get(&uid).cloned()).unwrap_or_default();
    Ok(OnChain { own, stored })
}

/// Block of weights that this hotkey has set not long ago, for a validator whose journal has never sent any: within two
/// reveals of now, and after the registration, which counts as an update too.
pub(crate) fn set_elsewhere(subnet: &SubnetSnapshot, me: &AccountId, mecid: u8) -> Option<u64> {
    let neuron = subnet.by_hotkey(me)?;
    let last = neuron.last_update.get(usize::from(mecid)).copied().unwrap_or(0);
    let epochs = subnet.reveal_period_epochs.saturating_add(1);
    let recent = subnet.head.number.saturating_sub(epochs.saturating_mul(u64::from(subnet.tempo)));
    (last > neuron.registered_at && last >= recent && last > 0).then_some(last)
}
