// SPDX-License-Identifier: Apache-2.0

//! The public chain's own types: same names, same SCALE bytes, same shape in metadata.

use alloc::vec::Vec;
use codec::{CompactAs, Decode, DecodeWithMemTracking, Encode, EncodeLike, MaxEncodedLen};
use core::ops::{Deref, DerefMut};
use frame_support::{
    BoundedVec,
    traits::{ConstU32, Get},
};
use scale_info::{Type, TypeInfo};
use serde::{Deserialize, Serialize};

/// Most neurons that one subnet may hold, over which every list per neuron is bounded.
pub const MAX_UIDS: u32 = 256;
/// Most mechanisms of one subnet that [`NetUidStorageIndex`] can tell apart.
pub const MAX_MECHANISMS: u8 = 16;
/// Distance between the storage indices of two mechanisms of one subnet.
pub const MECHANISM_STRIDE: u16 = 4096;
/// Unrevealed commits that one hotkey may have per subnet and mechanism.
pub const MAX_UNREVEALED_COMMITS: u32 = 10;
/// Timelocked commits that wait for one epoch of one mechanism: [`MAX_UNREVEALED_COMMITS`] for every neuron it can have.
pub const MAX_TIMELOCKED_COMMITS: u32 = MAX_UIDS * MAX_UNREVEALED_COMMITS;
/// Bytes of a timelocked commit that is stored.
pub const MAX_COMMIT_BYTES: u32 = 5_000;
/// Bytes of a timelocked commit that a call can carry; above [`MAX_COMMIT_BYTES`] it is refused by name.
pub const MAX_COMMIT_ARGUMENT_BYTES: u32 = 32 * 1_024;
/// Neurons of the root network.
pub const MAX_ROOT_UIDS: u16 = 64;
/// Hotkeys that one coldkey may own.
pub const MAX_OWNED_HOTKEYS: u32 = 1_024;
/// Hotkeys that a coldkey may stake to before another is refused; those that it registers are not counted against it.
pub const MAX_STAKING_HOTKEYS: u32 = 256;
/// Bytes of a token symbol.
pub const MAX_SYMBOL_BYTES: u32 = 32;

macro_rules! newtype {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, DecodeWithMemTracking,
            MaxEncodedLen, CompactAs, TypeInfo, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }

        impl From<$name> for $inner {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

newtype! {
    /// Number of a subnet; 0 is the root network.
    NetUid(u16)
}
newtype! {
    /// Number of an incentive mechanism inside its subnet, from 0.
    MechId(u8)
}
newtype! {
    /// Key of what is stored per subnet and mechanism: `mecid · 4096 + netuid`.
    NetUidStorageIndex(u16)
}
newtype! {
    /// An amount of TAO in rao, 10^9 to a token.
    TaoBalance(u64)
}
newtype! {
    /// An amount of a subnet's alpha in rao. On this chain one alpha is always one TAO: there is no swap pool.
    AlphaBalance(u64)
}

impl NetUid {
    /// The root network.
    pub const ROOT: Self = Self(0);

    /// Whether this is the root network.
    #[must_use]
    pub const fn is_root(self) -> bool {
        self.0 == 0
    }
}

impl MechId {
    /// The mechanism that every subnet has.
    pub const MAIN: Self = Self(0);
}

impl NetUidStorageIndex {
    /// `mecid · 4096 + netuid`; saturates outside the bounds that [`MAX_MECHANISMS`] and the subnet limit keep.
    #[must_use]
    pub const fn new(netuid: NetUid, mecid: MechId) -> Self {
        Self((mecid.0 as u16).saturating_mul(MECHANISM_STRIDE).saturating_add(netuid.0))
    }

    /// The subnet and the mechanism that the index stands for.
    #[must_use]
    pub const fn split(self) -> (NetUid, MechId) {
        (NetUid(self.0 % MECHANISM_STRIDE), MechId((self.0 / MECHANISM_STRIDE) as u8))
    }
}

impl From<NetUid> for NetUidStorageIndex {
    /// The index of the subnet's main mechanism.
    fn from(netuid: NetUid) -> Self {
        Self::new(netuid, MechId::MAIN)
    }
}

/// `N` rao as a storage default.
pub struct ConstTao<const N: u64>;

impl<const N: u64> Get<TaoBalance> for ConstTao<N> {
    fn get() -> TaoBalance {
        TaoBalance(N)
    }
}

/// `N` mechanisms as a storage default.
pub struct ConstMech<const N: u8>;

impl<const N: u8> Get<MechId> for ConstMech<N> {
    fn get() -> MechId {
        MechId(N)
    }
}

/// An unsigned 64.64 fixed-point number in the encoding of the `substrate-fixed` crate.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct FixedU128 {
    /// The number times 2^64.
    pub bits: u128,
}

/// 1.26 as the public chain stores it: what a registration multiplies the price by.
pub struct DefaultBurnIncreaseMult;

impl Get<FixedU128> for DefaultBurnIncreaseMult {
    fn get() -> FixedU128 {
        FixedU128 { bits: 0x0001_428f_5c28_f5c2_9000 }
    }
}

