// SPDX-License-Identifier: Apache-2.0
//! Both miners on a real disk that is full for a while.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use clawrank_client::ChainPort;
use clawrank_miner::{
    Error,
    measure::{AttemptLog, EpochFolder, EpochPlan, Record},
    now_ms,
    serve::{ReceiptBook, StoredReceipt},
};
use clawrank_primitives::proof::Keypair;
use clawrank_protocol::{
    HexBytes,
    frames::{GatewayFrame, MinerFrame},
};
use clawrank_small_disk::SmallDisk;
use codec::Encode;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    FAST, SLOW,
    gateway::Connection,
    measure::{Run, Setup, check, two_endpoints},
    serve::{chat, complete, keypair, receipt, start},
};

const PATIENCE: Duration = Duration::from_secs(10);

/// Leaves room neither for contents nor for names.
fn fill(disk: &SmallDisk) {
    disk.fill();
    disk.fill_names();
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("waited in vain for {what}"));
}

/// Waits until no endpoint has been asked for a while: what was made waits for the disk.
async fn until_quiet(setup: &Setup) -> u64 {
    let mut before = setup.requests();
    loop {
        sleep(Duration::from_millis(400)).await;
        let now = setup.requests();
        if now == before {
            return now;
        }
        before = now;
    }
}

fn assert_is_full(error: &Error, path: &Path) {
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("free disk space") && text.contains(&path.display().to_string()), "{text}");
}

/// A miner whose disk is full in the middle of measuring.
struct Stuck {
    run: Run,
    plan: EpochPlan,
    log: PathBuf,
    /// What reached the disk before it was full.
    before: Vec<Record>,
    /// Requests that were made until it stood still.
    asked: u64,
    cancel: CancellationToken,
    miner: JoinHandle<Result<(), Error>>,
}

impl Stuck {
    async fn on(disk: &SmallDisk) -> Self {
        let mut run = Run::with(two_endpoints(SLOW).await).await;
        run.setup.config.data_dir = disk.path().join("data");
        let plan = run.setup.plan().await;
        let log = EpochFolder::path_of(&run.setup.config.data_dir, &plan).join("attempts.log");
        let (cancel, miner) = run.start();
        until("some attempts", || AttemptLog::read(&log).is_ok_and(|records| records.len() >= 4)).await;
        fill(disk);
        let asked = until_quiet(&run.setup).await;
        let before = AttemptLog::read(&log).unwrap();
        Self { run, plan, log, before, asked, cancel, miner }
    }

    fn assert_waits(&self) {
        assert!(self.run.setup.chain.calls().is_empty() && !self.miner.is_finished());
    }
}

/// The records of a real epoch, to write elsewhere.
async fn some_records() -> Vec<Record> {
    let setup = two_endpoints(FAST).await;
    setup.measure().await.1.records().unwrap()
}

#[tokio::test]
async fn attempts_before_and_after_are_whole_when_the_disk_was_full_between() {
    let Some(disk) = SmallDisk::mount(64) else { return };
    let records = some_records().await;
    let path = disk.path().join("attempts.log");
    let (mut log, _) = AttemptLog::open(&path).unwrap();
    log.append(&records[..3]).unwrap();
    let before = fs::read(&path).unwrap();
    fill(&disk);
    for _ in 0..2 {
        assert_is_full(&log.append(&records[3..]).unwrap_err(), &path);
        assert!(fs::read(&path).unwrap() == before, "what was begun is undone");
    }
    disk.free();
    log.append(&records[3..]).unwrap();
    assert_eq!(AttemptLog::read(&path).unwrap(), records);
}

#[tokio::test]
async fn no_attempt_is_lost_or_paid_twice_when_the_disk_is_full_for_a_while() {
    let Some(disk) = SmallDisk::mount(1_024) else { return };
    let stuck = Stuck::on(&disk).await;
    let (asked, made) = (stuck.asked, u64::try_from(stuck.before.len()).unwrap());
    // Those that wait for the disk are the ones in flight: two for each of the two endpoints.
    assert!(asked < 20 && (1..=4).contains(&(asked - made)), "{asked} asked, {made} on disk");
    stuck.assert_waits();
    disk.free();
    let bundle = stuck.run.ends_whole(stuck.cancel, stuck.miner).await;
    check(&bundle, &stuck.plan);
    assert_eq!(AttemptLog::read(&stuck.log).unwrap()[..stuck.before.len()], stuck.before[..]);
}

#[tokio::test]
async fn measuring_fails_by_name_and_keeps_what_it_has_when_the_disk_stays_full() {
    let Some(disk) = SmallDisk::mount(1_024) else { return };
    let mut setup = two_endpoints(SLOW).await;
    setup.config.data_dir = disk.path().join("data");
    let plan = setup.plan().await;
    let mut folder = EpochFolder::open(&setup.config.data_dir, &plan).unwrap();
    let log = folder.path().join("attempts.log");
    let (measurer, cancel) = (setup.measurer(), CancellationToken::new());
    let measuring = measurer.measure(&plan, &mut folder, setup.chain.heads(), &cancel);
    let filling = async {
        until("some attempts", || AttemptLog::read(&log).is_ok_and(|records| records.len() >= 4)).await;
        fill(&disk);
        until_quiet(&setup).await;
        setup.chain.advance_to(plan.measure_end_block);
    };
    let (measured, ()) = tokio::join!(measuring, filling);
    assert_is_full(&measured.unwrap_err(), &log);
    let before = AttemptLog::read(&log).unwrap();
    assert!(before.len() >= 4);
    disk.free();
    // The time is over: nothing is added, and what is there makes a bundle.
    let (plan, folder, measured) = setup.measure().await;
    assert_eq!(measured.attempts, before.len());
    assert_eq!(folder.records().unwrap(), before);
    check(&setup.bundle(&plan, &folder), &plan);
}

