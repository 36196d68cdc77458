// SPDX-License-Identifier: Apache-2.0
//! The later runtime rehearses its taking over on the state of a chain that the present one ran: migrations with their
//! checks, every value decoded, and every pallet's `try_state`, all of it in Wasm.
//!
//! `CLAWRANK_UPGRADE_WASM` is the code of the later runtime, built with the features `next-version` and `try-runtime`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_runtime::{Runtime, RuntimeCall, SubtensorModule, write_pulse};
use clawrank_runtime_tests::chain::{Chain, Keys, Options, account, keys};
use clawrank_timelock::{DEV_BEACON, DevBeacon, WeightsPayload, encrypt};
use codec::Decode;
use frame_support::{BoundedVec, storage::unhashed, weights::Weight};
use pallet_commitments::{CommitmentInfo, Data};
use pallet_drand::Pulse;
use pallet_provider_rank::{RunningEpoch, Settlements, SubnetParams, Verdict};
use pallet_subtensor::{self as subtensor, AlphaBalance, MechId, NetUid, NetUidStorageIndex, TaoBalance};
use rand::{SeedableRng, rngs::StdRng};
use sp_core::{H256, Pair};
use std::{cell::RefCell, sync::Once};

const NETUID: NetUid = NetUid(92);
const VALIDATORS: u32 = 3;
const MINERS: u32 = 8;
/// The uid of the first miner.
const FIRST_MINER: u16 = 4;
/// `UpgradeCheckSelect::All`: the checks around each migration and every pallet's `try_state`.
const ALL_CHECKS: u8 = 1;
/// The pallets of this project that say what must hold.
const CHECKED: [&str; 6] = ["SubtensorModule", "ProviderRank", "Commitments", "Drand", "MevShield", "BlockTime"];

thread_local! {
    /// What runtimes logged that this thread executed.
    static LOGGED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata) -> bool {
        true
    }

    fn log(&self, record: &log::Record) {
        LOGGED.with_borrow_mut(|lines| lines.push(record.args().to_string()));
    }

    fn flush(&self) {}
}

/// The later runtime; `None`, and a word of it, where no one built it.
fn later() -> Option<Vec<u8>> {
    let Some(path) = std::env::var_os("CLAWRANK_UPGRADE_WASM") else {
        eprintln!("SKIPPED: no later runtime; set CLAWRANK_UPGRADE_WASM");
        return None;
    };
    Some(std::fs::read(path).unwrap())
}

/// Rehearses the upgrade on the chain's state with `damage` done to it: what it took and what there was, or the trap; and
/// what was logged.
fn rehearse(chain: &mut Chain, later: &[u8], damage: impl FnOnce()) -> (Result<(Weight, Weight), String>, String) {
    static LOGS: Once = Once::new();
    LOGS.call_once(|| {
        log::set_logger(&Logger).unwrap();
        log::set_max_level(log::LevelFilter::Info);
    });
    LOGGED.take();
    let answer = chain.try_other(later, damage, "TryRuntime_on_runtime_upgrade", &[ALL_CHECKS]);
    (answer.map(|bytes| Decode::decode(&mut bytes.as_slice()).unwrap()), LOGGED.take().join("\n"))
}

fn validator(place: u32) -> Keys {
    keys(&format!("//validator//{place}"))
}

fn miner(place: u32) -> Keys {
    keys(&format!("//miner//{place}"))
}

/// The beacon's newest round at the time of the newest block.
fn round(chain: &mut Chain) -> u64 {
    let now = chain.read(pallet_timestamp::Now::<Runtime>::get);
    let period = chain.read(|| pallet_drand::BeaconConfig::<Runtime>::get().params().unwrap().period);
    (now / 1_000 - DEV_BEACON.genesis_time) / u64::from(period)
}

fn timelocked(who: &Keys, mecid: u8, reveal_round: u64) -> RuntimeCall {
    let payload = WeightsPayload {
        hotkey: who.public().0,
        uids: vec![FIRST_MINER, FIRST_MINER + 1],
        values: vec![65_535, 1_000],
        version_key: 0,
    };
    let mut rng = StdRng::seed_from_u64(reveal_round);
    let commit = encrypt(&DevBeacon::default().public_key(), reveal_round, &payload.encode(), &mut rng).unwrap();
    subtensor::Call::commit_timelocked_mechanism_weights {
        netuid: NETUID,
        mecid: MechId(mecid),
        commit: BoundedVec::truncate_from(commit),
        reveal_round,
        commit_reveal_version: 4,
    }
    .into()
}

