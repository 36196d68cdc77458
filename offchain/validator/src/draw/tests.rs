// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used)]

use clawrank_timelock::{DEV_BEACON_SEED, DevBeacon};

use super::*;
use crate::{Config, clock::Schedule, testing::FakeChain};

/// With blocks of 12 s and a tempo of 100: the seed's block is 1,061, and 1,063 decides.
fn begin(chain: &FakeChain) -> EpochClock {
    chain.advance_to(1_060);
    let clock = EpochClock::at(&chain.with(|s| s.subnet.clone()), &Schedule::from(&Config::default())).unwrap();
    assert_eq!((clock.seed_block, clock.decides_block), (1_061, 1_063));
    clock
}

async fn drawn(chain: &FakeChain, clock: &EpochClock) -> Option<Hash> {
    let seed_block = chain.block(clock.seed_block).await.unwrap().unwrap();
    draw(chain, clock, &seed_block).await.unwrap()
}

#[tokio::test]
async fn challenge_is_the_first_round_after_the_seeds_block_when_it_came_in_time() {
    let chain = FakeChain::with_beacon(3, 1_700_000_000_000);
    let clock = begin(&chain);
    chain.advance_to(1_062);
    assert_eq!(drawn(&chain, &clock).await, None);
    chain.advance_to(1_063);
    let beacon = chain.with(|s| s.beacon).unwrap();
    let at = chain.block(1_061).await.unwrap().unwrap().timestamp_ms;
    let round = (at / 1_000 - beacon.genesis_time) / u64::from(beacon.period) + 2;
    assert!((beacon.genesis_time + (round - 1) * u64::from(beacon.period)) * 1_000 > at, "public only afterwards");
    let expected = randomness(&DevBeacon::from_seed(&DEV_BEACON_SEED).sign(round));
    assert_eq!(drawn(&chain, &clock).await, Some(expected));
    // Later it is the same.
    chain.advance_to(1_080);
    assert_eq!(drawn(&chain, &clock).await, Some(expected));
    // A chain that never had the round falls back to the hash.
    chain.with(|s| s.lost_rounds = round..round + 1);
    assert_eq!(drawn(&chain, &clock).await, Some(chain.hash_of(1_061)));
}

#[tokio::test]
async fn challenge_is_the_blocks_hash_when_the_chain_has_no_beacon_or_no_time() {
    let chain = FakeChain::with_beacon(3, 1_700_000_000_000);
    let clock = begin(&chain);
    chain.advance_to(1_070);
    let at_once = EpochClock { decides_block: clock.seed_block, ..clock };
    assert_eq!(drawn(&chain, &at_once).await, Some(chain.hash_of(1_061)));
    chain.with(|s| s.beacon = None);
    assert_eq!(drawn(&chain, &clock).await, Some(chain.hash_of(1_061)));
}
