// SPDX-License-Identifier: Apache-2.0

//! Caps and deadlines of the wire. Both sides use these; a gateway's configuration may only make them tighter.

/// Version of the WebSocket protocol.
pub const PROTOCOL_VERSION: u16 = 1;

/// Largest frame a miner may send, in bytes.
pub const MAX_MINER_FRAME_BYTES: usize = 1024 * 1024;

/// Largest body of a customer's request, in bytes.
pub const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// Largest frame a gateway sends: a whole body and its envelope, in bytes.
pub const MAX_GATEWAY_FRAME_BYTES: usize = MAX_BODY_BYTES + 64 * 1024;

/// Largest body of a bundle upload, in bytes.
pub const MAX_BUNDLE_BODY_BYTES: usize = 16 * 1024 * 1024;

/// Largest text that one answer may deliver, in bytes; a miner that sends more fails the request.
pub const MAX_DELIVERED_BYTES: u64 = 8 * 1024 * 1024;

/// Models one miner may offer.
pub const MAX_MODELS: usize = 64;

/// Longest name of a model, in bytes.
pub const MAX_MODEL_BYTES: usize = 96;

/// Longest `agent` string, in bytes.
pub const MAX_AGENT_BYTES: usize = 96;

/// Longest error text that one side shows of the other, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 256;

/// Longest hexadecimal field of variable length (claims, receipts, attempts), in digits.
pub const MAX_HEX_DIGITS: usize = 8 * 1024;

/// Leaves that one `open` may ask for.
pub const MAX_OPEN_LEAVES: usize = 256;

/// Cells of one validator's table.
pub const MAX_CELLS: usize = 4_096;

/// Largest body of a cell table: the longest names in every cell, in bytes.
pub const MAX_CELLS_BODY_BYTES: usize = 2 * 1024 * 1024;

/// Nodes of one inclusion path.
pub const MAX_PATH_NODES: usize = 32;

/// Messages in one chat request.
pub const MAX_MESSAGES: usize = 4_096;

/// Largest `n` (choices) in one chat request.
pub const MAX_CHOICES: u32 = 8;

/// Largest `max_tokens` in one chat request.
pub const MAX_OUTPUT_TOKENS: u32 = 1_000_000;

/// Time a miner has for `hello` after `challenge`, in milliseconds.
pub const AUTH_DEADLINE_MS: u64 = 5_000;

/// Time between two pings, in milliseconds.
pub const PING_INTERVAL_MS: u64 = 30_000;

/// Pings without an answer after which a miner is dropped.
pub const MISSED_PINGS: u32 = 2;

/// Frames that may wait for a slow miner.
pub const OUTBOUND_QUEUE: usize = 64;

/// Time a write to a miner may hang before it is dropped, in milliseconds.
pub const STUCK_MS: u64 = 10_000;

/// Time a miner has to answer `open`, in milliseconds.
pub const OPEN_DEADLINE_MS: u64 = 10_000;

/// How far a signed request's time may be from the receiver's, both ways, in milliseconds.
pub const SIGNED_WINDOW_MS: u64 = 5_000;

/// Receipts on one page of `/v1/receipts`.
pub const MAX_RECEIPTS_PAGE: u32 = 1_000;
