// SPDX-License-Identifier: Apache-2.0
//! One function per decoder that a stranger can reach, and one per pallet that a stranger can call.
//!
//! Each takes any bytes and must return: no panic, no abort, no allocation far above the input's size. What decodes must
//! survive a round trip. `fuzz/` runs them under libFuzzer; `tests/corpus.rs` replays the corpus in every test run.

mod runtime_calls;
mod shield;
mod subtensor;

use clawrank_primitives::proof::{self, Attempt, Bundle, Commitment, Opening, SignedReceipt};
use clawrank_protocol::{
    catalogue::Catalogue,
    cells::CellTable,
    frames::{GatewayFrame, MinerFrame},
    limits::{MAX_GATEWAY_FRAME_BYTES, MAX_MINER_FRAME_BYTES},
    openai::{self, ChatRequest},
};
use clawrank_timelock::{DevBeacon, MAX_COMMIT_BYTES, OVERHEAD_BYTES, WeightsPayload, decrypt};
use clawrank_wallet::{Sealed, parse_keyfile, parse_public_keyfile};
use codec::{DecodeAll, Encode};

pub use runtime_calls::{CallName, EXCLUDED, runtime_call_names, runtime_calls};
pub use shield::{Extension, Extrinsic, RuntimeCall, shield, shield_key};
pub use subtensor::subtensor;

/// A decoder under test.
pub type Target = fn(&[u8]);

/// Every target by name; the name is that of its corpus folder and of its fuzzer.
pub const TARGETS: [(&str, Target); 13] = [
    ("bundle", bundle),
    ("receipt", receipt),
    ("opening", opening),
    ("attempt", attempt),
    ("commitment", commitment),
    ("frame", frame),
    ("chat_request", chat_request),
    ("catalogue", catalogue),
    ("cells", cells),
    ("address", address),
    ("timelock_decrypt", timelock_decrypt),
    ("keyfile", keyfile),
    ("shield", shield),
];

/// Targets that run a chain, some milliseconds each; otherwise as [`TARGETS`].
pub const CHAIN_TARGETS: [(&str, Target); 2] =
    [("subtensor", subtensor), ("runtime_calls", |data| drop(runtime_calls(data)))];

/// A bundle as uploaded by an intel miner.
pub fn bundle(data: &[u8]) {
    if let Ok(bundle) = Bundle::decode_limited(data) {
        assert_eq!(bundle.encode(), data, "a bundle has one encoding");
    }
}

/// A receipt as listed by a gateway.
pub fn receipt(data: &[u8]) {
    if let Ok(receipt) = SignedReceipt::decode_limited(data) {
        assert_eq!(receipt.encode(), data, "a receipt has one encoding");
        assert!(receipt.verify(&[0; 32], |_| true).is_err(), "nobody signs for the zero key");
    }
}

/// An opened leaf as sent by an intel miner.
pub fn opening(data: &[u8]) {
    if let Ok(opening) = Opening::decode_limited(data) {
        assert_eq!(opening.encode(), data, "an opening has one encoding");
    }
}

/// One attempt.
pub fn attempt(data: &[u8]) {
    if let Ok(attempt) = Attempt::decode_all(&mut &*data) {
        assert_eq!(attempt.encode(), data, "an attempt has one encoding");
    }
}

/// A root as put on chain by anyone.
pub fn commitment(data: &[u8]) {
    let _ = Commitment::parse(data);
}

/// A WebSocket frame, in both directions.
pub fn frame(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    if let Ok(frame) = MinerFrame::decode(text, MAX_MINER_FRAME_BYTES) {
        let again = MinerFrame::decode(&frame.encode(), MAX_MINER_FRAME_BYTES.saturating_mul(2));
        assert!(again.is_ok(), "what was read can be written and read: {again:?}");
    }
    if let Ok(frame) = GatewayFrame::decode(text, MAX_GATEWAY_FRAME_BYTES) {
        let again = GatewayFrame::decode(&frame.encode(), MAX_GATEWAY_FRAME_BYTES.saturating_mul(2));
        assert!(again.is_ok(), "what was read can be written and read: {again:?}");
    }
}

/// A caller's chat completion body, and a backend's answer.
pub fn chat_request(data: &[u8]) {
    let _ = ChatRequest::parse(data);
    if let Ok(text) = core::str::from_utf8(data) {
        let _ = openai::answer_text(text);
    }
}

/// An operator's list of endpoints.
pub fn catalogue(data: &[u8]) {
    if let Ok(text) = core::str::from_utf8(data) {
        let _ = Catalogue::parse(text, "fuzz");
    }
}

/// A validator's table of cells.
pub fn cells(data: &[u8]) {
    if let Ok(table) = CellTable::parse(data) {
        let text = serde_json::to_vec(&table).unwrap_or_default();
        assert_eq!(CellTable::parse(&text), Ok(table), "what was read can be written and read");
    }
}

/// An ss58 address.
pub fn address(data: &[u8]) {
    if let Ok(text) = core::str::from_utf8(data)
        && let Ok(key) = proof::ss58::decode(text)
    {
        assert_eq!(proof::ss58::encode(&key), text, "a key has one address");
    }
}

/// A timelocked commit as anyone puts it on chain, and the payload inside it.
///
/// The first 32 bytes stand for the committer. The rest is opened as a commit of the local beacon's round 1,000, and
/// read as a payload too, since a mutated commit hardly ever opens.
pub fn timelock_decrypt(data: &[u8]) {
    let Some((committer, bytes)) = data.split_first_chunk::<32>() else { return };
    if let Ok(plaintext) = decrypt(bytes, &round_1000()) {
        assert!(bytes.len() <= MAX_COMMIT_BYTES, "what the chain does not store does not open");
        assert_eq!(plaintext.len().saturating_add(OVERHEAD_BYTES), bytes.len(), "a commit has one length");
        let _ = WeightsPayload::decode(&plaintext, committer);
    }
    if let Ok(payload) = WeightsPayload::decode(bytes, committer) {
        assert_eq!(payload.hotkey, *committer, "weights are the committer's");
        assert_eq!(WeightsPayload::decode(&payload.encode(), committer), Ok(payload));
    }
}

fn round_1000() -> [u8; 48] {
    static SIGNATURE: std::sync::OnceLock<[u8; 48]> = std::sync::OnceLock::new();
    *SIGNATURE.get_or_init(|| DevBeacon::default().sign(1_000))
}

/// The key that [`keyfile`] opens encrypted files with, in place of one that is derived from a password for seconds.
pub fn keyfile_key() -> clawrank_wallet::SealKey {
    clawrank_wallet::SealKey::from_bytes([7; clawrank_wallet::SEAL_KEY_BYTES])
}

/// A key file, or the public half of one, as copied from anywhere.
pub fn keyfile(data: &[u8]) {
    let path = std::path::Path::new("fuzz");
    match Sealed::parse(data) {
        Ok(Some(file)) => {
            if let Ok(plain) = file.open(&keyfile_key()) {
                let _ = parse_keyfile(&plain, path);
            }
            assert!(parse_keyfile(data, path).is_err(), "an encrypted file is no plain one");
        }
        Ok(None) => {
            let (key, public) = (parse_keyfile(data, path), parse_public_keyfile(data, path));
            if let (Ok(key), Ok(public)) = (key, public) {
                assert_eq!(key.public(), public, "a file that states an address holds its key");
            }
        }
        Err(_) => {}
    }
}
