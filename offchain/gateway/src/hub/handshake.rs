// SPDX-License-Identifier: Apache-2.0

use std::{sync::Arc, sync::atomic::AtomicU32, time::Duration};

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use clawrank_protocol::{
    encoding::{Hex, Hotkey},
    frames::{Challenge, GatewayFrame, Hello, MinerFrame, RefusalCode, Refused, Role, Welcome},
    limits::PROTOCOL_VERSION,
    proof::{self, HotkeyId},
};
use tokio::sync::mpsc;

use super::{Offer, Session, model_key};
use crate::{app::App, clock::now_ms, quota::Held};

/// A connection that was let in.
pub(super) struct Admitted {
    pub(super) session: Arc<Session>,
    pub(super) queue: mpsc::Receiver<Utf8Bytes>,
    pub(super) held: Held<HotkeyId>,
}

fn refused(code: RefusalCode, message: impl Into<String>) -> Refused {
    Refused { code, message: message.into() }
}

/// Challenges the miner and lets it in, or says why not.
///
/// # Errors
///
/// The refusal to send; `None` when the connection is gone already.
pub(super) async fn handshake(app: &Arc<App>, socket: &mut WebSocket) -> Result<Admitted, Option<Refused>> {
    let nonce = Hex::<32>::random().map_err(|_| None)?;
    let challenge = GatewayFrame::Challenge(Challenge {
        version: PROTOCOL_VERSION,
        nonce,
        genesis: Hex(app.genesis),
        netuid: app.config.netuid,
        gateway: Hotkey(app.me),
        time_ms: now_ms(),
    });
    let deadline_ms = app.config.timing.auth_deadline_ms;
    let exchange = async {
        socket.send(Message::Text(challenge.encode().into())).await.map_err(|_| None)?;
        loop {
            match socket.recv().await {
                Some(Ok(Message::Text(text))) => break Ok(text),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(_))) => break Err(Some(refused(RefusalCode::BadFrame, "frames are text"))),
                Some(Err(error)) => {
                    break Err(super::connection::refusal_of(&error, app.config.limits.max_frame_bytes));
                }
                Some(Ok(Message::Close(_))) | None => break Err(None),
            }
        }
    };
    let text = tokio::time::timeout(Duration::from_millis(deadline_ms), exchange)
        .await
        .map_err(|_| Some(refused(RefusalCode::AuthTimeout, format!("no hello within {deadline_ms} ms"))))??;
    let hello = match MinerFrame::decode(&text, app.config.limits.max_frame_bytes) {
        Ok(MinerFrame::Hello(hello)) => hello,
        Ok(_) => return Err(Some(refused(RefusalCode::BadFrame, "the first frame must be `hello`"))),
        Err(error) => return Err(Some(refused(RefusalCode::BadFrame, error.to_string()))),
    };
    let admitted = admit(app, &hello, nonce).map_err(Some)?;
    let welcome = GatewayFrame::Welcome(Welcome {
        session: admitted.session.id,
        ping_interval_ms: app.config.timing.ping_interval_ms,
        max_frame_bytes: app.config.limits.max_frame_bytes as u64,
        max_in_flight: app.config.limits.max_in_flight_per_miner,
    });
    let stuck = Duration::from_millis(app.config.timing.stuck_ms);
    match tokio::time::timeout(stuck, socket.send(Message::Text(welcome.encode().into()))).await {
        Ok(Ok(())) => Ok(admitted),
        _ => Err(None),
    }
}

/// Checks a `hello`, the cheap checks before the signature.
fn admit(app: &Arc<App>, hello: &Hello, nonce: Hex<32>) -> Result<Admitted, Refused> {
    if hello.version != PROTOCOL_VERSION {
        let message = format!("version {} is not {PROTOCOL_VERSION}; upgrade the older side", hello.version);
        return Err(refused(RefusalCode::Version, message));
    }
    if hello.models.len() > app.config.limits.max_models {
        let message = format!("{} models exceed {}", hello.models.len(), app.config.limits.max_models);
        return Err(refused(RefusalCode::TooManyModels, message));
    }
    if app.registry.standing(&hello.hotkey.0).is_none() {
        let message = format!("{} is not registered on subnet {}", hello.hotkey, app.config.netuid);
        return Err(refused(RefusalCode::Unregistered, message));
    }
    let signed = proof::Hello {
        version: hello.version,
        genesis: app.genesis,
        netuid: app.config.netuid,
        gateway: app.me,
        nonce: nonce.0,
        hotkey: hello.hotkey.0,
        body_hash: hello.body_hash(),
    };
    signed.verify(&hello.signature.0).map_err(|error| refused(RefusalCode::BadSignature, format!("hello: {error}")))?;
    let held = app.hub.per_hotkey.take(hello.hotkey.0).ok_or_else(|| {
        let most = app.config.limits.max_sessions_per_hotkey;
        refused(RefusalCode::Quota, format!("{} has {most} connections already", hello.hotkey))
    })?;
    let offers = if hello.role == Role::Serve { offers(app, hello)? } else { Box::default() };
    let (session, queue) = Session::new(
        app.hub.next_id(),
        hello.hotkey.0,
        hello.role,
        offers,
        app.stats.of(&hello.hotkey.0),
        app.config.limits.max_in_flight_per_miner,
    );
    Ok(Admitted { session, queue, held })
}

fn offers(app: &Arc<App>, hello: &Hello) -> Result<Box<[Offer]>, Refused> {
    let mut offers: Vec<Offer> = Vec::with_capacity(hello.models.len());
    for offer in &hello.models {
        let key = app.hub.name(&model_key(&offer.id));
        if offers.iter().any(|other| other.key == key) {
            return Err(refused(RefusalCode::BadFrame, format!("model `{}` is offered twice", offer.id)));
        }
        offers.push(Offer {
            model: app.hub.name(&offer.id),
            key,
            max_concurrency: offer.max_concurrency,
            context_tokens: offer.context_tokens,
            price_in: offer.price_in_micro_usd_per_mtok,
            price_out: offer.price_out_micro_usd_per_mtok,
            lacks: offer.lacks.clone(),
            in_flight: AtomicU32::new(0),
        });
    }
    Ok(offers.into_boxed_slice())
}
