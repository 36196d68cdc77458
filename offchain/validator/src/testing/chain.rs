// SPDX-License-Identifier: Apache-2.0
//! A chain in memory whose blocks the test makes, with the public chain's commit-reveal.

use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use clawrank_client::{
    ChainPort, ClientError,
    types::{
        AccountId, Beacon, BundleCommit, Call, Commitment, EpochPayout, Hash, Head, MinerVerdict, Submitted,
        SubnetSnapshot, TimelockedCommit, WeightCommit,
    },
};
use clawrank_primitives::{
    Params,
    proof::{Keypair, weights_commit_hash},
    schedule::Step,
};
use clawrank_timelock::{DEV_BEACON_SEED, DevBeacon, WeightsPayload};
use tokio::sync::{Notify, watch};

use super::{Fault, NETUID, genesis, head, snapshot};
use crate::commit::round::params;

#[derive(Clone)]
pub(crate) struct State {
    pub(crate) subnet: SubnetSnapshot,
    pub(crate) commits: BTreeMap<(u8, AccountId), Vec<WeightCommit>>,
    /// Timelocked commits by mechanism and epoch of the commit.
    pub(crate) timelocked: BTreeMap<(u8, u64), Vec<TimelockedCommit>>,
    /// The chain's beacon; `None` as on a chain without one.
    pub(crate) beacon: Option<Beacon>,
    /// Rounds that the chain never stores.
    pub(crate) lost_rounds: std::ops::Range<u64>,
    /// No round comes while true.
    pub(crate) beacon_is_down: bool,
    /// Blocks for which a due epoch is put off.
    pub(crate) put_off: u64,
    /// Transactions that get into a block by themselves, and into which.
    pub(crate) pooled: Vec<(u64, AccountId, Call)>,
    pub(crate) weights: BTreeMap<(u8, u16), Vec<(u16, u16)>>,
    pub(crate) commitments: Vec<Commitment>,
    pub(crate) bundle_commits: BTreeMap<u64, Vec<BundleCommit>>,
    pub(crate) verdicts: Vec<(u64, Vec<MinerVerdict>)>,
    pub(crate) provider_rank: bool,
    pub(crate) faults: VecDeque<Fault>,
    /// Calls that took effect, with their block.
    pub(crate) log: Vec<(u64, Call)>,
    /// Calls that were handed over, whatever became of them.
    pub(crate) handed_over: usize,
    /// Reads fail while true.
    pub(crate) unreadable: bool,
    /// Parameters that the subnet stores, each from its block on.
    pub(crate) params: Vec<(u64, Option<Params>)>,
    /// The node has discarded the states of blocks.
    pub(crate) has_lost_states: bool,
    /// Blocks by which the best block is ahead of the newest final one.
    pub(crate) best_ahead: u64,
}

/// The chain as it was from one event to the next: a block, a transaction.
pub(crate) struct Moment {
    /// What happened.
    pub(crate) event: String,
    /// Whether it happened otherwise: what comes after did not come of this.
    pub(crate) is_fork: bool,
    /// Bytes of the journal's log when it happened.
    pub(crate) log_len: u64,
    pub(crate) state: State,
}

/// Keeps every [`Moment`], and the length of this file at each.
struct Recorder {
    log: PathBuf,
    moments: Vec<Moment>,
}

/// The fake. `origin_ms` is the time of block 0.
pub(crate) struct FakeChain {
    pub(crate) state: Mutex<State>,
    origin_ms: u64,
    block_ms: u64,
    heads: watch::Sender<Option<Head>>,
    /// Rung by [`Fault::KilledBefore`] and [`Fault::KilledAfter`].
    pub(crate) killed: Notify,
    recorder: Mutex<Option<Recorder>>,
}

impl FakeChain {
    /// At block 1,001 of epoch 5, which began at block 1,000; that block's time is `now_ms`.
    pub(crate) fn new(miners: u16, now_ms: u64) -> Arc<Self> {
        Self::with_blocks_of(super::BLOCK_MS, miners, now_ms)
    }

