// SPDX-License-Identifier: Apache-2.0

//! Prices and swaps, which are all one to one and free.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;

use crate::{pallet::*, types::*};

/// Rao of TAO that 10^9 rao of any alpha are worth.
const PRICE: u64 = 1_000_000_000;

/// The price of a subnet's alpha.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SubnetPrice {
    /// Subnet.
    pub netuid: NetUid,
    /// Rao of TAO for 10^9 rao of alpha.
    pub price: u64,
}

/// What a swap would give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SimSwapResult {
    /// TAO on its one side.
    pub tao_amount: TaoBalance,
    /// Alpha on the other.
    pub alpha_amount: AlphaBalance,
    /// Fee in TAO: none.
    pub tao_fee: TaoBalance,
    /// Fee in alpha: none.
    pub alpha_fee: AlphaBalance,
    /// TAO lost to the depth of the pool: none.
    pub tao_slippage: TaoBalance,
    /// Alpha lost to the depth of the pool: none.
    pub alpha_slippage: AlphaBalance,
}

impl<T: Config> Pallet<T> {
    /// Rao of TAO for 10^9 rao of the alpha of `netuid`: 10^9, and 0 when there is no such subnet.
    pub fn current_alpha_price(netuid: NetUid) -> u64 {
        if NetworksAdded::<T>::get(netuid) { PRICE } else { 0 }
    }

    /// The price of every subnet's alpha, the root network's too.
    pub fn current_alpha_price_all() -> Vec<SubnetPrice> {
        Self::all_netuids().into_iter().map(|netuid| SubnetPrice { netuid, price: PRICE }).collect()
    }

    /// What `amount` rao of one side give on the other: as many.
    pub fn sim_swap(amount: u64) -> SimSwapResult {
        SimSwapResult {
            tao_amount: TaoBalance(amount),
            alpha_amount: AlphaBalance(amount),
            tao_fee: TaoBalance(0),
            alpha_fee: AlphaBalance(0),
            tao_slippage: TaoBalance(0),
            alpha_slippage: AlphaBalance(0),
        }
    }
}
