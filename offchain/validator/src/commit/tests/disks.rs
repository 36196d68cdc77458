// SPDX-License-Identifier: Apache-2.0
//! A full disk: the weights go on as far as they can, and everything is there once there is room.

use super::*;

/// A report of epoch 5 in the journal, which every step of its weights writes to a file again.
async fn report_is_stored(journal: &Journal) {
    let report = crate::report::Report {
        version: crate::report::REPORT_VERSION,
        genesis: clawrank_protocol::Hex([0; 32]),
        netuid: 92,
        epoch: 5,
        block: 1_080,
        block_time_ms: 0,
        start_block: 1_000,
        deadline_block: 1_060,
        seed: None,
        validator: clawrank_protocol::Hotkey(key("Vali").public()),
        validator_uid: Some(0),
        preset: "clawrank".into(),
        notice: None,
        dry_run: false,
        replays: 0,
        cells: Vec::new(),
        miners: Vec::new(),
        mechanisms: vec![weights(1)],
        commits: Vec::new(),
        refused_receipts: Vec::new(),
        blocked: Vec::new(),
        warnings: Vec::new(),
    };
    journal.begin_epoch(5, 1_000, 1_060).await.unwrap();
    journal.store_report(5, &serde_json::to_string(&report).unwrap()).await.unwrap();
}

fn written(folder: &Path) -> Option<crate::report::Report> {
    let text = std::fs::read(folder.join("reports/epoch-5.json")).ok()?;
    Some(serde_json::from_slice(&text).unwrap())
}

/// Weights are committed while `reports` cannot be written, and the files follow once `cure` is done.
async fn reports_fail(reports_in: &Path, advice: &str, cure: impl FnOnce()) {
    let (folder, watched) = (tempfile::tempdir().unwrap(), Watched::start());
    let chain = FakeChain::new(2, now_ms());
    chain.advance_to(1_080);
    let mut process = Process::start(folder.path(), &chain).await;
    process.committer.reporter = Reporter::new(reports_in);
    report_is_stored(&process.journal).await;
    process.prepare(1).await;
    process.run_to(1_090).await;
    assert_eq!((chain.commits_made(), process.state(1).await), (1, CommitState::Committed));
    assert!(written(reports_in).is_none());
    let told = watched.lines(&["ERROR", "kind=report", "reports/", advice]);
    assert_eq!(told.len(), 1, "once, by path and with what to do: {told:?}");
    assert!(watched.counted("clawrank_validator_file_errors_total{kind=report") > 1);

    cure();
    assert!(process.pass().await);
    // Nothing moved since: what is written is what could not be written before.
    let report = written(reports_in).expect("written as soon as it can be");
    assert_eq!(report.commits[0].state, CommitState::Committed);
    let standing = std::fs::read_to_string(reports_in.join("reports/standing.json")).unwrap();
    let standing: crate::commit::standing::Standing = serde_json::from_str(&standing).unwrap();
    assert_eq!(standing.block, 1_090);
    assert_eq!(watched.lines(&["INFO", "kind=report", "again"]).len(), 1);
}

#[tokio::test]
async fn commit_is_made_when_reports_find_no_room() {
    let Some(disk) = SmallDisk::mount(64) else { return };
    disk.fill();
    reports_fail(disk.path(), "free disk space", || disk.free()).await;
}

#[tokio::test]
async fn commit_is_made_when_reports_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("reports");
    std::fs::write(&in_the_way, "a file where the folder should be").unwrap();
    reports_fail(folder.path(), "check the folder and its disk", || std::fs::remove_file(&in_the_way).unwrap()).await;
}

#[tokio::test]
async fn reveals_of_all_mechanisms_are_sent_when_the_journal_finds_no_room() {
    let Some(disk) = SmallDisk::mount(2_048) else { return };
    let chain = FakeChain::new(2, now_ms());
    chain.advance_to(1_080);
    let mut process = Process::start(disk.path(), &chain).await;
    process.prepare(0).await;
    process.prepare(1).await;
    process.run_to(1_099).await;
    disk.fill();
    let mut refused = 0;
    while chain.with(|s| s.subnet.head.number) < 1_110 {
        chain.advance();
        if let Err(error) = process.try_pass().await {
            assert!(error.is_retryable() && error.to_string().contains("free disk space"), "{error}");
            refused += 1;
        }
    }
    assert!(refused > 0, "the disk was not full");
    assert_eq!((chain.reveals_made(), process.state(0).await), (2, CommitState::Committed));

    disk.free();
    assert!(process.pass().await);
    assert_eq!((process.state(0).await, process.state(1).await), (CommitState::Revealed, CommitState::Revealed));
    assert_eq!((chain.commits_made(), chain.reveals_made()), (2, 2));
}

#[tokio::test]
async fn nothing_is_sent_that_is_not_on_disk_when_the_journal_finds_no_room() {
    let Some(disk) = SmallDisk::mount(2_048) else { return };
    let chain = FakeChain::with_beacon(2, now_ms());
    chain.advance_to(1_080);
    let mut process = Process::start(disk.path(), &chain).await;
    process.prepare(0).await;
    process.prepare(1).await;
    disk.fill();
    for _ in 0..5 {
        chain.advance();
        let error = process.try_pass().await.unwrap_err();
        assert!(error.is_retryable() && error.to_string().contains("free disk space"), "{error}");
    }
    assert_eq!(chain.with(|s| s.handed_over), 0);

    disk.free();
    process.run_to(1_110).await;
    assert_eq!((process.state(0).await, process.state(1).await), (CommitState::Revealed, CommitState::Revealed));
    assert_eq!(chain.commits_made(), 2);
}
