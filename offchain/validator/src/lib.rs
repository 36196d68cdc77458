// SPDX-License-Identifier: Apache-2.0
//! The validator: probe, read, check, replay, score, commit, reveal.
//!
//! | task | does | leaves in the journal |
//! |---|---|---|
//! | `heads` | the subnet at every final block, and where in its epoch that is | |
//! | `prober` | a micro-prompt to every serving miner, through the gateways | probes |
//! | `receipts` | pages of receipts, both signatures checked, each id once | minute buckets |
//! | `judge` | seed, bundles, leaves, replays, then scores and a report | outcomes, replays, report |
//! | `committer` | commit, reveal, verdicts; never twice | state of every commit |
//!
//! [`run`] starts them all; [`dry_run`] does one round of each and sends nothing. Numbers that decide money come from
//! `clawrank-primitives` only. What this process measured or promised is in its journal before anyone hears of it.
//!
//! Choices where the rules leave room:
//! - A miner connected nowhere, though it once answered, is probed as failed: leaving is no way to keep a base.
//! - A probe or a leaf that a *gateway* failed to relay is held against nobody; one that the miner failed to answer is.
//! - A root on chain without a body at any gateway is `Unauthentic`; a leaf withheld after three tries is
//!   `HashMismatch`, as the gate says. What a gateway that does not answer may hide stays unchecked: no score, no verdict.
//! - U of a miner's first epoch is 0, since there is no earlier signal to judge.
//! - A miner registered after the epoch's scores were made enters with the next epoch.

#![forbid(unsafe_code)]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use clawrank_client::ChainPort;
use clawrank_primitives::proof::{Keypair, ModelName};
use clawrank_protocol::catalogue::Catalogue;
use clawrank_store::journal::{Identity, Journal, Options};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

pub mod clock;
pub mod commit;
pub mod gateway;
pub mod heads;
pub mod measure;
pub mod report;
pub mod score;
pub mod summary;

mod checks;
mod config;
mod draw;
mod error;
mod explain;
mod files;
mod gateways;
mod judge;
mod prober;
mod receipts;
mod replayer;
mod rulebook;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod warm;

pub use config::{CHAIN, Config, GatewayConfig};
pub use error::Error;
pub use report::Report;

use commit::Committer;
use gateways::Gateways;
use heads::{Follower, View};
use judge::Judge;
use prober::Prober;
use receipts::Reader;
use replayer::Replayer;
use report::Reporter;
use rulebook::Rulebook;
use warm::Warmth;

/// What a validator without gateways is told.
const NO_GATEWAY: &str = "no gateway is configured, so no miner is probed and no receipt or bundle is read; name one in the \
                          configuration, as `gateways = [{ url = \"http://127.0.0.1:8092\" }]`";

/// Pause before a journal that finds no room is opened again.
const START_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What all tasks share.
struct Parts {
    config: Config,
    rules: Arc<Rulebook>,
    catalogue: Arc<Catalogue>,
    journal: Arc<Journal>,
    gateways: Gateways,
    keypair: Arc<Keypair>,
    chain: Arc<dyn ChainPort>,
    views: watch::Sender<Option<Arc<View>>>,
    bell: Arc<Notify>,
    warm: Arc<Warmth>,
    reporter: Reporter,
}

impl Parts {
    async fn open(config: Config, keypair: Keypair, chain: Arc<dyn ChainPort>) -> Result<Self, Error> {
        config.check()?;
        // A setting at fault is named before anything is opened.
        config.rules()?;
        let catalogue = Arc::new(Catalogue::load(&config.catalogue)?);
        let (genesis, hotkey) = (chain.genesis_hash(), keypair.public());
        let identity = Identity { genesis, netuid: config.netuid, hotkey };
        let journal = Arc::new(Journal::open(&config.data_dir, identity, Options::default()).await?);
        let rules = Arc::new(Rulebook::open(&config, &chain, &journal)?);
        let keypair = Arc::new(keypair);
        let deadline = Duration::from_millis(config.gateway_deadline_ms);
        let gateways = Gateways::new(&config.gateways, genesis, config.netuid, Arc::clone(&keypair), deadline)?;
        let (views, _) = watch::channel(None);
        let (bell, warm, reporter) = (Arc::new(Notify::new()), Arc::default(), Reporter::new(&config.data_dir));
        Ok(Self { config, rules, catalogue, journal, gateways, keypair, chain, views, bell, warm, reporter })
    }

    fn read_deadline(&self) -> Duration {
        Duration::from_millis(self.config.chain_deadline_ms)
    }

    fn follower(&self) -> Follower {
        Follower {
            chain: Arc::clone(&self.chain),
            netuid: self.config.netuid,
            schedule: (&self.config).into(),
            stall_after: Duration::from_millis(self.config.stall_after_ms),
            read_deadline: self.read_deadline(),
        }
    }

