// SPDX-License-Identifier: Apache-2.0
//! Transactions that nobody signs.

use crate::{BlockNumber, CheckMortality, CheckNonce, Runtime, RuntimeCall, TxExtension, UncheckedExtrinsic};
use alloc::vec::Vec;
use frame_system::offchain::{CreateAuthorizedTransaction, CreateTransaction, CreateTransactionBase};
use pallet_drand::{Pulse, PulsesPayload};
use sp_runtime::generic::Era;

impl<C> CreateTransactionBase<C> for Runtime
where
    RuntimeCall: From<C>,
{
    type Extrinsic = UncheckedExtrinsic;
    type RuntimeCall = RuntimeCall;
}

impl<C> CreateTransaction<C> for Runtime
where
    RuntimeCall: From<C>,
{
    type Extension = TxExtension;

    fn create_transaction(call: RuntimeCall, extension: TxExtension) -> UncheckedExtrinsic {
        UncheckedExtrinsic::new_transaction(call, extension)
    }
}

impl<C> CreateAuthorizedTransaction<C> for Runtime
where
    RuntimeCall: From<C>,
{
    fn create_extension() -> TxExtension {
        unsigned_extension()
    }
}

/// The extensions of a transaction that proves itself: immortal, without nonce and tip.
pub fn unsigned_extension() -> TxExtension {
    (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        CheckMortality::from(Era::Immortal),
        CheckNonce::from(0),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(0),
        pallet_shield::CheckShieldedTxValidity::new(),
        pallet_subtensor::SubtensorTransactionExtension::new(),
        pallet_drand::DrandPriority::new(),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
    )
}

/// The transaction that stores `pulses`, as a node makes it after `block`.
pub fn write_pulse(block: BlockNumber, pulses: Vec<Pulse>) -> UncheckedExtrinsic {
    let call = pallet_drand::Call::write_pulse { pulses_payload: PulsesPayload::new(block, pulses), signature: None };
    UncheckedExtrinsic::new_transaction(call.into(), unsigned_extension())
}
