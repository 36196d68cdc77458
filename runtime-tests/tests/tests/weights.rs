// SPDX-License-Identifier: Apache-2.0
//! No extrinsic may claim so much that a block of a fast chain cannot hold it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_chain_spec::Preset;
use clawrank_runtime::{Runtime, RuntimeCall, SubtensorModule};
use clawrank_runtime_tests::chain::{Chain, Options};
use codec::{Compact, Decode, Encode};
use frame_support::{
    BoundedVec,
    dispatch::{DispatchClass, GetDispatchInfo},
    traits::{Get, GetCallMetadata, OnInitialize, fungible::Mutate},
    weights::Weight,
};
use frame_system::RawOrigin;
use pallet_subtensor::{MechId, NetUid, WeightInfo};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};
use std::collections::BTreeMap;

/// A quarter of a block of 250 ms, in picoseconds.
const MAX_REF_TIME: u64 = 62_500_000_000;
/// What a commit claims for its opening, in picoseconds.
const OPENING: u64 = 40_000_000_000;
/// One mebibyte: a fifth of a block's.
const MAX_PROOF_SIZE: u64 = 1 << 20;

/// Calls whose arguments have a type without values, so that no bytes decode to them.
const IMPOSSIBLE: [(&str, &str); 2] = [("Grandpa", "report_equivocation"), ("Grandpa", "report_equivocation_unsigned")];

