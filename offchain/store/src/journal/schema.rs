// SPDX-License-Identifier: Apache-2.0
//! The tables, how an empty file gets them, and how an older one comes to have them.

/// Version of the tables below, in SQLite's `user_version`. A change of tables raises it and brings its migration.
pub(super) const SCHEMA: i64 = 3;

/// Says that a file has version [`SCHEMA`].
pub(super) const SET_SCHEMA: &str = "PRAGMA user_version = 3";

/// All tables but [`COMMITS`]. Keys are raw 32-byte blobs; times are Unix milliseconds or minutes, as the column says.
pub(super) const CREATE: &str = "
CREATE TABLE identity (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    genesis BLOB NOT NULL,
    netuid INTEGER NOT NULL,
    hotkey BLOB NOT NULL
) STRICT;

CREATE TABLE probes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    hotkey BLOB NOT NULL,
    gateway BLOB NOT NULL,
    model TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    response_ms INTEGER NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX probes_by_hotkey ON probes (hotkey, seq);

CREATE TABLE receipts (
    id BLOB PRIMARY KEY,
    minute INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX receipts_by_minute ON receipts (minute);

CREATE TABLE traffic (
    miner BLOB NOT NULL,
    payer BLOB NOT NULL,
    minute INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    fee_micro_usd INTEGER NOT NULL,
    receipts INTEGER NOT NULL,
    PRIMARY KEY (miner, payer, minute)
) STRICT, WITHOUT ROWID;
CREATE INDEX traffic_by_minute ON traffic (minute);

CREATE TABLE cursors (
    gateway BLOB PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE refusals (
    gateway BLOB NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (gateway, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE bundles (
    epoch INTEGER NOT NULL,
    hotkey BLOB NOT NULL,
    root BLOB NOT NULL,
    count INTEGER NOT NULL,
    block INTEGER NOT NULL,
    reason INTEGER NOT NULL,
    evidence TEXT NOT NULL,
    summary BLOB NOT NULL,
    PRIMARY KEY (epoch, hotkey)
) STRICT, WITHOUT ROWID;

CREATE TABLE replays (
    epoch INTEGER NOT NULL,
    cell BLOB NOT NULL,
    task_id BLOB NOT NULL,
    started_ms INTEGER NOT NULL,
    ttft_ms INTEGER NOT NULL,
    total_ms INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    status INTEGER NOT NULL,
    schema_verdict INTEGER NOT NULL,
    answer_verdict INTEGER NOT NULL,
    cost_micro_usd INTEGER NOT NULL,
    PRIMARY KEY (epoch, cell, task_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE epochs (
    epoch INTEGER PRIMARY KEY,
    start_block INTEGER NOT NULL,
    deadline_block INTEGER NOT NULL,
    seed BLOB,
    checked INTEGER NOT NULL DEFAULT 0,
    facts TEXT NOT NULL DEFAULT '',
    report TEXT NOT NULL DEFAULT '',
    params BLOB
) STRICT;

CREATE TABLE verdicts (
    epoch INTEGER PRIMARY KEY,
    payload TEXT NOT NULL,
    done INTEGER NOT NULL,
    block INTEGER NOT NULL
) STRICT;
";

/// Commits, and the hashes of all that may be on chain under this hotkey.
pub(super) const COMMITS: &str = "
CREATE TABLE commits (
    epoch INTEGER NOT NULL,
    mecid INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    commit_epoch INTEGER NOT NULL,
    form INTEGER NOT NULL,
    single_mechanism INTEGER NOT NULL,
    uids TEXT NOT NULL,
    vals TEXT NOT NULL,
    hotkeys BLOB NOT NULL,
    salt TEXT NOT NULL,
    version_key TEXT NOT NULL,
    ciphertext BLOB NOT NULL,
    round INTEGER NOT NULL,
    hash BLOB NOT NULL,
    state INTEGER NOT NULL,
    block INTEGER NOT NULL,
    chain_epoch INTEGER,
    commit_block INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    detail TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (epoch, mecid, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE sent (
    hash BLOB PRIMARY KEY,
    epoch INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Before [`COMMITS`], where a file has version 1, whose commits were plain or salted and one per epoch and mechanism.
pub(super) const FROM_1: &str = "ALTER TABLE commits RENAME TO commits_1;";

/// After [`COMMITS`].
pub(super) const FROM_1_MOVE: &str = "
INSERT INTO commits SELECT epoch, mecid, 0, epoch, commit_reveal, single_mechanism, uids, vals, hotkeys, salt,
    version_key, x'', 0, hash, state, block, chain_epoch, CASE state WHEN 2 THEN block END, attempts, detail
    FROM commits_1;

INSERT INTO sent SELECT DISTINCT hash, epoch FROM commits_1 WHERE state > 0 OR attempts > 0;

DROP TABLE commits_1;
";

/// Where a file has version 1 or 2, whose epochs kept no parameters.
pub(super) const FROM_2: &str = "ALTER TABLE epochs ADD COLUMN params BLOB;";
