// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! The pool as an author sees it.

use super::{
    Keyring,
    offers::{Offer, Offers, Shield},
};
use clawrank_runtime::{Hash, opaque::Block};
use sc_transaction_pool_api::{
    ImportNotificationStream, InPoolTransaction, PoolStatus, ReadyTransactions, TransactionPool, TransactionSource,
    TransactionStatusStreamFor, TxInvalidityReportMap,
};
use sp_runtime::OpaqueExtrinsic;
use std::{collections::HashMap, pin::Pin, sync::Arc, time::Duration};

/// A pool in which each carrier that this node can open is followed by the extrinsic inside.
///
/// Only what is ready for a block differs; all else is the pool's own.
pub(crate) struct ShieldedPool<P> {
    pool: Arc<P>,
    shield: Arc<Shield>,
}

/// The offers for a block.
type Ready<P> = Box<dyn ReadyTransactions<Item = Arc<<P as TransactionPool>::InPoolTransaction>> + Send>;

impl<P> ShieldedPool<P>
where
    P: TransactionPool<Block = Block, Hash = Hash> + 'static,
    P::InPoolTransaction: InPoolTransaction<Transaction = Arc<OpaqueExtrinsic>, Hash = Hash> + Send + Sync,
{
    pub(crate) fn new(pool: Arc<P>, keys: Arc<Keyring>) -> Self {
        Self { pool, shield: Arc::new(Shield::new(keys)) }
    }

    fn offers(&self, ready: Ready<P>) -> Ready<Self> {
        Box::new(Offers::new(ready, self.shield.clone()))
    }
}

#[async_trait::async_trait]
impl<P> TransactionPool for ShieldedPool<P>
where
    P: TransactionPool<Block = Block, Hash = Hash> + 'static,
    P::InPoolTransaction: InPoolTransaction<Transaction = Arc<OpaqueExtrinsic>, Hash = Hash> + Send + Sync,
{
    type Block = Block;
    type Hash = Hash;
    type InPoolTransaction = Offer<P::InPoolTransaction>;
    type Error = P::Error;

    async fn submit_at(
        &self,
        at: Hash,
        source: TransactionSource,
        xts: Vec<OpaqueExtrinsic>,
    ) -> Result<Vec<Result<Hash, Self::Error>>, Self::Error> {
        self.pool.submit_at(at, source, xts).await
    }

    async fn submit_one(&self, at: Hash, source: TransactionSource, xt: OpaqueExtrinsic) -> Result<Hash, Self::Error> {
        self.pool.submit_one(at, source, xt).await
    }

    async fn submit_and_watch(
        &self,
        at: Hash,
        source: TransactionSource,
        xt: OpaqueExtrinsic,
    ) -> Result<Pin<Box<TransactionStatusStreamFor<Self>>>, Self::Error> {
        self.pool.submit_and_watch(at, source, xt).await
    }

    async fn ready_at(&self, at: Hash) -> Ready<Self> {
        self.offers(self.pool.ready_at(at).await)
    }

    fn ready(&self) -> Ready<Self> {
        self.offers(self.pool.ready())
    }

    async fn report_invalid(
        &self,
        at: Option<Hash>,
        errors: TxInvalidityReportMap<Hash>,
    ) -> Vec<Arc<Self::InPoolTransaction>> {
        let removed = self.pool.report_invalid(at, errors).await;
        removed.into_iter().map(|tx| Arc::new(Offer::Pool(tx))).collect()
    }

    fn futures(&self) -> Vec<Self::InPoolTransaction> {
        self.pool.futures().into_iter().map(|tx| Offer::Pool(Arc::new(tx))).collect()
    }

    fn status(&self) -> PoolStatus {
        self.pool.status()
    }

    fn import_notification_stream(&self) -> ImportNotificationStream<Hash> {
        self.pool.import_notification_stream()
    }

    fn on_broadcasted(&self, propagations: HashMap<Hash, Vec<String>>) {
        self.pool.on_broadcasted(propagations);
    }

    fn hash_of(&self, xt: &OpaqueExtrinsic) -> Hash {
        self.pool.hash_of(xt)
    }

    fn ready_transaction(&self, hash: &Hash) -> Option<Arc<Self::InPoolTransaction>> {
        self.pool.ready_transaction(hash).map(|tx| Arc::new(Offer::Pool(tx)))
    }

    async fn ready_at_with_timeout(&self, at: Hash, timeout: Duration) -> Ready<Self> {
        self.offers(self.pool.ready_at_with_timeout(at, timeout).await)
    }
}
