// SPDX-License-Identifier: Apache-2.0
//! What the chain refuses, in the Wasm: the transaction pool says what the public chain's pool says, by its number, and
//! everything else gets into a block and fails there with the public chain's error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_runtime::{Runtime, RuntimeCall, RuntimeEvent, System};
use clawrank_runtime_tests::chain::{Chain, Options, account, keys};
use clawrank_timelock::{DevBeacon, PUBLIC_KEY_BYTES};
use codec::{Compact, Encode};
use pallet_admin_utils::Call as Admin;
use pallet_commitments::{CommitmentInfo, Data};
use pallet_drand::{BeaconConfiguration, BeaconConfigurationPayload, Pulse};
use pallet_subtensor::{
    self as subtensor, AlphaBalance, Call as Weights, EpochConsensus, FixedU128, MechId, NetUid, SubnetIdentityV3,
    TaoBalance,
};
use sp_core::H256;
use sp_runtime::{
    DispatchError, ModuleError, MultiSigner,
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};

const NETUID: NetUid = NetUid(92);
/// The index of `SubtensorModule`.
const PALLET: u8 = 7;
/// The indices of the other pallets.
const COMMITMENTS: u8 = 18;
const ADMIN: u8 = 19;
const DRAND: u8 = 26;
const VALIDATOR: &str = "//validator//0";
const MINER: &str = "//miner//0";
/// The coldkeys of a miner and of the subnet's owner.
const COLD: &str = "//miner//0//cold";
const OWNER: &str = "//owner//cold";
/// Owns TAO, and no uid.
const STRANGER: &str = "//Alice";

/// A chain in its second block, without commit-reveal where `plain`.
fn chain(plain: bool) -> Chain {
    let mut chain = Chain::with_options(&Options::default());
    chain.run_to(2);
    chain.write(|| {
        for netuid in [NetUid::ROOT, NETUID] {
            subtensor::CommitRevealWeightsEnabled::<Runtime>::insert(netuid, !plain);
        }
    });
    chain
}

/// The pool refuses `call` with `code`, and so does a block.
fn pool_says(chain: &mut Chain, signer: &str, call: &Weights<Runtime>, code: u8) {
    let bytes = chain.sign(&keys(signer), call.clone()).encode();
    let refused = TransactionValidityError::Invalid(InvalidTransaction::Custom(code));
    assert_eq!(chain.validate(&bytes).unwrap(), Err(refused), "{call:?}");
    assert_eq!(chain.apply_raw(&bytes).unwrap(), Err(refused), "{call:?}");
}

/// The pool takes `call`, and it fails in a block with the error of this index.
fn block_says(chain: &mut Chain, signer: &str, call: &Weights<Runtime>, index: u8) {
    fails(chain, signer, call.clone(), (PALLET, index));
}

/// The pool takes `call`, and it fails in a block with the error of this pallet and index.
fn fails(chain: &mut Chain, signer: &str, call: impl Into<RuntimeCall>, (pallet, index): (u8, u8)) {
    let call = call.into();
    let bytes = chain.sign(&keys(signer), call.clone()).encode();
    assert!(chain.validate(&bytes).unwrap().is_ok(), "{call:?}");
    let result = chain.apply_raw(&bytes).unwrap().unwrap();
    let error = DispatchError::Module(ModuleError { index: pallet, error: [index, 0, 0, 0], message: None });
    assert_eq!(result, Err(error), "{call:?}");
}

/// Root makes `call` in a block, and it fails with the error of this pallet and index.
fn root_fails(chain: &mut Chain, call: impl Into<RuntimeCall>, (pallet, index): (u8, u8)) {
    let call = call.into();
    let sudo = pallet_sudo::Call::sudo { call: Box::new(call.clone()) };
    let signed = chain.sign(&keys("//Alice"), sudo);
    chain.block_ok(vec![signed]);
    let events = chain.read(|| System::read_events_no_consensus().map(|record| record.event).collect::<Vec<_>>());
    let said = events.into_iter().find_map(|event| match event {
        RuntimeEvent::Sudo(pallet_sudo::Event::Sudid { sudo_result }) => Some(sudo_result),
        _ => None,
    });
    let error = DispatchError::Module(ModuleError { index: pallet, error: [index, 0, 0, 0], message: None });
    assert_eq!(said, Some(Err(error)), "{call:?}");
}