    fn prober(&self) -> Prober {
        Prober {
            journal: Arc::clone(&self.journal),
            gateways: self.gateways.clone(),
            views: self.views.subscribe(),
            rules: Arc::clone(&self.rules),
            interval: Duration::from_millis(self.config.probe_interval_ms),
            concurrency: self.config.probe_concurrency,
            warm: Arc::clone(&self.warm),
        }
    }

    fn reader(&self) -> Reader {
        Reader {
            journal: Arc::clone(&self.journal),
            gateways: self.gateways.clone(),
            rules: Arc::clone(&self.rules),
            interval: Duration::from_millis(self.config.receipts_interval_ms),
            page: self.config.receipts_page,
            pages: self.config.receipts_pages,
            warm: Arc::clone(&self.warm),
        }
    }

    fn judge(&self, spread: bool) -> Result<Judge, Error> {
        let (me, genesis) = (self.keypair.public(), self.chain.genesis_hash());
        let bodies = self.config.data_dir.join("bundles");
        let checker = checks::Checker {
            journal: Arc::clone(&self.journal),
            gateways: self.gateways.clone(),
            views: self.views.subscribe(),
            folder: bodies.clone(),
            files: files::Files::new("bundle"),
            me,
            genesis,
            netuid: self.config.netuid,
        };
        let deadline = Duration::from_millis(self.config.replay_deadline_ms);
        let replayer = Replayer {
            journal: Arc::clone(&self.journal),
            views: self.views.subscribe(),
            catalogue: Arc::clone(&self.catalogue),
            http: gateway::http_client(deadline)?,
            me,
            concurrency: self.config.replay_concurrency,
            deadline,
        };
        let listed = self.config.whitelist.iter().filter_map(|model| ModelName::normalised(model).ok());
        let mut whitelist: std::collections::BTreeSet<String> = listed.map(ModelName::into_string).collect();
        if self.config.whitelist.is_empty() {
            let models = self.catalogue.endpoints.iter().flat_map(|endpoint| &endpoint.models);
            whitelist.extend(models.map(|model| model.id.clone()));
        }
        Ok(Judge {
            journal: Arc::clone(&self.journal),
            chain: Arc::clone(&self.chain),
            gateways: self.gateways.clone(),
            views: self.views.subscribe(),
            checker,
            replayer,
            reporter: self.reporter.clone(),
            bell: Arc::clone(&self.bell),
            warm: Arc::clone(&self.warm),
            catalogue: Arc::clone(&self.catalogue),
            rules: Arc::clone(&self.rules),
            whitelist,
            me,
            genesis,
            version_key: self.config.version_key,
            keep_epochs: self.config.keep_epochs,
            bodies,
            read_deadline: self.read_deadline(),
            replay_deadline_ms: u32::try_from(self.config.replay_deadline_ms).unwrap_or(u32::MAX),
            spread,
        })
    }

    fn committer(&self) -> Committer {
        Committer {
            journal: Arc::clone(&self.journal),
            chain: Arc::clone(&self.chain),
            keypair: Arc::clone(&self.keypair),
            views: self.views.subscribe(),
            schedule: (&self.config).into(),
            bell: Arc::clone(&self.bell),
            reporter: self.reporter.clone(),
            warm: Arc::clone(&self.warm),
            rules: Arc::clone(&self.rules),
            mode: self.config.commit,
            take_over: self.config.take_over,
            claimed: false,
            version_key: self.config.version_key,
            resubmit_after_blocks: self.config.resubmit_after_blocks,
            read_deadline: self.read_deadline(),
            pauses: BTreeMap::new(),
        }
    }
}

