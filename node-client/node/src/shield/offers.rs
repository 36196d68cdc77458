// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! What an author is offered for a block: the pool's transactions, and what is inside carriers.

use super::{Keyring, envelope_of, open};
use clawrank_runtime::Hash;
use clawrank_shield::Envelope;
use sc_transaction_pool_api::{InPoolTransaction, ReadyTransactions};
use sp_runtime::{
    OpaqueExtrinsic,
    traits::{BlakeTwo256, Hash as _},
    transaction_validity::{TransactionLongevity, TransactionPriority, TransactionTag},
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

#[cfg(test)]
mod tests;

/// How many extrinsics whose carrier is in a block may wait for the next one; what is beyond is dropped, oldest first.
pub(super) const MAX_HELD: usize = 64;

/// An extrinsic that came inside a carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inner {
    data: Arc<OpaqueExtrinsic>,
    hash: Hash,
}

impl Inner {
    fn new(extrinsic: OpaqueExtrinsic) -> Self {
        let hash = BlakeTwo256::hash_of(&extrinsic);
        Self { data: Arc::new(extrinsic), hash }
    }
}

/// One transaction that is offered.
#[derive(Debug)]
pub(crate) enum Offer<T> {
    /// The pool's.
    Pool(Arc<T>),
    /// From inside a carrier.
    Inner(Inner),
}

impl<T> InPoolTransaction for Offer<T>
where
    T: InPoolTransaction<Transaction = Arc<OpaqueExtrinsic>, Hash = Hash>,
{
    type Transaction = Arc<OpaqueExtrinsic>;
    type Hash = Hash;

    fn data(&self) -> &Self::Transaction {
        match self {
            Self::Pool(tx) => tx.data(),
            Self::Inner(inner) => &inner.data,
        }
    }

    fn hash(&self) -> &Hash {
        match self {
            Self::Pool(tx) => tx.hash(),
            Self::Inner(inner) => &inner.hash,
        }
    }

    fn priority(&self) -> &TransactionPriority {
        match self {
            Self::Pool(tx) => tx.priority(),
            Self::Inner(_) => &TransactionPriority::MAX,
        }
    }

    fn longevity(&self) -> &TransactionLongevity {
        match self {
            Self::Pool(tx) => tx.longevity(),
            Self::Inner(_) => &1,
        }
    }

    fn requires(&self) -> &[TransactionTag] {
        match self {
            Self::Pool(tx) => tx.requires(),
            Self::Inner(_) => &[],
        }
    }

    fn provides(&self) -> &[TransactionTag] {
        match self {
            Self::Pool(tx) => tx.provides(),
            Self::Inner(_) => &[],
        }
    }

    fn is_propagable(&self) -> bool {
        match self {
            Self::Pool(tx) => tx.is_propagable(),
            Self::Inner(_) => false,
        }
    }
}

/// What a node that authors knows: its keys, and what it could not execute right behind its carrier.
#[derive(Default)]
pub(crate) struct Shield {
    pub(super) keys: Arc<Keyring>,
    held: Mutex<VecDeque<Inner>>,
}

impl Shield {
    pub(super) fn new(keys: Arc<Keyring>) -> Self {
        Self { keys, held: Mutex::default() }
    }

    fn hold(&self, inner: Inner) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.push_back(inner);
        while held.len() > MAX_HELD {
            held.pop_front();
        }
    }

    fn take_held(&self) -> VecDeque<Inner> {
        std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What was offered last, of which the next call tells what became.
enum Last {
    /// Nothing that anything follows from.
    Settled,
    /// A carrier with this envelope.
    Carrier(Vec<u8>),
    /// An extrinsic from inside one; `again` when an earlier block had no room for it.
    Inner { inner: Inner, again: bool },
}

/// The offers for one block, in order.
///
/// The author asks for the next offer when the last one is in the block, and reports it when it is not. So an envelope is
/// opened once its carrier is in the block and has paid for that. An extrinsic for which the block has no room or no time
/// any more, is offered first for the next block, once: then it fits or is invalid.
pub(super) struct Offers<T> {
    pool: Box<dyn ReadyTransactions<Item = Arc<T>> + Send>,
    shield: Arc<Shield>,
    again: VecDeque<Inner>,
    last: Last,
}

impl<T> Offers<T> {
    pub(super) fn new(pool: Box<dyn ReadyTransactions<Item = Arc<T>> + Send>, shield: Arc<Shield>) -> Self {
        let again = shield.take_held();
        Self { pool, shield, again, last: Last::Settled }
    }

    fn offer(&mut self, inner: Inner, again: bool) -> Arc<Offer<T>> {
        self.last = Last::Inner { inner: inner.clone(), again };
        Arc::new(Offer::Inner(inner))
    }
}

impl<T> Iterator for Offers<T>
where
    T: InPoolTransaction<Transaction = Arc<OpaqueExtrinsic>, Hash = Hash>,
{
    type Item = Arc<Offer<T>>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Last::Carrier(envelope) = std::mem::replace(&mut self.last, Last::Settled)
            && let Some(extrinsic) = open(&self.shield.keys, &envelope)
        {
            return Some(self.offer(Inner::new(extrinsic), false));
        }
        if let Some(inner) = self.again.pop_front() {
            return Some(self.offer(inner, true));
        }
        loop {
            let tx = self.pool.next()?;
            let Some(envelope) = envelope_of(tx.data()) else { return Some(Arc::new(Offer::Pool(tx))) };
            let is_ours = Envelope::parse(&envelope).is_ok_and(|envelope| self.shield.keys.holds(envelope.key_hash));
            if is_ours {
                self.last = Last::Carrier(envelope);
                return Some(Arc::new(Offer::Pool(tx)));
            }
            // It stays in the pool; what its signer sent after it cannot come before it.
            self.pool.report_invalid(&tx);
        }
    }
}

impl<T> ReadyTransactions for Offers<T>
where
    T: InPoolTransaction<Transaction = Arc<OpaqueExtrinsic>, Hash = Hash>,
{
    fn report_invalid(&mut self, offer: &Self::Item) {
        let last = std::mem::replace(&mut self.last, Last::Settled);
        match (&**offer, last) {
            (Offer::Pool(tx), _) => self.pool.report_invalid(tx),
            (Offer::Inner(_), Last::Inner { inner, again: false }) => self.shield.hold(inner),
            (Offer::Inner(_), _) => {}
        }
    }
}

impl<T> Drop for Offers<T> {
    /// The author ran out of time: what it took last is not in the block, nor is what it did not ask for.
    fn drop(&mut self) {
        if let Last::Inner { inner, .. } = std::mem::replace(&mut self.last, Last::Settled) {
            self.shield.hold(inner);
        }
        while let Some(inner) = self.again.pop_front() {
            self.shield.hold(inner);
        }
    }
}
