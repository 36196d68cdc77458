// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use clawrank_primitives::{
    Params,
    proof::{Cell, SchemaVerdict, salted_hash},
};
use tokio::sync::watch;

use super::*;
use crate::{
    clock::Schedule,
    heads::View,
    now_ms,
    testing::{Evil, FakeChain, Measurer, NETUID, SmallDisk, StubGateway, Watched, genesis, journal, key},
};

const EPOCH: u64 = 5;
const DEADLINE: u64 = 1_060;

struct Setup {
    chain: Arc<FakeChain>,
    gateway: StubGateway,
    checker: Checker,
    _folder: tempfile::TempDir,
}

impl Setup {
    /// At block 1,070, past the time for fetching: every body is asked for once.
    async fn new() -> Self {
        let (folder, chain) = (tempfile::tempdir().unwrap(), FakeChain::new(6, now_ms()));
        chain.advance_to(1_070);
        let gateway = StubGateway::start().await;
        let view = View::new(chain.with(|s| s.subnet.clone()), &Schedule::from(&crate::Config::default()));
        let checker = Checker {
            journal: journal(folder.path()).await,
            gateways: Gateways::new(
                &[gateway.config()],
                genesis(),
                NETUID,
                Arc::new(key("Vali")),
                Duration::from_secs(5),
            )
            .unwrap(),
            views: watch::channel(Some(Arc::new(view))).1,
            folder: folder.path().join("bundles"),
            files: Files::new("bundle"),
            me: key("Vali").public(),
            genesis: genesis(),
            netuid: NETUID,
        };
        Self { chain, gateway, checker, _folder: folder }
    }

    fn measured(&self, name: &str) -> Measurer {
        let mut measurer = Measurer::new(key(name));
        for task_type in ["chat", "math", "json"] {
            let cell = Cell::new("m", "a", task_type).unwrap();
            measurer.measure(&cell, 10, 50, self.chain.time_of(1_005));
        }
        measurer
    }

    fn judged(&self) -> Judged {
        Judged {
            epoch: EPOCH,
            seed: self.chain.hash_of(DEADLINE + 1),
            window: EpochWindow { start_ms: self.chain.time_of(1_000), end_ms: self.chain.time_of(DEADLINE + 1) },
            epoch_seed: Some(self.chain.hash_of(1_000)),
            deadline_block: DEADLINE,
            fetch_until_block: 1_065,
            open_until_block: 1_080,
            rules: Arc::new(Rules { params: Params::local(), source: "local".into() }),
        }
    }

    /// Outcomes by uid: code of the reason and evidence.
    async fn run(&self) -> BTreeMap<u16, (u8, String)> {
        let subnet = self.chain.with(|s| s.subnet.clone());
        let all = committers(&*self.chain, &subnet, EPOCH).await.unwrap();
        self.checker.run(&self.judged(), &all).await.unwrap();
        let rows = self.checker.journal.bundles(EPOCH).await.unwrap();
        rows.into_iter().map(|row| (subnet.by_hotkey(&row.hotkey).unwrap().uid, (row.reason, row.evidence))).collect()
    }
}

