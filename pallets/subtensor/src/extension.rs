// SPDX-License-Identifier: Apache-2.0

//! What the transaction pool refuses before a free call costs a block anything.

use clawrank_emission::price;
use clawrank_timelock::PulseSource;
use codec::{Compact, Decode, DecodeWithMemTracking, Encode};
use core::{fmt, marker::PhantomData};
use frame_support::{
    dispatch::DispatchInfo,
    traits::{
        Get, IsSubType,
        fungible::{Inspect, Mutate},
        tokens::{Fortitude, Precision, Preservation},
    },
    weights::Weight,
};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::{
    traits::{
        AsSystemOriginSigner, DispatchInfoOf, DispatchOriginOf, Dispatchable, Implication, TransactionExtension,
        ValidateResult,
    },
    transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction},
};

use crate::{pallet::*, types::*, weights::WeightInfo};

/// `InvalidTransaction::Custom` codes of the public chain.
pub mod code {
    /// Stake below the minimum for weights.
    pub const STAKE_AMOUNT_TOO_LOW: u8 = 1;
    /// The hotkey is nobody's.
    pub const HOTKEY_ACCOUNT_DOES_NOT_EXIST: u8 = 4;
    /// Too early after the last such call.
    pub const RATE_LIMIT_EXCEEDED: u8 = 6;
    /// The hotkey that announces itself has no uid.
    pub const HOTKEY_NOT_REGISTERED: u8 = 10;
    /// The address cannot be announced.
    pub const INVALID_IP_ADDRESS: u8 = 11;
    /// Too early after the last announcement.
    pub const SERVING_RATE_LIMIT_EXCEEDED: u8 = 12;
    /// The port is 0.
    pub const INVALID_PORT: u8 = 13;
    /// The round of a timelocked commit is before the newest that the chain has.
    pub const INVALID_REVEAL_ROUND: u8 = 15;
    /// No commit has this hash.
    pub const COMMIT_NOT_FOUND: u8 = 16;
    /// The commit cannot be revealed in this epoch.
    pub const COMMIT_BLOCK_NOT_IN_REVEAL_RANGE: u8 = 17;
    /// Lists that belong together differ in length.
    pub const INPUT_LENGTHS_UNEQUAL: u8 = 18;
    /// The hotkey that would set weights has no uid, and cannot pay the fee of those who have none.
    pub const UID_NOT_FOUND: u8 = 19;
    /// The hotkey is another coldkey's.
    pub const NON_ASSOCIATED_COLDKEY: u8 = 25;
    /// A take below the least.
    pub const DELEGATE_TAKE_TOO_LOW: u8 = 26;
    /// A take above the highest.
    pub const DELEGATE_TAKE_TOO_HIGH: u8 = 27;
    /// Anything else that dispatch would refuse.
    pub const BAD_REQUEST: u8 = 255;
}

/// What a weight call of a hotkey without uid costs, in rao, if it is `len` bytes long.
fn strangers_fee(len: usize) -> u64 {
    price::strangers_fee(u64::try_from(len).unwrap_or(u64::MAX)).get()
}

/// Refuses calls of [`Pallet`] for the reasons for which the public chain's pool does, with its codes.
///
/// Zero bytes in a transaction. Signed weight calls, serving calls, takes and `register_network` are looked at; every other
/// call passes. Of weight calls: whether the lists of a batch are of one length, the least stake, whether a reveal has a
/// commit in its window, the round of a timelocked commit, and the rate limit but for timelocked commits and batches.
/// Whatever else is wrong gets into a block and fails there, with the error that says so. A refusal may depend on the
/// block: what is too early now may be valid later.
///
/// # Fee
///
/// Weight calls are free, failed ones too. The public chain keeps strangers out by the least stake, which is 0 here
/// unless root sets one; so whoever has no uid on a subnet that the call names pays [`price::strangers_fee`], which is
/// burned, and is refused without it.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[scale_info(skip_type_params(T))]
pub struct SubtensorTransactionExtension<T>(PhantomData<T>);

impl<T> SubtensorTransactionExtension<T> {
    /// The extension.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for SubtensorTransactionExtension<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for SubtensorTransactionExtension<T> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<T> PartialEq for SubtensorTransactionExtension<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for SubtensorTransactionExtension<T> {}

impl<T> fmt::Debug for SubtensorTransactionExtension<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubtensorTransactionExtension")
    }
}

