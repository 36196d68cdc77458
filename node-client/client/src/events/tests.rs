// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::testing::{golden, public_chain, unhex};

/// `System.Events` of the reference runtime with one record: phase, event bytes, no topics.
fn record(extrinsic: u32, event: &[u8]) -> Vec<u8> {
    [&[4u8, 0][..], &extrinsic.to_le_bytes(), event, &[0]].concat()
}

/// `System.ExtrinsicFailed` with a dispatch error and an empty dispatch info.
fn failed(error: &[u8]) -> Vec<u8> {
    [&[0u8, 1][..], error, &[0, 0, 0, 0]].concat()
}

#[test]
fn outcome_names_the_pallets_error_when_the_call_failed() {
    let Some(runtime) = public_chain() else { return };
    // Module error: pallet 7, error 10 of it.
    let bytes = record(3, &failed(&[3, 7, 10, 0, 0, 0]));
    let outcome = outcome(&runtime, &bytes, 3).unwrap();
    let failure = outcome.failure.unwrap();
    assert_eq!((failure.pallet.as_str(), failure.name.as_str()), ("SubtensorModule", "NotEnoughStakeToSetWeights"));
    assert_eq!(outcome.events, [ChainEvent { pallet: "System".into(), name: "ExtrinsicFailed".into() }]);
}

#[test]
fn outcome_names_the_dispatch_error_when_it_is_of_no_pallet() {
    let Some(runtime) = public_chain() else { return };
    let bad_origin = outcome(&runtime, &record(0, &failed(&[2])), 0).unwrap().failure.unwrap();
    assert_eq!((bad_origin.pallet.as_str(), bad_origin.name.as_str()), ("System", "BadOrigin"));
    let token = outcome(&runtime, &record(0, &failed(&[7, 0])), 0).unwrap().failure.unwrap();
    assert_eq!(token.name, "Token::FundsUnavailable");
}

#[test]
fn outcome_is_refused_when_the_extrinsic_has_no_events() {
    let Some(runtime) = public_chain() else { return };
    let bytes = record(3, &failed(&[2]));
    assert!(matches!(outcome(&runtime, &bytes, 4), Err(ClientError::UnsupportedRuntime { .. })));
    assert!(matches!(outcome(&runtime, &[4], 0), Err(ClientError::UnsupportedRuntime { .. })));
}

#[test]
fn outcome_equals_the_sdks_when_the_block_is_its_fixtures() {
    let (Some(runtime), Some(golden)) = (public_chain(), golden()) else { return };
    let receipt = &golden["receipt"];
    let index = u32::try_from(receipt["extrinsic_idx"].as_u64().unwrap()).unwrap();
    let outcome = outcome(&runtime, &unhex(&golden["events"]["raw_hex"]), index).unwrap();
    let expected: Vec<ChainEvent> = receipt["triggered_events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| ChainEvent {
            pallet: event["module_id"].as_str().unwrap().into(),
            name: event["event_id"].as_str().unwrap().into(),
        })
        .collect();
    assert_eq!(expected.len(), 5);
    assert_eq!((outcome.events, outcome.failure), (expected, None));
}
