// SPDX-License-Identifier: Apache-2.0
//! Extrinsics that are encrypted to the author: executed by the real node, refused by the real Wasm when they are wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_runtime::{
    AccountId, CheckMortality, CheckNonce, Runtime, RuntimeCall, Signature, SignedPayload, TxExtension,
    UncheckedExtrinsic, VERSION,
};
use clawrank_runtime_tests::{
    chain::{Chain, Keys, Options, extensions, keys},
    node::Node,
};
use clawrank_shield::{PUBLIC_KEY_BYTES, RANDOMNESS_BYTES, SEED_BYTES, SecretKey, seal};
use codec::{Decode, Encode};
use pallet_shield::FAILED_SHIELDED_TX_PARSING;
use serde_json::{Value, json};
use sp_core::{H256, Pair};
use sp_runtime::{
    MultiAddress,
    generic::Era,
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};
use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

const MINUTE: Duration = Duration::from_secs(60);
/// Holds TAO in every preset.
const SIGNER: &str = "//Alice";

/// Nodes of one test at a time: each compiles its Wasm on every core there is.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remark(text: &[u8]) -> RuntimeCall {
    frame_system::Call::remark { remark: text.to_vec() }.into()
}

/// Where a transaction is signed: its era begins here.
#[derive(Clone, Copy)]
struct At {
    number: u64,
    hash: H256,
    genesis: H256,
}

impl At {
    fn extrinsic(self, keys: &Keys, call: impl Into<RuntimeCall>, nonce: u32, era: Era) -> UncheckedExtrinsic {
        let mut all: TxExtension = extensions(nonce);
        all.4 = CheckMortality::from(era);
        all.5 = CheckNonce::from(nonce);
        let birth = if era.is_immortal() { self.genesis } else { self.hash };
        let (spec, transaction) = (VERSION.spec_version, VERSION.transaction_version);
        let implicit = ((), spec, transaction, self.genesis, birth, (), (), (), (), (), (), None);
        let payload = SignedPayload::from_raw(call.into(), all, implicit);
        let signature = payload.using_encoded(|bytes| keys.sign(bytes));
        let (call, all, _) = payload.deconstruct();
        let who = MultiAddress::Id(AccountId::from(keys.public()));
        UncheckedExtrinsic::new_signed(call, who, Signature::Sr25519(signature), all)
    }

    fn short(self, keys: &Keys, call: impl Into<RuntimeCall>, nonce: u32) -> UncheckedExtrinsic {
        self.extrinsic(keys, call, nonce, Era::mortal(8, self.number))
    }

    /// A carrier of `plaintext` to `key`, and its bytes as they lie in a block.
    fn carrier(self, key: &[u8; PUBLIC_KEY_BYTES], plaintext: &[u8], nonce: u32) -> UncheckedExtrinsic {
        let ciphertext = seal(key, plaintext, &[7; RANDOMNESS_BYTES]).unwrap();
        self.short(&keys(SIGNER), submit(ciphertext), nonce)
    }
}

fn submit(ciphertext: Vec<u8>) -> pallet_shield::Call<Runtime> {
    pallet_shield::Call::submit_encrypted { ciphertext: ciphertext.try_into().unwrap() }
}

fn stranger() -> SecretKey {
    SecretKey::from_seed(&[1; SEED_BYTES])
}

fn hex(xt: &UncheckedExtrinsic) -> String {
    format!("0x{}", hex::encode(xt.encode()))
}

/// What a test asks a node.
trait Shielded {
    fn now(&self) -> At;
    fn next_key(&self) -> Option<[u8; PUBLIC_KEY_BYTES]>;
    fn nonce(&self) -> u32;
    fn seal_block(&self) -> Vec<String>;
    fn submit(&self, xt: &UncheckedExtrinsic) -> Result<Value, String>;
}

