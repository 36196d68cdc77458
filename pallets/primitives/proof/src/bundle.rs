// SPDX-License-Identifier: Apache-2.0

use alloc::{collections::BTreeSet, vec::Vec};

use codec::{Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
    Attempt, Cell, CellTelemetry, Domain, EndpointName, Hash, HotkeyId, MerkleBuilder, ModelName, ProofError,
    Signature, TaskType, hash::blake2_256_parts, limits::decode_list, signing_payload, summarise, verify,
};

/// Version of the bundle's layout.
pub const BUNDLE_VERSION: u16 = 1;
/// Most attempts in a bundle.
pub const MAX_ATTEMPTS: u32 = 65_536;
/// Most cells, telemetry rows and signal entries in a bundle.
pub const MAX_CELLS: u32 = 1_024;
/// Most endpoints in one signal entry.
pub const MAX_ENDPOINTS: u32 = 64;
/// Longest accepted encoding of a bundle, in bytes.
pub const MAX_BUNDLE_BYTES: u32 = 16 << 20;

/// Where to send a kind of task for a model: endpoints, best first (rules §2.4).
#[derive(Clone, Debug, PartialEq, Eq, Encode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SignalEntry {
    /// Model.
    pub model: ModelName,
    /// Kind of task.
    pub task_type: TaskType,
    /// The primary and its fallbacks, best first; at most [`MAX_ENDPOINTS`].
    pub endpoints: Vec<EndpointName>,
}

impl Decode for SignalEntry {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        Ok(Self {
            model: Decode::decode(input)?,
            task_type: Decode::decode(input)?,
            endpoints: decode_list(input, MAX_ENDPOINTS)?,
        })
    }
}

impl DecodeWithMemTracking for SignalEntry {}

/// What the hotkey signs: which epoch of which subnet, and the root of everything else.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BundleHeader {
    /// [`BUNDLE_VERSION`].
    pub version: u16,
    /// Genesis hash of the chain.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub genesis: Hash,
    /// Subnet.
    pub netuid: u16,
    /// Mechanism of the subnet.
    pub mecid: u8,
    /// Epoch that the attempts belong to.
    pub epoch: u64,
    /// [`bundle_root`].
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub root: Hash,
    /// Number of attempts.
    pub count: u32,
}

impl BundleHeader {
    /// The 32 bytes that the hotkey signs.
    #[must_use]
    pub fn signing_payload(&self) -> Hash {
        signing_payload(Domain::Bundle, self)
    }
}

/// All attempts of one miner in one epoch, in order, with what follows from them (rules §2.1).
#[derive(Clone, Debug, PartialEq, Eq, Encode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Bundle {
    /// Who signs.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub hotkey: HotkeyId,
    /// What is signed.
    pub header: BundleHeader,
    /// Signature over [`BundleHeader::signing_payload`].
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub signature: Signature,
    /// Attempts, by sequence; at most [`MAX_ATTEMPTS`].
    pub attempts: Vec<Attempt>,
    /// Cells that the attempts name, normalised, sorted by id, distinct; at most [`MAX_CELLS`].
    pub cells: Vec<Cell>,
    /// Telemetry of the same cells in the same order.
    pub telemetry: Vec<CellTelemetry>,
    /// Routing signal.
    pub signal: Vec<SignalEntry>,
}

/// `blake2_256(SCALE(cells, telemetry, signal))`: everything in a bundle that is not an attempt.
#[must_use]
pub fn summary_hash(cells: &[Cell], telemetry: &[CellTelemetry], signal: &[SignalEntry]) -> Hash {
    (cells, telemetry, signal).using_encoded(|encoded| blake2_256_parts(&[encoded]))
}

/// The root that is committed: `blake2_256(0x02 ‖ attempts_root ‖ summary_hash)`.
///
/// It binds telemetry and signal too, so that neither can be chosen after the challenge is known (ADR 0001).
#[must_use]
pub fn bundle_root(attempts_root: &Hash, summary_hash: &Hash) -> Hash {
    blake2_256_parts(&[&[0x02], attempts_root, summary_hash])
}

impl Bundle {
    /// Puts a bundle together: sorts cells, recomputes telemetry, computes the root. The signature is left zero.
    ///
    /// # Errors
    ///
    /// - [`ProofError::EmptyTree`]: no attempts. [`ProofError::TooManyLeaves`]: more than [`MAX_ATTEMPTS`].
    /// - [`ProofError::CellsUnordered`]: a cell is not normalised or occurs twice, or there are more than [`MAX_CELLS`].
    /// - [`ProofError::UnknownCell`]: cells and attempts do not name the same set.
    /// - [`ProofError::Malformed`]: more than [`MAX_CELLS`] signal entries, or one with too many endpoints.
    pub fn assemble(
        hotkey: HotkeyId,
        subnet: SubnetEpoch,
        attempts: Vec<Attempt>,
        mut cells: Vec<Cell>,
        signal: Vec<SignalEntry>,
    ) -> Result<Self, ProofError> {
        cells.sort_by_cached_key(Cell::id);
        let telemetry = summarise(&attempts);
        let SubnetEpoch { genesis, netuid, mecid, epoch } = subnet;
        let count = u32::try_from(attempts.len()).map_err(|_| ProofError::TooManyLeaves)?;
        let header = BundleHeader { version: BUNDLE_VERSION, genesis, netuid, mecid, epoch, root: [0; 32], count };
        let mut bundle = Self { hotkey, header, signature: [0; 64], attempts, cells, telemetry, signal };
        bundle.ensure_well_formed()?;
        bundle.header.root = bundle.recompute_root()?;
        Ok(bundle)
    }

