// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use alloc::vec;

use codec::Compact;
use proptest::prelude::*;

use super::*;
use crate::testing::{attempt, bundle, cell, subject};

#[test]
fn attempt_has_the_documented_length_when_encoded() {
    let attempt = attempt(3, [1; 32]);
    assert_eq!(attempt.encode().len(), Attempt::ENCODED_LEN);
    assert_eq!(Attempt::max_encoded_len(), Attempt::ENCODED_LEN);
    assert_eq!(attempt.leaf(), crate::blake2_256(&[&[0u8][..], &attempt.encode()].concat()));
}

#[test]
fn cell_id_is_the_same_when_written_differently() {
    let cell = Cell::new("GPT-4o-Mini ", " OpenRouter:DeepInfra", "Chat").unwrap();
    assert_eq!(cell, Cell::new("gpt-4o-mini", "openrouter:deepinfra", "chat").unwrap());
    assert_eq!(cell.id(), crate::blake2_256(b"\x2cgpt-4o-mini\x50openrouter:deepinfra\x10chat"));
    assert!(cell.is_normalised());
    for (model, endpoint) in [("ab", "c"), ("a", "bc")] {
        assert_ne!(Cell::new(model, endpoint, "chat").unwrap().id(), Cell::new("abc", "d", "chat").unwrap().id());
    }
}

#[test]
fn cell_is_refused_when_a_name_is_empty_too_long_or_has_controls() {
    assert_eq!(Cell::new(" ", "e", "t"), Err(ProofError::TextEmpty));
    assert_eq!(Cell::new("m", "e", &"t".repeat(33)), Err(ProofError::TextTooLong { max: 32, found: 33 }));
    assert_eq!(Cell::new("m", "a\nb", "t"), Err(ProofError::TextInvalid));
    assert!(TaskType::decode(&mut &"t".repeat(33).encode()[..]).is_err());
    assert!(TaskType::decode(&mut &"t".repeat(32).encode()[..]).is_ok());
    assert!(TaskType::decode(&mut &vec![0xffu8, 0xfe].encode()[..]).is_err());
    assert!(TaskType::decode(&mut &Compact(u32::MAX).encode()[..]).is_err());
}

#[test]
fn bundle_survives_when_encoded() {
    let bundle = bundle([5; 32], 100, 7);
    assert_eq!(Bundle::decode_limited(&bundle.encode()), Ok(bundle.clone()));
    assert!(bundle.is_faithful());
    assert_eq!(bundle.ensure_well_formed(), Ok(()));
    assert_eq!(bundle.recompute_root(), Ok(bundle.header.root));
}

#[test]
fn root_changes_when_any_part_changes() {
    let original = bundle([5; 32], 20, 3);
    let changes: [fn(&mut Bundle); 6] = [
        |b| b.attempts[7].total_ms += 1,
        |b| b.attempts.swap(3, 4),
        |b| b.telemetry[1].p50_total_ms -= 1,
        |b| b.signal[0].endpoints.clear(),
        |b| b.cells.swap(0, 1),
        |b| b.signal.clear(),
    ];
    for change in changes {
        let mut changed = original.clone();
        change(&mut changed);
        assert_ne!(changed.recompute_root().unwrap(), original.header.root);
        assert_eq!(changed.header.root, original.header.root);
    }
}

#[test]
fn root_is_bound_to_both_halves_when_computed() {
    let bundle = bundle([5; 32], 20, 3);
    let summary = summary_hash(&bundle.cells, &bundle.telemetry, &bundle.signal);
    let encoded = (bundle.cells.clone(), bundle.telemetry.clone(), bundle.signal.clone()).encode();
    assert_eq!(summary, crate::blake2_256(&encoded));
    let joined = [&[2u8][..], &bundle.attempts_root().unwrap(), &summary].concat();
    assert_eq!(bundle.header.root, crate::blake2_256(&joined));
}

#[test]
fn assembly_is_refused_when_cells_and_attempts_disagree() {
    let id = cell(0).id();
    let assemble = |attempts, cells| Bundle::assemble([5; 32], subject(), attempts, cells, vec![]);
    assert_eq!(assemble(vec![], vec![]), Err(ProofError::EmptyTree));
    assert_eq!(assemble(vec![attempt(0, id)], vec![]), Err(ProofError::UnknownCell));
    assert_eq!(assemble(vec![attempt(0, id)], vec![cell(0), cell(1)]), Err(ProofError::UnknownCell));
    assert_eq!(assemble(vec![attempt(0, id)], vec![cell(0), cell(0)]), Err(ProofError::CellsUnordered));
    let shouting = Cell { model: ModelName::new("MODEL").unwrap(), ..cell(0) };
    assert_eq!(assemble(vec![attempt(0, shouting.id())], vec![shouting]), Err(ProofError::CellsUnordered));
    assert!(assemble(vec![attempt(0, id)], vec![cell(0)]).is_ok());
}

