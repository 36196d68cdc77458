// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_primitives::Params;
use tokio::sync::watch;

use super::*;
use crate::{
    clock::Schedule,
    heads::View,
    testing::{Evil, NETUID, ProbeMode, StubGateway, genesis, journal, key, snapshot},
};

async fn prober(gateways: &[&StubGateway], folder: &std::path::Path) -> Prober {
    let configs: Vec<_> = gateways.iter().map(|gateway| gateway.config()).collect();
    let view = View::new(snapshot(1_001, 3), &Schedule::from(&crate::Config::default()));
    let deadline = Duration::from_secs(5);
    Prober {
        journal: journal(folder).await,
        gateways: Gateways::new(&configs, genesis(), NETUID, Arc::new(key("Vali")), deadline).unwrap(),
        views: watch::channel(Some(Arc::new(view))).1,
        rules: Arc::new(Rulebook::fixed(Params::clawrank(), "clawrank")),
        interval: Duration::from_secs(60),
        concurrency: 4,
        warm: Arc::default(),
    }
}

/// Last outcome of a hotkey, if it was ever probed.
async fn last(prober: &Prober, name: &str) -> Option<bool> {
    let probes = prober.journal.probes().await.unwrap();
    probes.iter().rfind(|probe| probe.hotkey == key(name).public()).map(|probe| probe.answered)
}

#[tokio::test]
async fn probes_tell_miners_apart_when_some_do_not_answer() {
    let (gateway, folder) = (StubGateway::start().await, tempfile::tempdir().unwrap());
    gateway.connect(key("Miner1").public(), ProbeMode::Answers);
    gateway.connect(key("Miner2").public(), ProbeMode::Fails);
    gateway.connect(key("Miner3").public(), ProbeMode::Empty);
    gateway.connect(key("Stranger").public(), ProbeMode::Answers);
    let mut prober = prober(&[&gateway], folder.path()).await;
    prober.round(Duration::ZERO).await.unwrap();
    assert_eq!(last(&prober, "Miner1").await, Some(true));
    assert_eq!(last(&prober, "Miner2").await, Some(false));
    assert_eq!(last(&prober, "Miner3").await, Some(false));
    assert_eq!(last(&prober, "Stranger").await, None, "only registered miners are probed");
}

#[tokio::test]
async fn miner_becomes_a_ghost_when_it_leaves() {
    let (gateway, folder) = (StubGateway::start().await, tempfile::tempdir().unwrap());
    let miner = key("Miner1").public();
    gateway.connect(miner, ProbeMode::Answers);
    let mut prober = prober(&[&gateway], folder.path()).await;
    prober.round(Duration::ZERO).await.unwrap();
    gateway.disconnect(&miner);
    for _ in 0..3 {
        prober.round(Duration::ZERO).await.unwrap();
    }
    assert_eq!(last(&prober, "Miner1").await, Some(false));
    // Once is enough; absence does not fill the last hundred.
    assert_eq!(prober.journal.probes().await.unwrap().len(), 2);
}

#[tokio::test]
async fn nobody_becomes_a_ghost_when_the_gateway_is_down() {
    let (gateway, folder) = (StubGateway::start().await, tempfile::tempdir().unwrap());
    gateway.connect(key("Miner1").public(), ProbeMode::Answers);
    let mut prober = prober(&[&gateway], folder.path()).await;
    prober.round(Duration::ZERO).await.unwrap();
    gateway.set_evil(Some(Evil::Down));
    prober.round(Duration::ZERO).await.unwrap();
    assert_eq!(last(&prober, "Miner1").await, Some(true));
}
