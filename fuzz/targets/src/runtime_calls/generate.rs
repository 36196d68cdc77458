// SPDX-License-Identifier: Apache-2.0
//! Any call of the runtime, from its own description: what a new call takes is known without a line here.
#![allow(clippy::arithmetic_side_effects, reason = "small constants and bytes")]

use std::sync::OnceLock;

use clawrank_runtime::{Runtime, RuntimeCall, TAO};
use codec::{Compact, Decode, Encode};
use frame_support::traits::GetCallMetadata;
use pallet_subtensor::NetUid;
use scale_info::{MetaType, PortableRegistry, Registry, TypeDef, TypeDefPrimitive, form::PortableForm};
use sp_core::crypto::AccountId32;

use super::{
    CallName, PALLETS,
    chain::{ACCOUNTS, SUBNETS, SUDO, account, coldkey, round_now},
    is_excluded,
};

/// A call: its name, the bytes that it begins with, and what it takes.
struct Description {
    name: CallName,
    prefix: [u8; 2],
    fields: Vec<(String, u32)>,
}

/// Every call that may be made, and the types that they take.
struct Catalogue {
    calls: Vec<Description>,
    types: PortableRegistry,
}

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let mut registry = Registry::new();
        let call = registry.register_type(&MetaType::new::<RuntimeCall>());
        let types = PortableRegistry::from(registry);
        let calls = PALLETS.into_iter().flat_map(|pallet| describe(&types, call.id, pallet)).collect();
        Catalogue { calls, types }
    })
}

fn describe(types: &PortableRegistry, call: u32, pallet: &'static str) -> Vec<Description> {
    let calls = variants(types, call).find(|variant| variant.name == pallet);
    let Some((index, inner)) = calls.and_then(|variant| Some((variant.index, variant.fields.first()?.ty.id))) else {
        return Vec::new();
    };
    let describe = |name: &&'static str| {
        let variant = variants(types, inner).find(|variant| variant.name == **name)?;
        let fields = variant.fields.iter().map(|field| (field.name.clone().unwrap_or_default(), field.ty.id));
        Some(Description { name: (pallet, *name), prefix: [index, variant.index], fields: fields.collect() })
    };
    RuntimeCall::get_call_names(pallet)
        .iter()
        .filter(|name| !is_excluded((pallet, **name)))
        .filter_map(describe)
        .collect()
}

fn variants(types: &PortableRegistry, id: u32) -> impl Iterator<Item = &scale_info::Variant<PortableForm>> {
    let variants = match types.resolve(id).map(|ty| &ty.type_def) {
        Some(TypeDef::Variant(variants)) => variants.variants.as_slice(),
        _ => &[],
    };
    variants.iter()
}

/// Reads values off bytes; zeros when they are used up.
pub(super) struct Bytes<'a> {
    data: &'a [u8],
    /// Who signs what is being made.
    signer: u8,
    /// The subnet that it is mostly about, if there is one.
    pub(super) on: Option<NetUid>,
    /// Length of the first list of the call: the others are mostly as long.
    len: Option<u8>,
}

impl<'a> Bytes<'a> {
    pub(super) const fn new(data: &'a [u8]) -> Self {
        Self { data, signer: 0, on: None, len: None }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        match self.data.split_first() {
            Some((first, rest)) => {
                self.data = rest;
                *first
            }
            None => 0,
        }
    }

    pub(super) fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// A hotkey, a coldkey, or now and then root.
    pub(super) fn anyone(&mut self) -> u8 {
        self.byte() % (SUDO + 1)
    }

    pub(super) fn netuid(&mut self) -> NetUid {
        let [first, second] = SUBNETS;
        let byte = self.byte();
        if let Some(netuid) = self.on.filter(|_| byte < 230) {
            return netuid;
        }
        match byte {
            0..=143 => first,
            144..=207 => second,
            208..=231 => NetUid(1),
            232..=247 => NetUid::ROOT,
            _ => NetUid(7),
        }
    }

