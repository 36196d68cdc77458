// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use codec::Encode;

use super::*;

fn refused(bytes: &[u8]) -> String {
    match decode_params(92, bytes) {
        Err(error @ ClientError::Decode { .. }) if !error.is_retryable() => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn params_are_read_back_when_they_were_stored_whole() {
    for preset in Params::PRESETS {
        let params = Params::preset(preset).unwrap();
        assert_eq!(decode_params(92, &params.encode()).unwrap(), params, "{preset}");
    }
}

#[test]
fn params_are_refused_by_name_when_they_are_not_whole_or_make_no_sense() {
    let whole = Params::clawrank().encode();
    let item = "cannot decode ProviderRank.SubnetParams of netuid 92: ";
    for bytes in [&whole[..whole.len() - 1], &[whole.as_slice(), &[0]].concat(), &[]] {
        let error = refused(bytes);
        assert!(error.starts_with(item), "{error}");
    }
    let error = refused(&Params { version: 2, ..Params::clawrank() }.encode());
    assert!(error.starts_with(item) && error.contains("version 2, expected 1"), "{error}");
    let mut senseless = Params::clawrank();
    senseless.serving.window_minutes = 0;
    let error = refused(&senseless.encode());
    assert!(error.contains("serving.window_minutes is 0"), "{error}");
}
