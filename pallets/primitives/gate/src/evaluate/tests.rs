// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{collections::BTreeMap, format, vec, vec::Vec};

use clawrank_proof::challenge::measure_task_id;
use clawrank_proof::{
    AnswerVerdict, Attempt, AttemptStatus, Cell, Commitment, Keypair, Opening, ProofError, SchemaVerdict, blake2_256,
    merkle::MerkleTree, salted_hash,
};
use clawrank_units::MicroUsd;

use super::*;
use crate::{DuplicateKind, Evidence, Reason, TelemetryField};

const START: u64 = 1_700_000_000_000;
const COUNT: u32 = 120;
const SUBJECT: SubnetEpoch = SubnetEpoch { genesis: [7; 32], netuid: 92, mecid: 1, epoch: 5 };
const WINDOW: EpochWindow = EpochWindow { start_ms: START, end_ms: START + 600_000 };

/// A submission with everything that [`Submission`] borrows.
struct Case {
    keypair: Keypair,
    uid: u16,
    committed: Option<Committed>,
    bundle: Bundle,
    challenge: Vec<u32>,
    opened: Vec<OpenedLeaf>,
    duplicates: DuplicateIndex,
    replays: Vec<Replay>,
}

fn texts(miner: &str, i: u32) -> (Vec<u8>, Vec<u8>) {
    (format!("{miner} asks {i}").into_bytes(), format!("{miner} hears {i}").into_bytes())
}

fn salts(miner: &str, i: u32) -> ([u8; 16], [u8; 16]) {
    let digest = blake2_256(format!("{miner} salts {i}").as_bytes());
    (*digest.first_chunk().unwrap(), *digest.last_chunk().unwrap())
}

fn attempt(miner: &str, i: u32, cell: Hash) -> Attempt {
    let ((request, response), (request_salt, response_salt)) = (texts(miner, i), salts(miner, i));
    let noise = u32::from(blake2_256(&request)[0]);
    Attempt {
        cell,
        sequence: i,
        task_id: blake2_256(&i.to_le_bytes()),
        request_hash: salted_hash(&request_salt, &request),
        response_hash: salted_hash(&response_salt, &response),
        start_ms: START + 1_000 * u64::from(i) + u64::from(noise),
        ttft_ms: 300 + noise,
        total_ms: 2_000 + 2 * noise,
        input_tokens: 20,
        output_tokens: 30,
        status: AttemptStatus::Ok,
        schema: SchemaVerdict::Valid,
        answer: AnswerVerdict::Right,
        cost: MicroUsd(10),
    }
}

impl Case {
    fn new(miner: &str, uid: u16) -> Self {
        let cells: Vec<Cell> = (0..2).map(|i| Cell::new("m", &format!("e{i}"), "chat").unwrap()).collect();
        let attempts = (0..COUNT).map(|i| attempt(miner, i, cells[i as usize % 2].id())).collect();
        Self::with(miner, uid, attempts, cells)
    }

    fn with(miner: &str, uid: u16, attempts: Vec<Attempt>, cells: Vec<Cell>) -> Self {
        let keypair = Keypair::dev(&format!("//{miner}")).unwrap();
        let replays = cells.iter().flat_map(|cell| replays_of(cell.id())).collect();
        let bundle = Bundle::assemble(keypair.public(), SUBJECT, attempts, cells, vec![]).unwrap();
        let challenge = vec![3, 40, 119];
        let tree = MerkleTree::new(bundle.attempts.iter().map(Attempt::leaf).collect()).unwrap();
        let opened = challenge.iter().map(|index| open(miner, &bundle, &tree, *index)).collect();
        let duplicates = DuplicateIndex::new();
        let mut case = Self { keypair, uid, committed: None, bundle, challenge, opened, duplicates, replays };
        case.seal();
        case
    }

    /// Computes the root again, signs and commits, as a liar would.
    fn seal(&mut self) {
        self.bundle.header.root = self.bundle.recompute_root().unwrap();
        self.bundle.sign(&self.keypair).unwrap();
        self.committed = Some(Committed { commitment: Commitment::from(&self.bundle.header), block: 90 });
    }

