// SPDX-License-Identifier: Apache-2.0
//! Real nodes as child processes, each on ports of its own and a folder that goes with it.

use serde_json::{Value, json};
use std::{
    fs::File,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long a single RPC may take.
const RPC_DEADLINE: Duration = Duration::from_secs(10);

/// How long a node may take until it answers: the first of a build compiles its Wasm.
const STARTED: Duration = Duration::from_secs(60);

/// A running node; dropped, it is killed and its folder removed.
pub struct Node {
    process: Child,
    folder: TempDir,
    data: PathBuf,
    rpc: SocketAddr,
    p2p_port: u16,
    started: Instant,
}

/// The node's program: `CLAWRANK_NODE_BIN`, else `clawrank-node` beside the running test's profile folder.
///
/// # Panics
///
/// When there is none.
pub fn program() -> PathBuf {
    find("CLAWRANK_NODE_BIN", "clawrank-node", "clawrank-node")
}

/// The workers' program: `CLAWRANK_BIN`, else `clawrank` beside the running test's profile folder.
///
/// # Panics
///
/// When there is none.
pub fn worker() -> PathBuf {
    find("CLAWRANK_BIN", "clawrank", "clawrank-cli")
}

fn find(variable: &str, name: &str, package: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().expect("a test knows its program");
    let found = test.ancestors().skip(1).take(3).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!("no {name} beside {}: run `cargo build --release -p {package}` first", test.display())
    })
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port of the loopback is free");
    listener.local_addr().expect("a bound listener has an address").port()
}

/// Sends a signal such as `-STOP` to a child of this process.
pub(crate) fn signal(process: u32, signal: &str) {
    let status = Command::new("kill").args([signal, &process.to_string()]).status().expect("kill is everywhere");
    assert!(status.success(), "kill {signal} {process}: {status}");
}

impl Node {
    /// Starts a node with `args`, an RPC and a p2p port of its own, and a base path in a fresh folder.
    pub fn start(args: &[&str]) -> Self {
        Self::start_at(free_port(), args)
    }

    /// [`Node::start`] with a given p2p port.
    pub fn start_at(p2p_port: u16, args: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let data = folder.path().join("data");
        Self::launch(folder, data, p2p_port, args)
    }

    /// [`Node::start`] with its base path in a folder that outlives it.
    pub fn start_on(data: &Path, args: &[&str]) -> Self {
        Self::launch(TempDir::new().expect("a temporary folder"), data.to_owned(), free_port(), args)
    }

    fn launch(folder: TempDir, data: PathBuf, p2p_port: u16, args: &[&str]) -> Self {
        let rpc = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let process = launch(folder.path(), &data, rpc.port(), p2p_port, args);
        Self { process, folder, data, rpc, p2p_port, started: Instant::now() }
    }

