# SPDX-License-Identifier: Apache-2.0
"""The whole loop, once, on one machine. Run it through scripts/demo.

Every process is a real one: the chain, the gateway, sixteen miners, three validators, the openai client. Only the
provider endpoints are emulated, and the four cheats come with the emulator. Expectations come from the validators'
reports and from `clawrank rules`, facts from the chain; of the rules' arithmetic only the medians of rules 4.5 and the
percentages of the emission are done here, a second time.
"""

import argparse
import concurrent.futures
import json
import os
import shutil
import subprocess
import struct
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import openai

from procs import Failed, Procs, free_port, run_json, table

NETUID = 92
BLOCK_MS = 250
TEMPO = 120
SERVING, INTEL, VALIDATORS, PAYERS = 6, 10, 3, 5
WASHER, GHOST = 4, 5  # of the serving miners, whose keys are //miner//0 ..
LIAR, COPIER, VICTIM = SERVING + 8, SERVING + 9, SERVING  # of the intel miners, whose keys follow
# Intel miners that serve as well: the cap of 15 % needs seven that score (rules 4.3), and the washer must not be one of them.
BOTH = (SERVING, SERVING + 1, SERVING + 2)
HONEST_SERVING = (*range(WASHER), *BOTH)
REQUESTS = 300
MODELS = {"llama-3-8b": (50_000, 100_000), "mixtral-8x7b": (200_000, 400_000)}
ENDPOINTS = {"aurora": 180, "borealis": 240, "corona": 320}  # median milliseconds to the first token
TASKS = ["math"]
WASH_MODEL = "washer-7b"  # served by the washing miner alone, so that all its traffic is its own
MARKUP = 100  # the gateway's price over the endpoints', so that a few requests pay for their tokens
LIMIT_S = 240  # the whole demo, once everything is built
# Of what a subnet emits, the parts of its owner, its miners and its validators, and how far rounding may take them off.
SPLIT = {"owner": 0.18, "miners": 0.41, "validators": 0.41}
SPLIT_OFF = 1e-4
# Storage prefixes: twox128 of the pallet's name, then of the item's.
PROVIDER_RANK, SUBTENSOR = "0x637b06194b9f952fc47866d5c9347216", "0x658faa385070e074c85bf6b568cf0555"
SETTLEMENTS = PROVIDER_RANK + "cf1dca7e6933da5533e66e2561ab617b"
EPOCH_EMISSION = PROVIDER_RANK + "314c5c3888a76532270bf6c7571a1010"
PENDING_VALIDATOR_EMISSION = SUBTENSOR + "6459b861fc6b4d87d2515a77a950df0b"