/// Shares in the stake of a hotkey on a subnet: `mantissa · 10^exponent`, in the encoding of the public chain.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SafeFloat {
    /// The number without its power of ten.
    pub mantissa: u128,
    /// The power of ten.
    pub exponent: i64,
}

/// Where a neuron can be reached, as it announced it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct AxonInfo {
    /// Block of the announcement.
    pub block: u64,
    /// Version of the axon's software.
    pub version: u32,
    /// Address as an integer: 32 bits for IPv4, 128 for IPv6.
    pub ip: u128,
    /// Port, never 0.
    pub port: u16,
    /// 4 or 6.
    pub ip_type: u8,
    /// Protocol number, not interpreted by the chain.
    pub protocol: u8,
    /// Not interpreted by the chain.
    pub placeholder1: u8,
    /// Not interpreted by the chain.
    pub placeholder2: u8,
}

/// How a subnet comes to its consensus.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum EpochConsensus {
    /// By Yuma: the only one on this chain.
    #[default]
    Yuma,
    /// None: the public chain's other value.
    Null,
}

/// Which consensus the per-edge bonds rate of liquid alpha compares with.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub enum ConsensusMode {
    /// That of this epoch.
    Current,
    /// That of the epoch before.
    Previous,
    /// `Previous` while the bonds penalty is full, else `Current`.
    #[default]
    Auto,
}

/// What becomes of the incentive of a subnet owner's neurons on the public chain.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum RecycleOrBurnEnum {
    /// It counts as issued.
    #[default]
    Burn,
    /// It can be issued again.
    Recycle,
}

/// What a rate limit of its own is kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum RateLimitKey<AccountId> {
    /// The last change of the hotkey of a subnet's owner.
    #[codec(index = 0)]
    SetSNOwnerHotkey(NetUid),
    /// The owner's last change of a hyperparameter of the subnet.
    #[codec(index = 1)]
    OwnerHyperparamUpdate(NetUid, Hyperparameter),
    /// The last registration of a subnet, by anyone.
    #[codec(index = 2)]
    NetworkLastRegistered,
    /// The last time that the take of a hotkey was raised.
    #[codec(index = 5)]
    LastTxBlockDelegateTake(AccountId),
}

/// A hyperparameter that the owner of a subnet may change every so often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[allow(missing_docs, reason = "each is the storage item, or the call, of its name")]
pub enum Hyperparameter {
    Unknown,
    ServingRateLimit,
    MaxDifficulty,
    AdjustmentAlpha,
    MaxWeightLimit,
    ImmunityPeriod,
    MinAllowedWeights,
    Kappa,
    Rho,
    ActivityCutoff,
    PowRegistrationAllowed,
    MinBurn,
    MaxBurn,
    BondsMovingAverage,
    BondsPenalty,
    CommitRevealEnabled,
    LiquidAlphaEnabled,
    AlphaValues,
    WeightCommitInterval,
    TransferEnabled,
    AlphaSigmoidSteepness,
    Yuma3Enabled,
    BondsResetEnabled,
    ImmuneNeuronLimit,
    RecycleOrBurn,
    MaxAllowedUids,
    BurnHalfLife,
    BurnIncreaseMult,
    SubnetEmissionEnabled,
    MinChildkeyTake,
    ActivityCutoffFactorMilli,
    TriggerEpoch,
    CollateralLockShare,
    CollateralDrainRatio,
    LiquidAlphaConsensusMode,
    EpochConsensus,
    BurnRegistrationAllowed,
}

/// Where a neuron's metrics can be read, as it announced it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct PrometheusInfo {
    /// Block of the announcement.
    pub block: u64,
    /// Version of the neuron's software.
    pub version: u32,
    /// Address as an integer: 32 bits for IPv4, 128 for IPv6.
    pub ip: u128,
    /// Port, never 0.
    pub port: u16,
    /// 4 or 6.
    pub ip_type: u8,
}

/// The public key with which a neuron's axon proves itself in TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct NeuronCertificate {
    /// The key, at most 64 bytes.
    pub public_key: BoundedVec<u8, ConstU32<64>>,
    /// Number of the key's algorithm, not interpreted by the chain.
    pub algorithm: u8,
}

impl NeuronCertificate {
    /// The certificate out of the bytes of a call: the algorithm's number, then 0 to 64 bytes of the key.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (algorithm, key) = bytes.split_first()?;
        let public_key = BoundedVec::try_from(key.to_vec()).ok()?;
        Some(Self { public_key, algorithm: *algorithm })
    }
}

/// What the owner of a subnet says about it, each field UTF-8 by convention.
///
/// `subnet_name` and `discord` hold at most 256 bytes, the others 1,024; what is stored keeps to it, see
/// [`Self::is_valid`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct SubnetIdentityV3 {
    /// Name of the subnet.
    pub subnet_name: Vec<u8>,
    /// Where its code is.
    pub github_repo: Vec<u8>,
    /// Whom to ask.
    pub subnet_contact: Vec<u8>,
    /// Its site.
    pub subnet_url: Vec<u8>,
    /// Its Discord.
    pub discord: Vec<u8>,
    /// What it is for.
    pub description: Vec<u8>,
    /// Its logo.
    pub logo_url: Vec<u8>,
    /// Anything else.
    pub additional: Vec<u8>,
}