#[test]
fn form_is_refused_when_version_count_or_caps_are_wrong() {
    let refused = |change: fn(&mut Bundle)| {
        let mut bundle = bundle([5; 32], 10, 2);
        change(&mut bundle);
        bundle.ensure_well_formed().unwrap_err()
    };
    assert_eq!(refused(|b| b.header.version = 2), ProofError::UnknownVersion { found: 2 });
    assert_eq!(refused(|b| b.header.count = 9), ProofError::CountMismatch { header: 9, body: 10 });
    assert_eq!(refused(|b| b.cells.swap(0, 1)), ProofError::CellsUnordered);
    assert_eq!(refused(|b| b.signal = vec![b.signal[0].clone(); 1_025]), ProofError::Malformed);
    assert_eq!(refused(|b| b.telemetry = vec![CellTelemetry::default(); 1_025]), ProofError::Malformed);
    assert_eq!(refused(|b| b.signal[0].endpoints = vec![b.cells[0].endpoint.clone(); 65]), ProofError::Malformed);
}

#[test]
fn decoding_is_refused_when_over_a_limit() {
    let good = bundle([5; 32], 3, 1);
    let bytes = good.encode();
    let too_long = vec![0; MAX_BUNDLE_BYTES as usize + 1];
    assert_eq!(Bundle::decode_limited(&too_long), Err(ProofError::TooLarge { max: MAX_BUNDLE_BYTES }));
    assert_eq!(Bundle::decode_limited(&[&bytes[..], &[0]].concat()), Err(ProofError::TrailingBytes));
    for len in 0..bytes.len() {
        assert_eq!(Bundle::decode_limited(&bytes[..len]), Err(ProofError::Malformed), "{len}");
    }
    let with = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = good.clone();
        change(&mut bundle);
        Bundle::decode_limited(&bundle.encode())
    };
    let over = Err(ProofError::Malformed);
    let repeated = |count: u32| vec![good.attempts[0].clone(); count as usize];
    assert!(with(&|b| b.attempts = repeated(MAX_ATTEMPTS)).is_ok());
    assert_eq!(with(&|b| b.attempts = repeated(MAX_ATTEMPTS + 1)), over);
    assert!(with(&|b| b.cells = vec![cell(0); MAX_CELLS as usize]).is_ok());
    assert_eq!(with(&|b| b.cells = vec![cell(0); MAX_CELLS as usize + 1]), over);
    assert_eq!(with(&|b| b.telemetry = vec![CellTelemetry::default(); MAX_CELLS as usize + 1]), over);
    assert_eq!(with(&|b| b.signal = vec![b.signal[0].clone(); MAX_CELLS as usize + 1]), over);
    assert_eq!(with(&|b| b.signal[0].endpoints = vec![cell(0).endpoint; MAX_ENDPOINTS as usize + 1]), over);
}

#[test]
fn decoding_allocates_nothing_when_only_a_length_is_given() {
    let good = bundle([5; 32], 3, 1);
    let mut bytes = (good.hotkey, good.header.clone(), good.signature).encode();
    bytes.extend(Compact(MAX_ATTEMPTS).encode());
    assert_eq!(Bundle::decode_limited(&bytes), Err(ProofError::Malformed));
}

#[test]
fn largest_bundle_fits_when_all_lists_are_full() {
    let rows = (Cell::max_encoded_len() + CellTelemetry::max_encoded_len()) * MAX_CELLS as usize;
    assert!(Attempt::ENCODED_LEN * MAX_ATTEMPTS as usize + rows < MAX_BUNDLE_BYTES as usize);
}

proptest! {
    #[test]
    fn decoding_never_panics_when_bytes_are_arbitrary(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = bundle([5; 32], 5, 2).encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(decoded) = Bundle::decode_limited(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes);
        }
    }
}

#[cfg(feature = "sign")]
mod with_keys {
    use super::*;
    use crate::Keypair;

    fn signed() -> Bundle {
        let alice = Keypair::dev("//Alice").unwrap();
        let mut bundle = bundle(alice.public(), 20, 3);
        bundle.sign(&alice).unwrap();
        bundle
    }

    #[test]
    fn bundle_verifies_when_signed_by_its_hotkey() {
        assert_eq!(signed().verify(), Ok(()));
        assert_eq!(signed().sign(&Keypair::dev("//Bob").unwrap()), Err(ProofError::WrongParty));
    }

    #[test]
    fn bundle_is_refused_when_header_body_or_hotkey_change() {
        let refused = |change: fn(&mut Bundle)| {
            let mut bundle = signed();
            change(&mut bundle);
            bundle.verify().unwrap_err()
        };
        assert_eq!(refused(|b| b.header.epoch += 1), ProofError::BadSignature);
        assert_eq!(refused(|b| b.header.netuid += 1), ProofError::BadSignature);
        assert_eq!(refused(|b| b.header.mecid += 1), ProofError::BadSignature);
        assert_eq!(refused(|b| b.header.genesis[0] ^= 1), ProofError::BadSignature);
        assert_eq!(refused(|b| b.hotkey = Keypair::dev("//Bob").unwrap().public()), ProofError::BadSignature);
        assert_eq!(refused(|b| b.header.root[0] ^= 1), ProofError::RootMismatch);
        assert_eq!(refused(|b| b.attempts[0].ttft_ms ^= 1), ProofError::RootMismatch);
        assert_eq!(refused(|b| b.telemetry[0].ok -= 1), ProofError::RootMismatch);
    }
}