    /// The same with blocks of 12 s and the development beacon, a round every 3 s.
    pub(crate) fn with_beacon(miners: u16, now_ms: u64) -> Arc<Self> {
        let chain = Self::with_blocks_of(12_000, miners, now_ms);
        let public_key = DevBeacon::from_seed(&DEV_BEACON_SEED).public_key();
        let genesis_time = chain.origin_ms / 1_000;
        let beacon = Beacon { public_key, genesis_time, period: 3, last_stored_round: 0 };
        chain.with(|state| {
            state.beacon = Some(beacon);
            store_rounds(state);
        });
        chain
    }

    fn with_blocks_of(block_ms: u64, miners: u16, now_ms: u64) -> Arc<Self> {
        let origin_ms = now_ms - 1_001 * block_ms;
        let mut subnet = snapshot(1_001, miners);
        subnet.head = head(1_001, origin_ms, block_ms);
        subnet.block_time_ms = block_ms;
        let state = State {
            subnet,
            commits: BTreeMap::new(),
            timelocked: BTreeMap::new(),
            beacon: None,
            lost_rounds: 0..0,
            beacon_is_down: false,
            put_off: 0,
            pooled: Vec::new(),
            weights: BTreeMap::new(),
            commitments: Vec::new(),
            bundle_commits: BTreeMap::new(),
            verdicts: Vec::new(),
            provider_rank: false,
            faults: VecDeque::new(),
            log: Vec::new(),
            handed_over: 0,
            unreadable: false,
            params: Vec::new(),
            has_lost_states: false,
            best_ahead: 0,
        };
        let heads = watch::channel(Some(head(1_001, origin_ms, block_ms))).0;
        let (state, recorder) = (Mutex::new(state), Mutex::default());
        Arc::new(Self { state, origin_ms, block_ms, heads, killed: Notify::new(), recorder })
    }

    /// Another chain that goes on from `state`, as this one did.
    pub(crate) fn going_on_from(&self, state: State) -> Arc<Self> {
        let heads = watch::channel(Some(state.subnet.head)).0;
        let (origin_ms, block_ms) = (self.origin_ms, self.block_ms);
        let (state, recorder) = (Mutex::new(state), Mutex::default());
        Arc::new(Self { state, origin_ms, block_ms, heads, killed: Notify::new(), recorder })
    }

    /// Keeps every moment from now on, with the length of `log` at each.
    pub(crate) fn record(&self, log: &Path) {
        *self.recorder.lock().unwrap() = Some(Recorder { log: log.to_path_buf(), moments: Vec::new() });
        self.keep("start".to_owned(), false, self.with(|state| state.clone()));
    }

    /// The moments that were kept, oldest first.
    pub(crate) fn recorded(&self) -> Vec<Moment> {
        self.recorder.lock().unwrap().take().map(|recorder| recorder.moments).unwrap_or_default()
    }

    fn keep(&self, event: String, is_fork: bool, state: State) {
        if let Some(recorder) = &mut *self.recorder.lock().unwrap() {
            let log_len = std::fs::metadata(&recorder.log).unwrap().len();
            recorder.moments.push(Moment { event, is_fork, log_len, state });
        }
    }

    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    /// Makes blocks up to `number`.
    pub(crate) fn advance_to(&self, number: u64) {
        while self.with(|s| s.subnet.head.number) < number {
            self.advance();
        }
    }

    /// Makes one block.
    pub(crate) fn advance(&self) {
        let head = self.with(|state| {
            let number = state.subnet.head.number + 1;
            state.subnet.head = head(number, self.origin_ms, self.block_ms);
            store_rounds(state);
            reveal_timelocked(state);
            let mut schedule = state.subnet.epoch_state();
            if schedule.step(number, state.put_off == 0) == Step::Deferred {
                state.put_off -= 1;
            }
            let subnet = &mut state.subnet;
            subnet.epoch_index = schedule.epoch_index;
            subnet.last_epoch_block = schedule.last_epoch_block;
            subnet.pending_epoch_at = schedule.pending_epoch_at;
            subnet.blocks_since_last_step = schedule.blocks_since_last_step;
            let (now, later): (Vec<_>, Vec<_>) = state.pooled.drain(..).partition(|(block, ..)| *block <= number);
            state.pooled = later;
            for (_, signer, call) in now {
                if run(state, signer, &call).is_ok() {
                    state.log.push((number, call));
                }
            }
            state.subnet.head
        });
        self.heads.send_replace(Some(head));
        self.keep(format!("block {}", head.number), false, self.with(|state| state.clone()));
    }

