// SPDX-License-Identifier: Apache-2.0

//! A second way to the chain, on `substrate-api-client`: written apart from the first, to check it.
//!
//! Where the first encodes calls by the types in metadata, this one encodes Rust tuples whose order and widths are
//! written down here, and takes only the indices from metadata. Equal bytes from both mean that neither has guessed.

use async_trait::async_trait;
use clawrank_proof::{Keypair, ss58};
use codec::{Decode, Encode};
use substrate_api_client::{
    Api, Error as ApiError, SubmitAndWatch, XtStatus,
    ac_compose_macros::compose_call,
    ac_node_api::{Metadata, error::DispatchError},
    ac_primitives::{
        Bytes, Config, DefaultRuntimeConfig, ExtrinsicParams, GenericAdditionalParams, PlainTipExtrinsicParams,
        SignedPayload,
    },
    rpc::{Error as RpcError, JsonrpseeClient, Request},
};

use crate::{
    ClientError, SubmissionPort,
    encode::{CallEncoder, call_name, validate},
    error::PoolReason,
    types::{Call, ChainEvent, Hash, Submitted},
};

type Runtime = DefaultRuntimeConfig;
type Params = PlainTipExtrinsicParams<Runtime>;

/// Encodes calls as static tuples, with the indices of some metadata.
pub struct StaticEncoder {
    metadata: Metadata,
    spec_version: u32,
}

impl StaticEncoder {
    /// From metadata bytes with their `meta` prefix.
    ///
    /// # Errors
    ///
    /// [`ClientError::Decode`].
    pub fn from_metadata(mut bytes: &[u8], spec_version: u32) -> Result<Self, ClientError> {
        let metadata = Metadata::decode(&mut bytes)
            .map_err(|error| ClientError::Decode { item: "runtime metadata".into(), why: error.to_string() })?;
        Ok(Self { metadata, spec_version })
    }
}

impl CallEncoder for StaticEncoder {
    fn encode(&self, call: &Call) -> Result<Vec<u8>, ClientError> {
        encode_static(&self.metadata, self.spec_version, call)
    }
}

