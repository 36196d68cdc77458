// SPDX-License-Identifier: Apache-2.0
//! Where a real node has its beacon's rounds from: endpoints that the test serves, or the node itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_runtime::Runtime;
use clawrank_runtime_tests::node::{Node, program};
use clawrank_timelock::{BeaconParams, DEV_BEACON, DevBeacon, QUICKNET, QUICKNET_CHAIN_HASH, verify_pulse};
use codec::Decode;
use pallet_drand::{LastStoredRound, OldestStoredRound, Pulse, Pulses};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;

const MINUTE: Duration = Duration::from_secs(60);

/// Nodes of one test at a time: the first of a build compiles its Wasm on every core there is.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An HTTP server on the loopback that has the same answer to everything, or 404.
#[derive(Clone)]
struct Endpoint {
    url: String,
    answer: Arc<Mutex<Option<String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    /// With the pulse of a round of that signature, or without one.
    fn serve(signature: Option<&[u8]>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let endpoint = Self { url, answer: Arc::default(), asked: Arc::default() };
        signature.into_iter().for_each(|signature| endpoint.publish(signature));
        let served = endpoint.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = served.clone();
                thread::spawn(move || served.answer(stream));
            }
        });
        endpoint
    }

    fn publish(&self, signature: &[u8]) {
        let answer = json!({ "round": 1_000, "signature": hex::encode(signature) });
        *self.answer.lock().unwrap() = Some(answer.to_string());
    }

    /// The paths that it was asked for.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn answer(&self, mut stream: TcpStream) -> Option<()> {
        stream.set_read_timeout(Some(MINUTE)).ok()?;
        let mut lines = BufReader::new(stream.try_clone().ok()?).lines().map_while(Result::ok);
        let request = lines.next()?;
        lines.find(|line| line.is_empty())?;
        let path = request.split(' ').nth(1)?.to_owned();
        let answer = self.answer.lock().unwrap().clone();
        let (status, body) = answer.map_or(("404 Not Found", String::new()), |answer| ("200 OK", answer));
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).ok()?;
        self.asked.lock().unwrap().push(path);
        Some(())
    }
}

/// A round of the public beacon as it was published, with its number.
fn recorded() -> (u64, Vec<u8>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pallets/primitives/timelock/testdata/commits.json");
    let all: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let vector = &all["vectors"][0];
    (vector["round"].as_u64().unwrap(), hex::decode(vector["signature"].as_str().unwrap()).unwrap())
}

fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn chain_spec(args: &[&str]) -> Value {
    let output = Command::new(program()).arg("chain-spec").args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The flag for a specification, written to `folder`.
fn written(folder: &Path, spec: &Value) -> String {
    let path = folder.join("spec.json");
    fs::write(&path, spec.to_string()).unwrap();
    format!("--chain={}", path.display())
}

/// A chain that follows a beacon with the public one's key whose clock has reached `round` half a day ago and stays
/// there for another: what was recorded long ago is what its node fetches today.
fn chain_at(round: u64) -> Value {
    const DAY: u64 = 86_400;
    let mut spec = chain_spec(&["--preset", "fast", "--beacon", "quicknet"]);
    let drand = &mut spec["genesis"]["runtimeGenesis"]["patch"]["drand"];
    assert_eq!(drand["beacon"], Value::Null);
    drand["beacon"] = json!({
        "publicKey": format!("0x{}", hex::encode(QUICKNET.public_key)),
        "period": DAY,
        "genesisTime": unix_s() - (round - 1) * DAY - DAY / 2,
    });
    spec
}

/// What is stored under a key, if anything is.
fn state<T: Decode>(node: &Node, key: impl AsRef<[u8]>) -> Option<T> {
    let value = node.rpc("state_getStorage", json!([format!("0x{}", hex::encode(key))])).unwrap();
    let bytes = hex::decode(value.as_str()?.trim_start_matches("0x")).unwrap();
    Some(T::decode(&mut bytes.as_slice()).unwrap())
}

fn newest(node: &Node) -> u64 {
    state(node, LastStoredRound::<Runtime>::hashed_key()).unwrap_or_default()
}

fn oldest(node: &Node) -> u64 {
    state(node, OldestStoredRound::<Runtime>::hashed_key()).unwrap_or_default()
}

fn pulse(node: &Node, round: u64) -> Option<Pulse> {
    state(node, Pulses::<Runtime>::hashed_key_for(round))
}

/// Waits for `count` blocks more.
fn blocks(node: &mut Node, count: u64) {
    let (first, _) = node.wait("RPC", MINUTE, Node::best);
    node.wait("more blocks", MINUTE, |node| node.best().filter(|best| *best >= first + count));
}

/// All that the node says when it ends by itself, as it does for arguments that it cannot go by.
fn refused(args: &[&str]) -> String {
    // It says so by its exit code when it has to end a node that went on.
    let output = Command::new("timeout").arg("60").arg(program()).args(args).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}: {error}");
    error
}

