// SPDX-License-Identifier: Apache-2.0

//! Signed extrinsics of version 4, for any set of transaction extensions whose unknown members carry no data.

use clawrank_proof::{Keypair, blake2_256};
use codec::{Compact, Encode};

use crate::{ClientError, ItemState, runtime::Runtime, shape::extension_state, types::Hash};

/// A mortal era: the transaction is valid in blocks `birth .. birth + period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Era {
    /// Number of blocks, a power of two in 4 ..= 4,096.
    pub(crate) period: u64,
    /// Number of the block it starts at.
    pub(crate) birth: u64,
}

impl Era {
    /// The last block that can have the transaction.
    pub(crate) fn last_block(&self) -> u64 {
        self.birth.saturating_add(self.period).saturating_sub(1)
    }

    /// Two bytes: log2 of the period less one in the low four bits, the phase above. Periods up to 4,096 are not quantised.
    fn encode_to(&self, out: &mut Vec<u8>) {
        let log2 = self.period.trailing_zeros().saturating_sub(1).clamp(1, 15);
        let phase = self.birth.checked_rem(self.period).unwrap_or_default();
        let word = u64::from(log2) | (phase << 4);
        out.extend_from_slice(&u16::try_from(word).unwrap_or(u16::MAX).to_le_bytes());
    }
}

/// What a signature covers besides the call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope {
    pub(crate) nonce: u64,
    /// `None` for an immortal transaction.
    pub(crate) era: Option<Era>,
    /// Hash of the block the era starts at; the genesis hash for an immortal one.
    pub(crate) era_hash: Hash,
    pub(crate) genesis: Hash,
}

/// The bytes of all extensions: those in the extrinsic, and those only signed.
fn extensions(runtime: &Runtime, envelope: &Envelope) -> Result<(Vec<u8>, Vec<u8>), ClientError> {
    let (mut extra, mut additional) = (Vec::new(), Vec::new());
    let metadata = runtime.metadata();
    let known = metadata
        .extrinsic()
        .transaction_extensions_by_version(0)
        .ok_or_else(|| runtime.unsupported("transaction extensions", "there is no version 0 of them"))?;
    for extension in known {
        if let ItemState::Changed { expected, found, usable: false } = extension_state(runtime, &extension) {
            let item = format!("transaction extension {}", extension.identifier());
            return Err(runtime.unsupported(&item, format!("it has now {found}; expected {expected}")));
        }
        match extension.identifier() {
            "CheckSpecVersion" => runtime.spec_version().encode_to(&mut additional),
            "CheckTxVersion" => runtime.transaction_version().encode_to(&mut additional),
            "CheckGenesis" => envelope.genesis.encode_to(&mut additional),
            "CheckMortality" | "CheckEra" => {
                match envelope.era {
                    Some(era) => era.encode_to(&mut extra),
                    None => extra.push(0),
                }
                envelope.era_hash.encode_to(&mut additional);
            }
            "CheckNonce" => Compact(envelope.nonce).encode_to(&mut extra),
            // No tip.
            "ChargeTransactionPayment" => Compact(0u64).encode_to(&mut extra),
            // No tip, paid in the native asset.
            "ChargeAssetTxPayment" => extra.extend_from_slice(&[0, 0]),
            // Disabled, and no hash.
            "CheckMetadataHash" => {
                extra.push(0);
                additional.push(0);
            }
            // Without data, as was checked above.
            _ => {}
        }
    }
    Ok((extra, additional))
}

/// What the signer signs: `call ‖ extra ‖ additional`, hashed when longer than 256 bytes.
pub(crate) fn payload(runtime: &Runtime, call: &[u8], envelope: &Envelope) -> Result<Vec<u8>, ClientError> {
    let (extra, additional) = extensions(runtime, envelope)?;
    let payload = [call, &extra, &additional].concat();
    Ok(if payload.len() > 256 { blake2_256(&payload).to_vec() } else { payload })
}

/// An extrinsic with a given sr25519 signature, with its length in front.
pub(crate) fn assemble(
    runtime: &Runtime,
    call: &[u8],
    envelope: &Envelope,
    public: &[u8; 32],
    signature: &[u8; 64],
) -> Result<Vec<u8>, ClientError> {
    if !runtime.metadata().extrinsic().supported_versions().contains(&4) {
        return Err(runtime.unsupported("extrinsic", "version 4 is not supported"));
    }
    let (extra, _) = extensions(runtime, envelope)?;
    let mut body = Vec::with_capacity(call.len().saturating_add(128));
    // Signed, version 4; MultiAddress::Id; MultiSignature::Sr25519.
    body.extend_from_slice(&[0x84, 0x00]);
    body.extend_from_slice(public);
    body.push(0x01);
    body.extend_from_slice(signature);
    body.extend_from_slice(&extra);
    body.extend_from_slice(call);
    Ok(body.encode())
}

/// A signed extrinsic and its hash.
pub(crate) fn sign(
    runtime: &Runtime,
    signer: &Keypair,
    call: &[u8],
    envelope: &Envelope,
) -> Result<(Vec<u8>, Hash), ClientError> {
    let signature = signer.sign(&payload(runtime, call, envelope)?);
    let extrinsic = assemble(runtime, call, envelope, &signer.public(), &signature)?;
    let hash = blake2_256(&extrinsic);
    Ok((extrinsic, hash))
}

#[cfg(test)]
mod tests;
