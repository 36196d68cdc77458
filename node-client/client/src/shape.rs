// SPDX-License-Identifier: Apache-2.0

//! Does a runtime have what this crate speaks, in the shape it speaks it?

mod items;
mod tree;

use std::borrow::Cow;

use serde::Serialize;
use subxt::metadata::TransactionExtensionMetadata;

use crate::{
    ClientError,
    runtime::{Runtime, split},
};
use items::{BLOCK_TIME, BLOCK_TIME_API, CALLS, CONSTANTS, EXTENSIONS, STORAGE};
pub(crate) use items::{ConstantName, SUBNET_PARAMS, StorageName, item};
pub(crate) use tree::Shape;
use tree::{Purpose, describe_fields, fields_serve};

/// What an item of a runtime is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A storage item, that is read.
    Storage,
    /// A constant, that is read from the metadata.
    Constant,
    /// A call, that is submitted.
    Call,
    /// A transaction extension, whose data goes into every extrinsic or under its signature.
    Extension,
}

/// How an item of a runtime compares with what this crate expects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum ItemState {
    /// It is there, as expected.
    Ok,
    /// It is there in another shape.
    Changed {
        /// The shape expected.
        expected: String,
        /// The shape found.
        found: String,
        /// Whether it is served all the same: another width of an integer, a field more in what is read.
        usable: bool,
    },
    /// It is not there.
    Missing,
}

/// One item of a runtime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemStatus {
    /// What it is.
    pub kind: ItemKind,
    /// `Pallet.item`, with `()` behind a call; the bare name of an extension.
    pub item: Cow<'static, str>,
    /// Whether the client can do without it.
    pub optional: bool,
    /// How it compares.
    #[serde(flatten)]
    pub state: ItemState,
}

impl ItemStatus {
    /// Whether work on this runtime fails for this item: it is needed and missing, or in a shape that is not served.
    pub fn is_fatal(&self) -> bool {
        match &self.state {
            ItemState::Ok => false,
            ItemState::Changed { usable, .. } => !usable,
            ItemState::Missing => !self.optional,
        }
    }
}

/// Compares every item this crate reads, calls or signs with a runtime.
///
/// Structures of one field are looked through: `NetUid(u16)` is `u16`. What not every Bittensor chain has is optional:
/// `ProviderRank` is on our own chain only, timelocked commits and `Drand` on those with a beacon.
pub fn check(runtime: &Runtime) -> Vec<ItemStatus> {
    let storage = STORAGE.iter().map(|(item, optional, expected)| ItemStatus {
        kind: ItemKind::Storage,
        item: Cow::Borrowed(item),
        optional: *optional,
        state: storage_state(runtime, item, expected),
    });
    let constants = CONSTANTS.iter().map(|(item, optional, expected)| ItemStatus {
        kind: ItemKind::Constant,
        item: Cow::Borrowed(item),
        optional: *optional && (!BLOCK_TIME.contains(item) || has_block_time_without(runtime, item)),
        state: constant_state(runtime, item, expected),
    });
    let calls = CALLS.iter().map(|(item, optional, expected)| ItemStatus {
        kind: ItemKind::Call,
        item: Cow::Borrowed(item),
        optional: *optional,
        state: call_state(runtime, item.trim_end_matches("()"), expected),
    });
    let extensions = runtime.metadata().extrinsic().transaction_extensions_by_version(0).into_iter().flatten();
    let extensions = extensions.map(|extension| ItemStatus {
        kind: ItemKind::Extension,
        item: Cow::Owned(extension.identifier().to_owned()),
        optional: true,
        state: extension_state(runtime, &extension),
    });
    storage.chain(constants).chain(calls).chain(extensions).collect()
}

/// Whether the time between blocks can be found out without this constant.
fn has_block_time_without(runtime: &Runtime, constant: &str) -> bool {
    let (api, function) = BLOCK_TIME_API;
    let api = runtime.metadata().runtime_api_trait_by_name(api);
    api.is_some_and(|api| api.method_by_name(function).is_some())
        || BLOCK_TIME.iter().any(|other| *other != constant && runtime.constant_metadata(other).is_some())
}