    /// Zero, an edge, or something in between.
    fn number(&mut self) -> u128 {
        let (kind, byte) = (self.byte(), self.byte());
        match kind % 10 {
            0 => 0,
            1 => 1,
            2 | 3 => u128::from(byte % 16),
            4 => u128::MAX,
            5 => u128::from(20_000 * TAO),
            6 => u128::from(byte) * u128::from(TAO) / 4,
            7 => u128::from(byte) * 257,
            8 => (1 << 64) + (u128::from(byte) << 57),
            _ => 360 + u128::from(byte),
        }
    }

    /// What a field of this name mostly holds, where any number would hardly ever do.
    fn named(&mut self, name: &str) -> Option<u128> {
        let byte = self.byte();
        let small = u128::from(byte);
        Some(match name {
            _ if byte > 240 && name != "new_free" => return None,
            "dests" | "uids" | "uids_list" | "uid" => small % 9,
            "version_key" | "version_keys" | "commit_reveal_version" if byte > 220 => small,
            "version_key" | "version_keys" => 0,
            "commit_reveal_version" => 4,
            "reveal_round" => u128::from(round_now()) + small % 6,
            "oldest_round" => u128::from(pallet_drand::OldestStoredRound::<Runtime>::get()) + small % 3,
            "epoch" => {
                let [first, second] = SUBNETS;
                let of = if byte < 200 { first } else { second };
                let running = pallet_provider_rank::RunningEpoch::<Runtime>::get(of).unwrap_or_default();
                u128::from(running).saturating_sub(small % 3)
            }
            "count" => small,
            "tempo" if byte > 120 => 360 + small,
            "tempo" => 4 + small % 24,
            "amount_staked" | "amount_unstaked" => small * u128::from(TAO) / 4,
            "limit_price" => small * u128::from(TAO) / 64,
            "new_free" => small * u128::from(TAO),
            "mecid" => small % 2,
            "ip" => (1 << 24) + small,
            "ip_type" => 4,
            "port" => 1 + small,
            "max_allowed_uids" if byte > 120 => 64 + small,
            "max_n" | "max_allowed_uids" | "min_allowed_uids" => small % 12,
            "take" => small * 50,
            "bits" => (1 << 64) + (small << 57),
            "alpha_low" => 1_600 + small,
            "alpha_high" => 42_598 + small * 50,
            "factor_milli" => 1_000 + small * 100,
            _ => return None,
        })
    }

    fn who(&mut self, name: &str) -> AccountId32 {
        let byte = self.byte();
        let own = self.signer >= ACCOUNTS && byte < 200;
        account(match name {
            "hotkey" if own => self.signer % ACCOUNTS,
            "hotkey" => byte % ACCOUNTS,
            "coldkey" => coldkey(byte),
            // Root goes on being known.
            "new" => {
                if byte < 160 {
                    SUDO
                } else {
                    byte % SUDO
                }
            }
            _ => byte % SUDO,
        })
    }

    /// Any call that may be made of these pallets, by `signer`.
    pub(super) fn call(&mut self, pallets: &[&str], signer: u8) -> RuntimeCall {
        self.signer = signer;
        let mut bytes = Vec::new();
        self.put_call(pallets, 0, &mut bytes);
        RuntimeCall::decode(&mut bytes.as_slice()).unwrap_or_else(|_| remark())
    }

    fn put_call(&mut self, pallets: &[&str], depth: u8, out: &mut Vec<u8>) {
        let calls = catalogue().calls.iter().filter(|call| pallets.contains(&call.name.0));
        let choice = usize::from(self.byte()).checked_rem(calls.clone().count());
        let Some(call) = choice.and_then(|choice| calls.clone().nth(choice)).filter(|_| depth < 3) else {
            return remark().encode_to(out);
        };
        self.len = None;
        out.extend(call.prefix);
        for (name, ty) in &call.fields {
            self.put(name, *ty, depth + 1, out);
        }
    }

