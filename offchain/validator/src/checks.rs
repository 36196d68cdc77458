// SPDX-License-Identifier: Apache-2.0
//! Bundles: who committed, the bodies, the leaves, and every check that needs no replay (rules §2.2, §3).
//!
//! A body is fetched by its committed root from any gateway and kept on disk, so that a restart fetches nothing twice.
//! What a miner withholds counts against it; what a gateway withholds does not: such a bundle stays unchecked, scores
//! nothing and gets no verdict.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use clawrank_client::{
    ChainPort, ClientError,
    types::{Head, SubnetSnapshot},
};
use clawrank_primitives::{
    MECID_INTEL,
    gate::{
        CommitOrder, Committed, DuplicateIndex, DuplicateKind, EpochWindow, Evidence, Reason, Trip, check_authenticity,
        check_duplicates, check_faithfulness, check_openings, check_tasks, check_window,
    },
    proof::{Bundle, Commitment, Hash, HotkeyId, SubnetEpoch, challenge::leaves_to_open},
};
use clawrank_store::journal::{BundleRow, Journal};
use codec::Encode;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};

use crate::{
    Error, explain,
    files::{self, Files},
    gateway::GatewayError,
    gateways::Gateways,
    heads::Views,
    rulebook::Rules,
    summary::Summary,
};

mod opening;
#[cfg(test)]
mod tests;

use opening::Opened;

/// Bundles that are fetched or opened at the same time.
const CONCURRENCY: usize = 8;
/// Pause before a body that is not there is asked for again.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// An epoch that is being judged.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) epoch: u64,
    pub(crate) seed: Hash,
    pub(crate) window: EpochWindow,
    /// Hash of the epoch's first block, if the node has it.
    pub(crate) epoch_seed: Option<Hash>,
    pub(crate) deadline_block: u64,
    /// Last block for fetching bodies.
    pub(crate) fetch_until_block: u64,
    /// Last block for openings.
    pub(crate) open_until_block: u64,
    pub(crate) rules: Arc<Rules>,
}

/// A miner that committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Committer {
    pub(crate) hotkey: HotkeyId,
    pub(crate) uid: u16,
    pub(crate) committed: Committed,
}

impl Committer {
    fn order(&self) -> CommitOrder {
        CommitOrder { block: self.committed.block, uid: self.uid }
    }
}

/// Everyone registered who committed for `epoch`, in the order of their commitments.
///
/// `ProviderRank` decides where a hotkey is in both places: it keeps one root per epoch, `Commitments` only the last.
pub(crate) async fn committers(
    chain: &dyn ChainPort,
    subnet: &SubnetSnapshot,
    epoch: u64,
) -> Result<Vec<Committer>, ClientError> {
    let mut found: BTreeMap<HotkeyId, Committed> = BTreeMap::new();
    for entry in chain.commitments(subnet.netuid).await? {
        if let Some(commitment) = Commitment::parse(&entry.data).ok().filter(|found| found.epoch == epoch) {
            found.insert(entry.hotkey, Committed { commitment, block: entry.block });
        }
    }
    if chain.has_provider_rank() {
        for entry in chain.bundle_commits(subnet.netuid, epoch).await? {
            let commitment = Commitment { epoch, count: entry.count, root: entry.root };
            found.insert(entry.hotkey, Committed { commitment, block: entry.block });
        }
    }
    let mut all: Vec<Committer> = found
        .into_iter()
        .filter_map(|(hotkey, committed)| Some(Committer { hotkey, uid: subnet.by_hotkey(&hotkey)?.uid, committed }))
        .collect();
    all.sort_by_key(Committer::order);
    Ok(all)
}

/// When an epoch was, from its first block to its seed block, and the first block's hash. Where the first block's time is gone from the node, or
/// the block is the genesis and has none, it is reckoned back from the seed's by the chain's block time.
pub(crate) async fn window(
    chain: &dyn ChainPort,
    subnet: &SubnetSnapshot,
    start_block: u64,
    seed: &Head,
) -> (EpochWindow, Option<Hash>) {
    let first = chain.block(start_block).await.ok().flatten();
    let start_ms = match first {
        Some(head) if head.timestamp_ms > 0 => head.timestamp_ms,
        _ => {
            let blocks = seed.number.saturating_sub(start_block);
            seed.timestamp_ms.saturating_sub(blocks.saturating_mul(subnet.block_time_ms))
        }
    };
    (EpochWindow { start_ms, end_ms: seed.timestamp_ms }, first.map(|head| head.hash))
}

/// What became of fetching a body.
enum Body {
    /// It is on disk and authentic.
    Authentic,
    /// Every gateway answered, and the bodies they gave do not pass.
    Tripped(Trip),
    /// Every gateway answered, none has it.
    Missing,
    /// A gateway did not answer, or this machine's disk failed: nothing is known.
    Unknown,
}

