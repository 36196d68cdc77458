// SPDX-License-Identifier: Apache-2.0

//! Announcing where a neuron can be reached.

use frame_support::{ensure, pallet_prelude::DispatchResult};

use crate::{
    pallet::*,
    types::{AxonInfo, NetUid},
};

/// 127.0.0.1 as an integer.
const LOCALHOST_V4: u128 = 0x7f00_0001;
/// ::1 as an integer.
const LOCALHOST_V6: u128 = 1;

/// Whether `ip` can be announced as version `ip_type`: not a loopback, not broadcast. Zero says "nowhere".
fn is_valid_address(ip_type: u8, ip: u128) -> bool {
    match ip_type {
        4 => ip < u128::from(u32::MAX) && ip != LOCALHOST_V4,
        6 => ip < u128::MAX && ip != LOCALHOST_V6,
        _ => false,
    }
}

impl<T: Config> Pallet<T> {
    /// Whether `hotkey` may announce `axon` on `netuid` in `axon.block`.
    ///
    /// # Errors
    ///
    /// - [`Error::HotKeyNotRegisteredInNetwork`]: the hotkey has no uid on the subnet.
    /// - [`Error::InvalidIpType`], [`Error::InvalidIpAddress`]: neither 4 nor 6; a loopback or broadcast address.
    /// - [`Error::ServingRateLimitExceeded`]: fewer than `ServingRateLimit` blocks since the last announcement.
    /// - [`Error::InvalidPort`]: port 0.
    pub fn ensure_axon(hotkey: &T::AccountId, netuid: NetUid, axon: &AxonInfo) -> Result<(), Error<T>> {
        ensure!(Uids::<T>::contains_key(netuid, hotkey), Error::<T>::HotKeyNotRegisteredInNetwork);
        ensure!(matches!(axon.ip_type, 4 | 6), Error::<T>::InvalidIpType);
        ensure!(is_valid_address(axon.ip_type, axon.ip), Error::<T>::InvalidIpAddress);
        if let Some(last) = Axons::<T>::get(netuid, hotkey) {
            let passed = axon.block.saturating_sub(last.block);
            ensure!(passed >= ServingRateLimit::<T>::get(netuid), Error::<T>::ServingRateLimitExceeded);
        }
        ensure!(axon.port != 0, Error::<T>::InvalidPort);
        Ok(())
    }

    pub(crate) fn do_serve_axon(hotkey: &T::AccountId, netuid: NetUid, axon: AxonInfo) -> DispatchResult {
        Self::ensure_axon(hotkey, netuid, &axon)?;
        Axons::<T>::insert(netuid, hotkey, axon);
        Self::deposit_event(Event::AxonServed(netuid, hotkey.clone()));
        Ok(())
    }
}
