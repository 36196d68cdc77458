// SPDX-License-Identifier: Apache-2.0

use super::mock::*;
use crate::*;
use clawrank_shield::{KEM_BYTES, OVERHEAD_BYTES};
use codec::Encode;
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo, pallet_prelude::TransactionSource};
use frame_system::RawOrigin;
use sp_runtime::{
    DispatchError,
    traits::{BlakeTwo256, Hash, TransactionExtension, TxBaseImplication},
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};

/// Bytes with the layout of an envelope, `inner` of them encrypted.
pub(super) fn envelope(inner: usize) -> Vec<u8> {
    let mut bytes = vec![5; OVERHEAD_BYTES + inner];
    bytes[16..18].copy_from_slice(&u16::try_from(KEM_BYTES).unwrap().to_le_bytes());
    bytes
}

fn check(call: RuntimeCall) -> Result<(), TransactionValidityError> {
    let (info, origin) = (call.get_dispatch_info(), RawOrigin::Signed(1).into());
    let implication = TxBaseImplication(());
    CheckShieldedTxValidity::<Test>::new()
        .validate(origin, &call, &info, 0, (), &implication, TransactionSource::External)
        .map(drop)
}

fn carrier(bytes: Vec<u8>) -> RuntimeCall {
    Call::<Test>::submit_encrypted { ciphertext: bytes.try_into().unwrap() }.into()
}

#[test]
fn envelope_is_announced_under_the_hash_of_sender_and_bytes_when_submitted() {
    build_and_execute(|| {
        let ciphertext: Ciphertext = envelope(7).try_into().unwrap();
        assert_ok!(MevShield::submit_encrypted(RawOrigin::Signed(9).into(), ciphertext.clone()));
        let id = BlakeTwo256::hash(&(9u64, ciphertext).encode());
        System::assert_last_event(Event::EncryptedSubmitted { id, who: 9 }.into());
    });
}

#[test]
fn envelope_is_refused_when_nobody_signs_for_it() {
    build_and_execute(|| {
        for origin in [RawOrigin::None, RawOrigin::Root] {
            let ciphertext = envelope(7).try_into().unwrap();
            assert_noop!(MevShield::submit_encrypted(origin.into(), ciphertext), DispatchError::BadOrigin);
        }
    });
}

#[test]
fn carrier_passes_when_its_envelope_has_the_layout() {
    build_and_execute(|| {
        for inner in [1, 300, MAX_CIPHERTEXT_BYTES - OVERHEAD_BYTES] {
            assert_ok!(check(carrier(envelope(inner))));
        }
        assert_ok!(check(frame_system::Call::remark { remark: vec![1] }.into()));
    });
}

#[test]
fn carrier_is_refused_when_its_envelope_has_not_the_layout() {
    build_and_execute(|| {
        let mut short_kem = envelope(9);
        short_kem[16] ^= 1;
        for bytes in [vec![], vec![1; 5], envelope(0), short_kem, vec![0; MAX_CIPHERTEXT_BYTES]] {
            let refused = InvalidTransaction::Custom(FAILED_SHIELDED_TX_PARSING);
            assert_eq!(check(carrier(bytes)), Err(refused.into()));
        }
    });
}

#[test]
fn envelope_cannot_be_decoded_when_it_is_above_the_bound() {
    let mut bytes = vec![30, 1];
    vec![5u8; MAX_CIPHERTEXT_BYTES + 1].encode_to(&mut bytes);
    assert!(<RuntimeCall as codec::Decode>::decode(&mut bytes.as_slice()).is_err());
    let mut bytes = vec![30, 1];
    vec![5u8; MAX_CIPHERTEXT_BYTES].encode_to(&mut bytes);
    assert!(<RuntimeCall as codec::Decode>::decode(&mut bytes.as_slice()).is_ok());
}
