// SPDX-License-Identifier: Apache-2.0
//! Intel miners with made-up measurements: honest, lying, copying.

use clawrank_client::types::Commitment as OnChain;
use clawrank_primitives::{
    MECID_INTEL,
    proof::{
        Attempt, AttemptStatus, Bundle, Cell, Commitment, Keypair, Opening, SignalEntry, SubnetEpoch, blake2_256,
        merkle::MerkleTree, salted_hash,
    },
    units::MicroUsd,
};
use clawrank_protocol::tasks::{Task, measure_task_id, recognise};
use codec::Encode;

use super::{FakeChain, NETUID, StubGateway, block_hash, genesis};

/// What a miner has measured, before it is a bundle.
pub(crate) struct Measurer {
    pub(crate) key: Keypair,
    /// Whose salts the hashes were made with: a copier's victim's.
    salts: Keypair,
    pub(crate) attempts: Vec<Attempt>,
    texts: Vec<(Vec<u8>, Vec<u8>)>,
    /// Hash of the epoch's first block.
    seed: [u8; 32],
    cells: Vec<Cell>,
    pub(crate) signal: Vec<SignalEntry>,
}

/// A bundle that is ready, and everything needed to open it.
pub(crate) struct Committed {
    pub(crate) bundle: Bundle,
    openings: Vec<Opening>,
}

fn salt(key: &Keypair, index: u32, what: &[u8]) -> [u8; 16] {
    let digest = blake2_256(&[key.public().as_slice(), &index.to_le_bytes(), what].concat());
    digest[..16].try_into().unwrap()
}

impl Measurer {
    pub(crate) fn new(key: Keypair) -> Self {
        let (attempts, texts, cells, signal) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let seed = block_hash(1_000);
        Self { salts: key.clone(), key, seed, attempts, texts, cells, signal }
    }

    /// Further tasks are those of an epoch that began in this block; block 1,000 before.
    pub(crate) fn first_block(&mut self, number: u64) {
        self.seed = block_hash(number);
    }

    /// `n` right answers on a cell, each taking about `ms`, one after the other from `start_ms` on.
    pub(crate) fn measure(&mut self, cell: &Cell, n: u32, ms: u32, start_ms: u64) {
        let id = cell.id();
        for i in 0..n {
            let sequence = u32::try_from(self.attempts.len()).unwrap();
            let task_id = measure_task_id(&self.seed, &self.key.public(), &id, i);
            let task = Task::from_id(cell.task_type.as_str(), &task_id).unwrap();
            let answer = recognise(&task.messages).and_then(|task| task.right_answer());
            let (request, response) =
                (task.request_bytes(cell.model.as_str(), true), answer.unwrap_or_else(|| "Short.".into()).into_bytes());
            let (schema, verdict) = task.check(std::str::from_utf8(&response).unwrap());
            self.attempts.push(Attempt {
                cell: id,
                sequence,
                task_id,
                request_hash: salted_hash(&salt(&self.salts, sequence, b"q"), &request),
                response_hash: salted_hash(&salt(&self.salts, sequence, b"a"), &response),
                start_ms: start_ms + u64::from(sequence),
                ttft_ms: ms,
                // A spread around the median, so that medians are medians.
                total_ms: ms + i % 5,
                input_tokens: 20,
                output_tokens: 4,
                status: AttemptStatus::Ok,
                schema,
                answer: verdict,
                cost: MicroUsd(2),
            });
            self.texts.push((request, response));
        }
        self.cells.push(cell.clone());
    }

    pub(crate) fn recommend(&mut self, model: &str, task_type: &str, endpoints: &[&str]) {
        let cell = |endpoint: &&str| Cell::new(model, endpoint, task_type).unwrap();
        let first = cell(&endpoints[0]);
        let endpoints = endpoints.iter().map(|endpoint| cell(endpoint).endpoint).collect();
        self.signal.push(SignalEntry { model: first.model, task_type: first.task_type, endpoints });
    }

    /// Another hotkey's bundle with the same measurements, salts and texts included.
    pub(crate) fn copied_by(&self, key: Keypair) -> Self {
        Self {
            key,
            salts: self.salts.clone(),
            seed: self.seed,
            attempts: self.attempts.clone(),
            texts: self.texts.clone(),
            cells: self.cells.clone(),
            signal: self.signal.clone(),
        }
    }

    pub(crate) fn bundle(&self, epoch: u64) -> Committed {
        let subject = SubnetEpoch { genesis: genesis(), netuid: NETUID, mecid: MECID_INTEL, epoch };
        let mut bundle = Bundle::assemble(
            self.key.public(),
            subject,
            self.attempts.clone(),
            self.cells.clone(),
            self.signal.clone(),
        )
        .unwrap();
        bundle.sign(&self.key).unwrap();
        let tree = MerkleTree::new(self.attempts.iter().map(Attempt::leaf).collect()).unwrap();
        let openings = (0u32..)
            .zip(self.attempts.iter().zip(&self.texts))
            .map(|(index, (attempt, (request, response)))| Opening {
                index,
                attempt: attempt.clone(),
                proof: tree.prove(index).unwrap(),
                request_salt: salt(&self.salts, index, b"q"),
                response_salt: salt(&self.salts, index, b"a"),
                request: request.clone(),
                response: response.clone(),
            })
            .collect();
        Committed { bundle, openings }
    }
}

impl Committed {
    /// Root on chain in `block`, body and openings at the gateway.
    pub(crate) fn publish(&self, chain: &FakeChain, gateway: &StubGateway, block: u64) {
        self.commit(chain, block);
        gateway.put_bundle(self.bundle.header.root, self.bundle.encode());
        gateway.put_openings(self.bundle.header.root, self.openings.clone());
    }

    /// The root alone.
    pub(crate) fn commit(&self, chain: &FakeChain, block: u64) {
        let data = Commitment::from(&self.bundle.header).to_bytes().to_vec();
        chain.with(|state| state.commitments.push(OnChain { hotkey: self.bundle.hotkey, block, data }));
    }
}
