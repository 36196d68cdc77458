// SPDX-License-Identifier: Apache-2.0

//! Does a runtime have what this crate speaks, in the shape it speaks it?

use scale_info::{PortableRegistry, TypeDef, TypeDefPrimitive};
use serde::Serialize;

use crate::runtime::{Runtime, split};

/// How an item of a runtime compares with what this crate expects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum ItemState {
    /// It is there, as expected.
    Ok,
    /// It is there in another shape; it still works where the difference is one of newtypes or integer widths.
    Changed {
        /// The shape expected.
        expected: String,
        /// The shape found.
        found: String,
    },
    /// It is not there.
    Missing,
}

/// One storage item or call of a runtime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemStatus {
    /// `Pallet.item`, with `()` behind a call.
    pub item: &'static str,
    /// Whether the client can do without it.
    pub optional: bool,
    /// How it compares.
    #[serde(flatten)]
    pub state: ItemState,
}

/// Compares every item this crate reads or calls with a runtime.
///
/// Newtypes are looked through: `NetUid(u16)` is `u16`. Items of `ProviderRank` are optional, since the public chain
/// lacks the pallet.
pub fn check(runtime: &Runtime) -> Vec<ItemStatus> {
    let storage = STORAGE.iter().map(|(item, optional, expected)| {
        let found = storage_shape(runtime, item);
        ItemStatus { item, optional: *optional, state: state(found, expected) }
    });
    let calls = CALLS.iter().map(|(item, optional, expected)| {
        let found = call_shape(runtime, item.trim_end_matches("()"));
        ItemStatus { item, optional: *optional, state: state(found, expected) }
    });
    storage.chain(calls).collect()
}

fn state(found: Option<String>, expected: &str) -> ItemState {
    match found {
        None => ItemState::Missing,
        Some(found) if found == expected => ItemState::Ok,
        Some(found) => ItemState::Changed { expected: expected.into(), found },
    }
}

