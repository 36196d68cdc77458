// SPDX-License-Identifier: Apache-2.0

use subxt::ext::scale_decode::DecodeAsType;

use super::{Plan, Reader, storage_index};
use crate::{
    ClientError,
    runtime::Key,
    shape::StorageName,
    types::{AccountId, Beacon, TimelockedCommit},
};

const COMMITS: StorageName = StorageName::of("SubtensorModule.TimelockedWeightCommits");
const CONFIG: StorageName = StorageName::of("Drand.BeaconConfig");
const PULSES: StorageName = StorageName::of("Drand.Pulses");
const LAST: StorageName = StorageName::of("Drand.LastStoredRound");

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct BeaconConfig {
    public_key: Vec<u8>,
    period: u32,
    genesis_time: u64,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Pulse {
    signature: Vec<u8>,
}

impl Reader<'_> {
    /// Timelocked commits made in an epoch, oldest first.
    pub(crate) async fn timelocked_commits(
        &self,
        netuid: u16,
        mecid: u8,
        epoch: u64,
    ) -> Result<Vec<TimelockedCommit>, ClientError> {
        /// Committer, block, ciphertext, round.
        type Entry = (AccountId, u64, Vec<u8>, u64);
        if !self.runtime.has_storage(COMMITS) {
            return Ok(Vec::new());
        }
        let index = Key::from(storage_index(netuid, mecid)?);
        let queue: Option<Vec<Entry>> = self.value(COMMITS, &[index, Key::from(epoch)]).await?;
        let entries = queue.unwrap_or_default().into_iter();
        Ok(entries
            .map(|(hotkey, block, commit, reveal_round)| TimelockedCommit { hotkey, block, commit, reveal_round })
            .collect())
    }

    /// The beacon; `None` without a pallet for one.
    pub(crate) async fn beacon(&self) -> Result<Option<Beacon>, ClientError> {
        if !self.runtime.has_pallet("Drand") {
            return Ok(None);
        }
        let mut plan = Plan::new(&self.runtime);
        plan.want(CONFIG, &[])?;
        plan.want(LAST, &[])?;
        let got = plan.fetch(self).await?;
        let Some(config) = got.get::<BeaconConfig>(CONFIG, &[])? else { return Ok(None) };
        Ok(Some(Beacon {
            public_key: self.bytes(CONFIG, "public key", config.public_key)?,
            genesis_time: config.genesis_time,
            period: config.period,
            last_stored_round: got.or_default(LAST, &[])?,
        }))
    }

    /// The signature of a round.
    pub(crate) async fn pulse(&self, round: u64) -> Result<Option<[u8; 48]>, ClientError> {
        if !self.runtime.has_pallet("Drand") {
            return Ok(None);
        }
        let pulse: Option<Pulse> = self.value(PULSES, &[Key::from(round)]).await?;
        pulse.map(|pulse| self.bytes(PULSES, "signature", pulse.signature)).transpose()
    }

    fn bytes<const N: usize>(&self, item: StorageName, what: &str, found: Vec<u8>) -> Result<[u8; N], ClientError> {
        <[u8; N]>::try_from(found).map_err(|found| {
            self.runtime.unsupported(item.as_str(), format!("its {what} has {} bytes instead of {N}", found.len()))
        })
    }
}
