// SPDX-License-Identifier: Apache-2.0

//! What the transaction pool refuses before a free call costs a block anything.

use codec::{Compact, Decode, DecodeWithMemTracking, Encode};
use core::{fmt, marker::PhantomData};
use frame_support::{dispatch::DispatchInfo, traits::IsSubType, weights::Weight};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::{
    impl_tx_ext_default,
    traits::{
        AsSystemOriginSigner, DispatchInfoOf, DispatchOriginOf, Dispatchable, Implication, TransactionExtension,
        ValidateResult,
    },
    transaction_validity::{InvalidTransaction, TransactionSource, ValidTransaction},
};

use crate::{
    pallet::*,
    timelock::{COMMIT_REVEAL_VERSION, NewTimelocked},
    types::*,
    weights::WeightInfo,
};

/// `InvalidTransaction::Custom` codes of the public chain.
pub mod code {
    /// Stake below the minimum, also that for weights.
    pub const STAKE_AMOUNT_TOO_LOW: u8 = 1;
    /// No such subnet or mechanism.
    pub const SUBNET_NOT_EXISTS: u8 = 3;
    /// Too early after the last such call.
    pub const RATE_LIMIT_EXCEEDED: u8 = 6;
    /// The hotkey has no uid.
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
    /// Anything else that dispatch would refuse.
    pub const BAD_REQUEST: u8 = 255;
}

/// Refuses calls of [`Pallet`] that are free of charge and that dispatch would refuse, with the public chain's codes.
///
/// Zero bytes in a transaction. Signed weight calls, serving calls and `register_network` are looked at; every other
/// call passes. A refusal may depend on the block: what is too early now may be valid later.
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
    fn code(&self) -> u8 {
        match self {
            Self::NotEnoughStakeToSetWeights | Self::AmountTooLow => code::STAKE_AMOUNT_TOO_LOW,
            Self::SubnetNotExists | Self::MechanismDoesNotExist => code::SUBNET_NOT_EXISTS,
            Self::CommittingWeightsTooFast | Self::SettingWeightsTooFast | Self::NetworkTxRateLimitExceeded => {
                code::RATE_LIMIT_EXCEEDED
            }
            Self::HotKeyNotRegisteredInNetwork | Self::HotKeyNotRegisteredInSubNet => code::HOTKEY_NOT_REGISTERED,
            Self::InvalidIpType | Self::InvalidIpAddress => code::INVALID_IP_ADDRESS,
            Self::ServingRateLimitExceeded => code::SERVING_RATE_LIMIT_EXCEEDED,
            Self::InvalidPort => code::INVALID_PORT,
            Self::NoWeightsCommitFound | Self::InvalidRevealCommitHashNotMatch => code::COMMIT_NOT_FOUND,
            Self::RevealTooEarly | Self::ExpiredWeightCommit => code::COMMIT_BLOCK_NOT_IN_REVEAL_RANGE,
            Self::InvalidRevealRound => code::INVALID_REVEAL_ROUND,
            Self::WeightVecNotEqualSize | Self::InputLengthsUnequal => code::INPUT_LENGTHS_UNEQUAL,
            _ => code::BAD_REQUEST,
        }
    }
}

/// What a weight call carries besides its signer.
enum WeightCall<'a> {
    Plain { uids: &'a [u16], values: &'a [u16] },
    Commit,
    Reveal { uids: &'a [u16], values: &'a [u16], salt: &'a [u16], version_key: u64 },
}

impl<T: Config> SubtensorTransactionExtension<T> {
    /// # Errors
    ///
    /// The error with which dispatch would refuse `call` of `who`, as far as the pool looks.
    fn check(who: &T::AccountId, call: &Call<T>) -> Result<(), Error<T>> {
        match call {
            Call::set_weights { netuid, dests, weights, .. } => {
                Self::check_weights(who, *netuid, MechId::MAIN, &WeightCall::Plain { uids: dests, values: weights })
            }
            Call::set_mechanism_weights { netuid, mecid, dests, weights, .. } => {
                Self::check_weights(who, *netuid, *mecid, &WeightCall::Plain { uids: dests, values: weights })
            }
            Call::commit_weights { netuid, .. } => Self::check_weights(who, *netuid, MechId::MAIN, &WeightCall::Commit),
            Call::commit_mechanism_weights { netuid, mecid, .. } => {
                Self::check_weights(who, *netuid, *mecid, &WeightCall::Commit)
            }
            Call::reveal_weights { netuid, uids, values, salt, version_key } => {
                let reveal = WeightCall::Reveal { uids, values, salt, version_key: *version_key };
                Self::check_weights(who, *netuid, MechId::MAIN, &reveal)
            }
            Call::reveal_mechanism_weights { netuid, mecid, uids, values, salt, version_key } => {
                let reveal = WeightCall::Reveal { uids, values, salt, version_key: *version_key };
                Self::check_weights(who, *netuid, *mecid, &reveal)
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
                let values_and_salts = values_list.iter().zip(salts_list);
                for ((uids, version_key), (values, salt)) in uids_list.iter().zip(version_keys).zip(values_and_salts) {
                    let reveal = WeightCall::Reveal { uids, values, salt, version_key: *version_key };
                    Self::check_weights(who, *netuid, MechId::MAIN, &reveal)?;
                }
                Ok(())
            }
            Call::commit_timelocked_weights { netuid, commit, reveal_round, commit_reveal_version } => {
                let version = *commit_reveal_version;
                Self::check_timelocked(who, *netuid, MechId::MAIN, commit, *reveal_round, version)
            }
            Call::commit_crv3_mechanism_weights { netuid, mecid, commit, reveal_round } => {
                Self::check_timelocked(who, *netuid, *mecid, commit, *reveal_round, COMMIT_REVEAL_VERSION)
            }
            Call::commit_timelocked_mechanism_weights {
                netuid,
                mecid,
                commit,
                reveal_round,
                commit_reveal_version,
                ..
            } => Self::check_timelocked(who, *netuid, *mecid, commit, *reveal_round, *commit_reveal_version),
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
            Call::register_network { .. } if !Pallet::<T>::may_register_network() => {
                Err(Error::<T>::NetworkTxRateLimitExceeded)
            }
            _ => Ok(()),
        }
    }

