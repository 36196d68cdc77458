// SPDX-License-Identifier: Apache-2.0

//! The real program on a real node, killed with SIGKILL in the middle of its work, again and again.
//!
//! `clawrank` and `clawrank-node` are looked for in `CLAWRANK_BIN` and `CLAWRANK_NODE_BIN`, else beside the running test's
//! profile folder. A run without them says so.

use std::{
    collections::HashSet,
    fs::File,
    io::Write,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use clawrank_protocol::{
    RequestId,
    frames::{Answer, Chunk, GatewayFrame, MinerFrame, ModelOffer, Request, Role},
    http::{HEADER_REQUEST_ID, Health},
    limits::MAX_GATEWAY_FRAME_BYTES,
    proof::SignedReceipt,
};
use clawrank_store::{
    Ledger, SqliteLedger,
    ledger::{ApiSecret, KeyKind, LedgerOptions},
};
use clawrank_units::MicroUsd;
use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{sync::mpsc, task::JoinSet};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    miner::{Miner, Signer, delta, message, offer},
    support::{PRICES, chat, key, now_ms, streamed_text},
};

/// Times that the gateway is killed.
const LIVES: usize = 4;

/// Callers at the same time; every other one streams.
const CALLERS: usize = 12;

/// Answers that a life finishes before its end.
const FINISHED: usize = 60;

const DEPOSIT: u64 = 100_000_000;

const PIECES: [&str; 3] = ["Hello", " there", "."];

/// 6 input and 3 output tokens at 1 and 2 micro-USD.
const FEE: MicroUsd = MicroUsd(12);

