// SPDX-License-Identifier: Apache-2.0
//! Timelocked commits: sealed, committed, revealed by the chain; killed at every boundary.

use clawrank_timelock::{DEV_BEACON_SEED, DevBeacon, WeightsPayload};

use super::*;

/// A chain with the development beacon, at block 1,080 of epoch 5, and a process with weights prepared.
async fn begin() -> (tempfile::TempDir, Arc<FakeChain>, Process) {
    let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::with_beacon(2, now_ms()));
    chain.advance_to(1_080);
    let process = Process::start(folder.path(), &chain).await;
    process.prepare(1).await;
    (folder, chain, process)
}

fn expected() -> Option<Vec<(u16, u16)>> {
    Some(vec![(1, 65_535), (2, 700)])
}

#[tokio::test]
async fn weights_are_revealed_by_the_chain_when_the_round_comes() {
    let (_folder, chain, mut process) = begin().await;
    process.prepare(0).await;
    process.run_to(1_099).await;
    assert_eq!(
        (chain.commits_made(), process.state(0).await, process.state(1).await),
        (2, CommitState::Committed, CommitState::Committed)
    );
    let row = process.rows().await.remove(0);
    assert_eq!((row.form, row.commit_epoch, row.chain_epoch), (CommitForm::Timelocked, 5, Some(5)));
    // What is on disk is what is on chain, and it opens to what was measured.
    let on_chain = chain.with(|s| s.timelocked[&(1, 5)][0].clone());
    assert_eq!(
        (&on_chain.commit, on_chain.reveal_round, Some(on_chain.block)),
        (&row.ciphertext, row.round, row.commit_block)
    );
    let signature = DevBeacon::from_seed(&DEV_BEACON_SEED).sign(row.round);
    let plain = clawrank_timelock::decrypt(&row.ciphertext, &signature).unwrap();
    let payload = WeightsPayload::decode(&plain, &key("Vali").public()).unwrap();
    assert_eq!((payload.uids, payload.values, payload.version_key), (row.uids, row.values, 1));
    // Not before three blocks into the epoch, and without a call.
    process.run_to(1_101).await;
    assert_eq!((stored(&chain, 1), process.state(1).await), (None, CommitState::Committed));
    process.run_to(1_106).await;
    assert_eq!((stored(&chain, 0), stored(&chain, 1), chain.reveals_made()), (expected(), expected(), 0));
    assert_eq!((process.state(0).await, process.state(1).await), (CommitState::Revealed, CommitState::Revealed));
}

#[tokio::test]
async fn commit_is_made_once_when_killed_around_it() {
    for (fault, restart_at) in [
        (Fault::KilledBefore, 1_081),
        (Fault::KilledAfter, 1_082),
        // In the pool, or in a block that is not final, for longer than a lost transaction is looked for.
        (Fault::KilledWaiting(12), 1_082),
        (Fault::KilledAfter, 1_102),
        (Fault::KilledAfter, 1_150),
    ] {
        let (folder, chain, mut process) = begin().await;
        chain.with(|s| s.faults.push_back(fault));
        assert!(!process.pass().await, "the fault kills the process");
        let sent = process.rows().await.remove(0);
        assert!(sent.state == CommitState::Submitted && !sent.ciphertext.is_empty(), "durable before it is sent");
        process.kill().await;
        chain.advance_to(restart_at);
        let mut process = Process::start(folder.path(), &chain).await;
        process.run_to(restart_at.max(1_106) + 2).await;
        assert_eq!((chain.commits_made(), stored(&chain, 1)), (1, expected()), "{fault:?} {restart_at}");
        assert_eq!(process.state(1).await, CommitState::Revealed, "{fault:?} {restart_at}");
        assert_eq!(process.rows().await.len(), 1);
    }
}

#[tokio::test]
async fn commit_is_sealed_anew_when_what_was_sent_is_lost_and_the_round_is_another() {
    let (_folder, chain, mut process) = begin().await;
    chain.with(|s| s.faults.push_back(Fault::UnknownBefore));
    assert!(process.pass().await);
    let lost = process.rows().await.remove(0);
    // The owner changes the tempo: the round that was chosen would be public long before the epoch ends.
    chain.with(|s| s.subnet.tempo = 150);
    process.run_to(1_095).await;
    let row = process.rows().await.remove(0);
    assert!(row.round > lost.round && row.ciphertext != lost.ciphertext);
    assert_eq!((row.state, chain.commits_made(), row.seq), (CommitState::Committed, 1, 0));
    process.run_to(1_160).await;
    assert_eq!((process.state(1).await, stored(&chain, 1)), (CommitState::Revealed, expected()));
}

