// SPDX-License-Identifier: Apache-2.0

//! Which pulses are stored, which are refused, and what goes in their place.

use super::mock::*;
use crate::*;
use clawrank_timelock::{DEV_BEACON, DevBeacon, PulseSource};
use codec::{Decode, Encode};
use frame_support::{
    assert_noop,
    dispatch::{DispatchClass, GetDispatchInfo, Pays},
    pallet_prelude::{InvalidTransaction, TransactionValidityError},
};
use sp_runtime::{DispatchError, traits::BadOrigin};

fn refused(reason: InvalidTransaction) -> TransactionValidityError {
    TransactionValidityError::Invalid(reason)
}

/// Refused by the pool and by the block, and nothing changed.
#[track_caller]
fn assert_refused(pulses: Vec<Pulse>, reason: InvalidTransaction) {
    let before = (stored(), bounds());
    assert_eq!(offer(pulses.clone()).unwrap_err(), refused(reason));
    assert_eq!(apply(pulses).unwrap_err(), refused(reason));
    assert_eq!(before, (stored(), bounds()));
}

#[test]
fn pulse_is_stored_when_the_beacon_signed_it() {
    build_and_execute(|| {
        offer(pulses([NOW])).unwrap();
        assert_eq!(apply(pulses([NOW])), Ok(Ok(())));
        assert_eq!(Pulses::<Test>::get(NOW), Some(pulse(NOW)));
        assert_eq!(bounds(), (NOW, NOW));
        System::assert_last_event(Event::NewPulse { rounds: vec![NOW] }.into());
    });
}

#[test]
fn source_answers_when_the_round_is_stored() {
    build_and_execute(|| {
        assert_eq!(<Drand as PulseSource>::last_stored_round(), 0);
        store([NOW]);
        assert_eq!(<Drand as PulseSource>::last_stored_round(), NOW);
        assert_eq!(<Drand as PulseSource>::signature(NOW), Some(DevBeacon::default().sign(NOW)));
        assert_eq!(<Drand as PulseSource>::signature(NOW - 1), None);
    });
}

#[test]
fn call_costs_nothing_and_is_operational_when_anyone_sends_it() {
    build_and_execute(|| {
        let info = transaction(pulses([NOW])).get_dispatch_info();
        assert_eq!(info.pays_fee, Pays::No);
        assert_eq!(info.class, DispatchClass::Operational);
        let one = info.extension_weight.ref_time();
        let two = transaction(pulses([NOW, NOW + 1])).get_dispatch_info().extension_weight.ref_time();
        assert!(two - one > 1_000_000_000, "each signature is paid for in weight");
    });
}

#[test]
fn extrinsic_reads_back_when_sent_as_bytes() {
    build_and_execute(|| {
        let sent = transaction(pulses([NOW]));
        let read = Extrinsic::decode(&mut sent.encode().as_slice()).unwrap();
        assert_eq!(read.function, sent.function);
    });
}

#[test]
fn call_is_refused_when_the_origin_is_signed_root_or_none() {
    build_and_execute(|| {
        let payload = || PulsesPayload::new(1, pulses([NOW]));
        for origin in [RuntimeOrigin::signed(1), RuntimeOrigin::root(), RuntimeOrigin::none()] {
            assert_noop!(Drand::write_pulse(origin, payload(), None), BadOrigin);
        }
    });
}

#[test]
fn pulses_are_refused_when_none_or_too_many() {
    build_and_execute(|| {
        assert_refused(Vec::new(), InvalidTransaction::Call);
        let most = u64::from(MAX_PULSES_PER_BLOCK);
        assert_refused(pulses(NOW - most..=NOW), InvalidTransaction::Call);
        store(NOW - most + 1..=NOW);
        assert_eq!(stored().len() as u64, most);
    });
}

#[test]
fn pulses_are_refused_when_the_slot_has_no_time_for_them() {
    build_and_execute(|| {
        PulsesPerBlock::set(&pulses_per_block(250));
        assert_refused(pulses(NOW - 2..=NOW), InvalidTransaction::Call);
        store(NOW - 1..=NOW);
        assert_eq!(stored(), [NOW - 1, NOW]);
    });
}

#[test]
fn pulses_are_refused_when_not_ascending() {
    build_and_execute(|| {
        assert_refused(pulses([NOW, NOW - 1]), InvalidTransaction::Call);
        assert_refused(pulses([NOW, NOW]), InvalidTransaction::Call);
    });
}

#[test]
fn pulses_are_refused_when_a_signature_is_wrong() {
    build_and_execute(|| {
        let of_another_round = Pulse::new(NOW, &DevBeacon::default().sign(NOW - 1));
        let of_another_beacon = Pulse::new(NOW, &DevBeacon::from_seed(&[3; 32]).sign(NOW));
        let no_point = Pulse::new(NOW, &[0; 48]);
        let mut other_randomness = pulse(NOW);
        other_randomness.randomness[0] ^= 1;
        let mut long = pulse(NOW);
        long.signature.try_push(0).unwrap();
        let mut empty = pulse(NOW);
        empty.signature.clear();
        for wrong in [of_another_round, of_another_beacon, no_point, other_randomness, long, empty] {
            assert_refused(vec![wrong.clone()], InvalidTransaction::BadProof);
            // One wrong pulse refuses the right one beside it.
            assert_refused(vec![pulse(NOW - 1), wrong], InvalidTransaction::BadProof);
        }
    });
}

