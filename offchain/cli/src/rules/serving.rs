// SPDX-License-Identifier: Apache-2.0

use clawrank_primitives::{
    Params, ServingRule,
    scoring::{
        MAX_TIER, ServingInput, ServingMiner, Usage, base, eligible_tokens, payer_tokens, serving_scores, tensorclaw_v1,
    },
    units::MicroUsd,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{refuse, scalar::Decimal};
use crate::error::CliError;

/// Serving miners, by index.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    miners: Vec<Miner>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Miner {
    /// Whether the declared model is on the whitelist.
    whitelisted: bool,
    /// Response time of the last probe, milliseconds; null when it was not answered: then the miner is a ghost.
    last_probe_ms: Option<u32>,
    /// Probes answered among the last.
    answered: u32,
    /// Those last ones.
    probes: u32,
    /// Counted traffic of the window, one entry per payer.
    #[serde(default)]
    payers: Vec<Payer>,
    /// Points of the model's tier, 0 to 20; used by the preset tensorclaw-v1 alone.
    #[serde(default)]
    #[schemars(range(max = MAX_TIER))]
    tier: u8,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Payer {
    /// Input and output tokens.
    tokens: u64,
    /// What was paid for them.
    fee_micro_usd: u64,
}

/// By index.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    /// What a reader must know about these rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
    /// 0 to 1,000,000,000.
    base_ppb: Vec<u32>,
    /// Tokens that count.
    eligible_tokens: Vec<u64>,
    /// For `rules allocate`: only proportions matter.
    scores: Vec<Decimal>,
}

pub(super) fn serving(input: Input, params: &Params) -> Result<Output, CliError> {
    let rules = &params.serving;
    let mut miners = Vec::with_capacity(input.miners.len());
    let mut scores = Vec::with_capacity(input.miners.len());
    for (i, m) in input.miners.iter().enumerate() {
        if m.answered > m.probes {
            let why = format!("{} is above probes {}", m.answered, m.probes);
            return Err(refuse(&format!("miners[{i}].answered"), why));
        }
        if m.tier > MAX_TIER {
            return Err(refuse(&format!("miners[{i}].tier"), format!("{} is above {MAX_TIER}", m.tier)));
        }
        let probe = ServingInput {
            whitelisted: m.whitelisted,
            last_probe_ms: m.last_probe_ms,
            answered: m.answered,
            probes: m.probes,
        };
        let usage = |p: &Payer| Usage { tokens: p.tokens, fee: MicroUsd(p.fee_micro_usd) };
        let counted: Vec<u64> = m.payers.iter().map(|p| payer_tokens(usage(p), rules)).collect();
        let miner = ServingMiner {
            base: base(&probe, rules),
            eligible_tokens: eligible_tokens(&counted, rules.payer_cap),
            ghost: m.last_probe_ms.is_none(),
        };
        if params.serving_rule == ServingRule::TensorclawV1 {
            let tokens = m.payers.iter().fold(0u64, |sum, p| sum.saturating_add(p.tokens));
            scores.push(u128::from(tensorclaw_v1(miner.base, m.tier, tokens).total));
        }
        miners.push(miner);
    }
    if params.serving_rule == ServingRule::Shares {
        scores = serving_scores(&miners, rules);
    }
    Ok(Output {
        notice: params.notice().map(ToString::to_string),
        base_ppb: miners.iter().map(|m| m.base.parts()).collect(),
        eligible_tokens: miners.iter().map(|m| m.eligible_tokens).collect(),
        scores: scores.into_iter().map(Decimal).collect(),
    })
}
