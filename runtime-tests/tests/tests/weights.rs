// SPDX-License-Identifier: Apache-2.0
//! No extrinsic may claim so much that a block of a fast chain cannot hold it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_runtime::{Runtime, RuntimeCall};
use clawrank_runtime_tests::chain::{Chain, Options};
use codec::{Decode, Encode};
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    traits::GetCallMetadata,
    weights::Weight,
};
use pallet_subtensor::{MechId, NetUid, WeightInfo};
use std::collections::BTreeMap;

/// A quarter of a block of 250 ms, in picoseconds.
const MAX_REF_TIME: u64 = 62_500_000_000;
/// What a commit claims for its opening, in picoseconds.
const OPENING: u64 = 40_000_000_000;
/// One mebibyte: a fifth of a block's.
const MAX_PROOF_SIZE: u64 = 1 << 20;

/// Calls whose arguments have a type without values, so that no bytes decode to them.
const IMPOSSIBLE: [(&str, &str); 2] = [("Grandpa", "report_equivocation"), ("Grandpa", "report_equivocation_unsigned")];

/// The largest arguments that a call takes, where they matter for its weight.
fn largest() -> Vec<RuntimeCall> {
    let netuid = NetUid(92);
    let uids: Vec<u16> = (0..256).collect();
    let verdicts: Vec<_> = uids
        .iter()
        .map(|uid| pallet_provider_rank::Verdict { uid: *uid, tripped: false, reason: 0, score: 1 })
        .collect();
    let (values, salt) = (vec![u16::MAX; 256], vec![1; 32]);
    vec![
        pallet_subtensor::Call::set_weights { netuid, dests: uids.clone(), weights: values.clone(), version_key: 0 }
            .into(),
        pallet_subtensor::Call::set_mechanism_weights {
            netuid,
            mecid: MechId(1),
            dests: uids.clone(),
            weights: values.clone(),
            version_key: 0,
        }
        .into(),
        pallet_subtensor::Call::reveal_weights {
            netuid,
            uids: uids.clone(),
            values: values.clone(),
            salt: salt.clone(),
            version_key: 0,
        }
        .into(),
        pallet_subtensor::Call::reveal_mechanism_weights {
            netuid,
            mecid: MechId(1),
            uids,
            values,
            salt,
            version_key: 0,
        }
        .into(),
        pallet_provider_rank::Call::submit_verdicts { netuid, epoch: 0, verdicts: verdicts.try_into().unwrap() }.into(),
        frame_system::Call::remark { remark: vec![0; 64 * 1024] }.into(),
        frame_system::Call::remark_with_event { remark: vec![0; 64 * 1024] }.into(),
    ]
}

/// Every call of the runtime: the largest where known, else the one whose arguments are all zero.
fn every_call() -> BTreeMap<(String, String), RuntimeCall> {
    let mut calls = BTreeMap::new();
    for pallet in 0..=u8::MAX {
        for call in 0..=u8::MAX {
            let mut bytes = vec![pallet, call];
            bytes.resize(4096, 0);
            if let Ok(call) = RuntimeCall::decode(&mut bytes.as_slice()) {
                let name = call.get_call_metadata();
                calls.insert((name.pallet_name.to_owned(), name.function_name.to_owned()), call);
            }
        }
    }
    for call in largest() {
        let name = call.get_call_metadata();
        calls.insert((name.pallet_name.to_owned(), name.function_name.to_owned()), call);
    }
    calls
}

/// Root alone may ask for as much as it wants: it replaces code, and pallets that read much are its own affair.
fn is_bounded_by_the_block(name: &(String, String), class: DispatchClass) -> bool {
    // Owners may change a subnet's shape once in many blocks, and a beacon's rounds come in one call per block.
    let seldom = matches!(name.0.as_str(), "Sudo" | "AdminUtils" | "Drand");
    class == DispatchClass::Operational || class == DispatchClass::Mandatory || seldom
}

#[test]
fn weight_of_every_extrinsic_is_bounded_when_its_arguments_are_largest() {
    let mut chain = Chain::with_options(&Options::default());
    let calls = every_call();
    for pallet in RuntimeCall::get_module_names() {
        for call in RuntimeCall::get_call_names(pallet) {
            let name = (String::from(*pallet), String::from(*call));
            assert!(calls.contains_key(&name) || IMPOSSIBLE.contains(&(*pallet, *call)), "{name:?} is looked at");
        }
    }

    let limits = <Runtime as frame_system::Config>::BlockWeights::get();
    let mut heavy: Vec<String> = Vec::new();
    let mut heaviest = (Weight::zero(), String::new());
    for (name, call) in &calls {
        let info = chain.read(|| call.get_dispatch_info());
        let weight = info.total_weight();
        let most = limits.get(info.class).max_extrinsic.unwrap_or(limits.max_block);
        assert!(weight.all_lte(most), "{name:?} claims {weight:?}, the block takes {most:?}");
        if is_bounded_by_the_block(name, info.class) {
            continue;
        }
        // A timelocked commit pays for being opened later, too.
        let opens = name.1.contains("commit_timelocked") || name.1.contains("commit_crv3");
        let time = if opens { MAX_REF_TIME + OPENING } else { MAX_REF_TIME };
        if weight.ref_time() > time || weight.proof_size() > MAX_PROOF_SIZE {
            let millis = weight.ref_time() / 1_000_000_000;
            heavy.push(format!("{}.{}: {millis} ms, {} bytes of proof", name.0, name.1, weight.proof_size()));
        }
        if weight.ref_time() > heaviest.0.ref_time() {
            heaviest = (weight, format!("{}.{}", name.0, name.1));
        }
    }
    assert!(heavy.is_empty(), "too heavy for a block of 250 ms: {heavy:#?}");
    println!("{} calls; the heaviest is {} with {:?}", calls.len(), heaviest.1, heaviest.0);
}

#[test]
fn block_has_room_for_calls_when_every_subnet_exists() {
    let limits = <Runtime as frame_system::Config>::BlockWeights::get();
    let most = Chain::with_options(&Options::default()).read(pallet_subtensor::SubnetLimit::<Runtime>::get);
    let step = <Runtime as pallet_subtensor::Config>::WeightInfo::block_step(most.into());
    let calls = limits.get(DispatchClass::Normal).max_total.unwrap_or(limits.max_block);
    assert!(step.all_lte(calls / 2), "{most} subnets take {step:?} of each block, calls could have {calls:?}");
}

#[test]
fn fee_is_zero_when_a_hotkeys_call_is_free_and_small_when_it_is_not() {
    let mut chain = Chain::with_options(&Options::default());
    chain.run_to(1);
    let signer = clawrank_runtime_tests::chain::keys("//validator//0");
    let mut fee = |call: RuntimeCall| {
        let extrinsic = chain.sign(&signer, call);
        let len = u32::try_from(extrinsic.encoded_size()).unwrap();
        let info: pallet_transaction_payment::RuntimeDispatchInfo<u64> =
            chain.call("TransactionPaymentApi_query_info", (extrinsic, len));
        info.partial_fee
    };
    let commit = pallet_subtensor::Call::commit_weights { netuid: NetUid(92), commit_hash: Default::default() };
    assert_eq!(fee(commit.into()), 0);
    let bundle = pallet_provider_rank::Call::commit_bundle {
        netuid: NetUid(92),
        epoch: 0,
        root: sp_core::H256::repeat_byte(1),
        count: 1,
    };
    let bundle = fee(bundle.into());
    println!("commit_bundle costs {bundle} rao");
    assert!((1..10_000_000).contains(&bundle), "{bundle} rao for a bundle of a hotkey that holds 100 TAO");
}