/// The largest arguments that a call takes, where they matter for its weight; on a chain of the tests, since a block of it
/// takes as many pulses as its slot has time for.
fn largest(chain: &mut Chain) -> Vec<RuntimeCall> {
    let netuid = NetUid(92);
    let uids: Vec<u16> = (0..256).collect();
    let verdicts: Vec<_> = uids
        .iter()
        .map(|uid| pallet_provider_rank::Verdict { uid: *uid, tripped: false, reason: 0, score: 1 })
        .collect();
    let (values, salt) = (vec![u16::MAX; 256], vec![1; 32]);
    let commit = BoundedVec::truncate_from(vec![1; pallet_subtensor::MAX_COMMIT_ARGUMENT_BYTES as usize]);
    let (mecid, reveal_round, commit_reveal_version) = (MechId(1), 0, 4);
    let pulses = chain.read(<Runtime as pallet_drand::Config>::PulsesPerBlock::get);
    let pulses = (1..=pulses.into()).map(|round| pallet_drand::Pulse::new(round, &[1; 48])).collect();
    let mut calls = vec![
        pallet_subtensor::Call::set_weights { netuid, dests: uids.clone(), weights: values.clone(), version_key: 0 }
            .into(),
        pallet_subtensor::Call::set_mechanism_weights {
            netuid,
            mecid,
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
        pallet_subtensor::Call::reveal_mechanism_weights { netuid, mecid, uids, values, salt, version_key: 0 }.into(),
        pallet_subtensor::Call::commit_timelocked_weights {
            netuid,
            commit: commit.clone(),
            reveal_round,
            commit_reveal_version,
        }
        .into(),
        pallet_subtensor::Call::commit_timelocked_mechanism_weights {
            netuid,
            mecid,
            commit: commit.clone(),
            reveal_round,
            commit_reveal_version,
        }
        .into(),
        pallet_subtensor::Call::commit_crv3_mechanism_weights { netuid, mecid, commit, reveal_round }.into(),
        pallet_provider_rank::Call::submit_verdicts { netuid, epoch: 0, verdicts: verdicts.try_into().unwrap() }.into(),
        pallet_drand::Call::write_pulse {
            pulses_payload: pallet_drand::PulsesPayload::new(0, pulses),
            signature: None,
        }
        .into(),
        pallet_admin_utils::Call::sudo_set_mechanism_emission_split {
            netuid,
            maybe_split: Some(vec![1; pallet_subtensor::MAX_MECHANISMS.into()]),
        }
        .into(),
        pallet_shield::Call::submit_encrypted {
            ciphertext: BoundedVec::truncate_from(vec![1; clawrank_shield::MAX_CIPHERTEXT_BYTES]),
        }
        .into(),
        pallet_shield::Call::announce_next_key {
            enc_key: Some(BoundedVec::truncate_from(vec![1; pallet_shield::MAX_KEY_BYTES as usize])),
        }
        .into(),
        frame_system::Call::remark { remark: vec![0; 64 * 1024] }.into(),
        frame_system::Call::remark_with_event { remark: vec![0; 64 * 1024] }.into(),
    ];
    // Lists with a bound that a type gives: as many entries as decode, the dearest of each.
    calls.extend([most_fields(), most_authorities()]);
    calls
}

/// `set_commitment` with as many fields as there may be: the flag that lets bonds begin anew, then sealed ones.
fn most_fields() -> RuntimeCall {
    use pallet_commitments::{CommitmentInfo, Data, MAX_TIMELOCKED_BYTES};
    type Info = CommitmentInfo<<Runtime as pallet_commitments::Config>::MaxFields>;
    let most = <<Runtime as pallet_commitments::Config>::MaxFields as Get<u32>>::get() as usize;
    let encrypted = BoundedVec::truncate_from(vec![1; MAX_TIMELOCKED_BYTES as usize]);
    let mut fields = vec![Data::TimelockEncrypted { encrypted, reveal_round: 1 }; most];
    fields[0] = Data::ResetBondsFlag;
    let info = Info { fields: BoundedVec::truncate_from(fields) };
    // By its bytes: netuid 92, then the fields.
    let bytes = [vec![0], codec::Compact(92_u32).encode(), info.encode()].concat();
    let call = pallet_commitments::Call::<Runtime>::decode(&mut bytes.as_slice());
    call.expect("a call with the most fields").into()
}

/// `swap_authorities` with as many as decode.
fn most_authorities() -> RuntimeCall {
    let bytes = |count: u32| {
        let swap = pallet_admin_utils::Call::<Runtime>::swap_authorities { new_authorities: Default::default() };
        let mut bytes = RuntimeCall::from(swap).encode();
        bytes.truncate(2);
        codec::Compact(count).encode_to(&mut bytes);
        bytes.resize(bytes.len() + 32 * count as usize, 1);
        bytes
    };
    let mut decoded = (1..=256).rev().filter_map(|count| RuntimeCall::decode(&mut bytes(count).as_slice()).ok());
    decoded.next().expect("one authority is possible")
}

/// A call with a list of as many entries as it is given.
type Endless = fn(usize) -> RuntimeCall;

/// Calls with a list that no type bounds: what they claim grows with it, and the block is the bound.
const ENDLESS: [(&str, &str, Endless); 7] = [
    ("SubtensorModule", "batch_set_weights", |entries| {
        let row: Vec<(Compact<u16>, Compact<u16>)> = (0..256).map(|uid| (Compact(uid), Compact(u16::MAX))).collect();
        pallet_subtensor::Call::batch_set_weights {
            netuids: vec![Compact(NetUid(92)); entries],
            weights: vec![row; entries],
            version_keys: vec![Compact(0); entries],
        }
        .into()
    }),
    ("SubtensorModule", "batch_reveal_weights", |entries| {
        pallet_subtensor::Call::batch_reveal_weights {
            netuid: NetUid(92),
            uids_list: vec![(0..256).collect(); entries],
            values_list: vec![vec![u16::MAX; 256]; entries],
            salts_list: vec![vec![1; 32]; entries],
            version_keys: vec![0; entries],
        }
        .into()
    }),
    ("SubtensorModule", "batch_commit_weights", |entries| {
        pallet_subtensor::Call::batch_commit_weights {
            netuids: vec![Compact(NetUid(92)); entries],
            commit_hashes: vec![Default::default(); entries],
        }
        .into()
    }),
    ("Balances", "upgrade_accounts", upgrade_accounts),
    ("System", "set_storage", |entries| {
        frame_system::Call::set_storage { items: vec![(vec![1; 32], vec![1; 32]); entries] }.into()
    }),
    ("System", "kill_storage", |entries| frame_system::Call::kill_storage { keys: vec![vec![1; 32]; entries] }.into()),
    ("System", "kill_prefix", |entries| {
        let subkeys = u32::try_from(entries).unwrap_or(u32::MAX);
        frame_system::Call::kill_prefix { prefix: vec![1; 32], subkeys }.into()
    }),
];

/// `Balances.upgrade_accounts`, by its bytes.
fn upgrade_accounts(entries: usize) -> RuntimeCall {
    let mut bytes = vec![5, 6];
    vec![clawrank_runtime::AccountId::from([1; 32]); entries].encode_to(&mut bytes);
    RuntimeCall::decode(&mut bytes.as_slice()).expect("a list of accounts")
}

/// Every call of the runtime: the largest where known, else the one whose arguments are all zero.
fn every_call(chain: &mut Chain) -> BTreeMap<(String, String), RuntimeCall> {
    let mut calls = BTreeMap::new();
    for pallet in 0..=u8::MAX {
        for call in 0..=u8::MAX {
            let mut bytes = vec![pallet, call];
            bytes.resize(4096, 0);
            if let Ok(call) = RuntimeCall::decode(&mut bytes.as_slice()) {
                calls.insert(name(&call), call);
            }
        }
    }
    calls.extend(largest(chain).into_iter().map(|call| (name(&call), call)));
    calls
}

fn name(call: &RuntimeCall) -> (String, String) {
    let name = call.get_call_metadata();
    (name.pallet_name.to_owned(), name.function_name.to_owned())
}

/// Calls that may claim more than a quarter of a short block, with why.
const SELDOM: [(&str, &str, &str); 8] = [
    ("AdminUtils", "sudo_set_mechanism_count", "an owner's, once in many blocks"),
    ("AdminUtils", "sudo_trim_to_max_allowed_uids", "an owner's, once in many blocks"),
    ("Commitments", "set_commitment", "with the flag that lets bonds begin anew: once per tempo, and paid for"),
    ("Drand", "set_beacon_config", "root's: clears the pulses of the former beacon"),
    ("Drand", "set_oldest_stored_round", "root's: clears pulses"),
    ("System", "apply_authorized_upgrade", "root's leave comes first: replaces the runtime"),
    ("System", "set_code", "root's: replaces the runtime"),
    ("System", "set_code_without_checks", "root's: replaces the runtime"),
];

#[test]
fn weight_of_every_extrinsic_is_bounded_when_its_arguments_are_largest() {
    let mut chain = Chain::with_options(&Options::preset(Preset::Fast));
    let calls = every_call(&mut chain);
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
        // A timelocked commit pays for being opened later, too.
        let opens = name.1.contains("commit_timelocked") || name.1.contains("commit_crv3");
        let time = if opens { MAX_REF_TIME + OPENING } else { MAX_REF_TIME };
        let is_heavy = weight.ref_time() > time || weight.proof_size() > MAX_PROOF_SIZE;
        let is_seldom = SELDOM.iter().any(|(pallet, call, _)| (*pallet, *call) == (name.0.as_str(), name.1.as_str()));
        if is_heavy != is_seldom {
            let millis = weight.ref_time() / 1_000_000_000;
            heavy.push(format!("{}.{}: {millis} ms, {} bytes of proof", name.0, name.1, weight.proof_size()));
        }
        if !is_seldom && weight.ref_time() > heaviest.0.ref_time() {
            heaviest = (weight, format!("{}.{}", name.0, name.1));
        }
    }
    assert!(heavy.is_empty(), "too heavy for a block of 250 ms, or listed without need: {heavy:#?}");
    println!("{} calls; the heaviest is {} with {:?}", calls.len(), heaviest.1, heaviest.0);
}

