// SPDX-License-Identifier: Apache-2.0

//! One connection to the gateway, from `welcome` to its end.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use clawrank_primitives::proof::{HotkeyId, Keypair, SignedReceipt};
use clawrank_protocol::{
    RequestId,
    frames::{GatewayFrame, MinerFrame, Request},
};
use reqwest::Client;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    config::Plan,
    receipts::Receipts,
    request::{Shared, fail},
};
use crate::{
    LinkError,
    link::{self, Link, LinkWriter},
};

/// Frames that may wait for the connection; a backend is read no faster than the gateway takes its answer.
const OUTGOING: usize = 64;

pub(super) struct Session {
    pub(super) plan: Arc<Plan>,
    pub(super) keypair: Arc<Keypair>,
    pub(super) client: Client,
    pub(super) receipts: Receipts,
}

/// What the requests of a connection share.
struct Running {
    session: Session,
    gateway: HotkeyId,
    max_frame_bytes: u64,
    outgoing: mpsc::Sender<String>,
    slots: BTreeMap<String, Arc<Semaphore>>,
    total: Arc<Semaphore>,
    in_flight: HashMap<RequestId, CancellationToken>,
    tasks: JoinSet<RequestId>,
}

impl Session {
    /// Serves until `cancel` (then `Ok`, after draining) or until the connection ends.
    pub(super) async fn run(self, link: Link, cancel: &CancellationToken) -> Result<(), LinkError> {
        let Link { challenge, welcome, mut reader, writer } = link;
        let (outgoing, waiting) = mpsc::channel(OUTGOING);
        let mut writing = tokio::spawn(write(writer, waiting));
        let slot = |limit: u32| Arc::new(Semaphore::new(usize::try_from(limit).unwrap_or(Semaphore::MAX_PERMITS)));
        let slots = self.plan.models.iter().map(|(name, model)| (name.clone(), slot(model.max_concurrency))).collect();
        let mut running = Running {
            gateway: challenge.gateway.0,
            max_frame_bytes: welcome.max_frame_bytes,
            outgoing,
            slots,
            total: slot(welcome.max_in_flight.max(1)),
            in_flight: HashMap::new(),
            tasks: JoinSet::new(),
            session: self,
        };
        let mut leaving: Option<Instant> = None;
        let result = loop {
            tokio::select! {
                frame = reader.next() => match frame {
                    Ok(frame) => {
                        if let Err(error) = running.handle(frame, leaving.is_some()).await {
                            break Err(error);
                        }
                    }
                    // After goodbye the gateway may close when it wants to.
                    Err(_) if leaving.is_some() => break Ok(()),
                    Err(error) => break Err(error),
                },
                Some(ended) = running.tasks.join_next() => {
                    if let Ok(id) = ended {
                        running.in_flight.remove(&id);
                    }
                    if leaving.is_some() && running.tasks.is_empty() {
                        break Ok(());
                    }
                }
                written = &mut writing => {
                    break match written {
                        Ok(Err(error)) => Err(error),
                        _ => Err(LinkError::Closed),
                    };
                }
                () = cancel.cancelled(), if leaving.is_none() => {
                    let _ = running.outgoing.send(MinerFrame::Bye {}.encode()).await;
                    tracing::info!(in_flight = running.tasks.len(), "leaving the gateway");
                    leaving = Some(Instant::now() + Duration::from_millis(running.session.plan.drain_ms));
                    if running.tasks.is_empty() {
                        break Ok(());
                    }
                }
                () = sleep_until(leaving.unwrap_or_else(Instant::now)), if leaving.is_some() => {
                    tracing::warn!(in_flight = running.tasks.len(), "requests were cut off");
                    break Ok(());
                }
            }
        };
        running.tasks.abort_all();
        // Dropping the last sender lets the writer flush and close.
        drop(running);
        if !writing.is_finished() {
            let _ = tokio::time::timeout(Duration::from_secs(2), &mut writing).await;
            writing.abort();
        }
        result
    }
}

