# SPDX-License-Identifier: Apache-2.0
"""Processes of a run: started in order, watched, stopped in reverse, none left behind."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path


class Failed(Exception):
    """The run cannot go on; the message says why in one line."""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Procs:
    """All child processes of a run, each with a log file of its own under `logs`."""

    def __init__(self, logs: Path):
        self.logs = logs
        self.logs.mkdir(parents=True, exist_ok=True)
        self.running: dict[str, subprocess.Popen] = {}
        atexit.register(self.stop)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: sys.exit(130))

    def start(self, name: str, command: list, env: dict | None = None) -> subprocess.Popen:
        log = open(self.logs / f"{name}.log", "ab")
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
        self.running[name] = process
        return process

    def tail(self, name: str, lines: int = 5) -> str:
        try:
            text = (self.logs / f"{name}.log").read_text(errors="replace").strip().splitlines()
        except FileNotFoundError:
            return ""
        return "\n".join("    " + line for line in text[-lines:])

    def check(self) -> None:
        """Raises when a process ended that should be running."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise Failed(f"{name} ended with code {process.returncode}:\n{self.tail(name)}")

    def wait_http(self, name: str, url: str, seconds: float) -> dict:
        """Waits until `url` answers 200 with JSON; returns it."""
        end = time.monotonic() + seconds
        while True:
            self.check()
            try:
                with urllib.request.urlopen(url, timeout=2) as answer:
                    return json.load(answer)
            except Exception as error:  # noqa: BLE001 - any failure means: not yet
                if time.monotonic() > end:
                    raise Failed(f"{name} did not answer at {url} in {seconds:.0f} s ({error}):\n{self.tail(name)}")
                time.sleep(0.05)

    def stop(self) -> list[str]:
        """Ends every process: SIGTERM, then after 10 s SIGKILL.

        Returns the names of those that had to be killed, or that ended in another way than by the signal or with code 0.
        """
        for process in reversed(list(self.running.values())):
            if process.poll() is None:
                process.terminate()
        stubborn = []
        end = time.monotonic() + 10
        for name, process in reversed(list(self.running.items())):
            try:
                code = process.wait(max(0.05, end - time.monotonic()))
                if code not in (0, -signal.SIGTERM, 128 + signal.SIGTERM):
                    stubborn.append(f"{name} (code {code})")
            except subprocess.TimeoutExpired:
                stubborn.append(name)
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.running.clear()
        return stubborn


def run_json(command: list, stdin: str | None = None):
    """Runs a command to its end and returns its standard output as JSON."""
    done = subprocess.run([str(part) for part in command], input=stdin, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command[:4]))} .. ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def table(header: list[str], rows: list[list], left: int) -> str:
    """A table with aligned columns; the first `left` are text, the rest numbers, flush right."""
    cells = [header] + [[str(cell) for cell in row] for row in rows]
    width = [max(len(row[i]) for row in cells) for i in range(len(header))]
    out = []
    for number, row in enumerate(cells):
        out.append("  ".join(c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(row, width))).rstrip())
        if number == 0:
            out.append("  ".join("─" * w for w in width))
    return "\n".join(out)
