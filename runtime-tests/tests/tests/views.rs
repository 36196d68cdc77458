// SPDX-License-Identifier: Apache-2.0
//! What `ProviderRank` tells who asks: every view function, run by the Wasm, against storage that is read natively.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_primitives::{
    Params,
    emission::{CapParams, Shortfall},
    proof::Cell,
    units::Ppb,
};
use clawrank_runtime::{AccountId, Runtime, SubtensorModule};
use clawrank_runtime_tests::chain::{Chain, Keys, Options, account, keys};
use codec::{Decode, DecodeAll, Encode};
use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed};
use frame_support::view_functions::ViewFunctionDispatchError;
use pallet_provider_rank::{
    Bundle, Bundles, Call, Cells, EpochState, Epochs, Reports, RunningEpoch, Settlement, Settlements, SubnetParams,
    Verdict,
};
use pallet_subtensor::NetUid;
use sp_core::{H256, OpaqueMetadata};
use std::collections::BTreeMap;

const NETUID: NetUid = NetUid(92);
const VALIDATORS: u32 = 3;
const MINERS: u32 = 8;
/// The uid of the first miner: before it stand the owner and the validators.
const FIRST_MINER: u16 = 4;
/// Epochs that are measured, judged and settled.
const EPOCHS: u64 = 2;

fn validator(place: u32) -> Keys {
    keys(&format!("//validator//{place}"))
}

fn miner(place: u32) -> Keys {
    keys(&format!("//miner//{place}"))
}

/// Parameters that no preset has.
fn params() -> Params {
    Params { cap: CapParams { cap: Ppb::from_percent(20), shortfall: Shortfall::Uniform }, ..Params::local() }
}

/// A chain that has settled two epochs, in the first of which its owner set parameters and cells, and runs a later one.
fn chain() -> Chain {
    let mut chain =
        Chain::with_options(&Options { validators: Some(VALIDATORS), miners: Some(MINERS), ..Options::default() });
    chain.run_to(1);
    let owner = keys("//owner//cold");
    let mut calls = vec![Call::set_params { netuid: NETUID, params: params() }];
    calls.extend(["chat", "code"].map(|task| {
        let cell = Cell::new("llama-3-8b", "openrouter:deepinfra", task).unwrap();
        Call::add_cell { netuid: NETUID, cell }
    }));
    let signed = (0..).zip(calls).map(|(ahead, call)| chain.sign_ahead(&owner, call, ahead)).collect();
    chain.block_ok(signed);

    let first = u32::try_from(chain.read(|| SubtensorModule::next_epoch_start_block(NETUID)).unwrap()).unwrap();
    chain.run_to(first + 1);
    let from = chain.read(|| RunningEpoch::<Runtime>::get(NETUID)).unwrap();
    for epoch in from..from + EPOCHS {
        measure(&mut chain, epoch);
    }
    let next = chain.read(|| Epochs::<Runtime>::get(NETUID, from + EPOCHS)).unwrap();
    chain.run_to(u32::try_from(next.deadline).unwrap() + 1);
    chain
}

/// Has all miners commit to bundles of the epoch that runs, and the validators report on them; then the next one begins.
fn measure(chain: &mut Chain, epoch: u64) {
    let commits = (0..MINERS).map(|place| {
        let root = H256::repeat_byte(u8::try_from(place + 1).unwrap());
        chain.sign(&miner(place), Call::commit_bundle { netuid: NETUID, epoch, root, count: 10 + place })
    });
    let commits = commits.collect();
    chain.block_ok(commits);
    let state = chain.read(|| Epochs::<Runtime>::get(NETUID, epoch)).unwrap();
    while chain.read(|| Epochs::<Runtime>::get(NETUID, epoch)).unwrap().seed.is_none() {
        chain.block(Vec::new());
    }
    let reports = (0..VALIDATORS).map(|place| {
        let verdicts: Vec<Verdict> = (FIRST_MINER..)
            .take(MINERS as usize)
            // All trip the first miner's gate and find the last one's score high.
            .map(|uid| Verdict {
                uid,
                tripped: uid == FIRST_MINER,
                reason: 4 * u8::from(uid == FIRST_MINER),
                score: if uid == FIRST_MINER { 0 } else { 1 << (uid + u16::try_from(place).unwrap()) },
            })
            .collect();
        let verdicts = verdicts.try_into().unwrap();
        chain.sign(&validator(place), Call::submit_verdicts { netuid: NETUID, epoch, verdicts })
    });
    let reports = reports.collect();
    chain.block_ok(reports);
    chain.run_to(u32::try_from(state.start).unwrap() + 10);
}

