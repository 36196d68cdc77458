// SPDX-License-Identifier: Apache-2.0

use scale_value::{At, Value, ValueDef};
use subxt::ext::scale_decode::DecodeAsType;

use super::Reader;
use crate::{
    ClientError,
    runtime::Key,
    shape::item,
    types::{AccountId, Commitment},
};

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Registration {
    block: u64,
    info: Value<()>,
}

impl Reader<'_> {
    /// All commitments of a subnet that have a raw field, by hotkey.
    pub(crate) async fn commitments(&self, netuid: u16) -> Result<Vec<Commitment>, ClientError> {
        let item = self.runtime.storage(item!("Commitments.CommitmentOf"))?;
        let entries = self.scan(&item.prefix(&[Key::from(netuid)])?).await?;
        let mut found = Vec::with_capacity(entries.len());
        for (key, value) in &entries {
            let hotkey: AccountId = item.last_key(key)?;
            let Some(registration) = item.decode::<Registration>(Some(value))? else { continue };
            if let Some(data) = first_raw(&registration.info) {
                found.push(Commitment { hotkey, block: registration.block, data });
            }
        }
        found.sort_unstable_by_key(|commitment| (commitment.block, commitment.hotkey));
        Ok(found)
    }
}

/// Bytes of the first field that is `Raw0` ..= `Raw128` or `BigRaw`.
fn first_raw(info: &Value<()>) -> Option<Vec<u8>> {
    let fields = unwrap_newtypes(info.at("fields")?);
    let ValueDef::Composite(fields) = &fields.value else { return None };
    fields.values().find_map(|field| match &field.value {
        ValueDef::Variant(variant) if variant.name.starts_with("Raw") || variant.name == "BigRaw" => {
            bytes(variant.values.values().next()?)
        }
        _ => None,
    })
}

/// Looks through composites of one composite.
fn unwrap_newtypes(mut value: &Value<()>) -> &Value<()> {
    while let ValueDef::Composite(composite) = &value.value {
        match (composite.len(), composite.values().next()) {
            (1, Some(inner)) if matches!(inner.value, ValueDef::Composite(_)) => value = inner,
            _ => break,
        }
    }
    value
}

fn bytes(value: &Value<()>) -> Option<Vec<u8>> {
    let value = unwrap_newtypes(value);
    let ValueDef::Composite(list) = &value.value else { return None };
    list.values().map(|byte| byte.as_u128().and_then(|byte| u8::try_from(byte).ok())).collect()
}
