// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;

/// The metadata of our own chain, as committed.
fn own() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../node-client/client/artifacts/clawrank.scale")
}

fn source(metadata: PathBuf) -> SourceArgs {
    SourceArgs { metadata: Some(metadata), network: None }
}

async fn refusal(metadata: PathBuf, call: &str, args: &str) -> (u8, String) {
    let args = EncodeArgs { source: source(metadata), call: call.into(), args: args.into() };
    let error = encode(&args, Output { json: false }).await.unwrap_err();
    (error.code(), error.to_string())
}

#[tokio::test]
async fn refusal_names_the_argument_when_it_is_at_fault() {
    let good = r#"{"netuid": 92, "dests": [1], "weights": [2], "version_key": 0}"#;
    let bad = good.replace("[1]", "[1, 70000]");
    let (code, text) = refusal(own(), "set_weights", &bad).await;
    assert_eq!(code, 2);
    assert!(text.starts_with("dests[1]: must be an integer of type u16"), "{text}");
    let (code, text) = refusal(own(), "set_weights", "{\"netuid\": 92").await;
    assert_eq!(code, 2);
    assert!(text.starts_with("--args: is not JSON") && !text.contains('\n'), "{text}");
    let (code, text) = refusal(own(), "set_weightz", good).await;
    assert_eq!(code, 1);
    assert!(text.contains("set_weightz: no pallet has such a call"), "{text}");
}

#[tokio::test]
async fn metadata_is_taken_when_raw_in_hex_or_as_a_node_answers_it() {
    let folder = tempfile::tempdir().unwrap();
    let raw = std::fs::read(own()).unwrap();
    let expected = load(&own()).unwrap().spec_version();
    // As `Metadata_metadata_at_version` answers: an option of bytes.
    let wrapped = codec::Encode::encode(&Some(raw.clone()));
    let texts = [
        hex::encode(&raw),
        format!("0x{}\n", hex::encode(&raw)),
        format!("\"0x{}\"", hex::encode(&raw)),
        format!(r#"{{"jsonrpc":"2.0","result":"0x{}","id":1}}"#, hex::encode(&wrapped)),
    ];
    for (index, text) in texts.iter().enumerate() {
        let file = folder.path().join(format!("{index}.txt"));
        std::fs::write(&file, text).unwrap();
        assert_eq!(load(&file).unwrap().spec_version(), expected, "{index}");
    }
    let file = folder.path().join("wrapped.scale");
    std::fs::write(&file, wrapped).unwrap();
    assert_eq!(load(&file).unwrap().spec_version(), expected);
}

#[tokio::test]
async fn metadata_is_refused_when_it_is_missing_or_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.scale");
    let (code, text) = refusal(absent, "set_weights", "{}").await;
    assert_eq!(code, 2);
    assert!(text.contains("absent.scale: cannot be read"), "{text}");
    for content in ["hello", "", "0x0102", "[1, 2]"] {
        let file = folder.path().join("other");
        std::fs::write(&file, content).unwrap();
        let error = load(&file).unwrap_err();
        assert_eq!(error.code(), 2);
        assert!(error.to_string().contains("is no runtime metadata"), "{content}: {error}");
    }
}

#[test]
fn rows_say_how_an_item_changed_when_it_did() {
    let status =
        |state, optional| ItemStatus { kind: clawrank_client::ItemKind::Call, item: "A.b()".into(), optional, state };
    let changed = |usable| ItemState::Changed { expected: "x: u16".into(), found: "x: u32".into(), usable };
    assert_eq!(row(&status(ItemState::Ok, false)), ["A.b()", "call", "ok", ""]);
    assert_eq!(
        row(&status(changed(true), false)),
        ["A.b()", "call", "changed", "served all the same: found x: u32; expected x: u16"]
    );
    assert_eq!(row(&status(changed(false), true))[3], "not served: found x: u32; expected x: u16");
    assert_eq!(row(&status(ItemState::Missing, true))[2..], ["missing", "optional"]);
    assert_eq!(row(&status(ItemState::Missing, false))[2..], ["missing", "needed"]);
}
