// SPDX-License-Identifier: Apache-2.0
//! Bad input: exit code 2 and one line that names the field, the flag or the file.

use serde_json::{Value, json};

use crate::{RULES, examples, gate::Case, run};

/// An input that a rule refuses.
pub(crate) struct Bad {
    pub(crate) flags: &'static [&'static str],
    pub(crate) input: Value,
    /// What the line starts with.
    pub(crate) field: &'static str,
    /// Whether it is the form that is wrong, as a schema can tell, and not a value beside others.
    pub(crate) form: bool,
}

/// `base` with the value at the JSON pointer put there, or taken away.
fn with(base: &Value, pointer: &str, value: Option<Value>) -> Value {
    let mut changed = base.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = changed.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer} is not there"));
    match (parent, value) {
        (Value::Object(object), Some(value)) => drop(object.insert(key.to_owned(), value)),
        (Value::Object(object), None) => assert!(object.remove(key).is_some(), "{pointer} is not there"),
        (Value::Array(list), Some(value)) => list[key.parse::<usize>().unwrap()] = value,
        (other, _) => panic!("{pointer}: {other} has no fields"),
    }
    changed
}

fn form(base: &Value, pointer: &str, value: Value, field: &'static str) -> Bad {
    Bad { flags: &[], input: with(base, pointer, Some(value)), field, form: true }
}

fn missing(base: &Value, pointer: &str, field: &'static str) -> Bad {
    Bad { flags: &[], input: with(base, pointer, None), field, form: true }
}

fn value(base: &Value, pointer: &str, value: Value, field: &'static str) -> Bad {
    Bad { form: false, ..form(base, pointer, value, field) }
}

fn flags(base: &Value, flags: &'static [&'static str], field: &'static str) -> Bad {
    Bad { flags, input: base.clone(), field, form: false }
}

/// Bad inputs of a rule, each with one fault.
pub(crate) fn table(rule: &str) -> Vec<Bad> {
    match rule {
        "allocate" => allocate(),
        "yuma" => yuma(),
        "gate" => gate(),
        "serving" => serving(),
        "intel" => intel(),
        "merkle" => merkle(),
        other => panic!("no rule is called {other}"),
    }
}

fn allocate() -> Vec<Bad> {
    let good = json!({ "scores": ["12", "3"] });
    let zero = json!({ "scores": ["0", "0"] });
    vec![
        missing(&good, "/scores", "scores"),
        form(&good, "/scores", json!("12"), "scores"),
        form(&good, "/scores/1", json!("1.5"), "scores[1]"),
        form(&good, "/scores/1", json!(""), "scores[1]"),
        form(&good, "/scores/1", json!(null), "scores[1]"),
        value(&good, "/scores/1", json!(-1), "scores[1]"),
        value(&good, "/scores/0", json!("340282366920938463463374607431768211456"), "scores[0]"),
        form(&good, "/cap", json!(3), "cap"),
        value(&good, "/scores", json!([]), "scores"),
        flags(&zero, &[], "scores"),
        flags(&good, &["--shortfall", "skip"], "scores"),
        flags(&good, &["--cap", "0%"], "--cap"),
        flags(&zero, &["--shortfall", "to-owner"], "--owner"),
        flags(&good, &["--shortfall", "to-owner", "--owner", "2"], "--owner"),
    ]
}

