// SPDX-License-Identifier: Apache-2.0

use alloc::vec::Vec;

use codec::Encode;

use crate::{Hash, blake2_256};

/// What a validator commits to before it reveals its weights:
/// `blake2-256(SCALE(hotkey, netuid_index, uids, values, salt, version_key))`.
///
/// `hotkey` encodes to its 32 bytes, as a [`HotkeyId`](crate::HotkeyId) and an account do. `netuid_index` is the chain's storage index of the mechanism, `mecid · 4,096 + netuid`. The salt belongs to one
/// commit and is as secret as the weights until the reveal, which must repeat every argument.
#[must_use]
pub fn weights_commit_hash(
    hotkey: &impl Encode,
    netuid_index: u16,
    uids: &[u16],
    values: &[u16],
    salt: &[u16],
    version_key: u64,
) -> Hash {
    let preimage: Vec<u8> = (hotkey, netuid_index, uids, values, salt, version_key).encode();
    blake2_256(&preimage)
}

#[cfg(test)]
mod tests;
