// SPDX-License-Identifier: Apache-2.0

//! A bundle of three attempts on two cells, its commitment, an opening, and the challenges of a seed.

use clawrank_primitives::MECID_INTEL;
use clawrank_protocol::{
    Hex,
    frames::{GatewayFrame, MinerFrame, Open, Opened, OpenedLeaf},
    http::OpenBody,
    proof::{
        AnswerVerdict, Attempt, AttemptStatus, BUNDLE_VERSION, Bundle, Cell, Commitment, Domain, Hash, Opening, Salt,
        SchemaVerdict, SignalEntry, SubnetEpoch,
        challenge::{leaves_to_open, tasks_to_replay},
        commitment,
        merkle::{self, MerkleTree, node_hash},
        salted_hash, summary_hash, weights_commit_hash,
    },
    tasks::{Task, measure_task_id, recognise},
};
use codec::Encode;

use crate::{
    keys::{EPOCH, GENESIS, NETUID, NOW_MS, miner, signature, validator},
    page::{Examples, hex},
    serving::{MODEL, cost},
};

const EPOCH_SEED: Hash = [0x55; 32];
const CHALLENGE_SEED: Hash = [0x77; 32];

/// Salts of an attempt's request and response. Real ones are random, of course.
fn salts(sequence: u32) -> (Salt, Salt) {
    let digit = u8::try_from(sequence).unwrap();
    ([0x60 + digit; 16], [0x68 + digit; 16])
}

/// The bundle and the texts behind its first leaf.
pub(crate) struct Example {
    pub(crate) bundle: Bundle,
    cells: [Cell; 2],
    request: Vec<u8>,
    response: String,
}

/// The texts of an attempt: what its task demands, and a right answer.
fn texts(task_id: &Hash) -> (Task, Vec<u8>, String) {
    let task = Task::from_id("math", task_id).unwrap();
    let response = recognise(&task.messages).unwrap().right_answer().unwrap();
    (task.clone(), task.request_bytes(MODEL, true), response)
}

fn attempt(sequence: u32, cell: &Cell, index: u32) -> Attempt {
    let task_id = measure_task_id(&EPOCH_SEED, &miner().public(), &cell.id(), index);
    let (task, request, response) = texts(&task_id);
    let (schema, answer) = task.check(&response);
    let (request_salt, response_salt) = salts(sequence);
    let start_ms = NOW_MS + u64::from(sequence) * 1_500;
    let (ttft_ms, total_ms) = (210 + 15 * sequence, 480 + 20 * sequence);
    let (input_tokens, output_tokens) = (38, 4);
    Attempt {
        cell: cell.id(),
        sequence,
        task_id,
        request_hash: salted_hash(&request_salt, &request),
        response_hash: salted_hash(&response_salt, response.as_bytes()),
        start_ms,
        ttft_ms,
        total_ms,
        input_tokens,
        output_tokens,
        status: AttemptStatus::Ok,
        schema,
        answer,
        cost: cost(input_tokens, output_tokens),
    }
}

pub(crate) fn example() -> Example {
    let cells = ["aurora", "borealis"].map(|endpoint| Cell::new(MODEL, endpoint, "math").unwrap());
    let attempts = vec![attempt(0, &cells[0], 0), attempt(1, &cells[1], 0), attempt(2, &cells[0], 1)];
    let (_, request, response) = texts(&attempts[0].task_id);
    let signal = SignalEntry {
        model: cells[0].model.clone(),
        task_type: cells[0].task_type.clone(),
        endpoints: cells.each_ref().map(|cell| cell.endpoint.clone()).to_vec(),
    };
    let subnet = SubnetEpoch { genesis: GENESIS, netuid: NETUID, mecid: MECID_INTEL, epoch: EPOCH };
    let mut bundle = Bundle::assemble(miner().public(), subnet, attempts, cells.to_vec(), vec![signal]).unwrap();
    bundle.signature = signature("bundle", &miner(), &bundle.header.signing_payload());
    bundle.verify().unwrap();
    assert!(bundle.is_faithful());
    assert_eq!(Bundle::decode_limited(&bundle.encode()).unwrap(), bundle);
    Example { bundle, cells, request, response }
}