    /// A value of the type, for a field of this name.
    fn put(&mut self, name: &str, ty: u32, depth: u8, out: &mut Vec<u8>) {
        let Some(described) = catalogue().types.resolve(ty) else { return };
        match described.path.segments.last().map(String::as_str) {
            Some("RuntimeCall") => return self.put_call(&PALLETS, depth, out),
            Some("AccountId32") => return self.who(name).encode_to(out),
            Some("MultiAddress") => {
                out.push(0);
                return self.who(name).encode_to(out);
            }
            Some("NetUid") => return self.netuid().encode_to(out),
            Some("MechId") => return out.push(self.byte() % 3),
            Some("H256") if name == "id" => return self.cell().encode_to(out),
            _ => {}
        }
        match &described.type_def {
            TypeDef::Composite(composite) => {
                let fields = composite.fields.iter();
                fields.for_each(|field| self.put(field.name.as_deref().unwrap_or(name), field.ty.id, depth, out));
            }
            TypeDef::Tuple(tuple) => tuple.fields.iter().for_each(|field| self.put(name, field.id, depth, out)),
            TypeDef::Variant(variants) => {
                let choice = usize::from(self.byte()).checked_rem(variants.variants.len());
                let Some(variant) = choice.and_then(|choice| variants.variants.get(choice)) else { return };
                out.push(variant.index);
                let fields = variant.fields.iter();
                fields.for_each(|field| self.put(field.name.as_deref().unwrap_or(name), field.ty.id, depth, out));
            }
            TypeDef::Array(array) => {
                let byte = self.byte();
                match width(array.type_param.id) {
                    Some(1) => out.extend(vec![byte; usize::try_from(array.len).unwrap_or_default()]),
                    _ => (0..array.len).for_each(|_| self.put(name, array.type_param.id, depth, out)),
                }
            }
            TypeDef::Sequence(sequence) => self.put_list(name, sequence.type_param.id, depth, out),
            TypeDef::Compact(compact) => {
                let mut inner = Vec::new();
                self.put(name, compact.type_param.id, depth, &mut inner);
                inner.resize(16, 0);
                Compact(u128::decode(&mut inner.as_slice()).unwrap_or_default()).encode_to(out);
            }
            TypeDef::Primitive(TypeDefPrimitive::Bool) => out.push(self.byte() & 1),
            TypeDef::Primitive(TypeDefPrimitive::Str) => self.text().encode_to(out),
            TypeDef::Primitive(_) => {
                let width = width(ty).unwrap_or_default();
                let most = if width >= 16 { u128::MAX } else { (1 << (8 * width)) - 1 };
                let number = self.named(name).unwrap_or_else(|| self.number()).min(most);
                out.extend(number.to_le_bytes().into_iter().take(width));
            }
            TypeDef::BitSequence(_) => out.push(0),
        }
    }

    fn put_list(&mut self, name: &str, item: u32, depth: u8, out: &mut Vec<u8>) {
        if width(item) == Some(1) {
            return self.text().encode_to(out);
        }
        let byte = self.byte();
        let len = self.len.filter(|_| byte < 220).unwrap_or(byte % 6);
        self.len.get_or_insert(len);
        Compact(u32::from(len)).encode_to(out);
        (0..len).for_each(|_| self.put(name, item, depth, out));
    }

    /// A few letters, now and then too many.
    fn text(&mut self) -> Vec<u8> {
        let (letter, len) = (b'a' + self.byte() % 26, self.byte());
        vec![letter; if len > 248 { usize::from(len) * 4 } else { usize::from(1 + len % 60) }]
    }

    /// The id of a cell that exists, if any does.
    fn cell(&mut self) -> sp_core::H256 {
        let place = usize::from(self.byte() % 4);
        let cells = pallet_provider_rank::Cells::<Runtime>::iter_keys();
        cells.map(|(_, id)| id).nth(place).unwrap_or_default()
    }
}

/// Bytes of a whole number.
fn width(ty: u32) -> Option<usize> {
    use TypeDefPrimitive as P;
    Some(match catalogue().types.resolve(ty)?.type_def {
        TypeDef::Primitive(P::U8 | P::I8) => 1,
        TypeDef::Primitive(P::U16 | P::I16) => 2,
        TypeDef::Primitive(P::U32 | P::I32) => 4,
        TypeDef::Primitive(P::U64 | P::I64) => 8,
        TypeDef::Primitive(P::U128 | P::I128) => 16,
        _ => return None,
    })
}

fn remark() -> RuntimeCall {
    frame_system::Call::remark { remark: Vec::new() }.into()
}