#[test]
fn extrinsic_is_refused_when_its_list_claims_more_than_a_block_takes() {
    let mut chain = Chain::with_options(&Options::preset(Preset::Fast));
    chain.run_to(1);
    let signer = clawrank_runtime_tests::chain::keys("//Alice");
    let limits = <Runtime as frame_system::Config>::BlockWeights::get();
    for (pallet, call, make) in ENDLESS {
        assert_eq!(name(&make(1)), (pallet.to_owned(), call.to_owned()));
        let mut claim = |entries: usize| chain.read(|| make(entries).get_dispatch_info());
        let (none, ten, twenty) = (claim(0), claim(10), claim(20));
        let most = limits.get(none.class).max_extrinsic.unwrap_or(limits.max_block);
        // Each entry costs something, and no entry is cheaper for being one of many.
        let (ten, twenty) = (ten.total_weight() - none.total_weight(), twenty.total_weight() - none.total_weight());
        assert!(ten.any_gt(Weight::zero()) && twenty.all_gte(ten * 2), "{pallet}.{call}: {ten:?}, then {twenty:?}");
        let entries = (1..).map(|power| 10_usize << power).find(|entries| claim(*entries).total_weight().any_gt(most));
        let entries = entries.expect("what is claimed grows without end");
        let extrinsic = chain.sign(&signer, make(entries));
        let said = chain.validate(&extrinsic.encode()).expect("no trap");
        let refused = TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources);
        assert_eq!(said.err(), Some(refused), "{pallet}.{call} with {entries} entries");
        println!("{pallet}.{call}: {entries} entries are refused");
    }
}

#[test]
fn block_has_room_for_calls_when_every_subnet_exists() {
    let limits = <Runtime as frame_system::Config>::BlockWeights::get();
    let most = Chain::with_options(&Options::default()).read(pallet_subtensor::SubnetLimit::<Runtime>::get);
    let step = <Runtime as pallet_subtensor::Config>::WeightInfo::block_step(most.into());
    let calls = limits.get(DispatchClass::Normal).max_total.unwrap_or(limits.max_block);
    assert!(step.all_lte(calls / 2), "{most} subnets take {step:?} of each block, calls could have {calls:?}");
}

/// How many times what it takes a step of every subnet may claim.
const MOST_CLAIMED: u64 = 8;

