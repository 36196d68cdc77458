// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::Path;

use super::*;

/// Key of `commit(1)`.
const KEY: CommitKey = CommitKey { epoch: 1, mecid: 1, seq: 0 };
const ME: Identity = Identity { genesis: [1; 32], netuid: 92, hotkey: [2; 32] };

async fn open(folder: &Path) -> Journal {
    Journal::open(folder, ME, Options::default()).await.unwrap()
}

fn probe(hotkey: u8, at_ms: u64) -> ProbeRow {
    ProbeRow {
        hotkey: [hotkey; 32],
        gateway: [9; 32],
        model: "m".into(),
        at_ms,
        answered: at_ms.is_multiple_of(2),
        response_ms: 70,
        detail: String::new(),
    }
}

fn receipt(id: u8, minute: u64) -> ReceiptRow {
    ReceiptRow { id: vec![id; 16], miner: [3; 32], payer: [4; 32], minute, tokens: 10, fee_micro_usd: 3 }
}

fn commit(epoch: u64) -> CommitRow {
    CommitRow {
        epoch,
        mecid: 1,
        seq: 0,
        commit_epoch: epoch,
        form: CommitForm::Timelocked,
        single_mechanism: false,
        uids: vec![0, 5],
        values: vec![65_535, 7],
        hotkeys: vec![[6; 32], [7; 32]],
        salt: vec![1, 2, 65_535],
        version_key: u64::MAX,
        ciphertext: vec![0, 255, 3],
        round: 1_000_000,
        hash: [8; 32],
        state: CommitState::Prepared,
        block: 100,
        chain_epoch: None,
        commit_block: None,
        attempts: 0,
        detail: String::new(),
    }
}

fn bundle(epoch: u64, hotkey: u8) -> BundleRow {
    BundleRow {
        epoch,
        hotkey: [hotkey; 32],
        root: [5; 32],
        count: 3,
        block: 50,
        reason: 0,
        evidence: String::new(),
        summary: vec![1, 2, 3],
    }
}

fn replay(epoch: u64, task: u8) -> ReplayRow {
    ReplayRow {
        epoch,
        cell: [1; 32],
        task_id: [task; 32],
        started_ms: 5,
        ttft_ms: 6,
        total_ms: 7,
        input_tokens: 8,
        output_tokens: 9,
        status: 0,
        schema: 1,
        answer: 2,
        cost_micro_usd: 11,
    }
}

#[tokio::test]
async fn journal_keeps_everything_when_reopened_without_closing() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).await;
    journal.record_probe(&probe(1, 2)).await.unwrap();
    journal.record_receipts(&[9; 32], &[receipt(1, 60)], 17).await.unwrap();
    journal.record_refusals(&[9; 32], "bad signature", 2).await.unwrap();
    journal.record_bundle(&bundle(4, 1)).await.unwrap();
    journal.record_replay(&replay(4, 1)).await.unwrap();
    journal.begin_epoch(4, 40, 46).await.unwrap();
    journal.fix_seed(4, &[12; 32], "[]").await.unwrap();
    journal.store_report(4, "{}").await.unwrap();
    journal.prepare_commit(&commit(4)).await.unwrap();
    journal.prepare_verdicts(4, "[]", 9).await.unwrap();
    // A killed process writes nothing more: copy what is on disk at this instant, without any close.
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }

    let reopened = open(copy.path()).await;
    assert_eq!(reopened.probes().await.unwrap(), [probe(1, 2)]);
    assert_eq!(reopened.cursor(&[9; 32]).await.unwrap(), 17);
    assert_eq!(reopened.traffic(0, 100).await.unwrap().len(), 1);
    assert_eq!(reopened.refusals().await.unwrap(), [([9; 32], "bad signature".to_owned(), 2)]);
    assert_eq!(reopened.bundles(4).await.unwrap(), [bundle(4, 1)]);
    assert_eq!(reopened.replays(4).await.unwrap(), [replay(4, 1)]);
    let epoch = reopened.epoch(4).await.unwrap().unwrap();
    assert_eq!((epoch.seed, epoch.report.as_str(), epoch.checked), (Some([12; 32]), "{}", false));
    assert_eq!(reopened.open_commits().await.unwrap(), [commit(4)]);
    assert_eq!(reopened.open_verdicts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn journal_refuses_a_second_process_when_open() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).await;
    let error = Journal::open(folder.path(), ME, Options::default()).await.unwrap_err();
    assert!(matches!(error, JournalError::Held { .. }), "{error}");
    assert!(!error.is_retryable());
    first.close().await;
    open(folder.path()).await;
}

