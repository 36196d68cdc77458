# SPDX-License-Identifier: Apache-2.0
"""What `scripts/test` makes of its log.

    test_log.py < LOG              the log without what tests printed that passed
    test_log.py --summary LOG      which tests were skipped and why, and the rates of the gate's simulations
"""

import re
import sys
from pathlib import Path

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PRINTED = re.compile(r"^---- (.+) stdout ----$")
CHECK = re.compile(r"^- (.+)$")
END = re.compile(r"^(test result:|== |\d+ passed, \d+ failed)")
SKIPPED = re.compile(r"SKIPPED: (.+)$")
RATE = re.compile(r"^(.+): n \d+, .*: \d+ of (\d+) epochs trip, ([\d.]+) per 1,000$")


def without_printed(lines):
    """The lines but for those that `--show-output` adds about tests that passed."""
    hidden = False
    for line in lines:
        bare = COLOUR.sub("", line).strip()
        if bare == "successes:":
            hidden = True
        elif bare == "failures:" or bare.startswith("test result:"):
            hidden = False
        if not hidden:
            yield line


def summary(lines):
    """Lines about what was skipped, by reason, and about the simulations."""
    name, skipped, rates = "", {}, {}
    for line in lines:
        line = COLOUR.sub("", line).strip()
        found = PRINTED.match(line) or CHECK.match(line)
        if found:
            name = found[1]
        elif END.match(line):
            name = ""
        found = SKIPPED.search(line)
        if found:
            skipped.setdefault(found[1], []).append(name)
        rate = RATE.match(line)
        if rate:
            rates.setdefault(rate[1], []).append((float(rate[3]), int(rate[2])))
    for reason, names in skipped.items():
        names = sorted({name for name in names if name})
        yield f"SKIPPED: {reason}" + (f" ({len(names)}: {', '.join(names)})" if names else "")
    if not skipped:
        yield "nothing was skipped"
    for name, runs in rates.items():
        found = sorted({f"{rate:.1f}" for rate, _ in runs}, key=float)
        yield (
            f"gate, {name}: trips in {' to '.join(dict.fromkeys((found[0], found[-1])))} of 1,000 epochs, "
            f"{len(runs)} simulation{'s' * (len(runs) > 1)} of {min(epochs for _, epochs in runs)} epochs and more"
        )


def main():
    if sys.argv[1:2] == ["--summary"]:
        for line in summary(Path(sys.argv[2]).read_text(errors="replace").splitlines()):
            print(line)
        return
    sys.stdin.reconfigure(errors="replace")
    for line in without_printed(sys.stdin):
        print(line, end="", flush=True)


if __name__ == "__main__":
    main()