    pub(crate) fn time_of(&self, number: u64) -> u64 {
        head(number, self.origin_ms, self.block_ms).timestamp_ms
    }

    pub(crate) fn hash_of(&self, number: u64) -> Hash {
        head(number, self.origin_ms, self.block_ms).hash
    }

    /// Commits that took effect for an epoch of the chain and a mechanism.
    pub(crate) fn commits_made(&self) -> usize {
        self.count(|call| {
            let salted = matches!(call, Call::CommitWeights { .. } | Call::CommitMechanismWeights { .. });
            salted || matches!(call, Call::CommitTimelockedWeights { .. })
        })
    }

    pub(crate) fn reveals_made(&self) -> usize {
        self.count(|call| matches!(call, Call::RevealWeights { .. } | Call::RevealMechanismWeights { .. }))
    }

    pub(crate) fn count(&self, which: impl Fn(&Call) -> bool) -> usize {
        self.with(|state| state.log.iter().filter(|(_, call)| which(call)).count())
    }

    fn apply(&self, signer: AccountId, call: Call) -> Result<Submitted, ClientError> {
        // What a process finds that is killed while its transaction waits, for longer than a lost one is looked for.
        let mut waiting = self.with(|state| state.clone());
        waiting.pooled.push((waiting.subnet.head.number + 9, signer, call.clone()));
        self.keep("transaction waits".to_owned(), true, waiting);
        self.advance();
        let done = self.with(|state| {
            let head = state.subnet.head;
            run(state, signer, &call).map_err(|name| ClientError::Dispatch {
                call: "SubtensorModule.call".to_owned(),
                pallet: "SubtensorModule".into(),
                name: name.to_owned(),
                docs: "".into(),
                block_number: head.number,
                extrinsic: [7; 32],
            })?;
            state.log.push((head.number, call));
            Ok(Submitted { extrinsic: [7; 32], block: head.hash, block_number: head.number, events: Vec::new() })
        });
        self.keep("transaction in a block".to_owned(), false, self.with(|state| state.clone()));
        done
    }
}

fn run(state: &mut State, signer: AccountId, call: &Call) -> Result<(), &'static str> {
    match call {
        Call::CommitWeights { commit_hash, .. } => commit(state, signer, 0, *commit_hash),
        Call::CommitMechanismWeights { mecid, commit_hash, .. } => commit(state, signer, *mecid, *commit_hash),
        Call::RevealWeights { uids, values, salt, version_key, .. } => {
            reveal(state, signer, 0, uids, values, salt, *version_key)
        }
        Call::RevealMechanismWeights { mecid, uids, values, salt, version_key, .. } => {
            reveal(state, signer, *mecid, uids, values, salt, *version_key)
        }
        Call::CommitTimelockedWeights { mecid, commit, reveal_round, version, .. } => {
            commit_timelocked(state, signer, *mecid, commit, *reveal_round, *version)
        }
        Call::SetWeights { dests, weights, .. } => set(state, signer, 0, dests, weights),
        Call::SetMechanismWeights { mecid, dests, weights, .. } => set(state, signer, *mecid, dests, weights),
        Call::SubmitVerdicts { epoch, verdicts, .. } => {
            state.verdicts.push((*epoch, verdicts.clone()));
            Ok(())
        }
        _ => Err("NotInThisFake"),
    }
}

