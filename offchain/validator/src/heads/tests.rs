// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::*;
use crate::{
    Config, now_ms,
    testing::{FakeChain, NETUID, Watched, until},
};

/// Time without a block that counts as a stall here.
const STALL: Duration = Duration::from_millis(60);

struct Following {
    chain: Arc<FakeChain>,
    views: Views,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Following {
    fn start() -> Self {
        let chain = FakeChain::new(2, now_ms());
        let follower = Follower {
            chain: Arc::clone(&chain) as _,
            netuid: NETUID,
            schedule: Schedule::from(&Config::default()),
            stall_after: STALL,
            read_deadline: Duration::from_secs(5),
        };
        let (sender, views) = watch::channel(None);
        let cancel = CancellationToken::new();
        let task = tokio::spawn(follower.follow(sender, cancel.clone()));
        Self { chain, views, cancel, task }
    }

    async fn sees(&mut self, block: u64) -> Arc<View> {
        let view = tokio::time::timeout(
            Duration::from_secs(30),
            self.views.wait_for(|view| view.as_ref().is_some_and(|view| view.block() == block)),
        );
        view.await.unwrap_or_else(|_| panic!("block {block} was never seen")).unwrap().clone().unwrap()
    }
}

#[tokio::test]
async fn stall_is_named_and_ends_when_blocks_come_again() {
    let (watched, mut following) = (Watched::start(), Following::start());
    following.sees(1_001).await;
    assert_eq!(watched.gauge("clawrank_validator_stalled"), Some(0.0));
    following.chain.advance();
    let before = following.sees(1_002).await;

    until("two alarms", || async { (watched.counted("clawrank_validator_stalls_total") >= 2).then_some(()) }).await;
    let alarms = watched.lines(&["ERROR", "no finalised block", "last_block=Some(1002)", "for_ms=60"]);
    assert!(alarms.len() >= 2, "{alarms:?}");
    assert_eq!(watched.gauge("clawrank_validator_stalled"), Some(1.0));
    // The same block, and how old it is by now.
    let during = following.sees(1_002).await;
    assert!(during.seen_ms >= before.seen_ms + 60, "{} and {}", before.seen_ms, during.seen_ms);

    following.chain.advance();
    following.sees(1_003).await;
    assert_eq!(watched.gauge("clawrank_validator_stalled"), Some(0.0));
    assert_eq!(watched.lines(&["INFO", "come again", "block=1003"]).len(), 1);
    following.cancel.cancel();
    following.task.await.unwrap();
}

#[tokio::test]
async fn subnet_is_read_again_when_the_node_did_not_answer() {
    let (watched, mut following) = (Watched::start(), Following::start());
    following.sees(1_001).await;
    following.chain.with(|s| s.unreadable = true);
    following.chain.advance();
    until("a failed read", || async { (!watched.lines(&["WARN", "cannot read the subnet"]).is_empty()).then_some(()) })
        .await;
    assert_eq!(following.views.borrow().as_ref().unwrap().block(), 1_001);
    // Without another block.
    following.chain.with(|s| s.unreadable = false);
    following.sees(1_002).await;
}

#[tokio::test]
async fn view_stays_when_the_node_shows_an_older_block() {
    let (watched, mut following) = (Watched::start(), Following::start());
    following.chain.advance_to(1_005);
    following.sees(1_005).await;
    // Another node behind the same URL, which lags.
    let ahead = following.chain.with(|s| s.subnet.head);
    following.chain.with(|s| s.subnet.head.number = 1_002);
    following.chain.advance();
    until("the refusal", || async { (!watched.lines(&["WARN", "chain went back"]).is_empty()).then_some(()) }).await;
    assert_eq!(following.views.borrow().as_ref().unwrap().block(), 1_005);
    following.chain.with(|s| s.subnet.head = ahead);
    following.chain.advance();
    following.sees(1_006).await;
}