fn encode_static(metadata: &Metadata, spec_version: u32, call: &Call) -> Result<Vec<u8>, ClientError> {
    const SUBTENSOR: &str = "SubtensorModule";
    validate(call)?;
    let bytes = match call {
        Call::SetWeights { netuid, dests, weights, version_key } => {
            compose_call!(metadata, SUBTENSOR, "set_weights", *netuid, dests, weights, *version_key).encode_some()
        }
        Call::CommitWeights { netuid, commit_hash } => {
            compose_call!(metadata, SUBTENSOR, "commit_weights", *netuid, commit_hash).encode_some()
        }
        Call::RevealWeights { netuid, uids, values, salt, version_key } => {
            compose_call!(metadata, SUBTENSOR, "reveal_weights", *netuid, uids, values, salt, *version_key)
                .encode_some()
        }
        Call::SetMechanismWeights { netuid, mecid, dests, weights, version_key } => {
            compose_call!(metadata, SUBTENSOR, "set_mechanism_weights", *netuid, *mecid, dests, weights, *version_key)
                .encode_some()
        }
        Call::CommitMechanismWeights { netuid, mecid, commit_hash } => {
            compose_call!(metadata, SUBTENSOR, "commit_mechanism_weights", *netuid, *mecid, commit_hash).encode_some()
        }
        Call::RevealMechanismWeights { netuid, mecid, uids, values, salt, version_key } => compose_call!(
            metadata,
            SUBTENSOR,
            "reveal_mechanism_weights",
            *netuid,
            *mecid,
            uids,
            values,
            salt,
            *version_key
        )
        .encode_some(),
        Call::CommitTimelockedWeights { netuid, mecid, commit, reveal_round, version } => compose_call!(
            metadata,
            SUBTENSOR,
            "commit_timelocked_mechanism_weights",
            *netuid,
            *mecid,
            commit,
            *reveal_round,
            *version
        )
        .encode_some(),
        Call::BurnedRegister { netuid, hotkey } => {
            compose_call!(metadata, SUBTENSOR, "burned_register", *netuid, hotkey).encode_some()
        }
        Call::AddStake { netuid, hotkey, amount_staked } => {
            compose_call!(metadata, SUBTENSOR, "add_stake", hotkey, *netuid, *amount_staked).encode_some()
        }
        Call::RegisterNetwork { hotkey } => {
            compose_call!(metadata, SUBTENSOR, "register_network", hotkey).encode_some()
        }
        Call::ServeAxon { netuid, version, ip, port, ip_type, protocol } => compose_call!(
            metadata,
            SUBTENSOR,
            "serve_axon",
            *netuid,
            *version,
            *ip,
            *port,
            *ip_type,
            *protocol,
            0u8,
            0u8
        )
        .encode_some(),
        Call::SetCommitment { netuid, data } => {
            // One field: the variant says how many bytes follow, counted from 1.
            let variant = u8::try_from(data.len()).unwrap_or(u8::MAX).saturating_add(1);
            let field = [&[variant][..], data].concat();
            compose_call!(metadata, "Commitments", "set_commitment", *netuid, One(field)).encode_some()
        }
        Call::CommitBundle { netuid, epoch, root, count } => {
            compose_call!(metadata, "ProviderRank", "commit_bundle", *netuid, *epoch, root, *count).encode_some()
        }
        Call::SubmitVerdicts { netuid, epoch, verdicts } => {
            let verdicts: Vec<(u16, bool, u8, u128)> =
                verdicts.iter().map(|verdict| (verdict.uid, verdict.tripped, verdict.reason, verdict.score)).collect();
            compose_call!(metadata, "ProviderRank", "submit_verdicts", *netuid, *epoch, verdicts).encode_some()
        }
    };
    bytes.ok_or_else(|| ClientError::UnsupportedRuntime {
        item: call_name(call),
        spec_version,
        why: "there is no such call".into(),
    })
}

/// A list of one item that is encoded already.
struct One(Vec<u8>);

impl Encode for One {
    fn encode_to<O: codec::Output + ?Sized>(&self, dest: &mut O) {
        codec::Compact(1u32).encode_to(dest);
        dest.write(&self.0);
    }
}

/// The bytes of a composed call, if it was found.
trait EncodeSome {
    fn encode_some(self) -> Option<Vec<u8>>;
}

impl<T: Encode> EncodeSome for Option<T> {
    fn encode_some(self) -> Option<Vec<u8>> {
        self.map(|call| call.encode())
    }
}

/// A call that is encoded already.
#[derive(Clone)]
struct Raw(Vec<u8>);

impl Encode for Raw {
    fn encode_to<O: codec::Output + ?Sized>(&self, dest: &mut O) {
        dest.write(&self.0);
    }
}

/// A node through `substrate-api-client`: submissions only, without retries.
pub struct ApiClient {
    api: Api<Runtime, JsonrpseeClient>,
}

impl ApiClient {
    /// Connects to a node by its WebSocket URL.
    ///
    /// # Errors
    ///
    /// [`ClientError::Transport`] and [`ClientError::Decode`].
    pub async fn connect(url: &str) -> Result<Self, ClientError> {
        let client = JsonrpseeClient::new(url).await.map_err(|error| transport("connect", error))?;
        let api = Api::new(client).await.map_err(|error| failed("connect", error))?;
        Ok(Self { api })
    }

