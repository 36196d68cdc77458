// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use clawrank_primitives::{Params, proof::Keypair, units::MicroUsd};
use codec::Encode;

use super::*;
use crate::testing::{Evil, NETUID, StubGateway, Watched, genesis, journal, key};

fn raw(signed: &SignedReceipt) -> RawReceipt {
    RawReceipt { seq: 1, receipt: hex::encode(signed.encode()) }
}

fn sorted(entry: RawReceipt) -> Sorted {
    sort(&[entry], &key("Gateway").public(), now_ms(), &ServingParams::clawrank())
}

fn refused(sorted: &Sorted) -> Vec<&'static str> {
    assert!(sorted.valid.is_empty());
    sorted.refused.keys().copied().collect()
}

fn receipt(change: impl FnOnce(&mut clawrank_primitives::proof::Receipt)) -> SignedReceipt {
    crate::testing::receipt(&key("Miner1"), 1, 100, change)
}

#[test]
fn receipt_counts_when_both_signed_it() {
    let signed = receipt(|_| {});
    let sorted = sorted(raw(&signed));
    let row = &sorted.valid[0];
    assert_eq!((row.miner, row.payer, row.tokens, row.fee_micro_usd), (key("Miner1").public(), [1; 32], 100, 100));
    assert_eq!(row.id, signed.receipt.claim.request_id);
    assert!(sorted.refused.is_empty());
}

#[test]
fn receipt_is_refused_when_a_signature_is_wrong() {
    let mut by_gateway = receipt(|_| {});
    by_gateway.receipt.fee = MicroUsd(1_000_000);
    assert_eq!(refused(&sorted(raw(&by_gateway))), ["bad signature"]);
    // The gateway signs, the miner did not: tokens that no miner claims.
    let by_miner = receipt(|r| r.claim.output_tokens += 1_000);
    assert_eq!(refused(&sorted(raw(&by_miner))), ["bad signature"]);
    let by_other = receipt(|r| r.miner_signature = key("Miner2").sign(&r.claim.signing_payload()));
    assert_eq!(refused(&sorted(raw(&by_other))), ["bad signature"]);
}

#[test]
fn receipt_is_refused_when_it_is_not_one() {
    let gateway = key("Other").public();
    let other = sort(&[raw(&receipt(|_| {}))], &gateway, now_ms(), &ServingParams::clawrank());
    assert_eq!(refused(&other), ["another gateway's"]);
    let text = |text: &str| sorted(RawReceipt { seq: 1, receipt: text.to_owned() });
    assert_eq!(refused(&text("xyz")), ["not hexadecimal"]);
    assert_eq!(refused(&text(&"00".repeat(9_000))), ["not hexadecimal"]);
    assert_eq!(refused(&text("0102")), ["not a receipt"]);
    assert_eq!(refused(&sorted(raw(&receipt(|r| r.version = 9)))), ["unknown version"]);
}

#[test]
fn receipt_is_refused_when_its_numbers_are_impossible() {
    assert_eq!(refused(&sorted(raw(&receipt(|r| r.recount_tokens = 49)))), ["token counts disagree"]);
    assert_eq!(refused(&sorted(raw(&receipt(|r| r.received_ms = now_ms() + 600_000)))), ["from the future"]);
    assert_eq!(sorted(raw(&receipt(|r| r.recount_tokens = 50))).valid.len(), 1);
}

#[test]
fn receipt_is_ignored_when_it_is_old_or_a_probe() {
    for signed in [receipt(|r| r.payer = [0; 32]), receipt(|r| r.received_ms = now_ms() - 25 * 3_600_000)] {
        let sorted = sorted(raw(&signed));
        assert_eq!((sorted.valid.len(), sorted.refused.len(), sorted.ignored), (0, 0, 1));
    }
}

async fn reader(gateway: &StubGateway, folder: &std::path::Path) -> Reader {
    let keypair: Arc<Keypair> = Arc::new(key("Vali"));
    let deadline = Duration::from_secs(5);
    Reader {
        journal: journal(folder).await,
        gateways: Gateways::new(&[gateway.config()], genesis(), NETUID, keypair, deadline).unwrap(),
        rules: Arc::new(Rulebook::fixed(Params::clawrank(), "clawrank")),
        interval: Duration::from_millis(10),
        page: 3,
        pages: 4,
        warm: Arc::default(),
    }
}

async fn payers(reader: &Reader) -> Vec<u8> {
    reader.journal.traffic(0, u64::MAX >> 1).await.unwrap().iter().map(|row| row.payer[0]).collect()
}

async fn tokens(reader: &Reader) -> u64 {
    reader.journal.traffic(0, u64::MAX >> 1).await.unwrap().iter().map(|row| row.tokens).sum()
}

