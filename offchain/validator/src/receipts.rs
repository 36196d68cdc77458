// SPDX-License-Identifier: Apache-2.0
//! Reads receipts from the gateways: every signature checked, every id counted once (rules §1.1).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use clawrank_primitives::{
    proof::{HotkeyId, ProofError, SignedReceipt},
    scoring::{MinuteWindow, Refusal, ServingParams, countable},
};
use clawrank_protocol::HexBytes;
use clawrank_store::journal::{Ingested, Journal, ReceiptRow};
use tokio_util::sync::CancellationToken;

use crate::{
    Error,
    gateway::{Gateway, RawPage, RawReceipt},
    gateways::Gateways,
    now_ms,
    rulebook::{Rulebook, Rules},
    warm::Warmth,
};

#[cfg(test)]
mod tests;

/// Payer of a probe: nobody.
const NO_PAYER: [u8; 32] = [0; 32];

/// Minutes by which a gateway's clock may be ahead of this one's.
const CLOCK_SLACK_MINUTES: u64 = 1;

/// A page, sorted into what counts and what does not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sorted {
    pub(crate) valid: Vec<ReceiptRow>,
    /// Refused receipts by reason: a sign of a broken or dishonest gateway or miner.
    pub(crate) refused: BTreeMap<&'static str, u64>,
    /// Receipts that are right and do not count: probes, incomplete answers, old ones.
    pub(crate) ignored: u64,
}

/// Checks every receipt of a page. Two signatures each: run it where blocking is allowed.
pub(crate) fn sort(page: &[RawReceipt], gateway: &HotkeyId, now_ms: u64, params: &ServingParams) -> Sorted {
    let now_minute = MinuteWindow::minute_of(now_ms).saturating_add(CLOCK_SLACK_MINUTES);
    let mut sorted = Sorted::default();
    for entry in page {
        match check(entry, gateway, now_minute, params) {
            Ok(Some(row)) => sorted.valid.push(row),
            Ok(None) => sorted.ignored = sorted.ignored.saturating_add(1),
            Err(reason) => {
                let count = sorted.refused.entry(reason).or_insert(0);
                *count = count.saturating_add(1);
            }
        }
    }
    sorted
}

fn check(
    entry: &RawReceipt,
    gateway: &HotkeyId,
    now_minute: u64,
    params: &ServingParams,
) -> Result<Option<ReceiptRow>, &'static str> {
    let HexBytes(bytes) = entry.receipt.parse().map_err(|_| "not hexadecimal")?;
    let signed = SignedReceipt::decode_limited(&bytes).map_err(|_| "not a receipt")?;
    // Whether the miner is registered is asked when scores are made: a miner may be newer than this view of the chain.
    signed.verify(gateway, |_| true).map_err(|error| match error {
        ProofError::WrongParty => "another gateway's",
        ProofError::UnknownVersion { .. } => "unknown version",
        _ => "bad signature",
    })?;
    let receipt = &signed.receipt;
    if receipt.payer == NO_PAYER {
        return Ok(None);
    }
    match countable(receipt, now_minute, params) {
        Ok((minute, usage)) => Ok(Some(ReceiptRow {
            id: receipt.claim.request_id.to_vec(),
            miner: receipt.claim.miner,
            payer: receipt.payer,
            minute,
            tokens: usage.tokens,
            fee_micro_usd: usage.fee.get(),
        })),
        Err(Refusal::Incomplete) => Ok(None),
        Err(Refusal::OutsideWindow) if MinuteWindow::minute_of(receipt.received_ms) > now_minute => {
            Err("from the future")
        }
        Err(Refusal::OutsideWindow) => Ok(None),
        Err(Refusal::RecountDisagrees) => Err("token counts disagree"),
    }
}

/// The reading task.
pub(crate) struct Reader {
    pub(crate) journal: Arc<Journal>,
    pub(crate) gateways: Gateways,
    pub(crate) rules: Arc<Rulebook>,
    pub(crate) interval: Duration,
    pub(crate) page: u32,
    pub(crate) pages: u32,
    pub(crate) warm: Arc<Warmth>,
}

impl Reader {
    /// Reads every gateway once per interval until `cancel`.
    ///
    /// # Errors
    ///
    /// [`Error::Journal`] when receipts cannot be stored and waiting cannot help.
    pub(crate) async fn run(self, cancel: CancellationToken) -> Result<(), Error> {
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = self.rules.known() => {}
        }
        loop {
            let done = tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                done = self.round() => done,
            };
            crate::retry_or_end(done, "receipts")?;
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = tokio::time::sleep(self.interval) => {}
            }
        }
    }

    /// Reads every gateway once, side by side: a slow one delays none.
    pub(crate) async fn round(&self) -> Result<(), Error> {
        let Some(rules) = self.rules.newest() else { return Ok(()) };
        let gateways = self.gateways.usable().await;
        let reads = gateways.iter().map(|gateway| self.read(gateway, &rules));
        let mut whole = gateways.len() == self.gateways.len();
        for result in futures::future::join_all(reads).await {
            whole &= result?;
        }
        if whole {
            self.warm.receipts_read();
        }
        // An id must be remembered for as long as its receipt could still count, with an hour to spare.
        let first = MinuteWindow::first_minute(MinuteWindow::minute_of(now_ms()), rules.params.serving.window_minutes);
        self.journal.forget_traffic_before(first.saturating_sub(60)).await?;
        Ok(())
    }

    /// Reads one gateway until it has no more (true), a page fails, or the bound of pages is reached.
    async fn read(&self, gateway: &Gateway, rules: &Arc<Rules>) -> Result<bool, Error> {
        let mut since = self.journal.cursor(&gateway.hotkey()).await?;
        for _ in 0..self.pages {
            let page = match gateway.receipts(since, self.page).await {
                Ok(page) => page,
                Err(error) => {
                    metrics::counter!("clawrank_validator_gateway_errors_total").increment(1);
                    tracing::warn!(gateway = gateway.name(), %error, "cannot read receipts");
                    return Ok(false);
                }
            };
            let more = page.more && !page.receipts.is_empty();
            if !page.receipts.is_empty() {
                since = page.next;
                self.store(gateway, page, rules).await?;
            }
            if !more {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn store(&self, gateway: &Gateway, page: RawPage, rules: &Arc<Rules>) -> Result<Ingested, Error> {
        let (hotkey, rules, next) = (gateway.hotkey(), Arc::clone(rules), page.next);
        let sorted =
            tokio::task::spawn_blocking(move || sort(&page.receipts, &hotkey, now_ms(), &rules.params.serving))
                .await
                .map_err(|_| Error::Panicked { task: "receipts" })?;
        let ingested = self.journal.record_receipts(&hotkey, &sorted.valid, next).await?;
        for (reason, count) in &sorted.refused {
            metrics::counter!("clawrank_validator_receipts_refused_total", "reason" => *reason).increment(*count);
            tracing::warn!(gateway = gateway.name(), reason, count, "refused receipts");
            self.journal.record_refusals(&hotkey, reason, *count).await?;
        }
        metrics::counter!("clawrank_validator_receipts_total").increment(ingested.new);
        metrics::counter!("clawrank_validator_receipts_seen_total").increment(ingested.seen);
        Ok(ingested)
    }
}
