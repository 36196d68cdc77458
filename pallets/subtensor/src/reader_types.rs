// SPDX-License-Identifier: Apache-2.0

//! Types of the public chain that only readers meet: same names, same SCALE bytes.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::Get;
use scale_info::TypeInfo;
use sp_runtime::{PerU16, Percent};

use crate::types::{AlphaBalance, FixedU128, NetUid, SubnetIdentityV3, TaoBalance};

macro_rules! signed_fixed {
    ($(#[$doc:meta])* $name:ident($bits:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, DecodeWithMemTracking,
            MaxEncodedLen, TypeInfo,
        )]
        pub struct $name {
            /// The number times 2^32.
            pub bits: $bits,
        }

        impl $name {
            /// A whole number.
            #[must_use]
            pub const fn from_int(value: i16) -> Self {
                Self { bits: (value as $bits).saturating_mul(1 << 32) }
            }
        }
    };
}

signed_fixed! {
    /// A signed 96.32 fixed-point number in the encoding of the `substrate-fixed` crate.
    FixedI128(i128)
}
signed_fixed! {
    /// A signed 32.32 fixed-point number in the encoding of the `substrate-fixed` crate.
    FixedI64(i64)
}

/// 1 as an unsigned 64.64 fixed-point number.
pub struct FixedOne;

impl Get<FixedU128> for FixedOne {
    fn get() -> FixedU128 {
        FixedU128 { bits: 1 << 64 }
    }
}

/// 500,000 rao as a 96.32 fixed-point number.
pub struct DefaultRootClaimableThreshold;

impl Get<FixedI128> for DefaultRootClaimableThreshold {
    fn get() -> FixedI128 {
        FixedI128 { bits: 500_000 << 32 }
    }
}

/// 18 % of 65,535: the take of a hotkey.
pub struct DefaultTake;

impl Get<PerU16> for DefaultTake {
    fn get() -> PerU16 {
        PerU16::from_parts(11_796)
    }
}

/// What the owner of a coldkey says about itself, each field UTF-8 by convention.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ChainIdentityV2 {
    /// Name of the owner.
    pub name: Vec<u8>,
    /// Its site.
    pub url: Vec<u8>,
    /// Where its code is.
    pub github_repo: Vec<u8>,
    /// Its picture.
    pub image: Vec<u8>,
    /// Its Discord.
    pub discord: Vec<u8>,
    /// What it does.
    pub description: Vec<u8>,
    /// Anything else.
    pub additional: Vec<u8>,
}

/// A registration of a subnet that waits for another to be dissolved.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct NetworkRegistrationInfo<AccountId> {
    /// Who pays.
    pub coldkey: AccountId,
    /// Who becomes uid 0.
    pub hotkey: AccountId,
    /// Modality of the subnet.
    pub mechid: u16,
    /// What the owner says about it.
    pub identity: Option<SubnetIdentityV3>,
    /// What was paid.
    pub lock_amount: TaoBalance,
    /// Price of alpha at the time.
    pub median_subnet_alpha_price: FixedU128,
    /// Block of the request.
    pub registration_block: u64,
    /// Number of the amount paid.
    pub lock_id: u32,
}

/// Collateral of a miner.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct MinerCollateralState {
    /// What is locked.
    pub locked: AlphaBalance,
    /// Alpha that is released per alpha earned.
    pub drain_ratio: FixedU128,
    /// What stays locked.
    pub min_locked: AlphaBalance,
    /// What was earned.
    pub earned: AlphaBalance,
}

/// A subnet that is owned for a time.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct SubnetLease<AccountId, BlockNumber> {
    /// Who acts as its owner.
    pub beneficiary: AccountId,
    /// The coldkey that owns it.
    pub coldkey: AccountId,
    /// The hotkey of its owner.
    pub hotkey: AccountId,
    /// Part of the owner's cut that goes to those who paid.
    pub emissions_share: Percent,
    /// The block in which it ends, if it does.
    pub end_block: Option<BlockNumber>,
    /// The subnet.
    pub netuid: NetUid,
    /// What it cost.
    pub cost: TaoBalance,
}

/// How far the dissolution of a subnet is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct DissolveCleanupStatus {
    /// The subnet.
    pub netuid: NetUid,
    /// What is being removed.
    pub phase: DissolveCleanupPhase,
    /// The key that was removed last.
    pub last_key: Option<Vec<u8>>,
    /// The alpha among which its TAO is divided.
    pub subnet_total_alpha_value: Option<u128>,
    /// The TAO that was given back.
    pub subnet_distributed_tao: Option<u128>,
}

/// What a dissolution removes, one after the other.
#[allow(missing_docs, reason = "names are the public chain's")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum DissolveCleanupPhase {
    SubnetRootDividendsRootClaimable,
    SubnetRootDividendsRootClaimed,
    AlphaInOutStakesGetTotalAlphaValue,
    AlphaInOutStakesSettleStakes,
    AlphaInOutStakesAlpha,
    AlphaInOutStakesHotkeyTotals,
    AlphaInOutStakesLocks,
    AlphaInOutStakesDecayingLocks,
    AlphaInOutStakes,
    ProtocolLiquidity,
    PurgeNetuid,
    NetworkIsNetworkMember,
    NetworkParameters,
    NetworkMapParameters,
    NetworkUpdateWeightsOnRoot,
    NetworkChildkeyTake,
    NetworkChildkeys,
    NetworkParentkeys,
    NetworkLastHotkeyEmissionOnNetuid,
    NetworkTotalHotkeyAlphaLastEpoch,
    NetworkTransactionKeyLastBlock,
    NetworkLock,
    NetworkDecayingLock,
    SubnetBasketHoldingsToRoot,
    NetworkPendingBasketDeposits,
    NetworkAlphaAssetCounters,
}