#[tokio::test]
async fn journal_refuses_another_identity_when_reopened() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).await.close().await;
    for (other, name) in [
        (Identity { genesis: [0; 32], ..ME }, "chain"),
        (Identity { netuid: 1, ..ME }, "subnet"),
        (Identity { hotkey: [0; 32], ..ME }, "hotkey"),
    ] {
        let error = Journal::open(folder.path(), other, Options::default()).await.unwrap_err();
        assert!(matches!(error, JournalError::Foreign { what, .. } if what == name), "{error}");
    }
}

#[tokio::test]
async fn journal_reports_damage_when_the_file_is_truncated() {
    for keep in [1_usize, 100, 4_096, 20_000] {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(folder.path()).await;
        for i in 0..200 {
            journal.record_replay(&replay(1, i)).await.unwrap();
        }
        journal.close().await;
        let path = folder.path().join("journal.db");
        let mut bytes = std::fs::read(&path).unwrap();
        assert!(bytes.len() > keep);
        bytes.truncate(keep);
        std::fs::write(&path, bytes).unwrap();
        let error = Journal::open(folder.path(), ME, Options::default()).await.unwrap_err();
        assert!(matches!(error, JournalError::Damaged { .. } | JournalError::Lost { .. }), "{keep}: {error}");
        assert!(error.to_string().contains("backup"), "{error}");
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn journal_reports_loss_when_the_file_is_empty_or_gone() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).await.close().await;
    let path = folder.path().join("journal.db");
    std::fs::write(&path, b"").unwrap();
    let error = Journal::open(folder.path(), ME, Options::default()).await.unwrap_err();
    assert!(matches!(error, JournalError::Lost { .. }), "{error}");
    std::fs::remove_file(&path).unwrap();
    let error = Journal::open(folder.path(), ME, Options::default()).await.unwrap_err();
    assert!(matches!(error, JournalError::Lost { .. }), "{error}");
}

#[tokio::test]
async fn journal_reports_damage_when_the_file_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).await.close().await;
    std::fs::write(folder.path().join("journal.db"), vec![0x5a; 30_000]).unwrap();
    let error = Journal::open(folder.path(), ME, Options::default()).await.unwrap_err();
    assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn journal_refuses_another_schema_when_opened() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).await;
    sqlx::raw_sql("PRAGMA user_version = 7").execute(&journal.writer).await.unwrap();
    journal.close().await;
    let error = Journal::open(folder.path(), ME, Options::default()).await.unwrap_err();
    assert!(matches!(error, JournalError::Schema { found: 7, .. }), "{error}");
}