#[tokio::test]
async fn commit_is_made_again_when_the_tempo_moves_its_epoch() {
    let (_folder, chain, mut process) = begin().await;
    process.run_to(1_085).await;
    let first = process.rows().await.remove(0);
    chain.with(|s| s.subnet.tempo = 150);
    process.run_to(1_095).await;
    let rows = process.rows().await;
    assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [CommitState::Superseded, CommitState::Committed]);
    assert!(rows[1].round > first.round && rows[1].chain_epoch == Some(5));
    process.run_to(1_160).await;
    let states: Vec<_> = process.rows().await.iter().map(|row| row.state).collect();
    assert_eq!((states, chain.commits_made()), (vec![CommitState::Superseded, CommitState::Revealed], 2));
    assert_eq!(stored(&chain, 1), expected());
}

#[tokio::test]
async fn commit_stands_and_says_why_when_the_rate_limit_forbids_another() {
    let (_folder, chain, mut process) = begin().await;
    chain.with(|s| s.subnet.weights_rate_limit = 100);
    process.run_to(1_085).await;
    chain.with(|s| s.subnet.tempo = 150);
    process.run_to(1_095).await;
    let rows = process.rows().await;
    assert_eq!((rows.len(), rows[0].state, chain.commits_made()), (1, CommitState::Committed, 1));
    assert!(rows[0].detail.contains("before epoch 6") && rows[0].detail.contains("rate limit"), "{}", rows[0].detail);
    process.run_to(1_160).await;
    assert_eq!((process.state(1).await, stored(&chain, 1)), (CommitState::Revealed, expected()));
}

#[tokio::test]
async fn commit_is_revealed_when_its_epoch_is_put_off() {
    let (_folder, chain, mut process) = begin().await;
    process.run_to(1_090).await;
    chain.with(|s| s.put_off = 2);
    process.run_to(1_110).await;
    assert_eq!(chain.with(|s| s.subnet.last_epoch_block), 1_102);
    assert_eq!(
        (process.state(1).await, chain.commits_made(), stored(&chain, 1)),
        (CommitState::Revealed, 1, expected())
    );
}

#[tokio::test]
async fn commit_is_made_again_when_a_uid_passes_to_another_hotkey() {
    let (_folder, chain, mut process) = begin().await;
    process.run_to(1_083).await;
    chain.with(|s| s.subnet.neurons[1].hotkey = key("Newcomer").public());
    process.run_to(1_106).await;
    let states: Vec<_> = process.rows().await.iter().map(|row| row.state).collect();
    assert_eq!((states, chain.commits_made()), (vec![CommitState::Superseded, CommitState::Revealed], 2));
    assert_eq!(stored(&chain, 1), Some(vec![(2, 65_535)]), "nothing for the newcomer");
}

#[tokio::test]
async fn keys_are_read_again_when_the_commit_is_about_to_be_sent() {
    let (_folder, chain, mut process) = begin().await;
    // The view that the pass starts from is older than the replacement.
    let old = chain.with(|s| s.subnet.clone());
    chain.with(|s| s.subnet.neurons[1].hotkey = key("Newcomer").public());
    process.views.send_replace(Some(Arc::new(View::new(old, &schedule()))));
    process.committer.pass().await.unwrap();
    let row = process.rows().await.remove(0);
    assert_eq!((row.uids.as_slice(), chain.commits_made()), ([2].as_slice(), 1));
}

#[tokio::test]
async fn alarm_and_new_commit_follow_when_a_round_is_left_out() {
    let (_folder, chain, mut process) = begin().await;
    process.run_to(1_090).await;
    let first = process.rows().await.remove(0);
    chain.with(|s| s.lost_rounds = first.round..first.round + 1);
    process.run_to(1_115).await;
    let rows = process.rows().await;
    assert_eq!(rows[0].state, CommitState::Expired);
    assert!(rows[0].detail.contains("left out"), "{}", rows[0].detail);
    assert_eq!(
        (rows[1].state, rows[1].commit_epoch, rows[1].uids.as_slice()),
        (CommitState::Committed, 6, [1, 2].as_slice())
    );
    process.run_to(1_210).await;
    assert_eq!((process.rows().await[1].state, stored(&chain, 1)), (CommitState::Revealed, expected()));
    assert_eq!(chain.commits_made(), 2);
}

#[tokio::test]
async fn alarm_alone_follows_when_a_new_commit_would_stand_in_the_way() {
    let (_folder, chain, mut process) = begin().await;
    process.run_to(1_090).await;
    let first = process.rows().await.remove(0);
    chain.with(|s| {
        s.lost_rounds = first.round..first.round + 1;
        // The running epoch's own weights go at 90 of 100: they would have to wait for this one.
        s.subnet.weights_rate_limit = 95;
    });
    process.run_to(1_150).await;
    let rows = process.rows().await;
    assert_eq!((rows.len(), rows[0].state, chain.commits_made()), (1, CommitState::Expired, 1));
}

