// SPDX-License-Identifier: Apache-2.0

use clawrank_primitives::Params;
use codec::DecodeAll;
use subxt::ext::scale_decode::DecodeAsType;

use super::Reader;
use crate::{
    ClientError,
    runtime::Key,
    shape::{SUBNET_PARAMS, ensure_exact, item},
    types::{AccountId, BundleCommit, EpochPayout, Hash},
};

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Bundle {
    root: Hash,
    count: u32,
    block: u64,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Settlement {
    payouts: Vec<Payout>,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Payout {
    uid: u16,
    amount: u64,
}

impl Reader<'_> {
    /// Bundle roots of an epoch, in the order of their blocks.
    pub(crate) async fn bundle_commits(&self, netuid: u16, epoch: u64) -> Result<Vec<BundleCommit>, ClientError> {
        let item = self.runtime.storage(item!("ProviderRank.Bundles"))?;
        let entries = self.scan(&item.prefix(&[Key::from(netuid), Key::from(epoch)])?).await?;
        let mut found = Vec::with_capacity(entries.len());
        for (key, value) in &entries {
            let hotkey: AccountId = item.last_key(key)?;
            if let Some(bundle) = item.decode::<Bundle>(Some(value))? {
                found.push(BundleCommit { hotkey, block: bundle.block, root: bundle.root, count: bundle.count });
            }
        }
        found.sort_unstable_by_key(|bundle| (bundle.block, bundle.hotkey));
        Ok(found)
    }

    /// Payouts above 0 that are still remembered, by epoch and uid.
    pub(crate) async fn payouts(&self, netuid: u16) -> Result<Vec<EpochPayout>, ClientError> {
        let item = self.runtime.storage(item!("ProviderRank.Settlements"))?;
        let entries = self.scan(&item.prefix(&[Key::from(netuid)])?).await?;
        let mut found = Vec::new();
        for (key, value) in &entries {
            let epoch: u64 = item.last_key(key)?;
            let payouts = item.decode::<Settlement>(Some(value))?.map(|settlement| settlement.payouts);
            let paid = payouts.unwrap_or_default().into_iter().filter(|payout| payout.amount > 0);
            found.extend(paid.map(|payout| EpochPayout { epoch, uid: payout.uid, amount_rao: payout.amount }));
        }
        found.sort_unstable_by_key(|payout| (payout.epoch, payout.uid));
        Ok(found)
    }

    /// Parameters stored for a subnet; none where the runtime keeps none.
    pub(crate) async fn params(&self, netuid: u16) -> Result<Option<Params>, ClientError> {
        if !self.runtime.has_storage(SUBNET_PARAMS) {
            return Ok(None);
        }
        ensure_exact(&self.runtime, SUBNET_PARAMS)?;
        let key = self.runtime.storage(SUBNET_PARAMS)?.key(&[Key::from(netuid)])?;
        let values = self.values(std::slice::from_ref(&key)).await?;
        values.get(&key).map(|bytes| decode_params(netuid, bytes)).transpose()
    }
}

/// Parameters from their stored bytes, refused where they are not whole or make no sense.
fn decode_params(netuid: u16, mut bytes: &[u8]) -> Result<Params, ClientError> {
    let refuse =
        |why: String| ClientError::Decode { item: format!("{} of netuid {netuid}", SUBNET_PARAMS.as_str()), why };
    let params = Params::decode_all(&mut bytes).map_err(|error| refuse(error.to_string()))?;
    params.ensure_valid().map_err(|error| refuse(error.to_string()))?;
    Ok(params)
}

#[cfg(test)]
mod tests;
