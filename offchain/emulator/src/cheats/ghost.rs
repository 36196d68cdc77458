// SPDX-License-Identifier: Apache-2.0

use std::time::Duration;

use clawrank_miner::{
    AGENT, Backoff, Error, LinkError,
    link::{self, Expected, Introduction, Link},
};
use clawrank_primitives::proof::Keypair;
use clawrank_protocol::frames::{GatewayFrame, MinerFrame, ModelOffer, Role};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use url::Url;

/// What a ghost pretends to offer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GhostConfig {
    /// The gateway, as a serving miner configures it.
    pub gateway_url: String,
    /// Names of the models.
    pub models: Vec<String>,
}

/// Connects as a serving miner and answers no request, until `cancel`.
///
/// # Errors
///
/// [`Error::Config`] for an unusable URL, [`Error::Link`] when the gateway refuses for good.
pub async fn ghost(config: GhostConfig, keypair: Keypair, cancel: CancellationToken) -> Result<(), Error> {
    tracing::warn!("this is a CHEATING miner for demonstrations: a ghost that answers nobody");
    let unusable = |problem: String| Error::Config { field: "gateway_url", problem };
    let base = Url::parse(&config.gateway_url).map_err(|error| unusable(error.to_string()))?;
    let url = link::miner_url(&base).ok_or_else(|| unusable("use http, https, ws or wss".to_owned()))?;
    let offer = |id: &String| ModelOffer {
        id: id.clone(),
        max_concurrency: 64,
        context_tokens: 8_192,
        price_in_micro_usd_per_mtok: 0,
        price_out_micro_usd_per_mtok: 0,
        lacks: Vec::new(),
    };
    let models: Vec<ModelOffer> = config.models.iter().map(offer).collect();
    let introduction = Introduction { role: Role::Serve, models, agent: AGENT.to_owned() };
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
    let expected = Expected::default();
    loop {
        let haunting = async {
            let linked =
                link::connect(&url, &keypair, &expected, introduction.clone(), Duration::from_secs(10)).await?;
            backoff.reset();
            haunt(linked).await
        };
        let ended = tokio::select! {
            ended = haunting => ended,
            () = cancel.cancelled() => return Ok(()),
        };
        match ended {
            Err(error) if !error.is_retryable() => return Err(error.into()),
            _ => tokio::select! {
                () = tokio::time::sleep(backoff.next_delay()) => {}
                () = cancel.cancelled() => return Ok(()),
            },
        }
    }
}

async fn haunt(linked: Link) -> Result<(), LinkError> {
    let Link { mut reader, mut writer, .. } = linked;
    loop {
        if let GatewayFrame::Ping { n } = reader.next().await? {
            writer.send(&MinerFrame::Pong { n }).await?;
        }
    }
}
