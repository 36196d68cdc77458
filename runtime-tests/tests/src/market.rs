// SPDX-License-Identifier: Apache-2.0
//! A subnet at work, every part of it a real process: nodes, an emulator of backends, a gateway, serving and measuring
//! miners, and validators.
//!
//! Nobody asks the miners anything but the validators' probes, and a customer where a test has one ([`Market::ask`]). Of
//! three serving miners one always answers and two fail every other time, so that the weights of one epoch are seldom
//! those of the next.

use crate::{
    customer::Answer,
    node::{Node, free_port, program, signal, worker},
};
use serde_json::Value;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Serving miners of a market.
const MINERS: usize = 3;
/// The first validator's key.
pub const VALIDATOR: &str = "//validator//0";
/// A model that the first serving miner offers, 8 tokens a second.
pub const SLOW_MODEL: &str = "slow-8b";
/// Attempts that a measuring miner makes of its cell in an epoch: a few more than the gate wants to see.
const ATTEMPTS: u32 = 33;
/// What every node of a market is told.
const NODE: [&str; 5] = [
    "--force-authoring",
    "--no-mdns",
    "--no-prometheus",
    "--no-telemetry",
    // Tests read what happened in every block, afterwards.
    "--state-pruning=archive",
];

/// How large a market is.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Blocks of an epoch.
    pub tempo: u16,
    /// Time between two blocks, milliseconds.
    pub block_time_ms: u64,
    /// Nodes that author: with 2 of them nothing becomes final without both.
    pub authorities: usize,
    /// Validators that are registered; none is started.
    pub validators: u32,
    /// Miners that measure.
    pub measuring: usize,
}

impl Shape {
    /// One node with blocks of 250 ms, one validator, and nobody who measures.
    pub fn new(tempo: u16) -> Self {
        Self { tempo, block_time_ms: 250, authorities: 1, validators: 1, measuring: 0 }
    }
}

/// A process of the workers' program; killed on drop.
pub struct Worker {
    process: Child,
    log: PathBuf,
}

impl Worker {
    /// Starts `clawrank` with `args`. What it logs goes behind what `log` holds already.
    ///
    /// # Panics
    ///
    /// When the program does not start.
    pub fn start<S: AsRef<std::ffi::OsStr>>(log: &Path, args: impl IntoIterator<Item = S>) -> Self {
        let file = File::options().create(true).append(true).open(log).expect("a log file");
        let process = Command::new(worker())
            .args(args)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a second handle of the log"))
            .stderr(file)
            .spawn()
            .expect("the workers' program starts");
        Self { process, log: log.to_owned() }
    }

    /// What it has logged, and what those before it have under the same name.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The file of its log.
    pub fn log_path(&self) -> PathBuf {
        self.log.clone()
    }

