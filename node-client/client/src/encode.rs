// SPDX-License-Identifier: Apache-2.0

mod json;

use std::path::Path;

use scale_value::{Composite, Value};
use subxt::ext::frame_decode::extrinsics::encode_call_data;

use crate::{
    ClientError,
    runtime::Runtime,
    shape::refusal,
    types::{Call, MinerVerdict},
};

pub use json::{EncodedCall, EncodedField};

/// Longest raw field of a commitment, in bytes.
pub const MAX_COMMITMENT_BYTES: usize = 128;

/// Longest ciphertext of a timelocked commit, in bytes.
pub const MAX_TIMELOCKED_BYTES: usize = 5_000;

/// Turns a call into the bytes a chain takes for it.
///
/// Implemented by [`Runtime`] from the metadata that the chain serves, by [`OfflineMetadata`] from a file, and, under
/// the feature `substrate-api-client`, by a second implementation on another library.
pub trait CallEncoder {
    /// SCALE bytes of the call: pallet index, call index, arguments.
    ///
    /// # Errors
    ///
    /// - [`ClientError::UnsupportedRuntime`]: the runtime lacks the call, or takes other arguments.
    /// - [`ClientError::InvalidCall`]: a value is out of the chain's range.
    fn encode(&self, call: &Call) -> Result<Vec<u8>, ClientError>;
}

impl CallEncoder for Runtime {
    fn encode(&self, call: &Call) -> Result<Vec<u8>, ClientError> {
        validate(call)?;
        let (pallet, name, args) = arguments(call);
        let item = call_name(call);
        let pallet_metadata = self
            .metadata()
            .pallet_by_name(pallet)
            .ok_or_else(|| self.unsupported(&item, format!("there is no pallet {pallet}")))?;
        if pallet_metadata.call_variant_by_name(name).is_none() {
            return Err(self.unsupported(&item, "there is no such call"));
        }
        if let Some(why) = refusal(self, &item) {
            return Err(self.unsupported(&item, why));
        }
        encode_call_data(pallet, name, &Composite::Named(args), self.metadata(), self.metadata().types())
            .map_err(|error| self.unsupported(&item, error.to_string()))
    }
}

/// A call encoder for a chain that is not at hand: metadata from a file.
#[derive(Clone, Debug)]
pub struct OfflineMetadata(Runtime);

impl OfflineMetadata {
    /// Reads a `.scale` file: metadata V14, V15 or V16 with its `meta` prefix.
    ///
    /// # Errors
    ///
    /// As [`Runtime::load`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ClientError> {
        Runtime::load(path).map(Self)
    }

    /// The runtime it describes.
    pub fn runtime(&self) -> &Runtime {
        &self.0
    }
}

impl CallEncoder for OfflineMetadata {
    fn encode(&self, call: &Call) -> Result<Vec<u8>, ClientError> {
        CallEncoder::encode(&self.0, call)
    }
}

/// `Pallet.call`, for messages.
pub(crate) fn call_name(call: &Call) -> String {
    let (pallet, name) = target(call);
    format!("{pallet}.{name}")
}

/// Pallet and call, as the chain names them.
pub(crate) fn target(call: &Call) -> (&'static str, &'static str) {
    const SUBTENSOR: &str = "SubtensorModule";
    match call {
        Call::SetWeights { .. } => (SUBTENSOR, "set_weights"),
        Call::CommitWeights { .. } => (SUBTENSOR, "commit_weights"),
        Call::RevealWeights { .. } => (SUBTENSOR, "reveal_weights"),
        Call::SetMechanismWeights { .. } => (SUBTENSOR, "set_mechanism_weights"),
        Call::CommitMechanismWeights { .. } => (SUBTENSOR, "commit_mechanism_weights"),
        Call::RevealMechanismWeights { .. } => (SUBTENSOR, "reveal_mechanism_weights"),
        Call::CommitTimelockedWeights { .. } => (SUBTENSOR, "commit_timelocked_mechanism_weights"),
        Call::BurnedRegister { .. } => (SUBTENSOR, "burned_register"),
        Call::AddStake { .. } => (SUBTENSOR, "add_stake"),
        Call::RegisterNetwork { .. } => (SUBTENSOR, "register_network"),
        Call::ServeAxon { .. } => (SUBTENSOR, "serve_axon"),
        Call::SetCommitment { .. } => ("Commitments", "set_commitment"),
        Call::CommitBundle { .. } => ("ProviderRank", "commit_bundle"),
        Call::SubmitVerdicts { .. } => ("ProviderRank", "submit_verdicts"),
    }
}

/// What no chain accepts, refused before it costs anything.
pub(crate) fn validate(call: &Call) -> Result<(), ClientError> {
    let invalid = |why: String| Err(ClientError::InvalidCall { call: call_name(call), why });
    match call {
        Call::SetCommitment { data, .. } if data.len() > MAX_COMMITMENT_BYTES => {
            invalid(format!("{} bytes exceed the {MAX_COMMITMENT_BYTES} of a raw field", data.len()))
        }
        Call::SetWeights { dests, weights, .. } | Call::SetMechanismWeights { dests, weights, .. }
            if dests.len() != weights.len() =>
        {
            invalid(format!("{} uids, {} weights", dests.len(), weights.len()))
        }
        Call::RevealWeights { uids, values, .. } | Call::RevealMechanismWeights { uids, values, .. }
            if uids.len() != values.len() =>
        {
            invalid(format!("{} uids, {} weights", uids.len(), values.len()))
        }
        Call::CommitTimelockedWeights { commit, .. } if commit.len() > MAX_TIMELOCKED_BYTES => {
            invalid(format!("{} bytes exceed the {MAX_TIMELOCKED_BYTES} of a timelocked commit", commit.len()))
        }
        _ => Ok(()),
    }
}

