// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use clawrank_runtime::{Runtime, RuntimeCall, TxExtension, UncheckedExtrinsic, unsigned_extension};
use clawrank_shield::{RANDOMNESS_BYTES, seal};
use codec::Encode;
use sp_runtime::{MultiAddress, MultiSignature};

/// A transaction of the fake pool.
#[derive(Debug)]
struct Tx(Arc<OpaqueExtrinsic>, Hash);

impl InPoolTransaction for Tx {
    type Transaction = Arc<OpaqueExtrinsic>;
    type Hash = Hash;

    fn data(&self) -> &Self::Transaction {
        &self.0
    }

    fn hash(&self) -> &Hash {
        &self.1
    }

    fn priority(&self) -> &TransactionPriority {
        &0
    }

    fn longevity(&self) -> &TransactionLongevity {
        &0
    }

    fn requires(&self) -> &[TransactionTag] {
        &[]
    }

    fn provides(&self) -> &[TransactionTag] {
        &[]
    }

    fn is_propagable(&self) -> bool {
        true
    }
}

/// A pool of these extrinsics, which notes what is reported.
struct Pool(VecDeque<OpaqueExtrinsic>, Arc<Mutex<Vec<OpaqueExtrinsic>>>);

impl Iterator for Pool {
    type Item = Arc<Tx>;

    fn next(&mut self) -> Option<Arc<Tx>> {
        let extrinsic = self.0.pop_front()?;
        let hash = BlakeTwo256::hash_of(&extrinsic);
        Some(Arc::new(Tx(Arc::new(extrinsic), hash)))
    }
}

impl ReadyTransactions for Pool {
    fn report_invalid(&mut self, tx: &Arc<Tx>) {
        self.1.lock().unwrap().push((*tx.0).clone());
    }
}

/// A node with one announced key, and what its pool was told.
struct Author {
    shield: Arc<Shield>,
    public: pallet_shield::PublicKey,
    reported: Arc<Mutex<Vec<OpaqueExtrinsic>>>,
}

impl Author {
    fn new() -> Self {
        let keys = Arc::new(Keyring::default());
        let public = keys.announce().unwrap();
        Self { shield: Arc::new(Shield::new(keys)), public, reported: Arc::default() }
    }

    fn offers(&self, pool: &[&OpaqueExtrinsic]) -> Offers<Tx> {
        let pool = Pool(pool.iter().map(|xt| (*xt).clone()).collect(), self.reported.clone());
        Offers::new(Box::new(pool), self.shield.clone())
    }

    /// Everything that is offered when every offer gets into the block.
    fn block(&self, pool: &[&OpaqueExtrinsic]) -> Vec<OpaqueExtrinsic> {
        self.offers(pool).map(|offer| (**offer.data()).clone()).collect()
    }

    /// A carrier of these bytes.
    fn carrier(&self, plaintext: &[u8]) -> OpaqueExtrinsic {
        let public = self.public.as_slice().try_into().unwrap();
        let ciphertext = seal(public, plaintext, &[3; RANDOMNESS_BYTES]).unwrap().try_into().unwrap();
        signed(pallet_shield::Call::submit_encrypted { ciphertext })
    }
}

fn opaque(extrinsic: &UncheckedExtrinsic) -> OpaqueExtrinsic {
    OpaqueExtrinsic::try_from_encoded_extrinsic(&extrinsic.encode()).unwrap()
}

/// A call with a signature that nobody checks here.
fn signed(call: impl Into<RuntimeCall>) -> OpaqueExtrinsic {
    let extension: TxExtension = unsigned_extension();
    let signature = MultiSignature::Sr25519([1; 64].into());
    opaque(&UncheckedExtrinsic::new_signed(call.into(), MultiAddress::Id([2; 32].into()), signature, extension))
}

fn remark(byte: u8) -> OpaqueExtrinsic {
    signed(frame_system::Call::<Runtime>::remark { remark: vec![byte; 2_000] })
}

#[test]
fn extrinsic_follows_its_carrier_when_the_carrier_is_in_the_block() {
    let author = Author::new();
    let (inner, before, after) = (remark(1), remark(2), remark(3));
    let carrier = author.carrier(&inner.encode());
    assert_eq!(author.block(&[&before, &carrier, &after]), [before, carrier, inner, after]);
    assert!(author.reported.lock().unwrap().is_empty());
}

