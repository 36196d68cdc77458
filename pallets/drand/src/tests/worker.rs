// SPDX-License-Identifier: Apache-2.0

//! The offchain worker, against a beacon that answers from memory.

use std::sync::Arc;

use super::mock::*;
use crate::*;
use clawrank_timelock::{DEV_BEACON, DevBeacon, QUICKNET, randomness};
use codec::Decode;
use frame_support::traits::Hooks;
use parking_lot::RwLock;
use sp_core::offchain::{
    OffchainDbExt, OffchainWorkerExt, TransactionPoolExt,
    testing::{OffchainState, PendingRequest, PoolState, TestOffchainExt, TestTransactionPoolExt},
};
use sp_runtime::offchain::storage::StorageValueRef;

/// The public beacon's round 1,000.
const ROUND: u64 = 1_000;

fn signature() -> [u8; 48] {
    let digits = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39";
    hex::decode(digits).unwrap().try_into().unwrap()
}

fn answer() -> Vec<u8> {
    let (signature, randomness) = (hex::encode(signature()), hex::encode(randomness(&signature())));
    format!(r#"{{"round":{ROUND},"randomness":"{randomness}","signature":"{signature}"}}"#).into_bytes()
}

struct Outside {
    worker: Arc<RwLock<OffchainState>>,
    pool: Arc<RwLock<PoolState>>,
}

impl Outside {
    /// The next request is one for `round` of the public beacon at `endpoint`, and gets `response`.
    fn expect(&self, endpoint: &str, round: u64, response: Option<Vec<u8>>) {
        let hash = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971";
        self.expect_of(hash, endpoint, round, response);
    }

    /// [`Self::expect`] for the beacon that is named `hash`.
    fn expect_of(&self, hash: &str, endpoint: &str, round: u64, response: Option<Vec<u8>>) {
        self.worker.write().expect_request(PendingRequest {
            method: "GET".into(),
            uri: format!("{endpoint}/{hash}/public/{round}"),
            response,
            sent: true,
            ..Default::default()
        });
    }

    fn set_time(&self, round: u64) {
        let ms = QUICKNET.time_of(round) * 1_000 + 500;
        self.worker.write().timestamp = sp_core::offchain::Timestamp::from_unix_millis(ms);
    }

    /// The pulses of each transaction that was submitted.
    fn submitted(&self) -> Vec<Vec<Pulse>> {
        let transactions = self.pool.read().transactions.clone();
        let pulses =
            transactions.iter().map(|bytes| match Extrinsic::decode(&mut bytes.as_slice()).unwrap().function {
                RuntimeCall::Drand(Call::write_pulse { pulses_payload, signature: None }) => pulses_payload.pulses,
                other => panic!("submitted {other:?}"),
            });
        pulses.collect()
    }
}

/// Runs `test` on a chain that follows `beacon`, with the outside world at hand.
fn with_outside(beacon: Option<LocalBeacon>, test: impl FnOnce(&Outside)) {
    let mut ext = sp_io::TestExternalities::from(storage(beacon));
    let (offchain, worker) = TestOffchainExt::new();
    let (pool, pool_state) = TestTransactionPoolExt::new();
    ext.register_extension(OffchainDbExt::new(offchain.clone()));
    ext.register_extension(OffchainWorkerExt::new(offchain));
    ext.register_extension(TransactionPoolExt::new(pool));
    let outside = Outside { worker, pool: pool_state };
    ext.execute_with(|| {
        System::set_block_number(1);
        test(&outside);
    });
}

#[test]
fn worker_submits_the_newest_round_when_none_is_stored() {
    with_outside(None, |outside| {
        outside.set_time(ROUND);
        outside.expect(ENDPOINTS[0], ROUND, Some(answer()));
        Drand::offchain_worker(5);
        assert_eq!(outside.submitted(), [[Pulse::new(ROUND, &signature())]]);
        let submitted = outside.submitted().remove(0);
        pallet_timestamp::Now::<Test>::put(QUICKNET.time_of(ROUND) * 1_000);
        assert_eq!(apply(submitted), Ok(Ok(())));
        Drand::do_try_state().unwrap();
    });
}

#[test]
fn worker_asks_another_endpoint_when_the_next_block_comes() {
    with_outside(None, |outside| {
        outside.set_time(ROUND);
        for (block, endpoint) in ENDPOINTS.iter().enumerate() {
            outside.expect(endpoint, ROUND, Some(b"{}".to_vec()));
            Drand::offchain_worker(u32::try_from(block).unwrap());
        }
        assert!(outside.submitted().is_empty());
    });
}

/// What a node does when its operator names endpoints.
fn name(endpoints: &[&str]) {
    StorageValueRef::persistent(ENDPOINTS_KEY).set(&endpoints);
}

#[test]
fn worker_asks_the_named_endpoints_in_turn_when_the_node_names_some() {
    with_outside(None, |outside| {
        name(&["http://one:8080", "http://two/drand"]);
        outside.set_time(ROUND);
        for (block, endpoint) in ["http://one:8080", "http://two/drand", "http://one:8080"].iter().enumerate() {
            outside.expect(endpoint, ROUND, Some(b"{}".to_vec()));
            Drand::offchain_worker(u32::try_from(block).unwrap());
        }
        assert!(outside.submitted().is_empty());
        outside.expect("http://two/drand", ROUND, Some(answer()));
        Drand::offchain_worker(3);
        assert_eq!(outside.submitted(), [[Pulse::new(ROUND, &signature())]]);
    });
}

#[test]
fn worker_asks_the_public_beacons_endpoints_when_what_the_node_names_is_no_list() {
    with_outside(None, |outside| {
        outside.set_time(ROUND);
        name(&[]);
        outside.expect(ENDPOINTS[0], ROUND, Some(Vec::new()));
        Drand::offchain_worker(0);
        StorageValueRef::persistent(ENDPOINTS_KEY).set(&u8::MAX);
        outside.expect(ENDPOINTS[1], ROUND, Some(Vec::new()));
        Drand::offchain_worker(1);
    });
}

#[test]
fn worker_fetches_a_local_beacons_rounds_when_the_node_names_an_endpoint() {
    with_outside(Some(local()), |outside| {
        name(&["http://one"]);
        outside.set_time(ROUND);
        let hash = hex::encode(sp_io::hashing::sha2_256(&DEV_BEACON.public_key));
        let signature = DevBeacon::default().sign(ROUND);
        let answer = format!(r#"{{"signature":"{}"}}"#, hex::encode(signature)).into_bytes();
        outside.expect_of(&hash, "http://one", ROUND, Some(answer));
        Drand::offchain_worker(0);
        assert_eq!(outside.submitted(), [[pulse(ROUND)]]);
    });
}

#[test]
fn worker_submits_nothing_when_the_answer_does_not_verify() {
    with_outside(None, |outside| {
        // The signature of round 1,000 in answer to 1,001.
        outside.set_time(ROUND + 1);
        outside.expect(ENDPOINTS[0], ROUND + 1, Some(answer()));
        Drand::offchain_worker(0);
        assert!(outside.submitted().is_empty());
    });
}

#[test]
fn worker_asks_for_the_latest_rounds_when_it_was_away() {
    with_outside(None, |outside| {
        fake([ROUND - 900]);
        OldestStoredRound::<Test>::put(ROUND - 900);
        LastStoredRound::<Test>::put(ROUND - 900);
        outside.set_time(ROUND);
        for round in ROUND - u64::from(MAX_PULSES_PER_BLOCK) + 1..=ROUND {
            outside.expect(ENDPOINTS[0], round, Some(if round == ROUND { answer() } else { Vec::new() }));
        }
        Drand::offchain_worker(0);
        assert_eq!(outside.submitted(), [[Pulse::new(ROUND, &signature())]]);
    });
}

#[test]
fn worker_fills_gaps_when_there_is_room_beside_the_newest() {
    with_outside(None, |outside| {
        fake((900..=ROUND + 1).filter(|round| ![950, ROUND].contains(round)));
        OldestStoredRound::<Test>::put(900);
        LastStoredRound::<Test>::put(ROUND + 1);
        outside.set_time(ROUND + 2);
        for block in 0..2 {
            let endpoint = ENDPOINTS[block as usize];
            outside.expect(endpoint, 950, Some(Vec::new()));
            outside.expect(endpoint, ROUND, Some(answer()));
            outside.expect(endpoint, ROUND + 2, Some(Vec::new()));
            Drand::offchain_worker(block);
        }
        assert_eq!(outside.submitted(), [[Pulse::new(ROUND, &signature())], [Pulse::new(ROUND, &signature())]]);
    });
}

#[test]
fn worker_asks_nothing_when_every_round_is_stored() {
    with_outside(None, |outside| {
        fake(100..=ROUND);
        OldestStoredRound::<Test>::put(100);
        LastStoredRound::<Test>::put(ROUND);
        outside.set_time(ROUND);
        // A request that no one expects would panic.
        (0..4).for_each(Drand::offchain_worker);
        assert!(outside.submitted().is_empty());
    });
}

#[test]
fn worker_rests_when_the_beacon_is_local() {
    with_outside(Some(local()), |outside| {
        outside.set_time(ROUND);
        Drand::offchain_worker(0);
        assert!(outside.submitted().is_empty());
    });
}

#[test]
fn worker_asks_nothing_when_the_beacon_has_not_begun() {
    with_outside(None, |outside| {
        Drand::offchain_worker(0);
        assert!(outside.submitted().is_empty());
    });
}
