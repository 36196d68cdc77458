// SPDX-License-Identifier: Apache-2.0

use clawrank_protocol::needs::Needs;
use clawrank_units::Ppb;

use crate::{Candidate, Latency, Snapshot, Target, Weights};

/// Most candidates of one plan; more attempts than this would outlast any deadline.
pub const MAX_PLANNED: usize = 8;

/// What is known of a request before it goes out.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a> {
    /// Model asked for.
    pub model: &'a str,
    /// Whether the answer is streamed.
    pub stream: bool,
    /// Coarse count of the prompt.
    pub input_tokens: u32,
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// What it needs.
    pub needs: Needs,
    /// The same for all requests of one conversation: among candidates that are about as good, a conversation stays
    /// with one, whose prompt cache then hits.
    pub affinity: u64,
}

/// One attempt of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Who.
    pub target: Target,
    /// What the attempt is expected to cost, in microseconds of waiting; lower is better.
    pub cost_us: u64,
    rank: (bool, u64, u64),
}

/// Why a plan is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlan {
    /// No candidate has ever offered the model.
    UnknownModel,
    /// None that offers it is online.
    Offline,
    /// Prompt and answer together exceed every context; the longest is given, in tokens.
    TooLong(u32),
    /// None that is online can do what the request needs: these alone, or, where each alone is found, all of them at once.
    Unsupported(Needs),
    /// All are at their limit.
    Busy,
}

/// Candidates, best first.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    attempts: [Option<Planned>; MAX_PLANNED],
    len: usize,
    empty_because: Option<NoPlan>,
}

impl Plan {
    /// The attempts, best first.
    pub fn attempts(&self) -> impl Iterator<Item = &Planned> {
        self.attempts.iter().flatten()
    }

    /// Number of attempts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nobody can serve.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Why it is empty; `None` when it is not.
    #[must_use]
    pub fn empty_because(&self) -> Option<NoPlan> {
        self.empty_because
    }

    /// Keeps the best [`MAX_PLANNED`] in order.
    fn insert(&mut self, mut new: Planned) {
        for slot in &mut self.attempts {
            match slot {
                Some(held) if held.rank <= new.rank => {}
                Some(held) => core::mem::swap(held, &mut new),
                None => {
                    *slot = Some(new);
                    self.len = self.len.saturating_add(1);
                    return;
                }
            }
        }
    }
}

/// Memory of one plan, used again and again.
#[derive(Clone, Debug, Default)]
pub struct PlanBuf {
    plan: Plan,
}

/// Ranks who may serve a request. O(candidates of the model), no allocation.
///
/// A candidate is left out when it is offline, at its limit, too short for the tokens, or lacks what is needed. The
/// rest are ranked: fallbacks last, then by expected cost, then by affinity. Costs within about 6 % of each other count
/// as equal, so that equals share the traffic.
///
/// Cost in ms = wait · (1 + in_flight / limit) + error · failure_ms + (1 − quality) · quality_ms + price ·
/// ms_per_milli_usd / 1,000, where wait = (4 · ewma + 2 · p50 + p95 + p99) / 8 and price is that of the whole request in
/// micro-USD. Three quarters of the wait are what is usual, where the median steadies the average after one
/// slow answer; a quarter is the tail, where p95 and p99 count as the average at least, since they follow a change more
/// slowly. Rounds down.
pub fn plan<'b>(features: &Features<'_>, snapshot: &Snapshot, buf: &'b mut PlanBuf) -> &'b Plan {
    let plan = &mut buf.plan;
    *plan = Plan::default();
    let Some(candidates) = snapshot.candidates(features.model) else {
        plan.empty_because = Some(NoPlan::UnknownModel);
        return plan;
    };
    let tokens = features.input_tokens.saturating_add(features.max_tokens);
    let (mut online, mut able, mut long_enough, mut longest) = (false, false, false, 0);
    let mut lacking = features.needs;
    for candidate in candidates {
        if !candidate.online {
            continue;
        }
        online = true;
        let lacks = candidate.support.lacks(features.needs);
        lacking = lacking.and(lacks);
        if !lacks.is_empty() {
            continue;
        }
        able = true;
        longest = longest.max(candidate.context_tokens);
        if candidate.context_tokens < tokens {
            continue;
        }
        long_enough = true;
        if candidate.in_flight >= candidate.limit {
            continue;
        }
        let cost_us = cost_us(candidate, features, &snapshot.weights);
        let rank = (candidate.fallback, bucket(cost_us), mix(features.affinity, candidate.target));
        plan.insert(Planned { target: candidate.target, cost_us, rank });
    }
    if plan.is_empty() {
        plan.empty_because = Some(match (online, able, long_enough) {
            (false, ..) => NoPlan::Offline,
            (_, false, _) if lacking.is_empty() => NoPlan::Unsupported(features.needs),
            (_, false, _) => NoPlan::Unsupported(lacking),
            (.., false) => NoPlan::TooLong(longest),
            _ => NoPlan::Busy,
        });
    }
    plan
}

fn cost_us(candidate: &Candidate, features: &Features<'_>, weights: &Weights) -> u64 {
    const US: u64 = 1_000;
    let wait_us = if candidate.latency == Latency::default() {
        weights.unknown_ms.saturating_mul(US)
    } else {
        let Latency { ewma_ms, p50_ms, p95_ms, p99_ms } = candidate.latency;
        let usual = u64::from(ewma_ms).saturating_mul(4).saturating_add(u64::from(p50_ms).saturating_mul(2));
        let tail = u64::from(p95_ms.max(ewma_ms)).saturating_add(p99_ms.max(ewma_ms).into());
        usual.saturating_add(tail).saturating_mul(US) / 8
    };
    let limit = u64::from(candidate.limit.max(1));
    let queue_us = wait_us.saturating_mul(u64::from(candidate.in_flight)) / limit;
    let failure_us = u64::from(candidate.error_ppm.min(1_000_000)).saturating_mul(weights.failure_ms) / 1_000;
    let lacking = u64::from(Ppb::PARTS.saturating_sub(candidate.quality.parts()));
    let quality_us = lacking.saturating_mul(weights.quality_ms) / 1_000_000;
    let price = |tokens: u32, per_mtok: u64| u64::from(tokens).saturating_mul(per_mtok) / 1_000_000;
    let price_micro_usd = price(features.input_tokens, candidate.price_in_micro_usd_per_mtok)
        .saturating_add(price(features.max_tokens, candidate.price_out_micro_usd_per_mtok));
    // 1,000 micro-USD are worth `ms_per_milli_usd` ms, so one is worth as many µs.
    let price_us = price_micro_usd.saturating_mul(weights.ms_per_milli_usd);
    [queue_us, failure_us, quality_us, price_us].into_iter().fold(wait_us, u64::saturating_add)
}

/// The cost with its four highest binary digits only: steps of 6 to 12 %.
fn bucket(cost_us: u64) -> u64 {
    let shift = 60u32.saturating_sub(cost_us.leading_zeros());
    (cost_us >> shift) << shift
}

/// A well mixed number per (conversation, target): the finaliser of splitmix64.
fn mix(affinity: u64, target: Target) -> u64 {
    let id = match target {
        Target::Miner(session) => session.wrapping_mul(2),
        Target::Endpoint(index) => u64::from(index).wrapping_mul(2).wrapping_add(1),
    };
    let mut z = affinity ^ id.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests;
