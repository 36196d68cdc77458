// SPDX-License-Identifier: Apache-2.0

use alloc::{vec, vec::Vec};

use clawrank_timelock::{BeaconParams, PUBLIC_KEY_BYTES, QUICKNET, QUICKNET_CHAIN_HASH, SIGNATURE_BYTES, randomness};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, traits::ConstU32};
use scale_info::TypeInfo;
use sp_runtime::MultiSigner;

/// A beacon's public key, compressed.
pub type OpaquePublicKey = BoundedVec<u8, ConstU32<96>>;

/// A hash, or a short name.
pub type BoundedHash = BoundedVec<u8, ConstU32<32>>;

/// Room for a signature on either group; those of this scheme take 48 bytes.
pub type OpaqueSignature = BoundedVec<u8, ConstU32<144>>;

/// Name of the only scheme in use: signatures on G1, each of its round alone.
pub const SCHEME: &[u8] = b"bls-unchained-g1-rfc9380";

/// Hash that names the group of signers of the public beacon.
const QUICKNET_GROUP_HASH: [u8; 32] = [
    0xf4, 0x77, 0xd5, 0xc8, 0x9f, 0x21, 0xa1, 0x7c, 0x86, 0x3a, 0x7f, 0x93, 0x7c, 0x6a, 0x6d, 0x15, 0x85, 0x94, 0x14,
    0xd2, 0xbe, 0x09, 0xcd, 0x44, 0x8d, 0x42, 0x79, 0xaf, 0x33, 0x1c, 0x5d, 0x3e,
];

/// Which beacon the chain follows, as drand's `info` describes it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct BeaconConfiguration {
    /// Group key, a compressed point of G2.
    pub public_key: OpaquePublicKey,
    /// Time from one round to the next, seconds.
    pub period: u32,
    /// Time of round 1, Unix seconds.
    pub genesis_time: u32,
    /// Name of the beacon in URLs.
    pub hash: BoundedHash,
    /// Name of the group of signers.
    pub group_hash: BoundedHash,
    /// Name of the scheme.
    pub scheme_id: BoundedHash,
    /// More names.
    pub metadata: Metadata,
}

/// Names of a beacon.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Metadata {
    /// Name of the beacon among those of its signers.
    pub beacon_id: BoundedHash,
}

impl BeaconConfiguration {
    /// The configuration of a beacon of a single signer, named by its key.
    #[must_use]
    pub fn local(params: &BeaconParams) -> Self {
        let hash = sp_io::hashing::sha2_256(&params.public_key);
        Self {
            public_key: BoundedVec::truncate_from(params.public_key.to_vec()),
            period: params.period,
            genesis_time: u32::try_from(params.genesis_time).unwrap_or(u32::MAX),
            hash: BoundedVec::truncate_from(hash.to_vec()),
            group_hash: BoundedVec::truncate_from(vec![0; 32]),
            scheme_id: BoundedVec::truncate_from(SCHEME.to_vec()),
            metadata: Metadata { beacon_id: BoundedVec::truncate_from(b"local".to_vec()) },
        }
    }

    /// Key and times; `None` if the key has another length than a point of G2, or the period is zero.
    #[must_use]
    pub fn params(&self) -> Option<BeaconParams> {
        let public_key: [u8; PUBLIC_KEY_BYTES] = self.public_key.as_slice().try_into().ok()?;
        let genesis_time = u64::from(self.genesis_time);
        (self.period > 0).then_some(BeaconParams { public_key, genesis_time, period: self.period })
    }

    /// Whether this is the public beacon, whose rounds can be fetched.
    #[must_use]
    pub fn is_quicknet(&self) -> bool {
        self.params() == Some(QUICKNET)
    }
}

/// The public beacon.
impl Default for BeaconConfiguration {
    fn default() -> Self {
        Self {
            hash: BoundedVec::truncate_from(QUICKNET_CHAIN_HASH.to_vec()),
            group_hash: BoundedVec::truncate_from(QUICKNET_GROUP_HASH.to_vec()),
            metadata: Metadata { beacon_id: BoundedVec::truncate_from(b"quicknet".to_vec()) },
            ..Self::local(&QUICKNET)
        }
    }
}

/// One round of the beacon.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Pulse {
    /// Its number, from 1.
    pub round: u64,
    /// SHA-256 of the signature.
    pub randomness: BoundedHash,
    /// The beacon's signature of the number, a compressed point of G1.
    pub signature: OpaqueSignature,
}

impl Pulse {
    /// A round and its signature, with the randomness that follows.
    #[must_use]
    pub fn new(round: u64, signature: &[u8; SIGNATURE_BYTES]) -> Self {
        Self {
            round,
            randomness: BoundedVec::truncate_from(randomness(signature).to_vec()),
            signature: BoundedVec::truncate_from(signature.to_vec()),
        }
    }

    /// The signature, if it has the length of one.
    #[must_use]
    pub fn point(&self) -> Option<[u8; SIGNATURE_BYTES]> {
        self.signature.as_slice().try_into().ok()
    }
}

/// What `write_pulse` carries.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct PulsesPayload<BlockNumber> {
    /// Block that the sender saw last; not read.
    pub block_number: BlockNumber,
    /// Rounds, ascending.
    pub pulses: Vec<Pulse>,
    /// Who sends them; not read, since a pulse proves itself.
    pub public: MultiSigner,
}

impl<BlockNumber> PulsesPayload<BlockNumber> {
    /// A payload from nobody in particular.
    pub fn new(block_number: BlockNumber, pulses: Vec<Pulse>) -> Self {
        Self { block_number, pulses, public: MultiSigner::Sr25519(Default::default()) }
    }
}

/// What `set_beacon_config` carries.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct BeaconConfigurationPayload<BlockNumber> {
    /// Block that the sender saw last; not read.
    pub block_number: BlockNumber,
    /// The beacon to follow from now on.
    pub config: BeaconConfiguration,
    /// Who sends it; not read, since only root may.
    pub public: MultiSigner,
}
