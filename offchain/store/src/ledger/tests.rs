// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::Arc;

use tempfile::TempDir;

use super::*;

const NOW: u64 = 1_800_000_000_000;

struct Fixture {
    folder: TempDir,
    ledger: Arc<SqliteLedger>,
}

impl Fixture {
    async fn new() -> Self {
        Self::with(LedgerOptions::default()).await
    }

    async fn with(options: LedgerOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(&folder.path().join("ledger.db"), options).await.unwrap();
        Self { folder, ledger: Arc::new(ledger) }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("ledger.db")
    }

    /// A paid key whose payer has this balance; returns the payer's number.
    async fn payer(&self, balance: u64) -> i64 {
        let secret = ApiSecret::generate().unwrap();
        let key = self.ledger.create_key("k", "acme", KeyKind::Paid, secret.hash(), NOW).await.unwrap();
        self.ledger.deposit("acme", MicroUsd(balance)).await.unwrap();
        key.payer_id
    }

    async fn balance(&self) -> u64 {
        self.ledger.payers().await.unwrap()[0].balance.get()
    }
}

fn request(id: u8, payer_id: Option<i64>, reserve: u64) -> NewRequest {
    NewRequest {
        id: [id; 16],
        payer_id,
        model: "m".into(),
        task_type: "chat".into(),
        received_ms: NOW,
        reserve: MicroUsd(reserve),
    }
}

fn settlement(id: u8, fee: u64, receipt: Option<Vec<u8>>) -> Settlement {
    Settlement {
        id: [id; 16],
        served: true,
        fee: MicroUsd(fee),
        input_tokens: 10,
        output_tokens: 20,
        served_by: Some("someone".into()),
        receipt,
        demand: true,
    }
}

async fn reserve(ledger: &SqliteLedger, request: NewRequest) -> Result<(), LedgerError> {
    ledger.reserve(request, false).await?.durable().await
}

#[test]
fn secret_is_recognised_when_well_formed_only() {
    let secret = ApiSecret::generate().unwrap();
    assert_eq!(secret.expose().len(), SECRET_PREFIX.len() + 44);
    assert_eq!(ApiSecret::parse(secret.expose()).unwrap().hash(), secret.hash());
    assert_ne!(ApiSecret::generate().unwrap().hash(), secret.hash());
    assert_eq!(format!("{secret:?}"), "ApiSecret(..)");
    for text in
        ["", "sk-claw-", "sk-other-0000", &format!("{}x", secret.expose()), &secret.expose().replace("sk", "SK")]
    {
        assert!(ApiSecret::parse(text).is_none(), "{text}");
    }
}

#[tokio::test]
async fn key_is_found_by_hash_until_revoked_when_created() {
    let fixture = Fixture::new().await;
    let secret = ApiSecret::generate().unwrap();
    let key = fixture.ledger.create_key("ci", "acme", KeyKind::Free, secret.hash(), NOW).await.unwrap();
    assert_eq!((key.payer.as_str(), key.kind, key.revoked_ms), ("acme", KeyKind::Free, None));
    let again = fixture.ledger.create_key("ci", "acme", KeyKind::Free, secret.hash(), NOW).await;
    assert!(matches!(again, Err(LedgerError::Taken { what: "API key" })));
    assert!(fixture.ledger.revoke_key(key.id, NOW + 1).await.unwrap());
    assert!(!fixture.ledger.revoke_key(key.id, NOW + 2).await.unwrap());
    let found = fixture.ledger.key_by_hash(&secret.hash()).await.unwrap().unwrap();
    assert_eq!(found.revoked_ms, Some(NOW + 1));
    assert!(fixture.ledger.key_by_hash(&[0; 32]).await.unwrap().is_none());
    assert_eq!(fixture.ledger.keys().await.unwrap(), vec![found]);
}