fn yuma() -> Vec<Bad> {
    let good = examples::yuma();
    vec![
        missing(&good, "/epochs", "epochs"),
        missing(&good, "/epochs/0/stake", "epochs[0].stake"),
        form(&good, "/epochs/0/stake/1", json!("x"), "epochs[0].stake[1]"),
        form(&good, "/epochs/1/colour", json!(1), "epochs[1].colour"),
        form(&good, "/params/kappa", json!(65_536), "params.kappa"),
        form(&good, "/params/colour", json!(1), "params.colour"),
        form(&good, "/params/liquid_alpha_consensus", json!("next"), "params.liquid_alpha_consensus"),
        form(&good, "/epochs/0/weights/0/2", json!(65_536), "epochs[0].weights[0][2]"),
        value(&good, "/params/alpha_low", json!(20_000), "params.alpha_low"),
        value(&good, "/epochs/0/stake", json!([]), "epochs[0].stake"),
        value(&good, "/epochs/0/weights/0", json!([1]), "epochs[0].weights[0]"),
        value(&good, "/epochs/0/weights", json!([[], [], [], [], []]), "epochs[0].weights"),
        value(&good, "/epochs/1/weights", json!([[0, 0, 1, 1]]), "epochs[1].sparse_weights"),
        value(&good, "/epochs/1/sparse_weights", json!([]), "epochs[1].sparse_weights"),
        value(&good, "/epochs/1/bonds", json!([]), "epochs[1].bonds"),
        value(&good, "/epochs/1/permits", json!([true]), "epochs[1].permits"),
        value(&good, "/epochs/1/last_update", json!([1]), "epochs[1].last_update"),
        value(&good, "/epochs/1/registered_at", json!([1]), "epochs[1].registered_at"),
        value(&good, "/epochs/1/first_commit", json!([1]), "epochs[1].first_commit"),
        value(&good, "/epochs/1/previous_consensus", json!([1]), "epochs[1].previous_consensus"),
        value(&good, "/epochs/1/owner", json!(4), "epochs[1].owner"),
        value(&good, "/epochs/0/owner", json!(4), "epochs[0].owner"),
    ]
}

fn gate() -> Vec<Bad> {
    let claims = examples::claims();
    let whole = Case::new("Alice").json();
    vec![
        missing(&claims, "/replays", "replays"),
        missing(&claims, "/claims/0/p50_ttft_ms", "claims[0].p50_ttft_ms"),
        form(&claims, "/claims/0/cell", json!("0x11"), "claims[0].cell"),
        form(&claims, "/claims/0/n", json!(-1), "claims[0].n"),
        form(&claims, "/replays/3/ok", json!("yes"), "replays[3].ok"),
        form(&claims, "/replays/3/colour", json!(1), "replays[3].colour"),
        missing(&whole, "/submission/deadline", "submission.deadline"),
        missing(&whole, "/submission/bundle", "submission.bundle"),
        missing(&whole, "/submission/bundle/header/root", "submission.bundle.header.root"),
        missing(&whole, "/submission/opened/1/found_schema", "submission.opened[1].found_schema"),
        form(&whole, "/submission/uid", json!(65_536), "submission.uid"),
        form(&whole, "/submission/bundle", json!(7), "submission.bundle"),
        form(&whole, "/submission/bundle", json!("0x0g"), "submission.bundle"),
        form(&whole, "/submission/bundle/colour", json!(7), "submission.bundle.colour"),
        form(&whole, "/submission/bundle/signature", json!("0x00"), "submission.bundle.signature"),
        form(&whole, "/submission/bundle/attempts/2/status", json!("fine"), "submission.bundle.attempts[2].status"),
        form(&whole, "/submission/bundle/cells/1/model", json!(null), "submission.bundle.cells[1].model"),
        form(&whole, "/submission/opened/0/request", json!("123"), "submission.opened[0].request"),
        form(&whole, "/submission/opened/0/proof/path/0", json!("12"), "submission.opened[0].proof.path[0]"),
        value(&whole, "/submission/bundle", json!("0x0102"), "submission.bundle"),
        value(&whole, "/submission/bundle/cells/1/model", json!("m".repeat(97)), "submission.bundle.cells[1].model"),
        value(&whole, "/claims", claims["claims"].clone(), "claims"),
        Bad { form: false, ..missing(&claims, "/claims", "claims") },
        flags(&claims, &["--preset", "x"], "--preset"),
    ]
}

