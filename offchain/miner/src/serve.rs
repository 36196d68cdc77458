// SPDX-License-Identifier: Apache-2.0

//! The serving miner: requests from the gateway, answers from a backend, a signed claim after each.
//!
//! One connection at a time; when it breaks, the next one follows after a growing pause. Chunks of a backend are passed on
//! as they come. The miner claims the tokens that its backend reports, or a coarse count where it reports none. Its
//! copies of receipts are checked and kept.

mod config;
mod receipts;
mod request;
mod session;

use std::{sync::Arc, time::Duration};

use clawrank_primitives::proof::Keypair;
use clawrank_protocol::frames::Role;
use tokio_util::sync::CancellationToken;

pub use config::{Config, ModelConfig};
pub use receipts::{ReceiptBook, StoredReceipt};

use crate::{
    Backoff, Error,
    link::{self, Introduction},
    upstream,
};
use session::Session;

/// Serves until `cancel`, then leaves in an orderly way: says goodbye and ends what is in flight.
///
/// # Errors
///
/// - [`Error::Config`]: a setting cannot be used.
/// - [`Error::Io`], [`Error::Damaged`]: the data folder cannot be used.
/// - [`Error::Link`]: the gateway refuses this miner for good, or is not the configured one.
pub async fn run(config: Config, keypair: Keypair, cancel: CancellationToken) -> Result<(), Error> {
    let plan = Arc::new(config.check()?);
    let book = ReceiptBook::open(&plan.data_dir, plan.receipts_max_bytes, plan.receipts_files)?;
    let stop = CancellationToken::new();
    let (receipts, receipts_task) = receipts::spawn(book, stop.clone());
    let client = upstream::client(plan.max_in_flight())
        .map_err(|error| Error::Config { field: "backend_url", problem: error.to_string() })?;
    let keypair = Arc::new(keypair);
    let mut backoff =
        Backoff::new(Duration::from_millis(plan.reconnect_min_ms), Duration::from_millis(plan.reconnect_max_ms));
    let introduction = Introduction { role: Role::Serve, models: plan.offers(), agent: plan.agent.clone() };
    let result = loop {
        let connecting = link::connect(
            &plan.socket_url,
            &keypair,
            &plan.expected,
            introduction.clone(),
            Duration::from_millis(plan.connect_deadline_ms),
        );
        let linked = tokio::select! {
            linked = connecting => linked,
            () = cancel.cancelled() => break Ok(()),
        };
        let ended = match linked {
            Ok(linked) => {
                tracing::info!(
                    gateway = %linked.challenge.gateway,
                    session = linked.welcome.session,
                    models = introduction.models.len(),
                    "serving"
                );
                backoff.reset();
                let session = Session {
                    plan: Arc::clone(&plan),
                    keypair: Arc::clone(&keypair),
                    client: client.clone(),
                    receipts: receipts.clone(),
                };
                match session.run(linked, &cancel).await {
                    Ok(()) => break Ok(()),
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        if !ended.is_retryable() {
            break Err(Error::Link(ended));
        }
        let delay = backoff.next_delay();
        tracing::warn!(error = %ended, retry_ms = delay.as_millis(), "not connected to the gateway");
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = cancel.cancelled() => break Ok(()),
        }
    };
    drop(receipts);
    stop.cancel();
    receipts_task.await.map_err(|_| Error::Job { job: "the receipt book" })?;
    result
}
