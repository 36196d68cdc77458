// SPDX-License-Identifier: Apache-2.0

use clawrank_protocol::{
    ApiError,
    frames::Done,
    openai::Usage,
    proof::{Domain, Hash, RECEIPT_VERSION, Receipt, SignedReceipt},
    text::DeliveredText,
};
use clawrank_store::ledger::Settlement;
use clawrank_units::MicroUsd;
use codec::Encode;

use super::{Attempt, Customer, Run, ServedBy, claim};
use crate::clock::elapsed_ms;

/// How the answer to a request ended.
pub(super) struct Delivered<'a> {
    pub(super) text: &'a DeliveredText,
    /// Whether the customer got all of it.
    pub(super) complete: bool,
    /// Milliseconds from receipt of the request to the first text.
    pub(super) first_byte_ms: u32,
}

/// Why an answer could not be settled.
pub(super) enum SettleError {
    /// The miner's claim is wrong.
    Claim(&'static str),
    /// The ledger did not take it.
    Ledger(ApiError),
}

impl Run {
    /// Checks the claim, signs the receipt and puts both on disk with the fee. Returns what is to be reported as usage.
    pub(super) async fn settle(
        &mut self,
        attempt: &Attempt,
        done: Option<&Done>,
        delivered: Delivered<'_>,
    ) -> Result<Usage, SettleError> {
        let recount_output = delivered.text.tokens();
        let (usage, receipt, fee) = match (&attempt.by, done) {
            (ServedBy::Miner(miner), Some(done)) => {
                let expected = claim::Expected {
                    request_id: self.id.0,
                    miner: *miner,
                    gateway: self.app.me,
                    model: &attempt.model,
                    stream: self.job.request.stream,
                    complete: delivered.complete,
                    text: delivered.text,
                    input_tokens: self.job.request.input_tokens,
                };
                let claim = claim::check(done, &expected).map_err(SettleError::Claim)?;
                let usage = Usage::new(claim.input_tokens, claim.output_tokens);
                let fee = self.fee(usage);
                let receipt = Receipt {
                    version: RECEIPT_VERSION,
                    claim,
                    miner_signature: done.signature.0,
                    payer: self.payer(),
                    fee,
                    received_ms: self.job.received_ms,
                    first_byte_ms: delivered.first_byte_ms,
                    total_ms: elapsed_ms(self.job.received),
                    recount_tokens: self.job.request.input_tokens.saturating_add(recount_output),
                };
                let gateway_signature = self.app.keypair.sign_for(Domain::Receipt, &receipt);
                (usage, Some(SignedReceipt { receipt, gateway_signature }.encode()), fee)
            }
            (ServedBy::Miner(_), None) => return Err(SettleError::Claim("answer has no claim")),
            (ServedBy::Endpoint(_), _) => {
                let usage = Usage::new(self.job.request.input_tokens, recount_output);
                (usage, None, self.fee(usage))
            }
        };
        let settlement = Settlement {
            id: self.id.0,
            served: true,
            fee,
            input_tokens: usage.prompt_tokens,
            output_tokens: usage.completion_tokens,
            served_by: Some(attempt.by.label()),
            receipt: receipt.clone(),
            demand: matches!(self.job.customer, Customer::Payer { .. }),
        };
        let taken = self.app.ledger.settle(settlement).await;
        let taken = taken.map_err(|error| SettleError::Ledger(self.app.ledger_error(&error)))?;
        self.app.ledger_works();
        self.app.metrics.tokens.increment(usage.total_tokens.into());
        self.app.metrics.fees.increment(taken.get());
        if let (Some(receipt), Some(session)) = (receipt, attempt.session()) {
            session.send_receipt(receipt);
        }
        if let (Customer::Probe { .. }, true) = (self.job.customer, delivered.complete) {
            attempt.stats.set_ghost(false);
        }
        Ok(usage)
    }

    fn fee(&self, usage: Usage) -> MicroUsd {
        self.price.fee(usage.prompt_tokens.into(), usage.completion_tokens.into()).min(self.reserve)
    }

    fn payer(&self) -> Hash {
        match self.job.customer {
            Customer::Payer { hash, .. } => hash,
            Customer::Probe { .. } => [0; 32],
        }
    }

    /// Gives the whole reservation back.
    pub(super) async fn settle_failed(&mut self) {
        self.settle_without_receipt(None, MicroUsd::ZERO, 0).await;
    }

    /// Charges for text that the customer got before leaving, where no miner's claim covers it.
    pub(super) async fn settle_partial(&mut self, attempt: &Attempt, text: &DeliveredText) {
        let fee = self.fee(Usage::new(self.job.request.input_tokens, text.tokens()));
        self.settle_without_receipt(Some(attempt.by.label()), fee, text.tokens()).await;
    }

    async fn settle_without_receipt(&mut self, served_by: Option<String>, fee: MicroUsd, output_tokens: u32) {
        let settlement = Settlement {
            id: self.id.0,
            served: false,
            fee,
            input_tokens: self.job.request.input_tokens,
            output_tokens,
            served_by,
            receipt: None,
            demand: false,
        };
        if let Err(error) = self.app.ledger.settle(settlement.clone()).await {
            self.app.ledger_fails(&error);
            tracing::warn!(id = %self.id, "failed request could not be settled yet");
            self.app.settle_later(settlement);
        }
    }
}
