// SPDX-License-Identifier: Apache-2.0
//! Real nodes on a disk that fills, and on databases that were cut: each ends with one line that says what to do, or goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_runtime_tests::node::{Node, program};
use clawrank_small_disk::SmallDisk;
use serde_json::{Value, json};
use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(120);
/// In KiB.
const MIB: u32 = 1_024;
/// Blocks as fast as they may come.
const CHAIN: [&str; 4] = ["--chain=fast", "--alice", "--block-time-ms=100", "--no-mdns"];
/// Without a watch over the room that is left.
const UNWATCHED: &str = "--db-storage-threshold=0";

fn start(data: &Path, more: &[&str]) -> Node {
    Node::start_on(data, &[&CHAIN[..], more].concat())
}

fn wait_final(node: &mut Node, number: u64) -> u64 {
    node.wait(&format!("final block {number}"), PATIENCE, |node| node.finalized().filter(|seen| *seen >= number)).0
}

fn hash_of(node: &Node, number: u64) -> Value {
    node.rpc("chain_getBlockHash", json!([number])).unwrap()
}

/// The folder of the database below a base path.
fn database(data: &Path) -> PathBuf {
    data.join("chains/clawrank_fast_100/paritydb/full")
}

/// The one line with which a node ended by itself.
fn last_words(node: &mut Node) -> String {
    let code = node.wait_end(PATIENCE);
    let log = node.log();
    assert_eq!(code, Some(1), "{log}");
    assert!(!log.contains("panicked") && !log.contains("This is a bug"), "{log}");
    let mut lines = log.lines().filter(|line| line.starts_with("Error: "));
    let line = lines.next().unwrap_or_else(|| panic!("no line says why:\n{log}")).to_owned();
    assert_eq!(lines.next(), None, "{log}");
    line
}

fn assert_says(line: &str, data: &Path, what: &[&str]) {
    let folder = database(data).display().to_string();
    for part in what.iter().copied().chain([folder.as_str()]) {
        assert!(line.contains(part), "no {part:?} in: {line}");
    }
}

/// That a node on `data` has the final block, and makes others after it.
fn assert_goes_on(data: &Path, more: &[&str], number: u64, hash: &Value) {
    let mut node = start(data, more);
    wait_final(&mut node, number + 5);
    assert_eq!(hash_of(&node, number), *hash);
}

#[test]
fn node_ends_before_its_disk_is_full_and_goes_on_when_there_is_room_again() {
    let Some(disk) = SmallDisk::mount(400 * MIB) else { return };
    let data = disk.path().join("data");
    let mut node = start(&data, &[]);
    let number = wait_final(&mut node, 20);
    let hash = hash_of(&node, number);
    disk.take(200 * MIB);
    assert_says(&last_words(&mut node), &data, &["MiB are left", "asks for 256", "free disk space"]);

    let mut again = start(&data, &[]);
    assert_says(&last_words(&mut again), &data, &["MiB are left", "free disk space"]);
    disk.free();
    assert_goes_on(&data, &[], number, &hash);
}

#[test]
fn node_ends_with_the_reason_when_its_disk_is_full_at_once() {
    for sealing in ["slots", "manual"] {
        let Some(disk) = SmallDisk::mount(100 * MIB) else { return };
        let data = disk.path().join("data");
        let sealed = format!("--sealing={sealing}");
        let args = [UNWATCHED, &sealed];
        let mut node = start(&data, &args);
        node.wait("RPC", PATIENCE, Node::peer_id);
        let make = |node: &Node| node.rpc("engine_createBlock", json!([true, true, null]));
        if sealing == "manual" {
            (0..20).for_each(|_| drop(make(&node).unwrap()));
        }
        let number = wait_final(&mut node, 20);
        let hash = hash_of(&node, number);
        disk.fill();
        if sealing == "manual" {
            // Nobody else asks anything of the database.
            let _ = make(&node);
        }
        assert_says(&last_words(&mut node), &data, &["cannot be written", "free disk space"]);

        // Opening enters the log into the tables: files with holes, mapped into memory.
        let mut again = start(&data, &args);
        assert_says(&last_words(&mut again), &data, &["cannot be written (the disk is full)", "free disk space"]);
        disk.free();
        let mut node = start(&data, &args);
        node.wait("RPC", PATIENCE, Node::peer_id);
        if sealing == "manual" {
            (0..5).for_each(|_| drop(make(&node).unwrap()));
        }
        wait_final(&mut node, number + 5);
        assert_eq!(hash_of(&node, number), hash, "{sealing}");
    }
}

