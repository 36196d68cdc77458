// SPDX-License-Identifier: Apache-2.0
//! A chain in memory.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use clawrank_client::{
    ChainPort, ClientError,
    types::{
        AccountId, Beacon, BundleCommit, Call, Commitment, EpochPayout, Hash, Head, Neuron, Submitted, SubnetSnapshot,
        TimelockedCommit, WeightCommit,
    },
};
use clawrank_primitives::{
    Params,
    proof::{Keypair, blake2_256},
};
use tokio::sync::watch;

pub const GENESIS: Hash = [7; 32];
pub const NETUID: u16 = 92;
pub const TEMPO: u16 = 100;
pub const BLOCK_MS: u64 = 100;

struct State {
    snapshot: SubnetSnapshot,
    start_ms: u64,
    commitments: Vec<Commitment>,
    bundles: Vec<BundleCommit>,
    calls: Vec<Call>,
    refuse: u32,
    is_stalled: bool,
    blurs: bool,
    /// A transaction whose outcome its sender does not know.
    pending: Option<(AccountId, Call)>,
}

impl State {
    fn apply(&mut self, hotkey: AccountId, call: Call) -> u64 {
        let block = self.snapshot.head.number + 1;
        match &call {
            Call::SetCommitment { data, .. } => {
                self.commitments.push(Commitment { hotkey, block, data: data.clone() });
            }
            Call::CommitBundle { root, count, .. } => {
                self.bundles.push(BundleCommit { hotkey, block, root: *root, count: *count });
            }
            _ => {}
        }
        self.calls.push(call);
        block
    }

    fn ensure_live(&self) -> Result<(), ClientError> {
        let last = self.snapshot.head.number;
        if self.is_stalled { Err(ClientError::ChainStalled { last, for_ms: 1 }) } else { Ok(()) }
    }
}

pub struct FakeChain {
    state: Mutex<State>,
    heads: watch::Sender<Option<Head>>,
    provider_rank: bool,
}

fn hash(number: u64) -> Hash {
    blake2_256(&number.to_le_bytes())
}

impl FakeChain {
    /// Epoch 5 began at block 1000, now; these hotkeys are registered.
    pub fn new(hotkeys: &[AccountId], provider_rank: bool) -> Arc<Self> {
        let start_ms = clawrank_miner::now_ms();
        let head = Head { number: 1_001, hash: hash(1_001), timestamp_ms: start_ms + BLOCK_MS };
        let neurons = hotkeys.iter().enumerate().map(|(uid, hotkey)| Neuron {
            uid: u16::try_from(uid).unwrap(),
            hotkey: *hotkey,
            coldkey: *hotkey,
            stake_rao: 0,
            validator_permit: uid == 0,
            active: true,
            registered_at: 1,
            axon: None,
            last_update: vec![],
            incentive: vec![],
            dividends: 0,
            emission_rao: 0,
        });
        let snapshot = SubnetSnapshot {
            head,
            netuid: NETUID,
            tempo: TEMPO,
            epoch_index: 5,
            last_epoch_block: 1_000,
            pending_epoch_at: 0,
            blocks_since_last_step: 1,
            owner_coldkey: None,
            owner_uid: None,
            commit_reveal: true,
            commit_reveal_version: 4,
            reveal_period_epochs: 1,
            weights_rate_limit: 0,
            weights_version_key: 0,
            min_allowed_weights: 1,
            max_allowed_uids: 256,
            immunity_period: 5_000,
            mechanism_count: 2,
            max_mechanisms: 2,
            stake_threshold_rao: 0,
            block_time_ms: BLOCK_MS,
            neurons: neurons.collect(),
        };
        let state = State {
            snapshot,
            start_ms,
            commitments: vec![],
            bundles: vec![],
            calls: vec![],
            refuse: 0,
            is_stalled: false,
            blurs: false,
            pending: None,
        };
        Arc::new(Self { state: Mutex::new(state), heads: watch::Sender::new(Some(head)), provider_rank })
    }

    /// Moves to a block; from block 1100 on it is epoch 6.
    pub fn advance_to(&self, number: u64) {
        let mut state = self.state.lock().unwrap();
        let timestamp_ms = state.start_ms + (number - 1_000) * BLOCK_MS;
        let head = Head { number, hash: hash(number), timestamp_ms };
        state.snapshot.head = head;
        if number >= 1_100 {
            state.snapshot.epoch_index = 6;
            state.snapshot.last_epoch_block = 1_100;
        }
        drop(state);
        self.heads.send_replace(Some(head));
    }

    /// Begins epoch 5 so many blocks earlier: blocks up to that one are no longer ahead of the clock.
    pub fn backdate(&self, blocks: u64) {
        self.state.lock().unwrap().start_ms -= blocks * BLOCK_MS;
    }

    /// Gives the hotkey of uid 1 its place.
    pub fn register(&self, hotkey: AccountId) {
        self.state.lock().unwrap().snapshot.neurons[1].hotkey = hotkey;
    }

