// SPDX-License-Identifier: Apache-2.0

//! Calls from JSON, by the types in metadata: for tools, and for calls that no worker makes.

use clawrank_proof::ss58;
use codec::{Compact, Encode};
use scale_info::{Field, TypeDef, TypeDefPrimitive, Variant, form::PortableForm};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::CallEncoder;
use crate::{
    ClientError,
    runtime::{Runtime, split},
    shape::{Shape, refusal},
    types::Call,
};

/// Pallets in which a call is looked for first when only its own name is given.
const PREFERRED: [&str; 3] = ["SubtensorModule", "Commitments", "ProviderRank"];
/// Values nest no deeper than this.
const MAX_DEPTH: u8 = 64;

/// A call with what its bytes mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EncodedCall {
    /// Name of the pallet.
    pub pallet: String,
    /// Its index: the first byte.
    pub pallet_index: u8,
    /// Name of the call.
    pub call: String,
    /// Its index: the second byte.
    pub call_index: u8,
    /// The arguments, in order.
    pub fields: Vec<EncodedField>,
    /// Everything, as `0x` and hexadecimal text.
    pub hex: String,
    /// Everything.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// One argument of an [`EncodedCall`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EncodedField {
    /// Its name on chain.
    pub name: String,
    /// Its type in words, structures of one field looked through.
    #[serde(rename = "type")]
    pub ty: String,
    /// Its bytes, as `0x` and hexadecimal text.
    pub hex: String,
}

impl Runtime {
    /// Encodes a call from JSON: `name` is `Pallet.call` or just `call`, `args` an object of the chain's argument names.
    ///
    /// Integers are numbers or decimal texts; bytes are `0x` texts or lists; keys are `0x` texts or addresses;
    /// structures are objects; an enum is `"Variant"` or `{"Variant": value}`; `null` is `None`. Two short forms are
    /// taken: `data` for `info` of `set_commitment`, and an address in dots or colons for `ip`. `placeholder1` and
    /// `placeholder2` may be left out.
    ///
    /// # Errors
    ///
    /// - [`ClientError::UnsupportedRuntime`]: there is no such call, or workers make it and its shape is not served.
    /// - [`ClientError::Argument`]: names the argument at fault.
    pub fn encode_json(&self, name: &str, args: &Value) -> Result<EncodedCall, ClientError> {
        let (pallet, call) = self.find_call(name)?;
        let item = format!("{pallet}.{call}");
        let missing = || self.unsupported(&item, "there is no such call");
        let metadata = self.metadata().pallet_by_name(&pallet).ok_or_else(missing)?;
        let variant = metadata.call_variant_by_name(&call).ok_or_else(missing)?;
        if let Some(why) = refusal(self, &item) {
            return Err(self.unsupported(&item, why));
        }
        let writer = Writer { runtime: self, call: &item };
        let Value::Object(args) = args else {
            return Err(writer.refuse("args", "must be a JSON object of the call's arguments"));
        };
        let args = shorthand(&item, args, &writer)?;
        writer.known("", &args, &variant.fields)?;
        let mut bytes = vec![metadata.call_index(), variant.index];
        let mut fields = Vec::with_capacity(variant.fields.len());
        for field in &variant.fields {
            let name = field.name.clone().unwrap_or_default();
            let value = args.get(&name).ok_or_else(|| writer.refuse(&name, "is missing"))?;
            let mut encoded = Vec::new();
            writer.write(field.ty.id, value, &name, 0, &mut encoded)?;
            bytes.extend_from_slice(&encoded);
            let ty = Shape::of(self.metadata().types(), field.ty.id).to_string();
            fields.push(EncodedField { name, ty, hex: text(&encoded) });
        }
        Ok(EncodedCall {
            pallet_index: metadata.call_index(),
            call_index: variant.index,
            pallet,
            call,
            fields,
            hex: text(&bytes),
            bytes,
        })
    }

