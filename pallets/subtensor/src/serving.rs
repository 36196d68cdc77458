// SPDX-License-Identifier: Apache-2.0

//! Announcing where a neuron can be reached.

use frame_support::{ensure, pallet_prelude::DispatchResult};

use crate::{
    pallet::*,
    types::{AxonInfo, NetUid, NeuronCertificate, PrometheusInfo},
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
        Self::ensure_serving_rate(netuid, Axons::<T>::get(netuid, hotkey).map(|last| last.block), axon.block)?;
        ensure!(axon.port != 0, Error::<T>::InvalidPort);
        Ok(())
    }

    /// # Errors
    ///
    /// [`Error::ServingRateLimitExceeded`]: fewer than `ServingRateLimit` blocks from `last` to `block`.
    fn ensure_serving_rate(netuid: NetUid, last: Option<u64>, block: u64) -> Result<(), Error<T>> {
        let passed = last.map(|last| block.saturating_sub(last));
        let early = passed.is_some_and(|passed| passed < ServingRateLimit::<T>::get(netuid));
        ensure!(!early, Error::<T>::ServingRateLimitExceeded);
        Ok(())
    }

    /// Whether `hotkey` may announce `info` on `netuid` in `info.block`.
    ///
    /// # Errors
    ///
    /// - [`Error::InvalidIpType`], [`Error::InvalidIpAddress`]: neither 4 nor 6; zero, a loopback or broadcast address.
    /// - [`Error::HotKeyNotRegisteredInNetwork`]: the hotkey has no uid on the subnet.
    /// - [`Error::ServingRateLimitExceeded`]: fewer than `ServingRateLimit` blocks since the last announcement.
    /// - [`Error::InvalidPort`]: port 0.
    pub fn ensure_prometheus(hotkey: &T::AccountId, netuid: NetUid, info: &PrometheusInfo) -> Result<(), Error<T>> {
        ensure!(matches!(info.ip_type, 4 | 6), Error::<T>::InvalidIpType);
        ensure!(info.ip != 0 && is_valid_address(info.ip_type, info.ip), Error::<T>::InvalidIpAddress);
        ensure!(Uids::<T>::contains_key(netuid, hotkey), Error::<T>::HotKeyNotRegisteredInNetwork);
        Self::ensure_serving_rate(netuid, Prometheus::<T>::get(netuid, hotkey).map(|last| last.block), info.block)?;
        ensure!(info.port != 0, Error::<T>::InvalidPort);
        Ok(())
    }

    pub(crate) fn do_serve_prometheus(hotkey: &T::AccountId, netuid: NetUid, info: PrometheusInfo) -> DispatchResult {
        Self::ensure_prometheus(hotkey, netuid, &info)?;
        Prometheus::<T>::insert(netuid, hotkey, info);
        Self::deposit_event(Event::PrometheusServed(netuid, hotkey.clone()));
        Ok(())
    }

    /// Stores an axon, and its certificate when there is one. Bytes that are no certificate change none, as on the public
    /// chain.
    pub(crate) fn do_serve_axon(
        hotkey: &T::AccountId,
        netuid: NetUid,
        axon: AxonInfo,
        certificate: Option<&[u8]>,
    ) -> DispatchResult {
        Self::ensure_axon(hotkey, netuid, &axon)?;
        if let Some(certificate) = certificate.and_then(NeuronCertificate::from_bytes) {
            NeuronCertificates::<T>::insert(netuid, hotkey, certificate);
        }
        Axons::<T>::insert(netuid, hotkey, axon);
        Self::deposit_event(Event::AxonServed(netuid, hotkey.clone()));
        Ok(())
    }
}