fn serving() -> Vec<Bad> {
    let good = examples::serving();
    vec![
        missing(&good, "/miners", "miners"),
        missing(&good, "/miners/0/whitelisted", "miners[0].whitelisted"),
        form(&good, "/miners/0/whitelisted", json!(1), "miners[0].whitelisted"),
        form(&good, "/miners/0/payers/0/tokens", json!(-1), "miners[0].payers[0].tokens"),
        form(&good, "/miners/0/payers/0/colour", json!(1), "miners[0].payers[0].colour"),
        form(&good, "/miners/0/tier", json!(21), "miners[0].tier"),
        value(&good, "/miners/0/answered", json!(11), "miners[0].answered"),
        flags(&good, &["--preset", ""], "--preset"),
    ]
}

fn intel() -> Vec<Bad> {
    let parts = examples::intel_by_parts();
    let calls = examples::intel_by_attempts();
    let cell = "/miners/0/cells/0";
    let put = |base: &Value, name: &str, new: Value, field| value(base, &format!("{cell}/{name}"), new, field);
    let lost = |base: &Value, name: &str, field| Bad { form: false, ..missing(base, &format!("{cell}/{name}"), field) };
    let other = json!([with(&calls["miners"][0]["cells"][0]["attempts"][0], "/cell", Some(json!(examples::hash(9))))]);
    vec![
        missing(&parts, "/total_value", "total_value"),
        missing(&parts, "/miners/0/gate", "miners[0].gate"),
        missing(&parts, "/miners/0/cells/0/age_blocks", "miners[0].cells[0].age_blocks"),
        form(&parts, "/miners/0/cells/0/metrics/0", json!([1]), "miners[0].cells[0].metrics[0]"),
        form(&calls, "/miners/0/cells/0/attempts/1/answer", json!("so so"), "miners[0].cells[0].attempts[1].answer"),
        form(&calls, "/miners/0/cells/0/measured/1/colour", json!(1), "miners[0].cells[0].measured[1].colour"),
        value(&parts, "/total_value", json!(9), "miners[0].cells"),
        put(&parts, "usefulness_ppb", json!(1_000_000_001), "miners[0].cells[0].usefulness_ppb"),
        lost(&parts, "usefulness_ppb", "miners[0].cells[0].usefulness_ppb"),
        lost(&parts, "metrics", "miners[0].cells[0].metrics"),
        lost(&parts, "n", "miners[0].cells[0].n"),
        put(&calls, "metrics", json!([[1, 1]]), "miners[0].cells[0].metrics"),
        put(&calls, "usefulness_ppb", json!(1), "miners[0].cells[0].usefulness_ppb"),
        put(&calls, "attempts", json!([]), "miners[0].cells[0].attempts"),
        put(&calls, "replays", other, "miners[0].cells[0].replays"),
        put(&calls, "signal", json!(["e".repeat(129)]), "miners[0].cells[0].signal[0]"),
        lost(&calls, "replays", "miners[0].cells[0].reference"),
        lost(&calls, "signal", "miners[0].cells[0].signal"),
        lost(&calls, "measured", "miners[0].cells[0].measured"),
        flags(&calls, &["--preset", "Clawrank"], "--preset"),
    ]
}

fn merkle() -> Vec<Bad> {
    let hash = examples::hash;
    let good = json!({ "leaves": [hash(1), hash(2)], "verify": { "index": 0, "leaf": hash(1), "path": [hash(2)] } });
    let attempts = json!({ "attempts": ["0x0102"] });
    vec![
        form(&good, "/leaves/1", json!("0x01"), "leaves[1]"),
        form(&good, "/leaves", json!(7), "leaves"),
        form(&good, "/prove", json!([-1]), "prove[0]"),
        missing(&good, "/verify/path", "verify.path"),
        form(&good, "/verify/path/0", json!(1), "verify.path[0]"),
        form(&good, "/verify/colour", json!(1), "verify.colour"),
        value(&good, "/leaves", json!([]), "leaves"),
        Bad { form: false, ..missing(&good, "/leaves", "leaves") },
        value(&good, "/attempts", json!(["01"]), "attempts"),
        value(&good, "/prove", json!([1, 2]), "prove[1]"),
        value(&attempts, "/attempts", json!([]), "attempts"),
        value(&attempts, "/attempts/0", json!("0x0"), "attempts[0]"),
    ]
}