fn set(uids: &[u16], values: &[u16]) -> Weights<Runtime> {
    Weights::set_weights { netuid: NETUID, dests: uids.to_vec(), weights: values.to_vec(), version_key: 0 }
}

fn commit() -> Weights<Runtime> {
    Weights::commit_weights { netuid: NETUID, commit_hash: H256::zero() }
}

fn timelocked(netuid: u16, mecid: u8, len: usize, version: u16) -> Weights<Runtime> {
    Weights::commit_timelocked_mechanism_weights {
        netuid: NetUid(netuid),
        mecid: MechId(mecid),
        commit: vec![1; len].try_into().unwrap(),
        reveal_round: u64::MAX,
        commit_reveal_version: version,
    }
}

#[test]
fn plain_weights_fail_with_the_public_chains_error_when_a_check_fails() {
    let mut chain = chain(true);
    let on_root = Weights::set_weights { netuid: NetUid::ROOT, dests: vec![5], weights: vec![1], version_key: 0 };
    block_says(&mut chain, VALIDATOR, &on_root, 47);
    block_says(&mut chain, VALIDATOR, &set(&[5], &[1, 2]), 16);
    let elsewhere = Weights::set_mechanism_weights {
        netuid: NETUID,
        mecid: MechId(7),
        dests: vec![5],
        weights: vec![1],
        version_key: 0,
    };
    block_says(&mut chain, VALIDATOR, &elsewhere, 74);
    block_says(&mut chain, VALIDATOR, &set(&[5; 9], &[1; 9]), 32);
    block_says(&mut chain, STRANGER, &set(&[5], &[1]), 4);
    block_says(&mut chain, MINER, &set(&[5], &[1]), 15);
    block_says(&mut chain, VALIDATOR, &set(&[5, 5], &[1, 2]), 17);
    block_says(&mut chain, VALIDATOR, &set(&[200], &[1]), 18);
    block_says(&mut chain, VALIDATOR, &commit(), 54);
    chain.write(|| subtensor::MinAllowedWeights::<Runtime>::insert(NETUID, 3));
    block_says(&mut chain, VALIDATOR, &set(&[5], &[1]), 19);
    chain.write(|| subtensor::WeightsVersionKey::<Runtime>::insert(NETUID, 5));
    block_says(&mut chain, VALIDATOR, &set(&[5], &[1]), 30);
}

#[test]
fn commits_fail_with_the_public_chains_error_when_a_check_fails() {
    let mut chain = chain(false);
    block_says(&mut chain, VALIDATOR, &set(&[5], &[1]), 53);
    block_says(&mut chain, VALIDATOR, &timelocked(92, 0, 9, 5), 111);
    block_says(&mut chain, VALIDATOR, &timelocked(92, 0, 5_001, 4), 173);
    block_says(&mut chain, VALIDATOR, &timelocked(92, 7, 9, 4), 74);
    block_says(&mut chain, VALIDATOR, &timelocked(91, 0, 9, 4), 74);
    block_says(&mut chain, STRANGER, &timelocked(92, 0, 9, 4), 4);
    block_says(&mut chain, STRANGER, &commit(), 4);
    chain.write(|| subtensor::WeightsSetRateLimit::<Runtime>::insert(NETUID, 100));
    let first = chain.sign(&keys(VALIDATOR), timelocked(92, 0, 9, 4));
    chain.block_ok(vec![first]);
    // The rate limit of a timelocked commit is not the pool's.
    block_says(&mut chain, VALIDATOR, &timelocked(92, 0, 9, 4), 81);
    pool_says(&mut chain, VALIDATOR, &commit(), 6);
    chain.write(|| subtensor::CommitRevealWeightsEnabled::<Runtime>::insert(NETUID, false));
    pool_says(&mut chain, VALIDATOR, &set(&[5], &[1]), 6);
    block_says(&mut chain, "//validator//1", &timelocked(92, 0, 9, 4), 54);
}

