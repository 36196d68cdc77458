// SPDX-License-Identifier: Apache-2.0
//! The real node, killed, frozen and started again.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// The node's program: `CLAWRANK_NODE_BIN`, else `release/clawrank-node` in the folder of Cargo's builds. `None` where
/// there is none; says so on standard error, past the test runner.
pub fn program() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    let path =
        std::env::var_os("CLAWRANK_NODE_BIN").map_or_else(|| target.join("release/clawrank-node"), PathBuf::from);
    if path.exists() {
        return Some(path);
    }
    let bar = "!".repeat(100);
    let _ = writeln!(
        std::io::stderr(),
        "\n{bar}\nSKIPPED: no node at {}; build clawrank-node or set CLAWRANK_NODE_BIN\n{bar}",
        path.display()
    );
    None
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The specification of a fresh chain with one miner and 500 ms blocks, in a file.
pub fn specification(program: &Path, folder: &TempDir, authorities: u8, tempo: u16) -> PathBuf {
    let (authorities, tempo) = (authorities.to_string(), tempo.to_string());
    let done = Command::new(program)
        .args(["chain-spec", "--preset", "fast", "--raw", "--miners", "1", "--validators", "1"])
        .args(["--block-time-ms", "500", "--authorities", &authorities, "--tempo", &tempo])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(done.status.success(), "the specification is built");
    let path = folder.path().join("spec.json");
    fs::write(&path, done.stdout).unwrap();
    path
}

/// A node; killed on drop, and its data with it.
pub struct Node {
    program: PathBuf,
    arguments: Vec<String>,
    folder: TempDir,
    rpc: u16,
    child: Option<Child>,
}

impl Node {
    pub fn start(program: &Path, specification: &Path, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        arguments.push(format!("--chain={}", specification.display()));
        let mut node = Self { program: program.to_owned(), arguments, folder, rpc: free_port(), child: None };
        node.launch();
        node
    }

    /// Starts it on the chain it has.
    pub fn launch(&mut self) {
        let log = fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .arg("--base-path")
            .arg(self.folder.path().join("data"))
            .args(["--validator", "--unsafe-force-node-key-generation", "--force-authoring"])
            .args(["--no-prometheus", "--no-telemetry", "--no-mdns", "--rpc-port", &self.rpc.to_string()])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.rpc)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// SIGKILL; its chain stays.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGSTOP.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
