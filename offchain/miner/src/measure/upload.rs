// SPDX-License-Identifier: Apache-2.0

use std::{sync::Arc, time::Duration};

use clawrank_client::types::Head;
use clawrank_primitives::proof::{Bundle, Hash, Keypair, Method};
use clawrank_protocol::{
    Hotkey,
    http::Info,
    signed::{SignedParts, sign_request},
};
use codec::Encode;
use reqwest::{Client, header};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Config, EpochPlan, next_head};
use crate::{
    Backoff, Error, UpstreamError, now_ms,
    upstream::{self, Limits},
};

/// Largest answer of the gateway that is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// Uploads bundles to a gateway.
pub struct Uploader {
    client: Client,
    base: String,
    keypair: Arc<Keypair>,
    netuid: u16,
    genesis: Hash,
    gateway: Option<Hotkey>,
    deadline_ms: u64,
}

impl Uploader {
    /// Prepares uploads to the configured gateway.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when HTTP cannot be set up.
    pub fn new(config: &Config, keypair: Arc<Keypair>, genesis: Hash) -> Result<Self, Error> {
        let client =
            upstream::client(1).map_err(|error| Error::Config { field: "gateway_url", problem: error.to_string() })?;
        Ok(Self {
            client,
            base: config.gateway_url.trim_end_matches('/').to_owned(),
            keypair,
            netuid: config.netuid,
            genesis,
            gateway: config.gateway_hotkey,
            deadline_ms: config.upload_deadline_ms.max(1),
        })
    }

    /// Uploads a bundle; false when the gateway had it before.
    ///
    /// The request is signed at the gateway's time, so that a clock that is off does not matter.
    ///
    /// # Errors
    ///
    /// [`Error::Gateway`] with the route and the cause; [`Error::WrongGateway`] when the gateway is not the configured
    /// one, or is of another chain or subnet.
    pub async fn upload(&self, bundle: &Bundle) -> Result<bool, Error> {
        let (info, offset_ms) = self.info().await?;
        let route = format!("/v1/bundles/{}", hex::encode(bundle.header.root));
        let failed = |source| Error::Gateway { route: format!("PUT {route}"), source };
        let body = bundle.encode();
        let parts = SignedParts { method: Method::Put, path_and_query: &route, body: &body, receiver: info.gateway.0 };
        let time_ms = now_ms().saturating_add_signed(offset_ms);
        let headers = sign_request(&self.keypair, parts, time_ms)
            .map_err(|error| failed(UpstreamError::Request(error.to_string())))?;
        let mut request = self.client.put(format!("{}{route}", self.base));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.header(header::CONTENT_TYPE, "application/octet-stream").body(body);
        let limits = Limits::new(self.deadline_ms, MAX_ANSWER_BYTES);
        let response = upstream::send(request, &limits).await.map_err(failed)?;
        let created = response.status().as_u16() == 201;
        upstream::read_all(response, &limits).await.map_err(failed)?;
        Ok(created)
    }

    /// Who the gateway is, and how far its clock is ahead of ours.
    async fn info(&self) -> Result<(Info, i64), Error> {
        let failed = |source| Error::Gateway { route: "GET /v1/info".to_owned(), source };
        let limits = Limits::new(self.deadline_ms, MAX_ANSWER_BYTES);
        let request = self.client.get(format!("{}/v1/info", self.base));
        let response = upstream::send(request, &limits).await.map_err(failed)?;
        let now = now_ms();
        let body = upstream::read_all(response, &limits).await.map_err(failed)?;
        let info: Info =
            serde_json::from_slice(&body).map_err(|error| failed(UpstreamError::Malformed(error.to_string())))?;
        let differs = |what, found: String, expected: String| Err(Error::WrongGateway { what, found, expected });
        if let Some(expected) = self.gateway.filter(|expected| *expected != info.gateway) {
            return differs("hotkey", info.gateway.to_string(), expected.to_string());
        }
        if info.netuid != self.netuid {
            return differs("subnet", info.netuid.to_string(), self.netuid.to_string());
        }
        if info.genesis.0 != self.genesis {
            return differs("chain", info.genesis.to_string(), hex::encode(self.genesis));
        }
        let offset = i64::try_from(info.time_ms).unwrap_or(0).saturating_sub(i64::try_from(now).unwrap_or(0));
        Ok((info, offset))
    }

    /// Uploads until the gateway has the bundle, the epoch is over, or `cancel`; failures that may pass are retried.
    ///
    /// # Errors
    ///
    /// As [`Uploader::upload`], for failures that will not pass, and for the last one when the epoch is over.
    pub async fn upload_until_stored(
        &self,
        bundle: &Bundle,
        plan: &EpochPlan,
        mut heads: watch::Receiver<Option<Head>>,
        cancel: &CancellationToken,
    ) -> Result<(), Error> {
        let mut backoff = Backoff::new(Duration::from_millis(300), Duration::from_secs(15));
        loop {
            let uploaded = tokio::select! {
                uploaded = self.upload(bundle) => uploaded,
                () = cancel.cancelled() => return Ok(()),
            };
            match uploaded {
                Ok(created) => {
                    tracing::info!(epoch = plan.epoch, created, "the gateway has the bundle");
                    return Ok(());
                }
                Err(error) if error.is_retryable() => {
                    if heads.borrow_and_update().is_some_and(|head| head.number >= plan.next_epoch_block) {
                        return Err(error);
                    }
                    tracing::warn!(epoch = plan.epoch, %error, "the gateway has not taken the bundle yet");
                }
                Err(error) => return Err(error),
            }
            if !next_head(&mut heads, Some(backoff.next_delay()), cancel).await {
                return Ok(());
            }
        }
    }
}