#[test]
fn pool_answers_with_the_public_chains_number_when_it_refuses() {
    let mut chain = chain(false);
    let reveal =
        Weights::reveal_weights { netuid: NETUID, uids: vec![5], values: vec![1], salt: vec![1], version_key: 0 };
    pool_says(&mut chain, VALIDATOR, &reveal, 16);
    let hash = chain.read(|| {
        let validator = account(VALIDATOR);
        subtensor::Pallet::<Runtime>::commit_hash(&validator, NETUID.into(), &[5], &[1], &[1], 0)
    });
    let first = chain.sign(&keys(VALIDATOR), Weights::commit_weights { netuid: NETUID, commit_hash: hash });
    chain.block_ok(vec![first]);
    pool_says(&mut chain, VALIDATOR, &reveal, 17);
    let batch = Weights::batch_commit_weights { netuids: vec![Compact(NETUID)], commit_hashes: vec![] };
    pool_says(&mut chain, VALIDATOR, &batch, 18);
    pool_says(&mut chain, "//nobody", &commit(), 19);
    chain.write(|| pallet_drand::LastStoredRound::<Runtime>::put(100));
    let late = Weights::commit_timelocked_weights {
        netuid: NETUID,
        commit: vec![1; 9].try_into().unwrap(),
        reveal_round: 99,
        commit_reveal_version: 4,
    };
    pool_says(&mut chain, VALIDATOR, &late, 15);
    chain.write(|| subtensor::StakeThreshold::<Runtime>::put(u64::MAX));
    for call in [set(&[5], &[1]), commit(), reveal, timelocked(92, 0, 9, 4)] {
        pool_says(&mut chain, VALIDATOR, &call, 1);
    }
}

#[test]
fn announcements_are_refused_by_the_pool_when_they_lead_nowhere() {
    let mut chain = chain(false);
    let axon = |ip: u128, port, ip_type| Weights::serve_axon {
        netuid: NETUID,
        version: 1,
        ip,
        port,
        ip_type,
        protocol: 4,
        placeholder1: 0,
        placeholder2: 0,
    };
    let metrics = |ip: u128, port, ip_type| Weights::serve_prometheus { netuid: NETUID, version: 1, ip, port, ip_type };
    let calls: [&dyn Fn(u128, u16, u8) -> Weights<Runtime>; 2] = [&axon, &metrics];
    chain.write(|| subtensor::ServingRateLimit::<Runtime>::insert(NETUID, 50));
    for call in calls {
        pool_says(&mut chain, STRANGER, &call(0x0808_0808, 80, 4), 10);
        pool_says(&mut chain, MINER, &call(0x7f00_0001, 80, 4), 11);
        pool_says(&mut chain, MINER, &call(1, 80, 6), 11);
        pool_says(&mut chain, MINER, &call(0x0808_0808, 0, 4), 13);
        pool_says(&mut chain, MINER, &call(0x0808_0808, 80, 5), 255);
        let first = chain.sign(&keys(MINER), call(0x0808_0808, 80, 4));
        chain.block_ok(vec![first]);
        pool_says(&mut chain, MINER, &call(0x0808_0808, 80, 4), 12);
    }
}

#[test]
fn subnet_is_refused_by_the_pool_when_it_comes_too_early() {
    let mut chain = chain(false);
    chain.write(|| {
        let key = subtensor::RateLimitKey::<clawrank_runtime::AccountId>::NetworkLastRegistered;
        subtensor::LastRateLimitedBlock::<Runtime>::insert(key, 1);
        subtensor::NetworkRateLimit::<Runtime>::put(100);
    });
    pool_says(&mut chain, STRANGER, &Weights::register_network { hotkey: account("//new") }, 6);
}

