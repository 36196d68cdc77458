// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! The author's half of the MEV shield: it announces a key with every block and opens what comes encrypted to one.
//!
//! The author takes transactions from [`ShieldedPool`] instead of from the pool itself. There each carrier that this node
//! can open is followed by the extrinsic inside, so both go into one block, and nobody else sees it before. A carrier
//! that this node cannot open stays in the pool for the author who can; its era ends after eight blocks.

mod keyring;
mod offers;
mod pool;

pub(crate) use keyring::{Announcement, Keyring};
pub(crate) use pool::ShieldedPool;

use clawrank_runtime::{Address, Runtime, Signature, TxExtension, UncheckedExtrinsic};
use clawrank_shield::{Envelope, OVERHEAD_BYTES};
use codec::{DecodeLimit, Encode};
use pallet_shield::{MAX_DEPTH, carried, read_inner};
use sp_runtime::OpaqueExtrinsic;

/// The envelope of a carrier; `None` for any other extrinsic.
fn envelope_of(extrinsic: &OpaqueExtrinsic) -> Option<Vec<u8>> {
    // Most extrinsics are shorter than any envelope, and are not decoded.
    if extrinsic.inner().len() < OVERHEAD_BYTES {
        return None;
    }
    let extrinsic = UncheckedExtrinsic::decode_all_with_depth_limit(MAX_DEPTH, &mut &*extrinsic.encode()).ok()?;
    carried::<Runtime, Address, Signature, TxExtension>(&extrinsic).map(<[u8]>::to_vec)
}

/// The extrinsic inside an envelope, when this node can open it and may execute what is inside.
fn open(keys: &Keyring, envelope: &[u8]) -> Option<OpaqueExtrinsic> {
    let plaintext = keys
        .open(&Envelope::parse(envelope).ok()?)
        .inspect_err(|error| log::debug!("an envelope does not open: {error}"))
        .ok()?;
    read_inner::<Runtime, Address, Signature, TxExtension>(&plaintext)
        .inspect_err(|error| log::debug!("an envelope holds nothing to execute: {error}"))
        .ok()?;
    OpaqueExtrinsic::try_from_encoded_extrinsic(&plaintext).ok()
}
