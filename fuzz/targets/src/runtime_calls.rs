// SPDX-License-Identifier: Apache-2.0
//! Sequences of calls to every pallet of ours, on the runtime of the local chain.
//!
//! The bytes choose calls, signers, arguments and how many blocks pass. Calls come with the transaction extensions of the
//! runtime, so fees, nonces and the pool's refusals are part of it; root's come through `Sudo`. After every call and every
//! block what must always hold is checked.

mod chain;
mod generate;
mod invariants;
mod steps;

use std::collections::BTreeSet;

use clawrank_runtime::{Executive, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, System, TxExtension};
use codec::Encode;
use frame_support::{
    dispatch::{GetDispatchInfo, PostDispatchInfo},
    storage::{TransactionOutcome, with_transaction},
    traits::GetCallMetadata,
};
use pallet_drand::Pulse;
use sp_runtime::{
    ApplyExtrinsicResultWithInfo, DispatchError,
    generic::{CheckedExtrinsic, Era, ExtrinsicFormat},
    traits::{Applyable, Dispatchable},
    transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
};

use chain::account;
use invariants::Watch;
use steps::{Chooser, Step};

/// The pallets whose calls are made.
const PALLETS: [&str; 8] =
    ["Balances", "SubtensorModule", "Sudo", "Commitments", "AdminUtils", "Drand", "MevShield", "ProviderRank"];

/// Calls that are not made: pallet, call, and why.
pub const EXCLUDED: [(&str, &str, &str); 3] = [
    ("Balances", "force_adjust_total_issuance", "root states an issuance that no accounts add up to"),
    ("AdminUtils", "sudo_set_network_pow_registration_allowed", "refused to everyone, as on the public chain"),
    ("Sudo", "remove_key", "nothing of root's could be called after it"),
];

/// Most steps of one run.
const MAX_STEPS: usize = 120;

const EXHAUSTED: TransactionValidityError = TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources);

/// A call by the names of its pallet and of itself.
pub type CallName = (&'static str, &'static str);

/// Every call that may be made.
pub fn runtime_call_names() -> BTreeSet<CallName> {
    let of = |pallet| RuntimeCall::get_call_names(pallet).iter().map(move |call| (pallet, *call));
    PALLETS.into_iter().flat_map(of).filter(|name| !is_excluded(*name)).collect()
}

fn is_excluded((pallet, call): CallName) -> bool {
    EXCLUDED.iter().any(|(of, name, _)| (*of, *name) == (pallet, call))
}

/// Makes the calls that `data` chooses; the names of those that succeeded.
///
/// # Panics
///
/// When something that must always hold does not.
pub fn runtime_calls(data: &[u8]) -> BTreeSet<CallName> {
    let mut chooser = Chooser::new(data);
    let mut done = BTreeSet::new();
    chain::externalities().execute_with(|| {
        chain::next_block();
        for _ in 0..MAX_STEPS {
            let Some(step) = chooser.step() else { break };
            match step {
                Step::Blocks(count) => (0..count).for_each(|_| chain::next_block()),
                Step::Signed(signer, call) => transact(signer, *call, &mut done),
                Step::Root(call) => root(call, &mut done),
                Step::Bare(call) => bare(*call, &mut done),
                Step::Pulses { pulses, genuine } => write_pulses(pulses, genuine, &mut done),
            }
            invariants::check();
        }
    });
    done
}

fn name(call: &RuntimeCall) -> CallName {
    let names = call.get_call_metadata();
    (names.pallet_name, names.function_name)
}

/// The extensions of a transaction of `who`, mortal where the call must be.
fn extensions(who: u8, call: &RuntimeCall) -> TxExtension {
    let mut extensions = clawrank_runtime::unsigned_extension();
    if matches!(call, RuntimeCall::MevShield(_)) {
        extensions.4 =
            clawrank_runtime::CheckMortality::from(Era::mortal(8, u64::from(System::block_number()).saturating_sub(1)));
    }
    extensions.5 = clawrank_runtime::CheckNonce::from(System::account_nonce(account(who)));
    extensions
}

