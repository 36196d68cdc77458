// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
#![allow(clippy::unwrap_used)]

use super::{Database, DatabaseError, Mark};
use clawrank_runtime::Hash;
use std::fs;

fn database(threshold: u64) -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database { folder: folder.path().to_owned(), threshold };
    (folder, database)
}

#[test]
fn mark_is_read_back_and_a_cut_one_is_none() {
    let (folder, _) = database(0);
    assert_eq!(Mark::read(folder.path()), None);
    for number in [7, 1_234_567] {
        let mark = Mark { number, hash: Hash::repeat_byte(9) };
        mark.write(folder.path()).unwrap();
        assert_eq!(Mark::read(folder.path()), Some(mark));
    }
    let text = fs::read_to_string(folder.path().join("final")).unwrap();
    for length in 0..text.len() {
        fs::write(folder.path().join("final"), &text[..length]).unwrap();
        assert_eq!(Mark::read(folder.path()), None, "{length} bytes");
    }
}

#[test]
fn room_is_asked_for_in_mib_when_the_folder_is_still_to_be_made() {
    let (folder, mut database) = database(1);
    database.folder = folder.path().join("not/yet");
    database.ensure_room().unwrap();
    database.threshold = u64::MAX;
    let error = database.ensure_room().unwrap_err();
    assert!(matches!(error, DatabaseError::NoRoom { threshold: u64::MAX, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("not/yet") && text.contains("free disk space"), "{text}");
}

#[test]
fn tables_without_metadata_are_refused_and_a_new_folder_is_not() {
    let (folder, database) = database(0);
    assert_eq!(database.look().unwrap(), (None, false));
    for name in ["table_01_20", "index_01_16", "log0"] {
        fs::write(folder.path().join(name), "x").unwrap();
        let error = database.look().unwrap_err().to_string();
        assert!(error.contains("`metadata` is missing") && error.contains("purge-chain"), "{error}");
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("metadata"), "x").unwrap();
    assert_eq!(database.look().unwrap(), (None, false));
    fs::write(folder.path().join("table_01_20"), "x").unwrap();
    assert_eq!(database.look().unwrap(), (None, true));
}