#[tokio::test]
async fn journal_loses_nothing_when_the_disk_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), ME, Options { max_pages: Some(60) }).await.unwrap();
    journal.prepare_commit(&commit(1)).await.unwrap();
    let mut written = 0_u64;
    let error = loop {
        let receipts: Vec<_> = (0..50)
            .map(|i| ReceiptRow { id: (written * 50 + i).to_le_bytes().repeat(2), ..receipt(0, written) })
            .collect();
        match journal.record_receipts(&[9; 32], &receipts, written + 1).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 10_000, "the limit never applied");
    };
    assert!(matches!(error, JournalError::Full { .. }), "{error}");
    assert!(error.is_retryable());
    assert!(error.to_string().contains("free disk space"), "{error}");

    // And again, for as long as there is no room.
    for _ in 0..3 {
        let receipts: Vec<_> = (0..50)
            .map(|i| ReceiptRow { id: (written * 50 + i).to_le_bytes().repeat(2), ..receipt(0, written) })
            .collect();
        let error = journal.record_receipts(&[9; 32], &receipts, written + 1).await.unwrap_err();
        assert!(matches!(error, JournalError::Full { .. }), "{error}");
    }

    // What was acknowledged is there, of the refused page there is nothing, and reading goes on.
    assert_eq!(journal.cursor(&[9; 32]).await.unwrap(), written);
    let tokens: u64 = journal.traffic(0, 20_000).await.unwrap().iter().map(|row| row.tokens).sum();
    assert_eq!(tokens, written * 500);

    // It goes on as soon as there is room.
    sqlx::raw_sql("PRAGMA max_page_count = 100000").execute(&journal.writer).await.unwrap();
    journal.record_receipts(&[8; 32], &[receipt(201, 8)], 1).await.unwrap();
    journal.close().await;

    let roomy = open(folder.path()).await;
    assert_eq!(roomy.cursor(&[9; 32]).await.unwrap(), written);
    assert_eq!(roomy.open_commits().await.unwrap(), [commit(1)]);
    roomy.record_receipts(&[9; 32], &[receipt(200, 7)], written + 1).await.unwrap();
}

#[tokio::test]
async fn probes_keep_the_last_hundred_when_there_are_more() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).await;
    for i in 0..105 {
        journal.record_probe(&probe(1, i)).await.unwrap();
    }
    journal.record_probe(&probe(2, 1)).await.unwrap();
    let probes = journal.probes().await.unwrap();
    let times: Vec<u64> = probes.iter().filter(|p| p.hotkey == [1; 32]).map(|p| p.at_ms).collect();
    assert_eq!(times, (5..105).collect::<Vec<_>>());
    assert_eq!(probes.len(), 101);
}

#[tokio::test]
async fn receipts_count_once_when_shown_twice() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).await;
    let page = [receipt(1, 60), receipt(2, 60), receipt(1, 60)];
    assert_eq!(journal.record_receipts(&[9; 32], &page, 3).await.unwrap(), Ingested { new: 2, seen: 1 });
    assert_eq!(journal.record_receipts(&[8; 32], &page, 3).await.unwrap(), Ingested { new: 0, seen: 3 });
    let traffic = journal.traffic(60, 60).await.unwrap();
    assert_eq!((traffic.len(), traffic[0].tokens, traffic[0].fee_micro_usd), (1, 20, 6));
    assert!(journal.traffic(61, 100).await.unwrap().is_empty());

    journal.forget_traffic_before(61).await.unwrap();
    assert!(journal.traffic(0, 100).await.unwrap().is_empty());
    assert_eq!(journal.cursor(&[9; 32]).await.unwrap(), 3);
}

#[tokio::test]
async fn receipts_are_all_refused_when_one_cannot_be_stored() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).await;
    let page = [receipt(1, 60), ReceiptRow { tokens: u64::MAX, ..receipt(2, 60) }];
    let error = journal.record_receipts(&[9; 32], &page, 3).await.unwrap_err();
    assert!(matches!(error, JournalError::TooLarge { field: "tokens", .. }), "{error}");
    assert!(journal.traffic(0, 100).await.unwrap().is_empty());
    assert_eq!(journal.cursor(&[9; 32]).await.unwrap(), 0);
}

#[tokio::test]
async fn commit_keeps_the_first_payload_when_it_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).await;
    journal.prepare_commit(&commit(1)).await.unwrap();
    // Never sent: another payload may take its place.
    let second = CommitRow { salt: vec![3], hash: [9; 32], ..commit(1) };
    journal.prepare_commit(&second).await.unwrap();
    assert_eq!(journal.commit(1, 1).await.unwrap().unwrap(), second);

    journal.advance_commit(KEY, CommitState::Prepared, CommitState::Submitted, 101, None).await.unwrap();
    let error = journal.prepare_commit(&commit(1)).await.unwrap_err();
    assert!(matches!(error, JournalError::AlreadyPrepared { state: CommitState::Submitted, .. }), "{error}");
    // Back to prepared after a refusal: what the chain refused may be replaced.
    journal.advance_commit(KEY, CommitState::Submitted, CommitState::Prepared, 102, None).await.unwrap();
    journal.prepare_commit(&commit(1)).await.unwrap();
    let row = journal.commit(1, 1).await.unwrap().unwrap();
    assert_eq!((row.hash, row.attempts, row.state), ([8; 32], 1, CommitState::Prepared));
}

