# SPDX-License-Identifier: Apache-2.0
"""`npm/check.mjs` against a fresh node."""

import pathlib
import subprocess
import sys

from chain import Node

CHECK = pathlib.Path(__file__).parent / "npm" / "check.mjs"


def main():
    # Epochs of 7.5 s: what is committed in one stands long enough to be read.
    with Node("--preset", "fast", "--tempo", "30") as node:
        return subprocess.run(["node", CHECK, node.url], timeout=300).returncode


if __name__ == "__main__":
    sys.exit(main())
