// SPDX-License-Identifier: Apache-2.0

//! What the runtime APIs of the public chain answer: its types, filled from this chain's storage.
//!
//! Every type has the SCALE shape of the public chain, whose clients decode it by field names. `docs/sdk.md` lists what
//! the fields that only a swap pool could give stand for where one alpha is one TAO.

pub mod basket;
pub mod delegate_info;
pub mod dynamic_info;
pub mod hyperparameters;
pub mod metagraph;
pub mod neuron_info;
pub mod proxy;
pub mod selective_metagraph;
pub mod show_subnet;
pub mod stake_info;
pub mod subnet_info;
pub mod swap;

use alloc::vec::Vec;
use codec::Compact;
use sp_runtime::PerU16;

use crate::{pallet::*, types::*};

/// Bytes as the public chain carries text: each as a compact integer.
pub(crate) fn text(bytes: &[u8]) -> Vec<Compact<u8>> {
    bytes.iter().copied().map(Compact).collect()
}

/// A list as compact integers.
pub(crate) fn compact<V: Copy>(list: &[V]) -> Vec<Compact<V>> {
    list.iter().copied().map(Compact).collect()
}

/// The value of one uid, or its zero.
pub(crate) fn at<V: Copy + Default>(list: &[V], uid: u16) -> V {
    list.get(usize::from(uid)).copied().unwrap_or_default()
}

/// As many zeros as there are neurons: what is not kept any more, on the public chain neither.
pub(crate) fn zeros<V: Default + Copy>(n: u16) -> Vec<Compact<V>> {
    alloc::vec![Compact(V::default()); usize::from(n)]
}

/// The raw part of 65,535.
pub(crate) fn raw(part: PerU16) -> u16 {
    part.deconstruct()
}

impl<T: Config> Pallet<T> {
    /// Every subnet that exists, ascending, the root network among them.
    pub fn all_netuids() -> Vec<NetUid> {
        let mut netuids: Vec<NetUid> =
            NetworksAdded::<T>::iter().filter(|(_, added)| *added).map(|(netuid, _)| netuid).collect();
        netuids.sort_unstable();
        netuids
    }

    /// Blocks after which a neuron without an update is inactive.
    pub fn activity_cutoff(netuid: NetUid) -> u64 {
        clawrank_emission::yuma::activity_cutoff(ActivityCutoffFactorMilli::<T>::get(netuid), Tempo::<T>::get(netuid))
    }

    /// The name that the owner gave a subnet, `root`, or nothing.
    pub fn subnet_name(netuid: NetUid) -> Vec<u8> {
        match SubnetIdentitiesV3::<T>::get(netuid) {
            Some(identity) => identity.subnet_name,
            None if netuid.is_root() => b"root".to_vec(),
            None => Vec::new(),
        }
    }

    /// Blocks since consensus last came about on a subnet.
    fn blocks_since_step(netuid: NetUid) -> u64 {
        Self::block().saturating_sub(LastMechansimStepBlock::<T>::get(netuid))
    }

    /// Alpha for miners and validators that waits for the epoch.
    fn pending_alpha(netuid: NetUid) -> AlphaBalance {
        let server = PendingServerEmission::<T>::get(netuid).0;
        AlphaBalance(server.saturating_add(PendingValidatorEmission::<T>::get(netuid).0))
    }

    /// TAO that backs the alpha of a subnet: as much as there is alpha. Of the root network: what is staked there.
    fn backing(netuid: NetUid) -> u64 {
        if netuid.is_root() { TotalAlphaStaked::<T>::get(netuid).0 } else { SubnetAlphaOut::<T>::get(netuid).0 }
    }

    /// A neuron's axon, or zeros.
    fn axon(netuid: NetUid, hotkey: &T::AccountId) -> AxonInfo {
        Axons::<T>::get(netuid, hotkey).unwrap_or_default()
    }
}
