// SPDX-License-Identifier: Apache-2.0
//! Writes the first seeds of the corpus: `cargo run -p clawrank-fuzz-targets --example seeds -- fuzz/corpus`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::{env, fs, path::PathBuf};

use clawrank_fuzz_targets::{Extrinsic, RuntimeCall, shield_key};
use clawrank_primitives::{
    proof::{
        AnswerVerdict, Attempt, AttemptStatus, Bundle, Cell, Claim, Commitment, EndpointName, Keypair, ModelName,
        Opening, RECEIPT_VERSION, Receipt, SchemaVerdict, SignalEntry, SignedReceipt, SubnetEpoch, TaskType, merkle,
        salted_hash, ss58,
    },
    units::MicroUsd,
};
use clawrank_timelock::{DevBeacon, WeightsPayload, encrypt};
use codec::Encode;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use sp_runtime::{MultiAddress, MultiSignature, generic::Era};

fn main() {
    let root = PathBuf::from(env::args().nth(1).expect("usage: seeds <corpus folder>"));
    let write = |target: &str, name: &str, data: &[u8]| {
        let dir = root.join(target);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(name), data).unwrap();
    };
    let miner = Keypair::dev("//miner//0").unwrap();
    let gateway = Keypair::dev("//gateway").unwrap();
    let cell = Cell::new("llama-3-8b", "aurora", "math").unwrap();
    let salt = [7; 16];
    let attempts: Vec<Attempt> = (0..5)
        .map(|sequence| Attempt {
            cell: cell.id(),
            sequence,
            task_id: [sequence as u8; 32],
            request_hash: salted_hash(&salt, b"what is 2 + 2?"),
            response_hash: salted_hash(&salt, b"4"),
            start_ms: 1_000_000 + u64::from(sequence) * 500,
            ttft_ms: 120,
            total_ms: 180,
            input_tokens: 9,
            output_tokens: 1,
            status: if sequence == 3 { AttemptStatus::Timeout } else { AttemptStatus::Ok },
            schema: SchemaVerdict::NotChecked,
            answer: AnswerVerdict::Right,
            cost: MicroUsd(3),
        })
        .collect();
    let signal = vec![SignalEntry {
        model: ModelName::new("llama-3-8b").unwrap(),
        task_type: TaskType::new("math").unwrap(),
        endpoints: vec![EndpointName::new("aurora").unwrap()],
    }];
    let subnet = SubnetEpoch { genesis: [1; 32], netuid: 92, mecid: 1, epoch: 7 };
    let mut bundle = Bundle::assemble(miner.public(), subnet, attempts.clone(), vec![cell], signal).unwrap();
    bundle.sign(&miner).unwrap();
    write("bundle", "five-attempts", &bundle.encode());
    write("attempt", "ok", &attempts[0].encode());
    write("attempt", "timeout", &attempts[3].encode());
    let leaves: Vec<_> = attempts.iter().map(Attempt::leaf).collect();
    let opening = Opening {
        index: 2,
        attempt: attempts[2].clone(),
        proof: merkle::prove(&leaves, 2).unwrap(),
        request_salt: salt,
        response_salt: salt,
        request: b"what is 2 + 2?".to_vec(),
        response: b"4".to_vec(),
    };
    write("opening", "third", &opening.encode());
    let commitment = Commitment { epoch: 7, count: 5, root: bundle.header.root };
    write("commitment", "five-attempts", &commitment.to_bytes());
    let claim = Claim {
        request_id: [9; 16],
        miner: miner.public(),
        gateway: gateway.public(),
        model: ModelName::new("llama-3-8b").unwrap(),
        input_tokens: 12,
        output_tokens: 40,
        response_hash: salted_hash(&salt, b"hello"),
        stream: true,
        ok: true,
    };
    let miner_signature = miner.sign(&claim.signing_payload());
    let receipt = Receipt {
        version: RECEIPT_VERSION,
        claim,
        miner_signature,
        payer: [3; 32],
        fee: MicroUsd(520),
        received_ms: 1_700_000_000_000,
        first_byte_ms: 80,
        total_ms: 400,
        recount_tokens: 50,
    };
    let gateway_signature = gateway.sign(&receipt.signing_payload());
    write("receipt", "streamed", &SignedReceipt { receipt, gateway_signature }.encode());
    write("address", "miner", ss58::encode(&miner.public()).as_bytes());

    let payload = WeightsPayload { hotkey: [9; 32], uids: vec![0, 1, 2], values: vec![65_535, 7, 0], version_key: 4 };
    let plaintext = payload.encode();
    let key = DevBeacon::default().public_key();
    let commit = encrypt(&key, 1_000, &plaintext, &mut ChaCha8Rng::seed_from_u64(92)).unwrap();
    let older = (&payload.uids, &payload.values, payload.version_key).encode();
    for (name, bytes) in [("three-weights", commit), ("payload", plaintext), ("payload-older", older)] {
        write("timelock_decrypt", name, &[payload.hotkey.as_slice(), &bytes].concat());
    }

    let hex32 = "11".repeat(32);
    let id = "22".repeat(16);
    let frames = [
        (
            "hello",
            format!(
                r#"{{"type":"hello","version":1,"hotkey":"{}","role":"serve","models":[{{"id":"llama-3-8b","max_concurrency":4,"context_tokens":8192,"price_in_micro_usd_per_mtok":1,"price_out_micro_usd_per_mtok":2}}],"agent":"clawrank/0.1","signature":"{}"}}"#,
                ss58::encode(&miner.public()),
                "33".repeat(64)
            ),
        ),
        (
            "chunk",
            format!(r#"{{"type":"chunk","id":"{id}","seq":0,"data":{{"choices":[{{"delta":{{"content":"hi"}}}}]}}}}"#),
        ),
        ("fail", format!(r#"{{"type":"fail","id":"{id}","code":"busy","message":"full","retryable":true}}"#)),
        ("pong", r#"{"type":"pong","n":4}"#.to_owned()),
        ("open", format!(r#"{{"type":"open","id":"{id}","root":"{hex32}","leaves":[0,3],"deadline_ms":10000}}"#)),
        (
            "request",
            format!(
                r#"{{"type":"request","id":"{id}","model":"llama-3-8b","stream":true,"deadline_ms":60000,"body":{{"messages":[]}}}}"#
            ),
        ),
    ];
    for (name, text) in frames {
        write("frame", name, text.as_bytes());
    }
    write(
        "chat_request",
        "stream",
        br#"{"model":"llama-3-8b","messages":[{"role":"user","content":"hi"}],"stream":true,"max_tokens":5}"#,
    );
    write(
        "chat_request",
        "parts",
        br#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}],"tools":[]}"#,
    );
    write("chat_request", "answer", br#"{"choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":1}}"#);
    write(
        "catalogue",
        "one",
        b"[[endpoint]]\nid = \"a\"\nbase_url = \"http://127.0.0.1:1/v1\"\nmodels = [{ id = \"m\", price_in_micro_usd_per_mtok = 1, price_out_micro_usd_per_mtok = 2, context_tokens = 8192 }]\ntask_types = [\"math\"]\n",
    );
    write(
        "cells",
        "one",
        br#"{"epoch":7,"block":700,"cells":[{"model":"m","endpoint":"a","task_type":"math","replays":32,"ok":30,"checks":30,"passed":29,"p50_ttft_ms":120,"p95_ttft_ms":340}]}"#,
    );
    let words = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
    let key = Keypair::dev("").unwrap();
    let known = ss58::encode(&key.public());
    let plain = format!(r#"{{"secretPhrase":"{words}","ss58Address":"{known}","cryptoType":1}}"#);
    let expanded = key.to_expanded_secret().map(|byte| format!("{byte:02x}")).concat();
    let derived = format!(r#"{{"privateKey":"0x{expanded}"," ss58Address":"{known}","cryptoType":"1"}}"#);
    write("keyfile", "mnemonic", plain.as_bytes());
    write("keyfile", "derived", derived.as_bytes());
    write("keyfile", "bare", words.as_bytes());
    write("keyfile", "public", format!(r#"{{"ss58Address":"{known}","cryptoType":1}}"#).as_bytes());
    let sealed = clawrank_wallet::seal_under(plain.as_bytes(), &clawrank_fuzz_targets::keyfile_key()).unwrap();
    write("keyfile", "nacl", &sealed);

    let remark = frame_system::Call::remark { remark: vec![1; 20] };
    let extension = || {
        (
            frame_system::CheckMortality::from(Era::mortal(8, 5)),
            frame_system::CheckNonce::from(1),
            pallet_shield::CheckShieldedTxValidity::new(),
        )
    };
    let signed = |call: RuntimeCall| {
        let signature = MultiSignature::Sr25519([1; 64].into());
        Extrinsic::new_signed(call, MultiAddress::Id([2; 32].into()), signature, extension()).encode()
    };
    let envelope = |plaintext: &[u8]| clawrank_shield::seal(shield_key().public_key(), plaintext, &[5; 56]).unwrap();
    let plain = signed(remark.into());
    let announcement = Extrinsic::new_bare(pallet_shield::Call::announce_next_key { enc_key: None }.into()).encode();
    let ciphertext = envelope(&plain).try_into().unwrap();
    let carrier = signed(pallet_shield::Call::submit_encrypted { ciphertext }.into());
    for (name, plaintext) in [("signed", &plain), ("inherent", &announcement), ("carrier", &carrier)] {
        write("shield", name, plaintext);
        write("shield", &format!("{name}-sealed"), &envelope(plaintext));
    }

    // Steps on a chain: a timelocked commit of hotkey 1 that opens in the next epoch, then whatever comes.
    let mut steps = vec![2, 0, 1, 0, 0, 3, 0, 2, 3, 4, 0, 1, 0, 2, 0];
    steps.extend([1, 3, 0, 7]);
    write("subtensor", "timelocked", &steps);
    let mut rng = ChaCha8Rng::seed_from_u64(92);
    for number in 0..8 {
        let mut bytes = [0; 1_200];
        rng.fill_bytes(&mut bytes);
        write("subtensor", &format!("random-{number}"), &[&steps, &bytes[..]].concat());
        write("runtime_calls", &format!("random-{number}"), &bytes);
    }
}