    /// Two nodes of a fresh chain of preset `fast`, each with one of its two authorities; the second knows the first.
    ///
    /// # Panics
    ///
    /// When the chain cannot be specified or a node does not answer within a minute.
    pub fn two_authorities(block_time_ms: u64) -> (Self, Self) {
        let folder = TempDir::new().expect("a temporary folder");
        let spec = folder.path().join("spec.json");
        let output = Command::new(program())
            .args(["chain-spec", "--preset", "fast", "--authorities", "2", "--raw"])
            .args(["--block-time-ms", &block_time_ms.to_string()])
            .output()
            .expect("the node's program starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::write(&spec, output.stdout).expect("a folder of one's own can be written");
        let chain = format!("--chain={}", spec.display());
        let (port, key) = (free_port(), "1".repeat(64));
        let mut first = Self::start_at(port, &[&chain, "--alice", "--node-key", &key]);
        let (peer, _) = first.wait("peer id", STARTED, Self::peer_id);
        let boot = format!("/ip4/127.0.0.1/tcp/{port}/p2p/{peer}");
        let key = "2".repeat(64);
        let mut second = Self::start(&[&chain, "--bob", "--node-key", &key, "--bootnodes", &boot]);
        second.wait("peer id", STARTED, Self::peer_id);
        (first, second)
    }

    /// Kills it, as `kill -9` does; its chain stays.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Asks it to end, as SIGTERM does, and waits until it has; its chain stays.
    pub fn end(&mut self) {
        signal(self.process.id(), "-TERM");
        self.wait_end(RPC_DEADLINE);
    }

    /// Waits until it has ended by itself; its exit code, `None` after a signal.
    ///
    /// # Panics
    ///
    /// When it still runs after `deadline`.
    pub fn wait_end(&mut self, deadline: Duration) -> Option<i32> {
        let end = Instant::now() + deadline;
        loop {
            if let Ok(Some(status)) = self.process.try_wait() {
                return status.code();
            }
            assert!(Instant::now() < end, "it runs after {deadline:?}; its log ends:\n{}", self.tail());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it where it is, as SIGSTOP does, until [`Node::resume`].
    pub fn pause(&self) {
        signal(self.process.id(), "-STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        signal(self.process.id(), "-CONT");
    }

    /// Starts it again on the chain it has, on the ports it had, with these `args` in the place of the former.
    pub fn restart(&mut self, args: &[&str]) {
        self.kill();
        self.process = launch(self.folder.path(), &self.data, self.rpc.port(), self.p2p_port, args);
    }

    /// The address of its RPC.
    pub fn rpc_address(&self) -> SocketAddr {
        self.rpc
    }

    /// The time since it was started.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn tail(&self) -> String {
        let log = self.log();
        let tail: Vec<_> = log.lines().rev().take(30).collect();
        tail.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The folder of its data and log.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// The result of an RPC.
    ///
    /// # Errors
    ///
    /// The node's error as JSON text, or why there was no answer.
    pub fn rpc(&self, method: &str, params: Value) -> Result<Value, String> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let answer = post(self.rpc, &body).map_err(|error| format!("{method}: {error}"))?;
        let answer: Value = serde_json::from_str(&answer).map_err(|error| format!("{method}: {error} in {answer}"))?;
        match answer.get("error") {
            Some(error) => Err(error.to_string()),
            None => Ok(answer.get("result").cloned().unwrap_or(Value::Null)),
        }
    }

    /// The number of its best block, or `None` while it does not answer.
    pub fn best(&self) -> Option<u64> {
        number(&self.rpc("chain_getHeader", json!([])).ok()?)
    }

    /// The number of the last block it holds final.
    pub fn finalized(&self) -> Option<u64> {
        let hash = self.rpc("chain_getFinalizedHead", json!([])).ok()?;
        number(&self.rpc("chain_getHeader", json!([hash])).ok()?)
    }

    /// Its peer id, once it answers.
    pub fn peer_id(&self) -> Option<String> {
        self.rpc("system_localPeerId", json!([])).ok()?.as_str().map(str::to_owned)
    }

    /// Asks again until `question` has an answer, and says how long the node had been up by then.
    ///
    /// # Panics
    ///
    /// After `deadline`, with the end of the node's log.
    pub fn wait<R>(
        &mut self,
        what: &str,
        deadline: Duration,
        mut question: impl FnMut(&Self) -> Option<R>,
    ) -> (R, Duration) {
        let end = Instant::now() + deadline;
        loop {
            if let Some(answer) = question(self) {
                return (answer, self.age());
            }
            let alive = self.is_alive();
            if !alive || Instant::now() > end {
                panic!("no {what} within {deadline:?} (node alive: {alive}); its log ends:\n{}", self.tail());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

fn launch(folder: &Path, data: &Path, rpc_port: u16, p2p_port: u16, args: &[&str]) -> Child {
    let log = File::options().create(true).append(true).open(folder.join("log")).expect("a log file");
    Command::new(program())
        .args(args)
        .arg("--base-path")
        .arg(data)
        .args(["--rpc-port", &rpc_port.to_string()])
        .args(["--listen-addr", &format!("/ip4/127.0.0.1/tcp/{p2p_port}")])
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a second handle of the log"))
        .stderr(log)
        .spawn()
        .expect("the node's program starts")
}

fn number(header: &Value) -> Option<u64> {
    u64::from_str_radix(header.get("number")?.as_str()?.trim_start_matches("0x"), 16).ok()
}

/// One HTTP POST, the body of the answer.
fn post(address: SocketAddr, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, RPC_DEADLINE)?;
    stream.set_read_timeout(Some(RPC_DEADLINE))?;
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::other("no HTTP answer"))?;
    Ok(body.to_owned())
}