#[test]
fn nothing_follows_when_the_carrier_does_not_get_into_the_block() {
    let author = Author::new();
    let (carrier, after) = (author.carrier(&remark(1).encode()), remark(3));
    let mut offers = author.offers(&[&carrier, &after]);
    let offer = offers.next().unwrap();
    offers.report_invalid(&offer);
    assert_eq!(**offers.next().unwrap().data(), after);
    assert_eq!(*author.reported.lock().unwrap(), [carrier]);
    drop(offers);
    assert!(author.block(&[]).is_empty());
}

#[test]
fn carrier_stays_in_the_pool_when_another_node_has_its_key() {
    let (alice, bob) = (Author::new(), Author::new());
    let (carrier, after) = (bob.carrier(&remark(1).encode()), remark(2));
    assert_eq!(alice.block(&[&carrier, &after]), [after]);
    assert_eq!(
        *alice.reported.lock().unwrap(),
        std::slice::from_ref(&carrier),
        "what depends on it is not offered either"
    );
    assert_eq!(bob.block(&[&carrier]), [carrier, remark(1)]);
}

#[test]
fn carrier_is_alone_when_there_is_nothing_to_execute_inside() {
    let author = Author::new();
    let inherent = RuntimeCall::from(pallet_timestamp::Call::set { now: 1 });
    let announcement = RuntimeCall::from(pallet_shield::Call::announce_next_key { enc_key: None });
    let plaintexts = [
        vec![7; 40],
        vec![0],
        remark(1).encode()[..900].to_vec(),
        UncheckedExtrinsic::new_bare(inherent).encode(),
        UncheckedExtrinsic::new_bare(announcement.clone()).encode(),
        UncheckedExtrinsic::new_transaction(announcement, unsigned_extension()).encode(),
        author.carrier(&remark(1).encode()).encode(),
    ];
    for plaintext in plaintexts {
        let (carrier, after) = (author.carrier(&plaintext), remark(2));
        assert_eq!(author.block(&[&carrier, &after]), [carrier, after]);
    }
    assert!(author.block(&[]).is_empty(), "nothing waits for the next block");
}

#[test]
fn extrinsic_comes_first_in_the_next_block_when_time_was_over() {
    let author = Author::new();
    let (inner, other) = (remark(1), remark(2));
    let carrier = author.carrier(&inner.encode());
    let mut offers = author.offers(&[&carrier, &other]);
    assert_eq!(**offers.next().unwrap().data(), carrier);
    assert_eq!(**offers.next().unwrap().data(), inner);
    drop(offers);
    assert_eq!(author.block(&[&other]), [inner, other.clone()]);
    assert_eq!(author.block(&[&other]), [other], "it was executed");
}

#[test]
fn extrinsic_is_offered_twice_when_it_is_refused() {
    let author = Author::new();
    let (inner, other) = (remark(1), remark(2));
    let carrier = author.carrier(&inner.encode());
    let refuse = |pool: &[&OpaqueExtrinsic]| {
        let mut offers = author.offers(pool);
        let mut seen = 0;
        while let Some(offer) = offers.next() {
            if **offer.data() == inner {
                offers.report_invalid(&offer);
                seen += 1;
            }
        }
        seen
    };
    assert_eq!(refuse(&[&carrier, &other]), 1, "behind its carrier");
    assert_eq!(refuse(&[&other]), 1, "in the next block, which may have had more room");
    assert_eq!(refuse(&[&other]), 0, "and no more");
    assert!(author.reported.lock().unwrap().is_empty(), "the pool never had it");
}

#[test]
fn extrinsics_wait_in_bounded_number_when_many_found_no_room() {
    let author = Author::new();
    for byte in 0..=u8::try_from(MAX_HELD).unwrap() {
        author.shield.hold(Inner::new(remark(byte)));
    }
    let held = author.block(&[]);
    assert_eq!(held.len(), MAX_HELD);
    assert_eq!(held[0], remark(1), "the oldest is gone");
}
