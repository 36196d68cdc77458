# SPDX-License-Identifier: Apache-2.0
"""Figures of the real node: its start, its blocks with full epochs, the SDK's metagraph, its growth.

Prints one JSON line per figure, and ends with code 1 when one is above its bound. Run it through `scripts/bench node`;
`CLAWRANK_NODE_BIN` names the program.
Parts can be named on the command line: start, blocks, growth.
"""

import asyncio
import http.client
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from procs import Failed, Procs, free_port

NODE = os.environ.get("CLAWRANK_NODE_BIN", "clawrank-node")
NETUID = 92
BLOCK_MS = 250
TEMPO = 10
# With the owner 256 uids, of which 64 have a permit: the owner too, who sets weights as the validators do.
VALIDATORS, MINERS = 63, 192
SETTERS = ["//owner", *(f"//validator//{number}" for number in range(VALIDATORS))]
MECHANISMS = 2
DEADLINE_S = 120

STARTS = 5
START_BOUND_S = 1.5
MEASURED_BLOCKS = 400
LATE = 1.5
METAGRAPHS = 20
GROWTH = (1_000, 10_000)


above: list[str] = []


def figure(name: str, value: float, unit: str, bound: float | None = None) -> None:
    """Prints a figure; `bound` is what the project promises."""
    line = {"name": name, "value": round(value, 3), "unit": unit}
    if bound is not None:
        line["bound"] = bound
        if value > bound:
            above.append(f"{name}: {value:.3f} {unit}, at most {bound} {unit}")
    print(json.dumps(line), flush=True)


