// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::*;
use crate::{
    clock::Schedule,
    now_ms,
    testing::{FakeChain, Watched, journal},
};

struct Setup {
    folder: tempfile::TempDir,
    chain: Arc<FakeChain>,
    config: Config,
}

impl Setup {
    /// At block 1,001 of epoch 5, which began at block 1,000; the next begins at block 1,100.
    fn new() -> Self {
        let config = Config { params: crate::CHAIN.to_owned(), ..Config::default() };
        Self { folder: tempfile::tempdir().unwrap(), chain: FakeChain::new(2, now_ms()), config }
    }

    async fn book(&self) -> Rulebook {
        let chain: Arc<dyn ChainPort> = Arc::clone(&self.chain) as _;
        Rulebook::open(&self.config, &chain, &journal(self.folder.path()).await).unwrap()
    }

    fn clock(&self) -> EpochClock {
        EpochClock::at(&self.chain.with(|state| state.subnet.clone()), &Schedule::from(&self.config)).unwrap()
    }

    fn store(&self, from_block: u64, params: Params) {
        self.chain.with(|state| state.params.push((from_block, Some(params))));
    }
}

fn rules(params: Params, block: u64) -> Rules {
    Rules { params, source: format!("chain at block {block}") }
}

#[tokio::test]
async fn epoch_has_the_rules_of_its_first_block_when_the_owner_changes_them_later() {
    let setup = Setup::new();
    setup.store(900, Params::local());
    setup.store(1_001, Params::clawrank());
    let book = setup.book().await;
    assert!(book.newest().is_none());
    assert_eq!(*book.of(&setup.clock()).await.unwrap(), rules(Params::local(), 1_000));
    setup.chain.advance_to(1_099);
    assert_eq!(*book.of(&setup.clock()).await.unwrap(), rules(Params::local(), 1_000));
    setup.chain.advance_to(1_101);
    assert_eq!(*book.of(&setup.clock()).await.unwrap(), rules(Params::clawrank(), 1_100));
    assert_eq!(book.newest().unwrap().source, "chain at block 1100");
}

#[tokio::test]
async fn epoch_has_no_rules_when_its_first_block_stores_none() {
    let (watched, setup) = (Watched::start(), Setup::new());
    // One block too late.
    setup.store(1_001, Params::local());
    let book = setup.book().await;
    let error = book.of(&setup.clock()).await.unwrap_err();
    assert!(error.is_retryable() && matches!(error, Error::NoParams { netuid: 92, epoch: 5, block: 1_000 }), "{error}");
    assert!(error.to_string().starts_with("netuid 92 stores no parameters at block 1000"), "{error}");
    for _ in 0..3 {
        assert_eq!(book.find(&setup.clock()).await.unwrap(), None);
        setup.chain.advance();
    }
    assert_eq!(book.missing(), Some(error.to_string()));
    assert_eq!(watched.lines(&["ERROR", "no rules for the epoch", "stores no parameters"]).len(), 1);
    setup.chain.advance_to(1_100);
    assert!(book.find(&setup.clock()).await.unwrap().is_some());
    assert_eq!(book.missing(), None);
}

#[tokio::test]
async fn rules_outlive_a_restart_when_the_node_has_forgotten_their_block() {
    let setup = Setup::new();
    setup.store(900, Params::local());
    setup.book().await.of(&setup.clock()).await.unwrap();
    setup.chain.with(|state| state.has_lost_states = true);
    assert_eq!(*setup.book().await.of(&setup.clock()).await.unwrap(), rules(Params::local(), 1_000));
    // The next epoch's were never read.
    setup.chain.advance_to(1_101);
    let error = setup.book().await.of(&setup.clock()).await.unwrap_err();
    assert!(error.to_string().contains("use an archive node"), "{error}");
}

#[tokio::test]
async fn overrides_go_before_the_chain_when_they_make_sense() {
    let mut setup = Setup::new();
    setup.store(900, Params::local());
    setup.config.replays_per_cell = Some(20);
    assert_eq!(setup.book().await.of(&setup.clock()).await.unwrap().params.challenge.replays_per_cell, 20);
    setup.config.replays_per_cell = Some(2);
    let error = setup.book().await.of(&setup.clock()).await.unwrap_err();
    assert!(matches!(error, Error::Config { field: "params", .. }), "{error}");
    assert!(error.to_string().contains("challenge.replays_per_cell is 2"), "{error}");
}