    /// Pallet and call that a name means.
    fn find_call(&self, name: &str) -> Result<(String, String), ClientError> {
        let name = name.trim_end_matches("()");
        if name.contains('.') {
            let (pallet, call) = split(name);
            return Ok((pallet.to_owned(), call.to_owned()));
        }
        let has = |pallet: &str| {
            self.metadata().pallet_by_name(pallet).is_some_and(|pallet| pallet.call_variant_by_name(name).is_some())
        };
        if let Some(pallet) = PREFERRED.into_iter().find(|pallet| has(pallet)) {
            return Ok((pallet.to_owned(), name.to_owned()));
        }
        let others: Vec<&str> =
            self.metadata().pallets().map(|pallet| pallet.name()).filter(|pallet| has(pallet)).collect();
        match others.as_slice() {
            [only] => Ok(((*only).to_owned(), name.to_owned())),
            [] => Err(self.unsupported(name, "no pallet has such a call")),
            several => Err(ClientError::Argument {
                call: name.to_owned(),
                field: "call".into(),
                why: format!("is in several pallets ({}); say Pallet.{name}", several.join(", ")),
            }),
        }
    }

    /// A worker's call in the JSON that [`encode_json`](Self::encode_json) takes, under the chain's argument names.
    ///
    /// # Errors
    ///
    /// [`ClientError::InvalidCall`]: the call is not expressible, which none of this crate's is.
    pub fn call_to_json(call: &Call) -> Result<Value, ClientError> {
        // What JSON numbers cannot hold is a text.
        Ok(match call {
            Call::ServeAxon { netuid, version, ip, port, ip_type, protocol } => json!({
                "netuid": netuid,
                "version": version,
                "ip": ip.to_string(),
                "port": port,
                "ip_type": ip_type,
                "protocol": protocol,
            }),
            Call::SubmitVerdicts { netuid, epoch, verdicts } => {
                let verdicts: Vec<Value> = verdicts
                    .iter()
                    .map(|one| {
                        let score = one.score.to_string();
                        json!({ "uid": one.uid, "tripped": one.tripped, "reason": one.reason, "score": score })
                    })
                    .collect();
                json!({ "netuid": netuid, "epoch": epoch, "verdicts": verdicts })
            }
            Call::CommitTimelockedWeights { netuid, mecid, commit, reveal_round, version } => json!({
                "netuid": netuid,
                "mecid": mecid,
                "commit": text(commit),
                "reveal_round": reveal_round,
                "commit_reveal_version": version,
            }),
            call => {
                let mut value = serde_json::to_value(call).map_err(|error| ClientError::InvalidCall {
                    call: super::call_name(call),
                    why: error.to_string(),
                })?;
                if let Value::Object(args) = &mut value {
                    args.remove("call");
                }
                value
            }
        })
    }

    /// A worker's call with what its bytes mean.
    ///
    /// # Errors
    ///
    /// As [`CallEncoder::encode`].
    pub fn explain(&self, call: &Call) -> Result<EncodedCall, ClientError> {
        let bytes = CallEncoder::encode(self, call)?;
        let explained = self.encode_json(&super::call_name(call), &Self::call_to_json(call)?)?;
        if explained.bytes == bytes {
            Ok(explained)
        } else {
            Err(self.unsupported(&super::call_name(call), "its two encodings differ"))
        }
    }
}