#[tokio::test]
async fn settlement_gives_back_the_rest_when_less_was_used() {
    let fixture = Fixture::new().await;
    let payer = fixture.payer(1_000).await;
    reserve(&fixture.ledger, request(1, Some(payer), 400)).await.unwrap();
    assert_eq!(fixture.balance().await, 600);
    assert_eq!(fixture.ledger.settle(settlement(1, 150, Some(vec![7]))).await.unwrap(), MicroUsd(150));
    assert_eq!(fixture.balance().await, 850);
    assert_eq!(fixture.ledger.payers().await.unwrap()[0].spent, MicroUsd(150));
    assert_eq!(fixture.ledger.receipts(0, 10).await.unwrap(), vec![ReceiptRow { seq: 1, bytes: vec![7] }]);
    let demand = fixture.ledger.demand(NOW - 60_000).await.unwrap();
    assert_eq!(demand[0], DemandRow { model: "m".into(), task_type: "chat".into(), requests: 1, tokens: 30 });
}

#[tokio::test]
async fn settlement_is_refused_when_done_before_or_unknown() {
    let fixture = Fixture::new().await;
    let payer = fixture.payer(1_000).await;
    reserve(&fixture.ledger, request(1, Some(payer), 400)).await.unwrap();
    fixture.ledger.settle(settlement(1, 100, None)).await.unwrap();
    for id in [1, 2] {
        let refused = fixture.ledger.settle(settlement(id, 100, Some(vec![1]))).await;
        assert!(matches!(refused, Err(LedgerError::NotOpen { .. })));
    }
    assert_eq!(fixture.balance().await, 900);
    assert!(fixture.ledger.receipts(0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn fee_is_cut_to_the_reservation_when_more_was_used() {
    let fixture = Fixture::new().await;
    let payer = fixture.payer(400).await;
    reserve(&fixture.ledger, request(1, Some(payer), 400)).await.unwrap();
    assert_eq!(fixture.ledger.settle(settlement(1, 9_999, None)).await.unwrap(), MicroUsd(400));
    assert_eq!(fixture.balance().await, 0);
}

#[tokio::test]
async fn reservations_never_exceed_the_balance_when_they_race() {
    let fixture = Fixture::new().await;
    let payer = fixture.payer(1_000).await;
    let tasks: Vec<_> = (0..100u8)
        .map(|id| {
            let ledger = fixture.ledger.clone();
            tokio::spawn(async move { reserve(&ledger, request(id, Some(payer), 30)).await })
        })
        .collect();
    let mut accepted = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => accepted += 1,
            Err(LedgerError::InsufficientBalance { balance, needed }) => assert!(balance < needed),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((accepted, fixture.balance().await), (33, 10));
}

#[tokio::test]
async fn early_reservation_is_decided_before_it_is_on_disk_and_refused_as_any_other() {
    let fixture = Fixture::new().await;
    let payer = fixture.payer(100).await;
    let reservation = fixture.ledger.reserve(request(1, Some(payer), 60), true).await.unwrap();
    let refused = fixture.ledger.reserve(request(2, Some(payer), 60), true).await;
    assert!(matches!(refused, Err(LedgerError::InsufficientBalance { balance: MicroUsd(40), needed: MicroUsd(60) })));
    reservation.durable().await.unwrap();
    assert_eq!(fixture.balance().await, 40);
}

#[tokio::test]
async fn reservation_is_refused_when_the_payer_does_not_exist() {
    let fixture = Fixture::new().await;
    for (early, reserve) in [(false, 0), (true, 0), (false, 5), (true, 5)] {
        let refused = fixture.ledger.reserve(request(1, Some(77), reserve), early).await;
        assert!(matches!(refused, Err(LedgerError::UnknownPayer { id: 77 })), "{refused:?}");
    }
}

#[tokio::test]
async fn request_id_is_refused_when_used_before_and_others_of_its_group_go_on() {
    let fixture = Fixture::new().await;
    let payer = fixture.payer(1_000).await;
    reserve(&fixture.ledger, request(1, Some(payer), 10)).await.unwrap();
    let (again, other) = tokio::join!(
        reserve(&fixture.ledger, request(1, Some(payer), 10)),
        reserve(&fixture.ledger, request(2, Some(payer), 10))
    );
    assert!(matches!(again, Err(LedgerError::Taken { what: "request id" })));
    other.unwrap();
    assert_eq!(fixture.balance().await, 980);
}

#[tokio::test]
async fn open_requests_are_given_back_when_the_ledger_recovers() {
    let fixture = Fixture::new().await;
    let payer = fixture.payer(1_000).await;
    reserve(&fixture.ledger, request(1, Some(payer), 300)).await.unwrap();
    reserve(&fixture.ledger, request(2, Some(payer), 300)).await.unwrap();
    reserve(&fixture.ledger, request(3, None, 0)).await.unwrap();
    fixture.ledger.settle(settlement(1, 100, Some(vec![1]))).await.unwrap();
    let path = fixture.path();
    let Fixture { folder, ledger } = fixture;
    drop(ledger);
    let ledger = SqliteLedger::open(&path, LedgerOptions::default()).await.unwrap();
    assert_eq!(ledger.recover().await.unwrap(), 2);
    assert_eq!(ledger.recover().await.unwrap(), 0);
    assert_eq!(ledger.payers().await.unwrap()[0].balance, MicroUsd(900));
    assert_eq!(ledger.receipts(0, 10).await.unwrap().len(), 1);
    drop(folder);
}

#[tokio::test]
async fn receipts_are_paged_in_order_when_there_are_many() {
    let fixture = Fixture::new().await;
    for id in 1..=5 {
        reserve(&fixture.ledger, request(id, None, 0)).await.unwrap();
        fixture.ledger.settle(settlement(id, 0, Some(vec![id]))).await.unwrap();
    }
    let seqs = |rows: Vec<ReceiptRow>| rows.into_iter().map(|row| row.seq).collect::<Vec<_>>();
    assert_eq!(seqs(fixture.ledger.receipts(0, 2).await.unwrap()), [1, 2]);
    assert_eq!(seqs(fixture.ledger.receipts(2, 10).await.unwrap()), [3, 4, 5]);
    assert!(fixture.ledger.receipts(u64::MAX, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn seq_is_never_used_again_when_receipts_were_pruned() {
    let fixture = Fixture::new().await;
    reserve(&fixture.ledger, request(1, None, 0)).await.unwrap();
    fixture.ledger.settle(settlement(1, 0, Some(vec![1]))).await.unwrap();
    assert!(fixture.ledger.prune(NOW + 1).await.unwrap() >= 2);
    reserve(&fixture.ledger, request(2, None, 0)).await.unwrap();
    fixture.ledger.settle(settlement(2, 0, Some(vec![2]))).await.unwrap();
    assert_eq!(fixture.ledger.receipts(0, 10).await.unwrap(), vec![ReceiptRow { seq: 2, bytes: vec![2] }]);
}

#[tokio::test]
async fn nonce_is_refused_when_seen_before_it_expired() {
    let fixture = Fixture::new().await;
    let ledger = &fixture.ledger;
    assert!(ledger.use_nonce(&[1; 32], &[9; 16], NOW, NOW + 10).await.unwrap());
    assert!(!ledger.use_nonce(&[1; 32], &[9; 16], NOW + 5, NOW + 15).await.unwrap());
    assert!(ledger.use_nonce(&[2; 32], &[9; 16], NOW, NOW + 10).await.unwrap());
    assert!(ledger.use_nonce(&[1; 32], &[9; 16], NOW + 11, NOW + 20).await.unwrap());
}

#[tokio::test]
async fn bundles_of_a_hotkey_are_bounded_when_stored() {
    let fixture = Fixture::new().await;
    let bundle = |n: u8| BundleRow { root: [n; 32], hotkey: [1; 32], epoch: n.into(), bytes: vec![n] };
    for n in 1..=3 {
        assert!(fixture.ledger.put_bundle(bundle(n), 2, NOW + u64::from(n)).await.unwrap());
    }
    assert!(!fixture.ledger.put_bundle(bundle(3), 2, NOW + 9).await.unwrap());
    assert!(fixture.ledger.bundle(&[1; 32], &[1; 32]).await.unwrap().is_none());
    assert_eq!(fixture.ledger.bundle(&[3; 32], &[1; 32]).await.unwrap(), Some(bundle(3)));
    // The same root of another hotkey is another bundle.
    let other = BundleRow { hotkey: [2; 32], bytes: vec![7], ..bundle(3) };
    assert!(fixture.ledger.put_bundle(other.clone(), 2, NOW + 10).await.unwrap());
    assert_eq!(fixture.ledger.bundle(&[3; 32], &[1; 32]).await.unwrap(), Some(bundle(3)));
    assert_eq!(fixture.ledger.bundle(&[3; 32], &[2; 32]).await.unwrap(), Some(other));
}

#[tokio::test]
async fn writes_are_refused_and_nothing_is_lost_when_the_disk_is_full() {
    let fixture = Fixture::with(LedgerOptions { max_pages: Some(40), ..LedgerOptions::default() }).await;
    let payer = fixture.payer(1_000_000).await;
    let mut accepted = 0u64;
    let error = loop {
        let mut request = request(0, Some(payer), 10);
        request.id[..8].copy_from_slice(&accepted.to_le_bytes());
        request.model = "m".repeat(90);
        match reserve(&fixture.ledger, request).await {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, LedgerError::Full) && error.is_retryable(), "{error:?}");
    assert!(accepted > 10);
    assert_eq!(fixture.balance().await, 1_000_000 - 10 * accepted);
    // Readers go on; with more room, so do writers, and all that was acknowledged is there.
    let (path, Fixture { folder, ledger }) = (fixture.path(), fixture);
    drop(ledger);
    let ledger = SqliteLedger::open(&path, LedgerOptions::default()).await.unwrap();
    assert_eq!(ledger.recover().await.unwrap(), accepted);
    assert_eq!(ledger.payers().await.unwrap()[0].balance, MicroUsd(1_000_000));
    drop(folder);
}

#[tokio::test]
async fn damaged_file_is_refused_with_its_name_when_opened() {
    let fixture = Fixture::new().await;
    for id in 0..200 {
        reserve(&fixture.ledger, NewRequest { model: "x".repeat(90), ..request(id, None, 0) }).await.unwrap();
    }
    let (path, Fixture { folder, ledger }) = (fixture.path(), fixture);
    drop(ledger);
    // The writer closes in the background; a checkpoint by another connection moves everything into the file.
    let mut size = 0;
    while size < 60_000 {
        drop(SqliteLedger::open(&path, LedgerOptions::default()).await.unwrap());
        tokio::task::yield_now().await;
        size = std::fs::metadata(&path).unwrap().len();
    }
    let whole = std::fs::read(&path).unwrap();
    for beside in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{beside}", path.display()));
    }
    let cases: [(&str, Vec<u8>); 3] =
        [("cut short", whole[..whole.len() / 2].to_vec()), ("empty", vec![]), ("garbage", vec![0x5a; 20_000])];
    for (name, bytes) in cases {
        std::fs::write(&path, bytes).unwrap();
        let error = SqliteLedger::open(&path, LedgerOptions::default()).await.unwrap_err();
        assert!(matches!(error, LedgerError::Corrupt { .. }), "{name}: {error:?}");
        assert!(error.to_string().contains("ledger.db") && error.to_string().contains("restore"), "{error}");
    }
    drop(folder);
}

/// Copies a ledger that is in use, as a crash would leave it. `wal` is how much of the `-wal` is kept, in bytes.
fn crashed_copy(fixture: &Fixture, wal: u64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal", ".mark"] {
        let name = format!("ledger.db{suffix}");
        std::fs::copy(fixture.folder.path().join(&name), folder.path().join(&name)).unwrap();
    }
    let file = std::fs::File::options().write(true).open(folder.path().join("ledger.db-wal")).unwrap();
    file.set_len(wal).unwrap();
    folder
}

const EXCLUSIVE: LedgerOptions =
    LedgerOptions { max_pages: None, busy_timeout_ms: 5_000, exclusive: true, queue: 1_024 };

#[tokio::test]
async fn ledger_is_refused_with_the_number_of_missing_receipts_when_its_log_was_cut() {
    let fixture = Fixture::with(EXCLUSIVE).await;
    let mut log = Vec::new();
    for id in 1..=40 {
        reserve(&fixture.ledger, request(id, None, 0)).await.unwrap();
        fixture.ledger.settle(settlement(id, 0, Some(vec![id]))).await.unwrap();
        log.push(std::fs::metadata(fixture.folder.path().join("ledger.db-wal")).unwrap().len());
    }
    let open = async |folder: &TempDir, options| SqliteLedger::open(&folder.path().join("ledger.db"), options).await;
    // Nothing is missing after a crash.
    let whole = crashed_copy(&fixture, log[39]);
    assert_eq!(open(&whole, EXCLUSIVE).await.unwrap().receipts(0, 100).await.unwrap().len(), 40);
    for (kept, missing) in [(log[39] - 1, 1), (log[36], 3), (log[4], 35), (log[4] + 100, 35), (0, 40)] {
        let folder = crashed_copy(&fixture, kept);
        // A tool refuses it as well as a gateway, and neither makes it look whole.
        for options in [LedgerOptions::default(), EXCLUSIVE, EXCLUSIVE] {
            let error = open(&folder, options).await.unwrap_err();
            let LedgerError::ReceiptsLost { missing: found, acknowledged: 40, .. } = error else { panic!("{error:?}") };
            assert_eq!(found, missing, "{kept} bytes kept");
            let text = error.to_string();
            for word in ["ledger.db lacks", &format!("last {missing} of 40 receipts"), "rename", "ledger.db.lost"] {
                assert!(text.contains(word) && !error.is_retryable(), "{word}: {text}");
            }
        }
    }
    // The same when all of it is gone.
    let gone = crashed_copy(&fixture, 0);
    for suffix in ["", "-wal"] {
        std::fs::remove_file(gone.path().join(format!("ledger.db{suffix}"))).unwrap();
    }
    let error = open(&gone, EXCLUSIVE).await.unwrap_err();
    assert!(matches!(error, LedgerError::ReceiptsLost { missing: 40, .. }), "{error:?}");
    assert!(!gone.path().join("ledger.db").exists());
}

/// The numbers of a mark.
fn mark(folder: &TempDir) -> Vec<u64> {
    let text = std::fs::read_to_string(folder.path().join("ledger.db.mark")).unwrap();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

/// The next write of several kinds, each acknowledged; `false` after the last.
async fn write_next(ledger: &SqliteLedger, step: usize) -> bool {
    let key = [7; 32];
    match step {
        0 => assert_eq!(ledger.deposit("acme", MicroUsd(1_000)).await.unwrap().balance, MicroUsd(1_000)),
        1 => assert_eq!(ledger.create_key("k", "acme", KeyKind::Paid, key, 1).await.unwrap().id, 1),
        2 => reserve(ledger, request(1, Some(1), 100)).await.unwrap(),
        // Paid and without a receipt, as an endpoint's answer is.
        3 => assert_eq!(ledger.settle(settlement(1, 50, None)).await.unwrap(), MicroUsd(50)),
        4 | 5 => assert_eq!(ledger.use_nonce(&key, &[1; 16], 10, 20).await.unwrap(), step == 4),
        6 => assert!(ledger.use_nonce(&key, &[1; 16], 30, 40).await.unwrap(), "it had expired"),
        7 => assert!(ledger.revoke_key(1, 2).await.unwrap()),
        8 | 9 => {
            let bundle = BundleRow { root: key, hotkey: key, epoch: 1, bytes: vec![1] };
            assert_eq!(ledger.put_bundle(bundle, 4, 9).await.unwrap(), step == 8);
        }
        10 => reserve(ledger, request(2, Some(1), 100)).await.unwrap(),
        11 => assert_eq!(ledger.recover().await.unwrap(), 1),
        _ => return false,
    }
    true
}

#[tokio::test]
async fn ledger_is_refused_with_what_is_missing_when_a_cut_log_lost_writes_without_receipts() {
    let fixture = Fixture::with(EXCLUSIVE).await;
    let log = || std::fs::metadata(fixture.folder.path().join("ledger.db-wal")).unwrap().len();
    let open = async |folder: &TempDir| SqliteLedger::open(&folder.path().join("ledger.db"), EXCLUSIVE).await;
    let mut step = 0;
    loop {
        let before = log();
        if !write_next(&fixture.ledger, step).await {
            break;
        }
        // What is told as no news was no write.
        let is_write = log() > before;
        assert_eq!(is_write, ![5, 9].contains(&step), "step {step}");
        drop(open(&crashed_copy(&fixture, log())).await.unwrap());
        if is_write {
            let error = open(&crashed_copy(&fixture, log() - 1)).await.unwrap_err();
            let LedgerError::WritesLost { what, missing: 1, .. } = &error else { panic!("step {step}: {error:?}") };
            let is_account = [0, 1, 7, 8].contains(&step);
            assert_eq!(what.contains("deposits"), is_account, "step {step}: {error}");
            assert!(error.to_string().contains("ledger.db.lost") && !error.is_retryable(), "{error}");
        }
        step += 1;
    }
    assert_eq!((mark(&fixture.folder), step), (vec![0, 6, 4], 12));
    // What a tool beside the gateway writes counts as well, and what the gateway writes then takes nothing of it back.
    let tool = SqliteLedger::open(&fixture.path(), LedgerOptions::default()).await.unwrap();
    tool.deposit("acme", MicroUsd(5)).await.unwrap();
    let error = open(&crashed_copy(&fixture, log() - 1)).await.unwrap_err();
    assert!(matches!(error, LedgerError::WritesLost { acknowledged: 5, missing: 1, .. }), "{error:?}");
    fixture.ledger.deposit("acme", MicroUsd(5)).await.unwrap();
    tool.deposit("acme", MicroUsd(5)).await.unwrap();
    reserve(&fixture.ledger, request(3, None, 0)).await.unwrap();
    assert_eq!(mark(&fixture.folder), [0, 7, 7]);
}

#[tokio::test]
async fn writes_go_on_without_the_lost_ones_when_the_operator_gives_them_up() {
    let fixture = Fixture::with(EXCLUSIVE).await;
    fixture.ledger.deposit("acme", MicroUsd(5)).await.unwrap();
    let log = std::fs::metadata(fixture.folder.path().join("ledger.db-wal")).unwrap().len();
    fixture.ledger.deposit("acme", MicroUsd(7)).await.unwrap();
    let folder = crashed_copy(&fixture, log);
    std::fs::rename(folder.path().join("ledger.db.mark"), folder.path().join("ledger.db.lost")).unwrap();
    for life in 1..=2 {
        let ledger = SqliteLedger::open(&folder.path().join("ledger.db"), EXCLUSIVE).await.unwrap();
        assert_eq!(ledger.deposit("acme", MicroUsd(1)).await.unwrap().balance, MicroUsd(5 + life));
        assert_eq!(mark(&folder), [0, 0, 2 + life]);
    }
}

#[tokio::test]
async fn tool_makes_the_mark_when_it_writes_before_any_gateway() {
    let fixture = Fixture::new().await;
    let mark_path = fixture.folder.path().join("ledger.db.mark");
    assert!(!mark_path.exists());
    fixture.ledger.deposit("acme", MicroUsd(5)).await.unwrap();
    assert_eq!(mark(&fixture.folder), [0, 0, 1]);
    let log = std::fs::metadata(fixture.folder.path().join("ledger.db-wal")).unwrap().len();
    let error = SqliteLedger::open(&crashed_copy(&fixture, log - 1).path().join("ledger.db"), EXCLUSIVE).await;
    assert!(matches!(error, Err(LedgerError::WritesLost { missing: 1, .. })));
}

#[tokio::test]
async fn numbers_of_lost_receipts_are_skipped_when_the_operator_gives_them_up() {
    let fixture = Fixture::with(EXCLUSIVE).await;
    let mut kept = 0;
    for id in 1..=10 {
        reserve(&fixture.ledger, request(id, None, 0)).await.unwrap();
        fixture.ledger.settle(settlement(id, 0, Some(vec![id]))).await.unwrap();
        if id == 6 {
            kept = std::fs::metadata(fixture.folder.path().join("ledger.db-wal")).unwrap().len();
        }
    }
    let folder = crashed_copy(&fixture, kept);
    let path = folder.path().join("ledger.db");
    std::fs::rename(folder.path().join("ledger.db.mark"), folder.path().join("ledger.db.lost")).unwrap();
    for life in 0..2u8 {
        let ledger = SqliteLedger::open(&path, EXCLUSIVE).await.unwrap();
        let id = 100 + life;
        reserve(&ledger, request(id, None, 0)).await.unwrap();
        ledger.settle(settlement(id, 0, Some(vec![id]))).await.unwrap();
        // A validator that has read up to the tenth sees every later one.
        let seqs: Vec<_> = ledger.receipts(0, 100).await.unwrap().iter().map(|row| row.seq).collect();
        assert_eq!(seqs, [1, 2, 3, 4, 5, 6, 11, 12][..7 + usize::from(life)]);
        assert!(!folder.path().join("ledger.db.lost").exists());
        drop(ledger);
    }
    // From here on they count; 20 writes were marked, four were made since.
    assert_eq!(mark(&folder), [12, 24, 0]);
}

#[tokio::test]
async fn mark_is_made_when_a_ledger_has_none_and_refused_when_unreadable() {
    let fixture = Fixture::with(EXCLUSIVE).await;
    reserve(&fixture.ledger, request(1, None, 0)).await.unwrap();
    fixture.ledger.settle(settlement(1, 0, Some(vec![1]))).await.unwrap();
    let log = std::fs::metadata(fixture.folder.path().join("ledger.db-wal")).unwrap().len();
    let copy = crashed_copy(&fixture, log);
    let (path, mark) = (copy.path().join("ledger.db"), copy.path().join("ledger.db.mark"));
    std::fs::remove_file(&mark).unwrap();
    // Only a gateway makes it.
    drop(SqliteLedger::open(&path, LedgerOptions::default()).await.unwrap());
    assert!(!mark.exists());
    drop(SqliteLedger::open(&path, EXCLUSIVE).await.unwrap());
    let whole = "00000000000000000001\n00000000000000000002\n00000000000000000000\n";
    assert_eq!(std::fs::read_to_string(&mark).unwrap(), whole);
    // An older program counted receipts only.
    std::fs::write(&mark, &whole[..21]).unwrap();
    drop(SqliteLedger::open(&path, EXCLUSIVE).await.unwrap());
    assert_eq!(std::fs::read_to_string(&mark).unwrap(), whole);
    std::fs::write(&mark, "many").unwrap();
    let error = SqliteLedger::open(&path, EXCLUSIVE).await.unwrap_err();
    assert!(error.to_string().contains("ledger.db.mark") && error.to_string().contains("delete it"), "{error}");
}

#[tokio::test]
async fn foreign_database_is_refused_when_opened() {
    use sqlx::{ConnectOptions, Connection};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut other = options.connect().await.unwrap();
    sqlx::query("CREATE TABLE t (x)").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let error = SqliteLedger::open(&path, LedgerOptions::default()).await.unwrap_err();
    assert!(matches!(error, LedgerError::Foreign { found: 0, .. }), "{error:?}");
}

#[tokio::test]
async fn second_gateway_is_refused_when_the_first_still_serves() {
    let exclusive = LedgerOptions { exclusive: true, ..LedgerOptions::default() };
    let fixture = Fixture::with(exclusive).await;
    assert!(matches!(SqliteLedger::open(&fixture.path(), exclusive).await, Err(LedgerError::Locked)));
    // A tool beside it may open it, and the gateway sees what the tool wrote.
    let tool = SqliteLedger::open(&fixture.path(), LedgerOptions::default()).await.unwrap();
    tool.deposit("acme", MicroUsd(5)).await.unwrap();
    assert_eq!(fixture.balance().await, 5);
    let (path, Fixture { folder, ledger }) = (fixture.path(), fixture);
    drop(ledger);
    SqliteLedger::open(&path, exclusive).await.unwrap();
    drop(folder);
}

#[tokio::test]
async fn amount_is_refused_when_it_does_not_fit() {
    let fixture = Fixture::new().await;
    assert!(matches!(fixture.ledger.deposit("a", MicroUsd(u64::MAX)).await, Err(LedgerError::AmountTooLarge)));
    fixture.ledger.deposit("a", MicroUsd(i64::MAX as u64)).await.unwrap();
    assert!(matches!(fixture.ledger.deposit("a", MicroUsd(1)).await, Err(LedgerError::AmountTooLarge)));
}