/// The validator's uid, if the chain lets it set weights for a mechanism now.
fn allowed(state: &mut State, signer: AccountId, mecid: u8) -> Result<u16, &'static str> {
    let (now, limit) = (state.subnet.head.number, state.subnet.weights_rate_limit);
    let neuron = state.subnet.neurons.iter_mut().find(|n| n.hotkey == signer).ok_or("HotKeyNotRegisteredInSubNet")?;
    if !neuron.validator_permit {
        return Err("NeuronNoValidatorPermit");
    }
    let last = &mut neuron.last_update[usize::from(mecid)];
    if *last > 0 && now < *last + limit {
        return Err("CommittingWeightsTooFast");
    }
    *last = now;
    Ok(neuron.uid)
}

/// Epoch that the chain counts a block to.
fn epoch(state: &State) -> u64 {
    state.subnet.epoch_state().epoch_at(state.subnet.head.number)
}

/// Brings the rounds onto the chain that are public by the head's time.
fn store_rounds(state: &mut State) {
    if let (Some(beacon), false) = (&mut state.beacon, state.beacon_is_down) {
        beacon.last_stored_round = params(beacon).round_at(state.subnet.head.timestamp_ms);
    }
}

/// The signature of a round, if the chain has it.
fn pulse(state: &State, round: u64) -> Option<[u8; 48]> {
    let stored = state.beacon.is_some_and(|beacon| round <= beacon.last_stored_round);
    let lost = state.lost_rounds.contains(&round);
    (stored && !lost).then(|| DevBeacon::from_seed(&DEV_BEACON_SEED).sign(round))
}

/// Reveals the timelocked commits that are due, before the epoch of the block: what cannot be used is dropped without a
/// word, what lacks its round is tried again, what is too old goes.
fn reveal_timelocked(state: &mut State) {
    let Some(due) = epoch(state).checked_sub(state.subnet.reveal_period_epochs) else { return };
    state.timelocked.retain(|(_, epoch), _| *epoch >= due);
    let keys: Vec<(u8, u64)> = state.timelocked.keys().copied().filter(|(_, epoch)| *epoch == due).collect();
    for key in keys {
        for entry in state.timelocked.remove(&key).unwrap_or_default() {
            let Some(signature) = pulse(state, entry.reveal_round) else {
                state.timelocked.entry(key).or_default().push(entry);
                continue;
            };
            let opened = clawrank_timelock::decrypt(&entry.commit, &signature)
                .and_then(|plain| WeightsPayload::decode(&plain, &entry.hotkey));
            let uid = state.subnet.by_hotkey(&entry.hotkey).map(|neuron| neuron.uid);
            if let (Ok(payload), Some(uid)) = (opened, uid) {
                let row = payload.uids.into_iter().zip(payload.values).collect();
                state.weights.insert((key.0, uid), row);
            }
        }
    }
}

fn commit(state: &mut State, signer: AccountId, mecid: u8, hash: Hash) -> Result<(), &'static str> {
    if !state.subnet.commit_reveal {
        return Err("CommitRevealDisabled");
    }
    allowed(state, signer, mecid)?;
    let entry = WeightCommit { hash, epoch: epoch(state), block: state.subnet.head.number };
    state.commits.entry((mecid, signer)).or_default().push(entry);
    Ok(())
}

fn commit_timelocked(
    state: &mut State,
    signer: AccountId,
    mecid: u8,
    commit: &[u8],
    reveal_round: u64,
    version: u16,
) -> Result<(), &'static str> {
    if !state.subnet.commit_reveal {
        return Err("CommitRevealDisabled");
    }
    if version != state.subnet.commit_reveal_version {
        return Err("IncorrectCommitRevealVersion");
    }
    if state.beacon.is_none_or(|beacon| reveal_round < beacon.last_stored_round) {
        return Err("InvalidRevealRound");
    }
    allowed(state, signer, mecid)?;
    let (epoch, block) = (epoch(state), state.subnet.head.number);
    let entry = TimelockedCommit { hotkey: signer, block, commit: commit.to_vec(), reveal_round };
    state.timelocked.entry((mecid, epoch)).or_default().push(entry);
    Ok(())
}

