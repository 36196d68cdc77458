// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! Whether a database holds what a node cannot do without.

use crate::service::FullBackend;
use clawrank_runtime::Hash;
use sc_client_api::{
    Backend, TrieCacheContext,
    blockchain::{Backend as _, HeaderBackend},
};
use sp_runtime::traits::Header;
use sp_state_machine::{Backend as _, IterArgs};

/// Headers to read, newest first.
const HEADERS: u32 = 256;

/// Reads the newest headers, with `bodies` of all of them or of those that are not final yet, and the whole state of the
/// final and the best block.
///
/// # Errors
///
/// What is missing or cannot be read, in words.
pub(super) fn ensure_sound(backend: &FullBackend, bodies: bool) -> Result<(), String> {
    let info = backend.blockchain().info();
    let bottom = info.best_number.saturating_sub(HEADERS).min(info.finalized_number);
    // What a node that began with a newer state still has to fetch.
    let bottom = info.block_gap.map_or(bottom, |gap| bottom.max(gap.end.saturating_add(1)));
    let mut hash = info.best_hash;
    for number in (bottom.max(1)..=info.best_number).rev() {
        hash = ensure_block(backend, number, hash, bodies || number > info.finalized_number)?;
        if number == info.finalized_number.saturating_add(1) && hash != info.finalized_hash {
            return Err(format!("block #{number} does not follow the final block"));
        }
    }
    if let Some((hash, number)) = info.finalized_state {
        ensure_state(backend, hash).map_err(|error| format!("the state of final block #{number}: {error}"))?;
        if info.best_hash != hash {
            ensure_state(backend, info.best_hash)
                .map_err(|error| format!("the state of block #{}: {error}", info.best_number))?;
        }
    }
    Ok(())
}

/// Reads a block of the best chain; the hash of its parent.
fn ensure_block(backend: &FullBackend, number: u32, hash: Hash, with_body: bool) -> Result<Hash, String> {
    let chain = backend.blockchain();
    let broken = |what: &str| format!("{what} of block #{number} is missing");
    let read = |error: sp_blockchain::Error| format!("block #{number}: {error}");
    let header = chain.header(hash).map_err(read)?.ok_or_else(|| broken("the header"))?;
    if *header.number() != number || chain.hash(number).map_err(read)? != Some(hash) {
        return Err(broken("the entry"));
    }
    if with_body && chain.body(hash).map_err(read)?.is_none() {
        return Err(broken("the body"));
    }
    Ok(*header.parent_hash())
}

/// Reads every key and value of a block's state.
fn ensure_state(backend: &FullBackend, hash: Hash) -> Result<(), String> {
    let state = backend.state_at(hash, TrieCacheContext::Untrusted).map_err(|error| error.to_string())?;
    let mut pairs = state.pairs(IterArgs::default()).map_err(|error| error.to_string())?;
    pairs.try_for_each(|pair| pair.map(drop)).map_err(|error| error.to_string())
}