impl Shielded for Node {
    fn now(&self) -> At {
        let hash = |number: u64| -> H256 {
            serde_json::from_value(self.rpc("chain_getBlockHash", json!([number])).unwrap()).unwrap()
        };
        let number = self.best().unwrap();
        At { number, hash: hash(number), genesis: hash(0) }
    }

    fn next_key(&self) -> Option<[u8; PUBLIC_KEY_BYTES]> {
        let key = format!("0x{}", hex::encode(pallet_shield::NextKey::<Runtime>::hashed_key()));
        let value = self.rpc("state_getStorage", json!([key])).unwrap();
        let bytes = hex::decode(value.as_str()?.trim_start_matches("0x")).unwrap();
        let key = pallet_shield::PublicKey::decode(&mut bytes.as_slice()).unwrap();
        Some(key.as_slice().try_into().unwrap())
    }

    /// The signer's nonce, without what waits in the pool.
    fn nonce(&self) -> u32 {
        let who = keys(SIGNER).public();
        let asked = json!(["AccountNonceApi_account_nonce", format!("0x{}", hex::encode(who.0))]);
        let answer = self.rpc("state_call", asked).unwrap();
        let bytes = hex::decode(answer.as_str().unwrap().trim_start_matches("0x")).unwrap();
        u32::decode(&mut bytes.as_slice()).unwrap()
    }

    /// Makes a block; its extrinsics less the inherents.
    fn seal_block(&self) -> Vec<String> {
        let made = self.rpc("engine_createBlock", json!([true, true, null])).unwrap();
        let block = self.rpc("chain_getBlock", json!([made["hash"]])).unwrap();
        let all: Vec<String> = serde_json::from_value(block["block"]["extrinsics"].clone()).unwrap();
        assert!(all.len() >= 2, "timestamp and announcement");
        all[2..].to_vec()
    }

    fn submit(&self, xt: &UncheckedExtrinsic) -> Result<Value, String> {
        self.rpc("author_submitExtrinsic", json!([hex(xt)]))
    }
}

/// A node that makes blocks when told, with a key to encrypt to.
fn manual() -> Node {
    let mut node = Node::start(&["--chain", "fast", "--alice", "--no-beacon", "--sealing", "manual"]);
    node.wait("RPC", MINUTE, Node::peer_id);
    assert_eq!(node.next_key(), None, "no author announced one yet");
    node.seal_block();
    node.seal_block();
    node
}

#[test]
fn extrinsic_is_executed_right_behind_its_carrier_when_the_author_has_the_key() {
    let _alone = alone();
    let node = manual();
    let (at, key, nonce) = (node.now(), node.next_key().unwrap(), node.nonce());
    let inner = at.short(&keys(SIGNER), remark(b"secret"), nonce + 1);
    let carrier = at.carrier(&key, &inner.encode(), nonce);
    node.submit(&carrier).unwrap();
    let pending = node.rpc("author_pendingExtrinsics", json!([])).unwrap();
    assert_eq!(pending, json!([hex(&carrier)]), "the pool has the carrier alone");
    assert_eq!(node.seal_block(), [hex(&carrier), hex(&inner)]);
    assert_eq!(node.nonce(), nonce + 2);

    for replayed in [&carrier, &inner] {
        assert!(node.submit(replayed).is_err(), "it cannot be replayed");
    }
    let again = node.now().carrier(&key, &inner.encode(), nonce + 2);
    node.submit(&again).unwrap();
    assert_eq!(node.seal_block(), [hex(&again)], "the same plaintext is not executed twice");
    assert!(node.seal_block().is_empty());
    assert_eq!(node.nonce(), nonce + 3);
}

#[test]
fn carrier_is_executed_when_its_key_was_announced_as_many_blocks_before_as_its_era_has() {
    let _alone = alone();
    let node = manual();
    let (key, nonce) = (node.next_key().unwrap(), node.nonce());
    // A client that is slow to sign, and a carrier that is slow to come.
    for _ in 0..40 {
        node.seal_block();
    }
    let at = node.now();
    let inner = at.short(&keys(SIGNER), remark(b"late"), nonce + 1);
    let carrier = at.carrier(&key, &inner.encode(), nonce);
    for _ in 0..6 {
        node.seal_block();
    }
    node.submit(&carrier).unwrap();
    assert_eq!(node.seal_block(), [hex(&carrier), hex(&inner)]);
}

