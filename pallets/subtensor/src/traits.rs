// SPDX-License-Identifier: Apache-2.0

//! What other pallets may ask about subnets.

use alloc::vec::Vec;

use crate::types::NetUid;

/// Where a subnet stands in its schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochInfo {
    /// How many epochs the subnet has had: the number of the one that runs.
    pub index: u64,
    /// Block in which it began.
    pub start: u64,
    /// Blocks until the next, unless it is put off or brought forward.
    pub tempo: u16,
}

/// Read access to subnets, so that a pallet need not know how they are stored.
pub trait SubnetInfo<AccountId> {
    /// Where `netuid` stands in its schedule; `None` when there is no such subnet.
    fn epoch(netuid: NetUid) -> Option<EpochInfo>;

    /// The uid of `hotkey` on `netuid`.
    fn uid(netuid: NetUid, hotkey: &AccountId) -> Option<u16>;

    /// The hotkey of `uid` on `netuid`.
    fn hotkey(netuid: NetUid, uid: u16) -> Option<AccountId>;

    /// Whether `hotkey` holds a validator permit on `netuid`.
    fn has_permit(netuid: NetUid, hotkey: &AccountId) -> bool;

    /// Every hotkey that holds a validator permit on `netuid`, with its stake weight in rao; at most
    /// [`crate::MAX_UIDS`] of them, by ascending uid.
    fn validators(netuid: NetUid) -> Vec<(AccountId, u64)>;

    /// The coldkey that owns `netuid`.
    fn owner(netuid: NetUid) -> Option<AccountId>;

    /// The uid that the owner's hotkey has on `netuid`.
    fn owner_uid(netuid: NetUid) -> Option<u16>;

    /// Drops every bond on the neuron of `hotkey`, where `netuid` lets commitments do that; whether it did.
    fn reset_bonds(netuid: NetUid, hotkey: &AccountId) -> bool;

    /// Creates `netuid` with `hotkeys` as its neurons, all of them staked and with a permit.
    #[cfg(feature = "runtime-benchmarks")]
    fn set_up(netuid: NetUid, hotkeys: &[AccountId]);
}

/// Told when a neuron loses its uid, so that what is stored of it elsewhere can go too.
pub trait OnNeuronRemoved<AccountId> {
    /// `hotkey` has no uid on `netuid` any more.
    fn on_neuron_removed(netuid: NetUid, hotkey: &AccountId);
}

impl<AccountId> OnNeuronRemoved<AccountId> for () {
    fn on_neuron_removed(_: NetUid, _: &AccountId) {}
}
