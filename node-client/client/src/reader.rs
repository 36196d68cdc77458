// SPDX-License-Identifier: Apache-2.0

//! Storage of one block, read in batches.

mod blocks;
mod commitments;
mod provider_rank;
mod subnet;
mod timelock;

use std::{collections::HashMap, sync::Arc};

use futures::future::try_join_all;
use serde::Deserialize;
use subxt::{ext::scale_decode::DecodeAsType, rpcs::client::rpc_params};

use crate::{
    ClientError,
    link::{Link, from_hex, to_hex},
    runtime::{Key, Runtime},
    shape::{StorageName, item},
    types::Hash,
};

pub(crate) use blocks::RawBlock;

/// Keys of one request.
const BATCH: usize = 512;
/// Requests of one read in flight at a time.
const CONCURRENT: usize = 8;
/// Keys of one page of a map.
const PAGE: u32 = 512;
/// Most entries of a map that are read; more is not a chain this crate knows.
const MAX_ENTRIES: usize = 65_536;

/// Distance between the storage indices of two mechanisms of one subnet.
const MECHANISM_STRIDE: u16 = 4_096;

/// Storage index of a mechanism: `mecid · 4,096 + netuid`, as the chain keys what it keeps per mechanism.
///
/// # Errors
///
/// [`ClientError::InvalidCall`]: the two do not fit, which no chain has.
pub fn storage_index(netuid: u16, mecid: u8) -> Result<u16, ClientError> {
    u16::from(mecid)
        .checked_mul(MECHANISM_STRIDE)
        .filter(|_| netuid < MECHANISM_STRIDE)
        .and_then(|base| base.checked_add(netuid))
        .ok_or_else(|| ClientError::InvalidCall {
            call: "SubtensorModule".into(),
            why: format!("netuid {netuid} and mecid {mecid} have no storage index; at most 4095 and 15"),
        })
}

/// Reads at one block with one runtime.
pub(crate) struct Reader<'a> {
    link: &'a Link,
    runtime: Arc<Runtime>,
    at: Hash,
}

/// Values by full storage key; absent keys are absent.
pub(crate) type Values = HashMap<Vec<u8>, Vec<u8>>;

impl<'a> Reader<'a> {
    pub(crate) fn new(link: &'a Link, runtime: Arc<Runtime>, at: Hash) -> Self {
        Self { link, runtime, at }
    }

    /// Values of many keys in as few round trips as their number allows.
    pub(crate) async fn values(&self, keys: &[Vec<u8>]) -> Result<Values, ClientError> {
        let mut values = Values::with_capacity(keys.len());
        for group in keys.chunks(BATCH.saturating_mul(CONCURRENT)) {
            let mut batches = Vec::new();
            for chunk in group.chunks(BATCH) {
                batches.push(self.batch(chunk));
            }
            values.extend(try_join_all(batches).await?.into_iter().flatten());
        }
        Ok(values)
    }

    async fn batch(&self, keys: &[Vec<u8>]) -> Result<Values, ClientError> {
        let hex: Vec<String> = keys.iter().map(|key| to_hex(key)).collect();
        let params = rpc_params![hex, to_hex(&self.at)];
        let sets = match self.link.request::<Vec<ChangeSet>>("state_queryStorageAt", params).await {
            Ok(sets) => sets,
            Err(error) if Link::is_absent(&error) => return self.one_by_one(keys).await,
            Err(error) => return Err(self.explain(error)),
        };
        let decode = |why: String| ClientError::Decode { item: "answer to state_queryStorageAt".into(), why };
        let mut values = Values::new();
        for (key, value) in sets.into_iter().flat_map(|set| set.changes) {
            if let Some(value) = value {
                values.insert(from_hex(&key).map_err(decode)?, from_hex(&value).map_err(decode)?);
            }
        }
        Ok(values)
    }

    /// For nodes that do not answer batches.
    async fn one_by_one(&self, keys: &[Vec<u8>]) -> Result<Values, ClientError> {
        let mut values = Values::with_capacity(keys.len());
        for group in keys.chunks(CONCURRENT.saturating_mul(4)) {
            let mut reads = Vec::new();
            for key in group {
                reads.push(self.one(key));
            }
            let found = try_join_all(reads).await?;
            values.extend(group.iter().zip(found).filter_map(|(key, value)| Some((key.clone(), value?))));
        }
        Ok(values)
    }