    /// As on the public chain, a batch is refused as a whole when its lists differ in length, or the stake is too low for
    /// any of its subnets; what else is wrong with an item shows in its event.
    fn check_batch(who: &T::AccountId, netuids: &[Compact<NetUid>], same_lengths: bool) -> Result<(), Error<T>> {
        if !same_lengths {
            return Err(Error::<T>::InputLengthsUnequal);
        }
        netuids.iter().try_for_each(|netuid| Pallet::<T>::ensure_stake_for_weights(netuid.0, who))
    }

    /// All that dispatch would refuse but the rate limit: as on the public chain, a commit that comes too early gets into
    /// a block and fails there.
    fn check_timelocked(
        who: &T::AccountId,
        netuid: NetUid,
        mecid: MechId,
        commit: &[u8],
        reveal_round: u64,
        version: u16,
    ) -> Result<(), Error<T>> {
        let new = NewTimelocked { netuid, mecid, commit, reveal_round, version };
        Pallet::<T>::ensure_timelocked(who, &new).map(|_| ())
    }

    fn check_weights(who: &T::AccountId, netuid: NetUid, mecid: MechId, call: &WeightCall<'_>) -> Result<(), Error<T>> {
        if let WeightCall::Plain { uids, values } | WeightCall::Reveal { uids, values, .. } = call {
            if uids.len() != values.len() {
                return Err(Error::<T>::WeightVecNotEqualSize);
            }
            // More uids than neurons: refused before anything is hashed.
            if uids.len() > usize::from(SubnetworkN::<T>::get(netuid)) {
                return Err(Error::<T>::UidsLengthExceedUidsInSubNet);
            }
        }
        Pallet::<T>::ensure_mechanism_exists(netuid, mecid)?;
        let uid = Pallet::<T>::ensure_registered(netuid, who)?;
        if !Pallet::<T>::has_stake_for_weights(netuid, who) {
            return Err(Error::<T>::NotEnoughStakeToSetWeights);
        }
        let index = NetUidStorageIndex::new(netuid, mecid);
        let in_time = || Pallet::<T>::is_within_rate_limit(index, uid, Pallet::<T>::block());
        match (CommitRevealWeightsEnabled::<T>::get(netuid), call) {
            (true, WeightCall::Plain { .. }) => Err(Error::<T>::CommitRevealEnabled),
            (false, WeightCall::Commit | WeightCall::Reveal { .. }) => Err(Error::<T>::CommitRevealDisabled),
            (false, WeightCall::Plain { .. }) if !in_time() => Err(Error::<T>::SettingWeightsTooFast),
            (true, WeightCall::Commit) if !in_time() => Err(Error::<T>::CommittingWeightsTooFast),
            (true, WeightCall::Reveal { uids, values, salt, version_key }) => {
                let hash: H256 = Pallet::<T>::commit_hash(who, index, uids, values, salt, *version_key);
                let queue = WeightCommits::<T>::get(index, who).ok_or(Error::<T>::NoWeightsCommitFound)?;
                Pallet::<T>::ensure_revealable(netuid, &queue, hash).map(|_| ())
            }
            _ => Ok(()),
        }
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
    type Val = ();
    type Pre = ();

    fn weight(&self, call: &<T as frame_system::Config>::RuntimeCall) -> Weight {
        match call.is_sub_type() {
            Some(call) => T::WeightInfo::extension().saturating_mul(items(call)),
            None => Weight::zero(),
        }
    }

    fn validate(
        &self,
        origin: DispatchOriginOf<<T as frame_system::Config>::RuntimeCall>,
        call: &<T as frame_system::Config>::RuntimeCall,
        _info: &DispatchInfoOf<<T as frame_system::Config>::RuntimeCall>,
        _len: usize,
        _self_implicit: Self::Implicit,
        _inherited_implication: &impl Implication,
        _source: TransactionSource,
    ) -> ValidateResult<Self::Val, <T as frame_system::Config>::RuntimeCall> {
        if let (Some(who), Some(call)) = (origin.as_system_origin_signer(), call.is_sub_type()) {
            Self::check(who, call).map_err(|error| InvalidTransaction::Custom(error.code()))?;
        }
        Ok((ValidTransaction::default(), (), origin))
    }

    impl_tx_ext_default!(<T as frame_system::Config>::RuntimeCall; prepare);
}