#[test]
fn carrier_costs_nothing_and_goes_when_nobody_has_its_key() {
    let _alone = alone();
    let node = manual();
    let (at, nonce) = (node.now(), node.nonce());
    let inner = at.short(&keys(SIGNER), remark(b"lost"), nonce + 1);
    let lost = at.carrier(stranger().public_key(), &inner.encode(), nonce);
    node.submit(&lost).unwrap();
    assert!(node.seal_block().is_empty());
    assert_eq!(node.nonce(), nonce, "nobody paid");
    for _ in 0..9 {
        assert!(node.seal_block().is_empty());
    }
    let pending = node.rpc("author_pendingExtrinsics", json!([])).unwrap();
    assert_eq!(pending, json!([]), "its era is over");

    let honest = node.now().short(&keys(SIGNER), remark(b"open"), nonce);
    node.submit(&honest).unwrap();
    assert_eq!(node.seal_block(), [hex(&honest)], "the nonce is free again");
}

#[test]
fn carrier_is_alone_and_blocks_go_on_when_what_is_inside_is_hostile() {
    let _alone = alone();
    let node = manual();
    let signer = keys(SIGNER);
    let mut tried = 0;
    for attack in 0.. {
        let (at, key, nonce) = (node.now(), node.next_key().unwrap(), node.nonce());
        let good = at.short(&signer, remark(b"good"), nonce + 1).encode();
        let bare = |call: RuntimeCall| UncheckedExtrinsic::new_bare(call).encode();
        let plaintext = match attack {
            0 => vec![0xff; 300],
            1 => good[..good.len() - 1].to_vec(),
            2 => [good.clone(), vec![0]].concat(),
            3 => {
                let mut forged = good.clone();
                forged[60] ^= 1;
                forged
            }
            4 => at.short(&signer, remark(b"old"), nonce.saturating_sub(1)).encode(),
            5 => at.short(&signer, remark(b"ahead"), nonce + 5).encode(),
            6 => at.short(&keys("//nobody"), remark(b"poor"), 0).encode(),
            7 => bare(pallet_timestamp::Call::set { now: u64::MAX }.into()),
            8 => bare(pallet_shield::Call::announce_next_key { enc_key: None }.into()),
            9 => at.carrier(&key, &good, nonce + 1).encode(),
            _ => break,
        };
        let carrier = at.carrier(&key, &plaintext, nonce);
        node.submit(&carrier).unwrap();
        assert_eq!(node.seal_block(), [hex(&carrier)], "attack {attack}");
        assert_eq!(node.nonce(), nonce + 1, "attack {attack}");
        assert!(node.next_key().is_some_and(|next| next != key), "the keys move on after attack {attack}");
        tried += 1;
    }
    assert_eq!(tried, 10);
    let best = node.best();
    assert!(node.seal_block().is_empty());
    assert!(node.best() > best);
}

#[test]
fn carrier_opens_nothing_when_its_ciphertext_is_forged_under_the_right_name() {
    let _alone = alone();
    let node = manual();
    let (at, key, nonce) = (node.now(), node.next_key().unwrap(), node.nonce());
    let inner = at.short(&keys(SIGNER), remark(b"forged"), nonce + 1);
    let mut ciphertext = seal(&key, &inner.encode(), &[7; RANDOMNESS_BYTES]).unwrap();
    ciphertext[500] ^= 1;
    let carrier = at.short(&keys(SIGNER), submit(ciphertext), nonce);
    node.submit(&carrier).unwrap();
    assert_eq!(node.seal_block(), [hex(&carrier)]);
}