    /// A signed extrinsic of version 4, immortal, with the nonce of the best block and the pool.
    async fn extrinsic(&self, signer: &Keypair, call: Vec<u8>) -> Result<Vec<u8>, ClientError> {
        let mut params = substrate_api_client::ac_primitives::RpcParams::new();
        params
            .insert(ss58::encode(&signer.public()))
            .map_err(|error| ClientError::Decode { item: "nonce request".into(), why: error.to_string() })?;
        let nonce: u32 = self
            .api
            .client()
            .request("system_accountNextIndex", params)
            .await
            .map_err(|error| transport("system_accountNextIndex", error))?;
        let version = self.api.runtime_version();
        let params: Params = ExtrinsicParams::new(
            version.spec_version,
            version.transaction_version,
            nonce,
            self.api.genesis_hash(),
            GenericAdditionalParams::default(),
        );
        let extra = params.transaction_extension();
        let payload = SignedPayload::from_raw(Raw(call.clone()), extra, params.implicit());
        let signature = payload.using_encoded(|payload| signer.sign(payload));
        // Signed, version 4; an account id; an sr25519 signature.
        let body = (0x84u8, 0u8, signer.public(), 1u8, signature, extra, Raw(call)).encode();
        Ok(body.encode())
    }
}

impl CallEncoder for ApiClient {
    fn encode(&self, call: &Call) -> Result<Vec<u8>, ClientError> {
        encode_static(self.api.metadata(), self.api.spec_version(), call)
    }
}

#[async_trait(?Send)]
impl SubmissionPort for ApiClient {
    async fn submit_call(&self, signer: &Keypair, call: &Call) -> Result<Submitted, ClientError> {
        let name = call_name(call);
        let extrinsic = self.extrinsic(signer, self.encode(call)?).await?;
        let report = self
            .api
            .submit_and_watch_opaque_extrinsic_until(&Bytes(extrinsic), XtStatus::Finalized)
            .await
            .map_err(|error| failed(&name, error))?;
        let block = report.block_hash.ok_or_else(|| ClientError::OutcomeUnknown {
            call: name,
            extrinsic: report.extrinsic_hash.into(),
            valid_until: u64::MAX,
        })?;
        let header = substrate_api_client::GetChainInfo::get_header(&self.api, Some(block))
            .await
            .map_err(|error| failed("chain_getHeader", error))?
            .ok_or(ClientError::NoState { block: block.into() })?;
        let events = report.events.unwrap_or_default();
        Ok(Submitted {
            extrinsic: report.extrinsic_hash.into(),
            block: block.into(),
            block_number: header.number.into(),
            events: events
                .iter()
                .map(|event| ChainEvent { pallet: event.pallet_name().into(), name: event.variant_name().into() })
                .collect(),
        })
    }
}

fn transport(method: &str, error: RpcError) -> ClientError {
    ClientError::Transport { endpoint: "node".into(), method: method.into(), source: format!("{error:?}").into() }
}

/// Names an error of the library as the first implementation would.
fn failed(call: &str, error: ApiError) -> ClientError {
    match error {
        ApiError::FailedExtrinsic(failure) => {
            let extrinsic = failure.get_report::<<Runtime as Config>::Hash>().map(|report| report.extrinsic_hash);
            let (pallet, name, docs) = match failure.dispatch_error() {
                DispatchError::Module(error) => {
                    (error.pallet.clone(), error.error.clone(), error.description.join(" ").trim().to_owned())
                }
                other => ("System".to_owned(), format!("{other:?}"), String::new()),
            };
            ClientError::Dispatch {
                call: call.into(),
                pallet: pallet.into(),
                name,
                docs: docs.into(),
                block_number: 0,
                extrinsic: extrinsic.map(Hash::from).unwrap_or_default(),
            }
        }
        ApiError::RpcClient(error) => {
            let text = format!("{error:?}");
            match PoolReason::from_rpc(crate::error::rpc_code::POOL_INVALID, &text) {
                Some(reason) if text.contains("1010") => {
                    ClientError::Pool { call: call.into(), code: crate::error::rpc_code::POOL_INVALID, reason }
                }
                _ => transport(call, error),
            }
        }
        other => {
            ClientError::Transport { endpoint: "node".into(), method: call.into(), source: format!("{other:?}").into() }
        }
    }
}

#[cfg(test)]
mod tests;