fn reveal(
    state: &mut State,
    signer: AccountId,
    mecid: u8,
    uids: &[u16],
    values: &[u16],
    salt: &[u16],
    version_key: u64,
) -> Result<(), &'static str> {
    let hash = weights_commit_hash(&signer, u16::from(mecid) * 4_096 + NETUID, uids, values, salt, version_key);
    let (now, period) = (epoch(state), state.subnet.reveal_period_epochs);
    let commits = state.commits.entry((mecid, signer)).or_default();
    commits.retain(|commit| commit.epoch + period >= now);
    let at = commits.iter().position(|commit| commit.hash == hash).ok_or("InvalidRevealCommitHashNotMatch")?;
    if now < commits[at].epoch + period {
        return Err("RevealTooEarly");
    }
    commits.drain(..=at);
    let uid = state.subnet.by_hotkey(&signer).ok_or("HotKeyNotRegisteredInSubNet")?.uid;
    let row = uids.iter().copied().zip(values.iter().copied()).collect();
    state.weights.insert((mecid, uid), row);
    Ok(())
}

fn set(state: &mut State, signer: AccountId, mecid: u8, uids: &[u16], values: &[u16]) -> Result<(), &'static str> {
    if state.subnet.commit_reveal {
        return Err("CommitRevealEnabled");
    }
    let uid = allowed(state, signer, mecid)?;
    let row = uids.iter().copied().zip(values.iter().copied()).collect();
    state.weights.insert((mecid, uid), row);
    Ok(())
}

fn broken() -> ClientError {
    ClientError::Transport {
        endpoint: "ws://fake".to_owned(),
        method: "author_submitExtrinsic".to_owned(),
        source: "connection reset".into(),
    }
}

#[async_trait]
impl ChainPort for FakeChain {
    fn genesis_hash(&self) -> Hash {
        genesis()
    }

    fn heads(&self) -> watch::Receiver<Option<Head>> {
        self.heads.subscribe()
    }

    fn has_provider_rank(&self) -> bool {
        self.with(|state| state.provider_rank)
    }

    async fn subnet(&self, _netuid: u16) -> Result<SubnetSnapshot, ClientError> {
        self.with(|state| if state.unreadable { Err(broken()) } else { Ok(state.subnet.clone()) })
    }

    async fn best_number(&self) -> Result<u64, ClientError> {
        Ok(self.with(|state| state.subnet.head.number + state.best_ahead))
    }

    async fn has_pending(&self, account: &AccountId) -> Result<bool, ClientError> {
        Ok(self.with(|state| state.pooled.iter().any(|(_, signer, _)| signer == account)))
    }

    async fn subnet_at(&self, netuid: u16, _block: Hash) -> Result<SubnetSnapshot, ClientError> {
        self.subnet(netuid).await
    }

    async fn block(&self, number: u64) -> Result<Option<Head>, ClientError> {
        Ok(self.with(|state| (number <= state.subnet.head.number).then(|| head(number, self.origin_ms, self.block_ms))))
    }

    async fn weights(&self, _netuid: u16, mecid: u8) -> Result<Vec<(u16, Vec<(u16, u16)>)>, ClientError> {
        let rows = self.with(|state| state.weights.clone());
        Ok(rows.into_iter().filter(|((m, _), _)| *m == mecid).map(|((_, uid), row)| (uid, row)).collect())
    }

    async fn weight_commits(
        &self,
        _netuid: u16,
        mecid: u8,
        hotkey: &AccountId,
    ) -> Result<Vec<WeightCommit>, ClientError> {
        Ok(self.with(|state| state.commits.get(&(mecid, *hotkey)).cloned().unwrap_or_default()))
    }

    async fn timelocked_commits(
        &self,
        _netuid: u16,
        mecid: u8,
        epoch: u64,
    ) -> Result<Vec<TimelockedCommit>, ClientError> {
        Ok(self.with(|state| state.timelocked.get(&(mecid, epoch)).cloned().unwrap_or_default()))
    }

    async fn beacon(&self) -> Result<Option<Beacon>, ClientError> {
        Ok(self.with(|state| state.beacon))
    }