    fn report(&self) -> GateReport {
        let hotkey = self.keypair.public();
        let submission = Submission {
            hotkey: &hotkey,
            uid: self.uid,
            subject: SUBJECT,
            window: WINDOW,
            epoch_seed: None,
            deadline: 100,
            committed: self.committed,
            bundle: &self.bundle,
            challenge: &self.challenge,
            opened: &self.opened,
            duplicates: &self.duplicates,
            replays: &self.replays,
        };
        evaluate(&submission, &GateParams::clawrank())
    }

    fn trip(&self) -> (Reason, Evidence) {
        match self.report().verdict {
            Verdict::Tripped(Trip { reason, evidence }) => (reason, evidence),
            Verdict::Open => panic!("the gate is open"),
        }
    }
}

fn open(miner: &str, bundle: &Bundle, tree: &MerkleTree, index: u32) -> OpenedLeaf {
    let ((request, response), (request_salt, response_salt)) = (texts(miner, index), salts(miner, index));
    let attempt = bundle.attempts[index as usize].clone();
    let proof = tree.prove(index).unwrap();
    let opening = Opening { index, attempt, proof, request_salt, response_salt, request, response };
    OpenedLeaf { opening, schema: SchemaVerdict::Valid }
}

fn replays_of(cell: Hash) -> Vec<Replay> {
    (0..32u32)
        .map(|i| {
            let noise = u32::from(blake2_256(&i.to_be_bytes())[0]);
            Replay {
                cell,
                task_id: blake2_256(&[&cell[..], &i.to_le_bytes()].concat()),
                status: AttemptStatus::Ok,
                ttft_ms: 310 + noise,
                total_ms: 2_020 + 2 * noise,
                schema: SchemaVerdict::Valid,
                answer: AnswerVerdict::Right,
            }
        })
        .collect()
}

#[test]
fn gate_is_open_when_everything_is_honest() {
    let case = Case::new("Alice", 3);
    let report = case.report();
    assert_eq!(report.verdict, Verdict::Open);
    assert_eq!(report.tests, 12);
    assert!(case.bundle.cells.iter().all(|cell| report.scores(&cell.id())));
    assert!(!report.scores(&[9; 32]));
}

#[test]
fn cell_does_not_score_when_it_was_not_replayed() {
    let mut case = Case::new("Alice", 3);
    let (first, second) = (case.bundle.cells[0].id(), case.bundle.cells[1].id());
    case.replays.retain(|replay| replay.cell == first);
    let report = case.report();
    assert!(report.verdict.is_open());
    assert!(report.scores(&first) && !report.scores(&second));
}

#[test]
fn gate_is_unauthentic_when_not_committed_late_or_committed_otherwise() {
    let refused = |change: fn(&mut Case)| {
        let mut case = Case::new("Alice", 3);
        change(&mut case);
        let (reason, evidence) = case.trip();
        assert_eq!(reason, Reason::Unauthentic);
        evidence
    };
    assert_eq!(refused(|c| c.committed = None), Evidence::NotCommitted);
    let late = Evidence::Late { block: 101, deadline: 100 };
    assert_eq!(refused(|c| c.committed.as_mut().unwrap().block = 101), late);
    let changes: [fn(&mut Commitment); 3] = [|c| c.root[0] ^= 1, |c| c.count += 1, |c| c.epoch += 1];
    for change in changes {
        let mut case = Case::new("Alice", 3);
        change(&mut case.committed.as_mut().unwrap().commitment);
        assert_eq!(case.trip(), (Reason::Unauthentic, Evidence::OtherCommitment));
    }
}

