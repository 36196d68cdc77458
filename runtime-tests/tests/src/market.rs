// SPDX-License-Identifier: Apache-2.0
//! A subnet at work, every part of it a real process: a node, an emulator of backends, a gateway, serving miners and
//! validators.
//!
//! Nobody asks the miners anything but the validators' probes. Of three miners one always answers and two fail every
//! other time, so that the weights of one epoch are seldom those of the next.

use crate::node::{Node, free_port, program, worker};
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
/// The only validator's key.
pub const VALIDATOR: &str = "//validator//0";
/// What every node of a market is told.
const NODE: [&str; 7] = [
    "--alice",
    "--force-authoring",
    "--unsafe-force-node-key-generation",
    "--no-mdns",
    "--no-prometheus",
    "--no-telemetry",
    // Tests read what happened in every block, afterwards.
    "--state-pruning=archive",
];

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
    /// The node.
    pub node: Node,
    folder: TempDir,
    gateway: u16,
    _workers: Vec<Worker>,
}

impl Market {
    /// A chain with 250 ms blocks and a pulse each second, on which all the others work; `args` are the node's.
    ///
    /// # Panics
    ///
    /// When a process does not start.
    pub fn open(tempo: u16, args: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let spec = Command::new(program())
            .args(["chain-spec", "--preset", "fast", "--raw", "--validators", "1", "--tempo", &tempo.to_string()])
            .args(["--miners", &MINERS.to_string()])
            .output()
            .expect("the node's program starts");
        assert!(spec.status.success(), "{}", String::from_utf8_lossy(&spec.stderr));
        std::fs::write(folder.path().join("spec.json"), spec.stdout).expect("the folder can be written to");
        let node = Node::start(&node_args(folder.path(), args).iter().map(String::as_str).collect::<Vec<_>>());
        let mut market = Self { node, folder, gateway: free_port(), _workers: Vec::new() };
        market._workers = market.workers();
        market
    }

    /// Kills the node and starts it again on its chain, with these `args` in the place of the former.
    pub fn restart_node(&mut self, args: &[&str]) {
        let args = node_args(self.folder.path(), args);
        self.node.restart(&args.iter().map(String::as_str).collect::<Vec<_>>());
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("the folder can be written to");
        path.display().to_string()
    }

    /// A place in the market's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Flags that name the chain.
    pub fn network(&self) -> [String; 4] {
        ["--network".into(), format!("ws://{}", self.node.rpc_address()), "--netuid".into(), "92".into()]
    }

    fn start(&self, name: &str, args: &[&str]) -> Worker {
        Worker::start(&self.path(&format!("{name}.log")), args)
    }

    fn workers(&self) -> Vec<Worker> {
        let (emulator, gateway) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", self.gateway));
        let mut profile = String::from("seed = 92\n");
        for miner in 0..MINERS {
            let failing = if miner == 0 { 0.0 } else { 0.5 };
            profile.push_str(&format!(
                "[[endpoint]]\nid = \"backend-{miner}\"\n[[endpoint.model]]\nid = \"llama-3-8b\"\n\
                 latency = {{ ttft_median_ms = 20.0, tokens_per_second = 400.0 }}\n\
                 failures = {{ status_500 = {failing:.1} }}\n"
            ));
        }
        let profile = self.write("emulator.toml", &profile);
        self.write(
            "endpoints.toml",
            &format!(
                "[[endpoint]]\nid = \"aurora\"\nbase_url = \"http://{emulator}/backend-0/v1\"\ntask_types = [\"math\"]\n\
                 models = [{{ id = \"llama-3-8b\", price_in_micro_usd_per_mtok = 50000, \
                 price_out_micro_usd_per_mtok = 100000, context_tokens = 8192 }}]\n"
            ),
        );
        let settings =
            self.write("gateway.toml", "[timing]\nregistry_ms = 500\n[limits]\nmax_miners_per_address = 64\n");
        let [network, url, subnet, netuid] = self.network();
        let ledger = self.path("gateway.db").display().to_string();
        let mut workers = vec![
            self.start("emulator", &["emulator", "run", "--listen", &emulator, "--profile", &profile]),
            self.start(
                "gateway",
                &[
                    "gateway",
                    "--config",
                    &settings,
                    &network,
                    &url,
                    &subnet,
                    &netuid,
                    "--dev-key",
                    "//gateway",
                    "--listen",
                    &gateway,
                    "--ledger",
                    &ledger,
                ],
            ),
        ];
        let models = "[[models]]\nid = \"llama-3-8b\"\nmax_concurrency = 32\ncontext_tokens = 8192\n";
        let settings = self.write("serve.toml", &format!("reconnect_max_ms = 1000\n{models}"));
        let gateway = format!("http://{gateway}");
        for miner in 0..MINERS {
            let (key, backend) = (format!("//miner//{miner}"), format!("http://{emulator}/backend-{miner}/v1"));
            let (name, data) = (format!("serve-{miner}"), self.path(&format!("serve-{miner}")).display().to_string());
            workers.push(self.start(
                &name,
                &[
                    "miner",
                    "serve",
                    "--config",
                    &settings,
                    "--dev-key",
                    &key,
                    "--gateway",
                    &gateway,
                    "--backend",
                    &backend,
                    "--data-dir",
                    &data,
                ],
            ));
        }
        workers
    }

    /// The flags of a validator with its data in the folder `data`.
    pub fn validator_args(&self, data: &str) -> Vec<String> {
        let settings = self.write(
            "validator.toml",
            &format!(
                "gateways = [{{ url = \"http://127.0.0.1:{}\" }}]\nprobe_interval_ms = 1000\nreceipts_interval_ms = 500\n\
                 keep_epochs = 64\n",
                self.gateway
            ),
        );
        let mut args: Vec<String> =
            ["validator", "--config", &settings, "--dev-key", VALIDATOR].map(String::from).into();
        args.extend(self.network());
        args.extend(["--catalogue".into(), self.path("endpoints.toml").display().to_string()]);
        args.extend(["--data-dir".into(), self.path(data).display().to_string()]);
        args
    }

    /// Starts a validator with its data in the folder `data`; `more` are flags of its own.
    pub fn validator(&self, data: &str, more: &[&str]) -> Worker {
        let mut args = self.validator_args(data);
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

fn node_args(folder: &Path, more: &[&str]) -> Vec<String> {
    let mut args = vec!["--chain".to_owned(), folder.join("spec.json").display().to_string()];
    args.extend(NODE.iter().chain(more).map(|arg| (*arg).to_owned()));
    args
}