fn attempt_fields(attempt: &Attempt) -> [(&'static str, Vec<u8>); 14] {
    [
        ("cell", attempt.cell.encode()),
        ("sequence", attempt.sequence.encode()),
        ("task_id", attempt.task_id.encode()),
        ("request_hash", attempt.request_hash.encode()),
        ("response_hash", attempt.response_hash.encode()),
        ("start_ms", attempt.start_ms.encode()),
        ("ttft_ms", attempt.ttft_ms.encode()),
        ("total_ms", attempt.total_ms.encode()),
        ("input_tokens", attempt.input_tokens.encode()),
        ("output_tokens", attempt.output_tokens.encode()),
        ("status", attempt.status.encode()),
        ("schema", attempt.schema.encode()),
        ("answer", attempt.answer.encode()),
        ("cost", attempt.cost.encode()),
    ]
}

/// `0 Ok, 1 Timeout, ..`: what an enum's bytes mean.
fn variants<T: Encode + core::fmt::Debug>(all: &[T]) -> String {
    all.iter().map(|one| format!("{} `{one:?}`", one.encode()[0])).collect::<Vec<_>>().join(", ")
}

fn verdicts(examples: &mut Examples) {
    use AttemptStatus::{ClientError, Malformed, Ok, RateLimited, ServerError, Timeout};
    let status = variants(&[Ok, Timeout, RateLimited, ServerError, ClientError, Malformed]);
    let schema = variants(&[SchemaVerdict::NotChecked, SchemaVerdict::Valid, SchemaVerdict::Invalid]);
    let answer = variants(&[AnswerVerdict::NotChecked, AnswerVerdict::Right, AnswerVerdict::Wrong]);
    examples.row(&["`status`", &status]);
    examples.row(&["`schema`", &schema]);
    examples.row(&["`answer`", &answer]);
}

fn header(examples: &mut Examples, bundle: &Bundle) {
    let header = &bundle.header;
    assert_eq!(header.version, BUNDLE_VERSION);
    let fields = [
        ("version", header.version.encode()),
        ("genesis", header.genesis.encode()),
        ("netuid", header.netuid.encode()),
        ("mecid", header.mecid.encode()),
        ("epoch", header.epoch.encode()),
        ("root", header.root.encode()),
        ("count", header.count.encode()),
    ];
    assert_eq!(examples.fields("bundle-header", &fields), header.encode());
    examples.signed(Domain::Bundle, &header.signing_payload());
    examples.value("signature of the header", &hex(&bundle.signature));
    let committed = Commitment::from(header).to_bytes();
    assert_eq!((committed.len(), &committed[..4]), (commitment::LEN, b"CRB1".as_slice()));
    examples.bytes("commitment", &committed);
}

fn tree(examples: &mut Examples, bundle: &Bundle) -> MerkleTree {
    let leaves: Vec<Hash> = bundle.attempts.iter().map(Attempt::leaf).collect();
    for (index, leaf) in leaves.iter().enumerate() {
        examples.value(&format!("leaf {index}"), &hex(leaf));
    }
    let node = node_hash(&leaves[0], &leaves[1]);
    examples.value("node 0–1", &hex(&node));
    let tree = MerkleTree::new(leaves.clone()).unwrap();
    // Leaf 2 has no sibling and moves up as it is.
    assert_eq!(tree.root(), node_hash(&node, &leaves[2]));
    assert_eq!(tree.prove(0).unwrap().path, [leaves[1], leaves[2]]);
    assert_eq!(tree.prove(2).unwrap().path, [node]);
    examples.value("`attempts_root`", &hex(&tree.root()));
    examples.value("`summary`", &hex(&summary_hash(&bundle.cells, &bundle.telemetry, &bundle.signal)));
    examples.value("`root`", &hex(&bundle.header.root));
    tree
}

fn opening(examples: &mut Examples, example: &Example, tree: &MerkleTree) {
    let (request_salt, response_salt) = salts(0);
    let opening = Opening {
        index: 0,
        attempt: example.bundle.attempts[0].clone(),
        proof: tree.prove(0).unwrap(),
        request_salt,
        response_salt,
        request: example.request.clone(),
        response: example.response.clone().into_bytes(),
    };
    opening.verify(&tree.root(), example.bundle.header.count).unwrap();
    merkle::verify(&tree.root(), 3, 2, &example.bundle.attempts[2].leaf(), &tree.prove(2).unwrap()).unwrap();
    let id = Hex([0x0a; 16]);
    let root = Hex(example.bundle.header.root);
    let open = GatewayFrame::Open(Open { id, root, leaves: vec![0], deadline_ms: 10_000 });
    let opened = MinerFrame::Opened(Opened { id, openings: vec![OpenedLeaf::from(opening)], more: false });
    let asked = serde_json::to_string(&OpenBody { leaves: vec![0] }).unwrap();
    examples.json("open", &[asked, open.encode(), opened.encode()]);
}

fn challenges(examples: &mut Examples, example: &Example) {
    let (validator, root) = (validator().public(), example.bundle.header.root);
    let leaves = leaves_to_open(&CHALLENGE_SEED, &validator, &root, 100, 5);
    examples.value("leaves, `count` 100, `k` 5", &format!("{leaves:?}"));
    let all = leaves_to_open(&CHALLENGE_SEED, &validator, &root, 3, 32);
    examples.value("leaves, `count` 3, `k` 32", &format!("{all:?}"));
    let tasks = tasks_to_replay(&CHALLENGE_SEED, &validator, &example.cells[0].id(), 2);
    examples.value("task 0 of cell `aurora`", &hex(&tasks[0]));
    examples.value("task 1 of cell `aurora`", &hex(&tasks[1]));
    let (index, uids, values): (u16, [u16; 3], [u16; 3]) = (4_096 + NETUID, [0, 1, 5], [65_535, 32_768, 100]);
    let (salt, version_key): ([u16; 8], u64) = ([1, 2, 3, 4, 5, 6, 7, 8], 1);
    let bytes = (validator, index, uids.as_slice(), values.as_slice(), salt.as_slice(), version_key).encode();
    examples.bytes("weights", &bytes);
    let hash = weights_commit_hash(&validator, index, &uids, &values, &salt, version_key);
    assert_eq!(clawrank_protocol::proof::blake2_256(&bytes), hash);
    examples.value("`commit_hash`", &hex(&hash));
}

pub(crate) fn examples(examples: &mut Examples) {
    let example = example();
    let bundle = &example.bundle;
    for cell in &example.cells {
        examples.value(&format!("SCALE of cell `{}`", cell.endpoint), &hex(cell));
        examples.value(&format!("id of cell `{}`", cell.endpoint), &hex(&cell.id()));
    }
    let first = &bundle.attempts[0];
    examples.json("task", &[String::from_utf8(example.request.clone()).unwrap()]);
    examples.value("response", &example.response);
    let zero = Task::from_id("json", &[0; 32]).unwrap().request_bytes("m", true);
    examples.json("task-zero", &[String::from_utf8(zero).unwrap()]);
    assert_eq!(examples.layout(&attempt_fields(first)), first.encode());
    examples.name("attempt", &first.encode());
    verdicts(examples);
    examples.value("telemetry of cell `aurora`", &hex(&bundle.telemetry[0]));
    let tree = tree(examples, bundle);
    header(examples, bundle);
    opening(examples, &example, &tree);
    challenges(examples, &example);
}
