-- SPDX-License-Identifier: Apache-2.0
-- How many writes there were, which the mark beside the ledger says too: one that lost its last ones is noticed. `requests`
-- counts what is one statement (reservations, their ends, nonces), so that it needs no second; `accounts` all other work.
CREATE TABLE writes (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    requests INTEGER NOT NULL,
    accounts INTEGER NOT NULL
) STRICT;
INSERT INTO writes (only, requests, accounts) VALUES (1, 0, 0);

CREATE TRIGGER reservation_counted AFTER INSERT ON requests
BEGIN
    UPDATE writes SET requests = requests + 1;
END;

CREATE TRIGGER end_counted AFTER UPDATE OF state ON requests WHEN OLD.state = 0 AND NEW.state > 0
BEGIN
    UPDATE writes SET requests = requests + 1;
END;

CREATE TRIGGER nonce_counted AFTER INSERT ON nonces
BEGIN
    UPDATE writes SET requests = requests + 1;
END;

CREATE TRIGGER expired_nonce_counted AFTER UPDATE ON nonces
BEGIN
    UPDATE writes SET requests = requests + 1;
END;