#[tokio::test]
async fn reveal_is_awaited_when_the_beacon_is_late_and_missed_when_it_stays_away() {
    for back_at in [Some(1_150), None] {
        let (_folder, chain, mut process) = begin().await;
        process.run_to(1_095).await;
        chain.with(|s| s.beacon_is_down = true);
        process.run_to(1_149).await;
        let row = process.rows().await.remove(0);
        assert_eq!(row.state, CommitState::Committed);
        assert!(row.detail.contains("late"), "{}", row.detail);
        if let Some(block) = back_at {
            chain.with(|s| s.beacon_is_down = false);
            process.run_to(block + 2).await;
            assert_eq!((process.state(1).await, stored(&chain, 1)), (CommitState::Revealed, expected()));
        } else {
            process.run_to(1_202).await;
            let row = process.rows().await.remove(0);
            assert_eq!((row.state, stored(&chain, 1)), (CommitState::Expired, None));
            assert!(row.detail.contains("reveal epoch 6 ended"), "{}", row.detail);
        }
    }
}

#[tokio::test]
async fn alarm_follows_when_the_chain_drops_a_commit_without_a_word() {
    let (_folder, chain, mut process) = begin().await;
    process.run_to(1_090).await;
    // As the chain does where the weights no longer pass its checks.
    chain.with(|s| s.timelocked.clear());
    process.run_to(1_092).await;
    let rows = process.rows().await;
    assert_eq!(rows[0].state, CommitState::Expired);
    assert!(rows[0].detail.contains("gone"), "{}", rows[0].detail);
}

#[tokio::test]
async fn older_commit_raises_no_alarm_when_newer_weights_took_its_place_while_nobody_looked() {
    let (folder, chain, mut process) = begin().await;
    process.run_to(1_090).await;
    process.kill().await;
    let journal = journal(folder.path()).await;
    chain.advance_to(1_180);
    // The weights of epoch 6 were committed and revealed too.
    let subnet = chain.with(|s| s.subnet.clone());
    let newer = MechanismReport { uids: vec![2], weights: vec![65_535], ..weights(1) };
    let row = prepare(6, &newer, &subnet, 1);
    journal.prepare_commit(&row).await.unwrap();
    journal.advance_commit(row.key(), CommitState::Prepared, CommitState::Submitted, 1_180, None).await.unwrap();
    journal.advance_commit(row.key(), CommitState::Submitted, CommitState::Committed, 1_180, Some(6)).await.unwrap();
    Arc::into_inner(journal).unwrap().close().await;
    chain.advance_to(1_210);
    chain.with(|s| s.weights.insert((1, 0), vec![(2, 65_535)]));
    let mut process = Process::start(folder.path(), &chain).await;
    assert!(process.pass().await);
    assert_eq!(process.state(1).await, CommitState::Superseded);
}

#[tokio::test]
async fn nothing_is_committed_when_the_version_is_unknown() {
    let (folder, chain, mut process) = begin().await;
    chain.with(|s| s.subnet.commit_reveal_version = 5);
    process.run_to(1_085).await;
    assert_eq!((chain.with(|s| s.handed_over), process.state(1).await), (0, CommitState::Prepared));
    let text = std::fs::read_to_string(folder.path().join("reports/standing.json")).unwrap();
    let standing: crate::commit::standing::Standing = serde_json::from_str(&text).unwrap();
    assert_eq!((standing.blocked[1].reason.as_str(), standing.form), ("unknown_commit_version", None));
    // The chain goes back, or the program is upgraded.
    chain.with(|s| s.subnet.commit_reveal_version = 4);
    process.run_to(1_106).await;
    assert_eq!(stored(&chain, 1), expected());
}

#[tokio::test]
async fn no_eleventh_commit_is_made_when_ten_wait() {
    let (_folder, chain, mut process) = begin().await;
    let foreign: Vec<_> = (0..10u8).map(|i| vec![i; 20]).collect();
    process
        .journal
        .adopt_commits(&foreign.iter().map(|c| (clawrank_primitives::proof::blake2_256(c), 5)).collect::<Vec<_>>())
        .await
        .unwrap();
    chain.with(|s| {
        let hotkey = key("Vali").public();
        let commits = foreign.into_iter().map(|commit| clawrank_client::types::TimelockedCommit {
            hotkey,
            block: 1_079,
            commit,
            reveal_round: 1,
        });
        s.timelocked.insert((1, 5), commits.collect());
    });
    process.run_to(1_085).await;
    assert_eq!(chain.with(|s| s.handed_over), 0);
    assert!(process.rows().await[0].detail.contains("10 commits"));
}