/// Replaces the short forms by what the chain takes.
fn shorthand(item: &str, args: &Map<String, Value>, writer: &Writer<'_>) -> Result<Map<String, Value>, ClientError> {
    let mut args = args.clone();
    match item {
        "Commitments.set_commitment" if !args.contains_key("info") => {
            if let Some(data) = args.remove("data") {
                let bytes = bytes(&data).ok_or_else(|| writer.refuse("data", "must be bytes: 0x text or a list"))?;
                if bytes.len() > super::MAX_COMMITMENT_BYTES {
                    let why =
                        format!("{} bytes exceed the {} of a raw field", bytes.len(), super::MAX_COMMITMENT_BYTES);
                    return Err(writer.refuse("data", &why));
                }
                let mut field = Map::new();
                field.insert(format!("Raw{}", bytes.len()), Value::String(text(&bytes)));
                args.insert("info".into(), json!({ "fields": [field] }));
            }
        }
        "SubtensorModule.serve_axon" => {
            for name in ["placeholder1", "placeholder2"] {
                args.entry(name).or_insert_with(|| json!(0));
            }
            if let Some(Value::String(ip)) = args.get("ip")
                && let Ok(ip) = ip.parse::<std::net::IpAddr>()
            {
                let number = match ip {
                    std::net::IpAddr::V4(ip) => u128::from(u32::from(ip)),
                    std::net::IpAddr::V6(ip) => u128::from(ip),
                };
                args.insert("ip".into(), Value::String(number.to_string()));
            }
        }
        _ => {}
    }
    Ok(args)
}

/// Writes values of one call.
struct Writer<'a> {
    runtime: &'a Runtime,
    call: &'a str,
}

