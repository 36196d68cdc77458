// SPDX-License-Identifier: Apache-2.0

//! What can be committed, in the public chain's SCALE bytes.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, EncodeLike, Error, Input, MaxEncodedLen, Output};
use frame_support::{
    BoundedVec,
    traits::{ConstU32, Get},
};
use pallet_subtensor::TaoBalance;
use scale_info::{Path, Type, TypeInfo, build::Variants};

/// Most bytes of [`Data::Raw`].
pub const MAX_RAW_BYTES: u32 = 128;
/// Most bytes of [`Data::BigRaw`].
pub const MAX_BIG_RAW_BYTES: u32 = 512;
/// Most bytes of a ciphertext in [`Data::TimelockEncrypted`].
pub const MAX_TIMELOCKED_BYTES: u32 = 1_024;

/// A ciphertext that the signature of a beacon's round opens.
pub type Ciphertext = BoundedVec<u8, ConstU32<MAX_TIMELOCKED_BYTES>>;

/// One field of a commitment: bytes as they are, the hash of something longer, or bytes that are shown later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Data {
    /// Nothing.
    #[default]
    None,
    /// Up to 128 bytes; the variant on the wire says how many.
    Raw(BoundedVec<u8, ConstU32<MAX_RAW_BYTES>>),
    /// A blake2-256 hash.
    BlakeTwo256([u8; 32]),
    /// A SHA-256 hash.
    Sha256([u8; 32]),
    /// A Keccak-256 hash.
    Keccak256([u8; 32]),
    /// A SHA3-256 hash.
    ShaThree256([u8; 32]),
    /// Bytes that the chain opens and shows once it has the pulse of a round.
    TimelockEncrypted {
        /// What is hidden.
        encrypted: Ciphertext,
        /// The beacon's round that opens it.
        reveal_round: u64,
    },
    /// As the first field: bonds on this neuron begin anew, where the subnet lets them.
    ResetBondsFlag,
    /// Up to 512 bytes.
    BigRaw(BoundedVec<u8, ConstU32<MAX_BIG_RAW_BYTES>>),
    /// A [`Data::TimelockEncrypted`] that could not be opened; only the chain writes it.
    TimelockRevealFailed {
        /// What stays hidden.
        encrypted: Ciphertext,
        /// The beacon's round that did not open it.
        reveal_round: u64,
    },
}

/// Why a timelocked field could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum RevealFailure {
    /// The pulse's signature is no point of its group.
    SignatureDeserialize,
    /// The ciphertext has no such form.
    CiphertextDeserialize,
    /// The ciphertext was altered.
    Decrypt,
    /// Nothing was hidden.
    EmptyPlaintext,
    /// The pulse of the round is not, or no longer, stored, and newer ones are.
    PulseExpired,
    /// The ciphertext was made for another round or beacon.
    RoundMismatch,
}

/// Variant indices on the wire.
mod index {
    pub(super) const NONE: u8 = 0;
    pub(super) const RAW_FIRST: u8 = 1;
    pub(super) const RAW_LAST: u8 = 129;
    pub(super) const BLAKE_TWO_256: u8 = 130;
    pub(super) const SHA_256: u8 = 131;
    pub(super) const KECCAK_256: u8 = 132;
    pub(super) const SHA_THREE_256: u8 = 133;
    pub(super) const TIMELOCK_ENCRYPTED: u8 = 134;
    pub(super) const RESET_BONDS_FLAG: u8 = 135;
    pub(super) const BIG_RAW: u8 = 136;
    pub(super) const TIMELOCK_REVEAL_FAILED: u8 = 137;
}

