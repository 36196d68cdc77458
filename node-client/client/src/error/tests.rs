// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;

fn check(code: i32, message: &str, expected: Option<PoolReason>, rebuild: bool, retryable: bool) {
    let reason = PoolReason::from_rpc(code, message);
    assert_eq!(reason, expected, "{code} {message}");
    if let Some(reason) = reason {
        assert_eq!(reason.wants_rebuild(), rebuild, "{reason}");
        assert_eq!(reason.is_retryable(), retryable, "{reason}");
    }
}

#[test]
fn pool_reason_is_named_when_the_node_answers_in_its_own_words() {
    check(1010, "Invalid Transaction: Transaction is outdated", Some(PoolReason::Stale), true, true);
    check(1010, "Invalid Transaction: Transaction has a bad signature", Some(PoolReason::BadProof), true, true);
    check(
        1010,
        "Invalid Transaction: Transaction has an ancient birth block",
        Some(PoolReason::AncientBirthBlock),
        true,
        true,
    );
    check(1014, "Priority is too low: (1 vs 1)", Some(PoolReason::TooLowPriority), true, true);
    check(1013, "Transaction Already Imported", Some(PoolReason::AlreadyImported), false, false);
    check(1010, "Invalid Transaction: Inability to pay some fees", Some(PoolReason::Payment), false, false);
    check(
        1010,
        "Invalid Transaction: Custom error: 6",
        Some(PoolReason::Custom { code: 6, name: Some("RateLimitExceeded") }),
        false,
        true,
    );
    check(
        1010,
        "Invalid Transaction: Custom error: 16",
        Some(PoolReason::Custom { code: 16, name: Some("CommitNotFound") }),
        false,
        false,
    );
    check(1010, "Custom error: 200", Some(PoolReason::Custom { code: 200, name: None }), false, false);
    check(-32_601, "Method not found", None, false, false);
}

#[test]
fn custom_name_covers_the_table_when_codes_are_known() {
    assert_eq!(custom_name(0), Some("ColdkeyInSwapSchedule"));
    assert_eq!(custom_name(10), Some("HotKeyNotRegisteredInNetwork"));
    assert_eq!(custom_name(17), Some("CommitBlockNotInRevealRange"));
    assert_eq!(custom_name(27), Some("DelegateTakeTooHigh"));
    assert_eq!(custom_name(28), None);
    assert_eq!(custom_name(255), Some("BadRequest"));
}

#[test]
fn error_is_not_retryable_when_the_outcome_is_unknown() {
    let unknown = ClientError::OutcomeUnknown { call: "A.b".into(), extrinsic: [7; 32], valid_until: 9 };
    assert!(!unknown.is_retryable());
    assert!(unknown.to_string().contains("#9"), "{unknown}");
    let dispatch = |name: &str| ClientError::Dispatch {
        call: "A.b".into(),
        pallet: "SubtensorModule".into(),
        name: name.into(),
        docs: "".into(),
        block_number: 1,
        extrinsic: [0; 32],
    };
    assert!(dispatch("CommittingWeightsTooFast").is_retryable());
    assert!(!dispatch("NeuronNoValidatorPermit").is_retryable());
}
