// SPDX-License-Identifier: Apache-2.0

//! Baskets of root stake. This chain has none: nobody holds a part, and every amount is zero. Clients ask all the same.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;

use crate::types::{AlphaBalance, FixedU128, NetUid, TaoBalance};

/// A validator's basket.
#[allow(missing_docs, reason = "the public chain's names; there is no basket on this chain")]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BasketSummary<AccountId> {
    pub hotkey: AccountId,
    pub nav_tao: TaoBalance,
    pub spot_nav_tao: TaoBalance,
    pub shares: u64,
    pub deposited_tao: TaoBalance,
    pub redeemed_tao: TaoBalance,
    pub holdings: Vec<BasketHolding>,
}

impl<AccountId> BasketSummary<AccountId> {
    /// The basket of a validator that has none.
    pub fn empty(hotkey: AccountId) -> Self {
        let none = TaoBalance(0);
        Self {
            hotkey,
            nav_tao: none,
            spot_nav_tao: none,
            shares: 0,
            deposited_tao: none,
            redeemed_tao: none,
            holdings: Vec::new(),
        }
    }
}

/// Alpha in a basket.
#[allow(missing_docs, reason = "the public chain's names; there is no basket on this chain")]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BasketHolding {
    pub netuid: NetUid,
    pub alpha: AlphaBalance,
    pub spot_tao: TaoBalance,
    pub realizable_tao: TaoBalance,
}

/// A coldkey's part of a basket.
#[allow(missing_docs, reason = "the public chain's names; there is no basket on this chain")]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BasketPosition<AccountId> {
    pub hotkey: AccountId,
    pub beta: u64,
    pub beta_total: u64,
    pub nav_tao: TaoBalance,
    pub value_tao: TaoBalance,
    pub spot_value_tao: TaoBalance,
}

/// What a part of a basket is worth.
#[allow(missing_docs, reason = "the public chain's names; there is no basket on this chain")]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BetaPricing<AccountId> {
    pub hotkey: AccountId,
    pub spot_price: FixedU128,
    pub display_price: FixedU128,
    pub stake_price: FixedU128,
    pub staker_yield: FixedU128,
    pub staker_twr: FixedU128,
    pub bag_index: FixedU128,
    pub stake_index: FixedU128,
    pub first_block: u64,
    pub provisional: bool,
    pub spot_nav_tao: TaoBalance,
    pub shares: u64,
    pub display_shares: FixedU128,
}

/// Some of the prices, and where to go on.
#[allow(missing_docs, reason = "the public chain's names; there is no basket on this chain")]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BetaPricingPage<AccountId> {
    pub pricing: Vec<BetaPricing<AccountId>>,
    pub next: Option<AccountId>,
}

/// A coldkey's part of a basket, as it is shown.
#[allow(missing_docs, reason = "the public chain's names; there is no basket on this chain")]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BetaPosition<AccountId> {
    pub hotkey: AccountId,
    pub beta: u64,
    pub display_beta: FixedU128,
    pub display_price: FixedU128,
    pub value_tao: TaoBalance,
    pub spot_value_tao: TaoBalance,
    pub provisional: bool,
}

/// Whether a basket may trade.
#[allow(missing_docs, reason = "the public chain's names; there is no basket on this chain")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BasketTradingStatus {
    pub enabled: bool,
    pub frozen: bool,
    pub refill_blocks: u64,
    pub tao_available: TaoBalance,
    pub budget_tao: TaoBalance,
}
