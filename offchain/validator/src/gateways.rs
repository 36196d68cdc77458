// SPDX-License-Identifier: Apache-2.0
//! The configured gateways, each connected when first needed and again after it could not be reached.

use std::{sync::Arc, time::Duration};

use clawrank_primitives::proof::{Hash, Keypair};
use reqwest::Client;
use tokio::sync::RwLock;

use crate::{
    Error, GatewayConfig,
    gateway::{Expected, Gateway, http_client},
};

/// One configured gateway and, once it has told who it is, the connection to it.
struct Slot {
    config: GatewayConfig,
    gateway: RwLock<Option<Gateway>>,
}

/// All configured gateways; cheap to clone.
#[derive(Clone)]
pub(crate) struct Gateways {
    slots: Arc<[Slot]>,
    http: Client,
    genesis: Hash,
    netuid: u16,
    keypair: Arc<Keypair>,
    deadline: Duration,
}

impl Gateways {
    pub(crate) fn new(
        configs: &[GatewayConfig],
        genesis: Hash,
        netuid: u16,
        keypair: Arc<Keypair>,
        deadline: Duration,
    ) -> Result<Self, Error> {
        for config in configs.iter().filter(|config| config.hotkey.is_none()) {
            tracing::warn!(
                host = config.url.host_str(),
                "gateway's hotkey is not pinned: whoever answers there is believed"
            );
        }
        let slots = configs.iter().map(|config| Slot { config: config.clone(), gateway: RwLock::new(None) }).collect();
        Ok(Self { slots, http: http_client(deadline)?, genesis, netuid, keypair, deadline })
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The gateway at this position; `None` while it cannot be reached or is not the expected one, which is logged.
    ///
    /// Its hotkey stays the one of its first answer: a gateway that changes its key is another gateway.
    pub(crate) async fn get(&self, index: usize) -> Option<Gateway> {
        let slot = self.slots.get(index)?;
        if let Some(gateway) = slot.gateway.read().await.as_ref() {
            return Some(gateway.clone());
        }
        let mut known = slot.gateway.write().await;
        if known.is_none() {
            let hotkey = slot.config.hotkey.map(|hotkey| hotkey.0);
            let expected = Expected { genesis: self.genesis, netuid: self.netuid, hotkey };
            let keypair = Arc::clone(&self.keypair);
            match Gateway::connect(self.http.clone(), &slot.config, expected, keypair, self.deadline).await {
                Ok(gateway) => *known = Some(gateway),
                Err(error) => {
                    metrics::counter!("clawrank_validator_gateway_errors_total").increment(1);
                    tracing::warn!(%error, "gateway is not usable now");
                }
            }
        }
        known.clone()
    }

    /// Every gateway that is usable now, in the order of the configuration.
    pub(crate) async fn usable(&self) -> Vec<Gateway> {
        let mut all = Vec::new();
        for index in 0..self.len() {
            all.extend(self.get(index).await);
        }
        all
    }
}