/// A chain of as many subnets as there can be, all of which emit and have every value of their own that a step reads.
fn full_of_subnets(most: u16) -> Chain {
    use pallet_subtensor as subtensor;
    let mut chain = Chain::with_options(&Options::preset(Preset::Sn92));
    chain.write(|| {
        let own = |number: u16| clawrank_runtime::AccountId::from(sp_io::hashing::blake2_256(&number.encode()));
        while subtensor::TotalNetworks::<Runtime>::get() < most {
            let coldkey = own(subtensor::TotalNetworks::<Runtime>::get());
            <clawrank_runtime::Balances as Mutate<_>>::mint_into(&coldkey, 1 << 50).unwrap();
            subtensor::LastRateLimitedBlock::<Runtime>::remove(subtensor::RateLimitKey::NetworkLastRegistered);
            SubtensorModule::register_network(RawOrigin::Signed(coldkey.clone()).into(), coldkey).unwrap();
        }
        for netuid in (1..=most).map(NetUid) {
            // No two are alike, since equal nodes of the trie are proved once.
            let tao = |rao: u64| subtensor::TaoBalance(rao + u64::from(netuid.0) * 7);
            let alpha = |rao: u64| subtensor::AlphaBalance(rao + u64::from(netuid.0) * 11);
            let block = |block: u64| block + u64::from(netuid.0) * 13;
            subtensor::SubtokenEnabled::<Runtime>::insert(netuid, true);
            subtensor::SubnetEmissionEnabled::<Runtime>::insert(netuid, true);
            subtensor::FirstEmissionBlockNumber::<Runtime>::insert(netuid, 1);
            subtensor::Tempo::<Runtime>::insert(netuid, 10_000 + netuid.0);
            subtensor::LastEpochBlock::<Runtime>::insert(netuid, block(0));
            subtensor::PendingEpochAt::<Runtime>::insert(netuid, block(1 << 40));
            subtensor::SubnetEpochIndex::<Runtime>::insert(netuid, block(1_000));
            subtensor::BlocksSinceLastStep::<Runtime>::insert(netuid, block(0));
            subtensor::RegistrationsThisBlock::<Runtime>::insert(netuid, netuid.0);
            subtensor::MinBurn::<Runtime>::insert(netuid, tao(500_000));
            subtensor::MaxBurn::<Runtime>::insert(netuid, tao(100_000_000_000));
            subtensor::Burn::<Runtime>::insert(netuid, tao(1_000_000_000));
            subtensor::BurnHalfLife::<Runtime>::insert(netuid, 360 + netuid.0);
            subtensor::OwnerCutEnabled::<Runtime>::insert(netuid, true);
            subtensor::PendingOwnerCut::<Runtime>::insert(netuid, alpha(1 << 40));
            subtensor::PendingServerEmission::<Runtime>::insert(netuid, alpha(1 << 41));
            subtensor::PendingValidatorEmission::<Runtime>::insert(netuid, alpha(1 << 42));
            subtensor::SubnetAlphaOut::<Runtime>::insert(netuid, alpha(1 << 50));
            subtensor::SubnetAlphaOutEmission::<Runtime>::insert(netuid, alpha(1 << 20));
            subtensor::RevealPeriodEpochs::<Runtime>::insert(netuid, block(1));
            subtensor::MechanismCountCurrent::<Runtime>::insert(netuid, MechId(2));
        }
    });
    chain
}

#[test]
fn step_proves_no_more_than_it_claims_when_every_subnet_exists() {
    let most = Chain::with_options(&Options::default()).read(pallet_subtensor::SubnetLimit::<Runtime>::get);
    let vacant = Chain::with_options(&Options::preset(Preset::Sn92));
    for (name, mut chain, subnets) in [("full", full_of_subnets(most), most), ("vacant", vacant, 92)] {
        assert_eq!(chain.read(|| SubtensorModule::netuids().len()), usize::from(subnets), "{name}");
        let before = chain.read(|| SubtensorModule::pending(NetUid(92)));
        let mut after = 0;
        let proved = chain.proof_size(|| {
            frame_system::Pallet::<Runtime>::set_block_number(1);
            SubtensorModule::on_initialize(1);
            after = SubtensorModule::pending(NetUid(92));
        });
        assert!(name != "full" || after > before, "every subnet emits");
        let claim = |subnets: u16| <Runtime as pallet_subtensor::Config>::WeightInfo::block_step(subnets.into());
        let (whole, none) = (claim(subnets).proof_size(), claim(0).proof_size());
        println!("{name}: {subnets} subnets, {whole} bytes of proof are claimed, {none} without any, {proved} taken");
        // What is claimed for subnets alone is enough.
        assert!(proved <= whole - none, "{name}: {} claimed, {proved} taken", whole - none);
        assert!(name == "vacant" || whole <= MOST_CLAIMED * proved, "{name}: {whole} claimed, {proved} taken");
    }
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
