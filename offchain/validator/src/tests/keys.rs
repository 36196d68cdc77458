// SPDX-License-Identifier: Apache-2.0
//! API keys of endpoints: from the environment to the endpoint, and to no other.

use std::process::Command;

use super::*;

const VARIABLE: &str = "CLAWRANK_TEST_ENDPOINT_KEY";
const KEY: &str = "sk-of-endpoint-a";

impl World {
    /// Where only endpoint `a` wants a key: that of the variable.
    async fn with_key() -> Self {
        let mut world = Self::new().await;
        world.config.replays_per_cell = Some(8);
        let text = world.endpoints.catalogue(&["a", "b"], &["math"]);
        let text = text.replacen("models", &format!("api_key_env = \"{VARIABLE}\"\nmodels"), 1);
        std::fs::write(&world.config.catalogue, text).unwrap();
        world
    }

    async fn replay(&self) {
        self.intel("Miner4", LATENCY_MS).bundle(5).publish(&self.chain, &self.gateway, 1_040);
        self.walk_to(1_063).await;
        until("replays of b", || async { (!self.endpoints.keys("b").is_empty()).then_some(()) }).await;
    }
}

/// Whether this process has the key. One without runs `test` again in one that has: no test may change the environment of
/// the others.
fn has_key(test: &str) -> bool {
    if std::env::var_os(VARIABLE).is_some() {
        return true;
    }
    let mut again = Command::new(std::env::current_exe().unwrap());
    let done = again.args(["--exact", test]).env(VARIABLE, KEY).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&done.stderr));
    false
}

#[tokio::test]
async fn endpoint_gets_its_key_and_no_other_does_when_the_environment_has_it() {
    if !has_key("tests::keys::endpoint_gets_its_key_and_no_other_does_when_the_environment_has_it") {
        return;
    }
    let (watched, world) = (Watched::start(), World::with_key().await);
    let (task, cancel) = world.start();
    world.replay().await;
    until("replays of a", || async { (!world.endpoints.keys("a").is_empty()).then_some(()) }).await;
    assert_eq!(world.endpoints.keys("a"), [Some(format!("Bearer {KEY}"))]);
    assert_eq!(world.endpoints.keys("b"), [None]);
    assert_eq!(watched.lines(&[KEY]), Vec::<String>::new(), "a key is no matter for the log");
    cancel.cancel();
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn endpoint_is_not_asked_when_the_environment_lacks_its_key() {
    let (watched, world) = (Watched::start(), World::with_key().await);
    let (task, cancel) = world.start();
    world.replay().await;
    let told = watched.lines(&["ERROR", "endpoint is not replayed", "`a`", VARIABLE]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(world.endpoints.keys("a"), []);
    cancel.cancel();
    task.await.unwrap().unwrap();
}
