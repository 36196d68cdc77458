// SPDX-License-Identifier: Apache-2.0

use super::*;

fn row(state: CommitState) -> CommitRow {
    let subnet = snapshot(1_090, 2);
    let mut row = prepare(5, &weights(1), &subnet, 1);
    seal(&mut row, &subnet, &key("Vali").public(), Seal::Salted).unwrap();
    row.state = state;
    row.block = 1_090;
    row
}

/// Decides at `block` of the epoch `epoch`, with the commit on chain or not, and its weights stored or not.
fn at(row: &CommitRow, block: u64, epoch: u64, on_chain: bool, stored: bool) -> Step {
    let mut subnet = snapshot(block, 2);
    subnet.epoch_index = epoch;
    subnet.last_epoch_block = 1_000 + (epoch - 5) * 100;
    let clock = EpochClock::at(&subnet, &schedule()).unwrap();
    let commits = [OwnCommit { form: CommitForm::Salted, hash: row.hash, epoch: 5, block: 1_091 }];
    let weights: Vec<(u16, u16)> = row.uids.iter().copied().zip(row.values.iter().copied()).collect();
    let facts = Facts {
        best: 0,
        is_pending: false,
        subnet: &subnet,
        clock: &clock,
        me: subnet.neurons.first(),
        own: if on_chain { &commits } else { &[] },
        stored: if stored { &weights } else { &[] },
        beacon: None,
        has_pulse: false,
        mode: CommitMode::Auto,
        resubmit_after_blocks: 4,
    };
    next(row, &facts)
}

#[test]
fn prepared_is_sent_when_its_epoch_is_open() {
    let row = row(CommitState::Prepared);
    assert_eq!(at(&row, 1_090, 5, false, false), Step::Send);
    assert_eq!(at(&row, 1_098, 5, false, false), Step::Send);
    // In the next epoch, as long as it does not come after that epoch's own.
    assert_eq!(at(&row, 1_099, 5, false, false), Step::Send);
    assert_eq!(at(&row, 1_159, 6, false, false), Step::Send);
    assert!(matches!(at(&row, 1_160, 6, false, false), Step::Expired(_)));
    assert!(matches!(at(&row, 1_201, 7, false, false), Step::Expired(_)));
    assert!(matches!(at(&row, 1_092, 5, true, false), Step::Committed { chain_epoch: 5, block: 1_091 }));
}

#[test]
fn submitted_is_looked_for_before_it_is_sent_again_when_unseen() {
    let row = row(CommitState::Submitted);
    assert_eq!(at(&row, 1_092, 5, true, false), Step::Committed { chain_epoch: 5, block: 1_091 });
    assert!(matches!(at(&row, 1_093, 5, false, false), Step::Wait(_)));
    assert_eq!(at(&row, 1_094, 5, false, false), Step::Send);
    assert!(matches!(at(&row, 1_120, 6, false, false), Step::Expired(_)));
    // It can also land late, in the next epoch.
    assert!(matches!(at(&row, 1_120, 6, true, false), Step::Committed { .. }));
}

#[test]
fn committed_is_revealed_in_its_epoch_only_when_time_passes() {
    let row = CommitRow { chain_epoch: Some(5), ..row(CommitState::Committed) };
    assert!(matches!(at(&row, 1_095, 5, true, false), Step::Wait(_)));
    assert_eq!(at(&row, 1_101, 6, true, false), Step::Reveal);
    assert_eq!(at(&row, 1_198, 6, true, false), Step::Reveal);
    assert!(matches!(at(&row, 1_199, 6, true, false), Step::Wait(_)));
    assert!(matches!(at(&row, 1_201, 7, true, false), Step::Missed(_)));
    assert_eq!(at(&row, 1_150, 6, false, true), Step::Revealed);
    assert_eq!(at(&row, 1_250, 7, false, true), Step::Revealed);
    // Gone and not there: revealed by nobody.
    assert!(matches!(at(&row, 1_150, 6, false, false), Step::Wait(_)));
    assert!(matches!(at(&row, 1_201, 7, false, false), Step::Missed(_)));
}