#[tokio::test]
async fn commit_follows_only_legal_steps_when_advanced() {
    use CommitState::{Committed, Expired, Prepared, Revealed, Submitted, Superseded};
    let legal = [
        (Prepared, Submitted),
        (Prepared, Expired),
        (Submitted, Prepared),
        (Submitted, Committed),
        (Submitted, Revealed),
        (Submitted, Expired),
        (Committed, Revealed),
        (Committed, Expired),
        (Prepared, Superseded),
        (Submitted, Superseded),
        (Committed, Superseded),
    ];
    let all = [Prepared, Submitted, Committed, Revealed, Expired, Superseded];
    for from in all {
        for to in all {
            assert_eq!(from.may_become(to), legal.contains(&(from, to)), "{from} -> {to}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).await;
    let error = journal.advance_commit(KEY, Prepared, Submitted, 1, None).await.unwrap_err();
    assert!(error.to_string().contains("absent"), "{error}");
    journal.prepare_commit(&commit(1)).await.unwrap();
    journal.advance_commit(KEY, Prepared, Submitted, 1, None).await.unwrap();
    let error = journal.advance_commit(KEY, Prepared, Submitted, 1, None).await.unwrap_err();
    assert!(matches!(error, JournalError::Transition { .. }), "{error}");
    journal.advance_commit(KEY, Submitted, Committed, 2, Some(1)).await.unwrap();
    journal.note_commit(KEY, 3, "too early").await.unwrap();
    journal.advance_commit(KEY, Committed, Revealed, 4, None).await.unwrap();
    let row = journal.commit(1, 1).await.unwrap().unwrap();
    assert_eq!((row.chain_epoch, row.detail.as_str(), row.block), (Some(1), "too early", 4));
    assert_eq!(row.commit_block, Some(2));
    assert!(journal.open_commits().await.unwrap().is_empty());
}

#[tokio::test]
async fn forgetting_spares_open_commits_when_epochs_age() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).await;
    for epoch in [1, 2] {
        journal.begin_epoch(epoch, 10, 16).await.unwrap();
        journal.record_bundle(&bundle(epoch, 1)).await.unwrap();
        journal.record_replay(&replay(epoch, 1)).await.unwrap();
    }
    journal.prepare_commit(&commit(1)).await.unwrap();
    journal.prepare_verdicts(1, "[]", 1).await.unwrap();
    journal.forget_epochs_before(2).await.unwrap();
    assert!(journal.epoch(1).await.unwrap().is_none());
    assert!(journal.bundles(1).await.unwrap().is_empty());
    assert!(journal.replays(1).await.unwrap().is_empty());
    assert_eq!(journal.bundles(2).await.unwrap().len(), 1);
    assert_eq!(journal.open_commits().await.unwrap().len(), 1);
    assert_eq!(journal.open_verdicts().await.unwrap().len(), 1);
    journal.settle_verdicts(1, 5).await.unwrap();
    journal.advance_commit(KEY, CommitState::Prepared, CommitState::Expired, 9, None).await.unwrap();
    journal.forget_epochs_before(2).await.unwrap();
    assert!(journal.commit(1, 1).await.unwrap().is_none());
    assert!(journal.open_verdicts().await.unwrap().is_empty());
}

#[tokio::test]
async fn epoch_keeps_its_blocks_when_the_seed_is_fixed() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).await;
    journal.begin_epoch(3, 10, 16).await.unwrap();
    journal.begin_epoch(3, 12, 18).await.unwrap();
    journal.fix_seed(3, &[7; 32], "a").await.unwrap();
    journal.begin_epoch(3, 20, 26).await.unwrap();
    journal.fix_seed(3, &[8; 32], "b").await.unwrap();
    journal.mark_checked(3).await.unwrap();
    let row = journal.epoch(3).await.unwrap().unwrap();
    assert_eq!((row.start_block, row.deadline_block, row.seed, row.facts.as_str()), (12, 18, Some([7; 32]), "a"));
    assert!(row.checked);
}

