// SPDX-License-Identifier: Apache-2.0

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
};

use axum::extract::ws::Utf8Bytes;
use clawrank_protocol::{
    RequestId,
    encoding::{Hex, HexBytes},
    frames::{
        Done, Fail, GatewayFrame, MinerFrame, ModelOffer, Open, Opened, OpenedLeaf, RefusalCode, Refused, Request, Role,
    },
    limits::OUTBOUND_QUEUE,
    needs::Need,
    proof::{Hash, HotkeyId, Salt},
};
use serde_json::value::RawValue;
use tokio::sync::{Notify, mpsc};

use crate::stats::TargetStats;

/// Events that may wait for one customer; a customer slower than that loses the request.
const EVENTS: usize = 256;

/// Bytes of events that may wait for one customer.
const MAX_BUFFERED: usize = 4 * 1024 * 1024;

/// Ended requests that a session remembers, to tell a late frame from a made-up one.
const REMEMBERED: usize = 64;

/// Breaches after which a connection is ended.
const MAX_STRIKES: u32 = 16;

/// What a miner sends about one request.
#[derive(Debug)]
pub(crate) enum Event {
    /// Part of a stream, in order.
    Chunk(Box<RawValue>),
    /// A whole answer.
    Answer(Box<RawValue>),
    /// The claim; nothing follows. `None` from endpoints, which claim nothing.
    Done(Option<Box<Done>>),
    /// The miner could not; nothing follows.
    Fail(Box<Fail>),
}

/// Why a request ended without `Done` or `Fail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The connection is gone.
    Lost,
    /// The miner broke the protocol.
    Breach(&'static str),
    /// The customer read too slowly.
    TooSlow,
}

/// A model that a session offers.
#[derive(Debug)]
pub(crate) struct Offer {
    /// Name as the miner wrote it.
    pub(crate) model: Arc<str>,
    /// Name as customers' are compared with it.
    pub(crate) key: Arc<str>,
    pub(crate) max_concurrency: u32,
    pub(crate) context_tokens: u32,
    pub(crate) price_in: u64,
    pub(crate) price_out: u64,
    pub(crate) lacks: Vec<Need>,
    pub(crate) in_flight: AtomicU32,
}

impl Offer {
    pub(crate) fn to_wire(&self) -> ModelOffer {
        ModelOffer {
            id: self.model.to_string(),
            max_concurrency: self.max_concurrency,
            context_tokens: self.context_tokens,
            price_in_micro_usd_per_mtok: self.price_in,
            price_out_micro_usd_per_mtok: self.price_out,
            lacks: self.lacks.clone(),
        }
    }
}

/// The form in which names of models are compared: trimmed, ASCII letters in lower case, as cells have them.
pub(crate) fn model_key(model: &str) -> String {
    model.trim().to_ascii_lowercase()
}

impl Event {
    /// Bytes that it holds while it waits.
    fn size(&self) -> usize {
        match self {
            Self::Chunk(json) | Self::Answer(json) => json.get().len(),
            Self::Done(_) | Self::Fail(_) => 0,
        }
    }
}

/// What both ends of an attempt share.
#[derive(Debug, Default)]
struct Shared {
    ended: OnceLock<Ended>,
    /// Bytes of events that wait.
    buffered: AtomicUsize,
}

#[derive(Debug)]
struct Waiting {
    events: mpsc::Sender<Event>,
    shared: Arc<Shared>,
    stream: bool,
    next_seq: u32,
    answered: bool,
    /// Bytes of frames that the request may still take.
    budget: usize,
}

impl Waiting {
    /// Counts an event that is about to wait; `true` when too much waits already.
    fn is_overfull(&self, event: &Event) -> bool {
        let size = event.size();
        self.shared.buffered.fetch_add(size, Ordering::Relaxed).saturating_add(size) > MAX_BUFFERED
    }
}

#[derive(Debug, Default)]
struct Pending {
    requests: HashMap<RequestId, Waiting>,
    opens: HashMap<RequestId, mpsc::Sender<Opened>>,
    /// Ended requests; `true` where the miner itself ended it, so that nothing may follow.
    ended: VecDeque<(RequestId, bool)>,
}

impl Pending {
    fn remember(&mut self, id: RequestId, by_miner: bool) {
        if self.ended.len() >= REMEMBERED {
            self.ended.pop_front();
        }
        self.ended.push_back((id, by_miner));
    }
}

