// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::{
    ItemState,
    testing::{account, own_chain, public_chain, sdk_values, unhex},
};

/// One call of every variant, with values that show every field.
pub(crate) fn every_call() -> Vec<Call> {
    let (uids, values, salt) = (vec![0, 1, 300], vec![65_535, 32_768, 1], vec![1, 2, 3, 4, 5, 6, 7, 8]);
    vec![
        Call::SetWeights { netuid: 92, dests: uids.clone(), weights: values.clone(), version_key: 42 },
        Call::CommitWeights { netuid: 92, commit_hash: [7; 32] },
        Call::RevealWeights {
            netuid: 92,
            uids: uids.clone(),
            values: values.clone(),
            salt: salt.clone(),
            version_key: 42,
        },
        Call::SetMechanismWeights { netuid: 92, mecid: 1, dests: vec![5], weights: vec![9], version_key: u64::MAX },
        Call::CommitMechanismWeights { netuid: 92, mecid: 1, commit_hash: [8; 32] },
        Call::RevealMechanismWeights { netuid: 92, mecid: 1, uids, values, salt, version_key: 42 },
        Call::CommitTimelockedWeights { netuid: 92, mecid: 1, commit: vec![9; 70], reveal_round: 1_000, version: 4 },
        Call::BurnedRegister { netuid: 92, hotkey: [3; 32] },
        Call::AddStake { netuid: 92, hotkey: [3; 32], amount_staked: 1_000_000_000 },
        Call::RegisterNetwork { hotkey: [3; 32] },
        Call::ServeAxon { netuid: 92, version: 7, ip: 0x0102_0304, port: 8_091, ip_type: 4, protocol: 4 },
        Call::SetCommitment { netuid: 92, data: b"CRB1 and more".to_vec() },
        Call::CommitBundle { netuid: 92, epoch: 17, root: [4; 32], count: 1_200 },
        Call::SubmitVerdicts {
            netuid: 92,
            epoch: 17,
            verdicts: vec![
                MinerVerdict { uid: 3, tripped: false, reason: 0, score: u128::from(u64::MAX) * 3 },
                MinerVerdict { uid: 9, tripped: true, reason: 6, score: 0 },
            ],
        },
    ]
}

/// Our calls among those of the SDK's golden values with their bytes, and, last, the frame of a timelocked commit as PyPI
/// `bittensor` 11.3.0 was seen to send it.
fn recorded() -> Vec<(Call, String)> {
    let hotkey = account("5G6Fyo6U2fDhJXDJGp4Dr6XViVCdPcryiyLBDsusguSRcYvJ");
    let values = sdk_values();
    let bytes = |function: &str| {
        let case = values["calls"].as_array().unwrap().iter().find(|case| case["function"] == function).unwrap();
        hex::encode(unhex(&case["data_hex"]))
    };
    vec![
        (Call::AddStake { netuid: 1, hotkey, amount_staked: 1_000_000_000 }, bytes("add_stake")),
        (Call::BurnedRegister { netuid: 1, hotkey }, bytes("burned_register")),
        (
            Call::SetWeights { netuid: 1, dests: vec![0, 1], weights: vec![100, 200], version_key: 0 },
            bytes("set_weights"),
        ),
        (
            Call::CommitTimelockedWeights { netuid: 92, mecid: 0, commit: vec![7; 3], reveal_round: 5, version: 4 },
            "07765c00000c07070705000000000000000400".into(),
        ),
    ]
}

#[test]
fn call_bytes_equal_recorded_ones_on_every_runtime_at_hand() {
    for (name, metadata) in crate::testing::every_metadata() {
        let runtime = Runtime::parse(&metadata).unwrap();
        for (call, expected) in recorded() {
            let item = call_name(&call) + "()";
            let missing = crate::check(&runtime).iter().any(|one| one.item == item && one.state == ItemState::Missing);
            match runtime.encode(&call) {
                Ok(bytes) => assert_eq!(hex::encode(bytes), expected, "{name}: {call:?}"),
                Err(error) => assert!(missing && name == "own", "{name}: {error}"),
            }
        }
    }
}

#[test]
fn call_bytes_equal_hand_written_ones_when_mechanisms_and_commitments_are_used() {
    let Some(runtime) = public_chain() else { return };
    let check =
        |call: Call, expected: &str| assert_eq!(hex::encode(runtime.encode(&call).unwrap()), expected, "{call:?}");
    check(
        Call::SetMechanismWeights { netuid: 92, mecid: 1, dests: vec![5], weights: vec![9], version_key: 2 },
        "07775c00010405000409000200000000000000",
    );
    check(
        Call::CommitMechanismWeights { netuid: 92, mecid: 1, commit_hash: [8; 32] },
        &format!("07735c0001{}", "08".repeat(32)),
    );
    check(
        Call::RevealMechanismWeights {
            netuid: 92,
            mecid: 1,
            uids: vec![5],
            values: vec![9],
            salt: vec![1, 2],
            version_key: 2,
        },
        "07745c000104050004090008010002000200000000000000",
    );
    // Commitments is pallet 18; one field, Raw3 is variant 4.
    check(Call::SetCommitment { netuid: 92, data: b"abc".to_vec() }, "12005c000404616263");
    check(Call::SetCommitment { netuid: 92, data: vec![0xee; 128] }, &format!("12005c000481{}", "ee".repeat(128)));
    check(Call::SetCommitment { netuid: 92, data: vec![] }, "12005c000401");
}

#[test]
fn every_call_is_encoded_when_our_own_runtime_is_the_target() {
    let Some(runtime) = own_chain() else { return };
    let items = crate::check(&runtime);
    let missing: Vec<&str> = items
        .iter()
        .filter(|status| status.optional && status.state == ItemState::Missing)
        .map(|status| status.item.trim_end_matches("()"))
        .collect();
    for call in every_call() {
        match runtime.encode(&call) {
            Ok(bytes) => assert!(bytes.len() > 2, "{call:?}"),
            Err(error) => {
                assert!(missing.contains(&call_name(&call).as_str()), "{error}");
                assert!(matches!(error, ClientError::UnsupportedRuntime { .. }), "{error}");
            }
        }
    }
}

#[test]
fn call_is_refused_by_name_when_the_runtime_lacks_it() {
    let Some(runtime) = public_chain() else { return };
    let error = runtime.encode(&Call::CommitBundle { netuid: 1, epoch: 1, root: [0; 32], count: 1 }).unwrap_err();
    assert!(
        matches!(&error, ClientError::UnsupportedRuntime { item, .. } if item == "ProviderRank.commit_bundle"),
        "{error}"
    );
}

#[test]
fn call_is_invalid_when_its_lists_differ_or_its_data_is_too_long() {
    let long = Call::SetCommitment { netuid: 1, data: vec![0; 129] };
    assert!(matches!(validate(&long), Err(ClientError::InvalidCall { .. })));
    let uneven = Call::SetWeights { netuid: 1, dests: vec![1, 2], weights: vec![1], version_key: 0 };
    assert!(matches!(validate(&uneven), Err(ClientError::InvalidCall { .. })));
    for call in every_call() {
        validate(&call).unwrap();
    }
}
