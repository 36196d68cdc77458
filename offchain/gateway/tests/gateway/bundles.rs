// SPDX-License-Identifier: Apache-2.0

use clawrank_protocol::{
    Base64, Hex, HexBytes, Hotkey,
    frames::{GatewayFrame, MinerFrame, Opened, OpenedLeaf, Role},
    http::{BundleStored, Openings},
    proof::{
        AnswerVerdict, Attempt, AttemptStatus, Bundle, Cell, Keypair, Method, SchemaVerdict, SubnetEpoch, merkle,
        salted_hash,
    },
};
use clawrank_units::MicroUsd;
use codec::Encode;

use crate::{
    miner::Miner,
    support::{GENESIS, Gateway, NETUID, key, refusal},
};

fn attempt(cell: &Cell, sequence: u32) -> Attempt {
    Attempt {
        cell: cell.id(),
        sequence,
        task_id: [7; 32],
        request_hash: salted_hash(&[1; 16], b"question"),
        response_hash: salted_hash(&[2; 16], b"answer"),
        start_ms: 1_000 + u64::from(sequence),
        ttft_ms: 10,
        total_ms: 20,
        input_tokens: 5,
        output_tokens: 6,
        status: AttemptStatus::Ok,
        schema: SchemaVerdict::NotChecked,
        answer: AnswerVerdict::NotChecked,
        cost: MicroUsd(1),
    }
}

fn bundle(keypair: &Keypair) -> Bundle {
    let cell = Cell::new("llama", "emu-a", "chat").unwrap();
    let attempts = (0..5).map(|sequence| attempt(&cell, sequence)).collect();
    let subnet = SubnetEpoch { genesis: GENESIS, netuid: NETUID, mecid: 1, epoch: 3 };
    let mut bundle = Bundle::assemble(keypair.public(), subnet, attempts, vec![cell], vec![]).unwrap();
    bundle.sign(keypair).unwrap();
    bundle
}

async fn upload(gateway: &Gateway, signer: &Keypair, root: [u8; 32], body: &[u8]) -> reqwest::Response {
    let path = format!("/v1/bundles/{}", Hex(root));
    gateway.signed(signer, Method::Put, &path, body).send().await.unwrap()
}

#[tokio::test]
async fn bundle_is_stored_once_and_given_to_validators_when_right() {
    let gateway = Gateway::start().await;
    let bob = key("Bob");
    let bundle = bundle(&bob);
    let (root, body) = (bundle.header.root, bundle.encode());
    let first = upload(&gateway, &bob, root, &body).await;
    assert_eq!(first.status(), 201);
    assert_eq!(first.json::<BundleStored>().await.unwrap(), BundleStored { root: Hex(root), known: false });
    assert_eq!(upload(&gateway, &bob, root, &body).await.status(), 200);
    let path = format!("/v1/bundles/{}?hotkey={}", Hex(root), Hotkey(bob.public()));
    let fetched = gateway.signed(&key("Eve"), Method::Get, &path, b"").send().await.unwrap();
    let fetched = fetched.bytes().await.unwrap();
    assert_eq!(Bundle::decode_limited(&fetched).unwrap(), bundle);
    let miner = gateway.signed(&key("Carol"), Method::Get, &path, b"").send().await.unwrap();
    assert_eq!(refusal(miner).await.0, 403);
    let get =
        async |path: String| refusal(gateway.signed(&key("Eve"), Method::Get, &path, b"").send().await.unwrap()).await;
    let (status, _, why) = get(format!("/v1/bundles/{}?hotkey={}", Hex([0; 32]), Hotkey(bob.public()))).await;
    assert!(status == 404 && why.contains("has uploaded no bundle"), "{status} {why}");
    for query in ["", "?hotkey=5Bob", "?root=1"] {
        let (status, _, why) = get(format!("/v1/bundles/{}{query}", Hex(root))).await;
        assert!(status == 400 && why.contains("hotkey=SS58"), "{status} {why}");
    }
}

#[tokio::test]
async fn bundle_is_not_kept_out_when_another_hotkey_uploads_its_root_first() {
    let gateway = Gateway::start().await;
    let (bob, carol) = (key("Bob"), key("Carol"));
    let (original, copy) = (bundle(&bob), bundle(&carol));
    let root = original.header.root;
    assert_eq!(copy.header.root, root);
    assert_eq!(upload(&gateway, &carol, root, &copy.encode()).await.status(), 201);
    assert_eq!(upload(&gateway, &bob, root, &original.encode()).await.status(), 201);
    for (signer, expected) in [(&bob, original), (&carol, copy)] {
        let path = format!("/v1/bundles/{}?hotkey={}", Hex(root), Hotkey(signer.public()));
        let fetched = gateway.signed(&key("Eve"), Method::Get, &path, b"").send().await.unwrap();
        assert_eq!(Bundle::decode_limited(&fetched.bytes().await.unwrap()).unwrap(), expected);
    }
}

