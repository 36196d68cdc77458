// SPDX-License-Identifier: Apache-2.0
//! Killed at every point there is: before and after each write of the journal, before and after each transaction, and
//! while it waits for a block; both mechanisms, every way of setting weights.
//!
//! One run is recorded: the chain at each event, and how long the journal's log (SQLite's WAL) was then. The log only
//! grows, so its first `n` transactions are what a process leaves on disk that was killed after its `n`th write. A new
//! process starts from each such pair, with half of the next write behind it, and has to end as the first one did.

use std::collections::BTreeMap;

use super::*;

/// Last block of every run: the reveals are over.
const END: u64 = 1_112;

/// Where the transactions of a write-ahead log end, in bytes, oldest first; 0 for the empty log.
fn transactions(log: &[u8]) -> Vec<usize> {
    let word = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let (page, salts) = (word(8) as usize, &log[16..24]);
    let mut ends = vec![0];
    let mut at = 32;
    while at + 24 + page <= log.len() {
        assert_eq!(&log[at + 8..at + 16], salts, "the log was begun anew");
        let size_after = word(at + 4);
        at += 24 + page;
        // Only the last frame of a transaction has a size.
        if size_after > 0 {
            ends.push(at);
        }
    }
    assert_eq!(at, log.len());
    ends
}

/// Settings of weights that took effect, by mechanism and epoch.
fn settings(chain: &FakeChain) -> BTreeMap<(u8, u64), u32> {
    let mut made = BTreeMap::new();
    for (block, call) in chain.with(|s| s.log.clone()) {
        let mecid = match call {
            Call::CommitWeights { .. } | Call::SetWeights { .. } => 0,
            Call::CommitMechanismWeights { mecid, .. }
            | Call::CommitTimelockedWeights { mecid, .. }
            | Call::SetMechanismWeights { mecid, .. } => mecid,
            _ => continue,
        };
        *made.entry((mecid, (block - 1_000) / 100 + 5)).or_default() += 1;
    }
    made
}

/// What the judge does whenever it finds scores without weights.
async fn judge(process: &Process, mecids: &[u8]) {
    for mecid in mecids {
        if process.journal.commit(5, *mecid).await.unwrap().is_none() {
            process.prepare(*mecid).await;
        }
    }
}

async fn finish(process: &mut Process, mecids: &[u8]) {
    judge(process, mecids).await;
    assert!(process.pass().await);
    process.run_to(END).await;
}

async fn ensure_ended_well(process: &Process, mecids: &[u8], killed: &str) {
    let made = settings(&process.chain);
    let expected: BTreeMap<(u8, u64), u32> = mecids.iter().map(|mecid| ((*mecid, 5), 1)).collect();
    assert_eq!(made, expected, "killed {killed}: one per mechanism and epoch, and no more");
    for mecid in mecids {
        let rows = process.journal.commits_of(5).await.unwrap();
        let states: Vec<_> = rows.iter().filter(|row| row.mecid == *mecid).map(|row| row.state).collect();
        assert_eq!(states, [CommitState::Revealed], "killed {killed}: mechanism {mecid}");
        let weights = stored(&process.chain, *mecid);
        assert_eq!(weights, Some(vec![(1, 65_535), (2, 700)]), "killed {killed}: mechanism {mecid}");
    }
}

/// Starts at `block` 1,080 of epoch 5, and again from every point of that run; returns how many writes and points there
/// were.
async fn killed_everywhere(chain: Arc<FakeChain>, mecids: &[u8]) -> (usize, usize) {
    let folder = tempfile::tempdir().unwrap();
    chain.advance_to(1_080);
    let mut process = Process::start(folder.path(), &chain).await;
    let database = std::fs::read(process.journal.path()).unwrap();
    let log_path = folder.path().join("journal.db-wal");
    chain.record(&log_path);
    finish(&mut process, mecids).await;
    ensure_ended_well(&process, mecids, "never").await;
    let (log, moments) = (std::fs::read(&log_path).unwrap(), chain.recorded());
    assert_eq!(std::fs::read(process.journal.path()).unwrap(), database, "all that was written is in the log");
    let ends = transactions(&log);

    let mut points: Vec<(usize, &Moment)> = Vec::new();
    for (at, moment) in moments.iter().enumerate() {
        // A transaction that waits is another course than the one that was recorded: it ends where it begins.
        let next = moments[at + 1..].iter().find(|next| !next.is_fork).map_or(log.len() as u64, |next| next.log_len);
        let until = if moment.is_fork { moment.log_len } else { next };
        let within = |end: &&usize| (moment.log_len..=until).contains(&(**end as u64));
        points.extend(ends.iter().filter(within).map(|end| (*end, moment)));
    }
    let first_write = ends.iter().position(|end| *end as u64 == moments[0].log_len).unwrap();
    let writes = ends.len() - 1 - first_write;
    for (end, moment) in &points {
        let folder = tempfile::tempdir().unwrap();
        // The write that was under way got half of its bytes onto the disk.
        let next = ends.iter().find(|next| *next > end).unwrap_or(end);
        let left = &log[..end + (next - end) / 2];
        std::fs::write(folder.path().join("journal.db"), &database).unwrap();
        std::fs::write(folder.path().join("journal.db-wal"), left).unwrap();
        std::fs::write(folder.path().join("journal.lock"), "journal in use\n").unwrap();
        let chain = chain.going_on_from(moment.state.clone());
        let mut process = Process::start(folder.path(), &chain).await;
        finish(&mut process, mecids).await;
        let write = ends.iter().position(|found| found == end).unwrap() - first_write;
        ensure_ended_well(&process, mecids, &format!("after write {write} of {writes}, {}", moment.event)).await;
    }
    (writes, points.len())
}

#[tokio::test]
async fn salted_weights_are_committed_once_and_revealed_when_killed_at_any_point() {
    let (writes, points) = killed_everywhere(FakeChain::new(2, now_ms()), &[0, 1]).await;
    // Per mechanism: prepared, sealed, submitted, noted, committed, revealed and its note.
    assert!(writes >= 14 && points > 2 * writes, "{points} points of {writes} writes");
}

#[tokio::test]
async fn timelocked_weights_are_committed_once_and_revealed_when_killed_at_any_point() {
    let (writes, points) = killed_everywhere(FakeChain::with_beacon(2, now_ms()), &[0, 1]).await;
    // Per mechanism: prepared, sealed, submitted, noted, committed, revealed.
    assert!(writes >= 12 && points > 2 * writes, "{points} points of {writes} writes");
}

#[tokio::test]
async fn plain_weights_are_set_once_when_killed_at_any_point() {
    let chain = FakeChain::new(2, now_ms());
    chain.with(|s| s.subnet.commit_reveal = false);
    let (writes, points) = killed_everywhere(chain, &[0, 1]).await;
    // Per mechanism: prepared, submitted, noted, revealed; nothing is sealed.
    assert!(writes >= 8 && points > 2 * writes, "{points} points of {writes} writes");
}

#[tokio::test]
async fn weights_of_a_single_mechanism_are_committed_once_when_killed_at_any_point() {
    let chain = FakeChain::new(2, now_ms());
    chain.with(|s| s.subnet.mechanism_count = 1);
    let (writes, points) = killed_everywhere(chain, &[0]).await;
    assert!(writes >= 7 && points > 2 * writes, "{points} points of {writes} writes");
}
