// SPDX-License-Identifier: Apache-2.0
//! The only file that names the curve's implementation.

use alloc::vec::Vec;

use ark_bls12_381::{Bls12_381, Fr, G1Affine, G1Projective, G2Affine, g1};
use ark_ec::{
    AffineRepr, CurveGroup,
    hashing::{HashToCurve, curve_maps::wb::WBMap, map_to_curve_hasher::MapToCurveBasedHasher},
    pairing::Pairing,
};
use ark_ff::{PrimeField, Zero, field_hashers::DefaultFieldHasher};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use sha2::{Digest, Sha256};

use crate::{PUBLIC_KEY_BYTES, SIGNATURE_BYTES};

/// Domain of drand's signatures on G1 (RFC 9380); that the name says NUL is how the scheme was published.
const SIGNATURE_DOMAIN: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

type RoundHasher = MapToCurveBasedHasher<G1Projective, DefaultFieldHasher<Sha256>, WBMap<g1::Config>>;

/// A point of G1 in the subgroup of prime order: a signature or a hashed round.
#[derive(Clone, Copy)]
pub(crate) struct G1(G1Affine);

/// A point of G2 in the subgroup of prime order: a public key or the commit's first field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct G2(G2Affine);

/// An exponent.
#[derive(Clone, Copy)]
pub(crate) struct Scalar(Fr);

/// SHA-256 of the parts, one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize().into()
}

impl G1 {
    /// Reads a compressed point; `None` unless it is on the curve, in the subgroup and not the identity.
    pub(crate) fn read(bytes: &[u8; SIGNATURE_BYTES]) -> Option<Self> {
        let point = G1Affine::deserialize_compressed(bytes.as_slice()).ok()?;
        (!point.is_zero()).then_some(Self(point))
    }

    /// The point of a round: hash to the curve of SHA-256 of its number in big-endian.
    pub(crate) fn of_round(round: u64) -> Option<Self> {
        let identity = sha256(&[&round.to_be_bytes()]);
        let hasher = RoundHasher::new(SIGNATURE_DOMAIN).ok()?;
        hasher.hash(&identity).ok().map(Self)
    }

    pub(crate) fn times(self, scalar: Scalar) -> Self {
        Self(self.0.mul_bigint(scalar.0.into_bigint()).into_affine())
    }

    #[cfg(feature = "beacon")]
    pub(crate) fn bytes(self) -> [u8; SIGNATURE_BYTES] {
        compressed(&self.0)
    }
}

impl G2 {
    /// Reads a compressed point; `None` unless it is on the curve, in the subgroup and not the identity.
    pub(crate) fn read(bytes: &[u8; PUBLIC_KEY_BYTES]) -> Option<Self> {
        let point = G2Affine::deserialize_compressed(bytes.as_slice()).ok()?;
        (!point.is_zero()).then_some(Self(point))
    }

    /// `scalar` times the group's generator.
    pub(crate) fn generator_times(scalar: Scalar) -> Self {
        Self(G2Affine::generator().mul_bigint(scalar.0.into_bigint()).into_affine())
    }

    pub(crate) fn bytes(self) -> [u8; PUBLIC_KEY_BYTES] {
        compressed(&self.0)
    }
}

impl Scalar {
    /// Big-endian bytes, reduced.
    pub(crate) fn reduced(bytes: &[u8]) -> Self {
        Self(Fr::from_be_bytes_mod_order(bytes))
    }
}

/// SHA-256 of the compressed pairing of both points.
pub(crate) fn pairing_hash(left: G1, right: G2) -> [u8; 32] {
    let mut bytes = Vec::new();
    // Writing to a vector cannot fail; were it to, the hash would open nothing.
    let _ = Bls12_381::pairing(left.0, right.0).serialize_compressed(&mut bytes);
    sha256(&[&bytes])
}

/// Whether `signature` is the product of `message` and the exponent behind `public_key`.
#[allow(clippy::arithmetic_side_effects, reason = "the negative of a point is a point")]
pub(crate) fn is_signed(public_key: G2, message: G1, signature: G1) -> bool {
    // One final exponentiation: e(message, key) · e(signature, -generator) = 1.
    Bls12_381::multi_pairing([message.0, signature.0], [public_key.0, -G2Affine::generator()]).0 == one()
}

fn one() -> <Bls12_381 as Pairing>::TargetField {
    ark_ec::pairing::PairingOutput::<Bls12_381>::zero().0
}

fn compressed<const N: usize, T: CanonicalSerialize>(value: &T) -> [u8; N] {
    let mut bytes = [0; N];
    // The length is that of the group's points, fixed by the types above.
    let _ = value.serialize_compressed(bytes.as_mut_slice());
    bytes
}