/// Storage items: name, whether optional, `(keys) -> value`.
const STORAGE: &[(&str, bool, &str)] = &[
    ("System.Events", false, "() -> Vec<{phase: enum Phase, event: enum RuntimeEvent, topics: Vec<[u8; 32]>}>"),
    ("Timestamp.Now", false, "() -> u64"),
    ("SubtensorModule.NetworksAdded", false, "(u16) -> bool"),
    ("SubtensorModule.SubnetworkN", false, "(u16) -> u16"),
    ("SubtensorModule.Tempo", false, "(u16) -> u16"),
    ("SubtensorModule.SubnetEpochIndex", false, "(u16) -> u64"),
    ("SubtensorModule.LastEpochBlock", false, "(u16) -> u64"),
    ("SubtensorModule.PendingEpochAt", false, "(u16) -> u64"),
    ("SubtensorModule.BlocksSinceLastStep", false, "(u16) -> u64"),
    ("SubtensorModule.SubnetOwner", false, "(u16) -> [u8; 32]"),
    ("SubtensorModule.SubnetOwnerHotkey", true, "(u16) -> [u8; 32]"),
    ("SubtensorModule.CommitRevealWeightsEnabled", false, "(u16) -> bool"),
    ("SubtensorModule.CommitRevealWeightsVersion", true, "() -> u16"),
    ("SubtensorModule.RevealPeriodEpochs", false, "(u16) -> u64"),
    ("SubtensorModule.WeightsSetRateLimit", false, "(u16) -> u64"),
    ("SubtensorModule.WeightsVersionKey", false, "(u16) -> u64"),
    ("SubtensorModule.MinAllowedWeights", false, "(u16) -> u16"),
    ("SubtensorModule.MaxAllowedUids", false, "(u16) -> u16"),
    ("SubtensorModule.ImmunityPeriod", false, "(u16) -> u16"),
    ("SubtensorModule.MaxMechanismCount", true, "() -> u8"),
    ("SubtensorModule.MechanismCountCurrent", true, "(u16) -> u8"),
    ("SubtensorModule.StakeThreshold", true, "() -> u64"),
    ("SubtensorModule.TaoWeight", true, "() -> u64"),
    ("SubtensorModule.Keys", false, "(u16, u16) -> [u8; 32]"),
    ("SubtensorModule.Owner", false, "([u8; 32]) -> [u8; 32]"),
    ("SubtensorModule.TotalHotkeyAlpha", false, "([u8; 32], u16) -> u64"),
    ("SubtensorModule.BlockAtRegistration", false, "(u16, u16) -> u64"),
    (
        "SubtensorModule.Axons",
        false,
        "(u16, [u8; 32]) -> {block: u64, version: u32, ip: u128, port: u16, ip_type: u8, protocol: u8, placeholder1: u8, placeholder2: u8}",
    ),
    ("SubtensorModule.Active", false, "(u16) -> Vec<bool>"),
    ("SubtensorModule.ValidatorPermit", false, "(u16) -> Vec<bool>"),
    ("SubtensorModule.Dividends", false, "(u16) -> Vec<u16>"),
    ("SubtensorModule.Emission", false, "(u16) -> Vec<u64>"),
    ("SubtensorModule.LastUpdate", false, "(u16) -> Vec<u64>"),
    ("SubtensorModule.Incentive", false, "(u16) -> Vec<u16>"),
    ("SubtensorModule.Weights", false, "(u16, u16) -> Vec<(u16, u16)>"),
    ("SubtensorModule.WeightCommits", false, "(u16, [u8; 32]) -> Vec<([u8; 32], u64, u64, u64)>"),
    ("SubtensorModule.TimelockedWeightCommits", true, "(u16, u64) -> Vec<([u8; 32], u64, Vec<u8>, u64)>"),
    (
        "Drand.BeaconConfig",
        true,
        "() -> {public_key: Vec<u8>, period: u32, genesis_time: u32, hash: Vec<u8>, group_hash: Vec<u8>, scheme_id: Vec<u8>, metadata: Vec<u8>}",
    ),
    ("Drand.LastStoredRound", true, "() -> u64"),
    ("Drand.Pulses", true, "(u64) -> {round: u64, randomness: Vec<u8>, signature: Vec<u8>}"),
    ("Commitments.CommitmentOf", false, "(u16, [u8; 32]) -> {deposit: u64, block: u32, info: Vec<enum Data>}"),
    ("ProviderRank.Bundles", true, "(u16, u64, [u8; 32]) -> {uid: u16, root: [u8; 32], count: u32, block: u64}"),
    (
        "ProviderRank.Settlements",
        true,
        "(u16, u64) -> {block: u64, emission: u64, dust: u64, reporting_stake: u64, total_stake: u64, payouts: Vec<{uid: u16, hotkey: [u8; 32], tripped: bool, score: u128, amount: u64}>}",
    ),
];

/// Calls: name, whether optional, arguments.
const CALLS: &[(&str, bool, &str)] = &[
    ("SubtensorModule.set_weights()", false, "netuid: u16, dests: Vec<u16>, weights: Vec<u16>, version_key: u64"),
    ("SubtensorModule.commit_weights()", false, "netuid: u16, commit_hash: [u8; 32]"),
    (
        "SubtensorModule.reveal_weights()",
        false,
        "netuid: u16, uids: Vec<u16>, values: Vec<u16>, salt: Vec<u16>, version_key: u64",
    ),
    (
        "SubtensorModule.set_mechanism_weights()",
        false,
        "netuid: u16, mecid: u8, dests: Vec<u16>, weights: Vec<u16>, version_key: u64",
    ),
    ("SubtensorModule.commit_mechanism_weights()", false, "netuid: u16, mecid: u8, commit_hash: [u8; 32]"),
    (
        "SubtensorModule.reveal_mechanism_weights()",
        false,
        "netuid: u16, mecid: u8, uids: Vec<u16>, values: Vec<u16>, salt: Vec<u16>, version_key: u64",
    ),
    (
        "SubtensorModule.commit_timelocked_mechanism_weights()",
        true,
        "netuid: u16, mecid: u8, commit: Vec<u8>, reveal_round: u64, commit_reveal_version: u16",
    ),
    ("SubtensorModule.burned_register()", false, "netuid: u16, hotkey: [u8; 32]"),
    ("SubtensorModule.add_stake()", false, "hotkey: [u8; 32], netuid: u16, amount_staked: u64"),
    ("SubtensorModule.register_network()", false, "hotkey: [u8; 32]"),
    (
        "SubtensorModule.serve_axon()",
        false,
        "netuid: u16, version: u32, ip: u128, port: u16, ip_type: u8, protocol: u8, placeholder1: u8, placeholder2: u8",
    ),
    ("Commitments.set_commitment()", false, "netuid: u16, info: Vec<enum Data>"),
    ("ProviderRank.commit_bundle()", true, "netuid: u16, epoch: u64, root: [u8; 32], count: u32"),
    (
        "ProviderRank.submit_verdicts()",
        true,
        "netuid: u16, epoch: u64, verdicts: Vec<{uid: u16, tripped: bool, reason: u8, score: u128}>",
    ),
];

