// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! The RPC methods beyond those of every Substrate node: `system_accountNextIndex` and its aliases, `payment_*`, and
//! `engine_*` where blocks are sealed on demand.

use crate::service::{FullClient, FullPool};
use clawrank_runtime::{Hash, opaque::Block};
use futures::channel::mpsc;
use jsonrpsee::{RpcModule, core::RegisterMethodError};
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use sc_consensus_manual_seal::{
    EngineCommand,
    rpc::{ManualSeal, ManualSealApiServer},
};
use std::sync::Arc;
use substrate_frame_rpc_system::{System, SystemApiServer};

/// Where `engine_*` commands go.
pub(crate) type SealSender = mpsc::Sender<EngineCommand<Hash>>;

/// The module with our methods.
///
/// # Errors
///
/// When two methods have one name.
pub(crate) fn module(
    client: Arc<FullClient>,
    pool: Arc<FullPool>,
    seal: Option<SealSender>,
) -> Result<RpcModule<()>, RegisterMethodError> {
    let mut module = RpcModule::new(());
    module.merge(System::<_, _, Block>::new(client.clone(), pool).into_rpc())?;
    module.merge(TransactionPayment::<_, Block>::new(client).into_rpc())?;
    if let Some(seal) = seal {
        module.merge(ManualSeal::new(seal).into_rpc())?;
    }
    Ok(module)
}
