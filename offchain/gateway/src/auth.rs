// SPDX-License-Identifier: Apache-2.0

//! Who asks: a customer with an API key, or a hotkey with a signature.

use std::{
    net::IpAddr,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, Method as HttpMethod, Uri, header::AUTHORIZATION};
use clawrank_protocol::{
    ApiError, ErrorCode, Hotkey,
    limits::SIGNED_WINDOW_MS,
    proof::{HotkeyId, Method},
    signed::{HEADER_HOTKEY, SignedParts, Verified, verify_request},
};
use clawrank_store::{
    LedgerError,
    ledger::{ApiKey, ApiSecret},
};
use tokio::sync::SemaphorePermit;

use crate::{
    app::{App, Caller},
    clock::now_ms,
    registry::Standing,
};

/// How long a looked-up key is believed, so that a revoked one is refused soon.
const KEY_TTL: Duration = Duration::from_secs(2);

/// Keys that are remembered.
const MAX_KEYS: usize = 8_192;

/// A hotkey whose signature verified.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender {
    pub(crate) hotkey: HotkeyId,
    pub(crate) standing: Standing,
}

/// Whether a request claims to be signed by a hotkey.
pub(crate) fn is_signed(headers: &HeaderMap) -> bool {
    headers.contains_key(HEADER_HOTKEY)
}

impl App {
    /// Counts a refused credential for its address. Above the limit the answer is to slow down.
    fn unauthorised(&self, address: IpAddr, error: ApiError) -> ApiError {
        if self.refusals.take(address, Instant::now()) {
            return error;
        }
        let message = format!("{}; too many refused credentials from this address, wait a minute", error.message);
        ApiError::new(ErrorCode::RateLimitExceeded, message)
    }

