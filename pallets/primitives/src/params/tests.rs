// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used)]

use super::*;

#[cfg(feature = "serde")]
mod documented;

#[test]
fn params_are_valid_when_preset() {
    for name in Params::PRESETS {
        assert_eq!(Params::preset(name).unwrap().ensure_valid(), Ok(()), "{name}");
    }
    assert_eq!(Params::preset("other"), None);
    assert_eq!(Params::default(), Params::clawrank());
}

#[test]
fn params_survive_when_scale_encoded() {
    for name in Params::PRESETS {
        let params = Params::preset(name).unwrap();
        let bytes = params.encode();
        assert!(bytes.len() <= Params::max_encoded_len());
        assert_eq!(Params::decode(&mut &bytes[..]).unwrap(), params);
    }
}

#[test]
fn notice_warns_when_volume_can_be_bought_from_oneself() {
    assert_eq!(Params::clawrank().notice(), None);
    assert!(Params::local().notice().unwrap().contains("no minimum fee"));
    assert!(Params::tensorclaw_v1().notice().unwrap().contains("saturates"));
    let mut params = Params::clawrank();
    params.serving.tokens_per_micro_usd = None;
    assert!(params.notice().unwrap().starts_with("no minimum fee:"));
    let mut params = Params::clawrank();
    params.serving.payer_cap = Ppb::from_percent(100);
    assert!(params.notice().unwrap().starts_with("no limit per payer"));
}

#[test]
fn params_are_refused_when_a_value_is_out_of_range() {
    fn refused(change: impl Fn(&mut Params)) -> ParamsError {
        let mut params = Params::clawrank();
        change(&mut params);
        params.ensure_valid().unwrap_err()
    }
    assert_eq!(refused(|p| p.version = 9), ParamsError::Version { found: 9 });
    let weights = refused(|p| p.intel.weight_coverage = Ppb::from_percent(11));
    assert_eq!(weights, ParamsError::Weights { of: "intel", sum: 1_010_000_000 });
    assert!(matches!(
        refused(|p| p.serving.weight_answered = Ppb::from_percent(0)),
        ParamsError::Weights { of: "base", .. }
    ));
    let range = |name, found| ParamsError::OutOfRange { name, found };
    assert_eq!(refused(|p| p.serving.window_minutes = 0), range("serving.window_minutes", 0));
    assert_eq!(refused(|p| p.serving.probe_history = 129), range("serving.probe_history", 129));
    assert_eq!(refused(|p| p.serving.payer_cap = Ppb::from_percent(0)), range("serving.payer_cap", 0));
    assert_eq!(refused(|p| p.serving.tokens_per_micro_usd = Some(0)), range("serving.tokens_per_micro_usd", 0));
    assert_eq!(refused(|p| p.serving.response_tiers[3].below_ms = 1), range("serving.response_tiers", 1_000));
    assert_eq!(refused(|p| p.gate.alpha = Ppb::from_percent(0)), range("gate.alpha", 0));
    assert_eq!(refused(|p| p.challenge.replays_per_cell = 7), range("challenge.replays_per_cell", 7));
    assert_eq!(refused(|p| p.challenge.replays_per_cell = 257), range("challenge.replays_per_cell", 257));
    assert_eq!(refused(|p| p.cap.cap = Ppb::from_percent(0)), range("cap.cap", 0));
}

#[cfg(feature = "serde")]
#[test]
fn params_survive_when_written_as_json() {
    for name in Params::PRESETS {
        let params = Params::preset(name).unwrap();
        let json = serde_json::to_string(&params).unwrap();
        assert_eq!(serde_json::from_str::<Params>(&json).unwrap(), params);
    }
    let json =
        serde_json::to_string(&Params::clawrank()).unwrap().replacen("\"version\"", "\"extra\":1,\"version\"", 1);
    assert!(serde_json::from_str::<Params>(&json).is_err());
}
