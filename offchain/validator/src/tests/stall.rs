// SPDX-License-Identifier: Apache-2.0
//! A chain that stops finalising under a running validator.

use super::*;

#[tokio::test]
async fn judging_commits_and_reveals_go_on_when_blocks_are_final_again() {
    let (watched, mut world) = (Watched::start(), World::new().await);
    world.config.stall_after_ms = 250;
    world.config.replays_per_cell = Some(8);
    world.good_miners().await;
    let (task, cancel) = world.start();
    let stands_still = async || {
        let block = world.chain.with(|s| s.subnet.head.number);
        // Blocks are made, none is final.
        world.chain.with(|s| s.best_ahead = 40);
        let last = format!("last_block=Some({block})");
        let alarms = || watched.lines(&["ERROR", "no finalised block", &last]).len();
        until("two alarms", || async { (alarms() >= 2).then_some(()) }).await;
        assert_eq!(watched.gauge("clawrank_validator_stalled"), Some(1.0));
        until("the warning", || async {
            let standing = std::fs::read(world.config.data_dir.join("reports/standing.json")).unwrap();
            let standing: commit::standing::Standing = serde_json::from_slice(&standing).unwrap();
            standing.warnings.iter().any(|warning| warning.contains("newest final block")).then_some(())
        })
        .await;
        assert!(!task.is_finished());
        world.chain.with(|s| s.best_ahead = 0);
    };

    // Before the seed: nothing is judged meanwhile.
    world.walk_to(1_050).await;
    stands_still().await;
    assert!(world.report("latest.json").is_none());

    // While the commits are under way: in blocks that are not final.
    world.chain.with(|s| s.faults.extend([Fault::Orphaned(3), Fault::Orphaned(3)]));
    let scored = world.wait_for("scores", 1_079, |report| report.epoch == 5).await;
    assert_eq!(find(&scored, 4).intel.gate, GateState::Open, "{}", find(&scored, 4).why);
    until("both are sent", || async { (world.chain.with(|s| s.handed_over) == 2).then_some(()) }).await;
    stands_still().await;
    assert_eq!((world.chain.with(|s| s.handed_over), world.chain.commits_made()), (2, 0), "looked for, not sent again");

    let is_in = |report: &Report, state| report.commits.len() == 2 && report.commits.iter().all(|c| c.state == state);
    world.wait_for("commits", 1_097, |report| is_in(report, CommitState::Committed)).await;
    assert_eq!((world.chain.with(|s| s.handed_over), world.chain.commits_made()), (2, 2));

    // Before the reveals are due.
    world.walk_to(1_098).await;
    stands_still().await;
    assert_eq!(world.chain.reveals_made(), 0);
    world.wait_for("reveals", 1_130, |report| report.epoch == 5 && is_in(report, CommitState::Revealed)).await;
    assert_eq!((world.chain.commits_made(), world.chain.reveals_made()), (2, 2));
    assert_eq!(watched.gauge("clawrank_validator_stalled"), Some(0.0));
    cancel.cancel();
    task.await.unwrap().unwrap();
}