#[tokio::test]
async fn bundle_passes_when_it_is_honest() {
    let setup = Setup::new().await;
    setup.measured("Miner1").bundle(EPOCH).publish(&setup.chain, &setup.gateway, DEADLINE);
    assert_eq!(setup.run().await, BTreeMap::from([(1, (0, String::new()))]));
    let row = &setup.checker.journal.bundles(EPOCH).await.unwrap()[0];
    let summary = <Summary as codec::Decode>::decode(&mut row.summary.as_slice()).unwrap();
    assert_eq!((summary.cells.len(), summary.telemetry[0].n), (3, 10));
    assert_eq!(setup.gateway.shared.unsigned.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn bundle_is_tripped_when_its_tasks_are_of_another_epoch() {
    let setup = Setup::new().await;
    let mut early = setup.measured("Miner1");
    early.first_block(999);
    let cell = Cell::new("m", "b", "math").unwrap();
    early.measure(&cell, 10, 50, setup.chain.time_of(1_005));
    early.bundle(EPOCH).publish(&setup.chain, &setup.gateway, DEADLINE);
    let (code, evidence) = setup.run().await.remove(&1).unwrap();
    assert_eq!(code, Reason::OutOfWindow.code(), "{evidence}");
    assert!(evidence.contains("task of attempt 30"), "{evidence}");
}

#[tokio::test]
async fn copier_is_tripped_when_the_original_was_committed_before() {
    let setup = Setup::new().await;
    let original = setup.measured("Miner2");
    original.bundle(EPOCH).publish(&setup.chain, &setup.gateway, 1_050);
    // In the same block the lower uid is first, so the copy comes a block later.
    let mut copy = original.copied_by(key("Miner1"));
    copy.recommend("m", "chat", &["a"]);
    copy.bundle(EPOCH).publish(&setup.chain, &setup.gateway, 1_051);
    let outcomes = setup.run().await;
    assert_eq!(outcomes[&2].0, 0, "{}", outcomes[&2].1);
    assert_eq!(outcomes[&1].0, Reason::Duplicate.code(), "{}", outcomes[&1].1);
    assert!(outcomes[&1].1.contains("committed by uid 2 in block 1050"), "{}", outcomes[&1].1);
}

#[tokio::test]
async fn copier_is_tripped_when_it_commits_the_very_root_of_another() {
    let setup = Setup::new().await;
    let original = setup.measured("Miner2").bundle(EPOCH);
    original.publish(&setup.chain, &setup.gateway, 1_050);
    // The gateway keeps the first body of a root, so the copier's own is nowhere.
    setup.measured("Miner2").copied_by(key("Miner1")).bundle(EPOCH).commit(&setup.chain, 1_052);
    let outcomes = setup.run().await;
    assert_eq!(outcomes[&2].0, 0, "{}", outcomes[&2].1);
    assert_eq!(outcomes[&1].0, Reason::Duplicate.code());
    assert!(outcomes[&1].1.contains("equal are the root"), "{}", outcomes[&1].1);
}

#[tokio::test]
async fn bundle_passes_when_its_root_was_put_on_chain_before_by_one_without_the_body() {
    let setup = Setup::new().await;
    let original = setup.measured("Miner2").bundle(EPOCH);
    original.publish(&setup.chain, &setup.gateway, 1_050);
    // Seen in the transaction pool and put into the same block under a lower uid.
    setup.measured("Miner2").copied_by(key("Miner1")).bundle(EPOCH).commit(&setup.chain, 1_050);
    let outcomes = setup.run().await;
    assert_eq!(outcomes[&2].0, 0, "{}", outcomes[&2].1);
    assert_eq!(outcomes[&1].1, explain::BODY_MISSING);
}

#[tokio::test]
async fn bundle_is_not_condemned_when_the_gateway_holds_a_strangers_body_under_its_root() {
    let setup = Setup::new().await;
    let original = setup.measured("Miner1").bundle(EPOCH);
    original.publish(&setup.chain, &setup.gateway, 1_050);
    let stranger = setup.measured("Miner1").copied_by(key("Stranger")).bundle(EPOCH).bundle;
    assert_eq!(stranger.header.root, original.bundle.header.root);
    setup.gateway.put_bundle(stranger.header.root, stranger.encode());
    // The same as if no body were there: it is asked for until the time is over.
    assert_eq!(setup.run().await[&1].1, explain::BODY_MISSING);
}

#[tokio::test]
async fn bundle_is_tripped_when_its_body_does_not_match_its_root() {
    let setup = Setup::new().await;
    let committed = setup.measured("Miner1").bundle(EPOCH);
    committed.commit(&setup.chain, 1_050);
    // Under the committed root, the gateway holds another bundle of the same miner.
    let mut other = setup.measured("Miner1");
    other.attempts.truncate(30);
    other.attempts[0].output_tokens += 1;
    setup.gateway.put_bundle(committed.bundle.header.root, other.bundle(EPOCH).bundle.encode());
    // And bytes that are no bundle at all.
    let garbage = setup.measured("Miner2").bundle(EPOCH);
    garbage.commit(&setup.chain, 1_050);
    setup.gateway.put_bundle(garbage.bundle.header.root, vec![0xff; 100]);
    // Neither keeps an honest one of the same block from its place.
    setup.measured("Miner3").bundle(EPOCH).publish(&setup.chain, &setup.gateway, 1_050);
    let outcomes = setup.run().await;
    for uid in [1, 2] {
        assert_eq!(outcomes[&uid].0, Reason::Unauthentic.code(), "{:?}", outcomes[&uid]);
    }
    assert!(outcomes[&1].1.contains("not the committed one"), "{}", outcomes[&1].1);
    assert_eq!(outcomes[&2].1, "Unauthentic: bytes are not an encoding of this type, or a list is over its cap");
    assert_eq!((outcomes.len(), &outcomes[&3]), (3, &(0, String::new())));
}

#[tokio::test]
async fn bundle_is_tripped_when_it_is_late_unsigned_or_of_another_epoch() {
    let setup = Setup::new().await;
    setup.measured("Miner1").bundle(EPOCH).publish(&setup.chain, &setup.gateway, DEADLINE + 1);
    let mut unsigned = setup.measured("Miner2").bundle(EPOCH);
    unsigned.bundle.signature[0] ^= 1;
    unsigned.publish(&setup.chain, &setup.gateway, 1_050);
    // A root of another epoch does not exist for this one.
    setup.measured("Miner3").bundle(EPOCH - 1).publish(&setup.chain, &setup.gateway, 1_050);
    let outcomes = setup.run().await;
    assert!(outcomes[&1].1.contains("committed in block 1061, the deadline was 1060"), "{}", outcomes[&1].1);
    assert!(outcomes[&2].1.contains("signature"), "{}", outcomes[&2].1);
    assert_eq!(outcomes.keys().copied().collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn bundle_is_tripped_when_its_telemetry_or_times_are_made_up() {
    let setup = Setup::new().await;
    let mut unfaithful = setup.measured("Miner1").bundle(EPOCH);
    unfaithful.bundle.telemetry[0].p50_total_ms /= 2;
    unfaithful.bundle.header.root = unfaithful.bundle.recompute_root().unwrap();
    unfaithful.bundle.sign(&key("Miner1")).unwrap();
    unfaithful.publish(&setup.chain, &setup.gateway, 1_050);
    let mut early = setup.measured("Miner2");
    early.attempts[0].start_ms -= 3_600_000;
    early.bundle(EPOCH).publish(&setup.chain, &setup.gateway, 1_050);
    let outcomes = setup.run().await;
    assert_eq!(outcomes[&1].0, Reason::Unfaithful.code());
    assert!(outcomes[&1].1.contains("P50Total"), "{}", outcomes[&1].1);
    assert_eq!(outcomes[&2].0, Reason::OutOfWindow.code());
}

#[tokio::test]
async fn bundle_is_tripped_when_leaves_are_withheld_or_do_not_match() {
    let setup = Setup::new().await;
    // Nobody opens.
    let withheld = setup.measured("Miner1").bundle(EPOCH);
    withheld.commit(&setup.chain, 1_050);
    setup.gateway.put_bundle(withheld.bundle.header.root, withheld.bundle.encode());
    // The schema verdict is claimed wrongly everywhere.
    let mut schema = setup.measured("Miner2");
    for attempt in &mut schema.attempts {
        attempt.schema = SchemaVerdict::Invalid;
    }
    schema.bundle(EPOCH).publish(&setup.chain, &setup.gateway, 1_050);
    // The response is another one than was hashed.
    let mut hash = setup.measured("Miner3");
    for attempt in &mut hash.attempts {
        attempt.response_hash = salted_hash(&[0; 16], b"another");
    }
    hash.bundle(EPOCH).publish(&setup.chain, &setup.gateway, 1_050);
    // The tasks are others than the requests that were sent.
    let mut easier = setup.measured("Miner4");
    for attempt in &mut easier.attempts {
        attempt.task_id = [7; 32];
    }
    easier.bundle(EPOCH).publish(&setup.chain, &setup.gateway, 1_050);
    let outcomes = setup.run().await;
    assert_eq!(outcomes[&1].0, Reason::HashMismatch.code());
    assert!(outcomes[&1].1.contains("not opened in time"), "{}", outcomes[&1].1);
    assert_eq!(outcomes[&2].0, Reason::SchemaMismatch.code());
    assert_eq!(outcomes[&3].0, Reason::HashMismatch.code());
    assert!([Reason::HashMismatch.code(), Reason::SchemaMismatch.code()].contains(&outcomes[&4].0));
}

#[tokio::test]
async fn bundle_is_tripped_when_no_gateway_has_its_body() {
    let setup = Setup::new().await;
    setup.measured("Miner1").bundle(EPOCH).commit(&setup.chain, 1_050);
    let outcomes = setup.run().await;
    assert_eq!(outcomes[&1], (Reason::Unauthentic.code(), explain::BODY_MISSING.to_owned()));
}

#[tokio::test]
async fn bundle_stays_unchecked_when_the_gateway_is_down() {
    let setup = Setup::new().await;
    setup.measured("Miner1").bundle(EPOCH).publish(&setup.chain, &setup.gateway, 1_050);
    setup.gateway.set_evil(Some(Evil::Down));
    assert!(setup.run().await.is_empty(), "a gateway's fault is held against nobody");
    // Heard again in time, it is checked after all.
    setup.gateway.set_evil(None);
    assert_eq!(setup.run().await[&1].0, 0);
}

#[tokio::test]
async fn bodies_are_kept_when_the_gateway_forgets_them() {
    let setup = Setup::new().await;
    let first = setup.measured("Miner1").bundle(EPOCH);
    first.publish(&setup.chain, &setup.gateway, 1_050);
    assert_eq!(setup.run().await[&1].0, 0);
    setup.gateway.put_bundle(first.bundle.header.root, Vec::new());
    // A copy that is checked later still meets the original.
    let mut copy = setup.measured("Miner1").copied_by(key("Miner2"));
    copy.recommend("m", "chat", &["a"]);
    copy.bundle(EPOCH).publish(&setup.chain, &setup.gateway, 1_055);
    assert_eq!(setup.run().await[&2].0, Reason::Duplicate.code());
}

#[tokio::test]
async fn committers_come_from_provider_rank_when_the_chain_has_it() {
    let setup = Setup::new().await;
    setup.measured("Miner1").bundle(EPOCH).commit(&setup.chain, 1_050);
    setup.measured("Stranger").bundle(EPOCH).commit(&setup.chain, 1_050);
    let entry =
        clawrank_client::types::BundleCommit { hotkey: key("Miner1").public(), block: 1_040, root: [9; 32], count: 4 };
    setup.chain.with(|s| {
        s.bundle_commits.insert(EPOCH, vec![entry]);
    });
    let subnet = setup.chain.with(|s| s.subnet.clone());
    let public = committers(&*setup.chain, &subnet, EPOCH).await.unwrap();
    assert_eq!((public.len(), public[0].uid, public[0].committed.block), (1, 1, 1_050));
    setup.chain.with(|s| s.provider_rank = true);
    let own = committers(&*setup.chain, &subnet, EPOCH).await.unwrap();
    assert_eq!((own.len(), own[0].committed.block, own[0].committed.commitment.root), (1, 1_040, [9; 32]));
}

#[tokio::test]
async fn bundle_stays_unchecked_when_there_is_no_room_for_it() {
    let Some(disk) = SmallDisk::mount(256) else { return };
    let (watched, mut setup) = (Watched::start(), Setup::new().await);
    setup.checker.folder = disk.path().join("bundles");
    setup.measured("Miner1").bundle(EPOCH).publish(&setup.chain, &setup.gateway, DEADLINE);
    setup.measured("Miner2").bundle(EPOCH).publish(&setup.chain, &setup.gateway, DEADLINE);
    disk.fill();
    assert_eq!(setup.run().await, BTreeMap::new(), "nothing is held against the miners");
    let told = watched.lines(&["ERROR", "kind=bundle", disk.path().to_str().unwrap(), "free disk space"]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(watched.counted("clawrank_validator_file_errors_total{kind=bundle"), 2);

    disk.free();
    assert_eq!(setup.run().await, BTreeMap::from([(1, (0, String::new())), (2, (0, String::new()))]));
    assert_eq!(watched.lines(&["INFO", "kind=bundle", "again"]).len(), 1);
}

#[tokio::test]
async fn bundle_is_fetched_again_when_the_copy_on_disk_cannot_be_read() {
    let setup = Setup::new().await;
    setup.measured("Miner1").bundle(EPOCH).publish(&setup.chain, &setup.gateway, DEADLINE);
    let subnet = setup.chain.with(|s| s.subnet.clone());
    let committer = committers(&*setup.chain, &subnet, EPOCH).await.unwrap()[0];
    // A folder in its place, which no read and no write gets past.
    let path = setup.checker.path(&setup.judged(), &committer);
    std::fs::create_dir_all(path.join("in the way")).unwrap();
    assert_eq!(setup.run().await, BTreeMap::new(), "nothing is held against the miner");
    std::fs::remove_dir_all(&path).unwrap();
    assert_eq!(setup.run().await, BTreeMap::from([(1, (0, String::new()))]));

    // Nor where no gateway has it any more.
    let setup = Setup::new().await;
    setup.measured("Miner1").bundle(EPOCH).commit(&setup.chain, DEADLINE);
    let committer = committers(&*setup.chain, &subnet, EPOCH).await.unwrap()[0];
    std::fs::create_dir_all(setup.checker.path(&setup.judged(), &committer).join("in the way")).unwrap();
    assert_eq!(setup.run().await, BTreeMap::new(), "it is the disk that does not have it");
}