#[test]
fn committed_waits_as_long_as_the_chain_says_when_it_landed_late() {
    // Sent in epoch 5, in a block of epoch 6: the chain wants the reveal in epoch 7.
    let row = CommitRow { chain_epoch: Some(6), ..row(CommitState::Committed) };
    let mut subnet = snapshot(1_150, 2);
    subnet.epoch_index = 6;
    subnet.last_epoch_block = 1_100;
    let commits = [OwnCommit { form: CommitForm::Salted, hash: row.hash, epoch: 6, block: 1_101 }];
    let clock = EpochClock::at(&subnet, &schedule()).unwrap();
    let facts = Facts {
        best: 0,
        is_pending: false,
        subnet: &subnet,
        clock: &clock,
        me: subnet.neurons.first(),
        own: &commits,
        stored: &[],
        beacon: None,
        has_pulse: false,
        mode: CommitMode::Auto,
        resubmit_after_blocks: 4,
    };
    assert_eq!(next(&row, &facts), Step::Wait("reveal is due in epoch 7".into()));
}

#[test]
fn replaced_uid_is_dropped_when_another_hotkey_has_it() {
    let mut subnet = snapshot(1_090, 2);
    let mut fresh = row(CommitState::Prepared);
    drop_replaced(&mut fresh, &subnet);
    assert!(!fresh.salt.is_empty(), "what has not changed stays sealed");
    subnet.neurons[1].hotkey = key("Newcomer").public();
    drop_replaced(&mut fresh, &subnet);
    // What is left is scaled up again, as the chain would.
    assert_eq!((fresh.uids.as_slice(), fresh.values.as_slice()), ([2].as_slice(), [65_535].as_slice()));
    assert_eq!(fresh.hotkeys, [key("Miner2").public()]);
    assert!(fresh.salt.is_empty(), "another payload wants another salt");
}

#[test]
fn salts_differ_when_rows_are_sealed_again() {
    let (first, second) = (row(CommitState::Prepared), row(CommitState::Prepared));
    assert_eq!(first.salt.len(), SALT_LEN);
    assert_ne!((&first.salt, first.hash), (&second.salt, second.hash));
}

#[tokio::test]
async fn weights_are_committed_and_revealed_when_all_goes_well() {
    let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::new(2, now_ms()));
    chain.advance_to(1_080);
    let mut process = Process::start(folder.path(), &chain).await;
    process.prepare(0).await;
    process.prepare(1).await;
    process.run_to(1_099).await;
    assert_eq!(chain.commits_made(), 2);
    assert_eq!((process.state(0).await, process.state(1).await), (CommitState::Committed, CommitState::Committed));
    assert_eq!(chain.reveals_made(), 0);
    process.run_to(1_110).await;
    assert_eq!((process.state(0).await, process.state(1).await), (CommitState::Revealed, CommitState::Revealed));
    for mecid in [0, 1] {
        assert_eq!(stored(&chain, mecid), Some(vec![(1, 65_535), (2, 700)]));
    }
    let epochs: Vec<u64> = chain.with(|s| s.log.iter().map(|(block, _)| (block - 1_000) / 100 + 5).collect());
    assert_eq!(epochs, [5, 5, 6, 6]);
    assert!(process.journal.open_commits().await.unwrap().is_empty());
}

#[tokio::test]
async fn weights_go_by_the_plain_calls_when_there_is_one_mechanism() {
    for commit_reveal in [true, false] {
        let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::new(2, now_ms()));
        chain.advance_to(1_080);
        chain.with(|s| {
            s.subnet.mechanism_count = 1;
            s.subnet.commit_reveal = commit_reveal;
        });
        let mut process = Process::start(folder.path(), &chain).await;
        process.prepare(0).await;
        process.run_to(1_110).await;
        assert_eq!(process.state(0).await, CommitState::Revealed);
        assert_eq!(stored(&chain, 0), Some(vec![(1, 65_535), (2, 700)]));
        let plain = chain.count(|call| matches!(call, Call::SetWeights { .. }));
        let committed = chain.count(|call| matches!(call, Call::CommitWeights { .. } | Call::RevealWeights { .. }));
        assert_eq!((plain, committed), if commit_reveal { (0, 2) } else { (1, 0) });
    }
}

#[tokio::test]
async fn commit_follows_the_chain_when_it_switches_commit_reveal_off() {
    let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::new(2, now_ms()));
    chain.advance_to(1_080);
    let mut process = Process::start(folder.path(), &chain).await;
    process.prepare(1).await;
    chain.with(|s| s.subnet.commit_reveal = false);
    process.run_to(1_084).await;
    assert_eq!(chain.count(|call| matches!(call, Call::SetMechanismWeights { mecid: 1, .. })), 1);
    assert_eq!(process.state(1).await, CommitState::Revealed);
}

