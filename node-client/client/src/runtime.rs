// SPDX-License-Identifier: Apache-2.0

use std::{collections::BTreeMap, path::Path, sync::Arc};

use codec::{Decode, MaxEncodedLen};
use scale_info::TypeDef;
use subxt::{
    ext::{
        frame_decode::storage::{encode_storage_key, encode_storage_key_prefix},
        scale_decode::DecodeAsType,
        scale_encode::{self, EncodeAsType},
        scale_type_resolver::TypeResolver,
    },
    metadata::{ConstantMetadata, Metadata, StorageEntryMetadata},
};
use tokio::sync::RwLock;

use crate::{
    ClientError,
    shape::{ConstantName, StorageName},
    types::AccountId,
};

/// What one version of a runtime says about itself: how its storage is laid out and its calls are encoded.
///
/// Everything is looked up by name. An item that is absent or has another shape than this crate speaks is refused by
/// [`ClientError::UnsupportedRuntime`], never guessed.
#[derive(Clone)]
pub struct Runtime {
    spec_version: u32,
    transaction_version: u32,
    metadata: Arc<Metadata>,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("spec_version", &self.spec_version).finish_non_exhaustive()
    }
}

impl Runtime {
    /// From metadata (V14, V15 or V16, with its `meta` prefix) and the versions that go with it.
    ///
    /// # Errors
    ///
    /// [`ClientError::Decode`]: the bytes are not such metadata.
    pub fn from_metadata(bytes: &[u8], spec_version: u32, transaction_version: u32) -> Result<Self, ClientError> {
        let metadata = Metadata::decode_from(bytes)
            .map_err(|error| ClientError::Decode { item: "runtime metadata".into(), why: error.to_string() })?;
        Ok(Self { spec_version, transaction_version, metadata: Arc::new(metadata) })
    }

    /// From a metadata file, as [`parse`](Self::parse).
    ///
    /// # Errors
    ///
    /// [`ClientError::MetadataFile`], and those of [`parse`](Self::parse).
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ClientError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path)
            .map_err(|error| ClientError::MetadataFile { path: path.to_owned(), source: error.into() })?;
        Self::parse(&bytes)
    }

    /// From the content of a metadata file; the versions are taken from the constant `System.Version`.
    ///
    /// Raw bytes or hexadecimal text, also as a node answers `state_getMetadata` and `state_call`: in quotes or in a
    /// JSON-RPC answer, and with a SCALE option and length before the prefix `meta`.
    ///
    /// # Errors
    ///
    /// - [`ClientError::Decode`]: the bytes are not metadata of version 14, 15 or 16.
    /// - [`ClientError::UnsupportedRuntime`]: they lack `System.Version`, or it names no versions.
    pub fn parse(content: &[u8]) -> Result<Self, ClientError> {
        let bytes = unwrap_metadata(content)
            .map_err(|why| ClientError::Decode { item: "runtime metadata".into(), why: why.into() })?;
        let mut runtime = Self::from_metadata(&bytes, 0, 0)?;
        let version: VersionConstant =
            runtime.constant(VERSION)?.ok_or_else(|| runtime.unsupported(VERSION.as_str(), "constant is missing"))?;
        runtime.spec_version = version.spec_version;
        runtime.transaction_version = version.transaction_version;
        Ok(runtime)
    }

    /// `spec_version` of the runtime.
    pub fn spec_version(&self) -> u32 {
        self.spec_version
    }

    /// `transaction_version` of the runtime.
    pub fn transaction_version(&self) -> u32 {
        self.transaction_version
    }

    /// Whether the runtime has a pallet of this name.
    pub fn has_pallet(&self, name: &str) -> bool {
        self.metadata.pallet_by_name(name).is_some()
    }

    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Whether no value of the type takes a byte.
    pub(crate) fn is_zero_sized(&self, ty: u32) -> bool {
        self.zero_sized(ty, 0)
    }

    fn zero_sized(&self, ty: u32, depth: u8) -> bool {
        let fields: Vec<u32> = match self.metadata.types().resolve(ty).map(|ty| &ty.type_def) {
            Some(TypeDef::Composite(composite)) => composite.fields.iter().map(|field| field.ty.id).collect(),
            Some(TypeDef::Tuple(tuple)) => tuple.fields.iter().map(|field| field.id).collect(),
            Some(TypeDef::Array(array)) if array.len == 0 => Vec::new(),
            _ => return false,
        };
        depth < 16 && fields.into_iter().all(|field| self.zero_sized(field, depth.saturating_add(1)))
    }

    pub(crate) fn unsupported(&self, item: &str, why: impl Into<String>) -> ClientError {
        ClientError::UnsupportedRuntime { item: item.into(), spec_version: self.spec_version, why: why.into() }
    }

    /// A storage item.
    pub(crate) fn storage(&self, item: StorageName) -> Result<StorageItem<'_>, ClientError> {
        let (pallet, entry) = split(item.as_str());
        self.metadata
            .pallet_by_name(pallet)
            .ok_or_else(|| self.unsupported(item.as_str(), format!("there is no pallet {pallet}")))?
            .storage()
            .and_then(|storage| storage.entry_by_name(entry))
            .map(|entry| StorageItem { runtime: self, item, entry })
            .ok_or_else(|| self.unsupported(item.as_str(), "there is no such storage item"))
    }

    /// Whether the runtime has a storage item.
    pub(crate) fn has_storage(&self, item: StorageName) -> bool {
        self.storage(item).is_ok()
    }

    /// A constant, decoded; `None` where the runtime does not have it.
    pub(crate) fn constant<T: DecodeAsType>(&self, item: ConstantName) -> Result<Option<T>, ClientError> {
        self.constant_metadata(item.as_str())
            .map(|constant| {
                T::decode_as_type(&mut constant.value(), constant.ty(), self.metadata.types())
                    .map_err(|error| self.unsupported(item.as_str(), error.to_string()))
            })
            .transpose()
    }

    /// What the metadata says about a constant; `item` is `Pallet.Name`.
    pub(crate) fn constant_metadata(&self, item: &str) -> Option<&ConstantMetadata> {
        let (pallet, name) = split(item);
        self.metadata.pallet_by_name(pallet)?.constant_by_name(name)
    }
}

