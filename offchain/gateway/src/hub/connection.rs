// SPDX-License-Identifier: Apache-2.0

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    Error,
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket},
};
use clawrank_protocol::{
    frames::{GatewayFrame, MinerFrame, RefusalCode, Refused},
    limits::MISSED_PINGS,
};
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite;

use super::{
    Session,
    handshake::{Admitted, handshake},
};
use crate::{app::App, quota::Held};

/// Serves one miner's connection from challenge to close.
pub(crate) async fn serve(app: Arc<App>, mut socket: WebSocket, _address: Held<IpAddr>) {
    // Boxed, so that a connection does not keep the handshake's memory for its whole life.
    let Admitted { session, queue, held: _held } = match Box::pin(handshake(&app, &mut socket)).await {
        Ok(admitted) => admitted,
        Err(refusal) => {
            if let Some(refusal) = refusal {
                app.metrics.refused_miners.increment(1);
                tracing::info!(code = refusal.code.as_str(), message = refusal.message, "miner refused");
                part(socket, &refusal).await;
            }
            return;
        }
    };
    app.hub.add(Arc::clone(&session));
    let guard = Leave { app: &app, session: &session };
    let (mut sink, mut stream) = socket.split();
    let refusal = tokio::select! {
        refusal = read(&app, &session, &mut stream) => refusal,
        refusal = write(&app, &session, &mut sink, queue) => Some(refusal),
        () = session.closing.notified() => session.refusal.get().cloned(),
    };
    drop(guard);
    if let (Some(refusal), Ok(socket)) = (refusal, stream.reunite(sink)) {
        tracing::info!(session = session.id, code = refusal.code.as_str(), message = refusal.message, "miner dropped");
        Box::pin(part(socket, &refusal)).await;
    }
}

/// Takes the session off the hub, however the connection ends.
struct Leave<'a> {
    app: &'a App,
    session: &'a Session,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.app.hub.remove(self.session.id);
        self.session.abandon();
    }
}

/// Says why, then closes; waits for neither longer than a second.
async fn part(mut socket: WebSocket, refusal: &Refused) {
    let frame = GatewayFrame::Refused(refusal.clone()).encode();
    let close = CloseFrame { code: 1008, reason: Utf8Bytes::from_static(refusal.code.as_str()) };
    let say = async {
        socket.send(Message::Text(frame.into())).await?;
        socket.send(Message::Close(Some(close))).await?;
        // Reads what is on its way, so that the close is not overtaken by a reset.
        while let Some(Ok(_)) = socket.recv().await {}
        Ok::<(), Error>(())
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), say).await;
}

/// What to tell a miner whose connection failed; `None` when it is simply gone.
pub(super) fn refusal_of(error: &Error, max_frame_bytes: usize) -> Option<Refused> {
    let cause = std::error::Error::source(error)?.downcast_ref::<tungstenite::Error>()?;
    match cause {
        tungstenite::Error::Capacity(_) => Some(Refused {
            code: RefusalCode::FrameTooLarge,
            message: format!("a frame exceeds {max_frame_bytes} bytes; send less at once"),
        }),
        tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_) => {
            Some(Refused { code: RefusalCode::BadFrame, message: cause.to_string() })
        }
        _ => None,
    }
}

/// Reads frames until the connection ends or is to be ended.
async fn read(app: &App, session: &Session, stream: &mut SplitStream<WebSocket>) -> Option<Refused> {
    let max = app.config.limits.max_frame_bytes;
    while let Some(message) = stream.next().await {
        let struck = match message {
            Ok(Message::Text(text)) => match MinerFrame::decode(&text, max) {
                Ok(frame) => session.deliver(frame, text.len()).is_err_and(|what| breach(app, session, what)),
                Err(error) => breach(app, session, &error.to_string()),
            },
            Ok(Message::Binary(_)) => breach(app, session, "frames are text"),
            Ok(Message::Ping(_) | Message::Pong(_)) => false,
            Ok(Message::Close(_)) => return None,
            Err(error) => {
                let refusal = refusal_of(&error, max);
                if let Some(refusal) = &refusal {
                    breach(app, session, &refusal.message);
                }
                return refusal;
            }
        };
        if struck {
            let message = "too many frames broke the protocol".to_owned();
            return Some(Refused { code: RefusalCode::BadFrame, message });
        }
    }
    None
}

fn breach(app: &App, session: &Session, what: &str) -> bool {
    app.metrics.breaches.increment(1);
    session.strike(what)
}

/// Writes queued frames and pings until the miner is stuck.
async fn write(
    app: &App,
    session: &Session,
    sink: &mut SplitSink<WebSocket, Message>,
    mut queue: mpsc::Receiver<Utf8Bytes>,
) -> Refused {
    let stuck_ms = app.config.timing.stuck_ms;
    let interval = Duration::from_millis(app.config.timing.ping_interval_ms.max(1));
    let mut pings = tokio::time::interval_at(tokio::time::Instant::now() + interval, interval);
    pings.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut sent = 0u64;
    loop {
        let sending = async {
            tokio::select! {
                frame = queue.recv() => {
                    let Some(frame) = frame else { return Ok(true) };
                    timed(stuck_ms, sink, Message::Text(frame)).await?;
                }
                _ = pings.tick() => {
                    if sent.saturating_sub(session.last_pong.load(Ordering::Relaxed)) >= u64::from(MISSED_PINGS) {
                        return Ok(false);
                    }
                    sent = sent.saturating_add(1);
                    session.last_ping.store(sent, Ordering::Relaxed);
                    let ping = GatewayFrame::Ping { n: sent }.encode();
                    timed(stuck_ms, sink, Message::Text(ping.into())).await?;
                    timed(stuck_ms, sink, Message::Ping(bytes::Bytes::new())).await?;
                }
            }
            Ok::<bool, ()>(true)
        };
        if let Ok(true) = sending.await {
            continue;
        }
        return Refused {
            code: RefusalCode::Stuck,
            message: format!("{MISSED_PINGS} pings or a write of {stuck_ms} ms went unanswered"),
        };
    }
}

async fn timed(stuck_ms: u64, sink: &mut SplitSink<WebSocket, Message>, message: Message) -> Result<(), ()> {
    match tokio::time::timeout(Duration::from_millis(stuck_ms), sink.send(message)).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(()),
    }
}