/// What a neuron does in an epoch: stakes, weights in both forms, a commitment, a bundle.
fn act(chain: &mut Chain, epoch: u64) {
    let stake = subtensor::Call::add_stake {
        hotkey: account("//validator//1"),
        netuid: NETUID,
        amount_staked: TaoBalance(5_000_000_000),
    };
    let unstake = subtensor::Call::remove_stake {
        hotkey: account("//validator//0"),
        netuid: NETUID,
        amount_unstaked: AlphaBalance(3_000_000_000),
    };
    let salted = subtensor::Call::commit_mechanism_weights {
        netuid: NETUID,
        mecid: MechId(1),
        commit_hash: H256::repeat_byte(u8::try_from(epoch + 1).unwrap()),
    };
    let fields = BoundedVec::truncate_from(vec![Data::Raw(BoundedVec::truncate_from(b"CRB1".to_vec()))]);
    let commitment =
        pallet_commitments::Call::set_commitment { netuid: NETUID, info: Box::new(CommitmentInfo { fields }) };
    let reveal_round = round(chain) + 1;
    let mut calls = vec![
        chain.sign(&keys("//validator//2//cold"), RuntimeCall::from(stake)),
        chain.sign(&keys("//validator//0//cold"), RuntimeCall::from(unstake)),
        chain.sign(&validator(0), timelocked(&validator(0), 0, reveal_round)),
        chain.sign(&validator(1), RuntimeCall::from(salted)),
    ];
    for place in 0..MINERS {
        let root = H256::repeat_byte(u8::try_from(place + 1).unwrap());
        let bundle = pallet_provider_rank::Call::commit_bundle { netuid: NETUID, epoch, root, count: 10 };
        calls.push(chain.sign(&miner(place), RuntimeCall::from(bundle)));
        calls.push(chain.sign_ahead(&miner(place), RuntimeCall::from(commitment.clone()), 1));
    }
    chain.block_ok(calls);
}

/// Makes blocks until `is_reached`, each with the beacon's newest round.
fn run_until(chain: &mut Chain, is_reached: impl Fn() -> bool) {
    while !chain.read(&is_reached) {
        let (number, newest) = (chain.number(), round(chain));
        let stored = chain.read(pallet_drand::LastStoredRound::<Runtime>::get);
        let pulse = (newest > stored).then(|| Pulse::new(newest, &DevBeacon::default().sign(newest)));
        chain.block_ok(pulse.map(|pulse| write_pulse(number, vec![pulse])).into_iter().collect());
    }
}

fn report(chain: &mut Chain, epoch: u64) {
    let verdicts: Vec<Verdict> = (FIRST_MINER..)
        .take(MINERS as usize)
        .map(|uid| Verdict { uid, tripped: uid == FIRST_MINER, reason: 0, score: u128::from(uid) })
        .collect();
    let calls = (0..VALIDATORS)
        .map(|place| {
            let verdicts = verdicts.clone().try_into().unwrap();
            let call = pallet_provider_rank::Call::submit_verdicts { netuid: NETUID, epoch, verdicts };
            chain.sign(&validator(place), RuntimeCall::from(call))
        })
        .collect();
    chain.block_ok(calls);
}

/// A chain that the present runtime ran for some epochs, with something in every place that a check looks at.
fn chain() -> Chain {
    let mut chain = Chain::with_options(&Options {
        validators: Some(VALIDATORS),
        miners: Some(MINERS),
        tempo: Some(20),
        ..Options::default()
    });
    chain.run_to(1);
    // Written out, so that there is something to translate.
    let version = pallet_admin_utils::Call::sudo_set_commit_reveal_version { version: 4 };
    let sudo = pallet_sudo::Call::sudo { call: Box::new(version.into()) };
    let sudo = chain.sign(&keys("//Alice"), RuntimeCall::from(sudo));
    chain.block_ok(vec![sudo]);
    let running = || RunningEpoch::<Runtime>::get(NETUID).unwrap();
    let first = chain.read(running) + 1;
    run_until(&mut chain, || running() == first);
    for epoch in first..first + 3 {
        act(&mut chain, epoch);
        run_until(&mut chain, || pallet_provider_rank::Epochs::<Runtime>::get(NETUID, epoch).unwrap().seed.is_some());
        report(&mut chain, epoch);
        run_until(&mut chain, || running() == epoch + 1);
    }
    act(&mut chain, first + 3);
    chain.read(|| {
        let index = |mecid| NetUidStorageIndex::new(NETUID, MechId(mecid));
        assert!(subtensor::Weights::<Runtime>::iter_prefix(index(0)).any(|(_, row)| row.len() == 2), "revealed");
        assert!(subtensor::TimelockedWeightCommits::<Runtime>::iter_prefix(index(0)).next().is_some());
        assert!(subtensor::WeightCommits::<Runtime>::iter_prefix(index(1)).next().is_some());
        assert!(Settlements::<Runtime>::iter_prefix_values(NETUID).any(|paid| paid.emission > paid.dust));
        assert!(SubnetParams::<Runtime>::contains_key(NETUID));
        assert!(pallet_commitments::CommitmentOf::<Runtime>::iter().count() == MINERS as usize);
        assert!(pallet_drand::Pulses::<Runtime>::iter().count() > 3);
        assert!(unhashed::exists(&subtensor::CommitRevealWeightsVersion::<Runtime>::hashed_key()));
        assert!(SubtensorModule::do_try_state().is_ok());
    });
    chain
}

