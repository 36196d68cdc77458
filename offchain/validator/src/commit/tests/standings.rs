// SPDX-License-Identifier: Apache-2.0
//! What the validator says of its standing.

use super::{
    standing::{Standing, warnings},
    *,
};

fn standing(folder: &Path) -> Standing {
    let text = std::fs::read_to_string(folder.join("reports/standing.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn warnings_are_empty_when_all_is_well() {
    let subnet = snapshot(1_050, 2);
    assert_eq!(warnings(&subnet, None, subnet.head.timestamp_ms + 40), Vec::<String>::new());
}

#[test]
fn warning_names_immunity_when_it_is_shorter_than_the_reveal() {
    let mut subnet = snapshot(1_050, 2);
    (subnet.tempo, subnet.reveal_period_epochs, subnet.immunity_period) = (360, 3, 1_080);
    let found = warnings(&subnet, None, subnet.head.timestamp_ms);
    assert!(found.len() == 1 && found[0].contains("immunity period 1080"), "{found:?}");
    subnet.immunity_period = 1_081;
    assert!(warnings(&subnet, None, subnet.head.timestamp_ms).is_empty());
    subnet.immunity_period = 0;
    subnet.commit_reveal = false;
    assert!(warnings(&subnet, None, subnet.head.timestamp_ms).is_empty());
}

#[test]
fn warning_names_the_clock_when_it_differs_from_the_chain() {
    let chain = FakeChain::with_beacon(2, now_ms());
    let (subnet, beacon) = chain.with(|s| (s.subnet.clone(), s.beacon.unwrap()));
    let at =
        |offset_ms: i64| warnings(&subnet, Some(&beacon), subnet.head.timestamp_ms.saturating_add_signed(offset_ms));
    assert!(at(0).is_empty() && at(-3_000).is_empty() && at(60_000).is_empty());
    assert!(at(-3_001)[0].contains("clock is behind"));
    assert!(at(99_001)[0].contains("older than this machine's clock"));
    // A beacon that no longer comes.
    chain.with(|s| s.beacon_is_down = true);
    chain.advance_to(1_020);
    let subnet = chain.with(|s| s.subnet.clone());
    assert!(warnings(&subnet, Some(&beacon), subnet.head.timestamp_ms)[0].contains("newest round"));
}

#[tokio::test]
async fn standing_tells_reason_block_and_time_when_weights_cannot_be_set() {
    let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::with_beacon(2, now_ms()));
    chain.advance_to(1_010);
    chain.with(|s| s.subnet.neurons[0].validator_permit = false);
    let mut process = Process::start(folder.path(), &chain).await;
    assert!(process.pass().await);
    let found = standing(folder.path());
    assert_eq!((found.block, found.epoch, found.form.as_deref()), (1_010, 5, Some("timelocked")));
    assert_eq!(found.beacon.unwrap().first_reveal_block, Some(1_100));
    assert_eq!(found.blocked.len(), 2);
    let blocked = &found.blocked[0];
    assert_eq!((blocked.reason.as_str(), blocked.until_block), ("no_permit", Some(1_100)));
    assert_eq!(blocked.until_ms, Some(chain.time_of(1_100)));
    chain.with(|s| s.subnet.neurons[0].validator_permit = true);
    assert!(process.pass().await);
    assert!(standing(folder.path()).blocked.is_empty());
}

#[tokio::test]
async fn weights_wait_and_standing_says_why_when_the_hotkey_is_not_registered() {
    let (watched, folder) = (Watched::start(), tempfile::tempdir().unwrap());
    let chain = FakeChain::with_beacon(2, now_ms());
    chain.advance_to(1_080);
    let give_uid_0_to = |name: &str| {
        chain.with(|s| {
            let (me, block) = (&mut s.subnet.neurons[0], s.subnet.head.number);
            (me.hotkey, me.registered_at, me.last_update) = (key(name).public(), block, vec![block, block]);
        });
    };
    give_uid_0_to("Stranger");
    let mut process = Process::start(folder.path(), &chain).await;
    process.prepare(1).await;
    process.run_to(1_084).await;
    let found = standing(folder.path());
    assert_eq!((found.block, found.blocked.len()), (1_081, 2), "written when it says anything new");
    for (mecid, blocked) in (0u8..).zip(&found.blocked) {
        assert_eq!((blocked.mecid, blocked.reason.as_str(), blocked.until_block), (mecid, "unregistered", None));
        assert_eq!(blocked.message, "hotkey is not registered on subnet 92; register it");
    }
    let told = watched.lines(&["ERROR", "not registered on subnet 92; register it"]);
    assert_eq!(told.len(), 2, "once for each mechanism: {told:?}");
    assert_eq!(process.rows().await[0].detail, found.blocked[1].message);
    assert_eq!((chain.with(|s| s.handed_over), process.state(1).await), (0, CommitState::Prepared));

    give_uid_0_to("Vali");
    process.run_to(1_086).await;
    assert!(standing(folder.path()).blocked.is_empty());
    process.run_to(1_110).await;
    assert_eq!((chain.commits_made(), process.state(1).await), (1, CommitState::Revealed));
    assert_eq!(stored(&chain, 1), Some(vec![(1, 65_535), (2, 700)]));
}

#[tokio::test]
async fn standing_says_cold_when_receipts_are_not_read_again() {
    let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::new(2, now_ms()));
    let mut process = Process::start(folder.path(), &chain).await;
    let warm = Arc::new(crate::warm::Warmth::default());
    process.committer.warm = Arc::clone(&warm);
    assert!(process.pass().await);
    assert_eq!(standing(folder.path()).blocked[0].reason, "cold");
    warm.receipts_read();
    assert!(process.pass().await);
    assert!(standing(folder.path()).blocked[0].message.contains("probes through a gateway"));
    warm.probes_made();
    assert!(process.pass().await);
    assert!(standing(folder.path()).blocked.is_empty());
}