    async fn one(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ClientError> {
        let params = rpc_params![to_hex(key), to_hex(&self.at)];
        let value: Option<String> =
            self.link.request("state_getStorage", params).await.map_err(|error| self.explain(error))?;
        value
            .map(|text| from_hex(&text))
            .transpose()
            .map_err(|why| ClientError::Decode { item: "answer to state_getStorage".into(), why })
    }

    /// All entries of a map under a prefix.
    pub(crate) async fn scan(&self, prefix: &[u8]) -> Result<Values, ClientError> {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        loop {
            let start = keys.last().map(|key| to_hex(key));
            let params = rpc_params![to_hex(prefix), PAGE, start, to_hex(&self.at)];
            let page: Vec<String> =
                self.link.request("state_getKeysPaged", params).await.map_err(|error| self.explain(error))?;
            let full = page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
            for text in page {
                let key = from_hex(&text)
                    .map_err(|why| ClientError::Decode { item: "answer to state_getKeysPaged".into(), why })?;
                keys.push(key);
            }
            if !full {
                break;
            }
            if keys.len() > MAX_ENTRIES {
                return Err(ClientError::Decode {
                    item: format!("map under {}", to_hex(prefix)),
                    why: format!("it has more than {MAX_ENTRIES} entries"),
                });
            }
        }
        self.values(&keys).await
    }

    /// One value, or the item's default; an item without either is refused.
    pub(crate) async fn value<T: DecodeAsType>(
        &self,
        item: StorageName,
        parts: &[Key],
    ) -> Result<Option<T>, ClientError> {
        let item = self.runtime.storage(item)?;
        let key = item.key(parts)?;
        let values = self.values(std::slice::from_ref(&key)).await?;
        item.decode(values.get(&key).map(Vec::as_slice))
    }

    /// The block's own timestamp, in milliseconds; 0 in block 0, which has none.
    pub(crate) async fn timestamp(&self) -> Result<u64, ClientError> {
        Ok(self.value(item!("Timestamp.Now"), &[]).await?.unwrap_or_default())
    }

    /// Names what a node means by an error about a block.
    fn explain(&self, error: ClientError) -> ClientError {
        match error {
            ClientError::Rpc { message, .. }
                if ["discarded", "UnknownBlock", "unknown block", "Unknown block", "not found"]
                    .iter()
                    .any(|hint| message.contains(hint)) =>
            {
                tracing::debug!(message, "node has no state for the block");
                ClientError::NoState { block: self.at }
            }
            other => other,
        }
    }
}

/// A plan of single values: keys are collected first, fetched together, decoded after.
pub(crate) struct Plan<'a> {
    runtime: &'a Runtime,
    keys: Vec<Vec<u8>>,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(runtime: &'a Runtime) -> Self {
        Self { runtime, keys: Vec::new() }
    }

    /// Adds a value to fetch.
    pub(crate) fn want(&mut self, item: StorageName, parts: &[Key]) -> Result<(), ClientError> {
        self.keys.push(self.runtime.storage(item)?.key(parts)?);
        Ok(())
    }

    /// Adds a value to fetch where the runtime has such an item.
    pub(crate) fn want_optional(&mut self, item: StorageName, parts: &[Key]) -> Result<(), ClientError> {
        if self.runtime.has_storage(item) { self.want(item, parts) } else { Ok(()) }
    }

    pub(crate) async fn fetch(self, reader: &Reader<'_>) -> Result<Fetched<'a>, ClientError> {
        Ok(Fetched { runtime: self.runtime, values: reader.values(&self.keys).await? })
    }
}

/// The values of a [`Plan`].
pub(crate) struct Fetched<'a> {
    runtime: &'a Runtime,
    values: Values,
}

impl Fetched<'_> {
    /// A value, or the item's default; `None` where there is neither.
    pub(crate) fn get<T: DecodeAsType>(&self, item: StorageName, parts: &[Key]) -> Result<Option<T>, ClientError> {
        let item = self.runtime.storage(item)?;
        let key = item.key(parts)?;
        item.decode(self.values.get(&key).map(Vec::as_slice))
    }

    /// A value that is really stored; no default.
    pub(crate) fn stored<T: DecodeAsType>(&self, item: StorageName, parts: &[Key]) -> Result<Option<T>, ClientError> {
        let item = self.runtime.storage(item)?;
        match self.values.get(&item.key(parts)?) {
            Some(bytes) => item.decode(Some(bytes)),
            None => Ok(None),
        }
    }

    /// A value, or the item's default, or the type's; also where the runtime has no such item.
    pub(crate) fn or_default<T: DecodeAsType + Default>(
        &self,
        item: StorageName,
        parts: &[Key],
    ) -> Result<T, ClientError> {
        if self.runtime.has_storage(item) { Ok(self.get(item, parts)?.unwrap_or_default()) } else { Ok(T::default()) }
    }
}

#[derive(Deserialize)]
struct ChangeSet {
    changes: Vec<(String, Option<String>)>,
}