    /// Kills it, as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Stops it where it is, as SIGSTOP does, until [`Worker::resume`].
    pub fn pause(&self) {
        signal(self.process.id(), "-STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        signal(self.process.id(), "-CONT");
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().ok().flatten()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Everything but validators.
pub struct Market {
    /// The node that everyone speaks to.
    pub node: Node,
    /// The node of the second authority, where there is one.
    pub other: Option<Node>,
    /// The gateway.
    pub gateway: Worker,
    folder: TempDir,
    gateway_port: u16,
    customer: String,
    _workers: Vec<Worker>,
}

impl Market {
    /// A chain with 250 ms blocks and a pulse each second, on which all the others work; `args` are the node's.
    ///
    /// # Panics
    ///
    /// When a process does not start.
    pub fn open(tempo: u16, args: &[&str]) -> Self {
        Self::with(Shape::new(tempo), args)
    }

    /// A market of a given shape; `args` are the nodes'.
    ///
    /// # Panics
    ///
    /// When a process does not start.
    pub fn with(shape: Shape, args: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let spec = Command::new(program())
            .args(["chain-spec", "--preset", "fast", "--raw", "--tempo", &shape.tempo.to_string()])
            .args(["--validators", &shape.validators.to_string()])
            .args(["--miners", &(MINERS + shape.measuring).to_string()])
            .args(["--authorities", &shape.authorities.to_string()])
            .args(["--block-time-ms", &shape.block_time_ms.to_string()])
            .output()
            .expect("the node's program starts");
        assert!(spec.status.success(), "{}", String::from_utf8_lossy(&spec.stderr));
        std::fs::write(folder.path().join("spec.json"), spec.stdout).expect("the folder can be written to");
        let (node, other) = nodes(folder.path(), shape.authorities, args);
        let gateway_port = free_port();
        let files = Files { folder: folder.path(), gateway_port, chain: chain_args(&node) };
        let customer = files.new_customer();
        let gateway = files.gateway();
        let mut _workers = files.serving();
        _workers.extend((0..shape.measuring).map(|place| files.measuring(place)));
        Self { node, other, gateway, folder, gateway_port, customer, _workers }
    }

    /// Kills the node and starts it again on its chain, with these `args` in the place of the former.
    pub fn restart_node(&mut self, args: &[&str]) {
        let args = node_args(self.folder.path(), &[ALONE.as_slice(), args].concat());
        self.node.restart(&args.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// What a customer is answered who asks `model`, as it comes.
    ///
    /// # Panics
    ///
    /// When the gateway does not take the connection.
    pub fn ask(&self, model: &str) -> Answer {
        Answer::to(self.gateway_port, &self.customer, model)
    }

    /// What the gateway says of its health.
    pub fn health(&self) -> Value {
        crate::customer::health(self.gateway_port)
    }

    /// A place in the market's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Flags that name the chain.
    pub fn network(&self) -> [String; 4] {
        chain_args(&self.node)
    }

    /// The flags of a validator with its data in the folder `data`, but for its key.
    fn validator_args(&self, data: &str) -> Vec<String> {
        let settings = write(
            self.folder.path(),
            &format!("{data}.toml"),
            &format!(
                "gateways = [{{ url = \"http://127.0.0.1:{}\" }}]\nprobe_interval_ms = 1000\nreceipts_interval_ms = 500\n\
                 keep_epochs = 64\nreplays_per_cell = 8\nreplay_concurrency = 4\nstall_after_ms = {STALL_MS}\n",
                self.gateway_port
            ),
        );
        let mut args: Vec<String> = ["validator", "--config", &settings].map(String::from).into();
        args.extend(self.network());
        args.extend(["--catalogue".into(), self.path("endpoints.toml").display().to_string()]);
        args.extend(["--data-dir".into(), self.path(data).display().to_string()]);
        args
    }

    /// Starts the first validator with its data in the folder `data`; `more` are flags of its own.
    pub fn validator(&self, data: &str, more: &[&str]) -> Worker {
        self.validator_of(VALIDATOR, data, more)
    }

    /// Starts a validator with the hotkey of a secret URI.
    pub fn validator_of(&self, key: &str, data: &str, more: &[&str]) -> Worker {
        let mut args = self.validator_args(data);
        args.extend(["--dev-key".into(), key.to_owned()]);
        args.extend(more.iter().map(|flag| (*flag).to_owned()));
        Worker::start(&self.path(&format!("{data}.log")), args)
    }

    /// The reports of a validator, by epoch.
    pub fn reports(&self, data: &str) -> Vec<Value> {
        let Ok(files) = std::fs::read_dir(self.path(data).join("reports")) else { return Vec::new() };
        let names =
            files.filter_map(|file| file.ok()).filter(|file| file.file_name().to_string_lossy().starts_with("epoch-"));
        let texts = names.filter_map(|file| std::fs::read_to_string(file.path()).ok());
        let mut reports: Vec<Value> = texts.filter_map(|text| serde_json::from_str(&text).ok()).collect();
        reports.sort_by_key(|report| report["epoch"].as_u64());
        reports
    }

    /// Asks again until `question` has an answer.
    ///
    /// # Panics
    ///
    /// After `deadline`, or when the node or `validator` has ended, with the end of the validator's log.
    pub fn wait<R>(
        &mut self,
        what: &str,
        deadline: Duration,
        validator: &mut Worker,
        mut question: impl FnMut(&Self) -> Option<R>,
    ) -> R {
        let end = Instant::now() + deadline;
        loop {
            if let Some(answer) = question(self) {
                return answer;
            }
            let (node, ended) = (self.node.is_alive(), validator.ended());
            if !node || ended.is_some() || Instant::now() > end {
                let log = validator.log();
                let tail: Vec<_> = log.lines().rev().take(60).collect();
                let tail: Vec<_> = tail.into_iter().rev().collect();
                panic!(
                    "no {what} within {deadline:?} (node alive: {node}, validator ended: {ended:?}); its log ends:\n{}",
                    tail.join("\n")
                );
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// What a node is told that has all the authorities there are.
const ALONE: [&str; 2] = ["--alice", "--unsafe-force-node-key-generation"];

/// The first node, and the second where there are two authorities; the second knows the first.
fn nodes(folder: &Path, authorities: usize, args: &[&str]) -> (Node, Option<Node>) {
    let start = |port: u16, own: &[&str]| {
        let all = node_args(folder, &[own, args].concat());
        Node::start_at(port, &all.iter().map(String::as_str).collect::<Vec<_>>())
    };
    if authorities == 1 {
        return (start(free_port(), &ALONE), None);
    }
    let (port, key) = (free_port(), "1".repeat(64));
    let mut first = start(port, &["--alice", "--node-key", &key]);
    let (peer, _) = first.wait("peer id", Duration::from_secs(60), Node::peer_id);
    let (boot, key) = (format!("/ip4/127.0.0.1/tcp/{port}/p2p/{peer}"), "2".repeat(64));
    let second = start(free_port(), &["--bob", "--node-key", &key, "--bootnodes", &boot]);
    (first, Some(second))
}

fn node_args(folder: &Path, more: &[&str]) -> Vec<String> {
    let mut args = vec!["--chain".to_owned(), folder.join("spec.json").display().to_string()];
    args.extend(NODE.iter().chain(more).map(|arg| (*arg).to_owned()));
    args
}

fn chain_args(node: &Node) -> [String; 4] {
    ["--network".into(), format!("ws://{}", node.rpc_address()), "--netuid".into(), "92".into()]
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("the folder can be written to");
    path.display().to_string()
}

/// Time without a final block after which a market's workers say so, milliseconds.
const STALL_MS: u64 = 4_000;

/// What the workers of a market are started from.
struct Files<'a> {
    folder: &'a Path,
    gateway_port: u16,
    chain: [String; 4],
}

impl Files<'_> {
    fn start(&self, name: &str, args: &[&str]) -> Worker {
        Worker::start(&self.folder.join(format!("{name}.log")), args)
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        write(self.folder, name, text)
    }

    fn gateway_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.gateway_port)
    }

    /// The secret of a key that costs its customer nothing.
    fn new_customer(&self) -> String {
        let made = Command::new(worker())
            .args(["--json", "--log", "warn", "keys", "api", "new", "--payer", "customer", "--free", "--database"])
            .arg(self.folder.join("gateway.db"))
            .output()
            .expect("the workers' program starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let made: Value = serde_json::from_slice(&made.stdout).expect("JSON as asked for");
        made.get("secret").and_then(Value::as_str).expect("a new key has a secret").to_owned()
    }

    fn gateway(&self) -> Worker {
        let settings = self.write(
            "gateway.toml",
            &format!(
                "[timing]\nregistry_ms = 500\nchain_stall_ms = {STALL_MS}\n[limits]\nmax_miners_per_address = 64\n"
            ),
        );
        let (listen, ledger) = (format!("127.0.0.1:{}", self.gateway_port), self.path("gateway.db"));
        let mut args = vec!["gateway", "--config", &settings, "--dev-key", "//gateway", "--listen", &listen];
        args.extend(["--ledger", &ledger]);
        args.extend(self.chain.iter().map(String::as_str));
        self.start("gateway", &args)
    }

    /// The emulator, and the miners that serve with its backends.
    fn serving(&self) -> Vec<Worker> {
        let emulator = format!("127.0.0.1:{}", free_port());
        let mut profile = String::from(
            "seed = 92\n[[endpoint]]\nid = \"aurora\"\n[[endpoint.model]]\nid = \"llama-3-8b\"\n\
             latency = { ttft_median_ms = 60.0, ttft_sigma = 0.1, tokens_per_second = 400.0 }\n",
        );
        for miner in 0..MINERS {
            let failing = if miner == 0 { 0.0 } else { 0.5 };
            profile.push_str(&format!(
                "[[endpoint]]\nid = \"backend-{miner}\"\n[[endpoint.model]]\nid = \"llama-3-8b\"\n\
                 latency = {{ ttft_median_ms = 20.0, tokens_per_second = 400.0 }}\n\
                 failures = {{ status_500 = {failing:.1} }}\n\
                 [[endpoint.model]]\nid = \"{SLOW_MODEL}\"\n\
                 latency = {{ ttft_median_ms = 20.0, tokens_per_second = 8.0 }}\n"
            ));
        }
        let profile = self.write("emulator.toml", &profile);
        self.write(
            "endpoints.toml",
            &format!(
                "[[endpoint]]\nid = \"aurora\"\nbase_url = \"http://{emulator}/aurora/v1\"\ntask_types = [\"math\"]\n\
                 models = [{{ id = \"llama-3-8b\", price_in_micro_usd_per_mtok = 50000, \
                 price_out_micro_usd_per_mtok = 100000, context_tokens = 8192 }}]\n"
            ),
        );
        let mut workers =
            vec![self.start("emulator", &["emulator", "run", "--listen", &emulator, "--profile", &profile])];
        for miner in 0..MINERS {
            let offers = if miner == 0 { ["llama-3-8b", SLOW_MODEL].as_slice() } else { &["llama-3-8b"] };
            let offer = |id: &&str| format!("[[models]]\nid = \"{id}\"\nmax_concurrency = 32\ncontext_tokens = 8192\n");
            let models: String = offers.iter().map(offer).collect();
            let name = format!("serve-{miner}");
            let settings = self.write(&format!("{name}.toml"), &format!("reconnect_max_ms = 1000\n{models}"));
            let (key, backend) = (format!("//miner//{miner}"), format!("http://{emulator}/backend-{miner}/v1"));
            let (gateway, data) = (self.gateway_url(), self.path(&name));
            let mut args = vec!["miner", "serve", "--config", &settings, "--dev-key", &key, "--gateway", &gateway];
            args.extend(["--backend", &backend, "--data-dir", &data]);
            workers.push(self.start(&name, &args));
        }
        workers
    }

    /// A miner that measures, the one in this place.
    fn measuring(&self, place: usize) -> Worker {
        let name = format!("measure-{place}");
        let settings = self.write(
            &format!("{name}.toml"),
            &format!(
                "max_attempts_per_cell = {ATTEMPTS}\nconcurrency_per_endpoint = 4\nmeasure_until_percent = 40\n\
                 commit_blocks = 6\nreconnect_max_ms = 1000\n"
            ),
        );
        let (key, gateway) = (format!("//miner//{}", MINERS + place), self.gateway_url());
        let (catalogue, data) = (self.path("endpoints.toml"), self.path(&name));
        let mut args = vec!["miner", "measure", "--config", &settings, "--dev-key", &key, "--gateway", &gateway];
        args.extend(["--catalogue", &catalogue, "--data-dir", &data]);
        args.extend(self.chain.iter().map(String::as_str));
        self.start(&name, &args)
    }
}