fn storage_shape(runtime: &Runtime, item: &str) -> Option<String> {
    let (pallet, entry) = split(item);
    let entry = runtime.metadata().pallet_by_name(pallet)?.storage()?.entry_by_name(entry)?;
    let types = runtime.metadata().types();
    let keys = entry.keys().map(|key| describe(types, key.key_id, 0)).collect::<Vec<_>>().join(", ");
    Some(format!("({keys}) -> {}", describe(types, entry.value_ty(), 0)))
}

fn call_shape(runtime: &Runtime, item: &str) -> Option<String> {
    let (pallet, call) = split(item);
    let variant = runtime.metadata().pallet_by_name(pallet)?.call_variant_by_name(call)?;
    let types = runtime.metadata().types();
    let args = variant
        .fields
        .iter()
        .map(|field| format!("{}: {}", field.name.as_deref().unwrap_or("_"), describe(types, field.ty.id, 0)))
        .collect::<Vec<_>>();
    Some(args.join(", "))
}

/// A type in words, with newtypes looked through.
fn describe(types: &PortableRegistry, id: u32, depth: u8) -> String {
    let Some(ty) = types.resolve(id).filter(|_| depth < 32) else { return "?".into() };
    let inner = |id: u32| describe(types, id, depth.saturating_add(1));
    match &ty.type_def {
        TypeDef::Composite(composite) => match composite.fields.as_slice() {
            [only] => inner(only.ty.id),
            fields => {
                let fields = fields
                    .iter()
                    .map(|field| match &field.name {
                        Some(name) => format!("{name}: {}", inner(field.ty.id)),
                        None => inner(field.ty.id),
                    })
                    .collect::<Vec<_>>();
                format!("{{{}}}", fields.join(", "))
            }
        },
        TypeDef::Tuple(tuple) => {
            let fields = tuple.fields.iter().map(|field| inner(field.id)).collect::<Vec<_>>();
            format!("({})", fields.join(", "))
        }
        TypeDef::Variant(variant) => match (ty.path.ident(), variant.variants.as_slice()) {
            (Some(name), [_, some]) if name == "Option" => {
                format!("Option<{}>", some.fields.first().map_or_else(|| "?".into(), |field| inner(field.ty.id)))
            }
            (name, _) => format!("enum {}", name.unwrap_or_default()),
        },
        TypeDef::Sequence(sequence) => format!("Vec<{}>", inner(sequence.type_param.id)),
        TypeDef::Array(array) => format!("[{}; {}]", inner(array.type_param.id), array.len),
        TypeDef::Compact(compact) => format!("Compact<{}>", inner(compact.type_param.id)),
        TypeDef::BitSequence(_) => "bits".into(),
        TypeDef::Primitive(primitive) => match primitive {
            TypeDefPrimitive::Bool => "bool",
            TypeDefPrimitive::Char => "char",
            TypeDefPrimitive::Str => "str",
            TypeDefPrimitive::U8 => "u8",
            TypeDefPrimitive::U16 => "u16",
            TypeDefPrimitive::U32 => "u32",
            TypeDefPrimitive::U64 => "u64",
            TypeDefPrimitive::U128 => "u128",
            TypeDefPrimitive::U256 => "u256",
            TypeDefPrimitive::I8 => "i8",
            TypeDefPrimitive::I16 => "i16",
            TypeDefPrimitive::I32 => "i32",
            TypeDefPrimitive::I64 => "i64",
            TypeDefPrimitive::I128 => "i128",
            TypeDefPrimitive::I256 => "i256",
        }
        .into(),
    }
}

#[cfg(test)]
mod tests;