/// Fetches and checks bundles.
pub(crate) struct Checker {
    pub(crate) journal: Arc<Journal>,
    pub(crate) gateways: Gateways,
    pub(crate) views: Views,
    pub(crate) folder: PathBuf,
    pub(crate) files: Files,
    pub(crate) me: HotkeyId,
    pub(crate) genesis: Hash,
    pub(crate) netuid: u16,
}

impl Checker {
    /// Checks every bundle that has no outcome in the journal yet.
    pub(crate) async fn run(&self, judged: &Judged, committers: &[Committer]) -> Result<(), Error> {
        let done: Vec<HotkeyId> =
            self.journal.bundles(judged.epoch).await?.into_iter().map(|bundle| bundle.hotkey).collect();
        let bodies = self.bodies(judged, committers, &done).await?;
        // Every authentic body counts against copies, also one whose checks ended before a restart.
        let mut index = DuplicateIndex::new();
        for (committer, body) in committers.iter().zip(&bodies) {
            if matches!(body, Body::Authentic)
                && let Some(bundle) = self.load(judged, committer).await?
            {
                index.insert(committer.order(), &bundle);
            }
        }
        // Only who proved to have the body counts as first: a root alone can be read from the chain and put before it.
        let proven: Vec<Committer> = committers
            .iter()
            .zip(&bodies)
            .filter(|(_, body)| matches!(body, Body::Authentic))
            .map(|(committer, _)| *committer)
            .collect();
        let bodies = committers.iter().zip(bodies).map(|(committer, body)| match copied_root(committer, &proven) {
            Some(trip) => Body::Tripped(trip),
            None => body,
        });
        let open = committers.iter().zip(bodies).filter(|(committer, _)| !done.contains(&committer.hotkey));
        let checks: Vec<_> =
            open.map(|(committer, body)| self.check(judged, committer, body, &index).boxed()).collect();
        let mut checks = stream::iter(checks).buffer_unordered(CONCURRENCY);
        while let Some(outcome) = checks.next().await {
            outcome?;
        }
        Ok(())
    }

    fn passed(&self, block: u64) -> bool {
        self.views.borrow().as_ref().is_some_and(|view| view.block() > block)
    }

    /// Fetches every body, asking again until all are there or the time is over.
    async fn bodies(&self, judged: &Judged, committers: &[Committer], done: &[HotkeyId]) -> Result<Vec<Body>, Error> {
        let first: Vec<_> = committers.iter().map(|committer| self.body(judged, committer).boxed()).collect();
        let mut bodies: Vec<Body> = stream::iter(first).buffered(CONCURRENCY).try_collect().await?;
        loop {
            let missing = |(committer, body): &(&Committer, &Body)| {
                matches!(body, Body::Missing | Body::Unknown) && !done.contains(&committer.hotkey)
            };
            let is_missing = committers.iter().zip(&bodies).any(|pair| missing(&pair));
            if !is_missing || self.passed(judged.fetch_until_block) {
                return Ok(bodies);
            }
            tokio::time::sleep(AGAIN_AFTER).await;
            for (committer, body) in committers.iter().zip(&mut bodies) {
                if matches!(body, Body::Missing | Body::Unknown) && !done.contains(&committer.hotkey) {
                    *body = self.body(judged, committer).await?;
                }
            }
        }
    }