    /// Signs the header with the miner's key.
    ///
    /// # Errors
    ///
    /// [`ProofError::WrongParty`]: the key is not the bundle's hotkey.
    #[cfg(feature = "sign")]
    pub fn sign(&mut self, keypair: &crate::Keypair) -> Result<(), ProofError> {
        if keypair.public() != self.hotkey {
            return Err(ProofError::WrongParty);
        }
        self.signature = keypair.sign(&self.header.signing_payload());
        Ok(())
    }

    /// Decodes a bundle from foreign bytes.
    ///
    /// # Errors
    ///
    /// - [`ProofError::TooLarge`]: more than [`MAX_BUNDLE_BYTES`].
    /// - [`ProofError::Malformed`]: not an encoding of a bundle, or a list is over its cap.
    /// - [`ProofError::TrailingBytes`]: bytes are left over.
    pub fn decode_limited(bytes: &[u8]) -> Result<Self, ProofError> {
        crate::limits::decode_all(bytes, MAX_BUNDLE_BYTES)
    }

    /// The Merkle root of the attempts alone; openings are proved against it.
    ///
    /// # Errors
    ///
    /// [`ProofError::EmptyTree`] without attempts.
    pub fn attempts_root(&self) -> Result<Hash, ProofError> {
        let mut builder = MerkleBuilder::new();
        for attempt in &self.attempts {
            builder.push(attempt.leaf())?;
        }
        builder.finish()
    }

    /// The root that the body gives; equal to the header's unless the bundle lies.
    ///
    /// # Errors
    ///
    /// [`ProofError::EmptyTree`] without attempts.
    pub fn recompute_root(&self) -> Result<Hash, ProofError> {
        let summary = summary_hash(&self.cells, &self.telemetry, &self.signal);
        Ok(bundle_root(&self.attempts_root()?, &summary))
    }

    /// Checks version, counts, caps, the order of cells, and that cells and attempts name the same set.
    ///
    /// # Errors
    ///
    /// [`ProofError::UnknownVersion`], [`ProofError::CountMismatch`], [`ProofError::TooManyLeaves`],
    /// [`ProofError::Malformed`] (a list over its cap), [`ProofError::CellsUnordered`] or [`ProofError::UnknownCell`].
    pub fn ensure_well_formed(&self) -> Result<(), ProofError> {
        if self.header.version != BUNDLE_VERSION {
            return Err(ProofError::UnknownVersion { found: self.header.version });
        }
        let body = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
        if body > MAX_ATTEMPTS {
            return Err(ProofError::TooManyLeaves);
        }
        if body != self.header.count {
            return Err(ProofError::CountMismatch { header: self.header.count, body });
        }
        let over = |len: usize, max: u32| u32::try_from(len).unwrap_or(u32::MAX) > max;
        if over(self.cells.len(), MAX_CELLS)
            || over(self.telemetry.len(), MAX_CELLS)
            || over(self.signal.len(), MAX_CELLS)
            || self.signal.iter().any(|entry| over(entry.endpoints.len(), MAX_ENDPOINTS))
        {
            return Err(ProofError::Malformed);
        }
        let ids: Vec<Hash> = self.cells.iter().map(Cell::id).collect();
        if !self.cells.iter().all(Cell::is_normalised) || !ids.is_sorted_by(|a, b| a < b) {
            return Err(ProofError::CellsUnordered);
        }
        let named: BTreeSet<&Hash> = self.attempts.iter().map(|attempt| &attempt.cell).collect();
        if !named.into_iter().eq(ids.iter()) {
            return Err(ProofError::UnknownCell);
        }
        Ok(())
    }

    /// Checks form, root and signature: that this hotkey signed exactly this body.
    ///
    /// Whether it is the committed one, and of the right chain, subnet and epoch, is for the caller to compare.
    ///
    /// # Errors
    ///
    /// Those of [`Bundle::ensure_well_formed`], [`ProofError::EmptyTree`], [`ProofError::RootMismatch`] and those of
    /// [`verify`].
    pub fn verify(&self) -> Result<(), ProofError> {
        self.ensure_well_formed()?;
        if self.recompute_root()? != self.header.root {
            return Err(ProofError::RootMismatch);
        }
        verify(&self.hotkey, &self.header.signing_payload(), &self.signature)
    }

    /// Whether the telemetry is exactly what the attempts give.
    #[must_use]
    pub fn is_faithful(&self) -> bool {
        self.telemetry == summarise(&self.attempts)
    }
}

/// Which epoch of which mechanism of which subnet of which chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SubnetEpoch {
    /// Genesis hash of the chain.
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_hex"))]
    pub genesis: Hash,
    /// Subnet.
    pub netuid: u16,
    /// Mechanism.
    pub mecid: u8,
    /// Epoch.
    pub epoch: u64,
}

impl Decode for Bundle {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        Ok(Self {
            hotkey: Decode::decode(input)?,
            header: Decode::decode(input)?,
            signature: Decode::decode(input)?,
            attempts: decode_list(input, MAX_ATTEMPTS)?,
            cells: decode_list(input, MAX_CELLS)?,
            telemetry: decode_list(input, MAX_CELLS)?,
            signal: decode_list(input, MAX_CELLS)?,
        })
    }
}

impl DecodeWithMemTracking for Bundle {}

#[cfg(test)]
mod tests;