impl Data {
    /// How many bytes of the space that an account has per epoch the field takes.
    #[must_use]
    pub fn len_for_space(&self) -> u64 {
        let len = match self {
            Self::None | Self::ResetBondsFlag => 0,
            Self::TimelockEncrypted { encrypted, .. } | Self::TimelockRevealFailed { encrypted, .. } => encrypted.len(),
            Self::Raw(bytes) => bytes.len(),
            Self::BigRaw(bytes) => bytes.len(),
            Self::BlakeTwo256(_) | Self::Sha256(_) | Self::Keccak256(_) | Self::ShaThree256(_) => 32,
        };
        u64::try_from(len).unwrap_or(u64::MAX)
    }
}

impl Encode for Data {
    fn size_hint(&self) -> usize {
        usize::try_from(self.len_for_space()).unwrap_or_default().saturating_add(11)
    }

    fn encode_to<W: Output + ?Sized>(&self, dest: &mut W) {
        match self {
            Self::None => dest.push_byte(index::NONE),
            Self::Raw(bytes) => {
                let len = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
                dest.push_byte(len.saturating_add(index::RAW_FIRST));
                dest.write(bytes);
            }
            Self::BlakeTwo256(hash) => hashed(dest, index::BLAKE_TWO_256, hash),
            Self::Sha256(hash) => hashed(dest, index::SHA_256, hash),
            Self::Keccak256(hash) => hashed(dest, index::KECCAK_256, hash),
            Self::ShaThree256(hash) => hashed(dest, index::SHA_THREE_256, hash),
            Self::TimelockEncrypted { encrypted, reveal_round } => {
                dest.push_byte(index::TIMELOCK_ENCRYPTED);
                (encrypted, reveal_round).encode_to(dest);
            }
            Self::ResetBondsFlag => dest.push_byte(index::RESET_BONDS_FLAG),
            Self::BigRaw(bytes) => {
                dest.push_byte(index::BIG_RAW);
                bytes.encode_to(dest);
            }
            Self::TimelockRevealFailed { encrypted, reveal_round } => {
                dest.push_byte(index::TIMELOCK_REVEAL_FAILED);
                (encrypted, reveal_round).encode_to(dest);
            }
        }
    }
}

fn hashed<W: Output + ?Sized>(dest: &mut W, index: u8, hash: &[u8; 32]) {
    dest.push_byte(index);
    dest.write(hash);
}

impl EncodeLike for Data {}

impl Decode for Data {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        Ok(match input.read_byte()? {
            index::NONE => Self::None,
            byte @ index::RAW_FIRST..=index::RAW_LAST => {
                let mut bytes = alloc::vec![0_u8; usize::from(byte.saturating_sub(index::RAW_FIRST))];
                input.read(&mut bytes)?;
                Self::Raw(BoundedVec::truncate_from(bytes))
            }
            index::BLAKE_TWO_256 => Self::BlakeTwo256(Decode::decode(input)?),
            index::SHA_256 => Self::Sha256(Decode::decode(input)?),
            index::KECCAK_256 => Self::Keccak256(Decode::decode(input)?),
            index::SHA_THREE_256 => Self::ShaThree256(Decode::decode(input)?),
            index::TIMELOCK_ENCRYPTED => {
                let (encrypted, reveal_round) = Decode::decode(input)?;
                Self::TimelockEncrypted { encrypted, reveal_round }
            }
            index::RESET_BONDS_FLAG => Self::ResetBondsFlag,
            index::BIG_RAW => Self::BigRaw(Decode::decode(input)?),
            index::TIMELOCK_REVEAL_FAILED => {
                let (encrypted, reveal_round) = Decode::decode(input)?;
                Self::TimelockRevealFailed { encrypted, reveal_round }
            }
            _ => return Err("no field of a commitment has this variant; use 0 to 137".into()),
        })
    }
}

impl DecodeWithMemTracking for Data {}

impl MaxEncodedLen for Data {
    fn max_encoded_len() -> usize {
        <(Ciphertext, u64)>::max_encoded_len().saturating_add(1)
    }
}

macro_rules! raw_variants {
    ($variants:ident, $($len:literal)*) => {
        $variants$(
            .variant(concat!("Raw", $len), |v| {
                v.index($len + index::RAW_FIRST)
                    .fields(scale_info::build::Fields::unnamed().field(|f| f.ty::<[u8; $len]>()))
            })
        )*
    };
}

