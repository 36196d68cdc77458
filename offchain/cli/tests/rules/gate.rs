// SPDX-License-Identifier: Apache-2.0
//! Whole submissions: what makes a gate 0, one example of each reason.

use clawrank_primitives::{
    gate::Reason,
    proof::{
        AnswerVerdict, Attempt, AttemptStatus, Bundle, Cell, Hash, Opening, SchemaVerdict, SubnetEpoch, blake2_256,
        merkle::MerkleTree, salted_hash,
    },
    units::MicroUsd,
};
use clawrank_protocol::proof::Keypair;
use codec::Encode;
use serde_json::{Value, json};

use crate::{answer, examples::hash};

const START: u64 = 1_700_000_000_000;
const COUNT: u32 = 120;
const CHALLENGE: [u32; 3] = [3, 40, 119];
const SUBJECT: SubnetEpoch = SubnetEpoch { genesis: [7; 32], netuid: 92, mecid: 1, epoch: 5 };

/// An honest submission of two cells with the replays of a validator, and what a test changes of it.
pub(crate) struct Case {
    keypair: Keypair,
    bundle: Bundle,
    opened: Vec<Opening>,
    /// Fields of the submission to replace.
    changes: Vec<(&'static str, Value)>,
    replays: Vec<Value>,
}

fn salted(miner: &str, what: &str, i: u32) -> (Vec<u8>, [u8; 16], Hash) {
    let text = format!("{miner} {what} {i}").into_bytes();
    let salt = *blake2_256(&text).first_chunk().unwrap();
    let hash = salted_hash(&salt, &text);
    (text, salt, hash)
}

fn attempt(miner: &str, i: u32, cell: Hash) -> Attempt {
    let noise = u32::from(blake2_256(&i.to_be_bytes())[0]);
    Attempt {
        cell,
        sequence: i,
        task_id: blake2_256(&i.to_le_bytes()),
        request_hash: salted(miner, "asks", i).2,
        response_hash: salted(miner, "hears", i).2,
        start_ms: START + 1_000 * u64::from(i),
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
    pub(crate) fn new(miner: &str) -> Self {
        let keypair = Keypair::dev(&format!("//{miner}")).unwrap();
        let cells: Vec<Cell> = (0..2).map(|i| Cell::new("m", &format!("e{i}"), "chat").unwrap()).collect();
        let attempts = (0..COUNT).map(|i| attempt(miner, i, cells[i as usize % 2].id())).collect();
        let signal = serde_json::from_value(json!([{ "model": "m", "task_type": "chat", "endpoints": ["e1", "e0"] }]));
        let bundle = Bundle::assemble(keypair.public(), SUBJECT, attempts, cells, signal.unwrap()).unwrap();
        let tree = MerkleTree::new(bundle.attempts.iter().map(Attempt::leaf).collect()).unwrap();
        let open = |index: u32| {
            let ((request, request_salt, _), (response, response_salt, _)) =
                (salted(miner, "asks", index), salted(miner, "hears", index));
            let attempt = bundle.attempts[index as usize].clone();
            Opening {
                index,
                attempt,
                proof: tree.prove(index).unwrap(),
                request_salt,
                response_salt,
                request,
                response,
            }
        };
        let opened = CHALLENGE.map(open).to_vec();
        let replays = bundle.cells.iter().flat_map(|cell| replays(&cell.id())).collect();
        let mut case = Self { keypair, bundle, opened, changes: Vec::new(), replays };
        case.seal();
        case
    }

    /// Computes the root again and signs, as a liar would.
    fn seal(&mut self) {
        self.bundle.header.root = self.bundle.recompute_root().unwrap();
        self.bundle.sign(&self.keypair).unwrap();
    }

    /// With a cheat that trips.
    pub(crate) fn tripped(mut self) -> Self {
        self.bundle.telemetry[1].p50_total_ms /= 2;
        self.seal();
        self
    }

    /// As the program reads it.
    pub(crate) fn json(&self) -> Value {
        self.with(serde_json::to_value(&self.bundle).unwrap())
    }

    /// The same with the bundle in the form that gateways serve.
    pub(crate) fn encoded(&self) -> Value {
        self.with(json!(format!("0x{}", hex::encode(self.bundle.encode()))))
    }

    fn with(&self, bundle: Value) -> Value {
        let header = &self.bundle.header;
        let opened = self.opened.iter().map(|opening| {
            let mut opened = serde_json::to_value(opening).unwrap();
            opened["found_schema"] = json!("valid");
            opened
        });
        let mut submission = json!({
            "hotkey": hex::encode(self.keypair.public()), "uid": 3, "subject": SUBJECT,
            "window": { "start_ms": START, "end_ms": START + 600_000 }, "deadline": 100,
            "committed": { "epoch": 5, "count": header.count, "root": hex::encode(header.root), "block": 90 },
            "bundle": bundle, "challenge": CHALLENGE, "opened": opened.collect::<Vec<_>>(), "epoch_seed": null, "others": [],
        });
        for (pointer, value) in &self.changes {
            *submission.pointer_mut(pointer).unwrap() = value.clone();
        }
        json!({ "submission": submission, "replays": self.replays })
    }
}

fn replays(cell: &Hash) -> Vec<Value> {
    let replay = |i: u32| {
        let noise = u32::from(blake2_256(&i.to_le_bytes())[0]);
        let task = hex::encode(blake2_256(&[&cell[..], &i.to_le_bytes()].concat()));
        json!({ "cell": hex::encode(cell), "task_id": task, "ok": true, "ttft_ms": 310 + noise,
            "total_ms": 2_020 + 2 * noise, "right": true })
    };
    (0..32).map(replay).collect()
}

/// A cheat, why it is caught, and where the evidence says so.
type Cheat = (Reason, &'static str, fn(&mut Case));

const CHEATS: [Cheat; 16] = [
    (Reason::Unauthentic, "/not_committed", |c| c.changes.push(("/committed", Value::Null))),
    (Reason::Unauthentic, "/late/block", |c| c.changes.push(("/committed/block", json!(101)))),
    (Reason::Unauthentic, "/other_commitment", |c| c.changes.push(("/committed/root", json!(hash(1))))),
    (Reason::Unauthentic, "/other_subject", |c| c.changes.push(("/subject/epoch", json!(6)))),
    (Reason::Unauthentic, "/proof", |c| c.bundle.signature[5] ^= 1),
    (Reason::Unfaithful, "/telemetry/recomputed", |c| {
        c.bundle.telemetry[1].p50_total_ms /= 2;
        c.seal();
    }),
    (Reason::OutOfWindow, "/window/index", |c| c.changes.push(("/window/end_ms", json!(START + 60_000)))),
    (Reason::HashMismatch, "/opening/index", |c| c.opened[1].response.push(b'!')),
    (Reason::HashMismatch, "/not_opened/index", |c| drop(c.opened.remove(1))),
    (Reason::SchemaMismatch, "/schema/found", |c| c.changes.push(("/opened/2/found_schema", json!("invalid")))),
    (Reason::Duplicate, "/duplicate/uid", |c| *c = copy_of_alice()),
    (Reason::SuccessOutOfTolerance, "/statistic/observed", |c| {
        c.replays.iter_mut().for_each(|r| r["ok"] = json!(false))
    }),
    (Reason::LatencyOutOfTolerance, "/statistic/observed", |c| {
        c.replays.iter_mut().for_each(|r| r["total_ms"] = json!(2 * r["total_ms"].as_u64().unwrap()));
    }),
    (Reason::LatencyOutOfTolerance, "/statistic/observed", |c| {
        c.replays.iter_mut().for_each(|r| r["ttft_ms"] = json!(2 * r["ttft_ms"].as_u64().unwrap()));
    }),
    (Reason::AnswerOutOfTolerance, "/statistic/observed", |c| {
        c.replays.iter_mut().for_each(|r| r["right"] = json!(false));
    }),
    // The tasks of the example follow from no seed.
    (Reason::OutOfWindow, "/task/index", |c| c.changes.push(("/epoch_seed", json!(hash(7))))),
];

/// Alice's attempts, signed by another and committed later.
fn copy_of_alice() -> Case {
    let alice = Case::new("Alice");
    let mut copy = Case::new("Bob");
    copy.bundle.attempts = alice.bundle.attempts.clone();
    copy.bundle.telemetry = alice.bundle.telemetry.clone();
    copy.opened = alice.opened.clone();
    copy.seal();
    let bundle = serde_json::to_value(&alice.bundle).unwrap();
    copy.changes.push(("/others", json!([{ "block": 89, "uid": 2, "bundle": bundle }])));
    copy
}

#[test]
fn gate_is_open_when_the_submission_is_honest() {
    let case = Case::new("Alice");
    let open = answer(&["gate"], &case.json());
    assert_eq!((&open["gate"], &open["reason"], &open["reason_code"]), (&json!(1), &Value::Null, &json!(0)), "{open}");
    assert_eq!(open["tests"], 12);
    assert!(open["cells"].as_array().unwrap().iter().all(|cell| cell["verified"] == true && cell["replays"] == 32));
    assert_eq!(answer(&["gate"], &case.encoded()), open, "the encoded bundle is the same bundle");
}

#[test]
fn every_reason_is_given_when_a_submission_deserves_it() {
    let mut seen = Vec::new();
    for (reason, evidence, cheat) in CHEATS {
        let mut case = Case::new("Alice");
        cheat(&mut case);
        let shut = answer(&["gate"], &case.json());
        assert_eq!(shut["gate"], 0, "{reason} {evidence}");
        assert_eq!((&shut["reason"], &shut["reason_code"]), (&json!(reason.name()), &json!(reason.code())), "{shut}");
        // What has no figures is a name.
        let name = evidence.trim_start_matches('/');
        let shown = shut["evidence"].pointer(evidence).is_some() || shut["evidence"] == name;
        assert!(shown, "{reason}: no {evidence} in {}", shut["evidence"]);
        seen.push(reason);
    }
    for reason in Reason::ALL {
        assert!(seen.contains(&reason), "no example of {reason}");
    }
}

#[test]
fn copy_is_no_duplicate_when_it_was_committed_first() {
    let mut copy = copy_of_alice();
    copy.changes.push(("/others/0/block", json!(91)));
    assert_eq!(answer(&["gate"], &copy.json())["gate"], 1);
}
