# SPDX-License-Identifier: Apache-2.0
"""`npm/check.mjs` against a fresh node."""

import pathlib
import subprocess
import sys

from chain import Node

CHECK = pathlib.Path(__file__).parent / "npm" / "check.mjs"


def main():
    with Node("--preset", "fast") as node:
        return subprocess.run(["node", CHECK, node.url], timeout=150).returncode


if __name__ == "__main__":
    sys.exit(main())