impl<T: Config> Error<T> {
    /// The code with which the pool refuses a call that dispatch would refuse with this error.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::NotEnoughStakeToSetWeights => code::STAKE_AMOUNT_TOO_LOW,
            Self::CommittingWeightsTooFast | Self::SettingWeightsTooFast | Self::NetworkTxRateLimitExceeded => {
                code::RATE_LIMIT_EXCEEDED
            }
            Self::HotKeyNotRegisteredInNetwork => code::HOTKEY_NOT_REGISTERED,
            Self::HotKeyNotRegisteredInSubNet => code::UID_NOT_FOUND,
            Self::InvalidIpAddress => code::INVALID_IP_ADDRESS,
            Self::ServingRateLimitExceeded => code::SERVING_RATE_LIMIT_EXCEEDED,
            Self::InvalidPort => code::INVALID_PORT,
            Self::NoWeightsCommitFound | Self::InvalidRevealCommitHashNotMatch => code::COMMIT_NOT_FOUND,
            Self::RevealTooEarly | Self::ExpiredWeightCommit => code::COMMIT_BLOCK_NOT_IN_REVEAL_RANGE,
            Self::InvalidRevealRound => code::INVALID_REVEAL_ROUND,
            Self::InputLengthsUnequal => code::INPUT_LENGTHS_UNEQUAL,
            Self::HotKeyAccountNotExists => code::HOTKEY_ACCOUNT_DOES_NOT_EXIST,
            Self::NonAssociatedColdKey => code::NON_ASSOCIATED_COLDKEY,
            Self::DelegateTakeTooLow => code::DELEGATE_TAKE_TOO_LOW,
            Self::DelegateTakeTooHigh => code::DELEGATE_TAKE_TOO_HIGH,
            _ => code::BAD_REQUEST,
        }
    }
}

/// What is hashed into a salted commit, but for who commits where.
struct Reveal<'a> {
    uids: &'a [u16],
    values: &'a [u16],
    salt: &'a [u16],
    version_key: u64,
}

impl<T: Config> SubtensorTransactionExtension<T> {
    /// # Errors
    ///
    /// The error for which the pool refuses `call` of `who`.
    fn check(who: &T::AccountId, call: &Call<T>) -> Result<(), Error<T>> {
        match call {
            Call::set_weights { netuid, .. } => Self::check_set(who, *netuid, MechId::MAIN),
            Call::set_mechanism_weights { netuid, mecid, .. } => Self::check_set(who, *netuid, *mecid),
            Call::commit_weights { netuid, .. } => Self::check_commit(who, *netuid, MechId::MAIN),
            Call::commit_mechanism_weights { netuid, mecid, .. } => Self::check_commit(who, *netuid, *mecid),
            Call::reveal_weights { netuid, uids, values, salt, version_key } => {
                let reveal = Reveal { uids, values, salt, version_key: *version_key };
                Self::check_reveal(who, *netuid, MechId::MAIN, &reveal)
            }
            Call::reveal_mechanism_weights { netuid, mecid, uids, values, salt, version_key } => {
                let reveal = Reveal { uids, values, salt, version_key: *version_key };
                Self::check_reveal(who, *netuid, *mecid, &reveal)
            }
            Call::batch_set_weights { netuids, weights, version_keys } => {
                let same = netuids.len() == weights.len() && netuids.len() == version_keys.len();
                Self::check_batch(who, netuids, same)
            }
            Call::batch_commit_weights { netuids, commit_hashes } => {
                Self::check_batch(who, netuids, netuids.len() == commit_hashes.len())
            }
            Call::batch_reveal_weights { netuid, uids_list, values_list, salts_list, version_keys } => {
                let lens = [values_list.len(), salts_list.len(), version_keys.len()];
                if lens.into_iter().any(|len| len != uids_list.len()) {
                    return Err(Error::<T>::InputLengthsUnequal);
                }
                Pallet::<T>::ensure_stake_for_weights(*netuid, who)?;
                let values_and_salts = values_list.iter().zip(salts_list);
                for ((uids, version_key), (values, salt)) in uids_list.iter().zip(version_keys).zip(values_and_salts) {
                    let reveal = Reveal { uids, values, salt, version_key: *version_key };
                    Self::check_reveal(who, *netuid, MechId::MAIN, &reveal)?;
                }
                Ok(())
            }
            Call::commit_timelocked_weights { netuid, reveal_round, .. }
            | Call::commit_crv3_mechanism_weights { netuid, reveal_round, .. }
            | Call::commit_timelocked_mechanism_weights { netuid, reveal_round, .. } => {
                Self::check_timelocked(who, *netuid, *reveal_round)
            }
            Call::serve_prometheus { netuid, version, ip, port, ip_type } => {
                let block = Pallet::<T>::block();
                let info = PrometheusInfo { block, version: *version, ip: *ip, port: *port, ip_type: *ip_type };
                Pallet::<T>::ensure_prometheus(who, *netuid, &info)
            }
            Call::serve_axon { netuid, version, ip, port, ip_type, protocol, placeholder1, placeholder2 }
            | Call::serve_axon_tls {
                netuid, version, ip, port, ip_type, protocol, placeholder1, placeholder2, ..
            } => {
                let axon = AxonInfo {
                    block: Pallet::<T>::block(),
                    version: *version,
                    ip: *ip,
                    port: *port,
                    ip_type: *ip_type,
                    protocol: *protocol,
                    placeholder1: *placeholder1,
                    placeholder2: *placeholder2,
                };
                Pallet::<T>::ensure_axon(who, *netuid, &axon)
            }
            Call::decrease_take { hotkey, take } | Call::increase_take { hotkey, take } => {
                Pallet::<T>::ensure_take(who, hotkey, *take)
            }
            Call::register_network { .. } if !Pallet::<T>::may_register_network() => {
                Err(Error::<T>::NetworkTxRateLimitExceeded)
            }
            _ => Ok(()),
        }
    }