fn program(variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Some(PathBuf::from(path));
    }
    let test = std::env::current_exe().unwrap();
    let found = test.ancestors().skip(1).take(3).map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        let mut error = std::io::stderr();
        let _ = writeln!(error, "\nSKIPPED: no {name} beside the test; build it or set {variable}\n");
    }
    found
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A program that runs; killed with SIGKILL when dropped.
struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    fn start(program: &Path, log: PathBuf, arguments: &[&str]) -> Self {
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        Self { child: command.spawn().unwrap(), log }
    }

    /// Asks until there is an answer; fails after a minute, or when the program has ended.
    async fn wait<R>(&mut self, what: &str, mut question: impl AsyncFnMut() -> Option<R>) -> R {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(answer) = question().await {
                return answer;
            }
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() || tokio::time::Instant::now() > deadline {
                let log = std::fs::read_to_string(&self.log).unwrap();
                let tail: Vec<_> = log.lines().rev().take(30).collect();
                panic!("no {what} (ended: {ended:?}); the log ends, last line first:\n{}", tail.join("\n"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A miner that serves its requests at the same time, each in a few milliseconds, until the gateway is gone.
async fn mine(miner: Miner) {
    let (mut sink, mut stream, signer) = miner.split();
    let (out, mut frames) = mpsc::channel::<MinerFrame>(256);
    let writer = tokio::spawn(async move {
        while let Some(frame) = frames.recv().await {
            if sink.send(Message::Text(frame.encode().into())).await.is_err() {
                return;
            }
        }
    });
    let signer = Arc::new(signer);
    while let Some(Ok(Message::Text(text))) = stream.next().await {
        match GatewayFrame::decode(&text, MAX_GATEWAY_FRAME_BYTES).unwrap() {
            GatewayFrame::Ping { n } => drop(out.send(MinerFrame::Pong { n }).await),
            GatewayFrame::Request(request) => drop(tokio::spawn(serve(request, Arc::clone(&signer), out.clone()))),
            _ => {}
        }
    }
    drop(out);
    let _ = writer.await;
}

async fn serve(request: Request, signer: Arc<Signer>, out: mpsc::Sender<MinerFrame>) {
    let id = request.id;
    for (seq, piece) in (0..).zip(PIECES) {
        tokio::time::sleep(Duration::from_millis(3)).await;
        if request.stream {
            let _ = out.send(MinerFrame::Chunk(Chunk { id, seq, data: delta(piece) })).await;
        }
    }
    if !request.stream {
        let _ = out.send(MinerFrame::Answer(Answer { id, body: message(&PIECES.concat()) })).await;
    }
    let _ = out.send(MinerFrame::Done(signer.done(&request, &PIECES.concat()))).await;
}

/// Asks again and again, and notes every answer that came to its end, until the gateway is gone.
async fn call(http: reqwest::Client, url: String, secret: String, stream: bool, finished: Arc<Mutex<Vec<RequestId>>>) {
    loop {
        let Ok(response) = http.post(&url).bearer_auth(&secret).json(&chat("llama", stream)).send().await else {
            return;
        };
        assert_eq!(response.status(), 200);
        let id = response.headers()[HEADER_REQUEST_ID].to_str().unwrap().parse().unwrap();
        let Ok(text) = response.text().await else { return };
        let said = if stream {
            assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
            streamed_text(&text)
        } else {
            let body: Value = serde_json::from_str(&text).unwrap();
            body["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
        };
        assert_eq!(said, "Hello there.");
        finished.lock().unwrap().push(id);
    }
}

/// Every finished answer has its one receipt, nobody paid for anything else, and nothing is reserved.
async fn check(ledger: &SqliteLedger, finished: &[RequestId]) {
    let rows = ledger.receipts(0, 1_000_000).await.unwrap();
    let mut receipts = HashSet::new();
    for row in &rows {
        let receipt = SignedReceipt::decode_limited(&row.bytes).unwrap().receipt;
        assert_eq!(receipt.fee, FEE);
        assert!(receipts.insert(receipt.claim.request_id), "a request with two receipts");
    }
    let lost = finished.iter().filter(|id| !receipts.contains(&id.0)).count();
    assert_eq!(lost, 0, "of {} finished answers", finished.len());
    // What was settled in the moment before a kill may not have reached its caller.
    assert!(receipts.len() <= finished.len() + LIVES * CALLERS, "{} of {}", receipts.len(), finished.len());
    let payer = ledger.payers().await.unwrap().remove(0);
    let spent = rows.len() as u64 * FEE.get();
    assert_eq!((payer.spent.get(), payer.balance.get()), (spent, DEPOSIT - spent));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_finished_answer_is_lost_or_paid_twice_when_the_process_is_killed() {
    let (Some(clawrank), Some(node)) =
        (program("CLAWRANK_BIN", "clawrank"), program("CLAWRANK_NODE_BIN", "clawrank-node"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let spec = Command::new(&node)
        .args(["chain-spec", "--preset", "fast", "--raw", "--validators", "1", "--miners", "1", "--tempo", "100"])
        .output()
        .unwrap();
    assert!(spec.status.success(), "{}", String::from_utf8_lossy(&spec.stderr));
    std::fs::write(path("spec.json"), spec.stdout).unwrap();
    let (rpc, p2p, listen) = (free_address(), free_address(), free_address());
    let _node = Process::start(
        &node,
        path("node.log").into(),
        &[
            &format!("--chain={}", path("spec.json")),
            &format!("--base-path={}", path("node")),
            &format!("--rpc-port={}", rpc.port()),
            &format!("--listen-addr=/ip4/127.0.0.1/tcp/{}", p2p.port()),
            "--alice",
            "--force-authoring",
            "--unsafe-force-node-key-generation",
            "--no-mdns",
            "--no-prometheus",
            "--no-telemetry",
        ],
    );

    let secret = ApiSecret::generate().unwrap();
    let ledger_path = folder.path().join("gateway.db");
    let ledger = SqliteLedger::open(&ledger_path, LedgerOptions::default()).await.unwrap();
    ledger.deposit("acme", MicroUsd(DEPOSIT)).await.unwrap();
    ledger.create_key("test", "acme", KeyKind::Paid, secret.hash(), now_ms()).await.unwrap();
    std::fs::write(path("prices.toml"), PRICES).unwrap();
    let settings = format!("prices_path = \"{}\"\n[timing]\nregistry_ms = 200\n", path("prices.toml"));
    std::fs::write(path("gateway.toml"), settings).unwrap();

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = |path: &str| format!("http://{listen}{path}");
    let finished = Arc::new(Mutex::new(Vec::new()));
    for life in 0..=LIVES {
        let mut gateway = Process::start(
            &clawrank,
            path("gateway.log").into(),
            &[
                "gateway",
                &format!("--config={}", path("gateway.toml")),
                &format!("--network=ws://{rpc}"),
                "--netuid=92",
                "--dev-key=//gateway",
                &format!("--listen={listen}"),
                &format!("--ledger={}", path("gateway.db")),
            ],
        );
        let health = async || http.get(url("/healthz")).send().await.ok()?.json::<Health>().await.ok();
        gateway.wait("healthy gateway", async || health().await.filter(|health| health.status == "ok")).await;
        // All that the life before left is in order before anyone asks.
        let so_far = finished.lock().unwrap().clone();
        check(&ledger, &so_far).await;
        if life == LIVES {
            break;
        }

        let offers = vec![ModelOffer { max_concurrency: 64, ..offer("llama") }];
        let miner = Miner::try_connect_at(listen, key("miner//0"), Role::Serve, offers).await.unwrap();
        let miner = tokio::spawn(mine(miner));
        let models = async || http.get(url("/v1/models")).send().await.ok()?.text().await.ok();
        gateway.wait("model", async || models().await.filter(|models| models.contains("llama"))).await;
        let goal = finished.lock().unwrap().len() + FINISHED;
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let (url, secret) = (url("/v1/chat/completions"), secret.expose().to_owned());
            callers.spawn(call(http.clone(), url, secret, caller % 2 == 0, Arc::clone(&finished)));
        }
        gateway.wait("answers", async || (finished.lock().unwrap().len() >= goal).then_some(())).await;
        gateway.kill();
        while let Some(caller) = callers.join_next().await {
            caller.unwrap();
        }
        miner.await.unwrap();
    }
    // The kills did hit requests under way.
    let log = std::fs::read_to_string(path("gateway.log")).unwrap();
    assert!(log.contains("requests of the last run were open"), "{log}");
}
