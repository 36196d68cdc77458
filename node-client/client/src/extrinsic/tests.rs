// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::testing::{account, golden, own_chain, own_chain_as_of, public_chain, sdk_values, unhex};

fn envelope(golden: &serde_json::Value, case: &serde_json::Value) -> Envelope {
    let genesis: Hash = unhex(&golden["network"]["genesis_hash"]).try_into().unwrap();
    let era = case["era"]
        .as_object()
        .map(|era| Era { period: era["period"].as_u64().unwrap(), birth: era["current"].as_u64().unwrap() });
    let era_hash = case.get("era_birth_block_hash").map_or(genesis, |hash| unhex(hash).try_into().unwrap());
    Envelope { nonce: case["nonce"].as_u64().unwrap(), era, era_hash, genesis }
}

/// The golden values with each runtime that is at hand: ours always, the public chain's with all that the fixture has.
fn runtimes_and_values() -> Vec<(Runtime, serde_json::Value)> {
    let own = sdk_values();
    let own = own_chain_as_of(&own).map(|runtime| (runtime, own));
    own.into_iter().chain(public_chain().zip(golden())).collect()
}

#[test]
fn signature_payload_equals_the_sdks_when_mortal_or_immortal() {
    for (runtime, golden) in runtimes_and_values() {
        let cases = golden["signature_payloads"].as_array().unwrap();
        assert_eq!(cases.len(), 2);
        for case in cases {
            let payload = payload(&runtime, &unhex(&case["call_data_hex"]), &envelope(&golden, case)).unwrap();
            assert_eq!(hex::encode(payload), hex::encode(unhex(&case["payload_hex"])));
        }
    }
}

#[test]
fn extrinsic_equals_the_sdks_when_the_signature_is_given() {
    for (runtime, golden) in runtimes_and_values() {
        let cases = golden["extrinsics"].as_array().unwrap();
        assert_eq!(cases.len(), 2);
        for case in cases {
            let public: [u8; 32] = unhex(&case["public_key_hex"]).try_into().unwrap();
            let signature: [u8; 64] = unhex(&case["signature_hex"]).try_into().unwrap();
            let call = unhex(&case["call_data_hex"]);
            let bytes = assemble(&runtime, &call, &envelope(&golden, case), &public, &signature).unwrap();
            assert_eq!(hex::encode(&bytes), hex::encode(unhex(&case["extrinsic_hex"])));
            assert_eq!(blake2_256(&bytes).to_vec(), unhex(&case["extrinsic_hash"]));
        }
    }
}

#[test]
fn payload_is_what_was_signed_when_a_chain_has_accepted_the_extrinsic() {
    for (runtime, golden) in runtimes_and_values() {
        let block = &golden["block"];
        let (raw, decoded) = (&block["raw"]["block"]["extrinsics"][2], &block["decoded_extrinsics"][2]);
        let bytes = unhex(raw);
        assert_eq!(blake2_256(&bytes).to_vec(), unhex(&decoded["extrinsic_hash"]));
        let genesis: Hash = unhex(&golden["network"]["genesis_hash"]).try_into().unwrap();
        let envelope = Envelope { nonce: decoded["nonce"].as_u64().unwrap(), era: None, era_hash: genesis, genesis };
        let public: [u8; 32] = account(decoded["address"].as_str().unwrap());
        let signature: [u8; 64] = unhex(&decoded["signature"]["Sr25519"]).try_into().unwrap();
        // Two bytes of length, four of version, address and signature kinds around key and signature, four of extensions.
        let call = &bytes[2 + 1 + 1 + 32 + 1 + 64 + 4..];
        assert_eq!(assemble(&runtime, call, &envelope, &public, &signature).unwrap(), bytes);
        let payload = payload(&runtime, call, &envelope).unwrap();
        clawrank_proof::verify(&public, &payload, &signature).unwrap();
    }
}

#[test]
fn extrinsic_ends_with_the_golden_call_when_the_era_is_the_sdks() {
    let (Some(runtime), Some(golden)) = (public_chain(), golden()) else { return };
    let call = unhex(&golden["calls"][5]["data_hex"]);
    let genesis: Hash = unhex(&golden["network"]["genesis_hash"]).try_into().unwrap();
    let era = Era { period: 128, birth: 300 };
    let envelope = Envelope { nonce: 64, era: Some(era), era_hash: [9; 32], genesis };
    let payload = payload(&runtime, &call, &envelope).unwrap();
    // Era, nonce, tip, mode of the metadata hash; versions, genesis, birth of the era, no metadata hash.
    let extra = ["c602", "0101", "00", "00"].concat();
    let additional = format!("cd01000001000000{}{}00", hex::encode(genesis), "09".repeat(32));
    assert_eq!(hex::encode(payload), hex::encode(&call) + &extra + &additional);
}

#[test]
fn payload_is_hashed_when_longer_than_256_bytes() {
    let Some(runtime) = public_chain() else { return };
    let envelope = Envelope { nonce: 0, era: None, era_hash: [1; 32], genesis: [1; 32] };
    assert_eq!(payload(&runtime, &[0; 300], &envelope).unwrap().len(), 32);
    assert!(payload(&runtime, &[0; 10], &envelope).unwrap().len() > 32);
}

#[test]
fn signature_verifies_when_made_for_our_own_chain() {
    let Some(runtime) = own_chain() else { return };
    let signer = Keypair::dev("//Alice").unwrap();
    let era = Era { period: 64, birth: 1_000 };
    let envelope = Envelope { nonce: 5, era: Some(era), era_hash: [2; 32], genesis: [1; 32] };
    let (bytes, hash) = sign(&runtime, &signer, &[0, 0, 0], &envelope).unwrap();
    assert_eq!(hash, blake2_256(&bytes));
    assert!(bytes.ends_with(&[0, 0, 0]));
    assert!(bytes.windows(32).any(|window| window == signer.public()));
}

#[test]
fn era_ends_with_its_period_when_counted_from_birth() {
    let era = Era { period: 64, birth: 66 };
    assert_eq!(era.last_block(), 129);
    let mut bytes = Vec::new();
    era.encode_to(&mut bytes);
    assert_eq!(bytes, [0x25, 0x00]);
    let mut bytes = Vec::new();
    Era { period: 4_096, birth: 4_095 }.encode_to(&mut bytes);
    assert_eq!(bytes, [0xfb, 0xff]);
}
