// SPDX-License-Identifier: Apache-2.0
//! `clawrank doctor` against the real node, and against nothing.
//!
//! The node is looked for in `CLAWRANK_NODE_BIN`, else beside the program under test. A run without it says so.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::{
    fs::File,
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Exit code and report.
fn doctor(arguments: &[&str]) -> (Option<i32>, Value) {
    let empty = tempfile::tempdir().unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_clawrank"))
        .env("BT_WALLET_PATH", empty.path())
        .current_dir(empty.path())
        .args(["--json", "doctor"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let report = serde_json::from_slice(&done.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&done.stderr)));
    (done.status.code(), report)
}

fn level<'a>(report: &'a Value, name: &str) -> &'a str {
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name);
    check.unwrap_or_else(|| panic!("no {name} in {report:#}"))["level"].as_str().unwrap()
}

struct Node {
    child: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start_node(port: u16) -> Option<Node> {
    let beside = Path::new(env!("CARGO_BIN_EXE_clawrank")).with_file_name("clawrank-node");
    let binary = std::env::var_os("CLAWRANK_NODE_BIN").map_or(beside, PathBuf::from);
    if !binary.exists() {
        let mut error = std::io::stderr();
        let _ = writeln!(error, "\nSKIPPED: no node at {}; build it or set CLAWRANK_NODE_BIN\n", binary.display());
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let spec = Command::new(&binary).args(["chain-spec", "--preset", "fast", "--tempo", "40"]).output().unwrap();
    assert!(spec.status.success());
    std::fs::write(folder.path().join("spec.json"), spec.stdout).unwrap();
    let child = Command::new(&binary)
        .arg("--chain")
        .arg(folder.path().join("spec.json"))
        .arg("--base-path")
        .arg(folder.path().join("data"))
        .args(["--alice", "--validator", "--force-authoring", "--unsafe-force-node-key-generation"])
        .args(["--no-prometheus", "--no-telemetry", "--no-mdns", "--listen-addr", "/ip4/127.0.0.1/tcp/0"])
        .args(["--rpc-port", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    Some(Node { child, _folder: folder })
}

/// Answers every request on a port as a gateway in good health would.
fn healthy_gateway() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 4_096]);
            let body = r#"{"status":"ok","reasons":[],"block":1,"head_age_ms":5,"miners":2}"#;
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    port
}

#[test]
fn doctor_fails_when_no_node_answers() {
    let network = format!("ws://127.0.0.1:{}", free_port());
    let (code, report) = doctor(&["--network", &network, "--role", "gateway", "--wait", "1"]);
    assert_eq!((code, &report["ok"]), (Some(1), &Value::Bool(false)));
    assert_eq!((level(&report, "endpoint"), level(&report, "hotkey")), ("fail", "fail"));
    assert_eq!((level(&report, "ledger folder"), level(&report, "disk space")), ("ok", "ok"));
    for check in report["checks"].as_array().unwrap() {
        assert_eq!(check["level"] != "ok", check["fix"].is_string(), "{check}");
    }
}

#[test]
fn doctor_tells_who_can_work_when_the_real_node_runs() {
    let port = free_port();
    let Some(_node) = start_node(port) else { return };
    let network = format!("ws://127.0.0.1:{port}");
    let gateway = format!("http://127.0.0.1:{}", healthy_gateway());
    let data = tempfile::tempdir().unwrap();
    let ask = |role: &str, key: &str| {
        let data = data.path().to_str().unwrap();
        let flags = ["--network", &network, "--role", role, "--dev-key", key, "--data-dir", data, "--wait", "60"];
        doctor(&[&flags[..], &["--gateway", &gateway]].concat())
    };

    let (_, validator) = ask("validator", "//validator//0");
    for name in ["endpoint", "genesis", "runtime items", "chain moves", "finality", "clock", "subnet", "registration"] {
        assert_eq!(level(&validator, name), "ok", "{name}: {validator:#}");
    }
    for name in ["stake", "permit", "commit-reveal", "version key", "data folder", "gateway"] {
        assert_eq!(level(&validator, name), "ok", "{name}: {validator:#}");
    }
    assert_eq!(level(&validator, "hotkey"), "warn", "a development key is no secret");

    let (code, stranger) = ask("miner", "//nobody");
    assert_eq!(code, Some(1));
    assert_eq!((level(&stranger, "registration"), level(&stranger, "balance")), ("fail", "fail"));
    assert_eq!((level(&stranger, "endpoint"), level(&stranger, "gateway")), ("ok", "ok"));

    let (_, owner) = ask("owner", "//owner//cold");
    assert_eq!((level(&owner, "ownership"), level(&owner, "balance")), ("ok", "ok"), "{owner:#}");
}