#[test]
fn pulse_is_refused_when_stored_already() {
    build_and_execute(|| {
        store([NOW - 1, NOW]);
        next_block(NOW);
        assert_refused(pulses([NOW]), InvalidTransaction::Stale);
        assert_refused(pulses([NOW - 1, NOW + 1]), InvalidTransaction::Stale);
    });
}

#[test]
fn round_zero_is_refused_when_signed() {
    build_and_execute(|| assert_refused(pulses([0]), InvalidTransaction::Stale));
}

#[test]
fn pulse_is_refused_by_the_block_when_its_time_has_not_come() {
    build_and_execute(|| {
        let ahead = MAX_AHEAD_MS / (u64::from(DEV_BEACON.period) * 1_000);
        assert_eq!(apply(pulses([NOW + ahead + 1])).unwrap_err(), refused(InvalidTransaction::Future));
        // An idle chain's clock stands still: the pool keeps it for the block that it belongs to.
        assert!(offer(pulses([NOW + ahead + 1])).is_ok());
        store([NOW + ahead]);
        assert_eq!(bounds(), (NOW + ahead, NOW + ahead));
    });
}

#[test]
fn second_call_waits_for_the_next_block_when_one_was_applied() {
    build_and_execute(|| {
        store([NOW - 1]);
        assert_eq!(apply(pulses([NOW])).unwrap_err(), refused(InvalidTransaction::ExhaustsResources));
        next_block(NOW);
        assert_eq!(apply(pulses([NOW])), Ok(Ok(())));
    });
}

#[test]
fn gap_is_filled_when_the_newest_round_jumped_over_it() {
    build_and_execute(|| {
        store([NOW - 5_000]);
        store([NOW]);
        assert_eq!(bounds(), (NOW - 5_000, NOW));
        store([NOW - 3_000]);
        store([NOW - 4_000, NOW - 2_999, NOW - 1]);
        assert_eq!(bounds(), (NOW - 5_000, NOW));
        let rounds = [NOW - 5_000, NOW - 4_000, NOW - 3_000, NOW - 2_999, NOW - 1, NOW];
        assert_eq!(stored(), rounds);
    });
}

#[test]
fn rounds_before_the_first_are_stored_when_recent() {
    build_and_execute(|| {
        store([NOW]);
        store([NOW - 7]);
        assert_eq!(bounds(), (NOW - 7, NOW));
    });
}

#[test]
fn rounds_are_stored_when_within_what_is_kept_and_refused_when_older() {
    build_and_execute(|| {
        store([NOW]);
        let floor = NOW - MAX_KEPT_PULSES + 1;
        next_block(NOW);
        assert_refused(pulses([floor - 1]), InvalidTransaction::Stale);
        store([floor]);
        assert_eq!(bounds(), (floor, NOW));
        // The next round pushes it out.
        next_block(NOW + 1);
        apply(pulses([NOW + 1])).unwrap().unwrap();
        assert_eq!(bounds(), (floor + 1, NOW + 1));
        assert_eq!(stored(), [NOW, NOW + 1]);
    });
}

#[test]
fn call_is_refused_when_it_spans_more_than_is_kept() {
    build_and_execute(|| {
        assert_refused(pulses([NOW - MAX_KEPT_PULSES, NOW]), InvalidTransaction::Stale);
    });
}

#[test]
fn old_pulses_go_two_by_two_when_the_newest_round_jumped() {
    new_test_ext().execute_with(|| {
        fake(1..=10);
        OldestStoredRound::<Test>::put(1);
        LastStoredRound::<Test>::put(10);
        store([NOW]);
        assert_eq!(bounds(), (3, NOW));
        store([NOW - 2, NOW - 1]);
        assert_eq!(bounds(), (7, NOW));
        assert_eq!(stored(), [7, 8, 9, 10, NOW - 2, NOW - 1, NOW]);
    });
}

#[test]
fn priority_is_higher_when_the_newest_round_is() {
    build_and_execute(|| {
        store([NOW - 9]);
        let of = |rounds: &[u64]| offer(pulses(rounds.iter().copied())).unwrap();
        let (gap, fresh) = (of(&[NOW - 5]), of(&[NOW - 4, NOW]));
        assert!(fresh.priority > gap.priority);
        assert_eq!(fresh.priority, (1 << 20) + NOW);
        assert_ne!(fresh.provides, gap.provides);
        assert_eq!(fresh.provides, of(&[NOW]).provides, "of two that bring the newest round the pool keeps one");
        assert!(fresh.propagate && fresh.requires.is_empty());
    });
}

#[test]
fn sender_and_signature_are_not_read_when_given() {
    build_and_execute(|| {
        let mut payload = PulsesPayload::new(99, pulses([NOW]));
        payload.public = sp_runtime::MultiSigner::Ed25519(sp_core::ed25519::Public::from_raw([5; 32]));
        let signature = Some(sp_runtime::MultiSignature::Sr25519(sp_core::sr25519::Signature::from_raw([6; 64])));
        let origin = frame_system::RawOrigin::Authorized.into();
        assert_eq!(Drand::write_pulse(origin, payload, signature), Ok::<(), DispatchError>(()));
        assert_eq!(stored(), [NOW]);
    });
}
