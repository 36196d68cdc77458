// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;

fn receipt(number: u8) -> StoredReceipt {
    StoredReceipt { stored_ms: u64::from(number), receipt: HexBytes(vec![number; 100]) }
}

fn lines(path: &Path) -> Vec<StoredReceipt> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn receipts_are_there_when_the_book_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    ReceiptBook::open(folder.path(), 10_000, 2).unwrap().append(&[receipt(1), receipt(2)]).unwrap();
    ReceiptBook::open(folder.path(), 10_000, 2).unwrap().append(&[receipt(3)]).unwrap();
    assert_eq!(lines(&folder.path().join("receipts.jsonl")), [receipt(1), receipt(2), receipt(3)]);
}

#[test]
fn unfinished_line_is_cut_off_when_the_book_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    ReceiptBook::open(folder.path(), 10_000, 2).unwrap().append(&[receipt(1)]).unwrap();
    let path = folder.path().join("receipts.jsonl");
    let mut torn = fs::read(&path).unwrap();
    torn.extend_from_slice(b"{\"stored_ms\":2,\"rec");
    fs::write(&path, torn).unwrap();
    ReceiptBook::open(folder.path(), 10_000, 2).unwrap().append(&[receipt(3)]).unwrap();
    assert_eq!(lines(&path), [receipt(1), receipt(3)]);
}

#[test]
fn oldest_file_goes_when_there_are_too_many() {
    let folder = tempfile::tempdir().unwrap();
    // A line has about 250 bytes: two fit.
    let mut book = ReceiptBook::open(folder.path(), 600, 2).unwrap();
    for number in 1..=7 {
        book.append(&[receipt(number)]).unwrap();
    }
    let of = |name: &str| lines(&folder.path().join(name));
    assert_eq!(of("receipts.jsonl"), [receipt(7)]);
    assert_eq!(of("receipts.1.jsonl"), [receipt(5), receipt(6)]);
    assert_eq!(of("receipts.2.jsonl"), [receipt(3), receipt(4)]);
    assert!(!folder.path().join("receipts.3.jsonl").exists());
}

#[test]
fn one_file_is_kept_when_no_closed_ones_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = ReceiptBook::open(folder.path(), 600, 0).unwrap();
    for number in 1..=5 {
        book.append(&[receipt(number)]).unwrap();
    }
    assert_eq!(lines(&folder.path().join("receipts.jsonl")), [receipt(5)]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