#[test]
fn registrations_fail_with_the_public_chains_error_when_a_check_fails() {
    let mut chain = chain(false);
    let on = |netuid, hotkey: &str| Weights::burned_register { netuid: NetUid(netuid), hotkey: account(hotkey) };
    block_says(&mut chain, COLD, &on(0, "//new"), 42);
    block_says(&mut chain, COLD, &on(91, "//new"), 76);
    block_says(&mut chain, COLD, &on(92, MINER), 21);
    let own = chain.read(subtensor::Pallet::<Runtime>::account);
    block_says(&mut chain, COLD, &Weights::burned_register { netuid: NETUID, hotkey: own }, 141);
    chain.write(|| subtensor::Owner::<Runtime>::insert(account("//other"), account(OWNER)));
    block_says(&mut chain, COLD, &on(92, "//other"), 7);
    let limited = Weights::register_limit { netuid: NETUID, hotkey: account("//new"), limit_price: 0 };
    block_says(&mut chain, COLD, &limited, 136);
    // Prices fall, and stay below the highest.
    chain.write(|| {
        for netuid in [NetUid::ROOT, NETUID] {
            subtensor::MaxBurn::<Runtime>::insert(netuid, TaoBalance(u64::MAX));
            subtensor::Burn::<Runtime>::insert(netuid, TaoBalance(u64::MAX));
        }
    });
    block_says(&mut chain, COLD, &on(92, "//new"), 12);
    chain.write(|| subtensor::MaxRegistrationsPerBlock::<Runtime>::insert(NETUID, 0));
    block_says(&mut chain, COLD, &on(92, "//new"), 20);
    chain.write(|| subtensor::NetworkRegistrationAllowed::<Runtime>::insert(NETUID, false));
    block_says(&mut chain, COLD, &on(92, "//new"), 37);

    let seat = || Weights::root_register { hotkey: account(MINER) };
    block_says(&mut chain, COLD, &seat(), 12);
    chain.write(|| subtensor::MaxAllowedUids::<Runtime>::insert(NetUid::ROOT, 0));
    block_says(&mut chain, COLD, &seat(), 48);
    chain.write(|| subtensor::TargetRegistrationsPerInterval::<Runtime>::insert(NetUid::ROOT, 0));
    block_says(&mut chain, COLD, &seat(), 38);
    chain.write(|| subtensor::NetworksAdded::<Runtime>::remove(NetUid::ROOT));
    block_says(&mut chain, COLD, &seat(), 0);

    let subnet = |subnet_name| Weights::register_network_with_identity {
        hotkey: account("//new"),
        identity: Some(SubnetIdentityV3 { subnet_name, ..Default::default() }),
    };
    block_says(&mut chain, COLD, &subnet(vec![b'a'; 300]), 73);
    chain.write(|| subtensor::NetworkMinLockCost::<Runtime>::put(TaoBalance(u64::MAX)));
    block_says(&mut chain, COLD, &subnet(vec![]), 117);
}

#[test]
fn stake_calls_fail_with_the_public_chains_error_when_a_check_fails() {
    let mut chain = chain(false);
    let add = |hotkey: &str, netuid, rao| Weights::add_stake {
        hotkey: account(hotkey),
        netuid: NetUid(netuid),
        amount_staked: TaoBalance(rao),
    };
    block_says(&mut chain, COLD, &add(MINER, 91, 1), 76);
    block_says(&mut chain, COLD, &add("//new", 92, 10_000_000), 5);
    block_says(&mut chain, COLD, &add(MINER, 92, 1_999_999), 82);
    block_says(&mut chain, COLD, &add(MINER, 92, u64::MAX), 12);
    let remove =
        |rao| Weights::remove_stake { hotkey: account(MINER), netuid: NETUID, amount_unstaked: AlphaBalance(rao) };
    block_says(&mut chain, COLD, &remove(0), 82);
    block_says(&mut chain, COLD, &remove(u64::MAX), 9);
    let limited = |allow_partial| Weights::add_stake_limit {
        hotkey: account(MINER),
        netuid: NETUID,
        amount_staked: TaoBalance(10_000_000),
        limit_price: TaoBalance(1),
        allow_partial,
    };
    block_says(&mut chain, COLD, &limited(false), 84);
    block_says(&mut chain, COLD, &limited(true), 82);
    chain.write(|| subtensor::SubtokenEnabled::<Runtime>::insert(NETUID, false));
    block_says(&mut chain, COLD, &add(MINER, 92, 10_000_000), 94);
}