impl TypeInfo for Data {
    type Identity = Self;

    fn type_info() -> Type {
        let variants = Variants::new().variant("None", |v| v.index(index::NONE));
        let mut variants = raw_variants!(variants,
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32
            33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64
            65 66 67 68 69 70 71 72 73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96
            97 98 99 100 101 102 103 104 105 106 107 108 109 110 111 112 113 114 115 116 117 118 119 120 121
            122 123 124 125 126 127 128
        );
        for (name, at) in [
            ("BlakeTwo256", index::BLAKE_TWO_256),
            ("Sha256", index::SHA_256),
            ("Keccak256", index::KECCAK_256),
            ("ShaThree256", index::SHA_THREE_256),
        ] {
            variants = variants.variant(name, |v| {
                v.index(at).fields(scale_info::build::Fields::unnamed().field(|f| f.ty::<[u8; 32]>()))
            });
        }
        let hidden = || {
            scale_info::build::Fields::named()
                .field(|f| f.ty::<Ciphertext>().name("encrypted"))
                .field(|f| f.ty::<u64>().name("reveal_round"))
        };
        let variants = variants
            .variant("TimelockEncrypted", |v| v.index(index::TIMELOCK_ENCRYPTED).fields(hidden()))
            .variant("ResetBondsFlag", |v| v.index(index::RESET_BONDS_FLAG))
            .variant("BigRaw", |v| {
                v.index(index::BIG_RAW).fields(
                    scale_info::build::Fields::unnamed()
                        .field(|f| f.ty::<BoundedVec<u8, ConstU32<MAX_BIG_RAW_BYTES>>>()),
                )
            })
            .variant("TimelockRevealFailed", |v| v.index(index::TIMELOCK_REVEAL_FAILED).fields(hidden()));
        Type::builder().path(Path::new("Data", "pallet_commitments::types")).variant(variants)
    }
}

/// What one account commits at a time.
#[derive(
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    frame_support::CloneNoBound,
    frame_support::DebugNoBound,
    frame_support::PartialEqNoBound,
    frame_support::EqNoBound,
)]
#[codec(mel_bound())]
#[scale_info(skip_type_params(MaxFields))]
pub struct CommitmentInfo<MaxFields: Get<u32>> {
    /// Fields, at most `MaxFields`.
    pub fields: BoundedVec<Data, MaxFields>,
}

impl<MaxFields: Get<u32>> CommitmentInfo<MaxFields> {
    /// A commitment of bytes as they are, split over fields of up to 128 bytes.
    ///
    /// `None` when the bytes do not fit into `MaxFields` fields.
    #[must_use]
    pub fn raw(bytes: &[u8]) -> Option<Self> {
        let fields: Vec<Data> = bytes
            .chunks(usize::try_from(MAX_RAW_BYTES).unwrap_or(usize::MAX))
            .map(|chunk| Data::Raw(BoundedVec::truncate_from(chunk.to_vec())))
            .collect();
        BoundedVec::try_from(fields).ok().map(|fields| Self { fields })
    }
}

/// A commitment as it is stored.
#[derive(
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    frame_support::CloneNoBound,
    frame_support::DebugNoBound,
    frame_support::PartialEqNoBound,
    frame_support::EqNoBound,
)]
#[codec(mel_bound())]
#[scale_info(skip_type_params(MaxFields))]
pub struct Registration<MaxFields: Get<u32>> {
    /// What is held for it: always 0.
    pub deposit: TaoBalance,
    /// Block in which it was made.
    pub block: u32,
    /// What is committed.
    pub info: CommitmentInfo<MaxFields>,
}

/// How much of its space an account has used.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct UsageTracker {
    /// Epoch of the last commitment.
    pub last_epoch: u64,
    /// Bytes used in it.
    pub used_space: u64,
}