#[tokio::test]
async fn bundle_is_refused_when_body_root_signature_or_sender_do_not_match() {
    let gateway = Gateway::start().await;
    let bob = key("Bob");
    let good = bundle(&bob);
    let root = good.header.root;
    let mut changed = good.clone();
    changed.attempts[2].total_ms += 1;
    changed.telemetry = clawrank_protocol::proof::summarise(&changed.attempts);
    let mut unsigned = good.clone();
    unsigned.signature[3] ^= 1;
    let mut foreign = good.clone();
    foreign.header.netuid += 1;
    let cases: [(&Keypair, [u8; 32], Vec<u8>, &str); 7] = [
        (&bob, root, changed.encode(), "root"),
        (&bob, root, unsigned.encode(), "signature"),
        (&bob, root, foreign.encode(), "subnet"),
        (&bob, [5; 32], good.encode(), "root"),
        (&key("Carol"), root, good.encode(), "request of"),
        (&bob, root, good.encode()[..50].to_vec(), "decoded"),
        (&bob, root, vec![], "decoded"),
    ];
    for (signer, root, body, word) in cases {
        let (status, code, message) = refusal(upload(&gateway, signer, root, &body).await).await;
        assert_eq!((status, code.as_str()), (400, "invalid_request_error"), "{message}");
        assert!(message.contains(word), "{word}: {message}");
    }
    assert_eq!(refusal(upload(&gateway, &key("Mallory"), root, &good.encode()).await).await.0, 403);
    assert_eq!(upload(&gateway, &bob, root, &good.encode()).await.status(), 201);
}

fn opened(bundle: &Bundle, index: u32) -> OpenedLeaf {
    let leaves: Vec<_> = bundle.attempts.iter().map(Attempt::leaf).collect();
    let proof = merkle::prove(&leaves, index).unwrap();
    OpenedLeaf {
        leaf: index,
        attempt: HexBytes(bundle.attempts[index as usize].encode()),
        path: proof.path.into_iter().map(Hex).collect(),
        request: Base64(b"question".to_vec()),
        response: Base64(b"answer".to_vec()),
        request_salt: Hex([1; 16]),
        response_salt: Hex([2; 16]),
    }
}

#[tokio::test]
async fn leaves_are_opened_by_the_bundles_miner_when_a_validator_asks() {
    let gateway = Gateway::with(|config| config.timing.open_deadline_ms = 300).await;
    let bob = key("Bob");
    let bundle = bundle(&bob);
    let root = bundle.header.root;
    upload(&gateway, &bob, root, &bundle.encode()).await;
    let path = format!("/v1/bundles/{}/open?hotkey={}", Hex(root), Hotkey(bob.public()));
    let ask = async |body: &'static str| {
        gateway.signed(&key("Eve"), Method::Post, &path, body.as_bytes()).send().await.unwrap()
    };
    assert_eq!(refusal(ask(r#"{"leaves":[1]}"#).await).await.1, "no_miner_available");
    let mut miner = Miner::try_connect(&gateway, bob, Role::Measure, vec![]).await.unwrap();
    let (response, ()) = tokio::join!(ask(r#"{"leaves":[1,4]}"#), async {
        let Some(GatewayFrame::Open(open)) = miner.next().await else { panic!("expected open") };
        assert_eq!((open.root, open.leaves.as_slice()), (Hex(root), &[1, 4][..]));
        for (leaf, more) in [(1, true), (4, false)] {
            let openings = vec![opened(&bundle, leaf)];
            miner.send(MinerFrame::Opened(Opened { id: open.id, openings, more })).await;
        }
    });
    let openings: Openings = response.json().await.unwrap();
    for (leaf, index) in openings.openings.into_iter().zip([1, 4]) {
        let opening = clawrank_protocol::proof::Opening::try_from(leaf).unwrap();
        assert_eq!(opening.index, index);
        opening.verify(&bundle.attempts_root().unwrap(), bundle.header.count).unwrap();
    }
    // A miner that does not open costs the validator its deadline only.
    let (status, code, _) = refusal(ask(r#"{"leaves":[0]}"#).await).await;
    assert_eq!((status, code.as_str()), (504, "timeout"));
    for bad in ["{}", r#"{"leaves":[]}"#, r#"{"leaves":[-1]}"#, "leaves"] {
        assert_eq!(refusal(ask(bad).await).await.0, 400, "{bad}");
    }
}