/// The one line of a refusal.
fn refusal(arguments: &[&str], input: &[u8]) -> String {
    let done = run(arguments, input);
    let text = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(2), "{arguments:?}: {text}");
    assert!(done.stdout.is_empty(), "{arguments:?} answers all the same");
    assert_eq!((text.lines().count(), text.ends_with('\n')), (1, true), "{arguments:?}: {text}");
    text.trim_end().to_owned()
}

#[test]
fn field_is_named_on_one_line_when_it_is_at_fault() {
    for rule in RULES {
        for Bad { flags, input, field, .. } in table(rule) {
            let line = refusal(&[&[rule], flags].concat(), input.to_string().as_bytes());
            assert!(line.starts_with(&format!("error: {field}: ")), "{rule} {flags:?}: expected {field}: {line}");
        }
    }
}

#[test]
fn input_is_named_when_it_is_no_json_or_unknown() {
    for rule in RULES {
        let (_, mut good) = examples::of(rule).remove(0);
        for text in [&b""[..], b"hello", b"[]", b"7", b"null", &[b'"', 0xff, b'"']] {
            let line = refusal(&[rule], text);
            let named = line.starts_with("error: input: ") || line.starts_with("error: standard input: ");
            assert!(named, "{rule}: {line}");
        }
        let twice = format!("{good} {good}");
        assert!(refusal(&[rule], twice.as_bytes()).starts_with("error: input: trailing characters"), "{rule}");
        let cut = good.to_string();
        assert!(refusal(&[rule], &cut.as_bytes()[..cut.len() - 1]).contains("EOF"), "{rule}");
        good["colour"] = json!(1);
        let line = refusal(&[rule], good.to_string().as_bytes());
        assert!(line.starts_with("error: colour: unknown field `colour`"), "{rule}: {line}");
    }
}

#[test]
fn file_is_named_when_it_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.json");
    let empty = folder.path().join("empty.json");
    std::fs::write(&empty, "").unwrap();
    for rule in RULES {
        let line = refusal(&[rule, absent.to_str().unwrap()], b"");
        assert!(line.starts_with(&format!("error: {}: cannot be read: ", absent.display())), "{rule}: {line}");
        let line = refusal(&[rule, folder.path().to_str().unwrap()], b"");
        assert!(line.contains("cannot be read: "), "{rule}: {line}");
        assert!(refusal(&[rule, empty.to_str().unwrap()], b"").starts_with("error: input: EOF"), "{rule}");
    }
}

#[test]
fn flag_is_named_on_one_line_when_it_is_at_fault() {
    for rule in RULES {
        let line = refusal(&[rule, "--colour", "red"], b"");
        assert_eq!(line.split("; ").next(), Some("error: unexpected argument '--colour' found"), "{rule}");
        assert!(line.ends_with("`--help` shows what is possible"), "{rule}: {line}");
        assert!(refusal(&[rule, "one.json", "two.json"], b"").contains("'two.json'"), "{rule}");
    }
    let rows: [(&[&str], &str); 7] = [
        (&["allocate", "--cap", "200%"], "'200%' for '--cap <CAP>'"),
        (&["allocate", "--cap", "x"], "'x' for '--cap <CAP>'"),
        (&["allocate", "--cap"], "'--cap <CAP>'"),
        (&["allocate", "--shortfall", "never"], "'--shortfall <SHORTFALL>' [possible values: uniform, to-owner, skip]"),
        (&["allocate", "--owner", "-1"], "'-1'"),
        (&["allocate", "--capp", "15%"], "'--capp' found; tip: a similar argument exists: '--cap'"),
        (&["alocate"], "'alocate'; tip: a similar subcommand exists: 'allocate'"),
    ];
    for (arguments, named) in rows {
        let line = refusal(arguments, b"");
        assert!(line.contains(named), "{arguments:?}: {line}");
    }
}
