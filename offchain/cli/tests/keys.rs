// SPDX-License-Identifier: Apache-2.0
//! `clawrank keys`, as its user runs it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

const WORDS: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
const ADDRESS: &str = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";
const PASSWORD: &str = "correct horse battery";

/// Runs with no terminal and no variable of the user's environment that could matter.
fn keys(wallets: &Path, arguments: &[&str], password: Option<&str>, input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clawrank"));
    for name in ["BT_WALLET_NAME", "BT_WALLET_HOTKEY", "BT_WALLET_PASSWORD", "BT_WALLET_PASSWORD_FILE"] {
        command.env_remove(name);
    }
    command.env("BT_WALLET_PATH", wallets).arg("keys").args(arguments);
    if let Some(password) = password {
        command.env("BT_WALLET_PASSWORD", password);
    }
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap().trim().to_owned()
}

fn good(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&good(output)).unwrap()
}

/// One line on standard error and exit code 2.
fn refused(output: &Output) -> String {
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

#[test]
fn hotkey_is_made_shown_and_listed_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| keys(folder.path(), arguments, None, "");
    let made = json(&run(&["new", "--json", "--words", "24"]));
    assert_eq!(made["mnemonic"].as_str().unwrap().split(' ').count(), 24);
    assert_eq!(made["encrypted"], Value::Bool(false));
    assert_eq!(good(&run(&["show"])), made["ss58"].as_str().unwrap());
    assert_eq!(json(&run(&["show", "--check", "--json"]))["ss58"], made["ss58"]);
    assert!(refused(&run(&["new"])).contains("exists"));
    assert!(refused(&run(&["show", "--wallet", "other"])).contains("keys new"));

    let list = json(&run(&["list", "--json"]));
    let hotkey = list.as_array().unwrap().iter().find(|key| key["key"] == "default").unwrap();
    assert_eq!((&hotkey["ss58"], &hotkey["problem"]), (&made["ss58"], &Value::Null));
    let coldkey = list.as_array().unwrap().iter().find(|key| key["key"] == "coldkey").unwrap();
    assert_eq!((&coldkey["ss58"], &coldkey["problem"]), (&Value::Null, &Value::from("none is here")));
    assert!(good(&run(&["list"])).contains(made["ss58"].as_str().unwrap()));
}

#[test]
fn known_key_is_imported_when_given_on_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let import = |arguments: &[&str], input: &str| keys(folder.path(), &[&["import"], arguments].concat(), None, input);
    let made = json(&import(&["--json", "--mnemonic-file", "-"], WORDS));
    assert_eq!(made["ss58"], ADDRESS);
    let file = made["file"].as_str().unwrap();
    // A key file is a source too, and words are not told back.
    let copied = import(&["--wallet-hotkey", "copy", "--key-file", file], "");
    assert!(good(&copied).contains(ADDRESS) && !good(&copied).contains("bottom"));
    let error = refused(&import(&["--wallet-hotkey", "x", "--mnemonic-file", "-"], "s3cret words"));
    assert!(error.contains("mnemonic") && !error.contains("s3cret"), "{error}");
    assert!(refused(&import(&["--wallet-hotkey", "x"], "")).contains("--mnemonic-file"));
}

/// One test for all of it: each derivation takes seconds and 512 MiB.
#[test]
fn coldkey_is_encrypted_by_default_when_made() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], password: Option<&str>| keys(folder.path(), arguments, password, WORDS);
    let import = ["import", "--coldkey", "--json", "--mnemonic-file", "-"];
    let error = refused(&run(&import, None));
    assert!(error.contains("BT_WALLET_PASSWORD"), "{error}");
    let error = refused(&run(&import, Some("short")));
    assert!(error.contains("8 characters"), "{error}");
    assert_eq!(json(&keys(folder.path(), &["list", "--json"], None, "")), Value::Array(Vec::new()));

    let made = json(&run(&import, Some(PASSWORD)));
    assert_eq!((&made["encrypted"], &made["ss58"]), (&Value::Bool(true), &Value::from(ADDRESS)));
    let file = std::fs::read(made["file"].as_str().unwrap()).unwrap();
    assert!(file.starts_with(b"$NACL"));
    assert_eq!(good(&run(&["show", "--coldkey"], None)), ADDRESS);
    let error = refused(&run(&["show", "--coldkey", "--check"], None));
    assert!(error.contains("no password was given") && error.contains("BT_PW_"), "{error}");
    let error = refused(&run(&["encrypt", "--coldkey"], Some(PASSWORD)));
    assert!(error.contains("encrypted already"), "{error}");

    let password_file = folder.path().join("password");
    std::fs::write(&password_file, format!("{PASSWORD}\n")).unwrap();
    let decrypt = ["decrypt", "--coldkey", "--json", "--password-file", password_file.to_str().unwrap()];
    assert_eq!(json(&run(&decrypt, None))["encrypted"], Value::Bool(false));
    assert_eq!(json(&run(&["show", "--coldkey", "--check", "--json"], None))["checked"], Value::Bool(true));
}

/// API keys of a gateway's callers, from the first to the revocation.
#[test]
fn api_keys_are_made_credited_and_revoked_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("gateway.db");
    let database = database.to_str().unwrap();
    let run = |command: &str, arguments: &[&str]| {
        keys(folder.path(), &[&["api", command, "--database", database], arguments].concat(), None, "")
    };
    let balance = || {
        let list = json(&run("list", &["--json"]));
        let payer = list["payers"].as_array().unwrap().iter().find(|payer| payer["name"] == "acme").cloned();
        payer.unwrap()["balance"].as_u64().unwrap()
    };
    let made = json(&run("new", &["--payer", "acme", "--credit", "25", "--json"]));
    assert!(made["secret"].as_str().unwrap().starts_with("sk-claw-"), "{made}");
    let id = made["id"].to_string();
    assert_eq!(balance(), 25_000_000);

    assert_eq!(good(&run("credit", &["--payer", "acme", "0.000001"])), "acme has 25.000001 USD");
    assert_eq!(json(&run("credit", &["--payer", "acme", "4.5", "--json"]))["balance"], 29_500_001);
    for amount in ["0.0000001", "-1", "1e3", "", "ten", "99999999999999999999"] {
        let error = refused(&run("credit", &["--payer", "acme", amount]));
        assert!(error.contains(amount) && (error.contains("USD") || amount == "-1"), "{error}");
    }
    assert!(refused(&run("credit", &["--payer", "acme"])).contains("<USD>"));
    assert!(refused(&run("credit", &["5"])).contains("--payer <PAYER>"));
    assert_eq!(balance(), 29_500_001, "what was refused is not added");

    assert_eq!(json(&run("revoke", &[&id, "--json"]))["revoked"], made["id"]);
    let table = good(&run("list", &[]));
    assert!(table.lines().any(|line| line.contains("acme") && line.contains("revoked")), "{table}");
    for unknown in [id.as_str(), "999"] {
        let error = refused(&run("revoke", &[unknown]));
        assert_eq!(error, format!("error: {unknown}: no key in use has this number; see `keys api list`"));
    }
    assert!(refused(&run("revoke", &["first"])).contains("'first' for '<ID>'"));
    assert_eq!(balance(), 29_500_001, "the payer keeps the rest");
}