/// Makes sure that a storage item has the very shape expected, for what is decoded from its bytes.
pub(crate) fn ensure_exact(runtime: &Runtime, item: StorageName) -> Result<(), ClientError> {
    let item = item.as_str();
    let Some((_, _, expected)) = STORAGE.iter().find(|(known, ..)| *known == item) else { return Ok(()) };
    match storage_state(runtime, item, expected) {
        ItemState::Ok => Ok(()),
        ItemState::Missing => Err(runtime.unsupported(item, "there is no such storage item")),
        ItemState::Changed { expected, found, .. } => {
            Err(runtime.unsupported(item, format!("it is now {found}, expected {expected}")))
        }
    }
}

/// Why a call cannot be made on a runtime, if this crate knows the call and its shape is not served.
pub(crate) fn refusal(runtime: &Runtime, call: &str) -> Option<String> {
    let (_, _, expected) = CALLS.iter().find(|(item, ..)| item.trim_end_matches("()") == call)?;
    match call_state(runtime, call, expected) {
        ItemState::Changed { expected, found, usable: false } => {
            Some(format!("its arguments are now ({found}), expected ({expected})"))
        }
        _ => None,
    }
}

fn state(found: String, expected: &str, serves: impl FnOnce() -> bool) -> ItemState {
    if found == expected {
        ItemState::Ok
    } else {
        ItemState::Changed { usable: serves(), expected: expected.into(), found }
    }
}

fn storage_state(runtime: &Runtime, item: &str, expected: &str) -> ItemState {
    let (pallet, entry) = split(item);
    let entry = runtime.metadata().pallet_by_name(pallet).and_then(|pallet| pallet.storage()?.entry_by_name(entry));
    let Some(entry) = entry else { return ItemState::Missing };
    let types = runtime.metadata().types();
    let keys = Shape::Tuple(entry.keys().map(|key| Shape::of(types, key.key_id)).collect());
    let value = Shape::of(types, entry.value_ty());
    state(format!("{keys} -> {value}"), expected, || {
        expected.split_once(" -> ").and_then(|(k, v)| Some((Shape::parse(k)?, Shape::parse(v)?))).is_some_and(
            |(wanted_keys, wanted)| keys.serves(&wanted_keys, Purpose::Write) && value.serves(&wanted, Purpose::Read),
        )
    })
}

fn constant_state(runtime: &Runtime, item: &str, expected: &str) -> ItemState {
    let Some(constant) = runtime.constant_metadata(item) else { return ItemState::Missing };
    let value = Shape::of(runtime.metadata().types(), constant.ty());
    state(value.to_string(), expected, || {
        Shape::parse(expected).is_some_and(|wanted| value.serves(&wanted, Purpose::Read))
    })
}

fn call_state(runtime: &Runtime, item: &str, expected: &str) -> ItemState {
    let (pallet, call) = split(item);
    let variant =
        runtime.metadata().pallet_by_name(pallet).and_then(|pallet| pallet.call_variant_by_name(call).cloned());
    let Some(variant) = variant else { return ItemState::Missing };
    let types = runtime.metadata().types();
    let found: Vec<(String, Shape)> = variant
        .fields
        .iter()
        .map(|field| (field.name.clone().unwrap_or_else(|| "_".into()), Shape::of(types, field.ty.id)))
        .collect();
    state(describe_fields(&found), expected, || {
        Shape::parse_fields(expected).is_some_and(|wanted| fields_serve(&found, &wanted, Purpose::Write))
    })
}

/// How the data of a transaction extension compares with what this crate puts there.
pub(crate) fn extension_state(runtime: &Runtime, extension: &TransactionExtensionMetadata<'_>) -> ItemState {
    let types = runtime.metadata().types();
    let shape = |ty: u32| if runtime.is_zero_sized(ty) { Shape::Tuple(Vec::new()) } else { Shape::of(types, ty) };
    let (extra, additional) = (shape(extension.extra_ty()), shape(extension.additional_ty()));
    let known = EXTENSIONS.iter().find(|(name, ..)| *name == extension.identifier());
    let (wanted_extra, wanted_additional) = known.map_or(("()", "()"), |(_, extra, additional)| (extra, additional));
    let expected = format!("data {wanted_extra}, signed {wanted_additional}");
    state(format!("data {extra}, signed {additional}"), &expected, || {
        // Written in full: only a compact integer may be of another width.
        let serves = |found: &Shape, wanted: &str| match (found, Shape::parse(wanted)) {
            (Shape::Compact(_), Some(wanted @ Shape::Compact(_))) => found.serves(&wanted, Purpose::Write),
            (found, wanted) => wanted.as_ref() == Some(found),
        };
        serves(&extra, wanted_extra) && serves(&additional, wanted_additional)
    })
}

#[cfg(test)]
mod tests;