/// Magic at the start of metadata.
const MAGIC: &[u8] = b"meta";

/// The bytes from `meta` on, out of the wrappings that files have.
pub(crate) fn unwrap_metadata(content: &[u8]) -> Result<Vec<u8>, &'static str> {
    if content.starts_with(MAGIC) {
        return Ok(content.to_vec());
    }
    let text = std::str::from_utf8(content).ok().map(str::trim);
    let bytes = match text {
        None => content.to_vec(),
        Some(text) => {
            let answer: Option<serde_json::Value> = serde_json::from_str(text).ok();
            let inner = answer.as_ref().and_then(|answer| answer.get("result").unwrap_or(answer).as_str());
            let digits = inner.unwrap_or(text);
            hex::decode(digits.strip_prefix("0x").unwrap_or(digits))
                .map_err(|_| "the file is neither raw metadata nor hexadecimal text of it")?
        }
    };
    // An option's byte and a compact length are at most five bytes.
    let start = bytes.windows(MAGIC.len()).take(6).position(|window| window == MAGIC);
    start
        .and_then(|start| bytes.get(start..))
        .map(<[u8]>::to_vec)
        .ok_or("the file does not start with `meta`, which all metadata does")
}

/// Splits `Pallet.Item`.
pub(crate) fn split(item: &str) -> (&str, &str) {
    item.split_once('.').unwrap_or((item, ""))
}

/// The versions of the runtime that metadata is of.
const VERSION: ConstantName = ConstantName::of("System.Version");

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct VersionConstant {
    spec_version: u32,
    transaction_version: u32,
}

/// A key of a storage map.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    Number(u64),
    Account(AccountId),
}

impl From<u16> for Key {
    fn from(value: u16) -> Self {
        Self::Number(value.into())
    }
}

impl From<u64> for Key {
    fn from(value: u64) -> Self {
        Self::Number(value)
    }
}

