// SPDX-License-Identifier: Apache-2.0
//! Nodes that restart, pools that refuse, blocks that are orphaned: with timelocked commits.

use proptest::prelude::*;

use super::*;

async fn begin() -> (tempfile::TempDir, Arc<FakeChain>, Process) {
    let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::with_beacon(2, now_ms()));
    chain.advance_to(1_080);
    let process = Process::start(folder.path(), &chain).await;
    process.prepare(1).await;
    (folder, chain, process)
}

#[tokio::test]
async fn commit_is_made_once_when_the_pool_or_the_connection_refuses() {
    for fault in [
        Fault::BrokenBefore,
        Fault::BrokenAfter,
        Fault::UnknownBefore,
        Fault::UnknownAfter,
        Fault::PoolBusy,
        Fault::Stale,
        Fault::Custom(6),
        Fault::Custom(15),
        Fault::Custom(255),
        Fault::Orphaned(2),
        Fault::Orphaned(3),
    ] {
        let (_folder, chain, mut process) = begin().await;
        chain.with(|s| s.faults.push_back(fault));
        process.run_to(1_108).await;
        assert_eq!((chain.commits_made(), process.state(1).await), (1, CommitState::Revealed), "{fault:?}");
        assert_eq!(stored(&chain, 1), Some(vec![(1, 65_535), (2, 700)]), "{fault:?}");
    }
}

#[tokio::test]
async fn refusal_is_told_by_its_name_when_the_pool_gives_a_code() {
    let (_folder, chain, mut process) = begin().await;
    chain.with(|s| s.faults.push_back(Fault::Custom(15)));
    assert!(process.pass().await);
    let row = process.rows().await.remove(0);
    assert!(row.detail.contains("InvalidRevealRound") && row.state == CommitState::Prepared, "{}", row.detail);
}

#[tokio::test]
async fn commit_goes_out_when_the_node_comes_back() {
    let (_folder, chain, mut process) = begin().await;
    chain.with(|s| s.unreadable = true);
    process.run_to(1_088).await;
    assert_eq!(chain.with(|s| s.handed_over), 0);
    chain.with(|s| s.unreadable = false);
    process.run_to(1_106).await;
    assert_eq!((chain.commits_made(), process.state(1).await), (1, CommitState::Revealed));
}

#[tokio::test]
async fn commit_is_made_again_when_it_lands_in_the_next_epoch() {
    // Handed over in epoch 5, in a block of epoch 6: its round is public an epoch early, so another follows.
    let (_folder, chain, mut process) = begin().await;
    chain.with(|s| s.unreadable = true);
    process.run_to(1_095).await;
    chain.with(|s| {
        s.unreadable = false;
        s.faults.push_back(Fault::Orphaned(5));
    });
    process.run_to(1_105).await;
    let rows = process.rows().await;
    assert_eq!((rows[0].state, rows[0].chain_epoch), (CommitState::Superseded, Some(6)));
    assert_eq!((rows[1].state, rows[1].commit_epoch), (CommitState::Committed, 6));
    assert!(rows[1].round > rows[0].round);
    process.run_to(1_206).await;
    assert_eq!((process.state(1).await, chain.commits_made()), (CommitState::Revealed, 2));
}

#[tokio::test]
async fn commit_is_made_once_when_blocks_become_final_late() {
    // Seen final is block 1,096 of epoch 5, the best is 1,101 of epoch 6: the round is one for epoch 6.
    let (_folder, chain, mut process) = begin().await;
    chain.with(|s| s.unreadable = true);
    process.run_to(1_095).await;
    chain.with(|s| {
        (s.unreadable, s.best_ahead) = (false, 5);
        s.faults.push_back(Fault::Orphaned(5));
    });
    process.run_to(1_206).await;
    let rows = process.rows().await;
    assert_eq!((rows.len(), rows[0].commit_epoch, rows[0].chain_epoch), (1, 6, Some(6)));
    assert_eq!((rows[0].state, chain.commits_made()), (CommitState::Revealed, 1));
}

#[tokio::test]
async fn commit_waits_for_the_next_epoch_when_the_present_one_is_about_to_end() {
    let (_folder, chain, mut process) = begin().await;
    chain.with(|s| s.unreadable = true);
    process.run_to(1_097).await;
    chain.with(|s| s.unreadable = false);
    process.run_to(1_098).await;
    assert_eq!((chain.with(|s| s.handed_over), process.state(1).await), (0, CommitState::Prepared));
    assert!(process.rows().await[0].detail.contains("epoch ends in block 1100"), "{}", process.rows().await[0].detail);
    process.run_to(1_104).await;
    let rows = process.rows().await;
    assert_eq!((rows.len(), rows[0].state, rows[0].chain_epoch), (1, CommitState::Committed, Some(6)));
    process.run_to(1_206).await;
    assert_eq!((process.state(1).await, chain.commits_made()), (CommitState::Revealed, 1));
}

#[tokio::test]
async fn late_weights_are_given_up_when_they_would_keep_the_next_ones_waiting() {
    // Own weights of epoch 6 are made from block 1,160 on and may be set 50 blocks after the last setting.
    for (readable_at, sent) in [(1_105, 1), (1_112, 0)] {
        let (_folder, chain, mut process) = begin().await;
        chain.with(|s| (s.unreadable, s.subnet.weights_rate_limit) = (true, 50));
        process.run_to(readable_at).await;
        chain.with(|s| s.unreadable = false);
        process.run_to(1_120).await;
        assert_eq!(chain.commits_made(), sent, "readable at {readable_at}");
        let expected = if sent == 1 { CommitState::Committed } else { CommitState::Expired };
        assert_eq!(process.state(1).await, expected);
    }
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::KilledBefore),
        Just(Fault::KilledAfter),
        Just(Fault::BrokenBefore),
        Just(Fault::BrokenAfter),
        Just(Fault::UnknownBefore),
        Just(Fault::UnknownAfter),
        Just(Fault::PoolBusy),
        Just(Fault::Stale),
        Just(Fault::Custom(6)),
        Just(Fault::Orphaned(2)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever faults meet its transactions, with a restart after each kill: at most one commit, and where one was made
    /// its weights are revealed.
    #[test]
    fn timelocked_commits_stay_single_when_faults_come_in_any_order(
        faults in proptest::collection::vec(fault(), 0..5),
        strides in proptest::collection::vec(1u64..9, 64),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let (folder, chain, mut process) = begin().await;
            chain.with(|s| s.faults.extend(faults.iter()));
            for stride in strides {
                if !process.pass().await {
                    process.kill().await;
                    process = Process::start(folder.path(), &chain).await;
                }
                let head = chain.with(|s| s.subnet.head.number);
                chain.advance_to((head + stride).min(1_210));
            }
            assert!(chain.commits_made() <= 1, "committed twice");
            let row = process.rows().await.remove(0);
            match row.state {
                CommitState::Revealed => assert_eq!(stored(&chain, 1), Some(vec![(1, 65_535), (2, 700)])),
                CommitState::Expired => assert_eq!(chain.commits_made(), 0, "a commit that was made is revealed: {}", row.detail),
                other => panic!("still {other} after the epoch that late weights are revealed in"),
            }
        });
    }
}
