// SPDX-License-Identifier: Apache-2.0

//! The price of a registration: [`clawrank_emission::price`] on what is stored.

use clawrank_emission::price;
use clawrank_units::Rao;

use crate::{pallet::*, types::*};

impl<T: Config> Pallet<T> {
    /// Lets the price of a registration fall by one block and the counter of the block start anew.
    pub(crate) fn decay_price(netuid: NetUid) {
        RegistrationsThisBlock::<T>::take(netuid);
        let before = Burn::<T>::get(netuid);
        let after = Self::clamped_price(netuid, price::decayed(Rao(before.0), BurnHalfLife::<T>::get(netuid)));
        if after != before {
            Burn::<T>::insert(netuid, after);
        }
    }

    /// Raises the price of a registration from `paid`, which was the last one's.
    pub(crate) fn raise_price(netuid: NetUid, paid: TaoBalance) {
        let raised = price::raised(Rao(paid.0), BurnIncreaseMult::<T>::get(netuid).bits);
        Burn::<T>::insert(netuid, Self::clamped_price(netuid, raised));
    }

    fn clamped_price(netuid: NetUid, price: Rao) -> TaoBalance {
        let (min, max) = (MinBurn::<T>::get(netuid), MaxBurn::<T>::get(netuid));
        TaoBalance(price::clamped(price, Rao(min.0), Rao(max.0)).get())
    }

    /// Price of a subnet; see [`price::subnet_price`]. The least one before the first was registered.
    pub fn network_lock_cost() -> TaoBalance {
        let least = NetworkMinLockCost::<T>::get();
        let Ok(since) = LastRateLimitedBlock::<T>::try_get(RateLimitKey::<T::AccountId>::NetworkLastRegistered) else {
            return least;
        };
        let (last, passed) = (Rao(NetworkLastLockCost::<T>::get().0), Self::block().saturating_sub(since));
        let interval = NetworkLockReductionInterval::<T>::get();
        TaoBalance(price::subnet_price(last, passed, interval, Rao(least.0)).get())
    }
}