NODE = os.environ["CLAWRANK_NODE_BIN"]
CLAWRANK = os.environ["CLAWRANK_BIN"]


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Chain:
    """What is read of the chain beside `clawrank status`: storage, as the chain encodes it."""

    def __init__(self, port: int):
        self.url = f"http://127.0.0.1:{port}"

    def call(self, method: str, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer = json.load(answer)
        if "error" in answer:
            raise Failed(f"{method}: {answer['error']}")
        return answer["result"]

    def map(self, prefix: str, block: str) -> dict[bytes, bytes]:
        """Keys without the prefix, and values, of a storage map with fewer than a hundred entries."""
        keys = self.call("state_getKeysPaged", prefix, 100, None, block)
        found = {key: self.call("state_getStorage", key, block) for key in keys}
        return {bytes.fromhex(key[len(prefix):]): bytes.fromhex(value[2:]) for key, value in found.items()}

    def number(self, prefix: str, block: str) -> int:
        """The u64 that a map by netuid has for the subnet; 0 where it has none. A key is a hash of 8 bytes and the netuid."""
        for key, value in self.map(prefix, block).items():
            if int.from_bytes(key[8:], "little") == NETUID:
                return int.from_bytes(value, "little")
        return 0

    def block_emission(self, block: str) -> int:
        """Rao issued per block, all of it for the one subnet."""
        return int.from_bytes(bytes.fromhex(self.call("state_call", "SubnetInfoRuntimeApi_get_block_emission", "0x", block)[2:]), "little")

    def settlements(self, block: str) -> dict[int, dict]:
        """How `ProviderRank` paid, by epoch. A key ends with a hash of 8 bytes and the epoch."""
        return {int.from_bytes(key[18:], "little"): settlement(value) for key, value in self.map(SETTLEMENTS, block).items()}


def settlement(value: bytes) -> dict:
    """Decodes the pallet's `Settlement`."""
    names = ("block", "emission", "dust", "reporting_stake", "total_stake")
    out: dict = dict(zip(names, struct.unpack_from("<5Q", value)))
    entry = struct.Struct("<H32s?QQQ")
    # Fewer than 64 miners, so their number takes one byte.
    count, rest = value[40] >> 2, value[41:]
    if value[40] & 3 or len(rest) != count * entry.size:
        raise Failed(f"a settlement of {len(value)} bytes is not what this demo knows")
    out["payouts"] = {
        uid: {"tripped": tripped, "score": low + (high << 64), "amount": amount}
        for uid, _, tripped, low, high, amount in entry.iter_unpack(rest)
    }
    return out


class Demo:
    def __init__(self, root: Path):
        self.root = root
        self.procs = Procs(root / "logs")
        self.port = {name: free_port() for name in ("rpc", "p2p", "gateway", "emulator")}
        self.chain_url = f"ws://127.0.0.1:{self.port['rpc']}"
        self.gateway_url = f"http://127.0.0.1:{self.port['gateway']}"
        self.emulator_url = f"http://127.0.0.1:{self.port['emulator']}"
        self.network = ["--network", self.chain_url, "--netuid", str(NETUID)]
        self.keys: list[str] = []
        self.free_key = ""
        self.sent = {"asked": 0, "answered": 0, "streamed": 0, "washed": 0, "errors": []}

    # -- set-up ---------------------------------------------------------------------------------------------------

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.write_text(text)
        return path

    def start_chain(self) -> None:
        spec = self.root / "spec.json"
        command = [
            NODE, "chain-spec", "--preset", "fast", "--netuid", NETUID, "--owner", "//owner", "--raw",
            "--miners", SERVING + INTEL, "--validators", VALIDATORS, "--tempo", TEMPO, "--block-time-ms", BLOCK_MS,
        ]
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise Failed(f"chain-spec: {done.stderr.strip()}")
        spec.write_text(done.stdout)
        self.procs.start("node", [
            NODE, "--chain", spec, "--alice", "--validator", "--base-path", self.root / "node",
            "--rpc-port", self.port["rpc"], "--port", self.port["p2p"], "--no-telemetry", "--no-prometheus",
        ])

    def write_endpoints(self) -> None:
        """Profile of the emulator, the catalogue that everyone reads, and the gateway's price table."""
        catalogue, profile = [], ["seed = 92"]
        models = ", ".join(
            f'{{ id = "{m}", price_in_micro_usd_per_mtok = {i}, price_out_micro_usd_per_mtok = {o}, context_tokens = 8192 }}'
            for m, (i, o) in MODELS.items()
        )
        for name in ENDPOINTS:
            catalogue.append(
                f'[[endpoint]]\nid = "{name}"\nbase_url = "{self.emulator_url}/{name}/v1"\n'
                f"models = [{models}]\ntask_types = {json.dumps(TASKS)}"
            )
        backends = {f"backend-{i}": 60 for i in (*range(SERVING), *BOTH)}
        for name, median in {**ENDPOINTS, **backends}.items():
            profile.append(f'[[endpoint]]\nid = "{name}"\ntask_types = {json.dumps(TASKS)}')
            own = [WASH_MODEL] if name == f"backend-{WASHER}" else MODELS
            for model in own:
                fails = "" if name in backends else "failures = { status_500 = 0.01 }\nanswers = { right = 0.95, json_valid = 0.98 }\n"
                profile.append(
                    f'[[endpoint.model]]\nid = "{model}"\n'
                    f"latency = {{ ttft_median_ms = {median}.0, ttft_sigma = 0.2, tokens_per_second = 400.0 }}\n{fails}"
                )
        self.profile = self.write("emulator.toml", "\n".join(profile))
        self.catalogue = self.write("endpoints.toml", "\n\n".join(catalogue))
        prices = {**MODELS, WASH_MODEL: (50_000, 100_000)}
        self.prices = self.write("prices.toml", "\n".join(
            f'[[price]]\nmodel = "{m}"\nin_micro_usd_per_mtok = {i * MARKUP}\nout_micro_usd_per_mtok = {o * MARKUP}\n'
            for m, (i, o) in prices.items()
        ))

    def new_key(self, payer: str, *more: str) -> str:
        command = [CLAWRANK, "--json", "--log", "warn", "keys", "api", "new", "--database", self.root / "gateway.db"]
        return run_json([*command, "--payer", payer, *more])["secret"]

    def start_gateway(self) -> None:
        self.procs.start("emulator", [
            CLAWRANK, "emulator", "run", "--listen", f"127.0.0.1:{self.port['emulator']}", "--profile", self.profile,
        ])
        self.keys = [self.new_key(f"payer-{i}", "--credit", "25") for i in range(PAYERS)]
        self.free_key = self.new_key("washer", "--free")
        config = self.write("gateway.toml", (
            f'prices_path = "{self.prices}"\n'
            "[timing]\nregistry_ms = 500\nfirst_byte_ms = 3000\n"
            "[limits]\nmax_miners_per_address = 64\n"
        ))
        self.procs.start("gateway", [
            CLAWRANK, "gateway", "--config", config, *self.network, "--dev-key", "//gateway",
            "--listen", f"127.0.0.1:{self.port['gateway']}", "--ledger", self.root / "gateway.db",
        ])

    def start_miners(self) -> None:
        for i in (*range(SERVING), *BOTH):
            name = f"serve-{i}"
            if i == GHOST:
                self.procs.start(name, [
                    CLAWRANK, "emulator", "cheat", "ghost", "--dev-key", f"//miner//{i}", "--gateway", self.gateway_url,
                    "--model", next(iter(MODELS)),
                ])
                continue
            models = [WASH_MODEL] if i == WASHER else list(MODELS)
            config = self.write(f"{name}.toml", "\n".join(
                f'[[models]]\nid = "{m}"\nmax_concurrency = 32\ncontext_tokens = 8192\n' for m in models
            ))
            self.procs.start(name, [
                CLAWRANK, "miner", "serve", "--config", config, "--dev-key", f"//miner//{i}", "--gateway", self.gateway_url,
                "--backend", f"{self.emulator_url}/backend-{i}/v1", "--data-dir", self.root / name,
            ])
        config = self.write("measure.toml", (
            "max_attempts_per_cell = 40\nconcurrency_per_endpoint = 4\nmeasure_until_percent = 40\ncommit_blocks = 6\n"
        ))
        for i in range(SERVING, SERVING + INTEL):
            role = ["miner", "measure"]
            extra = []
            if i == LIAR:
                role = ["emulator", "cheat", "liar"]
            elif i == COPIER:
                role, extra = ["emulator", "cheat", "copier"], ["--victim-data", self.root / f"measure-{VICTIM}"]
            self.procs.start(f"measure-{i}", [
                CLAWRANK, *role, "--config", config, *self.network, "--dev-key", f"//miner//{i}",
                "--gateway", self.gateway_url, "--catalogue", self.catalogue, "--data-dir", self.root / f"measure-{i}",
                *extra,
            ])

    def start_validators(self) -> None:
        config = self.write("validator.toml", (
            f'gateways = [{{ url = "{self.gateway_url}" }}]\n'
            f"whitelist = {json.dumps([*MODELS, WASH_MODEL])}\n"
            "probe_interval_ms = 4000\nreceipts_interval_ms = 1500\nreplay_concurrency = 8\nreplay_deadline_ms = 8000\n"
        ))
        for i in range(VALIDATORS):
            self.procs.start(f"validator-{i}", [
                CLAWRANK, "validator", "--config", config, *self.network, "--dev-key", f"//validator//{i}",
                "--catalogue", self.catalogue, "--data-dir", self.root / f"validator-{i}",
            ])

    # -- traffic --------------------------------------------------------------------------------------------------

    def ask(self, number: int) -> None:
        """One chat request of one of the payers, every other one streamed."""
        client = openai.OpenAI(
            base_url=f"{self.gateway_url}/v1", api_key=self.keys[number % PAYERS], max_retries=0, timeout=30
        )
        model = list(MODELS)[number // PAYERS % len(MODELS)]
        messages = [{"role": "user", "content": f"Say in two sentences why the number {number} is interesting."}]
        self.sent["asked"] += 1
        try:
            if number % 2:
                text = ""
                for chunk in client.chat.completions.create(model=model, messages=messages, max_tokens=64, stream=True):
                    text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
                self.sent["streamed"] += 1
            else:
                answer = client.chat.completions.create(model=model, messages=messages, max_tokens=64)
                text = answer.choices[0].message.content
            if not text:
                raise ValueError("the answer is empty")
            self.sent["answered"] += 1
        except Exception as error:  # noqa: BLE001 - counted and shown
            self.sent["errors"].append(f"request {number}: {type(error).__name__}: {error}")

    def wash(self) -> None:
        """Traffic of the washing miner to itself, over a key that costs nothing."""
        client = openai.OpenAI(base_url=f"{self.gateway_url}/v1", api_key=self.free_key, max_retries=0, timeout=30)
        messages = [{"role": "user", "content": "again " * 200}]
        for _ in range(20):
            client.chat.completions.create(model=WASH_MODEL, messages=messages, max_tokens=256)
            self.sent["washed"] += 1

    # -- waiting --------------------------------------------------------------------------------------------------

    def status(self) -> dict:
        return run_json([CLAWRANK, "--json", "--log", "warn", "status", *self.network])

    def report(self, validator: int, epoch: int) -> dict | None:
        path = self.root / f"validator-{validator}" / "reports" / f"epoch-{epoch}.json"
        try:
            return json.loads(path.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def wait_for_chain(self) -> dict:
        end = time.monotonic() + 20
        while True:
            self.procs.check()
            try:
                return self.status()
            except Failed as error:
                if time.monotonic() > end:
                    raise Failed(f"the chain does not answer: {error}\n{self.procs.tail('node')}") from None
                time.sleep(0.2)

    def wait_revealed(self, first: int, seconds: float) -> tuple[int, dict]:
        """Waits until all validators have revealed the weights of one epoch, `first` or later; that epoch and the
        state of the chain with them."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.procs.check()
            state = self.status()
            for epoch in range(state["epoch"] - 1, first - 1, -1):
                reports = [self.report(v, epoch) for v in range(VALIDATORS)]
                commits = [c for r in reports if r for c in r["commits"]]
                if len(commits) == VALIDATORS * state["mechanisms"] and all(c["state"] == "revealed" for c in commits):
                    return epoch, self.status()
            note(f"    epoch {state['epoch']}, block {state['block']}, next epoch in {state['blocks_to_next_epoch']} blocks")
            time.sleep(5)
        detail = "\n".join(f"{n}:\n{self.procs.tail(n)}" for n in ("validator-0", "gateway", f"measure-{SERVING}"))
        raise Failed(f"weights were not revealed within {seconds:.0f} s\n{detail}")

    def wait_epoch(self, after: int, seconds: float) -> dict:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.procs.check()
            state = self.status()
            if state["epoch"] > after:
                return state
            time.sleep(0.3)
        raise Failed(f"epoch {after} did not end within {seconds:.0f} s")

    # -- the whole ------------------------------------------------------------------------------------------------

    def run(self) -> dict:
        note("starting chain, emulator, gateway, 16 miners, 3 validators")
        self.start_chain()
        self.write_endpoints()
        self.wait_for_chain()
        self.start_gateway()
        self.procs.wait_http("gateway", f"{self.gateway_url}/healthz", 20)
        self.start_miners()
        self.start_validators()
        first = self.wait_for_chain()["epoch"] + 1
        note(f"asking {REQUESTS} chat completions of {PAYERS} payers; epoch {first} is the first that is measured whole")
        self.wait_miners()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            washing = pool.submit(self.wash)
            list(pool.map(self.ask, range(REQUESTS)))
            washing.result()
        note(f"{self.sent['answered']} of {self.sent['asked']} answered; waiting for measurements, replays, commits and reveals")
        epoch, before = self.wait_revealed(first, 150)
        note(f"weights of epoch {epoch} are revealed; waiting for the epoch that pays them")
        after = self.wait_epoch(before["epoch"], 60)
        reports = [self.report(v, epoch) for v in range(VALIDATORS)]
        return {
            "epoch": epoch, "before": before, "after": after, "reports": reports, "traffic": self.sent,
            **self.paid(before, after),
        }

    def paid(self, before: dict, after: dict) -> dict:
        """Beside `status`: what was to be shared in the epoch that ended between the two, and what `ProviderRank` paid."""
        chain = Chain(self.port["rpc"])
        at = f"0x{after['block_hash'].removeprefix('0x')}"
        started = chain.call("chain_getBlockHash", before["block"] + before["blocks_to_next_epoch"] - before["tempo"])
        return {
            "block_emission": chain.block_emission(at),
            # Miners' and validators' pools are empty after an epoch but for what it could not share.
            "left_over": chain.number(PENDING_VALIDATOR_EMISSION, started),
            "epoch_emission": chain.number(EPOCH_EMISSION, at),
            "settlements": chain.settlements(at),
        }

    def wait_miners(self) -> None:
        """Waits until the gateway knows all serving miners."""
        end = time.monotonic() + 20
        while True:
            found = self.procs.wait_http("gateway", f"{self.gateway_url}/v1/miners", 10)
            known = found["miners"] if isinstance(found, dict) else found
            if len([m for m in known if m["role"] == "serve"]) >= SERVING + len(BOTH):
                return
            if time.monotonic() > end:
                raise Failed(f"the gateway knows {len(known)} miners after 20 s\n{self.procs.tail('serve-0')}")
            time.sleep(0.2)


# -- what should have come out ----------------------------------------------------------------------------------------


def expected_emission(before: dict, emission: int) -> tuple[list[list[int]], list[int]]:
    """Incentive per mechanism and emission of each uid, by `clawrank rules yuma` from stake and weights on chain.

    A miner has no dividends, so its figures do not depend on bonds.
    """
    stake = [n["stake_rao"] for n in before["neurons"]]
    incentive, total = [], [0] * len(stake)
    pots = [emission // before["mechanisms"]] * before["mechanisms"]
    for mecid, pot in enumerate(pots):
        rows: list[list] = [[] for _ in stake]
        for uid, row in before["weights"][mecid]:
            rows[uid] = row
        asked = {"epochs": [{
            "stake": stake, "sparse_weights": rows, "permits": [n["validator_permit"] for n in before["neurons"]],
            "emission": pot, "block": before["block"],
        }]}
        out = run_json([CLAWRANK, "rules", "yuma"], json.dumps(asked))["epochs"][0]
        incentive.append(out["incentive"])
        total = [a + b for a, b in zip(total, out["server_emission"])]
    return incentive, total


def share_checks(report: dict) -> list[tuple[str, list, list]]:
    """Per mechanism of a report: its name, its weights, and those of `clawrank rules allocate` for the report's scores."""
    out = []
    for mechanism in report["mechanisms"]:
        scores = {m["uid"]: m[mechanism["name"]]["score"] for m in report["miners"]}
        done = run_json([CLAWRANK, "rules", "allocate"], json.dumps({"scores": [str(s) for s in scores.values()]}))
        wanted = [[uid, w] for uid, w in zip(scores, done["weights_u16"]) if w > 0]
        out.append((mechanism["name"], [[u, w] for u, w in zip(mechanism["uids"], mechanism["weights"]) if w > 0], wanted))
    return out


def median(reports: list[tuple[int, int]]) -> int:
    """The lower median of `(value, stake)`, by stake (rules 4.5)."""
    whole, below = sum(stake for _, stake in reports), 0
    for value, stake in sorted(reports):
        below += stake
        if 2 * below >= whole:
            return value
    return 0


def expected_settlement(reports: list[dict], stake: dict[int, int], emission: int) -> dict[int, dict]:
    """Gate, score and payout of every miner whose bundle was checked, from the reports (rules 4.5)."""
    whole = sum(stake[r["validator_uid"]] for r in reports)
    found = [(stake[r["validator_uid"]], {m["uid"]: m["intel"] for m in r["miners"] if m["intel"]["gate"] != "no_bundle"}) for r in reports]
    out = {}
    for uid in sorted({uid for _, miners in found for uid in miners}):
        against = sum(s for s, miners in found if uid in miners and miners[uid]["gate"] == "tripped")
        tripped = 2 * against > whole
        scores = [(int(miners[uid]["score"]) if uid in miners and miners[uid]["gate"] == "open" else 0, s) for s, miners in found]
        out[uid] = {"tripped": tripped, "score": 0 if tripped else median(scores)}
    shares = run_json([CLAWRANK, "rules", "allocate"], json.dumps({"scores": [str(m["score"]) for m in out.values()]}))["shares_ppb"]
    for miner, share in zip(out.values(), shares):
        miner["amount"] = emission * share // 1_000_000_000
    return out


def judge(outcome: dict, uids: dict[str, int], payers: list[dict]) -> tuple[list[list], list[str], list[str]]:
    """Rows of the table, what agrees, and what does not."""
    before, after, reports = outcome["before"], outcome["after"], outcome["reports"]
    good, bad = [], []

    def check(holds: bool, text: str, detail: str = "") -> None:
        (good if holds else bad).append(text if holds or not detail else f"{text}: {detail}")

    for number, report in enumerate(reports):
        for name, found, wanted in share_checks(report):
            check(sorted(found) == sorted(wanted), f"validator {number}: {name} weights of its report are those of `clawrank rules allocate`",
                  f"report {sorted(found)}, rules {sorted(wanted)}")
        for mechanism in report["mechanisms"]:
            row = next((r for u, r in before["weights"][mechanism["mecid"]] if u == report["validator_uid"]), [])
            wanted = [[u, w] for u, w in zip(mechanism["uids"], mechanism["weights"])]
            check(sorted(row) == sorted(wanted), f"validator {number}: {mechanism['name']} weights on chain are those of its report",
                  f"chain {sorted(row)}, report {sorted(wanted)}")

    miners = {uids[f"//miner//{i}"] for i in range(SERVING + INTEL)}
    paid = {n["uid"]: n["emission_rao"] for n in after["neurons"]}
    emitted = outcome["block_emission"] * before["tempo"]
    pool = round(emitted * (SPLIT["miners"] + SPLIT["validators"])) + outcome["left_over"]
    incentive, amounts = expected_emission(before, pool)
    for mecid, wanted in enumerate(incentive):
        found = [n["incentive_u16"][mecid] for n in after["neurons"]]
        check(found == wanted, f"mechanism {mecid}: incentive on chain is that of `clawrank rules yuma`", f"{found} != {wanted}")
    off = [u for u in miners if abs(paid[u] - amounts[u]) > max(16, amounts[u] * SPLIT_OFF)]
    check(not off, "emission of every miner is that of `clawrank rules yuma`",
          "; ".join(f"uid {u}: {paid[u]} != {amounts[u]} rao" for u in off))

    owner = uids["//owner"]
    stake = {n["uid"]: n["stake_rao"] for n in before["neurons"]}
    got = {
        "owner": next(n["stake_rao"] for n in after["neurons"] if n["uid"] == owner) - stake[owner] - paid[owner],
        "miners": sum(paid[u] for u in miners),
        "validators": sum(paid.values()) - sum(paid[u] for u in miners),
    }
    # What an epoch could not share is halved with the next one's.
    wanted = {who: part * emitted + (outcome["left_over"] / 2 if who != "owner" else 0) for who, part in SPLIT.items()}
    off = {who: f"{got[who]} rao, not {wanted[who]:.0f}" for who in SPLIT if abs(got[who] - wanted[who]) > SPLIT_OFF * emitted}
    check(emitted > 0 and not off, f"of {emitted / 1e9:.3f} TAO in {before['tempo']} blocks the miners got 41 %, the validators 41 %, the owner 18 %", str(off))

    settled = outcome["settlements"].get(outcome["epoch"])
    check(settled is not None, "ProviderRank settled the epoch of the reports", f"only {sorted(outcome['settlements'])}")
    if settled:
        payouts, emission = settled["payouts"], settled["emission"]
        expected = expected_settlement(reports, stake, emission)
        voters = sum(stake[r["validator_uid"]] for r in reports)
        check(settled["reporting_stake"] > 0.9 * voters, "ProviderRank counted the verdicts of all validators",
              f"stake {settled['reporting_stake']} of {voters}")
        check(0 < emission == outcome["epoch_emission"], "its pot offered what the chain has for an epoch",
              f"{emission} of {outcome['epoch_emission']} rao")
        judged = {u: (m["tripped"], m["score"]) for u, m in payouts.items()}
        check(judged == {u: (m["tripped"], m["score"]) for u, m in expected.items()},
              "its gates and scores are the majority and the medians of the reports", f"{judged}, expected {expected}")
        # `shares_ppb` are rounded, what is paid follows from exact shares.
        off = [u for u, m in payouts.items() if abs(m["amount"] - expected.get(u, m)["amount"]) > emission // 10**9 + 1]
        check(not off, "it paid every miner by `clawrank rules allocate`",
              "; ".join(f"uid {u}: {payouts[u]['amount']} != {expected[u]['amount']} rao" for u in off))
        check(sum(m["amount"] for m in payouts.values()) + settled["dust"] == emission and settled["dust"] < len(payouts),
              "its payouts and the dust are what the pot offered", f"dust {settled['dust']} of {emission}")
        cheats = [payouts.get(uids[f"//miner//{i}"], {"amount": None})["amount"] for i in (LIAR, COPIER)]
        check(cheats == [0, 0], "it paid neither the liar nor the copier", str(cheats))
    newest = max((e for e, s in outcome["settlements"].items() if any(m["amount"] for m in s["payouts"].values())), default=None)
    stored = {u: m["amount"] for u, m in outcome["settlements"][newest]["payouts"].items()} if newest is not None else {}
    shown = {n["uid"]: n["payout_rao"] for n in after["neurons"]}
    check(newest is not None and shown == {u: stored.get(u, 0) for u in shown}, "`clawrank status` shows the payouts of the chain's newest settlement",
          f"{shown} != {stored}")

    found = [{m["uid"]: m for m in r["miners"]} for r in reports]

    def intel(i: int) -> list[dict]:
        return [f[uids[f"//miner//{i}"]]["intel"] for f in found if uids[f"//miner//{i}"] in f]

    def serving(i: int) -> list[dict]:
        return [f[uids[f"//miner//{i}"]]["serving"] for f in found if uids[f"//miner//{i}"] in f]

    liar, copier = intel(LIAR), intel(COPIER)
    check(len(liar) == VALIDATORS and all(m["reason"] == "LatencyOutOfTolerance" and m["earned"]["weight"] == 0 for m in liar),
          "the miner that claims twice its speed: gate 0, LatencyOutOfTolerance", str([(m["gate"], m["reason"]) for m in liar]))
    check(len(copier) == VALIDATORS and all(m["reason"] == "Duplicate" and m["earned"]["weight"] == 0 for m in copier),
          "the miner that copies a bundle: gate 0, Duplicate", str([(m["gate"], m["reason"]) for m in copier]))
    ghost = serving(GHOST)
    check(all(m["ghost"] and m["earned"]["weight"] == 0 for m in ghost) and len(ghost) == VALIDATORS,
          "the ghost: no probe answered, share 0", str(ghost))
    washer, honest = serving(WASHER), [m for i in HONEST_SERVING for m in serving(i)]
    check(all(m["eligible_tokens"] == 0 and m["tokens"] > 0 for m in washer) and len(washer) == VALIDATORS,
          "the washing miner: its tokens are seen and none counts", str(washer))
    check(max((m["score"] for m in washer), key=int) and
          max(int(m["score"]) for m in washer) < min((int(m["score"]) for m in honest), default=0),
          "the washing miner scores below every honest one", "")
    check(not any(m["shortfall_used"] or m["skipped"] for r in reports for m in r["mechanisms"]), "the cap of 15 % holds in both mechanisms")
    earned = {n["uid"]: n["incentive_u16"][0] for n in after["neurons"]}
    least = min(earned[uids[f"//miner//{i}"]] for i in HONEST_SERVING)
    washed = uids[f"//miner//{WASHER}"]
    check(0 < earned[washed] * 2 < least and paid[washed] * 2 < min(paid[uids[f"//miner//{i}"]] for i in HONEST_SERVING),
          "the washing miner is paid for answering probes alone, less than half of what the least honest one is paid",
          f"{earned[washed]} of 65,535, {least} the least honest one; {paid[washed]} rao")
    nothing = [paid[uids[f"//miner//{i}"]] for i in (GHOST, LIAR, COPIER)]
    check(nothing == [0, 0, 0], "ghost, liar and copier are paid nothing", str(nothing))
    honest_intel = [(i, m) for i in range(SERVING, SERVING + INTEL) if i not in (LIAR, COPIER) for m in intel(i)]
    shut = [f"miner {i}: {m['gate']} {m['reason']}" for i, m in honest_intel if m["gate"] != "open"]
    check(len(honest_intel) == (INTEL - 2) * VALIDATORS and not shut, "every honest intel miner has an open gate", "; ".join(shut))
    check(outcome["traffic"]["answered"] == REQUESTS, f"all {REQUESTS} requests of the openai client were answered",
          "; ".join(outcome["traffic"]["errors"][:3]))
    spent = {p["name"]: p["spent"] for p in payers}
    paying = {f"payer-{i}" for i in range(PAYERS)}
    check(spent.keys() == paying | {"washer"} and all(spent[p] > 0 for p in paying) and spent["washer"] == 0,
          f"each of the {PAYERS} payers paid for its requests, the washer's free key nothing", f"micro-USD spent: {spent}")

    main = found[0]
    names = {WASHER: "washer", GHOST: "ghost", LIAR: "liar", COPIER: "copier", **dict.fromkeys(BOTH, "serves too")}
    rows = []
    for i in range(SERVING + INTEL):
        uid = uids[f"//miner//{i}"]
        m = main.get(uid, {"serving": {"score": 0, "earned": {}}, "intel": {"score": 0, "gate": "no_bundle", "earned": {}}})
        part = "serving" if i < SERVING else "intel"
        mecid = 0 if i < SERVING else 1
        gate = m["intel"]["gate"] if part == "intel" else ("ghost" if m["serving"].get("ghost") else "-")
        reason = m["intel"].get("reason") or "" if part == "intel" else ""
        weights = {u: w for u, row in before["weights"][mecid] if u == reports[0]["validator_uid"] for u, w in row}
        rows.append([
            uid, f"{part} {i}" + (f" ({names[i]})" if i in names else ""), gate, reason,
            f"{float(int(m[part]['score'])):.3e}", f"{m[part]['earned'].get('share_ppb', 0) / 1e7:.2f} %",
            weights.get(uid, 0), next(n for n in after["neurons"] if n["uid"] == uid)["incentive_u16"][mecid],
            f"{amounts[uid] / 1e9:.4f}", f"{paid[uid] / 1e9:.4f}",
            f"{(settled or {'payouts': {}})['payouts'].get(uid, {'amount': 0})['amount'] / 1e9:.4f}",
        ])
    return rows, good, bad


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the whole loop once; see scripts/demo --help.")
    parser.add_argument("--keep", metavar="DIR", type=Path)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    root = args.keep.resolve() if args.keep else Path(tempfile.mkdtemp(prefix="clawrank-demo-"))
    if args.keep and root.exists() and any(root.iterdir()):
        print(f"error: {root} is not empty; name a new folder", file=sys.stderr)
        return 2
    root.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    demo = Demo(root)
    try:
        outcome = demo.run()
        uids = {}
        addresses = {n["hotkey"]: n["uid"] for n in outcome["after"]["neurons"]}
        for key in run_json([CLAWRANK, "--json", "keys", "dev", "--out", root / "wallets", "--miners", SERVING + INTEL]):
            if key["ss58"] in addresses:
                uids[key["uri"]] = addresses[key["ss58"]]
        payers = run_json([CLAWRANK, "--json", "keys", "api", "list", "--database", root / "gateway.db"])["payers"]
        rows, good, bad = judge(outcome, uids, payers)
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        stubborn = demo.procs.stop()
        if not args.keep:
            shutil.rmtree(root, ignore_errors=True)
    if stubborn:
        bad.append(f"processes that did not stop when asked: {', '.join(stubborn)}")
    else:
        good.append("all processes stopped when asked")
    outcome["seconds"] = time.monotonic() - started
    if outcome["seconds"] > LIMIT_S:
        bad.append(f"it took {outcome['seconds']:.0f} s; at most {LIMIT_S} s are promised once built (is the machine busy?)")
    else:
        good.append(f"it took less than {LIMIT_S} s")

    if args.json:
        print(json.dumps({**outcome, "agree": not bad, "checks": good, "failures": bad}, indent=2))
        return 1 if bad else 0
    header = ["uid", "miner", "gate", "reason", "score", "expected share", "weight", "incentive", "expected TAO", "emission TAO", "payout TAO"]
    print(f"\nEpoch {outcome['epoch']}, weights of the validator with the most stake; the provider endpoints are emulated.")
    print(f"Score to incentive are those of one mechanism. Intel miners {BOTH[0]} to {BOTH[-1]} serve too: their emission has both parts.\n")
    print(table(header, rows, 4))
    traffic, spent = outcome["traffic"], sum(p["spent"] for p in payers)
    print(f"\n{traffic['answered']} of {traffic['asked']} requests answered ({traffic['streamed']} streamed), "
          f"{spent / 1e6:.2f} USD paid by {PAYERS} payers; {traffic['washed']} requests washed over a free key.")
    print()
    for text in good:
        print(f"  ok    {text}")
    for text in bad:
        print(f"  WRONG {text}")
    print(f"\nChain and expectation {'agree' if not bad else 'DISAGREE'}; {outcome['seconds']:.0f} s.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