/// One connection of a miner, as the rest of the gateway sees it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: u64,
    pub(crate) hotkey: HotkeyId,
    pub(crate) role: Role,
    pub(crate) offers: Box<[Offer]>,
    pub(crate) stats: Arc<TargetStats>,
    out: mpsc::Sender<Utf8Bytes>,
    pending: Mutex<Pending>,
    in_flight: AtomicU32,
    max_in_flight: u32,
    leaving: AtomicBool,
    strikes: AtomicU32,
    pub(super) last_ping: AtomicU64,
    pub(super) last_pong: AtomicU64,
    pub(super) closing: Notify,
    pub(super) refusal: OnceLock<Refused>,
}

/// Why a request was not even sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartError {
    /// At a limit, or its queue is full.
    Busy,
    /// It leaves or is gone.
    Gone,
}

/// A request for a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work<'a> {
    pub(crate) id: RequestId,
    pub(crate) stream: bool,
    pub(crate) deadline_ms: u64,
    pub(crate) salt: Salt,
    pub(crate) body: &'a RawValue,
    /// Bytes of frames that the answer may take.
    pub(crate) budget: usize,
}

impl Session {
    pub(super) fn new(
        id: u64,
        hotkey: HotkeyId,
        role: Role,
        offers: Box<[Offer]>,
        stats: Arc<TargetStats>,
        max_in_flight: u32,
    ) -> (Arc<Self>, mpsc::Receiver<Utf8Bytes>) {
        let (out, queue) = mpsc::channel(OUTBOUND_QUEUE);
        let session = Self {
            id,
            hotkey,
            role,
            offers,
            stats,
            out,
            pending: Mutex::default(),
            in_flight: AtomicU32::new(0),
            max_in_flight,
            leaving: AtomicBool::new(false),
            strikes: AtomicU32::new(0),
            last_ping: AtomicU64::new(0),
            last_pong: AtomicU64::new(0),
            closing: Notify::new(),
            refusal: OnceLock::new(),
        };
        (Arc::new(session), queue)
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(crate) fn offer_of(&self, key: &str) -> Option<usize> {
        self.offers.iter().position(|offer| offer.key.as_ref() == key)
    }

    /// Ends the connection, with a reason for the miner. The first reason stays.
    pub(crate) fn close(&self, code: RefusalCode, message: &str) {
        self.leaving.store(true, Ordering::Relaxed);
        let _ = self.refusal.set(Refused { code, message: message.to_owned() });
        self.closing.notify_one();
    }

    /// Sends a frame if the queue has room.
    pub(crate) fn send(&self, frame: &GatewayFrame) -> Result<(), StartError> {
        self.out.try_send(frame.encode().into()).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StartError::Busy,
            mpsc::error::TrySendError::Closed(_) => StartError::Gone,
        })
    }

    /// Sends a request and returns its end of the conversation.
    pub(crate) fn start(self: &Arc<Self>, offer: usize, work: Work<'_>) -> Result<Call, StartError> {
        let Some(offered) = self.offers.get(offer).filter(|_| !self.is_leaving()) else {
            return Err(StartError::Gone);
        };
        let slot = Slot::take(self, offer, offered).ok_or(StartError::Busy)?;
        let (sender, events) = mpsc::channel(EVENTS);
        let shared = Arc::<Shared>::default();
        let waiting = Waiting {
            events: sender,
            shared: Arc::clone(&shared),
            stream: work.stream,
            next_seq: 0,
            answered: false,
            budget: work.budget,
        };
        self.lock().requests.insert(work.id, waiting);
        let call = Call { events, shared, source: Source::Miner { slot, id: work.id, over: false } };
        self.send(&GatewayFrame::Request(Request {
            id: work.id,
            model: offered.model.to_string(),
            stream: work.stream,
            deadline_ms: work.deadline_ms,
            salt: Hex(work.salt),
            body: work.body.to_owned(),
        }))?;
        Ok(call)
    }

    /// Asks for leaves of a bundle.
    pub(crate) fn open(
        self: &Arc<Self>,
        id: RequestId,
        root: Hash,
        leaves: Vec<u32>,
        deadline_ms: u64,
    ) -> Result<OpenCall, StartError> {
        let (sender, answers) = mpsc::channel(4);
        self.lock().opens.insert(id, sender);
        let call = OpenCall { answers, session: Arc::clone(self), id };
        self.send(&GatewayFrame::Open(Open { id, root: Hex(root), leaves, deadline_ms }))?;
        Ok(call)
    }

    /// The miner's copy of a receipt; dropped when its queue is full, since `/v1/receipts` has it too.
    pub(crate) fn send_receipt(&self, receipt: Vec<u8>) {
        let _ = self.send(&GatewayFrame::Receipt { receipt: HexBytes(receipt) });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends everything that waits for this connection.
    pub(super) fn abandon(&self) {
        self.leaving.store(true, Ordering::Relaxed);
        let mut pending = self.lock();
        pending.requests.clear();
        pending.opens.clear();
    }

    /// Notes a breach that belongs to no request; `true` when the connection is to be ended.
    pub(super) fn strike(&self, what: &str) -> bool {
        self.stats.breached();
        let strikes = self.strikes.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        tracing::warn!(session = self.id, strikes, what, "miner broke the protocol");
        strikes >= MAX_STRIKES
    }

    /// Hands a frame to whoever waits for it.
    ///
    /// # Errors
    ///
    /// What the miner broke, when no request is hurt by it; a breach inside a request ends that request only.
    pub(super) fn deliver(&self, frame: MinerFrame, bytes: usize) -> Result<(), &'static str> {
        match frame {
            MinerFrame::Chunk(chunk) => self.advance(chunk.id, bytes, |waiting| {
                if !waiting.stream {
                    return Err("chunk for a request that is not streamed");
                }
                if chunk.seq != waiting.next_seq {
                    return Err("chunks have a gap in their sequence");
                }
                waiting.next_seq = waiting.next_seq.saturating_add(1);
                Ok((Event::Chunk(chunk.data), false))
            }),
            MinerFrame::Answer(answer) => self.advance(answer.id, bytes, |waiting| {
                if waiting.stream || waiting.answered {
                    return Err("answer for a streamed request, or a second one");
                }
                waiting.answered = true;
                Ok((Event::Answer(answer.body), false))
            }),
            MinerFrame::Done(done) => self.advance(done.id, bytes, |waiting| {
                if !waiting.stream && !waiting.answered {
                    return Err("done before the answer");
                }
                Ok((Event::Done(Some(Box::new(done))), true))
            }),
            MinerFrame::Fail(fail) => self.advance(fail.id, bytes, |_| Ok((Event::Fail(Box::new(fail)), true))),
            MinerFrame::Pong { n } => {
                if n > self.last_ping.load(Ordering::Relaxed) {
                    return Err("pong for a ping that was never sent");
                }
                self.last_pong.fetch_max(n, Ordering::Relaxed);
                Ok(())
            }
            MinerFrame::Opened(opened) => {
                let pending = self.lock();
                let Some(answers) = pending.opens.get(&opened.id) else {
                    // The validator may have left; openings are no secret, so this is no breach.
                    return Ok(());
                };
                if answers.try_send(opened).is_err() {
                    return Err("more `opened` frames than leaves asked for");
                }
                Ok(())
            }
            MinerFrame::Bye {} => {
                self.leaving.store(true, Ordering::Relaxed);
                Ok(())
            }
            MinerFrame::Hello(_) => Err("a second hello"),
        }
    }

    fn advance(
        &self,
        id: RequestId,
        bytes: usize,
        step: impl FnOnce(&mut Waiting) -> Result<(Event, bool), &'static str>,
    ) -> Result<(), &'static str> {
        let mut pending = self.lock();
        let Some(waiting) = pending.requests.get_mut(&id) else {
            return match pending.ended.iter().rev().find(|(ended, _)| *ended == id) {
                // The gateway ended it; the miner could not know yet.
                Some((_, false)) => Ok(()),
                Some((_, true)) => Err("frame for a request after its end"),
                None => Err("frame for a request that was never sent"),
            };
        };
        let end = match waiting.budget.checked_sub(bytes) {
            None => Err(Ended::Breach("answer is larger than its max_tokens allow")),
            Some(left) => {
                waiting.budget = left;
                match step(waiting) {
                    Err(what) => Err(Ended::Breach(what)),
                    Ok((event, _)) if waiting.is_overfull(&event) => Err(Ended::TooSlow),
                    Ok((event, last)) => match waiting.events.try_send(event) {
                        Ok(()) => Ok(last),
                        Err(mpsc::error::TrySendError::Full(_)) => Err(Ended::TooSlow),
                        // The request's own end is being dropped; `Call` cancels it.
                        Err(mpsc::error::TrySendError::Closed(_)) => Ok(false),
                    },
                }
            }
        };
        match end {
            Ok(false) => {}
            Ok(true) => {
                pending.requests.remove(&id);
                pending.remember(id, true);
            }
            Err(ended) => {
                let _ = waiting.shared.ended.set(ended);
                pending.requests.remove(&id);
                pending.remember(id, false);
                drop(pending);
                let _ = self.send(&GatewayFrame::Cancel { id });
                if let Ended::Breach(what) = ended {
                    tracing::warn!(session = self.id, %id, what, "miner broke the protocol; its request is ended");
                }
            }
        }
        Ok(())
    }
}

