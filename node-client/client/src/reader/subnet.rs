// SPDX-License-Identifier: Apache-2.0

use subxt::ext::scale_decode::DecodeAsType;

use super::{Plan, Reader, storage_index};
use crate::{
    ClientError,
    runtime::Key,
    shape::{StorageName, item},
    types::{AccountId, Axon, Head, Neuron, SubnetSnapshot, WeightCommit},
};

/// Most mechanisms of one subnet.
const MAX_MECHANISMS: u8 = 16;
/// The root network, whose stake counts on every subnet at `TaoWeight`.
const ROOT: u16 = 0;

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct AxonInfo {
    block: u64,
    version: u32,
    ip: u128,
    port: u16,
    ip_type: u8,
    protocol: u8,
}

/// What is stored per subnet, as lists over its uids.
struct Columns {
    active: Vec<bool>,
    permit: Vec<bool>,
    dividends: Vec<u16>,
    emission: Vec<u64>,
    last_update: Vec<Vec<u64>>,
    incentive: Vec<Vec<u16>>,
}

impl Reader<'_> {
    /// Everything of a subnet, in three round trips.
    pub(crate) async fn subnet(
        &self,
        head: Head,
        netuid: u16,
        block_time_ms: u64,
    ) -> Result<SubnetSnapshot, ClientError> {
        let of = [Key::from(netuid)];
        let mut plan = Plan::new(&self.runtime);
        for item in PER_SUBNET {
            plan.want(item, &of)?;
        }
        for item in [item!("SubtensorModule.SubnetOwnerHotkey"), item!("SubtensorModule.MechanismCountCurrent")] {
            plan.want_optional(item, &of)?;
        }
        for item in CHAIN_WIDE {
            plan.want_optional(item, &[])?;
        }
        for mecid in 0..MAX_MECHANISMS {
            let index = [Key::from(storage_index(netuid, mecid)?)];
            plan.want(item!("SubtensorModule.LastUpdate"), &index)?;
            plan.want(item!("SubtensorModule.Incentive"), &index)?;
        }
        let got = plan.fetch(self).await?;
        if !got.or_default::<bool>(item!("SubtensorModule.NetworksAdded"), &of)? {
            return Err(ClientError::UnknownSubnet { netuid });
        }
        let mechanism_count = if self.runtime.has_storage(item!("SubtensorModule.MechanismCountCurrent")) {
            got.or_default::<u8>(item!("SubtensorModule.MechanismCountCurrent"), &of)?.clamp(1, MAX_MECHANISMS)
        } else {
            1
        };
        let size: u16 = got.or_default(item!("SubtensorModule.SubnetworkN"), &of)?;
        let mut columns = Columns {
            active: got.or_default(item!("SubtensorModule.Active"), &of)?,
            permit: got.or_default(item!("SubtensorModule.ValidatorPermit"), &of)?,
            dividends: got.or_default(item!("SubtensorModule.Dividends"), &of)?,
            emission: got.or_default(item!("SubtensorModule.Emission"), &of)?,
            last_update: Vec::new(),
            incentive: Vec::new(),
        };
        for mecid in 0..mechanism_count {
            let index = [Key::from(storage_index(netuid, mecid)?)];
            columns.last_update.push(got.or_default(item!("SubtensorModule.LastUpdate"), &index)?);
            columns.incentive.push(got.or_default(item!("SubtensorModule.Incentive"), &index)?);
        }
        let tao_weight: u64 = got.or_default(item!("SubtensorModule.TaoWeight"), &[])?;
        let neurons = self.neurons(netuid, size, tao_weight, &columns).await?;
        let owner_hotkey: AccountId = got.or_default(item!("SubtensorModule.SubnetOwnerHotkey"), &of)?;
        let owner_coldkey: AccountId = got.or_default(item!("SubtensorModule.SubnetOwner"), &of)?;
        let owner_uid = neurons
            .iter()
            .find(|neuron| owner_hotkey != AccountId::default() && neuron.hotkey == owner_hotkey)
            .map(|neuron| neuron.uid);
        Ok(SubnetSnapshot {
            head,
            netuid,
            tempo: got.or_default(item!("SubtensorModule.Tempo"), &of)?,
            epoch_index: got.or_default(item!("SubtensorModule.SubnetEpochIndex"), &of)?,
            last_epoch_block: got.or_default(item!("SubtensorModule.LastEpochBlock"), &of)?,
            pending_epoch_at: got.or_default(item!("SubtensorModule.PendingEpochAt"), &of)?,
            blocks_since_last_step: got.or_default(item!("SubtensorModule.BlocksSinceLastStep"), &of)?,
            owner_coldkey: (owner_coldkey != AccountId::default()).then_some(owner_coldkey),
            owner_uid,
            commit_reveal: got.or_default(item!("SubtensorModule.CommitRevealWeightsEnabled"), &of)?,
            commit_reveal_version: got.or_default(item!("SubtensorModule.CommitRevealWeightsVersion"), &[])?,
            reveal_period_epochs: got.or_default(item!("SubtensorModule.RevealPeriodEpochs"), &of)?,
            weights_rate_limit: got.or_default(item!("SubtensorModule.WeightsSetRateLimit"), &of)?,
            weights_version_key: got.or_default(item!("SubtensorModule.WeightsVersionKey"), &of)?,
            min_allowed_weights: got.or_default(item!("SubtensorModule.MinAllowedWeights"), &of)?,
            max_allowed_uids: got.or_default(item!("SubtensorModule.MaxAllowedUids"), &of)?,
            immunity_period: got.or_default(item!("SubtensorModule.ImmunityPeriod"), &of)?,
            mechanism_count,
            max_mechanisms: got
                .or_default::<u8>(item!("SubtensorModule.MaxMechanismCount"), &[])?
                .clamp(1, MAX_MECHANISMS),
            stake_threshold_rao: got.or_default(item!("SubtensorModule.StakeThreshold"), &[])?,
            block_time_ms,
            neurons,
        })
    }

    /// All uids: their keys in one round trip, what hangs on the keys in a second.
    async fn neurons(
        &self,
        netuid: u16,
        size: u16,
        tao_weight: u64,
        columns: &Columns,
    ) -> Result<Vec<Neuron>, ClientError> {
        let mut plan = Plan::new(&self.runtime);
        for uid in 0..size {
            let of = [Key::from(netuid), Key::from(uid)];
            plan.want(item!("SubtensorModule.Keys"), &of)?;
            plan.want(item!("SubtensorModule.BlockAtRegistration"), &of)?;
        }
        let slots = plan.fetch(self).await?;
        let mut hotkeys: Vec<AccountId> = Vec::with_capacity(size.into());
        let mut plan = Plan::new(&self.runtime);
        for uid in 0..size {
            let hotkey: AccountId =
                slots.or_default(item!("SubtensorModule.Keys"), &[Key::from(netuid), Key::from(uid)])?;
            plan.want(item!("SubtensorModule.Owner"), &[Key::from(&hotkey)])?;
            plan.want(item!("SubtensorModule.TotalHotkeyAlpha"), &[Key::from(&hotkey), Key::from(netuid)])?;
            plan.want(item!("SubtensorModule.TotalHotkeyAlpha"), &[Key::from(&hotkey), Key::from(ROOT)])?;
            plan.want(item!("SubtensorModule.Axons"), &[Key::from(netuid), Key::from(&hotkey)])?;
            hotkeys.push(hotkey);
        }
        let details = plan.fetch(self).await?;
        let mut neurons = Vec::with_capacity(hotkeys.len());
        for (uid, hotkey) in (0..size).zip(hotkeys) {
            let at = usize::from(uid);
            let stake = |of: u16| {
                details
                    .or_default::<u64>(item!("SubtensorModule.TotalHotkeyAlpha"), &[Key::from(&hotkey), Key::from(of)])
            };
            let axon: Option<AxonInfo> =
                details.stored(item!("SubtensorModule.Axons"), &[Key::from(netuid), Key::from(&hotkey)])?;
            neurons.push(Neuron {
                uid,
                hotkey,
                coldkey: details.or_default(item!("SubtensorModule.Owner"), &[Key::from(&hotkey)])?,
                stake_rao: stake(netuid)?.saturating_add(weighted(stake(ROOT)?, tao_weight)),
                validator_permit: columns.permit.get(at).copied().unwrap_or_default(),
                active: columns.active.get(at).copied().unwrap_or_default(),
                registered_at: slots
                    .or_default(item!("SubtensorModule.BlockAtRegistration"), &[Key::from(netuid), Key::from(uid)])?,
                axon: axon.filter(|axon| axon.port != 0 || axon.ip != 0).map(|axon| Axon {
                    block: axon.block,
                    version: axon.version,
                    ip: axon.ip,
                    port: axon.port,
                    ip_type: axon.ip_type,
                    protocol: axon.protocol,
                }),
                last_update: columns.last_update.iter().map(|list| list.get(at).copied().unwrap_or_default()).collect(),
                incentive: columns.incentive.iter().map(|list| list.get(at).copied().unwrap_or_default()).collect(),
                dividends: columns.dividends.get(at).copied().unwrap_or_default(),
                emission_rao: columns.emission.get(at).copied().unwrap_or_default(),
            });
        }
        Ok(neurons)
    }

    /// Stored weights of a mechanism, by uid; rows without weights left out.
    pub(crate) async fn weights(&self, netuid: u16, mecid: u8) -> Result<Vec<(u16, Vec<(u16, u16)>)>, ClientError> {
        let index = Key::from(storage_index(netuid, mecid)?);
        let size: u16 =
            self.value(item!("SubtensorModule.SubnetworkN"), &[Key::from(netuid)]).await?.unwrap_or_default();
        let mut plan = Plan::new(&self.runtime);
        for uid in 0..size {
            plan.want(item!("SubtensorModule.Weights"), &[index, Key::from(uid)])?;
        }
        let got = plan.fetch(self).await?;
        let mut rows = Vec::new();
        for uid in 0..size {
            let row: Vec<(u16, u16)> = got.or_default(item!("SubtensorModule.Weights"), &[index, Key::from(uid)])?;
            if !row.is_empty() {
                rows.push((uid, row));
            }
        }
        Ok(rows)
    }

    /// Unrevealed commits of one hotkey, oldest first.
    pub(crate) async fn weight_commits(
        &self,
        netuid: u16,
        mecid: u8,
        hotkey: &AccountId,
    ) -> Result<Vec<WeightCommit>, ClientError> {
        /// Hash, epoch and block of the commit, and a field that the chain no longer uses.
        type Entry = ([u8; 32], u64, u64, u64);
        let index = Key::from(storage_index(netuid, mecid)?);
        let queue: Option<Vec<Entry>> =
            self.value(item!("SubtensorModule.WeightCommits"), &[index, Key::from(hotkey)]).await?;
        let commits = queue.unwrap_or_default().into_iter();
        Ok(commits.map(|(hash, epoch, block, _)| WeightCommit { hash, epoch, block }).collect())
    }
}

