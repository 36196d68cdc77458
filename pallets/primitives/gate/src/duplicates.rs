// SPDX-License-Identifier: Apache-2.0

use alloc::{collections::BTreeMap, vec::Vec};

use clawrank_proof::{Attempt, AttemptStatus, Bundle, Hash, blake2_256};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{DuplicateKind, Evidence, GateParams, Reason, Trip};

/// Who committed first: by block, then by uid.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct CommitOrder {
    /// Block of the commitment.
    pub block: u64,
    /// Uid of the miner.
    pub uid: u16,
}

/// What the bundles of an epoch contain, to find attempts that occur in two of them.
///
/// Three things show a copy. An equal committed root. An equal salted response hash of an `Ok` attempt: the salt is the
/// miner's secret, so no second miner arrives at it. And several `Ok` attempts that agree in task, cell, start, both
/// times and both token counts: a copier who salts anew still reports the same calls. One such agreement may be chance,
/// `GateParams::duplicate_attempts` of them with the same miner are not.
///
/// Equal *texts* prove nothing: at temperature 0 an endpoint gives two honest miners the same answer to the same task,
/// so unsalted content is not compared.
///
/// Insert every bundle, then ask: only commitments before the asking one count. About 60 bytes per attempt.
#[derive(Clone, Debug, Default)]
pub struct DuplicateIndex {
    roots: BTreeMap<Hash, CommitOrder>,
    responses: BTreeMap<u128, CommitOrder>,
    calls: BTreeMap<u128, CommitOrder>,
}

impl DuplicateIndex {
    /// An empty index.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a bundle under its commitment. Only add what passed [`check_authenticity`](crate::check_authenticity).
    pub fn insert(&mut self, order: CommitOrder, bundle: &Bundle) {
        keep_first(&mut self.roots, bundle.header.root, order);
        for attempt in ok_attempts(bundle) {
            keep_first(&mut self.responses, truncated(&attempt.response_hash), order);
            keep_first(&mut self.calls, call_fingerprint(attempt), order);
        }
    }

    /// The earliest commitment before `order` that holds what `bundle` holds.
    fn find(
        &self,
        order: CommitOrder,
        bundle: &Bundle,
        params: &GateParams,
    ) -> Option<(DuplicateKind, CommitOrder, u32)> {
        let earlier =
            |found: Option<&CommitOrder>| found.filter(|first| **first < order && first.uid != order.uid).copied();
        if let Some(first) = earlier(self.roots.get(&bundle.header.root)) {
            return Some((DuplicateKind::Root, first, bundle.header.count));
        }
        let count = |lookup: &dyn Fn(&Attempt) -> Option<CommitOrder>| {
            let mut owners: BTreeMap<CommitOrder, u32> = BTreeMap::new();
            for first in ok_attempts(bundle).filter_map(lookup) {
                let matches = owners.entry(first).or_default();
                *matches = matches.saturating_add(1);
            }
            owners.into_iter().collect::<Vec<_>>()
        };
        let responses = count(&|attempt| earlier(self.responses.get(&truncated(&attempt.response_hash))));
        if let Some((first, matches)) = responses.first() {
            return Some((DuplicateKind::ResponseHash, *first, *matches));
        }
        let needed = params.duplicate_attempts.max(1);
        let calls = count(&|attempt| earlier(self.calls.get(&call_fingerprint(attempt))));
        calls.into_iter().find(|(_, matches)| *matches >= needed).map(|(first, n)| (DuplicateKind::Attempts, first, n))
    }
}

/// Checks that no attempt of the bundle was in another miner's earlier commitment.
///
/// # Errors
///
/// [`Reason::Duplicate`].
pub fn check_duplicates(
    index: &DuplicateIndex,
    order: CommitOrder,
    bundle: &Bundle,
    params: &GateParams,
) -> Result<(), Trip> {
    match index.find(order, bundle, params) {
        None => Ok(()),
        Some((kind, first, attempts)) => Err(Trip {
            reason: Reason::Duplicate,
            evidence: Evidence::Duplicate { kind, uid: first.uid, block: first.block, attempts },
        }),
    }
}

fn ok_attempts(bundle: &Bundle) -> impl Iterator<Item = &Attempt> {
    bundle.attempts.iter().filter(|attempt| attempt.status == AttemptStatus::Ok)
}

fn keep_first<K: Ord>(map: &mut BTreeMap<K, CommitOrder>, key: K, order: CommitOrder) {
    map.entry(key).and_modify(|first| *first = order.min(*first)).or_insert(order);
}

/// Half a hash is enough against chance and against anyone who cannot find 64-bit collisions of their own victims.
fn truncated(hash: &Hash) -> u128 {
    hash.first_chunk::<16>().map_or(0, |half| u128::from_le_bytes(*half))
}

/// What two honest calls never share: task, cell, start, both times, both token counts.
fn call_fingerprint(attempt: &Attempt) -> u128 {
    let call = (
        attempt.task_id,
        attempt.cell,
        attempt.start_ms,
        attempt.ttft_ms,
        attempt.total_ms,
        attempt.input_tokens,
        attempt.output_tokens,
    );
    truncated(&call.using_encoded(blake2_256))
}

#[cfg(test)]
mod tests;