#[tokio::test]
async fn epoch_keeps_its_first_parameters_while_its_first_block_stays() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).await;
    journal.begin_epoch(3, 10, 16).await.unwrap();
    let params = async || journal.epoch(3).await.unwrap().unwrap().params;
    assert_eq!(params().await, None);
    journal.fix_params(3, 10, &[1]).await.unwrap();
    journal.fix_params(3, 10, &[2]).await.unwrap();
    journal.begin_epoch(3, 10, 18).await.unwrap();
    assert_eq!(params().await, Some(vec![1]));
    // The epoch now begins in another block, which may have others.
    journal.begin_epoch(3, 12, 18).await.unwrap();
    assert_eq!(params().await, None);
    journal.fix_params(3, 10, &[3]).await.unwrap();
    assert_eq!(params().await, None);
    journal.fix_params(3, 12, &[4]).await.unwrap();
    journal.fix_seed(3, &[7; 32], "a").await.unwrap();
    journal.begin_epoch(3, 14, 20).await.unwrap();
    assert_eq!(params().await, Some(vec![4]));
}

#[tokio::test]
async fn epochs_survive_when_the_journal_is_of_version_2() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).await;
    journal.begin_epoch(3, 10, 16).await.unwrap();
    sqlx::raw_sql("ALTER TABLE epochs DROP COLUMN params; PRAGMA user_version = 2")
        .execute(&journal.writer)
        .await
        .unwrap();
    journal.close().await;
    let journal = open(folder.path()).await;
    journal.fix_params(3, 10, &[1]).await.unwrap();
    let row = journal.epoch(3).await.unwrap().unwrap();
    assert_eq!((row.start_block, row.params), (10, Some(vec![1])));
}

#[tokio::test]
async fn bundle_keeps_its_first_outcome_when_recorded_again() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).await;
    journal.record_bundle(&bundle(1, 1)).await.unwrap();
    journal.record_bundle(&BundleRow { reason: 5, ..bundle(1, 1) }).await.unwrap();
    assert_eq!(journal.bundles(1).await.unwrap(), [bundle(1, 1)]);
}

#[tokio::test]
async fn commit_is_kept_beside_the_first_when_it_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).await;
    journal.prepare_commit(&commit(1)).await.unwrap();
    journal.advance_commit(KEY, CommitState::Prepared, CommitState::Submitted, 2, None).await.unwrap();
    journal.advance_commit(KEY, CommitState::Submitted, CommitState::Committed, 3, Some(1)).await.unwrap();
    let again = CommitRow { seq: 1, commit_epoch: 2, round: 1_000_050, hash: [9; 32], ..commit(1) };
    journal.prepare_commit(&again).await.unwrap();
    assert_eq!(journal.commit(1, 1).await.unwrap().unwrap(), again);
    let states: Vec<_> = journal.commits_of(1).await.unwrap().iter().map(|row| (row.seq, row.state)).collect();
    assert_eq!(states, [(0, CommitState::Committed), (1, CommitState::Prepared)]);
    journal.advance_commit(KEY, CommitState::Committed, CommitState::Superseded, 4, None).await.unwrap();
    assert_eq!(journal.open_commits().await.unwrap(), [again]);
}

