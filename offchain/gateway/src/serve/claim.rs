// SPDX-License-Identifier: Apache-2.0

use clawrank_protocol::{
    frames::Done,
    proof::{Claim, HotkeyId},
    text::{DeliveredText, counts_agree},
};
use clawrank_scoring::tokens_agree;
use codec::DecodeAll;

/// Factor within which claim and recount must agree (rules §1.1).
const RECOUNT_FACTOR: u32 = 2;

/// What the gateway knows of an answer, to hold a claim against.
pub(super) struct Expected<'a> {
    pub(super) request_id: [u8; 16],
    pub(super) miner: HotkeyId,
    pub(super) gateway: HotkeyId,
    pub(super) model: &'a str,
    pub(super) stream: bool,
    /// Whether the answer is complete; `false` where the customer left.
    pub(super) complete: bool,
    pub(super) text: &'a DeliveredText,
    pub(super) input_tokens: u32,
}

/// Checks a miner's claim against what it delivered.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn check(done: &Done, expected: &Expected<'_>) -> Result<Claim, &'static str> {
    let claim = Claim::decode_all(&mut done.claim.0.as_slice()).map_err(|_| "claim cannot be decoded")?;
    if claim.request_id != expected.request_id {
        return Err("claim is about another request");
    }
    if claim.miner != expected.miner || claim.gateway != expected.gateway {
        return Err("claim names another miner or gateway");
    }
    if claim.model.as_str() != expected.model {
        return Err("claim names another model");
    }
    if claim.stream != expected.stream {
        return Err("claim is wrong about streaming");
    }
    if expected.complete && !claim.ok {
        return Err("claim says that the answer is not complete");
    }
    if claim.response_hash != expected.text.hash() {
        return Err("claim is not about the delivered text");
    }
    let recount = u64::from(expected.input_tokens).saturating_add(expected.text.tokens().into());
    let claimed = u64::from(claim.input_tokens).saturating_add(claim.output_tokens.into());
    // The sum is the rule; the parts keep a long prompt from hiding made-up output.
    if !tokens_agree(claimed, recount, RECOUNT_FACTOR)
        || !counts_agree(claim.output_tokens, expected.text.tokens())
        || !counts_agree(claim.input_tokens, expected.input_tokens)
    {
        return Err("claimed tokens differ from the recount by more than a factor of 2");
    }
    claim.verify(&done.signature.0).map_err(|_| "claim's signature does not verify")?;
    Ok(claim)
}