fn arguments(call: &Call) -> (&'static str, &'static str, Vec<(String, Value<()>)>) {
    let args = match call {
        Call::SetWeights { netuid, dests, weights, version_key } => vec![
            arg("netuid", number(*netuid)),
            arg("dests", numbers(dests)),
            arg("weights", numbers(weights)),
            arg("version_key", number(*version_key)),
        ],
        Call::CommitWeights { netuid, commit_hash } => {
            vec![arg("netuid", number(*netuid)), arg("commit_hash", bytes(commit_hash))]
        }
        Call::RevealWeights { netuid, uids, values, salt, version_key } => vec![
            arg("netuid", number(*netuid)),
            arg("uids", numbers(uids)),
            arg("values", numbers(values)),
            arg("salt", numbers(salt)),
            arg("version_key", number(*version_key)),
        ],
        Call::SetMechanismWeights { netuid, mecid, dests, weights, version_key } => vec![
            arg("netuid", number(*netuid)),
            arg("mecid", number(*mecid)),
            arg("dests", numbers(dests)),
            arg("weights", numbers(weights)),
            arg("version_key", number(*version_key)),
        ],
        Call::CommitMechanismWeights { netuid, mecid, commit_hash } => {
            vec![arg("netuid", number(*netuid)), arg("mecid", number(*mecid)), arg("commit_hash", bytes(commit_hash))]
        }
        Call::RevealMechanismWeights { netuid, mecid, uids, values, salt, version_key } => vec![
            arg("netuid", number(*netuid)),
            arg("mecid", number(*mecid)),
            arg("uids", numbers(uids)),
            arg("values", numbers(values)),
            arg("salt", numbers(salt)),
            arg("version_key", number(*version_key)),
        ],
        Call::CommitTimelockedWeights { netuid, mecid, commit, reveal_round, version } => vec![
            arg("netuid", number(*netuid)),
            arg("mecid", number(*mecid)),
            arg("commit", bytes(commit)),
            arg("reveal_round", number(*reveal_round)),
            arg("commit_reveal_version", number(*version)),
        ],
        Call::BurnedRegister { netuid, hotkey } => {
            vec![arg("netuid", number(*netuid)), arg("hotkey", bytes(hotkey))]
        }
        Call::AddStake { netuid, hotkey, amount_staked } => vec![
            arg("hotkey", bytes(hotkey)),
            arg("netuid", number(*netuid)),
            arg("amount_staked", number(*amount_staked)),
        ],
        Call::RegisterNetwork { hotkey } => vec![arg("hotkey", bytes(hotkey))],
        Call::ServeAxon { netuid, version, ip, port, ip_type, protocol } => vec![
            arg("netuid", number(*netuid)),
            arg("version", number(*version)),
            arg("ip", number(*ip)),
            arg("port", number(*port)),
            arg("ip_type", number(*ip_type)),
            arg("protocol", number(*protocol)),
            arg("placeholder1", number(0u8)),
            arg("placeholder2", number(0u8)),
        ],
        Call::SetCommitment { netuid, data } => {
            let field = Value::unnamed_variant(format!("Raw{}", data.len()), [bytes(data)]);
            let info = Value::named_composite([("fields", Value::unnamed_composite([field]))]);
            vec![arg("netuid", number(*netuid)), arg("info", info)]
        }
        Call::CommitBundle { netuid, epoch, root, count } => vec![
            arg("netuid", number(*netuid)),
            arg("epoch", number(*epoch)),
            arg("root", bytes(root)),
            arg("count", number(*count)),
        ],
        Call::SubmitVerdicts { netuid, epoch, verdicts } => vec![
            arg("netuid", number(*netuid)),
            arg("epoch", number(*epoch)),
            arg("verdicts", Value::unnamed_composite(verdicts.iter().map(verdict))),
        ],
    };
    let (pallet, name) = target(call);
    (pallet, name, args)
}

fn arg(name: &str, value: Value<()>) -> (String, Value<()>) {
    (name.to_owned(), value)
}

fn number(value: impl Into<u128>) -> Value<()> {
    Value::u128(value.into())
}

fn numbers(values: &[u16]) -> Value<()> {
    Value::unnamed_composite(values.iter().map(|value| number(*value)))
}

fn bytes(bytes: &[u8]) -> Value<()> {
    Value::from_bytes(bytes)
}

fn verdict(verdict: &MinerVerdict) -> Value<()> {
    Value::named_composite([
        ("uid", number(verdict.uid)),
        ("tripped", Value::bool(verdict.tripped)),
        ("reason", number(verdict.reason)),
        ("score", number(verdict.score)),
    ])
}

#[cfg(test)]
pub(crate) mod tests;