#[test]
fn gate_is_unauthentic_when_signed_for_something_else_or_by_someone_else() {
    let changes: [fn(&mut Bundle); 4] =
        [|b| b.header.epoch += 1, |b| b.header.netuid += 1, |b| b.header.mecid = 0, |b| b.header.genesis = [0; 32]];
    for change in changes {
        let mut case = Case::new("Alice", 3);
        change(&mut case.bundle);
        case.seal();
        assert_eq!(case.trip(), (Reason::Unauthentic, Evidence::OtherSubject));
    }
    let mut stolen = Case::new("Alice", 3);
    stolen.keypair = Keypair::dev("//Bob").unwrap();
    assert_eq!(stolen.trip(), (Reason::Unauthentic, Evidence::OtherSubject));
    let mut unsigned = Case::new("Alice", 3);
    unsigned.bundle.signature[5] ^= 1;
    assert_eq!(unsigned.trip(), (Reason::Unauthentic, Evidence::Proof(ProofError::BadSignature)));
    let mut changed = Case::new("Alice", 3);
    changed.bundle.attempts[0].ttft_ms += 1;
    assert_eq!(changed.trip(), (Reason::Unauthentic, Evidence::Proof(ProofError::RootMismatch)));
}

#[test]
fn gate_is_unfaithful_when_telemetry_is_embellished() {
    let mut case = Case::new("Alice", 3);
    let honest = case.bundle.telemetry[1].p50_total_ms;
    case.bundle.telemetry[1].p50_total_ms = honest / 2;
    case.seal();
    let evidence = Evidence::Telemetry {
        cell: case.bundle.telemetry[1].cell,
        field: TelemetryField::P50Total,
        claimed: u64::from(honest / 2),
        recomputed: u64::from(honest),
    };
    assert_eq!(case.trip(), (Reason::Unfaithful, evidence));
}

#[test]
fn gate_is_unfaithful_when_a_cell_has_no_telemetry() {
    let mut case = Case::new("Alice", 3);
    case.bundle.telemetry.pop();
    case.seal();
    let evidence = Evidence::Telemetry { cell: [0; 32], field: TelemetryField::Cells, claimed: 1, recomputed: 2 };
    assert_eq!(case.trip(), (Reason::Unfaithful, evidence));
}

#[test]
fn tasks_are_the_epochs_when_each_is_there_once_and_early() {
    let seed = [7; 32];
    let hotkey = Keypair::dev("//Alice").unwrap().public();
    let honest = Case::new("Alice", 3).bundle;
    // Every attempt gets its cell's next task; what a bad key cost is left out.
    let with = |of: &Hash, numbers: &dyn Fn(u32) -> u32| {
        let mut bundle = honest.clone();
        let mut next: BTreeMap<Hash, u32> = BTreeMap::new();
        for attempt in &mut bundle.attempts {
            let n = next.entry(attempt.cell).or_default();
            attempt.task_id = measure_task_id(of, &hotkey, &attempt.cell, numbers(*n));
            *n += 1;
        }
        check_tasks(&bundle, &seed)
    };
    // 60 attempts per cell: the first 136 tasks count.
    assert_eq!(with(&seed, &|n| n), Ok(()));
    assert_eq!(with(&seed, &|n| 2 * n + 17), Ok(()));
    let out = |index| Err(Trip { reason: Reason::OutOfWindow, evidence: Evidence::Task { index } });
    assert_eq!(with(&seed, &|n| 2 * n + 18), out(118), "the last of the first cell is task 136");
    assert_eq!(with(&seed, &|n| n.max(1)), out(2), "one task twice");
    assert_eq!(with(&[8; 32], &|n| n), out(0), "another epoch's");
    let mut other = honest.clone();
    other.hotkey = [1; 32];
    assert_eq!(check_tasks(&other, &seed), out(0));
}

#[test]
fn gate_is_out_of_window_when_an_attempt_has_impossible_times() {
    let check = |index: usize, change: fn(&mut Attempt)| {
        let honest = Case::new("Alice", 3).bundle;
        let mut attempts = honest.attempts;
        change(&mut attempts[index]);
        let changed = attempts[index].clone();
        let (reason, evidence) = Case::with("Alice", 3, attempts, honest.cells).trip();
        assert_eq!(reason, Reason::OutOfWindow);
        let index = index as u32;
        assert_eq!(evidence, Evidence::Window { index, start_ms: changed.start_ms, total_ms: changed.total_ms });
    };
    check(0, |a| a.start_ms = START - 2_001);
    check(119, |a| a.start_ms = WINDOW.end_ms + 2_001 - u64::from(a.total_ms));
    check(119, |a| a.start_ms = u64::MAX);
    check(50, |a| a.start_ms -= 3_000);
    check(50, |a| a.sequence = 49);
    check(50, |a| a.ttft_ms = a.total_ms + 1);
}

