// SPDX-License-Identifier: Apache-2.0
//! A disk that fills up under a running validator: a real file system, really full.

use super::*;

#[tokio::test]
async fn validator_lives_and_sends_its_weights_when_the_disk_was_full() {
    let Some(disk) = SmallDisk::mount(4_096) else { return };
    let (watched, mut world) = (Watched::start(), World::new().await);
    world.config.data_dir = disk.path().join("data");
    world.config.replays_per_cell = Some(8);
    world.good_miners().await;
    let (task, cancel) = world.start();
    world.walk_to(1_050).await;

    // Full while bundles are checked and replays made.
    disk.fill();
    world.walk_to(1_064).await;
    let named = |what: &str| {
        watched.lines(&["ERROR", &disk.path().join("data").join(what).display().to_string(), "free disk space"])
    };
    until("the journal's alarm", || async { (!named("journal.db").is_empty()).then_some(()) }).await;
    assert_eq!(named("reports/standing.json").len(), 1, "{:?}", named("reports/standing.json"));
    assert!(watched.counted("clawrank_validator_task_errors_total{task=epoch}") > 0);
    assert!(watched.counted("clawrank_validator_file_errors_total{kind=report}") > 0);
    assert!(!task.is_finished(), "it lives");
    assert_eq!((world.chain.with(|s| s.handed_over), world.report("latest.json")), (0, None));

    disk.free();
    let scored = world.wait_for("scores", 1_079, |report| report.epoch == 5).await;
    assert_eq!(find(&scored, 4).intel.gate, GateState::Open, "{}", find(&scored, 4).why);
    let is_in = |report: &Report, state| report.commits.len() == 2 && report.commits.iter().all(|c| c.state == state);
    world.wait_for("commits", 1_097, |report| is_in(report, CommitState::Committed)).await;

    // Full when the reveals are due: they need no room.
    disk.fill();
    world.walk_to(1_110).await;
    until("reveals", || async { (world.chain.reveals_made() == 2).then_some(()) }).await;
    let report = world.report("latest.json").unwrap();
    assert!(is_in(&report, CommitState::Committed), "what is on disk stays whole and is older");
    assert!(!task.is_finished(), "it lives");

    disk.free();
    world
        .wait_for("the report of the reveals", 1_130, |report| {
            report.epoch == 5 && is_in(report, CommitState::Revealed)
        })
        .await;
    assert_eq!((world.chain.commits_made(), world.chain.reveals_made()), (2, 2));
    assert_eq!(world.chain.with(|s| s.weights.get(&(1, 0)).cloned()), Some(vec![(4, 65_535)]));
    cancel.cancel();
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn validator_starts_as_soon_as_there_is_room_when_the_disk_is_full() {
    let Some(disk) = SmallDisk::mount(1_024) else { return };
    let (watched, mut world) = (Watched::start(), World::new().await);
    world.config.data_dir = disk.path().join("data");
    // Once for a journal that was never there, once for one that was.
    for _ in 0..2 {
        // SQLite deletes its log last, a moment after the journal was let go of, which makes room.
        let log = world.config.data_dir.join("journal.db-wal");
        until("the journal's end", || async { (!log.exists()).then_some(()) }).await;
        disk.fill();
        let before = watched.lines(&["ERROR", "cannot start yet"]).len();
        let (task, cancel) = world.start();
        let refused = || watched.lines(&["ERROR", "cannot start yet", "free disk space"]).len();
        until("the refusal", || async { (refused() > before || task.is_finished()).then_some(()) }).await;
        assert!(!task.is_finished(), "{:?}", task.await);
        let full_at = world.chain.with(|s| s.subnet.head.number);
        disk.free();
        until("the start", || async {
            world.chain.advance();
            tokio::time::sleep(Duration::from_millis(50)).await;
            let standing = std::fs::read_to_string(world.config.data_dir.join("reports/standing.json")).ok()?;
            let standing: commit::standing::Standing = serde_json::from_str(&standing).unwrap();
            (standing.block > full_at).then_some(())
        })
        .await;
        cancel.cancel();
        task.await.unwrap().unwrap();
    }
}
