// SPDX-License-Identifier: Apache-2.0
//! Whole epochs: chain, gateway, endpoints and miners against a running validator.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::path::Path;

use clawrank_primitives::{Params, proof::Cell, units::Ppb};
use clawrank_store::journal::{CommitState, JournalError};
use tokio::task::JoinHandle;

use super::*;
use crate::{
    report::GateState,
    testing::{FakeChain, Fault, Measurer, ProbeMode, SmallDisk, StubEndpoints, StubGateway, Watched, key, until},
};

mod full_disk;
mod keys;
mod rules_chain;
mod rules_file;
mod stall;

/// Replays per cell: enough for the gate to tell a lie.
const REPLAYS: u32 = 20;
/// Time of both endpoints to answer, milliseconds.
const LATENCY_MS: u32 = 300;

struct World {
    folder: tempfile::TempDir,
    chain: Arc<FakeChain>,
    gateway: StubGateway,
    endpoints: StubEndpoints,
    config: Config,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (gateway, endpoints) = (StubGateway::start().await, StubEndpoints::start().await);
        for endpoint in ["a", "b"] {
            endpoints.set_latency(endpoint, u64::from(LATENCY_MS));
        }
        let catalogue = folder.path().join("endpoints.toml");
        std::fs::write(&catalogue, endpoints.catalogue(&["a", "b"], &["math"])).unwrap();
        let config = Config {
            gateways: vec![gateway.config()],
            catalogue,
            data_dir: folder.path().join("data"),
            params: "local".into(),
            replays_per_cell: Some(REPLAYS),
            leaves_per_bundle: Some(4),
            replay_concurrency: 8,
            probe_interval_ms: 300,
            receipts_interval_ms: 100,
            ..Config::default()
        };
        Self { folder, chain: FakeChain::new(8, now_ms()), gateway, endpoints, config }
    }

    fn start(&self) -> (JoinHandle<Result<(), Error>>, CancellationToken) {
        let cancel = CancellationToken::new();
        let chain: Arc<dyn ChainPort> = Arc::clone(&self.chain) as _;
        (tokio::spawn(run(self.config.clone(), key("Vali"), chain, cancel.clone())), cancel)
    }

    /// A miner that measured both endpoints and claims this time for them.
    fn intel(&self, name: &str, claimed_ms: u32) -> Measurer {
        let mut measurer = Measurer::new(key(name));
        measurer.first_block(self.chain.with(|s| s.subnet.last_epoch_block));
        for endpoint in ["a", "b"] {
            let cell = Cell::new("m", endpoint, "math").unwrap();
            measurer.measure(&cell, 40, claimed_ms, self.chain.time_of(1_002));
        }
        measurer.recommend("m", "math", &["a", "b"]);
        measurer
    }

    fn report(&self, name: &str) -> Option<Report> {
        let text = std::fs::read(self.config.data_dir.join("reports").join(name)).ok()?;
        Some(serde_json::from_slice(&text).expect("a report is whole whenever it is read"))
    }

    /// Waits for a report, making blocks up to `limit` meanwhile: most steps follow a head.
    async fn wait_for(&self, what: &str, limit: u64, condition: impl Fn(&Report) -> bool) -> Report {
        until(what, || async {
            let found = self.report("latest.json").filter(|report| condition(report));
            if found.is_none() && self.chain.with(|s| s.subnet.head.number) < limit {
                self.chain.advance();
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            found
        })
        .await
    }

    /// Makes blocks one by one, giving the validator time at each.
    async fn walk_to(&self, block: u64) {
        while self.chain.with(|s| s.subnet.head.number) < block {
            self.chain.advance();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Miner 1 and 2 serve four payers each; miner 4 measures honestly.
    async fn good_miners(&self) {
        let truth = honest_ms(self).await;
        for name in ["Miner1", "Miner2"] {
            self.gateway.connect(key(name).public(), ProbeMode::Answers);
            for payer in 1..=4 {
                self.gateway.push_receipt(&key(name), payer, 100, |_| {});
            }
        }
        self.intel("Miner4", truth).bundle(5).publish(&self.chain, &self.gateway, 1_040);
    }

    async fn replays_made(&self, at_least: usize) {
        until("replays", || async { (self.endpoints.calls() >= at_least).then_some(()) }).await;
    }
}

/// Latency that an honest miner would claim on this machine now: the median of calls like the replays.
async fn honest_ms(world: &World) -> u32 {
    use clawrank_protocol::tasks::Task;
    let catalogue = Catalogue::load(&world.config.catalogue).unwrap();
    let endpoint = catalogue.endpoint("a").unwrap();
    let http = gateway::http_client(Duration::from_secs(10)).unwrap();
    let mut times = Vec::new();
    for i in 0..5u8 {
        let task = Task::from_id("math", &[i; 32]).unwrap();
        let deadline = Duration::from_secs(10);
        let measured = measure::measure(&http, endpoint, &endpoint.models[0], None, &task, deadline).await.unwrap();
        assert_eq!(measured.status, clawrank_primitives::proof::AttemptStatus::Ok);
        assert_eq!(measured.answer, clawrank_primitives::proof::AnswerVerdict::Right);
        assert!(measured.total_ms >= LATENCY_MS && measured.ttft_ms <= measured.total_ms);
        times.push(measured.total_ms);
    }
    times.sort_unstable();
    times[2]
}

fn find(report: &Report, uid: u16) -> report::MinerReport {
    report.miners.iter().find(|miner| miner.uid == uid).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn epoch_ends_with_revealed_weights_when_miners_are_good_and_bad() {
    let world = World::new().await;
    let truth = honest_ms(&world).await;
    let before = world.endpoints.calls();
    // 1 and 2 serve, 3 is a ghost. 4 measures honestly, 5 lies, 6 copies 4.
    for (name, mode) in [("Miner1", ProbeMode::Answers), ("Miner2", ProbeMode::Answers), ("Miner3", ProbeMode::Fails)] {
        world.gateway.connect(key(name).public(), mode);
        for payer in 1..=4 {
            world.gateway.push_receipt(&key(name), payer, 100, |_| {});
        }
    }
    world.gateway.set_demand(vec![clawrank_protocol::http::DemandCell {
        model: "m".into(),
        task_type: "math".into(),
        requests: 5,
        tokens: 500,
    }]);
    let honest = world.intel("Miner4", truth);
    honest.bundle(5).publish(&world.chain, &world.gateway, 1_040);
    world.intel("Miner5", truth / 4).bundle(5).publish(&world.chain, &world.gateway, 1_041);
    let mut copy = honest.copied_by(key("Miner6"));
    copy.recommend("m", "math", &["b", "a"]);
    copy.bundle(5).publish(&world.chain, &world.gateway, 1_042);
    world.chain.with(|s| s.provider_rank = true);
    for (name, block) in [("Miner4", 1_040), ("Miner5", 1_041), ("Miner6", 1_042)] {
        let data =
            world.chain.with(|s| s.commitments.iter().find(|c| c.hotkey == key(name).public()).cloned()).unwrap();
        let commitment = clawrank_primitives::proof::Commitment::parse(&data.data).unwrap();
        let entry = clawrank_client::types::BundleCommit {
            hotkey: data.hotkey,
            block,
            root: commitment.root,
            count: commitment.count,
        };
        world.chain.with(|s| s.bundle_commits.entry(5).or_default().push(entry));
    }

    let (task, cancel) = world.start();
    world.walk_to(1_063).await;
    world.replays_made(before + 2 * REPLAYS as usize).await;
    let report = world.wait_for("scores", 1_079, |report| report.epoch == 5).await;
    assert_eq!(report.replays, 2 * REPLAYS);
    assert_eq!((report.deadline_block, report.seed.map(|seed| seed.0)), (1_060, Some(world.chain.hash_of(1_061))));
    assert!(report.notice.as_deref().unwrap().contains("local chains only"));

    let gates = [4, 5, 6].map(|uid| find(&report, uid).intel);
    assert_eq!((gates[0].gate, gates[0].cells_verified), (GateState::Open, 2), "{}", find(&report, 4).why);
    assert_eq!((gates[0].cells[0].value, gates[0].coverage_ppb), (500, 1_000_000_000));
    assert_eq!(gates[1].reason.as_deref(), Some("LatencyOutOfTolerance"), "{}", gates[1].evidence);
    assert_eq!(gates[2].reason.as_deref(), Some("Duplicate"), "{}", gates[2].evidence);
    assert!(find(&report, 3).serving.ghost);
    assert_eq!(find(&report, 1).serving.eligible_tokens, 400);
    assert_eq!(
        (report.mechanisms[0].uids.as_slice(), report.mechanisms[1].uids.as_slice()),
        ([1, 2].as_slice(), [4].as_slice())
    );

    // Whoever routes learns what the replays showed, once.
    let tables = world.gateway.tables();
    let shown: Vec<(&str, u32, u32)> =
        tables[0].cells.iter().map(|cell| (cell.endpoint.as_str(), cell.replays, cell.passed)).collect();
    assert_eq!((tables.len(), tables[0].epoch, shown.len()), (1, 5, 2));
    assert!(shown.iter().all(|(_, replays, passed)| *replays == REPLAYS && *passed == REPLAYS), "{shown:?}");
    assert!(tables[0].cells.iter().all(|cell| u64::from(cell.p50_ttft_ms) <= u64::from(cell.p95_ttft_ms)));

    let committed = world
        .wait_for("commits", 1_097, |r| {
            r.commits.len() == 2 && r.commits.iter().all(|c| c.state == CommitState::Committed)
        })
        .await;
    assert_eq!((committed.commits.len(), world.chain.commits_made()), (2, 2));
    world
        .wait_for("reveals", 1_170, |r| r.epoch == 5 && r.commits.iter().all(|c| c.state == CommitState::Revealed))
        .await;
    assert_eq!(world.chain.with(|s| s.weights.get(&(1, 0)).cloned()), Some(vec![(4, 65_535)]));
    let serving = world.chain.with(|s| s.weights.get(&(0, 0)).cloned()).unwrap();
    assert_eq!(serving.iter().map(|(uid, _)| *uid).collect::<Vec<_>>(), [1, 2]);
    let verdicts = world.chain.with(|s| s.verdicts.clone());
    assert_eq!((verdicts.len(), verdicts[0].0), (1, 5));
    let tripped: Vec<(u16, bool, u8)> = verdicts[0].1.iter().map(|v| (v.uid, v.tripped, v.reason)).collect();
    assert_eq!(tripped, [(4, false, 0), (5, true, 8), (6, true, 6)]);

    cancel.cancel();
    task.await.unwrap().unwrap();
    assert_eq!(world.report("epoch-5.json").unwrap().epoch, 5);

    // The same folder, by itself: the next epoch as it stands, and nothing sent.
    let handed_over = world.chain.with(|s| s.handed_over);
    let dry = dry_run(world.config.clone(), key("Vali"), Arc::clone(&world.chain) as _).await.unwrap();
    assert!(dry.dry_run && dry.epoch == 6 && dry.commits.is_empty());
    assert_eq!(find(&dry, 1).serving.eligible_tokens, 400);
    assert_eq!(world.chain.with(|s| s.handed_over), handed_over);
    drop(world.folder);
}

#[tokio::test(flavor = "multi_thread")]
async fn epoch_goes_on_where_it_was_when_killed_while_replaying() {
    let world = World::new().await;
    let truth = honest_ms(&world).await;
    let before = world.endpoints.calls();
    world.intel("Miner4", truth).bundle(5).publish(&world.chain, &world.gateway, 1_040);
    let (task, _cancel) = world.start();
    world.walk_to(1_063).await;
    world.replays_made(before + 12).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    // The lock is free once the last task of the killed process is gone.
    let (task, cancel) = until("restart", || async {
        let (task, cancel) = world.start();
        tokio::time::sleep(Duration::from_millis(200)).await;
        if task.is_finished() {
            let error = task.await.unwrap().unwrap_err();
            assert!(matches!(error, Error::Journal(JournalError::Held { .. })), "{error}");
            return None;
        }
        Some((task, cancel))
    })
    .await;
    let report = world.wait_for("scores", 1_079, |report| report.epoch == 5).await;
    assert_eq!(report.replays, 2 * REPLAYS);
    assert_eq!(find(&report, 4).intel.gate, GateState::Open, "{}", find(&report, 4).why);
    // Those in flight when it was killed are made again, the others are not: two endpoints, eight at a time.
    let calls = world.endpoints.calls() - before;
    assert!(calls <= 2 * REPLAYS as usize + 16, "{calls} calls");
    world.wait_for("commit", 1_097, |r| r.commits.iter().any(|c| c.state == CommitState::Committed)).await;
    assert_eq!(world.chain.commits_made(), 1);
    cancel.cancel();
    task.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn deadline_moves_when_the_tempo_changes_in_the_middle() {
    let world = World::new().await;
    let truth = honest_ms(&world).await;
    let (task, cancel) = world.start();
    world.walk_to(1_030).await;
    // The chain restarts the epoch's count at the block of the change.
    world.chain.with(|s| {
        s.subnet.tempo = 120;
        s.subnet.last_epoch_block = 1_030;
    });
    world.walk_to(1_070).await;
    assert!(world.report("latest.json").is_none(), "the old deadline no longer counts");
    let mut late = world.intel("Miner4", truth);
    for attempt in &mut late.attempts {
        attempt.start_ms += 40 * crate::testing::BLOCK_MS;
    }
    late.bundle(5).publish(&world.chain, &world.gateway, 1_100);
    world.walk_to(1_105).await;
    let report = world.wait_for("scores", 1_120, |report| report.epoch == 5).await;
    assert_eq!((report.start_block, report.deadline_block), (1_030, 1_102));
    assert_eq!(find(&report, 4).intel.gate, GateState::Open, "{}", find(&report, 4).why);
    cancel.cancel();
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn run_refuses_to_start_when_its_journal_is_damaged() {
    let world = World::new().await;
    let data: &Path = &world.config.data_dir;
    std::fs::create_dir_all(data).unwrap();
    std::fs::write(data.join("journal.db"), vec![1; 5_000]).unwrap();
    let chain: Arc<dyn ChainPort> = Arc::clone(&world.chain) as _;
    let error = run(world.config.clone(), key("Vali"), chain, CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, Error::Journal(JournalError::Damaged { .. })), "{error}");
    assert!(!error.is_retryable());
    assert!(error.to_string().contains("restore it from a backup"), "{error}");
}

#[test]
fn config_is_refused_when_a_value_makes_no_sense() {
    let refused = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        match config.check() {
            Err(Error::Config { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    };
    assert!(Config::default().check().is_ok());
    assert_eq!(refused(&|c| c.replay_concurrency = 0), "replay_concurrency");
    assert_eq!(refused(&|c| c.replays_per_cell = Some(257)), "replays_per_cell");
    assert_eq!(refused(&|c| c.receipts_page = 5_000), "receipts_page");
    assert_eq!(refused(&|c| c.commit_by = c.replay_until), "replay_until");
    assert_eq!(refused(&|c| c.replay_until = Ppb::from_percent(62)), "replay_until");
    assert_eq!(refused(&|c| c.keep_epochs = 1), "keep_epochs");
    let rules = Config { replays_per_cell: Some(3), ..Config::default() }.rules();
    assert!(matches!(rules, Err(Error::Config { field: "params", .. })));
    let rules = Config { params: "nowhere.toml".into(), ..Config::default() }.rules();
    assert!(matches!(rules, Err(Error::File { .. })));
}

#[test]
fn config_is_read_when_it_is_toml() {
    let text =
        "netuid = 3\nreplay_until = \"70%\"\ncommit = \"timelock\"\n[[gateways]]\nurl = \"http://127.0.0.1:8080\"\n";
    let config: Config = toml::from_str(text).unwrap();
    assert_eq!((config.netuid, config.replay_until.parts(), config.gateways.len()), (3, 700_000_000, 1));
    assert_eq!((config.commit, config.take_over), (commit::CommitMode::Timelock, false));
    assert!(toml::from_str::<Config>("replays = 3").is_err(), "unknown names are refused");
}