#[test]
fn calls_of_an_owner_fail_with_the_public_chains_error_when_a_check_fails() {
    let mut chain = chain(false);
    block_says(&mut chain, OWNER, &Weights::start_call { netuid: NetUid(91) }, 76);
    block_says(&mut chain, OWNER, &Weights::start_call { netuid: NETUID }, 88);
    block_says(&mut chain, OWNER, &Weights::set_tempo { netuid: NETUID, tempo: 359 }, 144);
    let factor = Weights::set_activity_cutoff_factor { netuid: NETUID, factor_milli: 999 };
    block_says(&mut chain, OWNER, &factor, 145);
    let trigger = Weights::trigger_epoch { netuid: NETUID };
    block_says(&mut chain, OWNER, &trigger, 148);
    let identity = |signer, chain: &mut Chain, subnet_name, index| {
        let (empty, netuid) = (Vec::new, NETUID);
        let call = Weights::set_subnet_identity {
            netuid,
            subnet_name,
            github_repo: empty(),
            subnet_contact: empty(),
            subnet_url: empty(),
            discord: empty(),
            description: empty(),
            logo_url: empty(),
            additional: empty(),
        };
        block_says(chain, signer, &call, index);
    };
    identity(COLD, &mut chain, vec![], 41);
    identity(OWNER, &mut chain, vec![b'a'; 300], 73);
    chain.write(|| {
        subtensor::CommitRevealWeightsEnabled::<Runtime>::insert(NETUID, false);
        subtensor::PendingEpochAt::<Runtime>::insert(NETUID, 100);
    });
    block_says(&mut chain, OWNER, &trigger, 146);
    chain.write(|| {
        subtensor::PendingEpochAt::<Runtime>::remove(NETUID);
        subtensor::AdminFreezeWindow::<Runtime>::put(u16::MAX);
    });
    block_says(&mut chain, OWNER, &trigger, 147);
    block_says(&mut chain, OWNER, &Weights::set_tempo { netuid: NETUID, tempo: 400 }, 108);
    chain.write(|| {
        subtensor::FirstEmissionBlockNumber::<Runtime>::remove(NETUID);
        subtensor::StartCallDelay::<Runtime>::put(1_000);
    });
    block_says(&mut chain, OWNER, &Weights::start_call { netuid: NETUID }, 151);
}

#[test]
fn administration_fails_with_the_public_chains_error_when_a_check_fails() {
    let mut chain = chain(false);
    let netuid = NETUID;
    let admin = |index| (ADMIN, index);
    root_fails(&mut chain, Admin::sudo_set_kappa { netuid: NetUid(91), kappa: 1 }, admin(0));
    root_fails(&mut chain, Admin::sudo_set_kappa { netuid: NetUid::ROOT, kappa: 1 }, admin(11));
    let permits = Admin::sudo_set_max_allowed_validators { netuid, max_allowed_validators: 257 };
    root_fails(&mut chain, permits, admin(1));
    let most = |max_allowed_uids| Admin::sudo_set_max_allowed_uids { netuid, max_allowed_uids };
    root_fails(&mut chain, most(1), admin(8));
    let least = |min_allowed_uids| Admin::sudo_set_min_allowed_uids { netuid, min_allowed_uids };
    root_fails(&mut chain, least(256), admin(7));
    root_fails(&mut chain, least(64), admin(6));
    chain.write(|| subtensor::MinAllowedUids::<Runtime>::insert(NETUID, 1));
    root_fails(&mut chain, most(2), admin(2));
    root_fails(&mut chain, most(257), admin(9));
    root_fails(&mut chain, most(256), (PALLET, 125));
    root_fails(&mut chain, Admin::sudo_trim_to_max_allowed_uids { netuid, max_n: 0 }, (PALLET, 115));
    let average = Admin::sudo_set_bonds_moving_average { netuid, bonds_moving_average: 975_001 };
    fails(&mut chain, OWNER, average, admin(3));
    fails(&mut chain, OWNER, Admin::sudo_set_alpha_sigmoid_steepness { netuid, steepness: -1 }, admin(4));
    root_fails(&mut chain, Admin::sudo_set_min_burn { netuid, min_burn: TaoBalance(u64::MAX) }, admin(5));
    let mode = EpochConsensus::Null;
    root_fails(&mut chain, Admin::sudo_set_epoch_consensus { netuid, mode }, admin(10));
    let work = Admin::sudo_set_network_pow_registration_allowed { netuid, registration_allowed: true };
    root_fails(&mut chain, work, admin(12));
    root_fails(&mut chain, Admin::sudo_set_collateral_lock_share { netuid, lock_share: u16::MAX }, admin(14));
    let drain_ratio = FixedU128 { bits: 0 };
    root_fails(&mut chain, Admin::sudo_set_collateral_drain_ratio { netuid, drain_ratio }, admin(15));
    let cutoff = Admin::sudo_set_activity_cutoff { netuid, activity_cutoff: 0 };
    root_fails(&mut chain, cutoff, (PALLET, 86));
    let alpha = |alpha_low, alpha_high| Admin::sudo_set_alpha_values { netuid, alpha_low, alpha_high };
    root_fails(&mut chain, alpha(2_000, 60_000), (PALLET, 55));
    chain.write(|| subtensor::LiquidAlphaOn::<Runtime>::insert(NETUID, true));
    root_fails(&mut chain, alpha(2_000, 1), (PALLET, 56));
    root_fails(&mut chain, alpha(1, 60_000), (PALLET, 57));
    let interval = |interval| Admin::sudo_set_commit_reveal_weights_interval { netuid, interval };
    root_fails(&mut chain, interval(101), (PALLET, 113));
    root_fails(&mut chain, interval(0), (PALLET, 114));
    let rho = || Admin::sudo_set_rho { netuid, rho: 9 };
    let first = chain.sign(&keys(OWNER), rho());
    chain.block_ok(vec![first]);
    fails(&mut chain, OWNER, rho(), (PALLET, 64));
}