    async fn body(&self, judged: &Judged, committer: &Committer) -> Result<Body, Error> {
        let mut unknown = self.gateways.is_empty();
        match self.load(judged, committer).await {
            Ok(Some(_)) => return Ok(Body::Authentic),
            Ok(None) => {}
            // Fetched again; where no gateway has it any more, that is not the miner's doing.
            Err(error) => {
                tracing::warn!(epoch = judged.epoch, uid = committer.uid, %error, "cannot read a bundle");
                unknown = true;
            }
        }
        let mut tripped = None;
        for index in 0..self.gateways.len() {
            let Some(gateway) = self.gateways.get(index).await else {
                unknown = true;
                continue;
            };
            let root = &committer.committed.commitment.root;
            let bytes = match gateway.bundle(root, &committer.hotkey).await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => continue,
                Err(error) => {
                    unknown |= !matches!(error, GatewayError::TooLarge { .. });
                    tracing::warn!(epoch = judged.epoch, uid = committer.uid, %error, "cannot fetch a bundle");
                    continue;
                }
            };
            match self.authentic(judged, committer, &bytes) {
                Ok(Some(_)) => {
                    let is_kept = self.files.store(self.path(judged, committer), bytes.to_vec()).await?;
                    return Ok(if is_kept { Body::Authentic } else { Body::Unknown });
                }
                Ok(None) => {}
                Err(trip) => tripped = Some(trip),
            }
        }
        // A gateway can forge a body that fails, not one that passes: it takes all of them to condemn a miner.
        Ok(match (unknown, tripped) {
            (true, _) => Body::Unknown,
            (false, Some(trip)) => Body::Tripped(trip),
            (false, None) => Body::Missing,
        })
    }

    /// The bundle in `bytes`; `None` when it is another hotkey's under the same root, which says nothing about this one.
    fn authentic(&self, judged: &Judged, committer: &Committer, bytes: &[u8]) -> Result<Option<Bundle>, Trip> {
        let bundle = Bundle::decode_limited(bytes)
            .map_err(|error| Trip { reason: Reason::Unauthentic, evidence: Evidence::Proof(error) })?;
        let (hotkey, committed) = (&committer.hotkey, &committer.committed);
        if bundle.hotkey != *hotkey {
            return Ok(None);
        }
        let subject =
            SubnetEpoch { genesis: self.genesis, netuid: self.netuid, mecid: MECID_INTEL, epoch: judged.epoch };
        check_authenticity(&bundle, hotkey, &subject, Some(committed), judged.deadline_block)?;
        Ok(Some(bundle))
    }

    fn path(&self, judged: &Judged, committer: &Committer) -> PathBuf {
        let root = hex::encode(committer.committed.commitment.root);
        self.folder.join(judged.epoch.to_string()).join(format!("{root}.{}", committer.uid))
    }

    /// The body on disk, if it is there and authentic.
    async fn load(&self, judged: &Judged, committer: &Committer) -> Result<Option<Bundle>, Error> {
        let bytes = files::read(self.path(judged, committer)).await?;
        Ok(bytes.and_then(|bytes| self.authentic(judged, committer, &bytes).ok().flatten()))
    }

    async fn check(
        &self,
        judged: &Judged,
        committer: &Committer,
        body: Body,
        index: &DuplicateIndex,
    ) -> Result<(), Error> {
        let row = |reason: u8, evidence: String, summary: Vec<u8>| BundleRow {
            epoch: judged.epoch,
            hotkey: committer.hotkey,
            root: committer.committed.commitment.root,
            count: committer.committed.commitment.count,
            block: committer.committed.block,
            reason,
            evidence,
            summary,
        };
        let tripped = |trip: &Trip, bundle: Option<&Bundle>| {
            let summary = bundle.map(|bundle| Summary::of(bundle).encode()).unwrap_or_default();
            row(trip.reason.code(), explain::trip(trip), summary)
        };
        let row = match body {
            Body::Unknown => {
                tracing::warn!(
                    epoch = judged.epoch,
                    uid = committer.uid,
                    "bundle stays unchecked: no gateway was heard, or it could not be kept"
                );
                return Ok(());
            }
            Body::Missing => row(Reason::Unauthentic.code(), explain::BODY_MISSING.to_owned(), Vec::new()),
            Body::Tripped(trip) => tripped(&trip, None),
            Body::Authentic => {
                let Some(bundle) = self.load(judged, committer).await? else { return Ok(()) };
                match self.inspect(judged, committer, &bundle, index).await {
                    None => return Ok(()),
                    Some(Ok(())) => row(0, String::new(), Summary::of(&bundle).encode()),
                    Some(Err(trip)) => tripped(&trip, Some(&bundle)),
                }
            }
        };
        if row.reason > 0 {
            tracing::info!(epoch = row.epoch, uid = committer.uid, evidence = row.evidence, "gate tripped");
        }
        Ok(self.journal.record_bundle(&row).await?)
    }

    /// Faithfulness, window, openings, duplicates; `None` when the leaves could not be asked for.
    async fn inspect(
        &self,
        judged: &Judged,
        committer: &Committer,
        bundle: &Bundle,
        index: &DuplicateIndex,
    ) -> Option<Result<(), Trip>> {
        let (gate, leaves) = (&judged.rules.params.gate, judged.rules.params.challenge.leaves);
        if let Err(trip) = check_faithfulness(bundle).and_then(|()| check_window(bundle, &judged.window, gate)) {
            return Some(Err(trip));
        }
        let challenge = leaves_to_open(&judged.seed, &self.me, &bundle.header.root, bundle.header.count, leaves);
        let opened = match self.open(judged, bundle, &challenge).await {
            Opened::Leaves(opened) => opened,
            Opened::Unknown => return None,
        };
        let checked = check_openings(bundle, &challenge, &opened)
            .and_then(|()| opening::check_requests(bundle, &opened))
            .and_then(|()| check_duplicates(index, committer.order(), bundle, gate))
            .and_then(|()| judged.epoch_seed.map_or(Ok(()), |seed| check_tasks(bundle, &seed)));
        Some(checked)
    }
}

/// The trip of a committer whose very root another miner, one with its body, had committed before.
fn copied_root(committer: &Committer, proven: &[Committer]) -> Option<Trip> {
    let commitment = &committer.committed.commitment;
    let same = |other: &&Committer| {
        other.committed.commitment.root == commitment.root
            && other.hotkey != committer.hotkey
            && other.order() < committer.order()
    };
    let first = proven.iter().filter(same).min_by_key(|other| other.order())?;
    let evidence = Evidence::Duplicate {
        kind: DuplicateKind::Root,
        uid: first.uid,
        block: first.committed.block,
        attempts: commitment.count,
    };
    Some(Trip { reason: Reason::Duplicate, evidence })
}