    /// The next `count` submissions fail with an error that may pass.
    pub fn refuse(&self, count: u32) {
        self.state.lock().unwrap().refuse = count;
    }

    /// No block becomes final, or they do again: reads and submissions fail meanwhile.
    pub fn stall(&self, is_stalled: bool) {
        self.state.lock().unwrap().is_stalled = is_stalled;
    }

    /// The next submission stays in the pool, and its sender is told that its outcome is unknown.
    pub fn blur(&self) {
        self.state.lock().unwrap().blurs = true;
    }

    /// Whether there is such a submission.
    pub fn is_pending(&self) -> bool {
        self.state.lock().unwrap().pending.is_some()
    }

    /// It gets into a block, or the pool loses it.
    pub fn settle(&self, lands: bool) {
        let mut state = self.state.lock().unwrap();
        let (hotkey, call) = state.pending.take().unwrap();
        if lands {
            state.apply(hotkey, call);
        }
    }

    pub fn calls(&self) -> Vec<Call> {
        self.state.lock().unwrap().calls.clone()
    }
}

#[async_trait]
impl ChainPort for FakeChain {
    fn genesis_hash(&self) -> Hash {
        GENESIS
    }

    fn heads(&self) -> watch::Receiver<Option<Head>> {
        self.heads.subscribe()
    }

    fn has_provider_rank(&self) -> bool {
        self.provider_rank
    }

    async fn subnet(&self, netuid: u16) -> Result<SubnetSnapshot, ClientError> {
        if netuid != NETUID {
            return Err(ClientError::UnknownSubnet { netuid });
        }
        let state = self.state.lock().unwrap();
        state.ensure_live()?;
        Ok(state.snapshot.clone())
    }

    async fn subnet_at(&self, netuid: u16, _block: Hash) -> Result<SubnetSnapshot, ClientError> {
        self.subnet(netuid).await
    }

    async fn block(&self, number: u64) -> Result<Option<Head>, ClientError> {
        let state = self.state.lock().unwrap();
        state.ensure_live()?;
        let timestamp_ms = state.start_ms + number.saturating_sub(1_000) * BLOCK_MS;
        Ok((number <= state.snapshot.head.number).then(|| Head { number, hash: hash(number), timestamp_ms }))
    }

    async fn has_pending(&self, account: &AccountId) -> Result<bool, ClientError> {
        let state = self.state.lock().unwrap();
        state.ensure_live()?;
        Ok(state.pending.as_ref().is_some_and(|(sender, _)| sender == account))
    }

    async fn weights(&self, _: u16, _: u8) -> Result<Vec<(u16, Vec<(u16, u16)>)>, ClientError> {
        Ok(vec![])
    }

    async fn weight_commits(&self, _: u16, _: u8, _: &AccountId) -> Result<Vec<WeightCommit>, ClientError> {
        Ok(vec![])
    }

    async fn timelocked_commits(&self, _: u16, _: u8, _: u64) -> Result<Vec<TimelockedCommit>, ClientError> {
        Ok(vec![])
    }

    async fn beacon(&self) -> Result<Option<Beacon>, ClientError> {
        Ok(None)
    }

    async fn pulse(&self, _: u64) -> Result<Option<[u8; 48]>, ClientError> {
        Ok(None)
    }

    async fn pulse_at(&self, _: u64, _: Hash) -> Result<Option<[u8; 48]>, ClientError> {
        Ok(None)
    }

    async fn commitments(&self, _: u16) -> Result<Vec<Commitment>, ClientError> {
        let state = self.state.lock().unwrap();
        state.ensure_live()?;
        Ok(state.commitments.clone())
    }

    async fn bundle_commits(&self, _: u16, _: u64) -> Result<Vec<BundleCommit>, ClientError> {
        Ok(self.state.lock().unwrap().bundles.clone())
    }

    async fn payouts(&self, _: u16) -> Result<Vec<EpochPayout>, ClientError> {
        Ok(vec![])
    }

    async fn params(&self, _netuid: u16, _block: Hash) -> Result<Option<Params>, ClientError> {
        Ok(None)
    }

    async fn submit(&self, signer: &Keypair, call: Call) -> Result<Submitted, ClientError> {
        let mut state = self.state.lock().unwrap();
        if state.refuse > 0 {
            state.refuse -= 1;
            return Err(ClientError::ChainStalled { last: 1, for_ms: 1 });
        }
        state.ensure_live()?;
        if std::mem::take(&mut state.blurs) {
            let (call_name, valid_until) = ("a call".to_owned(), state.snapshot.head.number + 64);
            state.pending = Some((signer.public(), call));
            return Err(ClientError::OutcomeUnknown { call: call_name, extrinsic: [0; 32], valid_until });
        }
        let block = state.apply(signer.public(), call);
        Ok(Submitted { extrinsic: [0; 32], block: hash(block), block_number: block, events: vec![] })
    }
}
