// SPDX-License-Identifier: Apache-2.0
//! Killed at every boundary: what was committed is revealed, and nothing is committed twice.

use proptest::prelude::*;

use super::*;

/// Prepares in epoch 5, meets `fault` with the first transaction, is killed, and starts again at `restart_at`.
async fn killed_at_commit(fault: Fault, restart_at: u64) -> (tempfile::TempDir, Arc<FakeChain>, Process) {
    let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::new(2, now_ms()));
    chain.advance_to(1_080);
    chain.with(|s| s.faults.push_back(fault));
    let mut process = Process::start(folder.path(), &chain).await;
    process.prepare(1).await;
    assert!(!process.pass().await, "the fault kills the process");
    process.kill().await;
    chain.advance_to(restart_at);
    let process = Process::start(folder.path(), &chain).await;
    (folder, chain, process)
}

#[tokio::test]
async fn commit_is_sent_when_killed_after_it_was_prepared() {
    let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::new(2, now_ms()));
    chain.advance_to(1_080);
    let process = Process::start(folder.path(), &chain).await;
    process.prepare(1).await;
    process.kill().await;
    let mut process = Process::start(folder.path(), &chain).await;
    process.run_to(1_110).await;
    assert_eq!((chain.commits_made(), chain.reveals_made()), (1, 1));
    assert_eq!(process.rows().await.len(), 1);
}

#[tokio::test]
async fn commit_is_sent_again_when_killed_before_it_left() {
    let (_folder, chain, mut process) = killed_at_commit(Fault::KilledBefore, 1_081).await;
    assert_eq!(process.state(1).await, CommitState::Submitted);
    process.run_to(1_083).await;
    assert_eq!(chain.with(|s| s.handed_over), 1, "it is only looked for at first");
    process.run_to(1_110).await;
    assert_eq!((chain.commits_made(), chain.reveals_made()), (1, 1));
    assert_eq!(process.state(1).await, CommitState::Revealed);
}

#[tokio::test]
async fn commit_is_not_sent_again_when_killed_after_it_landed() {
    let (_folder, chain, mut process) = killed_at_commit(Fault::KilledAfter, 1_082).await;
    process.run_to(1_110).await;
    assert_eq!((chain.commits_made(), chain.reveals_made()), (1, 1));
    assert_eq!(stored(&chain, 1), Some(vec![(1, 65_535), (2, 700)]));
}

#[tokio::test]
async fn commit_is_revealed_when_killed_until_the_next_epoch() {
    let (_folder, chain, mut process) = killed_at_commit(Fault::KilledAfter, 1_150).await;
    process.run_to(1_155).await;
    assert_eq!((chain.commits_made(), chain.reveals_made()), (1, 1));
    assert_eq!(process.state(1).await, CommitState::Revealed);
}

#[tokio::test]
async fn commit_expires_when_killed_before_it_left_and_the_epoch_is_over() {
    let (_folder, chain, mut process) = killed_at_commit(Fault::KilledBefore, 1_150).await;
    assert!(process.pass().await);
    assert_eq!(process.state(1).await, CommitState::Expired);
    assert_eq!(chain.commits_made(), 0);
}

#[tokio::test]
async fn reveal_is_not_repeated_when_killed_around_it() {
    for (fault, reveals_before) in [(Fault::KilledBefore, 0), (Fault::KilledAfter, 1)] {
        let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::new(2, now_ms()));
        chain.advance_to(1_080);
        let mut process = Process::start(folder.path(), &chain).await;
        process.prepare(1).await;
        process.run_to(1_099).await;
        chain.with(|s| s.faults.push_back(fault));
        chain.advance_to(1_101);
        assert!(!process.pass().await);
        assert_eq!(chain.reveals_made(), reveals_before);
        process.kill().await;
        let mut process = Process::start(folder.path(), &chain).await;
        process.run_to(1_120).await;
        assert_eq!((chain.commits_made(), chain.reveals_made()), (1, 1), "{fault:?}");
        assert_eq!(process.state(1).await, CommitState::Revealed);
    }
}

#[tokio::test]
async fn commit_is_made_once_when_the_connection_breaks() {
    for fault in [Fault::BrokenBefore, Fault::BrokenAfter, Fault::UnknownBefore, Fault::UnknownAfter, Fault::PoolBusy] {
        let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::new(2, now_ms()));
        chain.advance_to(1_080);
        chain.with(|s| s.faults.push_back(fault));
        let mut process = Process::start(folder.path(), &chain).await;
        process.prepare(1).await;
        process.run_to(1_110).await;
        assert_eq!((chain.commits_made(), chain.reveals_made()), (1, 1), "{fault:?}");
        assert_eq!(process.state(1).await, CommitState::Revealed, "{fault:?}");
    }
}

#[tokio::test]
async fn commit_waits_until_the_transaction_is_dead_when_its_outcome_is_unknown() {
    let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::new(2, now_ms()));
    chain.advance_to(1_080);
    chain.with(|s| s.faults.push_back(Fault::UnknownBefore));
    let mut process = Process::start(folder.path(), &chain).await;
    process.prepare(1).await;
    assert!(process.pass().await);
    // It is valid up to 1,084.
    process.run_to(1_083).await;
    assert_eq!(chain.with(|s| s.handed_over), 1);
    process.run_to(1_090).await;
    assert_eq!((chain.with(|s| s.handed_over), chain.commits_made()), (2, 1));
}

fn fault() -> impl Strategy<Value = Option<Fault>> {
    prop_oneof![
        3 => Just(None),
        1 => Just(Some(Fault::KilledBefore)),
        1 => Just(Some(Fault::KilledAfter)),
        1 => Just(Some(Fault::BrokenBefore)),
        1 => Just(Some(Fault::BrokenAfter)),
        1 => Just(Some(Fault::UnknownBefore)),
        1 => Just(Some(Fault::UnknownAfter)),
        1 => Just(Some(Fault::PoolBusy)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever faults meet its transactions, with a restart after each kill: at most one commit per epoch, no reveal
    /// outside its epoch, and the weights on chain are those prepared.
    #[test]
    fn commits_stay_single_when_faults_come_in_any_order(
        faults in proptest::collection::vec(fault(), 0..6),
        strides in proptest::collection::vec(1u64..12, 40),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::new(2, now_ms()));
            chain.advance_to(1_070);
            let mut process = Process::start(folder.path(), &chain).await;
            process.prepare(1).await;
            // `None` stands for a transaction that nothing happens to; the fake takes faults first come, first served.
            chain.with(|s| s.faults.extend(faults.iter().flatten()));
            for stride in strides {
                if !process.pass().await {
                    process.kill().await;
                    process = Process::start(folder.path(), &chain).await;
                }
                let head = chain.with(|s| s.subnet.head.number);
                chain.advance_to((head + stride).min(1_198));
            }
            assert!(chain.commits_made() <= 1, "committed twice");
            assert!(chain.reveals_made() <= chain.commits_made());
            let row = process.journal.commit(5, 1).await.unwrap().unwrap();
            match row.state {
                CommitState::Revealed => {
                    let weights = row.uids.iter().copied().zip(row.values.iter().copied()).collect::<Vec<_>>();
                    assert_eq!(stored(&chain, 1), Some(weights));
                }
                CommitState::Expired => assert_eq!(chain.commits_made(), 0, "a commit that was made must be revealed"),
                other => panic!("still {other} at the end of the reveal's epoch"),
            }
        });
    }
}
