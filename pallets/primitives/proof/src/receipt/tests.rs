// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

fn receipt(miner: HotkeyId, gateway: HotkeyId) -> SignedReceipt {
    let claim = Claim {
        request_id: [9; 16],
        miner,
        gateway,
        model: ModelName::new("gpt-4o-mini").unwrap(),
        input_tokens: 12,
        output_tokens: 34,
        response_hash: [8; 32],
        stream: true,
        ok: true,
    };
    let receipt = Receipt {
        version: RECEIPT_VERSION,
        claim,
        miner_signature: [0; 64],
        payer: [7; 32],
        fee: MicroUsd(40),
        received_ms: 1_700_000_000_000,
        first_byte_ms: 120,
        total_ms: 900,
        recount_tokens: 50,
    };
    SignedReceipt { receipt, gateway_signature: [0; 64] }
}

#[test]
fn receipt_fits_its_cap_when_largest() {
    assert!(SignedReceipt::max_encoded_len() <= MAX_RECEIPT_BYTES as usize);
    let receipt = receipt([1; 32], [2; 32]);
    assert_eq!(receipt.receipt.tokens(), 46);
    assert_eq!(SignedReceipt::decode_limited(&receipt.encode()), Ok(receipt));
}

#[test]
fn receipt_is_refused_when_truncated_extended_or_too_long() {
    let bytes = receipt([1; 32], [2; 32]).encode();
    assert_eq!(SignedReceipt::decode_limited(&bytes[..bytes.len() - 1]), Err(ProofError::Malformed));
    assert_eq!(SignedReceipt::decode_limited(&[&bytes[..], &[0]].concat()), Err(ProofError::TrailingBytes));
    let long = [0; MAX_RECEIPT_BYTES as usize + 1];
    assert_eq!(SignedReceipt::decode_limited(&long), Err(ProofError::TooLarge { max: MAX_RECEIPT_BYTES }));
}

#[cfg(feature = "serde")]
#[test]
fn receipt_survives_with_hashes_in_hexadecimal_when_written_as_json() {
    let receipt = receipt([0xab; 32], [2; 32]);
    let json = serde_json::to_string(&receipt).unwrap();
    assert!(json.contains(&alloc::format!("\"miner\":\"{}\"", "ab".repeat(32))), "{json}");
    assert!(json.contains("\"model\":\"gpt-4o-mini\",\"input_tokens\":12"), "{json}");
    assert_eq!(serde_json::from_str::<SignedReceipt>(&json).unwrap(), receipt);
    let prefixed = json.replace(&"ab".repeat(32), &alloc::format!("0x{}", "AB".repeat(32)));
    assert_eq!(serde_json::from_str::<SignedReceipt>(&prefixed).unwrap(), receipt);
    for wrong in ["ab".repeat(31), "ab".repeat(33), "zz".repeat(32), "a".repeat(63)] {
        assert!(serde_json::from_str::<SignedReceipt>(&json.replace(&"ab".repeat(32), &wrong)).is_err(), "{wrong}");
    }
    assert!(serde_json::from_str::<SignedReceipt>(&json.replace("gpt-4o-mini", &"m".repeat(97))).is_err());
}

#[cfg(feature = "serde")]
#[test]
fn proof_path_survives_as_a_list_of_hexadecimal_texts_when_written_as_json() {
    let proof = crate::InclusionProof { path: alloc::vec![[1; 32], [0xfe; 32]] };
    let json = serde_json::to_string(&proof).unwrap();
    assert_eq!(json, alloc::format!("{{\"path\":[\"{}\",\"{}\"]}}", "01".repeat(32), "fe".repeat(32)));
    assert_eq!(serde_json::from_str::<crate::InclusionProof>(&json).unwrap(), proof);
}

#[cfg(feature = "sign")]
mod with_keys {
    use super::*;
    use crate::Keypair;

    fn signed() -> (SignedReceipt, HotkeyId) {
        let (miner, gateway) = (Keypair::dev("//Miner").unwrap(), Keypair::dev("//Gateway").unwrap());
        let mut signed = receipt(miner.public(), gateway.public());
        signed.receipt.miner_signature = miner.sign(&signed.receipt.claim.signing_payload());
        signed.gateway_signature = gateway.sign(&signed.receipt.signing_payload());
        (signed, gateway.public())
    }

    #[test]
    fn receipt_verifies_when_both_signed() {
        let (signed, gateway) = signed();
        let miner = signed.receipt.claim.miner;
        assert_eq!(signed.verify(&gateway, |hotkey| *hotkey == miner), Ok(()));
    }

    #[test]
    fn receipt_is_refused_when_a_party_is_wrong() {
        let (signed, gateway) = signed();
        assert_eq!(signed.verify(&gateway, |_| false), Err(ProofError::WrongParty));
        assert_eq!(signed.verify(&[1; 32], |_| true), Err(ProofError::WrongParty));
        let mut other = signed.clone();
        other.receipt.version = 2;
        assert_eq!(other.verify(&gateway, |_| true), Err(ProofError::UnknownVersion { found: 2 }));
    }

    #[test]
    fn receipt_is_refused_when_the_gateway_changes_the_claim_and_signs_again() {
        let (mut signed, gateway) = signed();
        signed.receipt.claim.output_tokens *= 10;
        signed.gateway_signature = Keypair::dev("//Gateway").unwrap().sign(&signed.receipt.signing_payload());
        assert_eq!(signed.verify(&gateway, |_| true), Err(ProofError::BadSignature));
    }

    #[test]
    fn receipt_is_refused_when_the_miner_changes_the_fee() {
        let (mut signed, gateway) = signed();
        signed.receipt.fee = MicroUsd(4_000);
        assert_eq!(signed.verify(&gateway, |_| true), Err(ProofError::BadSignature));
    }
}