#[tokio::test]
async fn commit_waits_for_the_block_that_the_rate_limit_allows_when_too_early() {
    let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::new(2, now_ms()));
    chain.advance_to(1_080);
    chain.with(|s| {
        s.subnet.weights_rate_limit = 15;
        // As after a registration: the chain counts it as an update.
        s.subnet.neurons[0].last_update[1] = 1_075;
        s.subnet.neurons[0].registered_at = 1_075;
    });
    let mut process = Process::start(folder.path(), &chain).await;
    process.prepare(1).await;
    process.run_to(1_088).await;
    assert_eq!((chain.with(|s| s.handed_over), process.state(1).await), (0, CommitState::Prepared));
    assert!(process.journal.commit(5, 1).await.unwrap().unwrap().detail.contains("1090"));
    process.run_to(1_095).await;
    assert_eq!((chain.with(|s| s.handed_over), process.state(1).await), (1, CommitState::Committed));
}

#[tokio::test]
async fn commit_leaves_out_a_replaced_uid_when_it_is_sent() {
    let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::new(2, now_ms()));
    chain.advance_to(1_080);
    let mut process = Process::start(folder.path(), &chain).await;
    process.prepare(1).await;
    chain.with(|s| s.subnet.neurons[1].hotkey = key("Newcomer").public());
    process.run_to(1_110).await;
    assert_eq!(stored(&chain, 1), Some(vec![(2, 65_535)]));
    assert_eq!(chain.commits_made(), 1);
}

#[tokio::test]
async fn nothing_is_sent_when_the_chain_stands_still() {
    let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::new(2, now_ms()));
    chain.advance_to(1_080);
    chain.with(|s| s.faults.extend([Fault::BrokenBefore; 20]));
    let mut process = Process::start(folder.path(), &chain).await;
    process.prepare(1).await;
    for _ in 0..10 {
        assert!(process.pass().await);
    }
    // One try, then pauses that only blocks end.
    assert_eq!(chain.with(|s| s.handed_over), 1);
    chain.with(|s| s.faults.clear());
    process.run_to(1_095).await;
    assert_eq!((chain.commits_made(), process.state(1).await), (1, CommitState::Committed));
}

#[tokio::test]
async fn reveal_expires_with_an_alarm_when_its_epoch_is_missed() {
    let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::new(2, now_ms()));
    chain.advance_to(1_080);
    let mut process = Process::start(folder.path(), &chain).await;
    process.prepare(1).await;
    process.run_to(1_090).await;
    process.kill().await;
    chain.advance_to(1_250);
    let mut process = Process::start(folder.path(), &chain).await;
    assert!(process.pass().await);
    let rows = process.rows().await;
    assert_eq!((rows[0].state, chain.reveals_made()), (CommitState::Expired, 0));
    assert!(rows[0].detail.contains("epoch 6"), "{}", rows[0].detail);
    // There is time before the running epoch's own weights: the same ones are committed again.
    assert_eq!((rows[1].state, rows[1].commit_epoch), (CommitState::Prepared, 7));
    process.run_to(1_310).await;
    assert_eq!((process.state(1).await, chain.reveals_made()), (CommitState::Revealed, 1));
}

#[tokio::test]
async fn verdicts_are_sent_once_when_the_chain_takes_them() {
    let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::new(2, now_ms()));
    chain.advance_to(1_080);
    chain.with(|s| {
        s.provider_rank = true;
        s.faults.push_back(Fault::PoolBusy);
    });
    let mut process = Process::start(folder.path(), &chain).await;
    let payload = r#"[{"uid":1,"tripped":true,"reason":8,"score":0}]"#;
    process.journal.prepare_verdicts(5, payload, 1_080).await.unwrap();
    process.run_to(1_090).await;
    let sent = chain.with(|s| s.verdicts.clone());
    assert_eq!((sent.len(), sent[0].0, sent[0].1[0].reason), (1, 5, 8));
    assert!(process.journal.open_verdicts().await.unwrap().is_empty());
    // Those of an epoch that is over are settled without being sent.
    process.journal.prepare_verdicts(4, payload, 1_090).await.unwrap();
    process.run_to(1_091).await;
    assert!(process.journal.open_verdicts().await.unwrap().is_empty());
    assert_eq!(chain.with(|s| s.verdicts.len()), 1);
}
