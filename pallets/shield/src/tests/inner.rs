// SPDX-License-Identifier: Apache-2.0

use super::{mock::*, submission::envelope};
use crate::*;
use clawrank_shield::MAX_PLAINTEXT_BYTES;
use codec::Encode;
use sp_runtime::testing::UintAuthorityId;

fn extension() -> Extension {
    (frame_system::CheckNonce::from(4), CheckShieldedTxValidity::new())
}

fn signed(call: impl Into<RuntimeCall>) -> Extrinsic {
    Extrinsic::new_signed(call.into(), 7, UintAuthorityId(7), extension())
}

fn remark(len: usize) -> frame_system::Call<Test> {
    frame_system::Call::remark { remark: vec![1; len] }
}

fn read(plaintext: &[u8]) -> Result<Extrinsic, InnerError> {
    read_inner::<Test, _, _, _>(plaintext)
}

fn carrier() -> Call<Test> {
    Call::submit_encrypted { ciphertext: envelope(9).try_into().unwrap() }
}

#[test]
fn plaintext_is_executed_when_it_is_a_signed_extrinsic() {
    for len in [0, 1, 1_000] {
        let extrinsic = signed(remark(len));
        assert_eq!(read(&extrinsic.encode()).map(|read| read.encode()), Ok(extrinsic.encode()));
    }
}

#[test]
fn plaintext_is_refused_when_it_is_garbage() {
    let good = signed(remark(9)).encode();
    assert_eq!(read(&[]).unwrap_err(), InnerError::Undecodable);
    for len in 0..good.len() {
        assert_eq!(read(&good[..len]).unwrap_err(), InnerError::Undecodable, "cut to {len}");
    }
    assert_eq!(read(&[good, vec![0]].concat()).unwrap_err(), InnerError::Undecodable, "bytes behind it");
    for byte in [0, 1, 0x84, 0xff] {
        assert_eq!(read(&[byte; 700]).unwrap_err(), InnerError::Undecodable, "{byte}");
    }
}

#[test]
fn plaintext_is_refused_when_it_is_longer_than_an_envelope_takes() {
    let overhead = signed(remark(MAX_PLAINTEXT_BYTES)).encode().len() - MAX_PLAINTEXT_BYTES;
    let most = MAX_PLAINTEXT_BYTES - overhead;
    assert!(read(&signed(remark(most)).encode()).is_ok());
    assert_eq!(read(&signed(remark(most + 1)).encode()).unwrap_err(), InnerError::Undecodable);
}

#[test]
fn plaintext_is_refused_when_it_is_an_inherent_or_signs_itself() {
    let announcement = Call::<Test>::announce_next_key { enc_key: Some(key(1)) };
    let bare = Extrinsic::new_bare(announcement.clone().into());
    assert_eq!(read(&bare.encode()).unwrap_err(), InnerError::NotSigned);
    let general = Extrinsic::new_transaction(announcement.into(), extension());
    assert_eq!(read(&general.encode()).unwrap_err(), InnerError::NotSigned);
}

#[test]
fn plaintext_is_refused_when_it_is_a_carrier() {
    assert_eq!(read(&signed(carrier()).encode()).unwrap_err(), InnerError::Carrier);
}

#[test]
fn extrinsic_is_a_carrier_when_it_is_signed_and_submits_an_envelope() {
    let of = |extrinsic: &Extrinsic| carried::<Test, _, _, _>(extrinsic).map(<[u8]>::to_vec);
    assert_eq!(of(&signed(carrier())), Some(envelope(9)));
    assert_eq!(of(&signed(remark(9))), None);
    assert_eq!(of(&Extrinsic::new_bare(carrier().into())), None);
}