def spread(name: str, values: list[float], unit: str, bound: float | None = None) -> None:
    """The median, the 99th percentile and the largest of many."""
    values = sorted(values)
    figure(f"{name}, p50", statistics.median(values), unit)
    figure(f"{name}, p99", values[min(len(values) - 1, len(values) * 99 // 100)], unit)
    figure(f"{name}, max", values[-1], unit, bound)


def spec(folder: Path, *options, **hyperparameters) -> Path:
    """A specification file; `hyperparameters` are those of its subnet."""
    made = subprocess.run([NODE, "chain-spec", *map(str, options)], stdout=subprocess.PIPE, check=True, timeout=60)
    chain = json.loads(made.stdout)
    (subnet,) = chain["genesis"]["runtimeGenesis"]["patch"]["subtensorModule"]["subnets"]
    subnet["hyperparameters"].update(hyperparameters)
    path = folder / "spec.json"
    path.write_text(json.dumps(chain))
    return path


def cpu_s(pid: int) -> float:
    """Seconds that a process has spent on all cores: what a busy machine changes little."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:13]) / os.sysconf("SC_CLK_TCK")


class Rpc:
    """The node's RPC over one HTTP connection."""

    def __init__(self, port: int):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def __call__(self, method: str, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        self.connection.request("POST", "/", body, {"Content-Type": "application/json"})
        answer = json.loads(self.connection.getresponse().read())
        if "error" in answer:
            raise Failed(f"{method}: {answer['error']}")
        return answer["result"]

    def height(self) -> int:
        return int(self("chain_getHeader")["number"], 16)


class Node:
    """A node of a run, on ports of its own, in a folder of its own."""

    def __init__(self, folder: Path, *options):
        self.folder = folder
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}"
        self.procs = Procs(folder / "logs")
        self.process = self.procs.start("node", [NODE, *options, *self.ports(), "--base-path", folder / "data"])
        self.rpc = Rpc(self.port)

    def ports(self) -> list:
        listen = f"/ip4/127.0.0.1/tcp/{free_port()}"
        return ["--rpc-port", self.port, "--listen-addr", listen, "--no-mdns", "--rpc-cors", "all"]

    def wait(self, height: int) -> None:
        """Returns when the best block has at least this number."""
        end = time.monotonic() + DEADLINE_S
        while True:
            self.procs.check()
            try:
                if self.rpc.height() >= height:
                    return
            except (OSError, http.client.HTTPException):
                self.rpc = Rpc(self.port)
            if time.monotonic() > end:
                raise Failed(f"no block {height} within {DEADLINE_S} s:\n{self.procs.tail('node')}")
            time.sleep(0.05)

    def log(self) -> list[str]:
        return (self.folder / "logs" / "node.log").read_text(errors="replace").splitlines()

    def memory_mb(self) -> tuple[float, float]:
        """Memory in use: the program's own, and files that are mapped, above all the database's."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        own, mapped = (int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024 for name in ("RssAnon", "RssFile"))
        return own, mapped

    def data_mb(self) -> float:
        """What the folder of the data takes on disk; tables are sparse files."""
        files = (path.lstat() for path in (self.folder / "data").rglob("*"))
        return sum(stat.st_blocks * 512 for stat in files) / 2**20

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.procs.stop()


# -- start -----------------------------------------------------------------------------------------------------------


def first_block_s(options: list, cache: str) -> tuple[float, float]:
    """Seconds from starting the program to its log line about block 1, by the clock and of the processor."""
    command = [NODE, *map(str, options), "--tmp", "--rpc-port", str(free_port()), "--no-mdns"]
    command += ["--listen-addr", f"/ip4/127.0.0.1/tcp/{free_port()}"]
    begun = time.monotonic()
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": cache},
    ) as process:
        seen = []
        for line in process.stdout:
            seen.append(line)
            if "Imported #1 " in line:
                taken = time.monotonic() - begun, cpu_s(process.pid)
                process.kill()
                return taken
    raise Failed("the node ended before its first block:\n" + "".join(seen[-5:]))


def start() -> None:
    """Cold start to the first block: a new chain each time; at first without, then with the runtime compiled before."""
    with tempfile.TemporaryDirectory() as folder:
        fast = spec(Path(folder), "--preset", "fast")
        for name, options in (
            ("--dev --block-time-ms 250", ["--dev", "--block-time-ms", BLOCK_MS]),
            ("a specification of fast", ["--chain", fast, "--alice"]),
        ):
            caches = [f"{folder}/first-{len(name)}-{number}" for number in range(STARTS)]
            started(f"first block, {name}, runtime never compiled", options, caches)
            first_block_s(options, f"{folder}/kept")
            started(f"first block, {name}", options, [f"{folder}/kept"] * STARTS)


def started(name: str, options: list, caches: list[str]) -> None:
    """A start with each folder of caches."""
    wall, cpu = zip(*(first_block_s(options, cache) for cache in caches))
    figure(f"{name}, median", statistics.median(wall), "s", START_BOUND_S)
    figure(f"{name}, max", max(wall), "s", START_BOUND_S)
    figure(f"{name}, processor, median", statistics.median(cpu), "s")


# -- blocks ----------------------------------------------------------------------------------------------------------

LOGGED = re.compile(r"^(\S+ \S+)\s+INFO .*(Starting consensus session|Prepared block for proposing at (\d+)|Imported #(\d+) )")


def block_times(log: list[str]) -> dict[int, tuple[float, float]]:
    """For each block that this node made: when it was imported, and how long making and importing it took, in ms."""
    begun, made, blocks = 0.0, {}, {}
    for line in log:
        found = LOGGED.match(line)
        if not found:
            continue
        now = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S.%f").timestamp() * 1000
        if found[3]:
            made[int(found[3])] = begun
        elif found[4]:
            number = int(found[4])
            blocks[number] = (now, now - made.get(number, now))
        else:
            begun = now
    return blocks


async def set_all_weights(url: str) -> None:
    """A full row of the owner and every validator for every mechanism, at random."""
    import bittensor as bt
    from bittensor import calls

    miners = list(range(VALIDATORS + 1, VALIDATORS + 1 + MINERS))
    chance = random.Random(1)

    async def one(client, uri: str) -> None:
        keys = type("Keys", (), {})()
        keys.hotkey = bt.sp_core.Keypair.create_from_uri(uri)
        keys.coldkey = keys.coldkeypub = bt.sp_core.Keypair.create_from_uri(f"{uri}//cold")
        for mecid in range(MECHANISMS):
            call = calls.SubtensorModule.set_mechanism_weights(
                netuid=NETUID,
                mecid=mecid,
                dests=miners,
                weights=[chance.randint(1, 65_535) for _ in miners],
                version_key=0,
            )
            result = await client.submit_call(call, keys, signer="hotkey")
            if not result.success:
                raise Failed(f"{uri} cannot set weights: {result}")

    async with bt.Client(url, fallback_endpoints=[], archive_endpoints=[]) as client:
        for first in range(0, len(SETTERS), 16):
            await asyncio.gather(*(one(client, uri) for uri in SETTERS[first : first + 16]))


async def metagraphs(url: str) -> list[float]:
    """Milliseconds in which the SDK has the metagraph, over and over."""
    import bittensor as bt
    from bittensor._generated import runtime_apis

    taken = []
    async with bt.Client(url, fallback_endpoints=[], archive_endpoints=[]) as client:
        for _ in range(METAGRAPHS + 1):
            begun = time.perf_counter()
            graph = await client.subnets.metagraph(netuid=NETUID)
            taken.append((time.perf_counter() - begun) * 1000)
            if len(graph) != VALIDATORS + MINERS + 1:
                raise Failed(f"the metagraph has {len(graph)} neurons")
        for mecid in range(MECHANISMS):
            graph = await client.runtime(runtime_apis.SubnetInfoRuntimeApi.get_mechagraph, [NETUID, mecid])
            earning = sum(incentive > 0 for incentive in graph["incentives"])
            # What rounds to nothing of 65,535 is little.
            if earning < MINERS * 9 // 10:
                raise Failed(f"the epochs were not full: {earning} miners of mechanism {mecid} earn")
    # The first one reads the metadata as well.
    return taken[1:]


def blocks() -> None:
    """Blocks of a full subnet whose every epoch has a full row of each validator in both mechanisms."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        os.environ["BITTENSOR_RUNTIME_CACHE_DIR"] = str(folder / "metadata")
        # Weights count at once, and validators do not have to set them again.
        hyperparameters = {"commitRevealWeightsEnabled": False, "activityCutoffFactorMilli": 1_000_000}
        options = ["--preset", "fast", "--validators", VALIDATORS, "--miners", MINERS, "--tempo", TEMPO]
        chain = spec(folder, *options, **hyperparameters)
        with Node(folder, "--chain", chain, "--alice", "--detailed-log-output") as node:
            node.wait(1)
            asyncio.run(set_all_weights(node.url))
            first = node.rpc.height() + 2 * TEMPO
            node.wait(first)
            spent, first = cpu_s(node.process.pid), node.rpc.height() + 1
            time.sleep(MEASURED_BLOCKS * BLOCK_MS / 1000)
            node.wait(first + MEASURED_BLOCKS)
            spent = (cpu_s(node.process.pid) - spent) / (node.rpc.height() + 1 - first)
            times = block_times(node.log())
            taken = asyncio.run(metagraphs(node.url))
    shape = f"{len(SETTERS)} x {MINERS}, {MECHANISMS} mechanisms"
    measured = range(first, first + MEASURED_BLOCKS)
    spread(f"block made and imported, {shape}", [times[number][1] for number in measured], "ms", BLOCK_MS)
    with_epoch = epochs(measured, times)
    spread(f"block with an epoch, {shape}", [times[number][1] for number in with_epoch], "ms", BLOCK_MS)
    figure(f"processor per block of the node, {shape}, mean", spent * 1000, "ms")
    between = [times[number][0] - times[number - 1][0] for number in measured]
    spread("interval between two blocks", between, "ms")
    late = sum(interval > LATE * BLOCK_MS for interval in between)
    figure(f"late blocks of {MEASURED_BLOCKS}", late, "blocks", 0)
    figure(f"SDK metagraph of {VALIDATORS + MINERS + 1} neurons, median", statistics.median(taken), "ms")
    figure(f"SDK metagraph of {VALIDATORS + MINERS + 1} neurons, max", max(taken), "ms")


def epochs(measured: range, times: dict) -> list[int]:
    """The blocks with an epoch: one in `TEMPO`, those that take longest."""
    phases = [[number for number in measured if number % TEMPO == phase] for phase in range(TEMPO)]
    return max(phases, key=lambda numbers: statistics.median(times[number][1] for number in numbers))


# -- growth ----------------------------------------------------------------------------------------------------------


def growth() -> None:
    """Memory and disk as blocks go by, made as fast as they come: with the beacon's pulses, and without."""
    for name, options in (("", []), (", without pulses", ["--no-beacon"])):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            chain = spec(folder, "--preset", "fast")
            with Node(folder, "--chain", chain, "--alice", "--sealing", "manual", *options) as node:
                node.wait(0)
                begun, spent = time.monotonic(), cpu_s(node.process.pid)
                made = 0
                for goal in GROWTH:
                    while made < goal:
                        node.rpc("engine_createBlock", True, True)
                        made += 1
                    own, mapped = node.memory_mb()
                    figure(f"memory after {goal} blocks of fast{name}", own + mapped, "MiB")
                    figure(f"memory after {goal} blocks of fast{name}, without mapped files", own, "MiB")
                    figure(f"database after {goal} blocks of fast{name}", node.data_mb(), "MiB")
                per_block = (time.monotonic() - begun) * 1000 / made
                spent = (cpu_s(node.process.pid) - spent) * 1000 / made
                figure(f"block on demand{name}, mean", per_block, "ms")
                figure(f"block on demand{name}, processor, mean", spent, "ms")


PARTS = {"start": start, "blocks": blocks, "growth": growth}


def main() -> None:
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
    if above:
        busy = f"{os.getloadavg()[0]:.1f} programs wanted {os.cpu_count()} processors in the last minute"
        raise Failed(f"above what is promised ({busy}):\n  " + "\n  ".join(above))


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(f"error: {error}")