/// Writes what waits; several frames at once where they have gathered.
async fn write(mut writer: LinkWriter, mut waiting: mpsc::Receiver<String>) -> Result<(), LinkError> {
    while let Some(text) = waiting.recv().await {
        writer.feed(text).await?;
        while let Ok(text) = waiting.try_recv() {
            writer.feed(text).await?;
        }
        writer.flush().await?;
    }
    writer.close().await;
    Ok(())
}

impl Running {
    async fn handle(&mut self, frame: GatewayFrame, leaving: bool) -> Result<(), LinkError> {
        match frame {
            GatewayFrame::Request(request) => self.start(request, leaving).await,
            GatewayFrame::Cancel { id } => {
                if let Some(token) = self.in_flight.get(&id) {
                    token.cancel();
                }
                Ok(())
            }
            GatewayFrame::Ping { n } => self.send(&MinerFrame::Pong { n }).await,
            GatewayFrame::Receipt { receipt } => {
                self.keep(&receipt.0);
                Ok(())
            }
            other => {
                tracing::debug!(kind = link::name(&other), "skipped a frame that a serving miner has no use for");
                Ok(())
            }
        }
    }

    async fn send(&self, frame: &MinerFrame) -> Result<(), LinkError> {
        self.outgoing.send(frame.encode()).await.map_err(|_| LinkError::Closed)
    }

    async fn start(&mut self, request: Request, leaving: bool) -> Result<(), LinkError> {
        let permits = match self.admit(&request, leaving) {
            Ok(permits) => permits,
            Err((code, message, retryable)) => return self.send(&fail(&request, code, message, retryable)).await,
        };
        let Some(model) = self.session.plan.models.get(&request.model).cloned() else {
            return self.send(&fail(&request, "unknown_model", "this miner does not offer the model", true)).await;
        };
        let token = CancellationToken::new();
        self.in_flight.insert(request.id, token.clone());
        let (plan, keypair) = (Arc::clone(&self.session.plan), Arc::clone(&self.session.keypair));
        let (client, outgoing) = (self.session.client.clone(), self.outgoing.clone());
        let (gateway, max_frame_bytes) = (self.gateway, self.max_frame_bytes);
        self.tasks.spawn(async move {
            let id = request.id;
            let shared = Shared {
                plan: &plan,
                keypair: &keypair,
                client: &client,
                gateway,
                max_frame_bytes,
                outgoing: &outgoing,
            };
            // A cancelled request is dropped with its call to the backend; nobody waits for a word about it.
            tokio::select! {
                () = token.cancelled() => tracing::debug!(request = %id, "cancelled by the gateway"),
                () = shared.serve(request, &model) => {}
            }
            drop(permits);
            id
        });
        Ok(())
    }

    fn admit(
        &self,
        request: &Request,
        leaving: bool,
    ) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), (&'static str, &'static str, bool)> {
        if leaving {
            return Err(("busy", "this miner is leaving", true));
        }
        if self.in_flight.contains_key(&request.id) {
            return Err(("bad_request", "a request with this id is in flight", false));
        }
        let Some(slot) = self.slots.get(&request.model) else {
            return Err(("unknown_model", "this miner does not offer the model", true));
        };
        let busy = |_| ("busy", "all slots of this miner are taken", true);
        let total = Arc::clone(&self.total).try_acquire_owned().map_err(busy)?;
        Ok((Arc::clone(slot).try_acquire_owned().map_err(busy)?, total))
    }

    /// Keeps a receipt if it is one of this miner's, signed by this gateway.
    fn keep(&self, bytes: &[u8]) {
        let own = self.session.keypair.public();
        let checked = SignedReceipt::decode_limited(bytes)
            .and_then(|receipt| receipt.verify(&self.gateway, |miner| *miner == own).map(|()| receipt));
        match checked {
            Ok(receipt) => self.session.receipts.keep(&receipt),
            Err(error) => tracing::warn!(%error, "the gateway sent a receipt that proves nothing"),
        }
    }
}
