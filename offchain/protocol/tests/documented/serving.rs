// SPDX-License-Identifier: Apache-2.0

//! One connection of a serving miner: handshake, a streamed request, its claim and its receipt.

use clawrank_primitives::units::MicroUsd;
use clawrank_protocol::{
    Hex, HexBytes, Hotkey,
    catalogue::Catalogue,
    frames::{
        Answer, Challenge, Chunk, Done, Fail, GatewayFrame, Hello, MinerFrame, ModelOffer, RefusalCode, Refused,
        Request, Role, Welcome, hello_body_hash,
    },
    limits::{MAX_GATEWAY_FRAME_BYTES, MAX_MINER_FRAME_BYTES, PING_INTERVAL_MS, PROTOCOL_VERSION},
    openai::{ChatRequest, Facts, read_answer},
    proof::{self, Claim, Domain, HELLO_VERSION, ModelName, RECEIPT_VERSION, Receipt, SignedReceipt, blake2_256},
    text::{DeliveredText, counts_agree},
};
use codec::Encode;
use serde_json::value::RawValue;

use crate::{
    keys::{GENESIS, NETUID, NOW_MS, gateway, miner, signature},
    page::Examples,
};

pub(crate) const MODEL: &str = "llama-3-8b";
const AGENT: &str = "example-miner/1.0";
const NONCE: Hex<32> = Hex([0x22; 32]);
const SALT: Hex<16> = Hex([0x33; 16]);
const BODY: &str = r#"{"model":"llama-3-8b","messages":[{"role":"user","content":"What makes a tide?"}],"max_tokens":16,"stream":true}"#;
const CHUNKS: [&str; 3] = [
    r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"The sea, "},"finish_reason":null}]}"#,
    r#"{"choices":[{"index":0,"delta":{"content":"pulled by the moon."},"finish_reason":"stop"}]}"#,
    r#"{"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":8,"total_tokens":20}}"#,
];
const WHOLE: &str = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"The sea, pulled by the moon."},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":8,"total_tokens":20}}"#;

/// The catalogue of the page, which also gives the prices of its examples.
pub(crate) const CATALOGUE: &str = r#"[[endpoint]]
id = "aurora"
base_url = "https://aurora.example/v1"
api_key_env = "AURORA_KEY"
models = [{ id = "llama-3-8b", price_in_micro_usd_per_mtok = 50_000, price_out_micro_usd_per_mtok = 100_000, context_tokens = 8192 }]
task_types = ["chat", "math", "json"]"#;

pub(crate) fn cost(input_tokens: u32, output_tokens: u32) -> MicroUsd {
    let catalogue = Catalogue::parse(CATALOGUE, "the page").unwrap();
    MicroUsd(catalogue.endpoints[0].model(MODEL).unwrap().cost_micro_usd(input_tokens, output_tokens))
}

pub(crate) fn offer() -> ModelOffer {
    ModelOffer {
        id: MODEL.to_owned(),
        max_concurrency: 8,
        context_tokens: 8_192,
        price_in_micro_usd_per_mtok: 50_000,
        price_out_micro_usd_per_mtok: 100_000,
        lacks: Vec::new(),
    }
}