/// The view functions of the pallet that the Wasm's metadata name, with their ids.
fn views(chain: &mut Chain) -> BTreeMap<String, [u8; 32]> {
    let bytes: Option<OpaqueMetadata> = chain.call("Metadata_metadata_at_version", 16u32);
    let metadata = RuntimeMetadataPrefixed::decode(&mut bytes.unwrap().as_slice()).unwrap().1;
    let RuntimeMetadata::V16(metadata) = metadata else { panic!("not V16") };
    let pallet = metadata.pallets.into_iter().find(|pallet| pallet.name == "ProviderRank").unwrap();
    pallet.view_functions.into_iter().map(|view| (view.name, view.id)).collect()
}

/// What the Wasm answers to the call of a view function.
fn ask(chain: &mut Chain, id: [u8; 32], input: Vec<u8>) -> Result<Vec<u8>, ViewFunctionDispatchError> {
    chain.call("RuntimeViewFunction_execute_view_function", (id, input))
}

/// Views that are asked one after the other, each taken off the list.
struct Asked {
    chain: Chain,
    left: BTreeMap<String, [u8; 32]>,
    ids: BTreeMap<String, [u8; 32]>,
}

impl Asked {
    fn view<R: Decode>(&mut self, name: &str, input: impl Encode) -> R {
        self.left.remove(name);
        let answer = ask(&mut self.chain, self.ids[name], input.encode()).unwrap();
        R::decode_all(&mut answer.as_slice()).unwrap()
    }
}

#[test]
fn every_view_in_wasm_tells_what_is_stored_when_epochs_were_settled() {
    let mut chain = chain();
    let ids = views(&mut chain);
    let mut asked = Asked { chain, left: ids.clone(), ids };

    let running = asked.view::<Option<(u64, EpochState)>>("running_epoch", NETUID);
    let stored = asked.chain.read(|| {
        let epoch = RunningEpoch::<Runtime>::get(NETUID).unwrap();
        (epoch, Epochs::<Runtime>::get(NETUID, epoch).unwrap())
    });
    assert_eq!(running, Some(stored));
    assert_eq!(asked.view::<Option<(u64, EpochState)>>("running_epoch", NetUid(7)), None);

    let newest = running.unwrap().0 - 1;
    for epoch in [newest - 1, newest] {
        let state = asked.view::<Option<EpochState>>("epoch_state", (NETUID, epoch)).unwrap();
        assert_eq!(Some(state), asked.chain.read(|| Epochs::<Runtime>::get(NETUID, epoch)));
        assert_eq!((state.bundles, state.reports, state.settled), (MINERS, VALIDATORS, true));
        compare_epoch(&mut asked, epoch);
    }
    assert_eq!(asked.view::<Option<EpochState>>("epoch_state", (NETUID, newest + 9)), None);
    assert_eq!(asked.view::<Option<Settlement<AccountId>>>("settlement_of", (NETUID, newest + 9)), None);

    let settled = asked.view::<Vec<(u64, Settlement<AccountId>)>>("last_settlements", NETUID);
    let mut stored: Vec<_> = asked.chain.read(|| Settlements::<Runtime>::iter_prefix(NETUID).collect());
    stored.sort_by_key(|(epoch, _)| std::cmp::Reverse(*epoch));
    assert_eq!(settled, stored);
    assert_eq!(settled[0].0, newest, "newest first");
    // The cap that the owner set before these epochs opened, and none of it behind a tripped gate.
    let payouts = &settled[0].1.payouts;
    let most = Ppb::from_percent(20).mul_floor(settled[0].1.emission.into());
    assert_eq!(payouts.iter().map(|payout| u128::from(payout.amount)).max(), Some(most));
    assert!(payouts[0].tripped && payouts[0].amount == 0, "{payouts:?}");

    let mut cells = asked.view::<Vec<(Cell, u64)>>("cells_of", NETUID);
    let mut stored: Vec<_> = asked.chain.read(|| Cells::<Runtime>::iter_prefix_values(NETUID).collect());
    cells.sort();
    stored.sort();
    assert_eq!((cells.len(), cells), (2, stored));

    let told = asked.view::<Params>("params_of", NETUID);
    assert_eq!(Some(&told), asked.chain.read(|| SubnetParams::<Runtime>::get(NETUID)).as_ref());
    assert_eq!(told, params());
    assert_eq!(asked.view::<Params>("params_of", NetUid(7)), Params::clawrank());

    assert!(asked.left.is_empty(), "views that were not asked: {:?}", asked.left.keys());
}

