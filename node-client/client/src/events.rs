// SPDX-License-Identifier: Apache-2.0

use scale_value::{At, Value, ValueDef};

use crate::{ClientError, runtime::Runtime, shape::item, types::ChainEvent};

/// Why a call failed, in the chain's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) pallet: String,
    pub(crate) name: String,
    pub(crate) docs: String,
}

/// What one extrinsic did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) events: Vec<ChainEvent>,
    pub(crate) failure: Option<Failure>,
}

/// The outcome of the extrinsic at `index` from the block's `System.Events`.
///
/// # Errors
///
/// [`ClientError::UnsupportedRuntime`]: the events are of another shape, or say neither success nor failure.
pub(crate) fn outcome(runtime: &Runtime, bytes: &[u8], index: u32) -> Result<Outcome, ClientError> {
    let item = runtime.storage(item!("System.Events"))?;
    let records: Value<()> = item.decode(Some(bytes))?.unwrap_or_else(|| Value::unnamed_composite([]));
    let ValueDef::Composite(records) = records.value else { return Err(item.unsupported("is not a list")) };
    let (mut events, mut failure, mut ended) = (Vec::new(), None, false);
    for record in records.into_values() {
        if !is_of(&record, index) {
            continue;
        }
        let Some(ValueDef::Variant(pallet)) = record.at("event").map(|event| &event.value) else {
            return Err(item.unsupported("an event is not an enum"));
        };
        let inner = pallet.values.values().next();
        let Some(ValueDef::Variant(event)) = inner.map(|event| &event.value) else {
            return Err(item.unsupported(format!("an event of {} is not an enum", pallet.name)));
        };
        match (pallet.name.as_str(), event.name.as_str()) {
            ("System", "ExtrinsicSuccess") => ended = true,
            ("System", "ExtrinsicFailed") => {
                ended = true;
                let error = event.values.values().next();
                failure = Some(error.map_or_else(unknown_failure, |error| describe(runtime, error)));
            }
            _ => {}
        }
        events.push(ChainEvent { pallet: pallet.name.clone(), name: event.name.clone() });
    }
    if ended { Ok(Outcome { events, failure }) } else { Err(item.unsupported("the extrinsic has no outcome")) }
}

/// Whether a record belongs to an extrinsic: phase `ApplyExtrinsic(index)`.
fn is_of(record: &Value<()>, index: u32) -> bool {
    let Some(ValueDef::Variant(phase)) = record.at("phase").map(|phase| &phase.value) else { return false };
    phase.name == "ApplyExtrinsic" && phase.values.values().next().and_then(Value::as_u128) == Some(u128::from(index))
}

fn unknown_failure() -> Failure {
    Failure { pallet: "System".into(), name: "Unknown".into(), docs: String::new() }
}

/// Names a `DispatchError`.
fn describe(runtime: &Runtime, error: &Value<()>) -> Failure {
    let ValueDef::Variant(error) = &error.value else { return unknown_failure() };
    if error.name == "Module"
        && let Some(failure) = error.values.values().next().and_then(|module| module_error(runtime, module))
    {
        return failure;
    }
    let detail = error.values.values().next().and_then(|inner| match &inner.value {
        ValueDef::Variant(inner) => Some(inner.name.clone()),
        _ => None,
    });
    Failure {
        pallet: "System".into(),
        name: detail.map_or_else(|| error.name.clone(), |detail| format!("{}::{detail}", error.name)),
        docs: String::new(),
    }
}

/// `ModuleError { index, error: [u8; 4] }`: the pallet's own error.
fn module_error(runtime: &Runtime, module: &Value<()>) -> Option<Failure> {
    // The variant may hold the struct, or be it.
    let module = if module.at("index").is_some() { module } else { module.at(0)? };
    let index = u8::try_from(module.at("index")?.as_u128()?).ok()?;
    let mut first = module.at("error")?;
    while let Some(inner) = first.at(0) {
        first = inner;
    }
    let code = u8::try_from(first.as_u128()?).ok()?;
    let pallet = runtime.metadata().pallet_by_error_index(index)?;
    let variant = pallet.error_variant_by_index(code)?;
    Some(Failure {
        pallet: pallet.name().to_owned(),
        name: variant.name.clone(),
        docs: variant.docs.join(" ").trim().to_owned(),
    })
}

#[cfg(test)]
mod tests;