#[test]
fn later_runtime_takes_over_when_every_check_of_every_pallet_holds() {
    let Some(later) = later() else { return };
    let mut chain = chain();
    let (before, version) = (chain.root(), chain.read(frame_system::LastRuntimeUpgrade::<Runtime>::get));
    let (answer, logged) = rehearse(&mut chain, &later, || ());
    let (took, limit) = answer.unwrap_or_else(|trap| panic!("{trap}\n{logged}"));
    assert!(took.all_lte(limit) && took.any_gt(Weight::zero()), "{took} of {limit}");
    for pallet in CHECKED {
        assert!(logged.contains(&format!("Running \"{pallet}\" try-state checks")), "{pallet}: {logged}");
    }
    assert!(logged.contains("Entire runtime state decodes without error"), "{logged}");
    println!("the upgrade takes {took}");
    // A rehearsal, no more.
    assert_eq!((before, version), (chain.root(), chain.read(frame_system::LastRuntimeUpgrade::<Runtime>::get)));
}

#[test]
fn damage_is_refused_and_named_when_the_later_runtime_checks_the_state() {
    let Some(later) = later() else { return };
    let mut chain = chain();
    type Damage = fn();
    let damages: [(&str, &str, Damage); 6] = [
        ("SubtensorModule", "stake by hotkey differs from TotalStake", || {
            subtensor::TotalStake::<Runtime>::mutate(|stake| stake.0 += 1);
        }),
        ("ProviderRank", "payouts and dust differ from the emission", || {
            let (epoch, mut paid) = Settlements::<Runtime>::iter_prefix(NETUID).next().unwrap();
            paid.dust += 1;
            Settlements::<Runtime>::insert(NETUID, epoch, paid);
        }),
        ("Commitments", "a commitment has no block", || {
            pallet_commitments::LastCommitment::<Runtime>::remove(NETUID, account("//miner//0"));
        }),
        ("Drand", "the newest round is not stored", || {
            pallet_drand::LastStoredRound::<Runtime>::mutate(|round| *round += 1);
        }),
        ("MevShield", "a key has another length than ML-KEM-768's", || {
            pallet_shield::CurrentKey::<Runtime>::put(BoundedVec::truncate_from(vec![1; 7]));
        }),
        ("BlockTime", "slot duration out of range", || {
            clawrank_runtime::block_time::pallet::SlotDuration::<Runtime>::put(1);
        }),
    ];
    for (pallet, what, damage) in damages {
        let (answer, logged) = rehearse(&mut chain, &later, damage);
        assert!(answer.is_err(), "{pallet}: {logged}");
        assert!(logged.contains("Detected errors while executing `try_state` checks"), "{pallet}: {logged}");
        // Aura counts the slots that BlockTime has the length of.
        let other = |line: &str| pallet == "BlockTime" && line.contains("\"Aura\"");
        let failed = logged.lines().filter(|line| line.contains("try_state checks failed") && !other(line));
        let failed: Vec<&str> = failed.collect();
        assert_eq!(failed.len(), 1, "{pallet}: {logged}");
        assert!(failed[0].contains(&format!("\"{pallet}\"")) && failed[0].contains(what), "{failed:?}");
    }
    // A value of no type that the migration, or anyone, could read.
    let version = || unhashed::put_raw(&subtensor::CommitRevealWeightsVersion::<Runtime>::hashed_key(), &[4, 0, 0]);
    let (answer, logged) = rehearse(&mut chain, &later, version);
    assert!(answer.is_err() && logged.contains("CommitRevealWeightsVersion is of another type"), "{logged}");
    let undecodable = || unhashed::put_raw(&subtensor::Tempo::<Runtime>::hashed_key_for(NetUid(7)), &[1]);
    let (answer, logged) = rehearse(&mut chain, &later, undecodable);
    assert!(answer.is_err() && logged.contains("`try_decode_entire_state` failed"), "{logged}");
    assert!(logged.contains("SubtensorModule") && logged.contains("Tempo"), "{logged}");
}