impl SubnetIdentityV3 {
    /// Every field with the bytes that it may have.
    fn fields(&self) -> [(&Vec<u8>, usize); 8] {
        [
            (&self.subnet_name, 256),
            (&self.github_repo, 1_024),
            (&self.subnet_contact, 1_024),
            (&self.subnet_url, 1_024),
            (&self.discord, 256),
            (&self.description, 1_024),
            (&self.logo_url, 1_024),
            (&self.additional, 1_024),
        ]
    }

    /// Whether no field is longer than it may be.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.fields().iter().all(|(field, most)| field.len() <= *most)
    }
}

impl MaxEncodedLen for SubnetIdentityV3 {
    /// Of a valid one: each field with two bytes of length.
    fn max_encoded_len() -> usize {
        Self::default().fields().iter().fold(0, |sum, (_, most)| sum.saturating_add(most.saturating_add(2)))
    }
}

/// A timelocked commit: hotkey, block of the commit, ciphertext, drand round that opens it.
pub type TimelockedCommit<AccountId> = (AccountId, u64, BoundedVec<u8, ConstU32<MAX_COMMIT_BYTES>>, u64);
/// The timelocked commits of one epoch of one mechanism, in the order in which they are revealed.
pub type TimelockedQueue<AccountId> = List<TimelockedCommit<AccountId>, MAX_TIMELOCKED_COMMITS>;
/// A commit of salted weights: hash, epoch, block, and a last field that is always 0.
pub type WeightCommit = (sp_core::H256, u64, u64, u64);
/// The unrevealed commits of one hotkey, oldest first.
pub type WeightCommitQueue = List<WeightCommit, MAX_UNREVEALED_COMMITS>;
/// Hotkeys of one coldkey, in the order in which they came.
pub type Hotkeys<AccountId> = List<AccountId, MAX_OWNED_HOTKEYS>;
/// One value per neuron of a subnet, by uid.
pub type PerNeuron<T> = List<T, MAX_UIDS>;
/// A row of weights or bonds: (uid, value).
pub type WeightRow = List<(u16, u16), MAX_UIDS>;

/// A list of at most `N` elements that encodes, and shows in metadata, as the plain `Vec<T>` of the public chain.
///
/// Decoding refuses more than `N` elements.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen)]
#[codec(mel_bound(T: MaxEncodedLen))]
pub struct List<T, const N: u32>(BoundedVec<T, ConstU32<N>>);

impl<T, const N: u32> List<T, N> {
    /// The list, or `Err` with the elements back when there are more than `N`.
    ///
    /// # Errors
    ///
    /// The vector itself.
    pub fn new(elements: Vec<T>) -> Result<Self, Vec<T>> {
        BoundedVec::try_from(elements).map(Self)
    }

    /// The first `N` elements, for vectors whose length is bounded by construction.
    #[must_use]
    pub fn truncated(elements: Vec<T>) -> Self {
        Self(BoundedVec::truncate_from(elements))
    }

    /// Appends an element.
    ///
    /// # Errors
    ///
    /// The element, when the list is full.
    pub fn try_push(&mut self, element: T) -> Result<(), T> {
        self.0.try_push(element)
    }

    /// Removes the first `count` elements, or all.
    pub fn drop_front(&mut self, count: usize) {
        let count = count.min(self.0.len());
        self.0.drain(..count);
    }

    /// Removes the element at `position`, if there is one.
    pub fn remove(&mut self, position: usize) -> Option<T> {
        (position < self.0.len()).then(|| self.0.remove(position))
    }

    /// The elements as a vector.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.0.into_inner()
    }
}

impl<T: Clone, const N: u32> List<T, N> {
    /// Extends with copies of `value`, or cuts, to `len` elements (at most `N`).
    pub fn resize_to(&mut self, len: usize, value: T) {
        let len = len.min(N as usize);
        self.0.truncate(len);
        while self.0.len() < len {
            if self.0.try_push(value.clone()).is_err() {
                return;
            }
        }
    }
}

impl<T, const N: u32> Deref for List<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T, const N: u32> DerefMut for List<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.0.as_mut()
    }
}

impl<T, const N: u32> Default for List<T, N> {
    fn default() -> Self {
        Self(BoundedVec::new())
    }
}

impl<T: Clone, const N: u32> Clone for List<T, N> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: PartialEq, const N: u32> PartialEq for List<T, N> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T: Eq, const N: u32> Eq for List<T, N> {}

impl<T: core::fmt::Debug, const N: u32> core::fmt::Debug for List<T, N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}

impl<T: Encode, const N: u32> EncodeLike<Vec<T>> for List<T, N> {}

impl<T: TypeInfo + 'static, const N: u32> TypeInfo for List<T, N> {
    type Identity = <Vec<T> as TypeInfo>::Identity;

    fn type_info() -> Type {
        <Vec<T> as TypeInfo>::type_info()
    }
}