fn id() -> Hex<16> {
    Hex(core::array::from_fn(|index| u8::try_from(index).unwrap()))
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

fn to_miner(frame: &GatewayFrame) -> String {
    let text = frame.encode();
    assert_eq!(GatewayFrame::decode(&text, MAX_GATEWAY_FRAME_BYTES).unwrap().encode(), text);
    text
}

fn to_gateway(frame: &MinerFrame) -> String {
    let text = frame.encode();
    assert_eq!(MinerFrame::decode(&text, MAX_MINER_FRAME_BYTES).unwrap().encode(), text);
    text
}

fn handshake(examples: &mut Examples) {
    let challenge = Challenge {
        version: PROTOCOL_VERSION,
        nonce: NONCE,
        genesis: Hex(GENESIS),
        netuid: NETUID,
        gateway: Hotkey(gateway().public()),
        time_ms: NOW_MS,
    };
    examples.json("challenge", &[to_miner(&GatewayFrame::Challenge(challenge))]);
    let models = vec![offer()];
    let canonical =
        format!(r#"{{"role":"serve","models":[{}],"agent":"{AGENT}"}}"#, serde_json::to_string(&models[0]).unwrap());
    let body_hash = hello_body_hash(Role::Serve, &models, AGENT);
    assert_eq!(body_hash, blake2_256(canonical.as_bytes()));
    examples.json("announced", &[canonical]);
    let signed = proof::Hello {
        version: HELLO_VERSION,
        genesis: GENESIS,
        netuid: NETUID,
        gateway: gateway().public(),
        nonce: NONCE.0,
        hotkey: miner().public(),
        body_hash,
    };
    let fields = [
        ("version", signed.version.encode()),
        ("genesis", signed.genesis.encode()),
        ("netuid", signed.netuid.encode()),
        ("gateway", signed.gateway.encode()),
        ("nonce", signed.nonce.encode()),
        ("hotkey", signed.hotkey.encode()),
        ("body_hash", signed.body_hash.encode()),
    ];
    assert_eq!(examples.fields("hello-scale", &fields), signed.encode());
    examples.signed(Domain::Hello, &signed.signing_payload());
    let signature = signature("hello", &miner(), &signed.signing_payload());
    signed.verify(&signature).unwrap();
    let hello = Hello {
        version: PROTOCOL_VERSION,
        hotkey: Hotkey(miner().public()),
        role: Role::Serve,
        models,
        agent: AGENT.to_owned(),
        signature: Hex(signature),
    };
    examples.json("hello", &[to_gateway(&MinerFrame::Hello(hello))]);
    let welcome = Welcome {
        session: 3,
        ping_interval_ms: PING_INTERVAL_MS,
        max_frame_bytes: MAX_MINER_FRAME_BYTES as u64,
        max_in_flight: 64,
    };
    let message = "version 2 is not 1; upgrade the older side".to_owned();
    let refused = Refused { code: RefusalCode::Version, message };
    let frames = [GatewayFrame::Welcome(welcome), GatewayFrame::Refused(refused)];
    examples.json("welcome-or-refused", &frames.map(|frame| to_miner(&frame)));
}

/// The claim about the chunks, and the facts it was made from.
fn claim() -> (Claim, DeliveredText) {
    let mut text = DeliveredText::new(&SALT.0);
    let facts: Vec<Facts> = CHUNKS.iter().map(|chunk| read_answer(&raw(chunk), &mut text).unwrap()).collect();
    let mut whole = DeliveredText::new(&SALT.0);
    read_answer(&raw(WHOLE), &mut whole).unwrap();
    assert_eq!(whole.hash(), text.hash());
    let usage = facts.iter().find_map(|facts| facts.usage).unwrap();
    let claim = Claim {
        request_id: id().0,
        miner: miner().public(),
        gateway: gateway().public(),
        model: ModelName::new(MODEL).unwrap(),
        input_tokens: usage.prompt_tokens,
        output_tokens: usage.completion_tokens,
        response_hash: text.hash(),
        stream: true,
        ok: true,
    };
    (claim, text)
}

fn claim_fields(claim: &Claim) -> [(&'static str, Vec<u8>); 9] {
    [
        ("request_id", claim.request_id.encode()),
        ("miner", claim.miner.encode()),
        ("gateway", claim.gateway.encode()),
        ("model", claim.model.encode()),
        ("input_tokens", claim.input_tokens.encode()),
        ("output_tokens", claim.output_tokens.encode()),
        ("response_hash", claim.response_hash.encode()),
        ("stream", claim.stream.encode()),
        ("ok", claim.ok.encode()),
    ]
}

/// The receipt of the page.
pub(crate) fn receipt() -> SignedReceipt {
    let (claim, text) = claim();
    let input = ChatRequest::parse(BODY.as_bytes()).unwrap().input_tokens;
    assert!(counts_agree(claim.output_tokens, text.tokens()) && counts_agree(claim.input_tokens, input));
    let miner_signature = signature("claim", &miner(), &claim.signing_payload());
    let receipt = Receipt {
        version: RECEIPT_VERSION,
        fee: cost(claim.input_tokens, claim.output_tokens),
        claim,
        miner_signature,
        payer: blake2_256(b"acme"),
        received_ms: NOW_MS,
        first_byte_ms: 180,
        total_ms: 640,
        recount_tokens: input + text.tokens(),
    };
    let gateway_signature = signature("receipt", &gateway(), &receipt.signing_payload());
    let signed = SignedReceipt { receipt, gateway_signature };
    signed.verify(&gateway().public(), |hotkey| *hotkey == miner().public()).unwrap();
    signed
}

fn receipts(examples: &mut Examples) {
    let signed = receipt();
    let Receipt { version, claim, miner_signature, payer, fee, received_ms, first_byte_ms, total_ms, recount_tokens } =
        signed.receipt.clone();
    examples.signed(Domain::Claim, &claim.signing_payload());
    examples.signed(Domain::Receipt, &signed.receipt.signing_payload());
    let fields = [
        &[("version", version.encode())][..],
        &claim_fields(&claim),
        &[
            ("miner_signature", miner_signature.encode()),
            ("payer", payer.encode()),
            ("fee", fee.encode()),
            ("received_ms", received_ms.encode()),
            ("first_byte_ms", first_byte_ms.encode()),
            ("total_ms", total_ms.encode()),
            ("recount_tokens", recount_tokens.encode()),
            ("gateway_signature", signed.gateway_signature.encode()),
        ],
    ];
    let bytes = examples.layout(&fields.concat());
    assert_eq!(bytes, signed.encode());
    // What the page says about the signed parts.
    assert_eq!((&bytes[1..134], &bytes[..258]), (&*claim.encode(), &*signed.receipt.encode()));
    examples.name("claim", &bytes[1..134]);
    examples.name("receipt", &bytes);
}

fn request(examples: &mut Examples) {
    let request =
        Request { id: id(), model: MODEL.to_owned(), stream: true, deadline_ms: 120_000, salt: SALT, body: raw(BODY) };
    examples.json("request", &[to_miner(&GatewayFrame::Request(request))]);
    let signed = receipt();
    let chunks = (0u32..).zip(CHUNKS).map(|(seq, chunk)| MinerFrame::Chunk(Chunk { id: id(), seq, data: raw(chunk) }));
    let claim = HexBytes(signed.receipt.claim.encode());
    let done = MinerFrame::Done(Done { id: id(), claim, signature: Hex(signed.receipt.miner_signature) });
    let frames: Vec<String> = chunks.chain([done]).map(|frame| to_gateway(&frame)).collect();
    examples.json("stream", &frames);
    let answer = MinerFrame::Answer(Answer { id: id(), body: raw(WHOLE) });
    let fail = Fail { id: id(), code: "busy".to_owned(), message: "all slots are taken".to_owned(), retryable: true };
    examples.json("answer-or-fail", &[to_gateway(&answer), to_gateway(&MinerFrame::Fail(fail))]);
    let small = [
        to_miner(&GatewayFrame::Receipt { receipt: HexBytes(signed.encode()) }),
        to_miner(&GatewayFrame::Cancel { id: id() }),
        to_miner(&GatewayFrame::Ping { n: 1 }),
        to_gateway(&MinerFrame::Pong { n: 1 }),
        to_gateway(&MinerFrame::Bye {}),
    ];
    examples.json("small", &small);
}

pub(crate) fn examples(examples: &mut Examples) {
    handshake(examples);
    receipts(examples);
    request(examples);
    examples.lines("toml endpoints.toml", CATALOGUE.lines().map(str::to_owned).collect());
}