    /// A batch is refused as a whole when its lists differ in length, or the stake is too low for any of its subnets; what
    /// else is wrong with an item shows in its event.
    fn check_batch(who: &T::AccountId, netuids: &[Compact<NetUid>], same_lengths: bool) -> Result<(), Error<T>> {
        if !same_lengths {
            return Err(Error::<T>::InputLengthsUnequal);
        }
        netuids.iter().try_for_each(|netuid| Pallet::<T>::ensure_stake_for_weights(netuid.0, who))
    }

    fn check_set(who: &T::AccountId, netuid: NetUid, mecid: MechId) -> Result<(), Error<T>> {
        Pallet::<T>::ensure_stake_for_weights(netuid, who)?;
        if CommitRevealWeightsEnabled::<T>::get(netuid) || Self::is_in_time(who, netuid, mecid) {
            return Ok(());
        }
        Err(Error::<T>::SettingWeightsTooFast)
    }

    fn check_commit(who: &T::AccountId, netuid: NetUid, mecid: MechId) -> Result<(), Error<T>> {
        Pallet::<T>::ensure_stake_for_weights(netuid, who)?;
        if Self::is_in_time(who, netuid, mecid) { Ok(()) } else { Err(Error::<T>::CommittingWeightsTooFast) }
    }

    /// Whether enough blocks have passed since the last update of `who`; always for a hotkey without uid.
    fn is_in_time(who: &T::AccountId, netuid: NetUid, mecid: MechId) -> bool {
        let index = NetUidStorageIndex::new(netuid, mecid);
        Uids::<T>::get(netuid, who)
            .is_none_or(|uid| Pallet::<T>::is_within_rate_limit(index, uid, Pallet::<T>::block()))
    }

    fn check_reveal(who: &T::AccountId, netuid: NetUid, mecid: MechId, reveal: &Reveal<'_>) -> Result<(), Error<T>> {
        Pallet::<T>::ensure_stake_for_weights(netuid, who)?;
        let index = NetUidStorageIndex::new(netuid, mecid);
        let queue = WeightCommits::<T>::get(index, who).ok_or(Error::<T>::NoWeightsCommitFound)?;
        let Reveal { uids, values, salt, version_key } = reveal;
        let hash: H256 = Pallet::<T>::commit_hash(who, index, uids, values, salt, *version_key);
        Pallet::<T>::ensure_revealable(netuid, &queue, hash).map(|_| ())
    }

    /// The rate limit of a timelocked commit is not asked: one that comes too early gets into a block and fails there.
    fn check_timelocked(who: &T::AccountId, netuid: NetUid, reveal_round: u64) -> Result<(), Error<T>> {
        Pallet::<T>::ensure_stake_for_weights(netuid, who)?;
        if reveal_round < T::Pulses::last_stored_round() {
            return Err(Error::<T>::InvalidRevealRound);
        }
        Ok(())
    }