#[tokio::test]
async fn sent_hashes_are_kept_when_what_was_sent_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).await;
    journal.prepare_commit(&commit(1)).await.unwrap();
    assert!(journal.sent_commits().await.unwrap().is_empty());
    journal.advance_commit(KEY, CommitState::Prepared, CommitState::Submitted, 2, None).await.unwrap();
    journal.advance_commit(KEY, CommitState::Submitted, CommitState::Prepared, 3, None).await.unwrap();
    journal.prepare_commit(&CommitRow { hash: [9; 32], ..commit(1) }).await.unwrap();
    journal.advance_commit(KEY, CommitState::Prepared, CommitState::Submitted, 4, None).await.unwrap();
    journal.adopt_commits(&[([7; 32], 1), ([8; 32], 1)]).await.unwrap();
    assert!(journal.sent_commits().await.unwrap().iter().eq(&[[7; 32], [8; 32], [9; 32]]));
    // What an unfinished commit sent is never forgotten.
    journal.forget_epochs_before(2).await.unwrap();
    assert!(journal.sent_commits().await.unwrap().iter().eq(&[[9; 32]]));
    journal.advance_commit(KEY, CommitState::Submitted, CommitState::Expired, 5, None).await.unwrap();
    journal.forget_epochs_before(2).await.unwrap();
    assert!(journal.sent_commits().await.unwrap().is_empty());
}

/// A journal as version 1 left it, with one commit in each of three states.
async fn version_1(folder: &Path) {
    let journal = open(folder).await;
    sqlx::raw_sql(
        "DROP TABLE commits; DROP TABLE sent; ALTER TABLE epochs DROP COLUMN params;
         CREATE TABLE commits (epoch INTEGER NOT NULL, mecid INTEGER NOT NULL, commit_reveal INTEGER NOT NULL,
             single_mechanism INTEGER NOT NULL, uids TEXT NOT NULL, vals TEXT NOT NULL, hotkeys BLOB NOT NULL,
             salt TEXT NOT NULL, version_key TEXT NOT NULL, hash BLOB NOT NULL, state INTEGER NOT NULL,
             block INTEGER NOT NULL, chain_epoch INTEGER, attempts INTEGER NOT NULL DEFAULT 0,
             detail TEXT NOT NULL DEFAULT '', PRIMARY KEY (epoch, mecid)) STRICT, WITHOUT ROWID;
         INSERT INTO commits VALUES
             (4, 0, 0, 1, '[3]', '[65535]', zeroblob(32), '[]', '1', zeroblob(32), 3, 40, NULL, 1, ''),
             (5, 1, 1, 0, '[0,5]', '[65535,7]', zeroblob(64), '[1,2]', '9', x'0101010101010101010101010101010101010101010101010101010101010101', 2, 57, 5, 1, 'a'),
             (6, 1, 1, 0, '[0]', '[65535]', zeroblob(32), '[1,2]', '9', x'0202020202020202020202020202020202020202020202020202020202020202', 0, 66, NULL, 0, '');
         PRAGMA user_version = 1;",
    )
    .execute(&journal.writer)
    .await
    .unwrap();
    journal.close().await;
}

#[tokio::test]
async fn commits_survive_when_the_journal_is_of_version_1() {
    let folder = tempfile::tempdir().unwrap();
    version_1(folder.path()).await;
    for _ in 0..2 {
        let journal = open(folder.path()).await;
        let rows = journal.open_commits().await.unwrap();
        let expected = CommitRow {
            epoch: 5,
            commit_epoch: 5,
            form: CommitForm::Salted,
            hotkeys: vec![[0; 32]; 2],
            salt: vec![1, 2],
            version_key: 9,
            ciphertext: Vec::new(),
            round: 0,
            hash: [1; 32],
            state: CommitState::Committed,
            block: 57,
            chain_epoch: Some(5),
            commit_block: Some(57),
            attempts: 1,
            detail: "a".into(),
            ..commit(5)
        };
        assert_eq!((rows.len(), &rows[0]), (2, &expected));
        assert_eq!((rows[1].state, rows[1].commit_epoch), (CommitState::Prepared, 6));
        let plain = journal.commit(4, 0).await.unwrap().unwrap();
        assert_eq!((plain.form, plain.state), (CommitForm::Plain, CommitState::Revealed));
        // The prepared one was never sent.
        assert!(journal.sent_commits().await.unwrap().iter().eq(&[[0; 32], [1; 32]]));
        journal.close().await;
    }
}
