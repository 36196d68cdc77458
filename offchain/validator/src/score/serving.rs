// SPDX-License-Identifier: Apache-2.0
//! Serving: probes to base, receipts to eligible tokens, both to scores (rules §1).

use std::collections::BTreeMap;

use clawrank_primitives::{
    ServingRule,
    proof::{Hash, HotkeyId, ModelName},
    scoring::{
        MinuteWindow, ProbeWindow, ServingMiner, Usage, base, eligible_tokens, payer_tokens, serving_scores,
        tensorclaw_v1,
    },
    units::MicroUsd,
};

use super::{Inputs, ServingParts, empty, position};
use crate::report::ServingReport;

/// Usage of every payer of every miner over the rolling window.
fn usage(inputs: &Inputs) -> BTreeMap<HotkeyId, BTreeMap<Hash, Usage>> {
    let window_minutes = inputs.params.serving.window_minutes;
    let mut windows: BTreeMap<(HotkeyId, Hash), MinuteWindow> = BTreeMap::new();
    for row in &inputs.traffic {
        let usage = Usage { tokens: row.tokens, fee: MicroUsd(row.fee_micro_usd) };
        windows.entry((row.miner, row.payer)).or_default().add(row.minute, usage);
    }
    let mut by_miner: BTreeMap<HotkeyId, BTreeMap<Hash, Usage>> = BTreeMap::new();
    for ((miner, payer), window) in windows {
        let usage = window.usage_at(inputs.minute, window_minutes);
        if usage != Usage::default() {
            by_miner.entry(miner).or_default().insert(payer, usage);
        }
    }
    by_miner
}

/// The serving part of every uid that was probed or has traffic.
pub(super) fn score(inputs: &Inputs) -> ServingParts {
    let params = &inputs.params.serving;
    let mut parts: ServingParts = empty(inputs);
    let mut windows: BTreeMap<HotkeyId, ProbeWindow> = BTreeMap::new();
    for probe in &inputs.probes {
        windows.entry(probe.hotkey).or_default().push(probe.answered.then_some(probe.response_ms));
        let Some(part) = position(inputs, &probe.hotkey).and_then(|at| parts.get_mut(at)) else { continue };
        let part = part.get_or_insert_default();
        part.model.clone_from(&probe.model);
        part.last_failure.clone_from(&probe.detail);
    }
    for (miner, payers) in usage(inputs) {
        let Some(part) = position(inputs, &miner).and_then(|at| parts.get_mut(at)) else { continue };
        let part = part.get_or_insert_default();
        let tokens: Vec<u64> = payers.values().map(|usage| payer_tokens(*usage, params)).collect();
        part.tokens = payers.values().fold(0, |sum, usage| sum.saturating_add(usage.tokens));
        part.payers = u32::try_from(payers.len()).unwrap_or(u32::MAX);
        part.eligible_tokens = eligible_tokens(&tokens, params.payer_cap);
    }
    let mut miners = vec![ServingMiner { ghost: true, ..ServingMiner::default() }; parts.len()];
    for (neuron, (part, miner)) in inputs.subnet.neurons.iter().zip(parts.iter_mut().zip(&mut miners)) {
        let Some(part) = part else { continue };
        let window = windows.get(&neuron.hotkey).copied().unwrap_or_default();
        part.whitelisted = is_whitelisted(inputs, &part.model);
        let input = window.input(part.whitelisted, params);
        let base = base(&input, params);
        *miner = ServingMiner { base, eligible_tokens: part.eligible_tokens, ghost: input.is_ghost() };
        part.base_ppb = base.parts();
        part.ghost = input.is_ghost();
        part.last_probe_ms = input.last_probe_ms;
        (part.answered, part.probes) = (input.answered, input.probes);
    }
    for (part, score) in parts.iter_mut().zip(scores(inputs, &miners)) {
        if let Some(part) = part {
            part.score = match inputs.params.serving_rule {
                ServingRule::Shares => score,
                ServingRule::TensorclawV1 => tensorclaw(part),
            };
        }
    }
    parts
}

fn scores(inputs: &Inputs, miners: &[ServingMiner]) -> Vec<u128> {
    serving_scores(miners, &inputs.params.serving)
}

/// The older rule, without tiers: nobody declares one here.
fn tensorclaw(part: &ServingReport) -> u128 {
    if part.ghost {
        return 0;
    }
    let base = clawrank_primitives::units::Ppb::from_ppb_clamped(u128::from(part.base_ppb));
    u128::from(tensorclaw_v1(base, 0, part.tokens).total)
}

fn is_whitelisted(inputs: &Inputs, model: &str) -> bool {
    ModelName::normalised(model).is_ok_and(|model| inputs.whitelist.contains(model.as_str()))
}