    /// Whether `call` is for neurons, and `who` is not one on every subnet that it names; also a batch that names none.
    fn is_a_strangers(who: &T::AccountId, call: &Call<T>) -> bool {
        let is_neuron = |netuid: &NetUid| Uids::<T>::contains_key(netuid, who);
        match call {
            Call::set_weights { netuid, .. }
            | Call::set_mechanism_weights { netuid, .. }
            | Call::commit_weights { netuid, .. }
            | Call::commit_mechanism_weights { netuid, .. }
            | Call::reveal_weights { netuid, .. }
            | Call::reveal_mechanism_weights { netuid, .. }
            | Call::batch_reveal_weights { netuid, .. }
            | Call::commit_timelocked_weights { netuid, .. }
            | Call::commit_crv3_mechanism_weights { netuid, .. }
            | Call::commit_timelocked_mechanism_weights { netuid, .. } => !is_neuron(netuid),
            Call::batch_set_weights { netuids, .. } | Call::batch_commit_weights { netuids, .. } => {
                netuids.is_empty() || !netuids.iter().all(|netuid| is_neuron(&netuid.0))
            }
            _ => false,
        }
    }

    /// # Errors
    ///
    /// [`Error::HotKeyNotRegisteredInSubNet`]: `who` has not that much to spend.
    fn ensure_can_pay(who: &T::AccountId, fee: u64) -> Result<(), Error<T>> {
        if T::Currency::reducible_balance(who, Preservation::Preserve, Fortitude::Polite) < fee {
            return Err(Error::<T>::HotKeyNotRegisteredInSubNet);
        }
        Ok(())
    }
}

/// How many items the extension looks at, at least one.
fn items<T: Config>(call: &Call<T>) -> u64 {
    let count = match call {
        Call::batch_set_weights { netuids, .. } | Call::batch_commit_weights { netuids, .. } => netuids.len(),
        Call::batch_reveal_weights { uids_list, .. } => uids_list.len(),
        _ => 1,
    };
    u64::try_from(count).unwrap_or(u64::MAX).max(1)
}

impl<T> TransactionExtension<<T as frame_system::Config>::RuntimeCall> for SubtensorTransactionExtension<T>
where
    T: Config + Send + Sync,
    <T as frame_system::Config>::RuntimeCall: Dispatchable<Info = DispatchInfo> + IsSubType<Call<T>>,
    DispatchOriginOf<<T as frame_system::Config>::RuntimeCall>: AsSystemOriginSigner<T::AccountId> + Clone,
{
    const IDENTIFIER: &'static str = "SubtensorTransactionExtension";
    type Implicit = ();
    /// Who has to pay; `None` for a call that is free, or charged elsewhere.
    type Val = Option<T::AccountId>;
    type Pre = ();

    fn weight(&self, call: &<T as frame_system::Config>::RuntimeCall) -> Weight {
        match call.is_sub_type() {
            // What it looks at, and the fee.
            Some(call) => T::WeightInfo::extension()
                .saturating_mul(items(call))
                .saturating_add(<T as frame_system::Config>::DbWeight::get().writes(1)),
            None => Weight::zero(),
        }
    }

    fn validate(
        &self,
        origin: DispatchOriginOf<<T as frame_system::Config>::RuntimeCall>,
        call: &<T as frame_system::Config>::RuntimeCall,
        _info: &DispatchInfoOf<<T as frame_system::Config>::RuntimeCall>,
        len: usize,
        _self_implicit: Self::Implicit,
        _inherited_implication: &impl Implication,
        _source: TransactionSource,
    ) -> ValidateResult<Self::Val, <T as frame_system::Config>::RuntimeCall> {
        let mut payer = None;
        if let (Some(who), Some(call)) = (origin.as_system_origin_signer(), call.is_sub_type()) {
            let checked = Self::check(who, call).and_then(|()| {
                if Self::is_a_strangers(who, call) {
                    Self::ensure_can_pay(who, strangers_fee(len))?;
                    payer = Some(who.clone());
                }
                Ok(())
            });
            checked.map_err(|error| InvalidTransaction::Custom(error.code()))?;
        }
        Ok((ValidTransaction::default(), payer, origin))
    }

    fn prepare(
        self,
        payer: Self::Val,
        _origin: &DispatchOriginOf<<T as frame_system::Config>::RuntimeCall>,
        _call: &<T as frame_system::Config>::RuntimeCall,
        _info: &DispatchInfoOf<<T as frame_system::Config>::RuntimeCall>,
        len: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        if let Some(who) = payer {
            let fee = strangers_fee(len);
            T::Currency::burn_from(&who, fee, Preservation::Preserve, Precision::Exact, Fortitude::Polite)
                .map_err(|_| InvalidTransaction::Custom(code::UID_NOT_FOUND))?;
        }
        Ok(())
    }
}