/// `stake · weight / u64::MAX`, rounded down: root stake as it counts on a subnet.
fn weighted(stake: u64, weight: u64) -> u64 {
    let product = u128::from(stake).saturating_mul(u128::from(weight));
    u64::try_from(product.checked_div(u128::from(u64::MAX)).unwrap_or_default()).unwrap_or(u64::MAX)
}

/// Items without a key, all of which the chain may lack.
const CHAIN_WIDE: [StorageName; 4] = [
    item!("SubtensorModule.StakeThreshold"),
    item!("SubtensorModule.TaoWeight"),
    item!("SubtensorModule.CommitRevealWeightsVersion"),
    item!("SubtensorModule.MaxMechanismCount"),
];

const PER_SUBNET: [StorageName; 19] = [
    item!("SubtensorModule.NetworksAdded"),
    item!("SubtensorModule.SubnetworkN"),
    item!("SubtensorModule.Tempo"),
    item!("SubtensorModule.SubnetEpochIndex"),
    item!("SubtensorModule.LastEpochBlock"),
    item!("SubtensorModule.PendingEpochAt"),
    item!("SubtensorModule.BlocksSinceLastStep"),
    item!("SubtensorModule.SubnetOwner"),
    item!("SubtensorModule.CommitRevealWeightsEnabled"),
    item!("SubtensorModule.RevealPeriodEpochs"),
    item!("SubtensorModule.WeightsSetRateLimit"),
    item!("SubtensorModule.WeightsVersionKey"),
    item!("SubtensorModule.MinAllowedWeights"),
    item!("SubtensorModule.MaxAllowedUids"),
    item!("SubtensorModule.ImmunityPeriod"),
    item!("SubtensorModule.Active"),
    item!("SubtensorModule.ValidatorPermit"),
    item!("SubtensorModule.Dividends"),
    item!("SubtensorModule.Emission"),
];