#[test]
fn nothing_is_lost_when_the_disk_fills_while_the_log_is_entered_into_the_tables() {
    // The log is entered at 64 MiB: there is room for it, but not for what comes of it.
    let Some(disk) = SmallDisk::mount(100 * MIB) else { return };
    let data = disk.path().join("data");
    let args = [UNWATCHED, "--sealing=manual"];
    let mut node = start(&data, &args);
    node.wait("RPC", PATIENCE, Node::peer_id);
    disk.take(28 * MIB);
    let make = |node: &Node| node.rpc("engine_createBlock", json!([true, true, null])).ok();
    let made: Vec<_> = std::iter::from_fn(|| make(&node)).take(20_000).collect();
    assert_says(&last_words(&mut node), &data, &["cannot be written (the disk is full)", "free disk space"]);

    // What the log needs in the tables is more than the log.
    disk.grow(400 * MIB);
    let mut node = start(&data, &args);
    node.wait("RPC", PATIENCE, Node::peer_id);
    // The database holds back up to 8 KiB of what is newest.
    let number = made.len() - 2;
    assert!(number > 200 && node.finalized().unwrap() >= number as u64, "{number} {:?}", node.finalized());
    assert_eq!(hash_of(&node, number as u64), made[number - 1]["hash"]);
}

/// The files of the database whose names begin so.
fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let found: Vec<_> = all.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(kind)).collect();
    assert!(!found.is_empty(), "no {kind} in {}", folder.display());
    found
}

fn remove(file: &Path) {
    fs::remove_file(file).unwrap();
}

fn cut(file: &Path) {
    let file = OpenOptions::new().write(true).open(file).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length.min(8_192) / 2).unwrap();
}

fn halve(file: &Path) {
    let file = OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
}

fn zero(file: &Path) {
    let length = file.metadata().unwrap().len();
    File::create(file).unwrap().set_len(length).unwrap();
}

/// A chain that was ended once and killed once, so that some of it is in tables and some in the log.
struct Killed {
    _folder: TempDir,
    data: PathBuf,
    number: u64,
    hash: Value,
}

impl Killed {
    fn make() -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        let mut node = start(&data, &[]);
        let number = wait_final(&mut node, 60);
        let hash = hash_of(&node, number);
        node.end();
        let mut node = start(&data, &[]);
        wait_final(&mut node, number + 30);
        node.kill();
        Self { _folder: folder, data, number, hash }
    }

    /// A copy, with `damage` done to the files of one kind.
    fn damaged(&self, kind: &str, damage: fn(&Path)) -> TempDir {
        let folder = TempDir::new().unwrap();
        let copied =
            Command::new("cp").args(["-a", "--sparse=always"]).arg(&self.data).arg(folder.path()).status().unwrap();
        assert!(copied.success());
        files(&database(&folder.path().join("data")), kind).iter().for_each(|file| damage(file));
        folder
    }
}

#[test]
fn node_goes_on_from_an_earlier_final_block_when_its_log_was_cut() {
    let killed = Killed::make();
    for damage in [halve, zero, remove, |_: &Path| {}] {
        let folder = killed.damaged("log", damage);
        assert_goes_on(&folder.path().join("data"), &[], killed.number, &killed.hash);
    }
}

/// Which files, by what their names begin with, and what is done to each of them.
type Damage = (String, fn(&Path));

#[test]
fn node_refuses_its_database_when_files_are_cut_emptied_or_missing() {
    let killed = Killed::make();
    let columns = [(0, "meta"), (1, "state"), (2, "state's log"), (3, "numbers"), (4, "headers"), (8, "consensus")];
    let mut cases: Vec<Damage> = vec![("metadata".into(), zero), ("metadata".into(), remove)];
    for (column, _) in columns {
        cases.push((format!("index_{column:02}_"), remove));
        cases.push((format!("table_{column:02}_"), remove));
    }
    cases.push(("index_01_".into(), zero));
    cases.push(("table_01_".into(), zero));
    cases.push(("table_01_".into(), cut));
    cases.push(("table_05_".into(), remove));
    cases.push(("table_".into(), remove));
    for (kind, damage) in cases {
        println!("{kind}");
        let folder = killed.damaged(&kind, damage);
        let data = folder.path().join("data");
        assert_says(&last_words(&mut start(&data, &[])), &data, &["is damaged", "purge-chain"]);
    }
}

#[test]
fn node_starts_anew_when_a_damaged_chain_was_purged_as_it_is_told() {
    let killed = Killed::make();
    let folder = killed.damaged("index_00_", remove);
    let data = folder.path().join("data");
    last_words(&mut start(&data, &[]));
    let purged = Command::new(program())
        .args(["purge-chain", "-y", CHAIN[0], CHAIN[2], "--base-path"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(purged.status.success(), "{}", String::from_utf8_lossy(&purged.stderr));
    wait_final(&mut start(&data, &[]), 5);
}