    async fn pulse(&self, round: u64) -> Result<Option<[u8; 48]>, ClientError> {
        Ok(self.with(|state| pulse(state, round)))
    }

    async fn pulse_at(&self, round: u64, block: Hash) -> Result<Option<[u8; 48]>, ClientError> {
        Ok(self.with(|state| {
            let blocks = (0..=state.subnet.head.number).map(|number| head(number, self.origin_ms, self.block_ms));
            let then = blocks.into_iter().find(|head| head.hash == block)?;
            let reached = state.beacon.map(|beacon| params(&beacon).round_at(then.timestamp_ms))?;
            if round <= reached { pulse(state, round) } else { None }
        }))
    }

    async fn commitments(&self, _netuid: u16) -> Result<Vec<Commitment>, ClientError> {
        Ok(self.with(|state| state.commitments.clone()))
    }

    async fn bundle_commits(&self, _netuid: u16, epoch: u64) -> Result<Vec<BundleCommit>, ClientError> {
        Ok(self.with(|state| state.bundle_commits.get(&epoch).cloned().unwrap_or_default()))
    }

    async fn payouts(&self, _netuid: u16) -> Result<Vec<EpochPayout>, ClientError> {
        Ok(Vec::new())
    }

    async fn params(&self, netuid: u16, block: Hash) -> Result<Option<Params>, ClientError> {
        assert_eq!(netuid, NETUID);
        self.with(|state| {
            if state.has_lost_states {
                return Err(ClientError::NoState { block });
            }
            let number = (0..=state.subnet.head.number).find(|number| super::block_hash(*number) == block);
            let stored = state.params.iter().rfind(|(from, _)| number.is_some_and(|number| *from <= number));
            Ok(stored.and_then(|(_, params)| params.clone()))
        })
    }

    async fn submit(&self, signer: &Keypair, call: Call) -> Result<Submitted, ClientError> {
        let fault = self.with(|state| {
            state.handed_over += 1;
            state.faults.pop_front()
        });
        let signer = signer.public();
        let unknown = |valid_until| ClientError::OutcomeUnknown {
            call: "SubtensorModule.call".to_owned(),
            extrinsic: [7; 32],
            valid_until,
        };
        let now = self.with(|state| state.subnet.head.number);
        match fault {
            None => self.apply(signer, call),
            Some(Fault::KilledBefore) => {
                self.killed.notify_one();
                std::future::pending().await
            }
            Some(Fault::KilledAfter) => {
                self.apply(signer, call)?;
                self.killed.notify_one();
                std::future::pending().await
            }
            Some(Fault::BrokenBefore) => Err(broken()),
            Some(Fault::BrokenAfter) => {
                self.apply(signer, call)?;
                Err(broken())
            }
            Some(Fault::UnknownBefore) => Err(unknown(now + 4)),
            Some(Fault::UnknownAfter) => {
                self.apply(signer, call)?;
                Err(unknown(now + 4))
            }
            Some(Fault::PoolBusy) => Err(ClientError::Pool {
                call: "SubtensorModule.call".to_owned(),
                code: 1014,
                reason: clawrank_client::PoolReason::TooLowPriority,
            }),
            Some(Fault::Stale) => Err(ClientError::Pool {
                call: "SubtensorModule.call".to_owned(),
                code: 1010,
                reason: clawrank_client::PoolReason::Stale,
            }),
            Some(Fault::Custom(code)) => Err(ClientError::Pool {
                call: "SubtensorModule.call".to_owned(),
                code: 1010,
                reason: clawrank_client::PoolReason::Custom { code, name: clawrank_client::custom_name(code) },
            }),
            Some(Fault::KilledWaiting(blocks)) => {
                self.with(|state| state.pooled.push((now + blocks, signer, call)));
                self.killed.notify_one();
                std::future::pending().await
            }
            Some(Fault::Orphaned(blocks)) => {
                self.with(|state| state.pooled.push((now + blocks, signer, call)));
                Err(unknown(now + blocks))
            }
        }
    }
}