#[test]
fn carriers_are_executed_when_two_authorities_take_turns() {
    let _alone = alone();
    let (mut alice, mut bob) = Node::two_authorities(1_000);
    bob.wait("a chain of both", 2 * MINUTE, |node| node.finalized().filter(|finalized| *finalized >= 2));

    // Two in succession to each of the two keys, through one node: whoever has the key executes it in its turn.
    let mut authors = BTreeSet::new();
    let mut last = None;
    for _ in 0..60 {
        let (at, nonce) = (alice.now(), alice.nonce());
        let Some(key) = alice.next_key().filter(|key| Some(*key) != last) else {
            std::thread::sleep(Duration::from_millis(100));
            continue;
        };
        last = Some(key);
        let inner = at.short(&keys(SIGNER), remark(b"turn"), nonce + 1);
        // On a loaded machine the era may be over by now; then the next key is taken.
        if alice.submit(&at.carrier(&key, &inner.encode(), nonce)).is_err() {
            continue;
        }
        let end = at.number + 9;
        let (both, _) = alice.wait("the end of an era", MINUTE, |node| {
            let both = node.nonce() == nonce + 2;
            (both || node.best()? > end).then_some(both)
        });
        if both {
            authors.insert(at.number % 2);
        }
        if authors.len() == 2 {
            return;
        }
    }
    panic!("only carriers of slots {authors:?} were executed");
}

/// What the pool says to a carrier.
fn offer(chain: &mut Chain, ciphertext: Vec<u8>, era: Era) -> Result<(), TransactionValidityError> {
    let genesis = chain.read(|| frame_system::Pallet::<Runtime>::block_hash(0));
    let at = At { number: chain.number().into(), hash: chain.head().hash(), genesis };
    let carrier = at.extrinsic(&keys(SIGNER), submit(ciphertext), 0, era);
    chain.validate(&carrier.encode()).unwrap().map(drop)
}

#[test]
fn carrier_is_refused_when_its_era_is_above_eight_blocks() {
    let mut chain = Chain::with_options(&Options::default());
    chain.run_to(3);
    let good = seal(stranger().public_key(), b"x", &[7; RANDOMNESS_BYTES]).unwrap();
    let number = chain.number().into();
    for period in [4, 8] {
        assert_eq!(offer(&mut chain, good.clone(), Era::mortal(period, number)), Ok(()), "{period} blocks");
    }
    for era in [Era::mortal(16, number), Era::mortal(128, number), Era::Immortal] {
        assert_eq!(offer(&mut chain, good.clone(), era), Err(InvalidTransaction::Stale.into()), "{era:?}");
    }
}

#[test]
fn carrier_is_refused_when_its_ciphertext_is_too_short_or_malformed() {
    let mut chain = Chain::with_options(&Options::default());
    chain.run_to(3);
    let good = seal(stranger().public_key(), b"x", &[7; RANDOMNESS_BYTES]).unwrap();
    let era = Era::mortal(8, chain.number().into());
    let mut other_length = good.clone();
    other_length[16] ^= 1;
    for bytes in [vec![], vec![0; 5], good[..good.len() - 1].to_vec(), other_length] {
        let refused = InvalidTransaction::Custom(FAILED_SHIELDED_TX_PARSING);
        assert_eq!(offer(&mut chain, bytes, era), Err(refused.into()));
    }
}

#[test]
fn announcement_is_refused_when_a_stranger_sends_one() {
    let mut chain = Chain::with_options(&Options::default());
    chain.run_to(3);
    let key = stranger().public_key().to_vec().try_into().unwrap();
    let call = pallet_shield::Call::announce_next_key { enc_key: Some(key) };
    let bare = UncheckedExtrinsic::new_bare(call.clone().into()).encode();
    assert!(chain.validate(&bare).unwrap().is_err(), "bare");
    let signed = chain.sign(&keys(SIGNER), call).encode();
    assert!(chain.validate(&signed).unwrap().is_err(), "signed");
}