/// Runs a validator until `cancel`, then joins all its tasks.
///
/// # Errors
///
/// - [`Error::Config`], [`Error::Catalogue`], [`Error::File`]: the configuration cannot be used.
/// - [`Error::Journal`]: the journal cannot be opened, or stops taking writes for good. A full disk is waited out.
/// - [`Error::Stored`]: the journal holds what this program cannot have written.
/// - [`Error::AnotherValidator`]: another validator runs with this hotkey.
/// - [`Error::Panicked`]: a task panicked.
pub async fn run(
    config: Config,
    keypair: Keypair,
    chain: Arc<dyn ChainPort>,
    cancel: CancellationToken,
) -> Result<(), Error> {
    let parts = loop {
        match Parts::open(config.clone(), keypair.clone(), Arc::clone(&chain)).await {
            Ok(parts) => break parts,
            Err(error @ Error::Journal(_)) if error.is_retryable() => {
                tracing::error!(%error, "cannot start yet; it is tried again");
                tokio::select! {
                    () = cancel.cancelled() => return Ok(()),
                    () = tokio::time::sleep(START_AGAIN_AFTER) => {}
                }
            }
            Err(error) => return Err(error),
        }
    };
    if let Some(notice) = parts.rules.newest().and_then(|rules| rules.params.notice()) {
        tracing::warn!(rules = parts.config.params, notice, "special rules");
    }
    if parts.gateways.is_empty() {
        tracing::warn!("{NO_GATEWAY}");
    }
    // A child: an error of one task ends the others, not whoever holds the parent.
    let cancel = cancel.child_token();
    let mut tasks: JoinSet<(&'static str, Result<(), Error>)> = JoinSet::new();
    let (follower, prober, reader) = (parts.follower(), parts.prober(), parts.reader());
    let (judge, committer) = (parts.judge(true)?, parts.committer());
    let (views, token) = (parts.views.clone(), cancel.clone());
    tasks.spawn(async move {
        follower.follow(views, token).await;
        ("heads", Ok(()))
    });
    let token = cancel.clone();
    tasks.spawn(async move { ("prober", prober.run(token).await) });
    let token = cancel.clone();
    tasks.spawn(async move { ("receipts", reader.run(token).await) });
    let token = cancel.clone();
    tasks.spawn(async move { ("judge", judge.run(token).await) });
    let token = cancel.clone();
    tasks.spawn(async move { ("committer", committer.run(token).await) });

    let mut outcome = Ok(());
    while let Some(joined) = tasks.join_next().await {
        let result = match joined {
            Ok((task, result)) => {
                tracing::debug!(task, "task ended");
                result
            }
            Err(_) => Err(Error::Panicked { task: "validator" }),
        };
        if let Err(error) = result {
            tracing::error!(%error, "validator ends");
            cancel.cancel();
            if outcome.is_ok() {
                outcome = Err(error);
            }
        }
    }
    outcome
}

/// Measures and scores the running epoch once and sends nothing.
///
/// Uses and feeds the journal of the configuration, so it cannot run beside [`run`] on the same folder: there,
/// `reports/latest.json` has the same report. Probes, receipts, checks and replays are made at once, not spread.
///
/// # Errors
///
/// As [`run`]; and [`Error::NoHead`], [`Error::NoEpochs`], [`Error::NoParams`] or [`Error::Chain`] when the chain has
/// nothing to tell.
pub async fn dry_run(config: Config, keypair: Keypair, chain: Arc<dyn ChainPort>) -> Result<Report, Error> {
    let parts = Parts::open(config, keypair, chain).await?;
    let mut heads = parts.chain.heads();
    // Block 0 has no time.
    let wait = heads.wait_for(|head| head.is_some_and(|head| head.number > 0));
    let waited_ms = parts.config.chain_deadline_ms;
    match tokio::time::timeout(parts.read_deadline(), wait).await {
        Ok(Ok(_)) => {}
        _ => return Err(Error::NoHead { waited_ms }),
    }
    let view = Arc::new(parts.follower().read().await?);
    let Some(clock) = view.clock else { return Err(Error::NoEpochs { netuid: parts.config.netuid }) };
    parts.views.send_replace(Some(Arc::clone(&view)));
    let rules = parts.rules.of(&clock).await?;
    parts.prober().round(Duration::ZERO).await?;
    parts.reader().round().await?;
    let judge = parts.judge(false)?;
    judge.examine(&view, &clock, &rules).await?;
    let mut report = judge.report(&view, &clock, &rules).await?;
    report.dry_run = true;
    let committer = parts.committer();
    let read = match tokio::time::timeout(parts.read_deadline(), committer.read(&view, &[])).await {
        Ok(read) => read?,
        Err(_) => return Err(heads::timed_out("own weights", parts.read_deadline()).into()),
    };
    let count = |mecid| report.mechanisms.iter().find(|found| found.mecid == mecid).map(|found| found.uids.len());
    let standing = committer.survey(&view, &clock, &read, count);
    (report.blocked, report.warnings) = (standing.blocked, standing.warnings);
    if parts.gateways.is_empty() {
        report.warnings.insert(0, NO_GATEWAY.to_owned());
    }
    for stranger in committer.strange_weights(&view, &read).await? {
        let error = Error::AnotherValidator { mecid: stranger.mecid, block: stranger.block };
        report.warnings.push(error.to_string());
    }
    Ok(report)
}

/// Unix time in milliseconds by this machine's clock.
fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// A number below `bound` that nobody foresees; 0 where the operating system gives none.
fn random_below(bound: u64) -> u64 {
    // The bias of a remainder of 64 random bits is of no matter for jitter and names.
    getrandom::u64().unwrap_or(0).checked_rem(bound).unwrap_or(0)
}

/// Logs an error that waiting can cure; hands on any other.
fn retry_or_end(done: Result<(), Error>, what: &str) -> Result<(), Error> {
    match done {
        Err(error) if error.is_retryable() => {
            metrics::counter!("clawrank_validator_task_errors_total", "task" => what.to_owned()).increment(1);
            tracing::error!(what, %error, "will be tried again");
            Ok(())
        }
        other => other,
    }
}
