// SPDX-License-Identifier: Apache-2.0
//! Rules that the subnet's owner has stored on the chain, as `params = "chain"` takes them.

use super::*;

/// `local` without a cap, half of serving by base.
fn stored() -> Params {
    let mut params = Params::local();
    params.serving.base_pool = Ppb::from_percent(50);
    params.cap.cap = Ppb::ONE;
    params
}

impl World {
    /// Two miners, all traffic the first one's, and the rules from the chain.
    async fn with_rules_of_the_chain() -> Self {
        let mut world = Self::new().await;
        world.config.params = CHAIN.to_owned();
        for name in ["Miner1", "Miner2"] {
            world.gateway.connect(key(name).public(), ProbeMode::Answers);
        }
        for payer in 1..=4 {
            world.gateway.push_receipt(&key("Miner1"), payer, 100, |_| {});
        }
        world
    }

    async fn dry_run(&self) -> Result<Report, Error> {
        dry_run(self.config.clone(), key("Vali"), Arc::clone(&self.chain) as _).await
    }
}

#[tokio::test]
async fn shares_follow_the_chain_when_the_owner_has_stored_rules() {
    let world = World::with_rules_of_the_chain().await;
    world.chain.with(|state| state.params.push((1_000, Some(stored()))));
    let report = world.dry_run().await.unwrap();
    assert_eq!(report.preset, "chain at block 1000");
    assert!(report.notice.unwrap().contains("local chains only"));
    let shares = [1, 2].map(|uid| report.miners.iter().find(|m| m.uid == uid).unwrap().serving.earned.share_ppb);
    assert_eq!(shares, [750_000_000, 250_000_000]);
}

#[tokio::test]
async fn dry_run_is_refused_when_the_chain_stores_no_rules() {
    let world = World::with_rules_of_the_chain().await;
    let error = world.dry_run().await.unwrap_err();
    assert!(error.to_string().contains("name a preset or a file"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn validator_waits_for_rules_when_the_chain_stores_none_yet() {
    let world = World::with_rules_of_the_chain().await;
    let (task, cancel) = world.start();
    world.walk_to(1_090).await;
    until("the reason", || async {
        world.chain.advance();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let text = std::fs::read_to_string(world.config.data_dir.join("reports/standing.json")).ok()?;
        text.contains("no_params").then_some(())
    })
    .await;
    assert!(world.report("latest.json").is_none());
    let now = world.chain.with(|state| {
        state.params.push((state.subnet.head.number, Some(stored())));
        state.subnet.clone()
    });
    let begins = now.next_epoch_block().unwrap();
    world.walk_to(begins + 3).await;
    let report = world.wait_for("scores", begins + 95, |_| true).await;
    assert_eq!((report.epoch, report.preset), (now.epoch_index + 1, format!("chain at block {begins}")));
    assert_eq!(world.chain.with(|state| state.subnet.epoch_index), now.epoch_index + 1);
    let standing = std::fs::read_to_string(world.config.data_dir.join("reports/standing.json")).unwrap();
    assert!(!standing.contains("no_params"), "{standing}");
    cancel.cancel();
    task.await.unwrap().unwrap();
}
