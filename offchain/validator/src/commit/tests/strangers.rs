// SPDX-License-Identifier: Apache-2.0
//! Two validators with one hotkey.

use super::*;

fn take_over() -> Setup {
    Setup { mode: CommitMode::Auto, take_over: true }
}

/// A validator on another machine has committed for epoch 5.
async fn other_committed(chain: &Arc<FakeChain>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    chain.advance_to(1_080);
    let mut other = Process::start(folder.path(), chain).await;
    other.prepare(1).await;
    other.run_to(1_083).await;
    assert_eq!(other.state(1).await, CommitState::Committed);
    folder
}

#[tokio::test]
async fn start_is_refused_when_the_chain_has_a_commit_of_another_process() {
    for chain in [FakeChain::with_beacon(2, now_ms()), FakeChain::new(2, now_ms())] {
        let (_other, mine) = (other_committed(&chain).await, tempfile::tempdir().unwrap());
        let mut process = Process::start(mine.path(), &chain).await;
        process.prepare(1).await;
        let error = process.try_pass().await.unwrap_err();
        assert!(matches!(error, Error::AnotherValidator { mecid: 1, block: 1_082 }), "{error}");
        assert!(!error.is_retryable() && error.to_string().contains("--take-over"), "{error}");
        assert_eq!(chain.commits_made(), 1, "nothing was sent");
    }
}

#[tokio::test]
async fn start_is_refused_when_a_new_journal_meets_fresh_weights() {
    // Already revealed: only the block of the last update tells.
    let chain = FakeChain::with_beacon(2, now_ms());
    let (_other, mine) = (other_committed(&chain).await, tempfile::tempdir().unwrap());
    chain.advance_to(1_110);
    assert!(stored(&chain, 1).is_some());
    let mut process = Process::start(mine.path(), &chain).await;
    let error = process.try_pass().await.unwrap_err();
    assert!(matches!(error, Error::AnotherValidator { .. }), "{error}");
    // Long after, the hotkey is free again.
    chain.advance_to(1_290);
    process.pass().await;
}

#[tokio::test]
async fn commits_are_adopted_when_the_operator_takes_over() {
    let chain = FakeChain::with_beacon(2, now_ms());
    let (_other, mine) = (other_committed(&chain).await, tempfile::tempdir().unwrap());
    let mut process = Process::with(mine.path(), &chain, take_over()).await;
    process.prepare(1).await;
    process.run_to(1_110).await;
    assert_eq!((chain.commits_made(), process.state(1).await), (2, CommitState::Revealed));
    // The next start needs no flag.
    process.kill().await;
    let mut process = Process::start(mine.path(), &chain).await;
    process.run_to(1_115).await;
}

#[tokio::test]
async fn validator_ends_when_another_commits_while_it_runs() {
    let chain = FakeChain::with_beacon(2, now_ms());
    chain.advance_to(1_070);
    let (mine, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut process = Process::with(mine.path(), &chain, take_over()).await;
    assert!(process.pass().await);
    process.prepare(1).await;
    let mut other = Process::start(theirs.path(), &chain).await;
    other.prepare(1).await;
    other.run_to(1_073).await;
    // Taking over is for what was there at the start.
    let error = process.try_pass().await.unwrap_err();
    assert!(matches!(error, Error::AnotherValidator { mecid: 1, .. }), "{error}");
}

#[tokio::test]
async fn start_is_free_when_the_hotkey_only_registered() {
    let chain = FakeChain::with_beacon(2, now_ms());
    chain.with(|s| {
        s.subnet.neurons[0].registered_at = 1_000;
        s.subnet.neurons[0].last_update = vec![1_000, 1_000];
    });
    let mine = tempfile::tempdir().unwrap();
    let mut process = Process::start(mine.path(), &chain).await;
    assert!(process.pass().await);
}