/// Bundles, verdicts and settlement of one epoch.
fn compare_epoch(asked: &mut Asked, epoch: u64) {
    let by_hotkey = |mut bundles: Vec<(AccountId, Bundle)>| {
        bundles.sort_by(|(a, _), (b, _)| a.cmp(b));
        bundles
    };
    let bundles = by_hotkey(asked.view("bundles_of", (NETUID, epoch)));
    assert_eq!(bundles.len(), MINERS as usize);
    assert_eq!(bundles, by_hotkey(asked.chain.read(|| Bundles::<Runtime>::iter_prefix((NETUID, epoch)).collect())));
    for (hotkey, bundle) in bundles {
        assert_eq!(asked.view::<Option<Bundle>>("bundle_of", (NETUID, epoch, hotkey)), Some(bundle));
    }
    assert_eq!(asked.view::<Option<Bundle>>("bundle_of", (NETUID, epoch, account("//stranger"))), None);
    for place in 0..VALIDATORS {
        let who = AccountId::from(sp_core::Pair::public(&validator(place)));
        let verdicts = asked.view::<Vec<Verdict>>("verdicts_of", (NETUID, epoch, who.clone()));
        let stored = asked.chain.read(|| Reports::<Runtime>::get((NETUID, epoch, who))).unwrap();
        assert_eq!((verdicts.len(), verdicts), (MINERS as usize, stored.into_inner()));
    }
    assert_eq!(asked.view::<Vec<Verdict>>("verdicts_of", (NETUID, epoch, account("//stranger"))), []);
    let settlement = asked.view::<Option<Settlement<AccountId>>>("settlement_of", (NETUID, epoch));
    assert!(settlement.as_ref().is_some_and(|settlement| settlement.payouts.len() == MINERS as usize));
    assert_eq!(settlement, asked.chain.read(|| Settlements::<Runtime>::get(NETUID, epoch)));
}

#[test]
fn view_is_refused_when_nobody_has_its_id_or_its_input_is_cut() {
    let mut chain = Chain::with_options(&Options::default());
    chain.run_to(1);
    let ids = views(&mut chain);
    for (name, id) in ids {
        let whole: &[u8] = match name.as_str() {
            "running_epoch" | "last_settlements" | "cells_of" | "params_of" => &[92, 0],
            "epoch_state" | "bundles_of" | "settlement_of" => &[92, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            _ => &[7; 2 + 8 + 32],
        };
        assert!(ask(&mut chain, id, whole.to_vec()).is_ok(), "{name}");
        let more = [whole, &[0]].concat();
        for input in [&whole[..whole.len() - 1], &[], &more] {
            let answer = ask(&mut chain, id, input.to_vec());
            assert!(matches!(answer, Err(ViewFunctionDispatchError::Codec)), "{name}: {answer:?}");
        }
        // Another function of the pallet, and another pallet.
        for byte in [31, 0] {
            let mut unknown = id;
            unknown[byte] ^= 1;
            let answer = ask(&mut chain, unknown, whole.to_vec());
            assert!(
                matches!(&answer, Err(ViewFunctionDispatchError::NotFound(found)) if found.encode() == unknown),
                "{name}: {answer:?}"
            );
        }
    }
}
