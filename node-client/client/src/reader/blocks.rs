// SPDX-License-Identifier: Apache-2.0

use codec::{Compact, Decode};
use serde::Deserialize;
use subxt::rpcs::client::rpc_params;

use super::Reader;
use crate::{
    ClientError,
    link::{Link, from_hex, to_hex},
    runtime::Runtime,
    types::{Hash, Head},
};

/// The body of a block: its extrinsics, each with its length in front.
pub(crate) struct RawBlock {
    pub(crate) extrinsics: Vec<Vec<u8>>,
}

#[derive(Deserialize)]
struct SignedBlock {
    block: Body,
}

#[derive(Deserialize)]
struct Body {
    extrinsics: Vec<String>,
}

impl RawBlock {
    pub(crate) async fn fetch(link: &Link, hash: &Hash) -> Result<Self, ClientError> {
        let found: Option<SignedBlock> = link.request("chain_getBlock", rpc_params![to_hex(hash)]).await?;
        let found = found.ok_or(ClientError::NoState { block: *hash })?;
        let extrinsics = found
            .block
            .extrinsics
            .iter()
            .map(|text| from_hex(text))
            .collect::<Result<_, _>>()
            .map_err(|why| ClientError::Decode { item: "extrinsic".into(), why })?;
        Ok(Self { extrinsics })
    }

    /// The block's timestamp, from its inherent `Timestamp.set`.
    fn timestamp(&self, runtime: &Runtime) -> Option<u64> {
        let pallet = runtime.metadata().pallet_by_name("Timestamp")?;
        let call = [pallet.call_index(), pallet.call_variant_by_name("set")?.index];
        self.extrinsics.iter().find_map(|extrinsic| {
            let mut input = extrinsic.as_slice();
            Compact::<u32>::decode(&mut input).ok()?;
            // Unsigned, of version 4 or 5.
            let (version, rest) = input.split_first()?;
            let mut args = rest.strip_prefix(call.as_slice()).filter(|_| matches!(version, 4 | 5))?;
            Compact::<u64>::decode(&mut args).ok().map(|Compact(now)| now)
        })
    }
}

impl Reader<'_> {
    /// The block as a head; its timestamp is read from its body where its state is gone.
    pub(crate) async fn head(&self, number: u64) -> Result<Head, ClientError> {
        let head = |timestamp_ms| Head { number, hash: self.at, timestamp_ms };
        match self.timestamp().await {
            Ok(timestamp_ms) => Ok(head(timestamp_ms)),
            Err(ClientError::NoState { .. } | ClientError::Rpc { .. }) => {
                let block = RawBlock::fetch(self.link, &self.at).await?;
                let timestamp_ms = block.timestamp(&self.runtime).ok_or(ClientError::NoState { block: self.at })?;
                Ok(head(timestamp_ms))
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
