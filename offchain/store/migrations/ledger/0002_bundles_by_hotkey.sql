-- SPDX-License-Identifier: Apache-2.0
-- A bundle is its root and its hotkey: whoever uploads a root first must not keep out the one who measured.
CREATE TABLE bundles_by_hotkey (
    root BLOB NOT NULL,
    hotkey BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    stored_ms INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (root, hotkey)
) STRICT;
INSERT INTO bundles_by_hotkey SELECT root, hotkey, epoch, stored_ms, bytes FROM bundles;
DROP TABLE bundles;
ALTER TABLE bundles_by_hotkey RENAME TO bundles;
CREATE INDEX bundles_hotkey ON bundles (hotkey, stored_ms);