#[test]
fn gate_is_open_when_clocks_differ_within_the_slack() {
    let honest = Case::new("Alice", 3).bundle;
    let mut attempts = honest.attempts;
    attempts[0].start_ms = START - 2_000;
    let case = Case::with("Alice", 3, attempts, honest.cells);
    assert_eq!(case.report().verdict, Verdict::Open);
}

#[test]
fn gate_is_a_hash_mismatch_when_an_opening_is_missing_or_wrong() {
    let refused = |change: fn(&mut Case)| {
        let mut case = Case::new("Alice", 3);
        change(&mut case);
        let (reason, evidence) = case.trip();
        assert_eq!(reason, Reason::HashMismatch);
        evidence
    };
    assert_eq!(refused(|c| drop(c.opened.remove(1))), Evidence::NotOpened { index: 40 });
    let hash = Evidence::Opening { index: 40, error: ProofError::HashMismatch };
    assert_eq!(refused(|c| c.opened[1].opening.response.push(b'!')), hash);
    assert_eq!(refused(|c| c.opened[1].opening.request.clear()), hash);
    let root = Evidence::Opening { index: 40, error: ProofError::RootMismatch };
    assert_eq!(refused(|c| c.opened[1].opening.attempt.total_ms = 1), root);
}

#[test]
fn gate_is_a_schema_mismatch_when_the_validator_finds_another_verdict() {
    let mut case = Case::new("Alice", 3);
    case.opened[2].schema = SchemaVerdict::Invalid;
    let (claimed, found) = (SchemaVerdict::Valid, SchemaVerdict::Invalid);
    assert_eq!(case.trip(), (Reason::SchemaMismatch, Evidence::Schema { index: 119, claimed, found }));
}

#[test]
fn gate_is_a_duplicate_only_when_the_other_committed_earlier() {
    let alice = Case::new("Alice", 3).bundle;
    let mut bob = Case::with("Bob", 4, alice.attempts.clone(), alice.cells.clone());
    bob.opened.clear();
    bob.challenge.clear();
    let at = |block, uid| {
        let mut index = DuplicateIndex::new();
        index.insert(CommitOrder { block: 90, uid: 4 }, &bob.bundle);
        index.insert(CommitOrder { block, uid }, &alice);
        index
    };
    bob.duplicates = at(89, 3);
    let evidence = Evidence::Duplicate { kind: DuplicateKind::Root, uid: 3, block: 89, attempts: COUNT };
    assert_eq!(bob.trip(), (Reason::Duplicate, evidence));
    bob.duplicates = at(90, 3);
    assert_eq!(bob.trip().0, Reason::Duplicate);
    for (block, uid) in [(90, 5), (91, 3)] {
        bob.duplicates = at(block, uid);
        assert_eq!(bob.report().verdict, Verdict::Open, "{block} {uid}");
    }
}

#[test]
fn gate_trips_on_latency_when_the_attempts_themselves_are_invented() {
    let honest = Case::new("Alice", 3).bundle;
    let mut attempts = honest.attempts;
    for attempt in &mut attempts {
        attempt.ttft_ms /= 2;
        attempt.total_ms /= 2;
    }
    let case = Case::with("Alice", 3, attempts, honest.cells);
    let report = case.report();
    assert_eq!(report.verdict.reason(), Some(Reason::LatencyOutOfTolerance));
    assert!(!case.bundle.cells.iter().any(|cell| report.scores(&cell.id())));
}

#[test]
fn reasons_keep_their_codes_when_encoded() {
    use codec::Encode;
    for (reason, code) in Reason::ALL.into_iter().zip(1u8..) {
        assert_eq!((reason.code(), reason.encode()), (code, vec![code]));
        assert_eq!(Reason::from_code(code), Some(reason));
        assert_eq!(format!("{reason}"), format!("{reason:?}"));
    }
    assert_eq!(Reason::from_code(0), None);
    assert_eq!(Reason::from_code(10), None);
}
