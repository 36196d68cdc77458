-- Amounts are micro-USD, times Unix milliseconds. The balance is what is free: reservations are already taken off.
CREATE TABLE payers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    balance INTEGER NOT NULL DEFAULT 0 CHECK (balance >= 0),
    spent INTEGER NOT NULL DEFAULT 0 CHECK (spent >= 0)
) STRICT;

CREATE TABLE api_keys (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    payer INTEGER NOT NULL REFERENCES payers (id),
    kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
    hash BLOB NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    revoked_ms INTEGER
) STRICT;

-- state: 0 open, 1 served, 2 failed, 3 abandoned by a crash.
CREATE TABLE requests (
    id BLOB PRIMARY KEY,
    payer INTEGER REFERENCES payers (id),
    model TEXT NOT NULL,
    task_type TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    state INTEGER NOT NULL,
    fee INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    served_by TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_open ON requests (received_ms) WHERE state = 0;
CREATE INDEX requests_received ON requests (received_ms);

CREATE TABLE receipts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    request BLOB NOT NULL UNIQUE,
    received_ms INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
CREATE INDEX receipts_received ON receipts (received_ms);

CREATE TABLE demand (
    minute INTEGER NOT NULL,
    model TEXT NOT NULL,
    task_type TEXT NOT NULL,
    requests INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    PRIMARY KEY (minute, model, task_type)
) STRICT, WITHOUT ROWID;

CREATE TABLE bundles (
    root BLOB PRIMARY KEY,
    hotkey BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    stored_ms INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
CREATE INDEX bundles_hotkey ON bundles (hotkey, stored_ms);

CREATE TABLE nonces (
    sender BLOB NOT NULL,
    nonce BLOB NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (sender, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX nonces_expires ON nonces (expires_ms);