#[tokio::test]
async fn epoch_is_committed_with_what_it_has_when_space_returns_before_the_deadline() {
    let Some(disk) = SmallDisk::mount(1_024) else { return };
    let stuck = Stuck::on(&disk).await;
    stuck.run.setup.chain.advance_to(stuck.plan.measure_end_block);
    // The bundle does not fit either.
    sleep(Duration::from_millis(1_200)).await;
    stuck.assert_waits();
    disk.free();
    let Stuck { run, plan, before, cancel, miner, .. } = stuck;
    let bundle = run.gateway.bundle().await;
    check(&bundle, &plan);
    assert_eq!(usize::try_from(bundle.header.count).unwrap(), before.len());
    assert_eq!(run.setup.chain.calls().len(), 2);
    // The next epoch is measured as any other.
    let begin = plan.start_ms + 101 * crate::chain::BLOCK_MS;
    sleep(Duration::from_millis(begin.saturating_sub(now_ms()))).await;
    run.setup.chain.advance_to(1_101);
    let next = run.gateway.bundle().await;
    assert_eq!((next.header.epoch, next.header.count), (6, 20));
    cancel.cancel();
    miner.await.unwrap().unwrap();
}

fn stored(number: u8) -> StoredReceipt {
    StoredReceipt { stored_ms: u64::from(number), receipt: HexBytes(vec![number; 3_000]) }
}

fn lines(path: &Path) -> Vec<StoredReceipt> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn no_receipt_is_glued_to_half_of_another_when_the_disk_was_full_between() {
    let Some(disk) = SmallDisk::mount(64) else { return };
    let mut book = ReceiptBook::open(disk.path(), 1 << 20, 2).unwrap();
    let path = disk.path().join("receipts.jsonl");
    book.append(&[stored(1)]).unwrap();
    fill(&disk);
    for number in 2..4 {
        assert_is_full(&book.append(&[stored(number)]).unwrap_err(), &path);
        assert_eq!(lines(&path), [stored(1)]);
    }
    disk.free();
    book.append(&[stored(4)]).unwrap();
    assert_eq!(lines(&path), [stored(1), stored(4)]);
}

#[test]
fn closed_files_of_receipts_are_kept_when_the_disk_is_full_at_their_turn() {
    let Some(disk) = SmallDisk::mount(64) else { return };
    // One receipt fills a file.
    let mut book = ReceiptBook::open(disk.path(), 7_000, 4).unwrap();
    for number in 1..=3 {
        book.append(&[stored(number)]).unwrap();
    }
    fill(&disk);
    for _ in 0..3 {
        book.append(&[stored(4)]).unwrap_err();
    }
    disk.free();
    book.append(&[stored(4)]).unwrap();
    let of = |name: &str| lines(&disk.path().join(name));
    assert_eq!(of("receipts.jsonl"), [stored(4)]);
    assert_eq!(of("receipts.1.jsonl"), [stored(3)]);
    assert_eq!(of("receipts.2.jsonl"), [stored(2)]);
    assert_eq!(of("receipts.3.jsonl"), [stored(1)]);
}

/// Has the miner serve a request and hands it the receipt.
async fn serve_one(connection: &mut Connection, gateway: &Keypair, id: u8) -> Vec<u8> {
    let id = connection.request(id, false, &chat(8)).await;
    let (_, claim) = complete(connection, false).await;
    assert_eq!(claim.request_id, id.0);
    let receipt = receipt(keypair().sign(&claim.signing_payload()), claim, gateway).encode();
    connection.send(GatewayFrame::Receipt { receipt: HexBytes(receipt.clone()) }).await;
    connection.send(GatewayFrame::Ping { n: 1 }).await;
    assert!(matches!(connection.next().await, MinerFrame::Pong { n: 1 }));
    receipt
}

#[tokio::test]
async fn serving_goes_on_and_receipts_wait_when_the_disk_is_full_for_a_while() {
    let Some(disk) = SmallDisk::mount(64) else { return };
    let data_dir = disk.path().join("data");
    let path = data_dir.join("receipts.jsonl");
    let running = start(FAST, |config| config.data_dir = data_dir).await;
    let mut connection = running.gateway.accept().await;
    let mut receipts = Vec::new();
    receipts.push(serve_one(&mut connection, running.gateway.keypair(), 1).await);
    until("the first receipt", || fs::read_to_string(&path).is_ok_and(|text| text.lines().count() == 1)).await;
    fill(&disk);
    // More than what is left of the last page.
    for id in 2..=12 {
        receipts.push(serve_one(&mut connection, running.gateway.keypair(), id).await);
    }
    sleep(Duration::from_millis(300)).await;
    assert!(lines(&path).len() < 12);
    disk.free();
    until("the receipts", || fs::read_to_string(&path).is_ok_and(|text| text.lines().count() == 12)).await;
    let kept: Vec<Vec<u8>> = lines(&path).into_iter().map(|line| line.receipt.0).collect();
    assert_eq!(kept, receipts);
    running.cancel.cancel();
    running.miner.await.unwrap().unwrap();
}