#[test]
fn commitments_and_beacons_fail_with_the_public_chains_error_when_a_check_fails() {
    let mut chain = chain(false);
    let commit = |fields: Vec<Data>| pallet_commitments::Call::set_commitment {
        netuid: NETUID,
        info: Box::new(CommitmentInfo { fields: fields.try_into().unwrap() }),
    };
    let big = || vec![Data::BigRaw(vec![1; 512].try_into().unwrap()); 3];
    fails(&mut chain, STRANGER, commit(vec![]), (COMMITMENTS, 1));
    let forged = Data::TimelockRevealFailed { encrypted: Default::default(), reveal_round: 1 };
    fails(&mut chain, MINER, commit(vec![forged]), (COMMITMENTS, 4));
    let twice = [0, 1].map(|ahead| chain.sign_ahead(&keys(MINER), commit(big()), ahead));
    chain.block_ok(twice.to_vec());
    fails(&mut chain, MINER, commit(big()), (COMMITMENTS, 2));

    let follow = |config| pallet_drand::Call::set_beacon_config {
        config_payload: BeaconConfigurationPayload {
            block_number: 1,
            config,
            public: MultiSigner::Sr25519(Default::default()),
        },
        signature: None,
    };
    let no_point = BeaconConfiguration {
        public_key: vec![1; PUBLIC_KEY_BYTES].try_into().unwrap(),
        ..BeaconConfiguration::default()
    };
    root_fails(&mut chain, follow(no_point), (DRAND, 5));
    root_fails(&mut chain, pallet_drand::Call::set_oldest_stored_round { oldest_round: 9 }, (DRAND, 4));
    chain.write(|| {
        for round in 1..=1_001 {
            pallet_drand::Pulses::<Runtime>::insert(round, Pulse::new(round, &[1; 48]));
        }
    });
    root_fails(&mut chain, follow(BeaconConfiguration::default()), (DRAND, 1));
}

#[test]
fn rounds_are_refused_by_the_pool_when_they_are_not_the_beacons() {
    let mut chain = chain(false);
    let beacon = DevBeacon::default();
    let right = |round| Pulse::new(round, &beacon.sign(round));
    let says = |chain: &mut Chain, pulses, reason| {
        let bytes = clawrank_runtime::write_pulse(1, pulses).encode();
        let refused = Err(TransactionValidityError::Invalid(reason));
        assert_eq!(chain.validate(&bytes).unwrap().map(drop), refused);
        assert_eq!(chain.apply_raw(&bytes).unwrap(), refused.map(Ok));
    };
    let many = (1..=21).map(|round| Pulse::new(round, &[1; 48])).collect();
    says(&mut chain, vec![], InvalidTransaction::Call);
    says(&mut chain, many, InvalidTransaction::Call);
    says(&mut chain, vec![right(6), right(5)], InvalidTransaction::Call);
    says(&mut chain, vec![Pulse::new(5, &beacon.sign(6))], InvalidTransaction::BadProof);
    let stored = clawrank_runtime::write_pulse(1, vec![right(5)]);
    chain.block_ok(vec![stored]);
    says(&mut chain, vec![right(5)], InvalidTransaction::Stale);
}