/// One of a session's places for requests.
#[derive(Debug)]
struct Slot {
    session: Arc<Session>,
    offer: usize,
}

fn take_below(counter: &AtomicU32, limit: u32) -> bool {
    let take = |held: u32| (held < limit).then(|| held.saturating_add(1));
    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
}

impl Slot {
    fn take(session: &Arc<Session>, offer: usize, offered: &Offer) -> Option<Self> {
        if !take_below(&session.in_flight, session.max_in_flight) {
            return None;
        }
        if !take_below(&offered.in_flight, offered.max_concurrency) {
            session.in_flight.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self { session: Arc::clone(session), offer })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.session.in_flight.fetch_sub(1, Ordering::Relaxed);
        if let Some(offered) = self.session.offers.get(self.offer) {
            offered.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[derive(Debug)]
enum Source {
    Miner { slot: Slot, id: RequestId, over: bool },
    Endpoint { _guard: tokio_util::sync::DropGuard },
}

/// The gateway's end of one attempt. Dropping it cancels the attempt.
#[derive(Debug)]
pub(crate) struct Call {
    events: mpsc::Receiver<Event>,
    shared: Arc<Shared>,
    source: Source,
}

impl Call {
    /// An attempt whose events come from elsewhere; dropping the call triggers `guard`. The second value takes the
    /// reason when the events end early.
    pub(crate) fn from_endpoint(
        events: mpsc::Receiver<Event>,
        guard: tokio_util::sync::DropGuard,
    ) -> (Self, impl FnOnce(Ended) + Send + 'static) {
        let shared = Arc::<Shared>::default();
        let reason = Arc::clone(&shared);
        let end = move |ended| {
            let _ = reason.ended.set(ended);
        };
        (Self { events, shared, source: Source::Endpoint { _guard: guard } }, end)
    }

    /// The next event; an error when there will be none.
    pub(crate) async fn next(&mut self) -> Result<Event, Ended> {
        let event = self.events.recv().await.ok_or_else(|| self.shared.ended.get().copied().unwrap_or(Ended::Lost))?;
        if let Source::Miner { .. } = self.source {
            self.shared.buffered.fetch_sub(event.size(), Ordering::Relaxed);
        }
        if let (Event::Done(_) | Event::Fail(_), Source::Miner { over, .. }) = (&event, &mut self.source) {
            *over = true;
        }
        Ok(event)
    }

    /// Tells the miner that nobody waits, but goes on listening for its claim.
    pub(crate) fn cancel(&self) {
        if let Source::Miner { slot, id, over: false } = &self.source {
            let _ = slot.session.send(&GatewayFrame::Cancel { id: *id });
        }
    }

    pub(crate) fn session(&self) -> Option<&Arc<Session>> {
        match &self.source {
            Source::Miner { slot, .. } => Some(&slot.session),
            Source::Endpoint { .. } => None,
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Source::Miner { slot, id, over: false } = &self.source {
            let mut pending = slot.session.lock();
            if pending.requests.remove(id).is_some() {
                pending.remember(*id, false);
                drop(pending);
                let _ = slot.session.send(&GatewayFrame::Cancel { id: *id });
            }
        }
    }
}

/// The gateway's end of one question for leaves.
#[derive(Debug)]
pub(crate) struct OpenCall {
    answers: mpsc::Receiver<Opened>,
    session: Arc<Session>,
    id: RequestId,
}

impl OpenCall {
    /// All leaves, of as many frames as the miner takes; fewer when the connection ends.
    pub(crate) async fn collect(&mut self, most: usize) -> Option<Vec<OpenedLeaf>> {
        let mut leaves = Vec::new();
        loop {
            let opened = self.answers.recv().await?;
            leaves.extend(opened.openings);
            if !opened.more || leaves.len() >= most {
                leaves.truncate(most);
                return Some(leaves);
            }
        }
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.session.lock().opens.remove(&self.id);
    }
}
