// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clawrank_primitives::Params;
use clawrank_store::journal::Journal;
use tokio::sync::{Notify, watch};

use super::{
    blocked::{Blocked, blocked},
    own::OwnCommit,
    plan::{Facts, Step, next},
    *,
};
use crate::{
    Config,
    clock::{EpochClock, Schedule},
    heads::View,
    now_ms,
    report::Reporter,
    rulebook::Rulebook,
    testing::{FakeChain, Fault, Moment, SmallDisk, Watched, journal, key, snapshot},
};

mod blocks;
mod crashes;
mod disks;
mod points;
mod rounds;
mod standings;
mod steps;
mod strangers;
mod timelock;
mod weather;

fn schedule() -> Schedule {
    Schedule::from(&Config::default())
}

fn weights(mecid: u8) -> MechanismReport {
    MechanismReport {
        mecid,
        name: "serving".into(),
        uids: vec![1, 2],
        weights: vec![65_535, 700],
        capped: 0,
        shortfall_used: false,
        skipped: None,
    }
}

/// A validator process: what it has in memory is gone when this is dropped.
struct Process {
    journal: Arc<Journal>,
    chain: Arc<FakeChain>,
    views: watch::Sender<Option<Arc<View>>>,
    committer: Committer,
}

/// What a committer holds besides journal, chain and views.
struct Setup {
    mode: CommitMode,
    take_over: bool,
}

impl Process {
    async fn start(folder: &Path, chain: &Arc<FakeChain>) -> Self {
        Self::with(folder, chain, Setup { mode: CommitMode::Auto, take_over: false }).await
    }

    async fn with(folder: &Path, chain: &Arc<FakeChain>, setup: Setup) -> Self {
        let journal = journal(folder).await;
        let (views, receiver) = watch::channel(None);
        let committer = Committer {
            journal: Arc::clone(&journal),
            chain: Arc::clone(chain) as _,
            keypair: Arc::new(key("Vali")),
            views: receiver,
            schedule: schedule(),
            warm: Arc::new(warm()),
            rules: Arc::new(Rulebook::fixed(Params::clawrank(), "clawrank")),
            mode: setup.mode,
            take_over: setup.take_over,
            claimed: false,
            bell: Arc::new(Notify::new()),
            reporter: Reporter::new(folder),
            version_key: 1,
            resubmit_after_blocks: 4,
            read_deadline: Duration::from_secs(5),
            pauses: BTreeMap::new(),
        };
        Self { journal, chain: Arc::clone(chain), views, committer }
    }

    /// Prepares the weights of the running epoch.
    async fn prepare(&self, mecid: u8) {
        let subnet = self.chain.with(|state| state.subnet.clone());
        let row = prepare(subnet.epoch_index, &weights(mecid), &subnet, 1);
        self.journal.prepare_commit(&row).await.unwrap();
    }

    /// Lets the committer see the newest head; `false` when it was killed in the middle.
    async fn pass(&mut self) -> bool {
        self.try_pass().await.unwrap()
    }

    async fn try_pass(&mut self) -> Result<bool, Error> {
        let subnet = self.chain.with(|state| state.subnet.clone());
        self.views.send_replace(Some(Arc::new(View::new(subnet, &schedule()))));
        tokio::select! {
            done = self.committer.pass() => done.map(|()| true),
            () = self.chain.killed.notified() => Ok(false),
        }
    }

    /// The rows of epoch 5 and mechanism 1, oldest first.
    async fn rows(&self) -> Vec<CommitRow> {
        self.journal.commits_of(5).await.unwrap().into_iter().filter(|row| row.mecid == 1).collect()
    }

    /// One pass per block up to `block`.
    async fn run_to(&mut self, block: u64) {
        while self.chain.with(|state| state.subnet.head.number) < block {
            self.chain.advance();
            assert!(self.pass().await);
        }
    }

    async fn state(&self, mecid: u8) -> CommitState {
        self.journal.commit(5, mecid).await.unwrap().unwrap().state
    }

    /// The process is gone; its files are as it left them, the journal's log not merged into the journal.
    async fn kill(self) {
        let Self { journal, committer, .. } = self;
        let path = journal.path().to_path_buf();
        let files = ["", "-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", path.display())));
        let left: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
        drop(committer);
        Arc::into_inner(journal).unwrap().close().await;
        for (file, bytes) in files.iter().zip(left) {
            std::fs::write(file, bytes).unwrap();
        }
    }
}

/// The state of a process that has read everything since its start.
fn warm() -> crate::warm::Warmth {
    let warm = crate::warm::Warmth::default();
    warm.receipts_read();
    warm.probes_made();
    warm
}

fn stored(chain: &FakeChain, mecid: u8) -> Option<Vec<(u16, u16)>> {
    chain.with(|state| state.weights.get(&(mecid, 0)).cloned())
}
