// SPDX-License-Identifier: Apache-2.0
//! Sequences of calls to the subnet pallet, on a runtime of its own.
//!
//! The bytes choose calls, signers and arguments from domains small enough that calls meet each other: twelve accounts,
//! five netuids, three mechanisms. After every call what must always hold is checked, and that a call which the
//! transaction pool refuses is one that dispatch refuses.

mod calls;
mod runtime;

use frame_support::{dispatch::GetDispatchInfo, traits::Hooks};
use pallet_subtensor::SubtensorTransactionExtension;
use sp_runtime::{
    traits::{DispatchTransaction, Dispatchable},
    transaction_validity::TransactionSource,
};

use calls::{Chooser, Step};
use runtime::{RuntimeCall, SubtensorModule, System, Test};

/// Most steps of one run.
const MAX_STEPS: usize = 160;

/// Runs the calls that `data` chooses.
///
/// # Panics
///
/// When an invariant breaks.
pub fn subtensor(data: &[u8]) {
    let mut chooser = Chooser::new(data);
    runtime::externalities().execute_with(|| {
        runtime::reset_beacon();
        next_block();
        for _ in 0..MAX_STEPS {
            let Some(step) = chooser.step() else { break };
            match step {
                Step::Blocks(count) => (0..count).for_each(|_| next_block()),
                Step::Publish(round) => runtime::publish(round),
                Step::Change(change) => change(),
                Step::Call(signer, call) => dispatch(signer, *call),
            }
            if let Err(error) = SubtensorModule::do_try_state() {
                panic!("block {}: {error:?}", System::block_number());
            }
        }
    });
}

fn next_block() {
    let next = System::block_number().saturating_add(1);
    System::reset_events();
    System::set_block_number(next);
    SubtensorModule::on_initialize(next);
}

fn dispatch(signer: u8, call: pallet_subtensor::Call<Test>) {
    let batch = matches!(
        call,
        pallet_subtensor::Call::batch_set_weights { .. } | pallet_subtensor::Call::batch_commit_weights { .. }
    );
    let call = RuntimeCall::SubtensorModule(call);
    let origin = runtime::signed(signer);
    let info = call.get_dispatch_info();
    let pool = SubtensorTransactionExtension::<Test>::new()
        .validate_only(origin.clone(), &call, &info, 0, TransactionSource::External, 0)
        .map(|_| ());
    let result = call.clone().dispatch(origin);
    // The items of a batch fail one by one, in events.
    assert!(batch || pool.is_ok() || result.is_err(), "the pool refuses what dispatch takes: {call:?}, {pool:?}");
    if let Ok(post) = result {
        let actual = post.actual_weight.unwrap_or(info.call_weight);
        assert!(info.call_weight.all_gte(actual), "{call:?} weighs more than it says");
    }
}