#[tokio::test]
async fn reader_counts_each_receipt_once_when_it_starts_again() {
    let (watched, folder) = (Watched::start(), tempfile::tempdir().unwrap());
    let gateway = StubGateway::start().await;
    for payer in 1..=7 {
        gateway.push_receipt(&key("Miner1"), payer, 100, |_| {});
    }
    // The gateway shows one receipt twice, and among good ones of a page one that is broken and one that the miner has not
    // signed.
    let again = gateway.shared.receipts.lock().unwrap()[0].clone();
    gateway.push_raw(again);
    gateway.push_raw("no hex".to_owned());
    gateway.push_receipt(&key("Miner1"), 8, 100, |_| {});
    gateway.push_receipt(&key("Miner1"), 9, 100, |r| r.claim.output_tokens += 100_000);
    gateway.push_receipt(&key("Miner1"), 10, 100, |_| {});
    let first = reader(&gateway, folder.path()).await;
    first.round().await.unwrap();
    assert_eq!(tokens(&first).await, 900);
    assert_eq!(payers(&first).await, [1, 2, 3, 4, 5, 6, 7, 8, 10]);
    assert_eq!(first.journal.cursor(&key("Gateway").public()).await.unwrap(), 12);
    let refused = |reason: &str| (key("Gateway").public(), reason.to_owned(), 1);
    assert_eq!(first.journal.refusals().await.unwrap(), [refused("bad signature"), refused("not hexadecimal")]);
    let name = format!("gateway=http://{}", gateway.addr);
    let told = watched.lines(&["WARN", "refused receipts", "reason=bad signature", "count=1", &name]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(watched.counted("clawrank_validator_receipts_refused_total{reason=bad signature}"), 1);
    Arc::into_inner(first.journal).unwrap().close().await;

    gateway.push_receipt(&key("Miner1"), 11, 50, |_| {});
    let second = reader(&gateway, folder.path()).await;
    let before = gateway.shared.requests.load(std::sync::atomic::Ordering::SeqCst);
    second.round().await.unwrap();
    assert_eq!(tokens(&second).await, 950);
    let asked = gateway.shared.requests.load(std::sync::atomic::Ordering::SeqCst) - before;
    assert_eq!(asked, 1, "it reads on where it was");
    assert_eq!(gateway.shared.unsigned.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn reader_stays_bounded_when_the_gateway_is_malicious() {
    let (gateway, folder) = (StubGateway::start().await, tempfile::tempdir().unwrap());
    let reader = reader(&gateway, folder.path()).await;
    for evil in [Evil::EmptyPages, Evil::Endless, Evil::Falling, Evil::Garbage, Evil::Down] {
        gateway.set_evil(Some(evil));
        let before = gateway.shared.requests.load(std::sync::atomic::Ordering::SeqCst);
        let round = tokio::time::timeout(Duration::from_secs(20), reader.round()).await;
        round.expect("a round ends").expect("a round does not fail");
        let asked = gateway.shared.requests.load(std::sync::atomic::Ordering::SeqCst) - before;
        assert!(asked <= 1, "{evil:?} was asked {asked} times in a round");
        assert_eq!(reader.journal.cursor(&key("Gateway").public()).await.unwrap(), 0, "{evil:?}");
    }
    // Once it behaves again, reading goes on.
    gateway.set_evil(None);
    gateway.push_receipt(&key("Miner1"), 1, 100, |_| {});
    reader.round().await.unwrap();
    assert_eq!(tokens(&reader).await, 100);
}

#[tokio::test]
async fn reader_leaves_the_rest_for_later_when_there_are_too_many_pages() {
    let (gateway, folder) = (StubGateway::start().await, tempfile::tempdir().unwrap());
    for payer in 1..=20 {
        gateway.push_receipt(&key("Miner1"), payer, 10, |_| {});
    }
    let reader = reader(&gateway, folder.path()).await;
    reader.round().await.unwrap();
    assert_eq!(tokens(&reader).await, 120);
    reader.round().await.unwrap();
    assert_eq!(tokens(&reader).await, 200);
}

#[tokio::test]
async fn gateway_is_not_used_when_its_hotkey_is_not_the_pinned_one() {
    let (gateway, folder) = (StubGateway::start().await, tempfile::tempdir().unwrap());
    gateway.push_receipt(&key("Miner1"), 1, 100, |_| {});
    let mut config = gateway.config();
    config.hotkey = Some(clawrank_protocol::Hotkey(key("Other").public()));
    let gateways = Gateways::new(&[config], genesis(), NETUID, Arc::new(key("Vali")), Duration::from_secs(5)).unwrap();
    let reader = Reader { gateways, ..reader(&gateway, folder.path()).await };
    reader.round().await.unwrap();
    assert_eq!(tokens(&reader).await, 0);
}
