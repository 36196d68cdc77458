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

-- state: 0 open, 1 served, 2 failed, 3 abandoned by a crash. demand: whether it is a customer's.
CREATE TABLE requests (
    id BLOB PRIMARY KEY,
    payer INTEGER REFERENCES payers (id),
    model TEXT NOT NULL,
    task_type TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    demand INTEGER NOT NULL DEFAULT 0,
    fee INTEGER NOT NULL DEFAULT 0,
    input_tokens INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    served_by TEXT,
    receipt BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_open ON requests (received_ms) WHERE state = 0;
CREATE INDEX requests_received ON requests (received_ms);

-- The order of receipts; their bytes are with their requests.
CREATE TABLE receipts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    request BLOB NOT NULL UNIQUE
) STRICT;

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

-- Money follows the state of requests, inside the same statement: a reservation that would make a balance negative
-- fails its insert, and an end is booked exactly when a request stops being open.
CREATE TRIGGER request_reserved AFTER INSERT ON requests WHEN NEW.reserved > 0
BEGIN
    UPDATE payers SET balance = balance - NEW.reserved WHERE id = NEW.payer;
END;

CREATE TRIGGER request_ended AFTER UPDATE OF state ON requests WHEN OLD.state = 0 AND NEW.state > 0
BEGIN
    UPDATE payers SET balance = balance + NEW.reserved - NEW.fee, spent = spent + NEW.fee
        WHERE id = NEW.payer AND NEW.reserved > 0;
    INSERT INTO receipts (request) SELECT NEW.id WHERE NEW.receipt IS NOT NULL;
    INSERT INTO demand (minute, model, task_type, requests, tokens)
        SELECT NEW.received_ms / 60000, NEW.model, NEW.task_type, 1, NEW.input_tokens + NEW.output_tokens
        WHERE NEW.state = 1 AND NEW.demand = 1
        ON CONFLICT (minute, model, task_type)
        DO UPDATE SET requests = requests + 1, tokens = tokens + excluded.tokens;
END;