    /// Waits for a turn where this address is over its limit of refusals: many guess behind it, but others may be behind
    /// it too, so it is heard, at the cost of one check at a time.
    async fn turn(&self, address: IpAddr) -> Option<SemaphorePermit<'_>> {
        if self.refusals.peek(address, Instant::now()) {
            return None;
        }
        // It is never closed, so this waits and gets a permit.
        self.suspects.acquire().await.ok()
    }

    fn ensure_quota(&self, is_left: bool) -> Result<(), ApiError> {
        if is_left {
            return Ok(());
        }
        let most = self.config.limits.requests_per_minute;
        Err(ApiError::new(ErrorCode::RateLimitExceeded, format!("more than {most} requests a minute; slow down")))
    }

    /// The key of `Authorization: Bearer sk-claw-...`.
    pub(crate) async fn bearer(&self, headers: &HeaderMap, address: IpAddr) -> Result<Arc<ApiKey>, ApiError> {
        let refuse = |message: &str| self.unauthorised(address, ApiError::new(ErrorCode::InvalidApiKey, message));
        let value =
            headers.get(AUTHORIZATION).ok_or_else(|| refuse("no API key; send `Authorization: Bearer sk-claw-...`"))?;
        let secret = value
            .to_str()
            .ok()
            .and_then(|text| text.strip_prefix("Bearer "))
            .and_then(|text| ApiSecret::parse(text.trim()))
            .ok_or_else(|| refuse("API key is malformed; it begins with `sk-claw-`"))?;
        let hash = secret.hash();
        let now = Instant::now();
        let is_fresh = |at: Instant| now.saturating_duration_since(at) < KEY_TTL;
        let known = {
            let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            keys.get(&hash).cloned()
        };
        let key = match known {
            Some((key, at)) if is_fresh(at) => key,
            stale => {
                // A key that was good a moment ago is nobody's guess.
                let _turn = if let Some((Some(_), _)) = stale { None } else { self.turn(address).await };
                let found = self.ledger.key_by_hash(&hash).await.map_err(|error| self.ledger_error(&error))?;
                let found = found.filter(|key| key.revoked_ms.is_none()).map(Arc::new);
                let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
                if keys.len() >= MAX_KEYS {
                    // Guesses go first, so that they never push out the keys in use.
                    keys.retain(|_, (key, at)| key.is_some() && is_fresh(*at));
                }
                if keys.len() >= MAX_KEYS {
                    keys.clear();
                }
                keys.insert(hash, (found.clone(), now));
                found
            }
        };
        let key = key.ok_or_else(|| refuse("API key is unknown or revoked"))?;
        self.ensure_quota(self.requests.take(Caller::Key(key.id), Instant::now()))?;
        Ok(key)
    }

    /// The hotkey that signed a request: registered, inside the window, for this gateway, and not a replay.
    pub(crate) async fn signed(
        &self,
        method: &HttpMethod,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
        address: IpAddr,
    ) -> Result<Sender, ApiError> {
        let refuse = |error: ApiError| self.unauthorised(address, error);
        let method: Method = method
            .as_str()
            .parse()
            .map_err(|_| ApiError::new(ErrorCode::InvalidRequestError, "method cannot be signed"))?;
        let header = |name: &'static str| headers.get(name).and_then(|value| value.to_str().ok());
        // A registered hotkey is asked for before a signature is computed.
        let claimed: Option<Hotkey> = header(HEADER_HOTKEY).and_then(|text| text.parse().ok());
        let standing = claimed.and_then(|hotkey| self.registry.standing(&hotkey.0));
        if let (Some(hotkey), None) = (claimed, standing) {
            let message = format!("{hotkey} is not registered on subnet {}", self.config.netuid);
            return Err(refuse(ApiError::new(ErrorCode::PermissionDenied, message)));
        }
        let parts = SignedParts {
            method,
            path_and_query: uri.path_and_query().map_or("/", |path| path.as_str()),
            body,
            receiver: self.me,
        };
        let now = now_ms();
        let verified = {
            let _turn = self.turn(address).await;
            verify_request(header, parts, now).map_err(|error| refuse(error.into()))?
        };
        let standing =
            standing.ok_or_else(|| ApiError::new(ErrorCode::PermissionDenied, "hotkey is not registered"))?;
        let caller = Caller::Hotkey(verified.sender);
        self.ensure_quota(self.requests.peek(caller, Instant::now()))?;
        if !self.is_fresh(&verified, method == Method::Get, now).await? {
            let message = "nonce was used before; sign each request anew";
            return Err(refuse(ApiError::new(ErrorCode::ReplayedNonce, message)));
        }
        if method == Method::Get && self.nonces.is_older(verified.time_ms) {
            let message = "signed before this gateway started, so it may be a replay; sign each request anew";
            return Err(ApiError::new(ErrorCode::ReplayedNonce, message));
        }
        // Taken only now: a stranger who sends a request again uses up nothing of the hotkey's.
        self.ensure_quota(self.requests.take(caller, Instant::now()))?;
        Ok(Sender { hotkey: verified.sender, standing })
    }

    /// Whether a request's nonce was never used; it is from now on. Where the ledger is full, a read's is kept in memory.
    async fn is_fresh(&self, request: &Verified, is_read: bool, now: u64) -> Result<bool, ApiError> {
        let Verified { sender, nonce, time_ms } = request;
        let expires = time_ms.saturating_add(SIGNED_WINDOW_MS.saturating_mul(2));
        match self.ledger.use_nonce(sender, nonce, now, expires).await {
            Ok(is_new) => {
                self.ledger_works();
                // After the ledger has it, as below the ledger is asked after the memory: of two at once none slips through.
                Ok(is_new && !self.nonces.is_used(sender, nonce))
            }
            Err(error @ LedgerError::Full) if is_read => {
                self.ledger_fails(&error);
                if !self.nonces.take(sender, nonce, now, expires) {
                    return Ok(false);
                }
                // A process that starts later refuses what is older than itself.
                let ahead_ms = time_ms.saturating_add(1).saturating_sub(now_ms());
                tokio::time::sleep(Duration::from_millis(ahead_ms.min(SIGNED_WINDOW_MS))).await;
                let was_used = self.ledger.has_nonce(sender, nonce, now).await;
                was_used.map(|was_used| !was_used).map_err(|error| self.ledger_error(&error))
            }
            Err(error) => Err(self.ledger_error(&error)),
        }
    }

    /// As [`App::signed`], for validators with a permit only.
    pub(crate) async fn validator(
        &self,
        method: &HttpMethod,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
        address: IpAddr,
    ) -> Result<Sender, ApiError> {
        let sender = self.signed(method, uri, headers, body, address).await?;
        if sender.standing.permit {
            return Ok(sender);
        }
        let message = format!("{} has no validator permit on subnet {}", Hotkey(sender.hotkey), self.config.netuid);
        Err(ApiError::new(ErrorCode::PermissionDenied, message))
    }
}
