# SPDX-License-Identifier: Apache-2.0
"""Rounds that Bittensor's SDK locks weights to, as our validator's tests have them.

`python rounds.py` asks the SDK anew and writes the file; the suite asks whether the SDK still chooses as it says. The
SDK reckons from the machine's clock and takes no other, so each schedule is asked until the round turns: what is written
is a time just before the turn and one just after, each with its round, milliseconds apart. No formula is in between.
"""

import json
import pathlib
import sys
import time

import bittensor as bt
import bittensor_core

FILE = pathlib.Path(__file__).parents[2] / "offchain/validator/src/commit/tests/rounds.json"
# Of the public beacon, which the SDK has built in.
PERIOD_MS = 3_000
# A turn is taken only if it was seen within this time.
TURN_MS = 50
SCHEDULE = (
    "tempo", "last_epoch_block", "pending_epoch_at", "subnet_epoch_index", "blocks_since_last_step", "current_block",
    "subnet_reveal_period_epochs",
)
# What each is, its schedule, and the times between blocks that it is asked for, in milliseconds.
CASES = (
    ("in the middle of an epoch", (360, 1_000, 0, 5, 300, 1_300, 1), (12_000, 1_000, 250)),
    ("right after an epoch's first block", (360, 1_000, 0, 5, 0, 1_000, 1), (12_000, 2_000)),
    ("before the last block of an epoch", (360, 1_000, 0, 5, 358, 1_358, 1), (12_000, 1_000, 250)),
    ("before the first block of the next epoch", (360, 1_000, 0, 5, 359, 1_359, 1), (12_000, 250)),
    ("an epoch overdue", (360, 1_000, 0, 5, 500, 1_500, 1), (12_000,)),
    ("an epoch brought forward", (20, 80, 95, 3, 11, 91, 1), (12_000, 2_000)),
    ("an epoch brought forward to the next block", (360, 1_000, 1_301, 5, 300, 1_300, 1), (12_000,)),
    ("an epoch put off from a block that is past", (360, 1_000, 1_290, 5, 300, 1_300, 1), (12_000,)),
    ("a pending epoch later than the regular one", (360, 1_000, 1_500, 5, 300, 1_300, 1), (12_000,)),
    ("two epochs to the reveal", (360, 1_000, 0, 5, 300, 1_300, 2), (12_000, 250)),
    ("two epochs, before the last block", (360, 1_000, 0, 5, 358, 1_358, 2), (12_000, 250)),
    ("three epochs, one brought forward", (360, 1_000, 1_310, 5, 300, 1_300, 3), (12_000, 250)),
    ("the longest reveal period", (360, 1_000, 0, 5, 300, 1_300, 100), (12_000,)),
    ("the shortest tempo that quicknet has rounds for", (10, 1_000, 0, 5, 4, 1_004, 1), (12_000, 1_000)),
    ("an epoch too short for a round of its own", (10, 1_000, 0, 5, 4, 1_004, 1), (250,)),
    ("a long tempo", (50_400, 1_000, 0, 5, 9_000, 10_000, 1), (12_000,)),
    ("an epoch by count, whatever the tempo", (65_535, 1_000, 0, 5, 50_395, 51_395, 1), (12_000,)),
    ("an epoch by count, due", (65_535, 1_000, 0, 5, 50_401, 51_401, 2), (12_000,)),
    ("a subnet whose first epoch is to come", (360, 0, 0, 0, 7, 7, 1), (12_000,)),
)


def now_ms():
    return time.time_ns() / 1e6


def chosen(state):
    """The round, by the function that `SetWeights` calls."""
    arguments = {name: state[name] for name in SCHEDULE}
    return bittensor_core.get_encrypted_commit_v2(
        uids=[4], weights=[65_535], version_key=0, block_time=state["block_time_ms"] / 1_000, hotkey=bytes(32), **arguments
    )[1]


def turn(state):
    """The round before the clock gets to the next, and that one."""
    seen = []
    while True:
        begun = now_ms()
        seen.append((begun, chosen(state), now_ms()))
        *_, (first, old, _), (_, new, last) = [(0, None, 0), *seen]
        # Seen before, or the clock could have been set.
        settled = [entry[1] for entry in seen[-4:-1]] == [old] * 3
        if settled and new == old + 1 and last - first < TURN_MS:
            return {"before": {"now_ms": int(first), "round": old}, "after": {"now_ms": int(last) + 1, "round": new}}


def record():
    states = []
    for what, schedule, block_times in CASES:
        for block_time_ms in block_times:
            state = {"case": what, **dict(zip(SCHEDULE, schedule)), "block_time_ms": block_time_ms}
            states.append(state | turn(state))
    source = (
        f"PyPI bittensor {bt.__version__} with bittensor-core {bittensor_core.__core_version__}: get_encrypted_commit_v2, "
        "asked by runtime-tests/sdk/rounds.py just before and just after its round turned."
    )
    lines = ",\n".join("  " + json.dumps(state) for state in states)
    FILE.write_text(f'{{\n "source": {json.dumps(source)},\n "states": [\n{lines}\n ]\n}}\n')


def still_chosen():
    """The SDK chooses what the file says, as many rounds later as periods have passed."""
    states = json.loads(FILE.read_text())["states"]
    assert len(states) > 20, len(states)
    for state in states:
        begun = now_ms()
        round_ = chosen(state)
        ended = now_ms()
        low = state["after"]["round"] + (begun - state["after"]["now_ms"]) // PERIOD_MS
        high = state["before"]["round"] - (state["before"]["now_ms"] - ended) // PERIOD_MS
        assert low <= round_ <= high, (state, begun, ended, low, round_, high)


if __name__ == "__main__":
    sys.exit(record())
