// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::limits::{MAX_GATEWAY_FRAME_BYTES, MAX_MINER_FRAME_BYTES};

fn miner(text: &str) -> Result<MinerFrame, FrameError> {
    MinerFrame::decode(text, MAX_MINER_FRAME_BYTES)
}

fn offer(id: &str) -> ModelOffer {
    ModelOffer {
        id: id.into(),
        max_concurrency: 4,
        context_tokens: 8192,
        price_in_micro_usd_per_mtok: 50_000,
        price_out_micro_usd_per_mtok: 100_000,
        lacks: Vec::new(),
    }
}

fn hello() -> Hello {
    Hello {
        version: 1,
        hotkey: Hotkey([5; 32]),
        role: Role::Serve,
        models: vec![offer("llama")],
        agent: "test/1".into(),
        signature: Hex([1; 64]),
    }
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

#[test]
fn miner_frames_round_trip_when_encoded() {
    let id = Hex([7; 16]);
    let leaf = OpenedLeaf {
        leaf: 3,
        attempt: HexBytes(vec![1, 2]),
        path: vec![Hex([2; 32])],
        request: Base64(b"q".to_vec()),
        response: Base64(b"a".to_vec()),
        request_salt: Hex([1; 16]),
        response_salt: Hex([2; 16]),
    };
    for frame in [
        MinerFrame::Hello(hello()),
        MinerFrame::Chunk(Chunk { id, seq: 9, data: raw(r#"{"a": [1,2,"x"]}"#) }),
        MinerFrame::Answer(Answer { id, body: raw("{}") }),
        MinerFrame::Done(Done { id, claim: HexBytes(vec![1]), signature: Hex([3; 64]) }),
        MinerFrame::Fail(Fail { id, code: "busy".into(), message: "later".into(), retryable: true }),
        MinerFrame::Pong { n: 4 },
        MinerFrame::Opened(Opened { id, openings: vec![leaf], more: false }),
        MinerFrame::Bye {},
    ] {
        let text = frame.encode();
        assert_eq!(miner(&text).unwrap().encode(), text);
    }
}

#[test]
fn gateway_frames_round_trip_when_encoded() {
    let id = Hex([7; 16]);
    for frame in [
        GatewayFrame::Challenge(Challenge {
            version: 1,
            nonce: Hex([1; 32]),
            genesis: Hex([2; 32]),
            netuid: 92,
            gateway: Hotkey([3; 32]),
            time_ms: 5,
        }),
        GatewayFrame::Welcome(Welcome { session: 1, ping_interval_ms: 2, max_frame_bytes: 3, max_in_flight: 4 }),
        GatewayFrame::Refused(Refused { code: RefusalCode::Quota, message: "m".into() }),
        GatewayFrame::Request(Request {
            id,
            model: "m".into(),
            stream: true,
            deadline_ms: 3,
            salt: Hex([4; 16]),
            body: raw(r#"{"unknown": {"kept": 1.50}}"#),
        }),
        GatewayFrame::Cancel { id },
        GatewayFrame::Ping { n: 1 },
        GatewayFrame::Receipt { receipt: HexBytes(vec![1]) },
        GatewayFrame::Open(Open { id, root: Hex([1; 32]), leaves: vec![0, 5], deadline_ms: 10 }),
    ] {
        let text = frame.encode();
        assert_eq!(GatewayFrame::decode(&text, MAX_GATEWAY_FRAME_BYTES).unwrap().encode(), text);
    }
}

#[test]
fn wire_format_stays_as_documented_when_encoded() {
    assert_eq!(MinerFrame::Pong { n: 4 }.encode(), r#"{"type":"pong","n":4}"#);
    assert_eq!(MinerFrame::Bye {}.encode(), r#"{"type":"bye"}"#);
    assert_eq!(
        GatewayFrame::Cancel { id: Hex([0xab; 16]) }.encode(),
        format!(r#"{{"type":"cancel","id":"{}"}}"#, "ab".repeat(16))
    );
    assert_eq!(
        GatewayFrame::Refused(Refused { code: RefusalCode::TooManyModels, message: "m".into() }).encode(),
        r#"{"type":"refused","code":"too_many_models","message":"m"}"#
    );
    for code in [RefusalCode::BadSignature, RefusalCode::Stuck, RefusalCode::FrameTooLarge, RefusalCode::AuthTimeout] {
        assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{}\"", code.as_str()));
    }
}

#[test]
fn frame_is_refused_when_too_large_before_it_is_parsed() {
    assert_eq!(MinerFrame::decode("not json at all", 4).unwrap_err(), FrameError::TooLarge { max: 4, found: 15 });
}

#[test]
fn frame_is_refused_when_not_a_known_object() {
    for text in ["", "null", "[]", "{}", "{\"type\":1}", "{\"type\":\"bye\"", "\u{0}"] {
        assert!(matches!(miner(text), Err(FrameError::NotAFrame { .. })), "{text}");
    }
    let unknown = miner(r#"{"type":"shout"}"#).unwrap_err();
    assert_eq!(unknown, FrameError::UnknownType { found: "shout".into() });
    // A gateway's frame is not a miner's.
    assert!(matches!(miner(r#"{"type":"ping","n":1}"#), Err(FrameError::UnknownType { .. })));
}

#[test]
fn frame_is_refused_when_a_field_is_wrong() {
    for text in [
        r#"{"type":"pong"}"#,
        r#"{"type":"pong","n":-1}"#,
        r#"{"type":"chunk","id":"00","seq":0,"data":{}}"#,
        r#"{"type":"done","id":"00000000000000000000000000000000","claim":"0g","signature":""}"#,
        r#"{"type":"fail","id":"00000000000000000000000000000000"}"#,
    ] {
        assert!(matches!(miner(text), Err(FrameError::Invalid { .. })), "{text}");
    }
}

#[test]
fn hello_says_what_a_model_lacks_and_is_as_ever_when_it_lacks_nothing() {
    let model = r#"{"id":"m","max_concurrency":8,"context_tokens":8192,"price_in_micro_usd_per_mtok":1,"price_out_micro_usd_per_mtok":2"#;
    for (more, lacks) in [("", vec![]), (r#","lacks":["vision","json"]"#, vec![Need::Vision, Need::Json])] {
        let announced = format!(r#"{{"role":"serve","models":[{model}{more}}}],"agent":"a"}}"#);
        let plain: String = announced[1..announced.len() - 1].to_owned();
        let (hotkey, signature) = (Hotkey([3; 32]), "00".repeat(64));
        let text = format!(r#"{{"type":"hello","version":1,"hotkey":"{hotkey}",{plain},"signature":"{signature}"}}"#);
        let MinerFrame::Hello(hello) = miner(&text).unwrap() else { panic!("{text}") };
        assert_eq!(hello.models[0].lacks, lacks);
        assert_eq!(hello.body_hash(), blake2_256(announced.as_bytes()));
        assert_eq!(MinerFrame::Hello(hello).encode(), text);
    }
    let unknown = serde_json::from_str::<ModelOffer>(&format!(r#"{model},"lacks":["smell"]}}"#)).unwrap_err();
    assert!(unknown.to_string().contains("`smell`, expected one of `tools`, `vision`, `json`"), "{unknown}");
}

#[test]
fn hello_is_refused_when_over_its_caps() {
    let refused = |change: fn(&mut Hello)| {
        let mut hello = hello();
        change(&mut hello);
        assert!(matches!(miner(&MinerFrame::Hello(hello).encode()), Err(FrameError::Invalid { kind: "hello", .. })));
    };
    refused(|h| h.agent = "x".repeat(MAX_AGENT_BYTES + 1));
    refused(|h| h.models = vec![offer("m"); MAX_MODELS * 16 + 1]);
    refused(|h| h.models = vec![offer("")]);
    refused(|h| h.models = vec![offer("a\nb")]);
    refused(|h| h.models = vec![offer(&"x".repeat(MAX_MODEL_BYTES + 1))]);
    refused(|h| h.models = vec![ModelOffer { max_concurrency: 0, ..offer("m") }]);
}

#[test]
fn open_is_refused_when_it_asks_for_too_many_leaves() {
    let open = Open { id: Hex([0; 16]), root: Hex([0; 32]), leaves: vec![0; MAX_OPEN_LEAVES + 1], deadline_ms: 1 };
    let text = GatewayFrame::Open(open).encode();
    assert!(matches!(GatewayFrame::decode(&text, usize::MAX), Err(FrameError::Invalid { kind: "open", .. })));
}

#[test]
fn body_hash_changes_when_any_announced_field_changes() {
    let base = hello();
    let mut other = hello();
    other.models[0].price_out_micro_usd_per_mtok += 1;
    assert_ne!(base.body_hash(), other.body_hash());
    assert_ne!(base.body_hash(), Hello { role: Role::Measure, ..hello() }.body_hash());
    assert_eq!(base.body_hash(), Hello { version: 2, signature: Hex([0; 64]), ..hello() }.body_hash());
}

#[test]
fn shorten_keeps_characters_whole_when_it_cuts() {
    assert_eq!(shorten("a\nb"), "ab");
    let cut = shorten(&"é".repeat(MAX_MESSAGE_BYTES));
    assert!(cut.len() <= MAX_MESSAGE_BYTES && cut.chars().all(|c| c == 'é'));
}

proptest::proptest! {
    #[test]
    fn decoders_never_panic_when_fed_anything(text in ".{0,400}") {
        let _ = MinerFrame::decode(&text, 300);
        let _ = GatewayFrame::decode(&text, 300);
    }
}