#[test]
fn recorded_pulse_is_stored_from_the_second_endpoint_when_the_firsts_has_a_wrong_signature() {
    let _alone = alone();
    let (round, signature) = recorded();
    let wrong = Endpoint::serve(Some(&DevBeacon::default().sign(round)));
    let right = Endpoint::serve(None);
    let folder = TempDir::new().unwrap();
    let chain = written(folder.path(), &chain_at(round));
    let behind = format!("{}/drand/", right.url);
    let endpoints = ["--beacon-endpoint", &wrong.url, "--beacon-endpoint", &behind];
    let mut node = Node::start(&[&[&*chain, "--alice"][..], &endpoints].concat());

    node.wait("answers of both", MINUTE, |_| (wrong.asked().len() > 1 && right.asked().len() > 1).then_some(()));
    blocks(&mut node, 4);
    assert_eq!((newest(&node), pulse(&node, round)), (0, None), "a wrong signature was stored");
    right.publish(&signature);
    node.wait("the round", MINUTE, |node| (newest(node) == round).then_some(()));
    assert_eq!(pulse(&node, round), Some(Pulse::new(round, &signature.try_into().unwrap())));
    assert_eq!(oldest(&node), round);

    let hash = hex::encode(sp_io::hashing::sha2_256(&QUICKNET.public_key));
    let path = format!("/{hash}/public/{round}");
    assert!(wrong.asked().iter().all(|asked| *asked == path), "{:?}", wrong.asked());
    assert!(right.asked().iter().all(|asked| *asked == format!("/drand{path}")), "{:?}", right.asked());
    // The worker of an earlier block may still be asking.
    blocks(&mut node, 2);
    let count = wrong.asked().len() + right.asked().len();
    blocks(&mut node, 8);
    assert_eq!(wrong.asked().len() + right.asked().len(), count, "nothing is missing any more");
}

#[test]
fn round_of_today_is_asked_for_by_the_public_beacons_name_when_the_chain_follows_it() {
    let _alone = alone();
    let endpoint = Endpoint::serve(None);
    let folder = TempDir::new().unwrap();
    let chain = written(folder.path(), &chain_spec(&["--preset", "fast", "--beacon", "quicknet"]));
    let first = QUICKNET.round_at(unix_s() * 1_000);
    let mut node = Node::start(&[&chain, "--alice", "--beacon-endpoint", &endpoint.url]);
    node.wait("requests", MINUTE, |_| (endpoint.asked().len() > 3).then_some(()));
    let last = QUICKNET.round_at(unix_s() * 1_000) + 1;
    for path in endpoint.asked() {
        let round = path.strip_prefix(&format!("/{}/public/", hex::encode(QUICKNET_CHAIN_HASH))).map(str::parse);
        assert!((first..=last).contains(&round.unwrap().unwrap()), "{path}");
    }
    assert_eq!(newest(&node), 0);
}

#[test]
fn endpoint_is_refused_in_a_line_that_names_it_when_it_is_malformed() {
    let refused = |urls: &[&str]| {
        let mut args = vec!["--chain", "fast", "--alice", "--tmp"];
        args.extend(urls.iter().flat_map(|url| ["--beacon-endpoint", url]));
        let error = refused(&args);
        assert_eq!(error.lines().count(), 1, "{error}");
        error
    };
    for url in
        ["api.drand.sh", "ftp://api.drand.sh", "http://", "http://one two", "http://one:99999", "http://one/?a=1"]
    {
        let error = refused(&[url]);
        assert!(error.starts_with(&format!("Error: --beacon-endpoint '{url}' ")), "{error}");
    }
    assert!(refused(&["http://127.0.0.1", "nonsense"]).starts_with("Error: --beacon-endpoint 'nonsense' "));
    // As any other value that the node itself refuses.
    let block_time = Command::new(program()).args(["--dev", "--block-time-ms", "5"]).output().unwrap();
    assert_eq!(block_time.status.code(), Some(1));
}

#[test]
fn flag_is_refused_when_the_chain_follows_another_beacon_than_it_is_about() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let check = |chain: &str, flags: &[&str]| {
        let log = refused(&[&[chain, "--alice", "--tmp"], flags].concat());
        let says = format!("Error: {}: this chain", flags[0]);
        assert!(log.lines().any(|line| line.starts_with(&says)), "{log}");
    };
    check("--chain=fast", &["--beacon-endpoint", "http://127.0.0.1"]);
    check(&written(folder.path(), &chain_spec(&["--beacon", "quicknet"])), &["--dev-beacon"]);
    check(&written(folder.path(), &chain_at(1_000)), &["--dev-beacon"]);
}

#[test]
fn rounds_of_the_dev_beacon_follow_one_another_and_verify_whether_or_not_the_flag_is_given() {
    const ROUNDS: u64 = 4;
    let _alone = alone();
    let beacon = BeaconParams { period: 1, ..DEV_BEACON };
    for flag in [&["--dev-beacon"][..], &[]] {
        let mut node = Node::start(&[&["--chain", "fast", "--alice"][..], flag].concat());
        node.wait("RPC", MINUTE, Node::best);
        let enough = |node: &Node| Some(newest(node)).filter(|newest| *newest > 0 && *newest >= oldest(node) + ROUNDS);
        let (last, _) = node.wait("rounds", MINUTE, enough);
        let first = oldest(&node);
        assert!(last <= beacon.round_at(unix_s() * 1_000) && last - first < 60, "{first} to {last}");
        for round in first..=last {
            let pulse = pulse(&node, round).unwrap_or_else(|| panic!("{round} of {first} to {last} is missing"));
            assert_eq!(pulse, Pulse::new(round, &pulse.point().unwrap()));
            assert_eq!(verify_pulse(&DEV_BEACON.public_key, round, &pulse.point().unwrap()), Ok(()), "{round}");
        }
    }
}

#[test]
fn no_round_is_stored_when_the_node_leaves_the_beacon_to_others() {
    let _alone = alone();
    let mut node = Node::start(&["--chain", "fast", "--alice", "--no-beacon"]);
    blocks(&mut node, 12);
    assert_eq!(newest(&node), 0);
    // The same chain goes on with rounds when its node signs again.
    node.end();
    node.restart(&["--chain", "fast", "--alice", "--dev-beacon"]);
    node.wait("a round", MINUTE, |node| node.best().map(|_| newest(node)).filter(|newest| *newest > 0));
}
