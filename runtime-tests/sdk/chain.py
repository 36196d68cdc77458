# SPDX-License-Identifier: Apache-2.0
"""A fresh node of the local chain and `btcli` against it, for the checks beside this file."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

NODE = os.environ.get("CLAWRANK_NODE_BIN", "clawrank-node")
CLI = os.environ.get("CLAWRANK_BIN", "clawrank")
START_DEADLINE_S = 90
COMMAND_DEADLINE_S = 90
# A commit that our own library sealed for a round of the public beacon.
SEALED = pathlib.Path(__file__).parents[2] / "pallets/primitives/timelock/testdata/sealed.json"


def free_port():
    """A port of the loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def opens_our_commit(decrypt):
    """Fails unless the library's `decrypt(sealed, signature)` gives the weights that our library sealed."""
    ours = json.loads(SEALED.read_text())
    commit = bytes.fromhex(ours["commit"])
    assert 64 <= len(commit) < 2**14, len(commit)
    # The library wants the commit as SCALE bytes, and its round behind.
    sealed = (len(commit) << 2 | 1).to_bytes(2, "little") + commit + ours["round"].to_bytes(8, "little")
    opened = bytes(decrypt(sealed, ours["signature"])).hex()
    if opened != ours["plaintext"]:
        raise AssertionError(f"opened {opened[:80]}.., sealed was {ours['plaintext'][:80]}..")


class Node:
    """A node on ports of its own, gone with its folder at the end of the `with` block."""

    def __init__(self, *options, chain=None, flags=("--alice",), first=1):
        """A chain by its name, else by a specification of `options`; `flags` are the node's. It is ready at block `first`."""
        self.first = first
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="clawrank-sdk-"))
        self.port, self.p2p_port = free_port(), free_port()
        self.url = f"ws://127.0.0.1:{self.port}"
        if chain is None:
            chain = self.folder / "spec.json"
            with chain.open("wb") as spec:
                subprocess.run([NODE, "chain-spec", *options], stdout=spec, check=True, timeout=COMMAND_DEADLINE_S)
        self.log = (self.folder / "node.log").open("wb")
        self.process = subprocess.Popen(
            [NODE, "--chain", chain, *flags, "--rpc-port", str(self.port), "--rpc-cors", "all", "--no-mdns"]
            + ["--base-path", self.folder / "data", "--listen-addr", f"/ip4/127.0.0.1/tcp/{self.p2p_port}"],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )

    def __enter__(self):
        end = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                if self.height() >= self.first:
                    return self
            except OSError:
                pass
            time.sleep(0.1)
        tail = (self.folder / "node.log").read_text()[-3000:]
        self.__exit__()
        sys.exit(f"the node was not ready within {START_DEADLINE_S} s; its log ends:\n{tail}")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def rpc(self, method, *params):
        """The result of an RPC over HTTP."""
        import urllib.request

        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer = json.load(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def height(self):
        """Number of the best block."""
        return int(self.rpc("chain_getHeader")["number"], 16)


class Btcli:
    """`btcli` with a home, wallets and a cache of its own."""

    def __init__(self, node):
        home = node.folder / "home"
        home.mkdir()
        self.wallets = home / "wallets"
        self.program = pathlib.Path(sys.executable).parent / "btcli"
        self.environment = {
            **os.environ,
            "HOME": str(home),
            "BT_NETWORK": node.url,
            "BT_FALLBACK_ENDPOINTS": "none",
            "BT_ARCHIVE_ENDPOINTS": "none",
            "BT_WALLET_PATH": str(self.wallets),
            "BITTENSOR_RUNTIME_CACHE_DIR": str(home / "runtime-cache"),
            "NO_COLOR": "1",
        }
        self.commands = []

    def run(self, *command, wallet=None, hotkey="default"):
        """The command's JSON. Its words are printed, and kept for the documentation."""
        flags = ["--json", "--yes"]
        if wallet:
            flags += ["-w", wallet, "-H", hotkey]
        shown = " ".join(["btcli", *map(str, command)])
        print(f"  $ {shown}", flush=True)
        self.commands.append(shown)
        done = subprocess.run(
            [self.program, *flags, *map(str, command)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_DEADLINE_S,
        )
        if done.returncode != 0:
            raise AssertionError(f"{shown} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None


class Steps:
    """Runs named checks one after the other, counts them and remembers how long each took."""

    def __init__(self):
        self.passed = []
        self.failed = []
        self.skipped = []

    def __call__(self, name, check, *args):
        begun = time.monotonic()
        print(f"- {name}", flush=True)
        try:
            result = check(*args)
        except Exception as error:  # noqa: BLE001: any failure of a check is reported and counted
            self.failed.append(name)
            print(f"  FAILED: {type(error).__name__}: {error}", flush=True)
            return None
        self.passed.append(name)
        print(f"  {time.monotonic() - begun:.1f} s", flush=True)
        return result

    def skip(self, name, why):
        """Notes in capitals that a check was not made."""
        self.skipped.append(name)
        print(f"- {name}\n  SKIPPED: {why}", flush=True)

    def finish(self):
        """Prints the sum and ends the program."""
        for name in self.failed:
            print(f"failed: {name}")
        for name in self.skipped:
            print(f"skipped: {name}")
        print(f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.skipped)} skipped", flush=True)
        sys.exit(1 if self.failed else 0)