/// Makes `call` as `who`, as a block does with a transaction whose signature is right.
fn apply(who: u8, call: &RuntimeCall) -> ApplyExtrinsicResultWithInfo<PostDispatchInfo> {
    let format: ExtrinsicFormat<_, TxExtension> = ExtrinsicFormat::Signed(account(who), extensions(who, call));
    let extrinsic = CheckedExtrinsic { format, function: call.clone() };
    let info = extrinsic.get_dispatch_info();
    // The signature and the extensions come on top of the call.
    let len = call.encoded_size().saturating_add(110);
    let pool = extrinsic.validate::<Runtime>(TransactionSource::External, &info, len);
    if let Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(code))) = pool {
        assert!(is_refused(who, call), "the pool refuses with {code} what dispatch takes: {call:?}");
    }
    let result = with_transaction(|| match extrinsic.apply::<Runtime>(&info, len) {
        // An author leaves it out, with whatever it had changed until then.
        Err(error) => TransactionOutcome::Rollback(Ok::<_, DispatchError>(Err(error))),
        applied => TransactionOutcome::Commit(Ok(applied)),
    });
    let result = result.unwrap_or(Err(EXHAUSTED));
    if let Ok(Ok(post)) = result {
        let (actual, most) = (post.actual_weight.unwrap_or_default(), info.total_weight());
        assert!(most.all_gte(actual), "{call:?} weighs {actual:?}, more than the {most:?} that it says");
    }
    result
}

/// Whether dispatch refuses the call too; nothing of it stays.
fn is_refused(who: u8, call: &RuntimeCall) -> bool {
    use pallet_subtensor::Call::{batch_commit_weights, batch_set_weights};
    // The items of a batch fail one by one, in events; an envelope is read by the extension alone.
    if matches!(
        call,
        RuntimeCall::SubtensorModule(batch_set_weights { .. } | batch_commit_weights { .. })
            | RuntimeCall::MevShield(_)
    ) {
        return true;
    }
    let result = with_transaction(|| {
        let result = call.clone().dispatch(RuntimeOrigin::signed(account(who)));
        TransactionOutcome::Rollback(Ok::<_, DispatchError>(result.is_err()))
    });
    result.unwrap_or(true)
}

/// A transaction of `who`, in the next block where this one is full.
fn transact(who: u8, call: RuntimeCall, done: &mut BTreeSet<CallName>) {
    let by_root = matches!(call, RuntimeCall::Sudo(_)) && chain::sudo() == who;
    let mut watch = Watch::start();
    let mut result = apply(who, &call);
    if result == Err(EXHAUSTED) {
        chain::next_block();
        watch = Watch::start();
        result = apply(who, &call);
    }
    if !by_root {
        watch.ensure_nothing_issued(&call);
    }
    if !matches!(result, Ok(Ok(_))) {
        return;
    }
    let inner = match &call {
        RuntimeCall::Sudo(
            pallet_sudo::Call::sudo { call }
            | pallet_sudo::Call::sudo_as { call, .. }
            | pallet_sudo::Call::sudo_unchecked_weight { call, .. },
        ) => Some(name(call)),
        _ => None,
    };
    done.insert(name(&call));
    if let Some(inner) = inner.filter(|_| watch.root_succeeded()) {
        done.insert(inner);
    }
}

fn root(call: Box<RuntimeCall>, done: &mut BTreeSet<CallName>) {
    transact(chain::sudo(), pallet_sudo::Call::sudo { call }.into(), done);
}

/// What an author puts into its block.
fn bare(call: RuntimeCall, done: &mut BTreeSet<CallName>) {
    let name = name(&call);
    if call.dispatch(RuntimeOrigin::none()).is_ok() {
        done.insert(name);
    }
}

fn write_pulses(pulses: Vec<Pulse>, genuine: bool, done: &mut BTreeSet<CallName>) {
    let extrinsic = clawrank_runtime::write_pulse(System::block_number(), pulses);
    let result = with_transaction(|| match Executive::apply_extrinsic(extrinsic) {
        Err(error) => TransactionOutcome::Rollback(Ok::<_, DispatchError>(Err(error))),
        applied => TransactionOutcome::Commit(Ok(applied)),
    });
    if let Ok(Ok(Ok(()))) = result {
        assert!(genuine, "a pulse that is not the beacon's was stored");
        done.insert(("Drand", "write_pulse"));
    }
}

/// Events of root's calls since the `from`th event of the block.
fn root_events(from: u32) -> Vec<bool> {
    let skip = usize::try_from(from).unwrap_or(usize::MAX);
    let events = System::read_events_no_consensus().skip(skip);
    let results = events.filter_map(|record| match record.event {
        RuntimeEvent::Sudo(
            pallet_sudo::Event::Sudid { sudo_result } | pallet_sudo::Event::SudoAsDone { sudo_result },
        ) => Some(sudo_result.is_ok()),
        _ => None,
    });
    results.collect()
}
