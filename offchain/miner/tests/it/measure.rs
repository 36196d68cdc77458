// SPDX-License-Identifier: Apache-2.0
//! The intel miner, epoch by epoch and step by step.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use clawrank_client::{ChainPort, types::Call};
use clawrank_emulator::{Emulator, Override};
use clawrank_miner::{
    Error,
    measure::{self, CellFilter, Config, EpochFolder, EpochPlan, Measurer, Shelf, build_bundle, commit},
};
use clawrank_primitives::{
    gate::{EpochWindow, GateParams, check_faithfulness, check_window},
    proof::{AttemptStatus, Bundle, Commitment, Keypair, Opening},
};
use clawrank_protocol::{
    Hex,
    catalogue::Catalogue,
    frames::{GatewayFrame, MinerFrame, Open, Role},
    tasks::{Task, measure_task_id},
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{
    FAST, SLOW,
    chain::{FakeChain, NETUID},
    emulator, emulators,
    gateway::{Connection, StubGateway},
    log::Log,
};

pub struct Setup {
    pub emulator: Emulator,
    catalogue: Catalogue,
    pub folder: TempDir,
    pub config: Config,
    pub keypair: Keypair,
    pub chain: Arc<FakeChain>,
}

/// Four cells: two endpoints × one model × (chat, math).
pub async fn two_endpoints(second: &str) -> Setup {
    let endpoint = |id: &str, model: &str| {
        format!(
            "[[endpoint]]\nid = \"{id}\"\ntask_types = [\"chat\", \"math\"]\n[[endpoint.model]]\nid = \"m\"\n{model}\n"
        )
    };
    setup(emulators(&format!("{}{}", endpoint("a", FAST), endpoint("b", second))).await)
}

pub fn setup(emulator: Emulator) -> Setup {
    let folder = tempfile::tempdir().unwrap();
    let keypair = Keypair::dev("//Intel").unwrap();
    let chain = FakeChain::new(&[[1; 32], keypair.public()], true);
    let config = Config {
        netuid: NETUID,
        data_dir: folder.path().join("data"),
        catalogue: folder.path().join("endpoints.toml"),
        max_attempts_per_cell: 5,
        spread: false,
        reconnect_min_ms: 10,
        reconnect_max_ms: 50,
        ..Config::default()
    };
    let profile: Vec<String> = ["a", "b"]
        .into_iter()
        .filter(|id| emulator.control().set(id, Override::default()))
        .map(|id| {
            format!(
                "[[endpoint]]\nid = \"{id}\"\nbase_url = \"{}\"\ntask_types = [\"chat\", \"math\"]\nmodels = [{{ id = \"m\", \
                 price_in_micro_usd_per_mtok = 1_000_000, price_out_micro_usd_per_mtok = 2_000_000, context_tokens = 8192 }}]\n",
                emulator.base_url(id)
            )
        })
        .collect();
    std::fs::write(&config.catalogue, profile.concat()).unwrap();
    let catalogue = Catalogue::load(&config.catalogue).unwrap();
    Setup { emulator, catalogue, folder, config, keypair, chain }
}

impl Setup {
    pub async fn plan(&self) -> EpochPlan {
        EpochPlan::read(self.chain.as_ref(), &self.config).await.unwrap().unwrap()
    }

    pub fn measurer(&self) -> Measurer {
        Measurer::new(&self.config, &self.catalogue, self.keypair.public()).unwrap()
    }

    pub async fn measure(&self) -> (EpochPlan, EpochFolder, measure::Measured) {
        let plan = self.plan().await;
        let mut folder = EpochFolder::open(&self.config.data_dir, &plan).unwrap();
        let cancel = CancellationToken::new();
        let measured = self.measurer().measure(&plan, &mut folder, self.chain.heads(), &cancel).await.unwrap();
        (plan, folder, measured)
    }

    pub fn bundle(&self, plan: &EpochPlan, folder: &EpochFolder) -> Bundle {
        let records = folder.records().unwrap();
        build_bundle(&self.keypair, plan, &self.measurer().cells(), &records, &self.config.intel()).unwrap()
    }

    pub fn requests(&self) -> u64 {
        self.emulator.control().requests("a") + self.emulator.control().requests("b")
    }
}

pub fn check(bundle: &Bundle, plan: &EpochPlan) {
    bundle.verify().unwrap();
    check_faithfulness(bundle).unwrap();
    let window = EpochWindow { start_ms: plan.start_ms, end_ms: plan.measure_end_ms };
    let params = GateParams { window_slack_ms: 0, ..GateParams::clawrank() };
    check_window(bundle, &window, &params).unwrap();
    assert!(bundle.attempts.iter().map(|attempt| attempt.sequence).eq(0..bundle.header.count));
}

#[tokio::test]
async fn every_cell_has_its_attempts_when_the_budget_allows() {
    let setup = two_endpoints(FAST).await;
    let (plan, folder, measured) = setup.measure().await;
    assert_eq!((measured.attempts, measured.cells), (20, 4));
    assert_eq!(setup.requests(), 20);
    let bundle = setup.bundle(&plan, &folder);
    check(&bundle, &plan);
    assert_eq!(bundle.header.epoch, 5);
    assert_eq!(bundle.signal.len(), 2);
    let mut indices = BTreeMap::new();
    for record in folder.records().unwrap() {
        let attempt = record.attempt;
        let expected = measure_task_id(&plan.seed, &setup.keypair.public(), &attempt.cell, record.index);
        assert_eq!(attempt.task_id, expected);
        assert_eq!(attempt.status, AttemptStatus::Ok);
        assert!(attempt.cost.get() > 0 && attempt.output_tokens > 0 && attempt.ttft_ms <= attempt.total_ms);
        let cell = bundle.cells.iter().find(|cell| cell.id() == attempt.cell).unwrap();
        let task = Task::from_id(cell.task_type.as_str(), &attempt.task_id).unwrap();
        assert!(task.is_request("m", &record.request));
        let verdicts = task.verdicts(attempt.status, std::str::from_utf8(&record.response).unwrap());
        assert_eq!((attempt.schema, attempt.answer), verdicts);
        *indices.entry(attempt.cell).or_insert(0) += record.index;
    }
    assert!(indices.values().all(|sum| *sum == 10), "each index once: {indices:?}");
}

#[tokio::test]
async fn faster_endpoint_leads_the_signal() {
    let slow = FAST.replace("ttft_median_ms = 3.0", "ttft_median_ms = 120.0");
    let setup = two_endpoints(&slow).await;
    let (plan, folder, _) = setup.measure().await;
    for entry in setup.bundle(&plan, &folder).signal {
        let names: Vec<&str> = entry.endpoints.iter().map(|name| name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
    }
}

#[tokio::test]
async fn attempts_are_not_made_again_when_measuring_goes_on_after_a_crash() {
    let slow = "latency = { ttft_median_ms = 30.0, tokens_per_second = 2000.0 }";
    let setup = two_endpoints(slow).await;
    let plan = setup.plan().await;
    let path = {
        let mut folder = EpochFolder::open(&setup.config.data_dir, &plan).unwrap();
        let cancel = CancellationToken::new();
        let measurer = setup.measurer();
        let path = folder.path().join("attempts.log");
        let measuring = measurer.measure(&plan, &mut folder, setup.chain.heads(), &cancel);
        // Dropping it in the middle is what a kill looks like to the files.
        let _ = tokio::time::timeout(Duration::from_millis(150), measuring).await.expect_err("it takes longer");
        path
    };
    // A record that was being written when the process died.
    let mut torn = std::fs::read(&path).unwrap();
    torn.extend_from_slice(&[9, 0, 0, 0, 1]);
    std::fs::write(&path, torn).unwrap();
    let (before, asked) = (measure::AttemptLog::read(&path).unwrap(), setup.requests());
    assert!(!before.is_empty() && before.len() < 20, "{} attempts before", before.len());
    let (plan, folder, measured) = setup.measure().await;
    assert_eq!(measured.attempts, 20);
    let records = folder.records().unwrap();
    assert_eq!(records[..before.len()], before[..]);
    assert_eq!(setup.requests() - asked, 20 - u64::try_from(before.len()).unwrap());
    check(&setup.bundle(&plan, &folder), &plan);
}

#[tokio::test]
async fn no_call_is_made_when_it_could_exceed_the_budget() {
    let mut setup = two_endpoints(FAST).await;
    // A chat call may cost 2 · 96 for its answer alone.
    setup.config.max_cost_micro_usd_per_epoch = 600;
    let (_, _, measured) = setup.measure().await;
    assert!(measured.attempts > 0 && measured.attempts < 20, "{} attempts", measured.attempts);
    assert!(measured.cost_micro_usd <= 600, "{} micro-USD", measured.cost_micro_usd);
    let again = setup.measure().await.2;
    assert!(again.cost_micro_usd <= 600, "{} micro-USD after another run", again.cost_micro_usd);
}

#[tokio::test]
async fn failures_are_attempts_when_the_endpoint_is_at_fault() {
    for (failure, status) in [
        ("failures = { status_500 = 1.0 }", AttemptStatus::ServerError),
        ("failures = { malformed = 1.0 }", AttemptStatus::Malformed),
        ("failures = { broken = 1.0 }", AttemptStatus::ServerError),
        ("failures = { hang = 1.0 }", AttemptStatus::Timeout),
    ] {
        let mut setup = setup(emulator(&format!("{FAST}{failure}")).await);
        setup.config.max_attempts_per_cell = 2;
        setup.config.call_deadline_ms = 150;
        let (plan, folder, measured) = setup.measure().await;
        assert_eq!(measured.attempts, 4, "{failure}");
        for record in folder.records().unwrap() {
            assert_eq!((record.attempt.status, record.attempt.cost.get()), (status, 0), "{failure}");
        }
        check(&setup.bundle(&plan, &folder), &plan);
    }
}

#[tokio::test]
async fn nothing_is_recorded_when_the_caller_is_at_fault() {
    let limited = setup(emulator(&format!("{FAST}failures = {{ status_429 = 1.0 }}")).await);
    assert_eq!(limited.measure().await.2.attempts, 0);
    let absent = setup(emulator(FAST).await);
    let text = std::fs::read_to_string(&absent.config.catalogue).unwrap();
    let catalogue =
        Catalogue::parse(&text.replace(&absent.emulator.base_url("a"), "http://127.0.0.1:9/v1"), "t").unwrap();
    let absent = Setup { catalogue, ..absent };
    assert_eq!(absent.measure().await.2.attempts, 0);
}

#[tokio::test]
async fn answer_is_malformed_when_it_is_larger_than_accepted() {
    let mut setup = setup(emulator(FAST).await);
    setup.config.max_answer_bytes = 400;
    setup.config.cells = CellFilter { task_types: vec!["chat".into()], ..CellFilter::default() };
    let (_, folder, _) = setup.measure().await;
    let records = folder.records().unwrap();
    assert_eq!(records.len(), 5);
    assert!(records.iter().all(|record| record.attempt.status == AttemptStatus::Malformed));
}

#[tokio::test]
async fn measuring_ends_when_the_chain_reaches_its_end() {
    let mut setup = setup(emulator("latency = { ttft_median_ms = 60.0, tokens_per_second = 2000.0 }").await);
    setup.config.max_attempts_per_cell = 1_000;
    let plan = setup.plan().await;
    let mut folder = EpochFolder::open(&setup.config.data_dir, &plan).unwrap();
    let (measurer, cancel) = (setup.measurer(), CancellationToken::new());
    let measuring = measurer.measure(&plan, &mut folder, setup.chain.heads(), &cancel);
    let ending = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        setup.chain.advance_to(plan.measure_end_block);
    };
    let (measured, ()) = tokio::join!(measuring, ending);
    let measured = measured.unwrap();
    assert!(measured.attempts > 0 && measured.attempts < 100, "{} attempts", measured.attempts);
    let after = setup.measure().await.2;
    assert_eq!(after.attempts, measured.attempts, "nothing is measured after the end");
}

#[tokio::test]
async fn attempts_are_spread_over_the_time_when_asked() {
    let mut setup = setup(emulator(FAST).await);
    setup.config.spread = true;
    setup.config.measure_until_percent = 8;
    let (plan, folder, _) = setup.measure().await;
    let window = plan.measure_end_ms - plan.start_ms;
    assert_eq!(window, 800);
    for record in folder.records().unwrap() {
        assert!(record.attempt.start_ms >= plan.start_ms + window * u64::from(record.index) / 5);
    }
}

#[tokio::test]
async fn root_is_committed_once_when_committing_is_repeated() {
    let setup = two_endpoints(FAST).await;
    let (plan, folder, _) = setup.measure().await;
    let header = setup.bundle(&plan, &folder).header;
    let cancel = CancellationToken::new();
    setup.chain.refuse(2);
    for first in [true, false] {
        let committed = commit(setup.chain.as_ref(), &setup.keypair, &plan, &header, &cancel).await.unwrap();
        assert_eq!((committed.commitment_sent, committed.bundle_sent), (first, first));
    }
    let data = Commitment::from(&header).to_bytes().to_vec();
    let (root, count) = (header.root, header.count);
    assert_eq!(
        setup.chain.calls(),
        [Call::SetCommitment { netuid: NETUID, data }, Call::CommitBundle { netuid: NETUID, epoch: 5, root, count }]
    );
}

#[tokio::test]
async fn root_is_sent_once_more_only_when_the_pool_lost_it() {
    for lands in [true, false] {
        let setup = two_endpoints(FAST).await;
        let (plan, folder, _) = setup.measure().await;
        let header = setup.bundle(&plan, &folder).header;
        setup.chain.blur();
        let cancel = CancellationToken::new();
        let committing = commit(setup.chain.as_ref(), &setup.keypair, &plan, &header, &cancel);
        let settling = async {
            while !setup.chain.is_pending() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            // Long enough for some looks at the chain.
            tokio::time::sleep(Duration::from_millis(1_000)).await;
            assert!(setup.chain.calls().is_empty(), "nothing is sent while one is on its way");
            setup.chain.settle(lands);
        };
        let (committed, ()) = tokio::join!(committing, settling);
        let committed = committed.unwrap();
        assert_eq!((committed.commitment_sent, committed.bundle_sent), (!lands, true));
        assert!(matches!(setup.chain.calls()[..], [Call::SetCommitment { .. }, Call::CommitBundle { .. }]));
    }
}

#[tokio::test]
async fn root_is_not_committed_when_the_deadline_has_passed() {
    let setup = two_endpoints(FAST).await;
    let (plan, folder, _) = setup.measure().await;
    let header = setup.bundle(&plan, &folder).header;
    setup.chain.advance_to(plan.deadline_block);
    let cancel = CancellationToken::new();
    let error = commit(setup.chain.as_ref(), &setup.keypair, &plan, &header, &cancel).await.unwrap_err();
    assert!(matches!(error, Error::TooLate { epoch: 5, deadline: 1_060, head: 1_060 }), "{error}");
    assert!(setup.chain.calls().is_empty());
}

#[tokio::test]
async fn old_epochs_are_deleted_when_there_are_too_many() {
    let setup = two_endpoints(FAST).await;
    let mut roots = Vec::new();
    let shelf = Shelf::open(&setup.config.data_dir).unwrap();
    let (first, source, _) = setup.measure().await;
    let records = source.records().unwrap();
    for epoch in 0..4u64 {
        // The later, the lower the number: age decides, not the number.
        let plan = EpochPlan { epoch: 100 - epoch, ..first.clone() };
        let folder = EpochFolder::open(&setup.config.data_dir, &plan).unwrap();
        let log = folder.path().join("attempts.log");
        std::fs::copy(source.path().join("attempts.log"), log).unwrap();
        let bundle =
            build_bundle(&setup.keypair, &plan, &setup.measurer().cells(), &records, &setup.config.intel()).unwrap();
        folder.save_bundle(&bundle).unwrap();
        shelf.put(&folder).unwrap();
        roots.push((bundle.header.root, folder.path().to_owned()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    shelf.prune(2).unwrap();
    let exist: Vec<bool> = roots.iter().map(|(_, path)| path.exists()).collect();
    assert_eq!(exist, [false, false, true, true]);
    let opened = shelf.openings(&roots[3].0, &[0, 19, 20]).unwrap();
    assert_eq!(opened.iter().map(|opening| opening.index).collect::<Vec<_>>(), [0, 19]);
    assert!(shelf.openings(&[9; 32], &[0]).unwrap().is_empty());
}

/// The whole worker over one epoch.
pub struct Run {
    pub setup: Setup,
    pub gateway: StubGateway,
}

impl Run {
    async fn new() -> Self {
        Self::with(two_endpoints(FAST).await).await
    }

    pub async fn with(setup: Setup) -> Self {
        Self::at(StubGateway::start().await, setup)
    }

    pub fn at(gateway: StubGateway, mut setup: Setup) -> Self {
        setup.config.gateway_url = gateway.url();
        setup.config.gateway_hotkey = Some(gateway.hotkey());
        Self { setup, gateway }
    }

    pub fn start(&self) -> (CancellationToken, tokio::task::JoinHandle<Result<(), Error>>) {
        self.start_on(self.setup.chain.clone())
    }

    pub fn start_on(
        &self,
        chain: Arc<dyn ChainPort>,
    ) -> (CancellationToken, tokio::task::JoinHandle<Result<(), Error>>) {
        let cancel = CancellationToken::new();
        let miner = measure::run(self.setup.config.clone(), self.setup.keypair.clone(), chain, cancel.clone());
        (cancel, tokio::spawn(miner))
    }

    /// Waits for the bundle of all 20 attempts, has leaves of it opened, and ends the miner.
    pub async fn ends_whole(
        &self,
        cancel: CancellationToken,
        miner: tokio::task::JoinHandle<Result<(), Error>>,
    ) -> Bundle {
        let bundle = self.gateway.bundle().await;
        assert_eq!((bundle.header.count, self.setup.requests()), (20, 20));
        assert_eq!(self.setup.chain.calls().len(), 2);
        let mut connection = self.gateway.accept().await;
        verify(&open(&mut connection, &bundle, &[0, 7, 19]).await, &bundle);
        cancel.cancel();
        miner.await.unwrap().unwrap();
        bundle
    }
}

pub async fn open(connection: &mut Connection, bundle: &Bundle, leaves: &[u32]) -> Vec<Opening> {
    let root = Hex(bundle.header.root);
    let open = Open { id: Hex([3; 16]), root, leaves: leaves.to_vec(), deadline_ms: 5_000 };
    connection.send(GatewayFrame::Open(open)).await;
    let mut openings = Vec::new();
    loop {
        let MinerFrame::Opened(opened) = connection.next().await else { panic!("opened answers open") };
        assert_eq!(opened.id, Hex([3; 16]));
        openings.extend(opened.openings.into_iter().map(|leaf| Opening::try_from(leaf).unwrap()));
        if !opened.more {
            return openings;
        }
    }
}

pub fn verify(openings: &[Opening], bundle: &Bundle) {
    let root = bundle.attempts_root().unwrap();
    for opening in openings {
        opening.verify(&root, bundle.header.count).unwrap();
        assert_eq!(opening.attempt, bundle.attempts[usize::try_from(opening.index).unwrap()]);
    }
}

#[tokio::test]
async fn epoch_is_measured_committed_uploaded_and_opened() {
    let run = Run::new().await;
    run.gateway.fail_uploads(&[503, 500]);
    let (cancel, miner) = run.start();
    let mut connection = run.gateway.accept().await;
    assert_eq!((connection.hello.role, connection.hello.models.len()), (Role::Measure, 0));
    let bundle = run.gateway.bundle().await;
    assert_eq!(bundle.header.count, 20);
    assert_eq!(run.setup.chain.calls().len(), 2);
    let leaves: Vec<u32> = (0..20).collect();
    let openings = open(&mut connection, &bundle, &leaves).await;
    assert_eq!(openings.len(), 20);
    verify(&openings, &bundle);
    cancel.cancel();
    miner.await.unwrap().unwrap();
}

#[tokio::test]
async fn nothing_is_done_twice_when_the_miner_starts_again() {
    let run = Run::new().await;
    let (cancel, miner) = run.start();
    let bundle = run.gateway.bundle().await;
    cancel.cancel();
    miner.await.unwrap().unwrap();
    drop(run.gateway.accept().await);
    let (cancel, miner) = run.start();
    let mut connection = run.gateway.accept().await;
    let again = run.gateway.bundle().await;
    assert_eq!(again, bundle);
    assert_eq!(run.setup.requests(), 20);
    assert_eq!(run.setup.chain.calls().len(), 2);
    verify(&open(&mut connection, &bundle, &[0, 7, 19]).await, &bundle);
    cancel.cancel();
    miner.await.unwrap().unwrap();
}

#[tokio::test]
async fn next_epoch_is_measured_when_it_begins_and_the_last_one_can_still_be_opened() {
    let run = Run::new().await;
    let (cancel, miner) = run.start();
    let mut connection = run.gateway.accept().await;
    let first = run.gateway.bundle().await;
    // The clock of the fake chain is the real one: wait until block 1101 may be.
    let plan = run.setup.plan().await;
    let begin = plan.start_ms + 101 * crate::chain::BLOCK_MS;
    tokio::time::sleep(Duration::from_millis(begin.saturating_sub(clawrank_miner::now_ms()))).await;
    run.setup.chain.advance_to(1_101);
    let second = run.gateway.bundle().await;
    assert_eq!((first.header.epoch, second.header.epoch), (5, 6));
    assert_ne!(first.header.root, second.header.root);
    verify(&open(&mut connection, &first, &[0, 5]).await, &first);
    verify(&open(&mut connection, &second, &[0, 5]).await, &second);
    cancel.cancel();
    miner.await.unwrap().unwrap();
}

#[tokio::test]
async fn epoch_is_committed_uploaded_and_opened_when_the_chain_finalises_again() {
    let run = Run::with(two_endpoints(SLOW).await).await;
    let (cancel, miner) = run.start();
    while run.setup.requests() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    run.setup.chain.stall(true);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(run.setup.requests(), 20, "measuring needs no blocks");
    assert!(run.setup.chain.calls().is_empty() && !miner.is_finished());
    run.setup.chain.stall(false);
    run.setup.chain.advance_to(1_040);
    run.ends_whole(cancel, miner).await;
}

#[tokio::test]
async fn nothing_is_measured_when_the_hotkey_is_not_registered() {
    let (log, mut run) = (Log::watch(), Run::new().await);
    run.setup.keypair = Keypair::dev("//Stranger").unwrap();
    run.setup.chain.backdate(101);
    let (cancel, miner) = run.start();
    let mut connection = run.gateway.accept().await;
    let told = || log.lines(&["Warn", "not registered on the subnet", "register it"]);
    let warning = async {
        while told().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), warning).await.expect("a warning");
    run.setup.chain.advance_to(1_010);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(told().len() == 1 && told()[0].contains("epoch: 5, netuid: 92"), "once per epoch: {:?}", told());
    assert_eq!((run.setup.requests(), run.setup.chain.calls().len()), (0, 0));

    // Registered in the middle of an epoch, it begins with the next.
    run.setup.chain.register(run.setup.keypair.public());
    run.setup.chain.advance_to(1_101);
    let bundle = run.gateway.bundle().await;
    assert_eq!((bundle.hotkey, bundle.header.epoch, bundle.header.count), (run.setup.keypair.public(), 6, 20));
    assert_eq!((run.setup.requests(), run.setup.chain.calls().len(), told().len()), (20, 2, 1));
    verify(&open(&mut connection, &bundle, &[0, 7, 19]).await, &bundle);
    cancel.cancel();
    miner.await.unwrap().unwrap();
}

#[tokio::test]
async fn miner_ends_when_subnet_or_catalogue_or_filter_is_wrong() {
    type Change = fn(&mut Config, &Path);
    let cases: [(Change, &str); 3] = [
        (|config, _| config.netuid = 3, "subnet"),
        (|config, folder| config.catalogue = folder.join("none.toml"), "none.toml"),
        (|config, _| config.cells.models = vec!["unknown".into()], "no cell of the catalogue is left"),
    ];
    for (change, expected) in cases {
        let mut run = Run::new().await;
        let folder = run.setup.folder.path().to_owned();
        change(&mut run.setup.config, &folder);
        let (_, miner) = run.start();
        let error = tokio::time::timeout(Duration::from_secs(10), miner).await.unwrap().unwrap().unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}