impl Writer<'_> {
    fn refuse(&self, field: &str, why: &str) -> ClientError {
        ClientError::Argument { call: self.call.to_owned(), field: field.to_owned(), why: why.to_owned() }
    }

    /// Refuses names that no field has.
    fn known(&self, path: &str, given: &Map<String, Value>, fields: &[Field<PortableForm>]) -> Result<(), ClientError> {
        let names: Vec<&str> = fields.iter().filter_map(|field| field.name.as_deref()).collect();
        match given.keys().find(|name| !names.contains(&name.as_str())) {
            Some(unknown) => Err(self.refuse(&join(path, unknown), &format!("is unknown; takes {}", names.join(", ")))),
            None => Ok(()),
        }
    }

    fn write(&self, ty: u32, value: &Value, path: &str, depth: u8, out: &mut Vec<u8>) -> Result<(), ClientError> {
        let types = self.runtime.metadata().types();
        let Some(found) = types.resolve(ty).filter(|_| depth < MAX_DEPTH) else {
            return Err(self.refuse(path, "is of a type that metadata does not explain"));
        };
        let deeper = depth.saturating_add(1);
        let wanted = || format!("must be {}", Shape::of(types, ty));
        match &found.type_def {
            TypeDef::Primitive(primitive) => self.primitive(primitive, value, path, out),
            TypeDef::Compact(compact) => match Shape::of(types, compact.type_param.id) {
                Shape::Unsigned(name) => {
                    let number = self.unsigned(&name, value, path)?;
                    Compact(number).encode_to(out);
                    Ok(())
                }
                Shape::Tuple(fields) if fields.is_empty() => Ok(()),
                _ => Err(self.refuse(path, "is compact of something that is no integer")),
            },
            TypeDef::Array(array) => {
                if types.resolve(array.type_param.id).is_some_and(|ty| is_byte(&ty.type_def)) {
                    let size = usize::try_from(array.len).unwrap_or(usize::MAX);
                    let key = value.as_str().filter(|_| size == 32).and_then(|text| ss58::decode(text).ok());
                    let bytes = key.map(|key| key.to_vec()).or_else(|| bytes(value));
                    let bytes = bytes.filter(|bytes| bytes.len() == size).ok_or_else(|| {
                        let address = if size == 32 { ", or an address" } else { "" };
                        self.refuse(path, &format!("must be {size} bytes: 0x text or a list{address}"))
                    })?;
                    out.extend_from_slice(&bytes);
                    return Ok(());
                }
                let list = value.as_array().filter(|list| u32::try_from(list.len()) == Ok(array.len));
                let list = list.ok_or_else(|| self.refuse(path, &wanted()))?;
                self.list(array.type_param.id, list, path, deeper, out)
            }
            TypeDef::Sequence(sequence) => {
                if types.resolve(sequence.type_param.id).is_some_and(|ty| is_byte(&ty.type_def)) {
                    let bytes = bytes(value).ok_or_else(|| self.refuse(path, "must be bytes: 0x text or a list"))?;
                    bytes.encode_to(out);
                    return Ok(());
                }
                let list = value.as_array().ok_or_else(|| self.refuse(path, "must be a list"))?;
                let length = u32::try_from(list.len()).map_err(|_| self.refuse(path, "is too long"))?;
                Compact(length).encode_to(out);
                self.list(sequence.type_param.id, list, path, deeper, out)
            }
            TypeDef::Tuple(tuple) => {
                let list = value.as_array().filter(|list| list.len() == tuple.fields.len());
                let empty = tuple.fields.is_empty() && value.is_null();
                let list = list.map(Vec::as_slice).or(empty.then_some(&[][..]));
                let list = list.ok_or_else(|| self.refuse(path, &wanted()))?;
                for (index, (field, value)) in tuple.fields.iter().zip(list).enumerate() {
                    self.write(field.id, value, &format!("{path}[{index}]"), deeper, out)?;
                }
                Ok(())
            }
            TypeDef::Composite(composite) => self.fields(&composite.fields, value, path, deeper, out),
            TypeDef::Variant(variants) => {
                let is_option = found.path.ident().is_some_and(|name| name == "Option");
                let is_address = found.path.ident().is_some_and(|name| name == "MultiAddress");
                let by_name = |name: &str| variants.variants.iter().find(|variant| variant.name == name);
                let (variant, value): (Option<&Variant<PortableForm>>, &Value) = match value {
                    Value::Null if is_option => (by_name("None"), &Value::Null),
                    value if is_option => (by_name("Some"), value),
                    Value::String(text) if is_address && by_name(text).is_none() => (by_name("Id"), value),
                    Value::String(name) => (by_name(name), &Value::Null),
                    Value::Object(object) if object.len() == 1 => match object.iter().next() {
                        Some((name, value)) => (by_name(name), value),
                        None => (None, value),
                    },
                    other => (None, other),
                };
                let variant = variant.ok_or_else(|| {
                    let names = variants.variants.iter().map(|variant| variant.name.as_str());
                    let names = names.take(8).collect::<Vec<_>>().join(", ");
                    let more = if variants.variants.len() > 8 { ", .." } else { "" };
                    self.refuse(path, &format!("must be one of {names}{more}: \"Name\" or {{\"Name\": value}}"))
                })?;
                out.push(variant.index);
                self.fields(&variant.fields, value, path, deeper, out)
            }
            TypeDef::BitSequence(_) => Err(self.refuse(path, "is a list of bits, which this tool does not write")),
        }
    }

    fn list(&self, ty: u32, list: &[Value], path: &str, depth: u8, out: &mut Vec<u8>) -> Result<(), ClientError> {
        for (index, value) in list.iter().enumerate() {
            self.write(ty, value, &format!("{path}[{index}]"), depth, out)?;
        }
        Ok(())
    }

    /// Fields of a structure or a variant; a single one may stand for the whole.
    fn fields(
        &self,
        fields: &[Field<PortableForm>],
        value: &Value,
        path: &str,
        depth: u8,
        out: &mut Vec<u8>,
    ) -> Result<(), ClientError> {
        match (fields, value) {
            ([], Value::Null) => Ok(()),
            ([], Value::Array(list)) if list.is_empty() => Ok(()),
            ([], Value::Object(object)) if object.is_empty() => Ok(()),
            ([], _) => Err(self.refuse(path, "takes no value")),
            ([only], value) => {
                let named = only.name.as_deref().and_then(|name| Some((name, value.as_object()?.get(name)?)));
                match named {
                    Some((name, inner)) => {
                        if let Value::Object(object) = value {
                            self.known(path, object, fields)?;
                        }
                        self.write(only.ty.id, inner, &join(path, name), depth, out)
                    }
                    None => self.write(only.ty.id, value, path, depth, out),
                }
            }
            (fields, Value::Object(object)) => {
                self.known(path, object, fields)?;
                for field in fields {
                    let name = field.name.as_deref().unwrap_or_default();
                    let path = join(path, name);
                    let value = object.get(name).ok_or_else(|| self.refuse(&path, "is missing"))?;
                    self.write(field.ty.id, value, &path, depth, out)?;
                }
                Ok(())
            }
            (fields, Value::Array(list)) if list.len() == fields.len() => {
                for (index, (field, value)) in fields.iter().zip(list).enumerate() {
                    self.write(field.ty.id, value, &format!("{path}[{index}]"), depth, out)?;
                }
                Ok(())
            }
            (fields, _) => {
                let names: Vec<&str> = fields.iter().map(|field| field.name.as_deref().unwrap_or("_")).collect();
                Err(self.refuse(path, &format!("must be an object of {}", names.join(", "))))
            }
        }
    }

    fn primitive(
        &self,
        primitive: &TypeDefPrimitive,
        value: &Value,
        path: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), ClientError> {
        let mut unsigned = |name: &str, size: usize| {
            let number = self.unsigned(name, value, path)?;
            let bytes = number.to_le_bytes();
            out.extend(bytes.iter().copied().chain(std::iter::repeat(0)).take(size));
            Ok(())
        };
        match primitive {
            TypeDefPrimitive::U8 => unsigned("u8", 1),
            TypeDefPrimitive::U16 => unsigned("u16", 2),
            TypeDefPrimitive::U32 => unsigned("u32", 4),
            TypeDefPrimitive::U64 => unsigned("u64", 8),
            TypeDefPrimitive::U128 => unsigned("u128", 16),
            TypeDefPrimitive::U256 => unsigned("u256", 32),
            TypeDefPrimitive::Bool => {
                let value = value.as_bool().ok_or_else(|| self.refuse(path, "must be true or false"))?;
                value.encode_to(out);
                Ok(())
            }
            TypeDefPrimitive::Str => {
                let value = value.as_str().ok_or_else(|| self.refuse(path, "must be a text"))?;
                value.encode_to(out);
                Ok(())
            }
            TypeDefPrimitive::Char
            | TypeDefPrimitive::I8
            | TypeDefPrimitive::I16
            | TypeDefPrimitive::I32
            | TypeDefPrimitive::I64
            | TypeDefPrimitive::I128
            | TypeDefPrimitive::I256 => {
                Err(self.refuse(path, "is of a signed or character type, which no call of Subtensor takes"))
            }
        }
    }

    /// A number or a decimal text in the range of the type.
    fn unsigned(&self, name: &str, value: &Value, path: &str) -> Result<u128, ClientError> {
        let number = match value {
            Value::Number(number) => number.as_u64().map(u128::from),
            Value::String(text) => text.parse::<u128>().ok(),
            _ => None,
        };
        let bits: u32 = name.trim_start_matches('u').parse().unwrap_or(128);
        let largest = if bits >= 128 { u128::MAX } else { (1u128 << bits).saturating_sub(1) };
        number.filter(|number| *number <= largest).ok_or_else(|| {
            self.refuse(path, &format!("must be an integer of type {name}, 0 ..= {largest}; found {}", brief(value)))
        })
    }
}

fn is_byte(ty: &TypeDef<PortableForm>) -> bool {
    matches!(ty, TypeDef::Primitive(TypeDefPrimitive::U8))
}

/// Bytes from `0x` text or a list of integers.
fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => hex::decode(text.strip_prefix("0x")?).ok(),
        Value::Array(list) => list.iter().map(|byte| u8::try_from(byte.as_u64()?).ok()).collect(),
        _ => None,
    }
}

fn text(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// A value as a message may show it.
fn brief(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 40 { text } else { format!("{}..", text.chars().take(40).collect::<String>()) }
}

#[cfg(test)]
mod tests;