impl From<&AccountId> for Key {
    fn from(value: &AccountId) -> Self {
        Self::Account(*value)
    }
}

impl EncodeAsType for Key {
    fn encode_as_type_to<R: TypeResolver>(
        &self,
        type_id: R::TypeId,
        types: &R,
        out: &mut Vec<u8>,
    ) -> Result<(), scale_encode::Error> {
        match self {
            Self::Number(number) => number.encode_as_type_to(type_id, types, out),
            Self::Account(account) => account.encode_as_type_to(type_id, types, out),
        }
    }
}

/// One storage item of one runtime.
#[derive(Clone, Copy)]
pub(crate) struct StorageItem<'a> {
    runtime: &'a Runtime,
    item: StorageName,
    entry: &'a StorageEntryMetadata,
}

impl StorageItem<'_> {
    /// The full key of one value; needs as many parts as the map has.
    pub(crate) fn key(&self, parts: &[Key]) -> Result<Vec<u8>, ClientError> {
        let wanted = self.entry.keys().len();
        if wanted != parts.len() {
            return Err(self.unsupported(format!("map has {wanted} keys, expected {}", parts.len())));
        }
        self.prefix(parts)
    }

    /// The key of all values under the first parts.
    pub(crate) fn prefix(&self, parts: &[Key]) -> Result<Vec<u8>, ClientError> {
        let (pallet, entry) = split(self.item.as_str());
        if parts.is_empty() {
            return Ok(encode_storage_key_prefix(pallet, entry).to_vec());
        }
        encode_storage_key(pallet, entry, parts.to_vec(), self.runtime.metadata(), self.runtime.metadata().types())
            .map_err(|error| self.unsupported(error.to_string()))
    }

    /// A value; the item's default where it is absent; `None` where it has no default either.
    pub(crate) fn decode<T: DecodeAsType>(&self, value: Option<&[u8]>) -> Result<Option<T>, ClientError> {
        let Some(mut bytes) = value.or_else(|| self.entry.default_value()) else { return Ok(None) };
        let value = T::decode_as_type(&mut bytes, self.entry.value_ty(), self.runtime.metadata().types())
            .map_err(|error| self.unsupported(error.to_string()))?;
        if bytes.is_empty() {
            Ok(Some(value))
        } else {
            Err(self.unsupported(format!("{} bytes are left over", bytes.len())))
        }
    }

    /// The last key of a map, cut from a full storage key; for types of fixed size, under a hasher that keeps the key.
    pub(crate) fn last_key<T: Decode + MaxEncodedLen>(&self, key: &[u8]) -> Result<T, ClientError> {
        if !self.entry.keys().last().is_some_and(|key| key.hasher.ends_with_key()) {
            return Err(self.unsupported("its keys are hashed and cannot be read back"));
        }
        let size = T::max_encoded_len();
        key.len()
            .checked_sub(size)
            .and_then(|start| key.get(start..))
            .and_then(|mut tail| T::decode(&mut tail).ok())
            .ok_or_else(|| self.unsupported("its keys cannot be read back"))
    }

    pub(crate) fn unsupported(&self, why: impl Into<String>) -> ClientError {
        self.runtime.unsupported(self.item.as_str(), why)
    }
}

/// Runtimes seen so far, by `spec_version`; the oldest is forgotten first.
#[derive(Default)]
pub(crate) struct RuntimeCache(RwLock<BTreeMap<u32, Arc<Runtime>>>);

const MAX_RUNTIMES: usize = 8;

impl RuntimeCache {
    pub(crate) async fn get(&self, spec_version: u32) -> Option<Arc<Runtime>> {
        self.0.read().await.get(&spec_version).cloned()
    }

    pub(crate) async fn insert(&self, runtime: Runtime) -> Arc<Runtime> {
        let runtime = Arc::new(runtime);
        let mut map = self.0.write().await;
        map.insert(runtime.spec_version, runtime.clone());
        while map.len() > MAX_RUNTIMES {
            map.pop_first();
        }
        runtime
    }
}

#[cfg(test)]
mod tests;
