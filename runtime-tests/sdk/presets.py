# SPDX-License-Identifier: Apache-2.0
"""Every preset as `docs/sdk.md` describes it: a real node on each, looked at with Bittensor's SDK and `btcli`.

Run by `scripts/lib/sdk.sh` with the Python that has the SDK; `CLAWRANK_NODE_BIN` names the node.
"""

import asyncio
import contextlib
import os
import pathlib
import sys
import tempfile
import time

import bittensor as bt
from bittensor import calls
from bittensor._generated import runtime_apis as api
from bittensor._generated import storage

from chain import START_DEADLINE_S, Btcli, Node, Steps

TAO = 10**9
RICH, MODEST = 1_000_000 * TAO, 2_000 * TAO
WELL_KNOWN = {
    **dict.fromkeys(("//Alice", "//Bob", "//Charlie"), RICH),
    **dict.fromkeys(("//Dave", "//Eve", "//Ferdie", "//One", "//Two", "//Three"), MODEST),
}
MARKET = {"//owner//cold": RICH} | {
    f"//{role}//{number}//cold": 10_000 * TAO
    for role, count in (("validator", 3), ("miner", 4))
    for number in range(count)
}
THREE = {uri: RICH for uri in ("//Alice", "//Bob", "//Charlie")}

# What each `--chain` promises: subnets, the subnet of work, its neurons, seconds per block, tempo, mechanisms, balances.
PRESETS = {
    "fast": ([92], 92, 8, 0.25, 10, 2, THREE | MARKET),
    "dev": ([92], 92, 8, 12.0, 360, 2, THREE | MARKET),
    "local": ([92], 92, 8, 12.0, 360, 2, THREE | MARKET),
    "localnet": ([1], 1, 1, 0.25, 100, 1, WELL_KNOWN | {"//owner//cold": RICH}),
    "sn92": (list(range(1, 93)), 92, 1, 12.0, 360, 1, WELL_KNOWN | MARKET),
}
# Of subnet 92 on the public chain, on the day of its registration.
REGISTERED = {
    "tempo": 360,
    "kappa": 32_767,
    "rho": 10,
    "immunity_period": 5_000,
    "min_allowed_weights": 1,
    "max_validators": 64,
    "weights_rate_limit": 100,
    "activity_cutoff": 5_000,
    "commit_reveal_weights_enabled": True,
    "commit_reveal_period": 1,
}


def equal(got, expected, what):
    """Fails with both values."""
    if got != expected:
        raise AssertionError(f"{what}: got {got!r}, expected {expected!r}")


def address(uri):
    return bt.sp_core.Keypair.create_from_uri(uri).ss58_address


async def looks_as_promised(client, preset):
    netuids, netuid, neurons, block_time, tempo, mechanisms, balances = PRESETS[preset]
    equal(await client.block_time(), block_time, "block time")
    listed = await client.runtime(api.SubnetInfoRuntimeApi.get_all_dynamic_info, [])
    equal([subnet["netuid"] for subnet in listed], [0, *netuids], "subnets")
    graph = await client.runtime(api.SubnetInfoRuntimeApi.get_metagraph, [netuid])
    equal((graph["num_uids"], graph["max_uids"], graph["tempo"]), (neurons, 256, tempo), "neurons, capacity, tempo")
    equal(str(graph["owner_coldkey"]), address("//owner//cold"), "owner")
    count = await client.query(storage.SubtensorModule.MechanismCountCurrent, [netuid])
    equal(count, mechanisms, "mechanisms")
    for uri, expected in balances.items():
        balance = await client.read("balance", coldkey_ss58=address(uri))
        equal(balance.rao, expected, f"balance of {uri}")
    equal(str(await client.query(storage.Sudo.Key, [])), address("//Alice"), "sudo")
    window = await client.query(storage.SubtensorModule.AdminFreezeWindow, [])
    equal(window, 0 if preset == "fast" else 10, "blocks in which owners change nothing")
    epochs = await client.query(storage.SubtensorModule.MaxEpochsPerBlock, [])
    equal(epochs, 32 if preset == "localnet" else 2, "epochs per block")
    limits = await client.runtime(api.SubnetInfoRuntimeApi.get_subnet_hyperparams, [netuid])
    limits = (limits["weights_rate_limit"], limits["serving_rate_limit"])
    equal(limits, (0, 0) if preset == "fast" else (100, 50), "blocks between weights, and between axons")


async def is_as_registered(client):
    """Subnet 92 has a new subnet's parameters, and the netuids below belong to nobody."""
    graph = await client.runtime(api.SubnetInfoRuntimeApi.get_metagraph, [92])
    parameters = await client.runtime(api.SubnetInfoRuntimeApi.get_subnet_hyperparams, [92])
    both = {**graph, **parameters}
    equal({name: both.get(name) for name in REGISTERED}, REGISTERED, "parameters")
    equal(await client.query(storage.SubtensorModule.Yuma3On, [92]), True, "version 3 of Yuma")
    for subnet in await client.runtime(api.SubnetInfoRuntimeApi.get_all_metagraphs, []):
        if 0 < subnet["netuid"] < 92:
            taken = (subnet["num_uids"], subnet["tempo"], subnet["alpha_out"], subnet["registration_allowed"])
            equal(taken, (0, 0, 0, False), f"netuid {subnet['netuid']}")


async def takes_a_miner(client, netuid):
    """A newcomer with money registers, as on any subnet."""
    alice = bt.sp_core.Keypair.create_from_uri("//Alice")
    wallet = type("Keys", (), {"coldkey": alice, "coldkeypub": alice, "hotkey": alice})()
    hotkey = address("//newcomer")
    result = await client.submit_call(calls.SubtensorModule.burned_register(netuid=netuid, hotkey=hotkey), wallet)
    assert result.success, result
    graph = await client.runtime(api.SubnetInfoRuntimeApi.get_metagraph, [netuid])
    equal(str(graph["hotkeys"][-1]), hotkey, "newest hotkey")


def with_client(node, check, *arguments):
    async def run():
        async with bt.Client(node.url, fallback_endpoints=[], archive_endpoints=[]) as client:
            await check(client, *arguments)

    asyncio.run(asyncio.wait_for(run(), START_DEADLINE_S))


def goes_on(node, preset):
    """Blocks come, about as fast as they should, however slow the machine: at least one more, none too early."""
    first, begun = node.height(), time.monotonic()
    while node.height() <= first:
        if time.monotonic() - begun > START_DEADLINE_S:
            raise AssertionError(f"no block after {first}")
        time.sleep(0.1)


def becomes_final(node, other):
    """Two authorities agree on a block."""
    end = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < end:
        heads = [int(n.rpc("chain_getHeader", n.rpc("chain_getFinalizedHead"))["number"], 16) for n in (node, other)]
        if min(heads) >= 1:
            return
        time.sleep(0.5)
    raise AssertionError("nothing became final")


def lists_subnets(node):
    """`btcli` shows 92 and the 91 below it, all but 92 empty."""
    listed = {subnet["netuid"]: subnet["neurons"] for subnet in Btcli(node).run("subnets", "list")}
    equal(sorted(listed), list(range(93)), "netuids of btcli")
    equal([netuid for netuid, neurons in listed.items() if neurons > 0], [92], "netuids with neurons")


def main():
    steps = Steps()
    with contextlib.ExitStack() as stack:
        cache = stack.enter_context(tempfile.TemporaryDirectory())
        os.environ["BITTENSOR_RUNTIME_CACHE_DIR"] = str(pathlib.Path(cache))
        # All at once: most of them take 12 s for a block. Two authorities make none before they know each other.
        nodes = {}
        for preset in PRESETS:
            nodes[preset] = stack.push(Node(chain=preset, first=0 if preset == "local" else 1))
        alice = nodes["local"].__enter__()
        boot = f"/ip4/127.0.0.1/tcp/{alice.p2p_port}/p2p/{alice.rpc('system_localPeerId')}"
        bob = stack.push(Node(chain="local", flags=("--bob", "--bootnodes", boot)))
        for node in (bob, *nodes.values()):
            node.__enter__()
        for preset, node in nodes.items():
            steps(f"{preset}: is as promised", with_client, node, looks_as_promised, preset)
        steps("sn92: is subnet 92 as registered", with_client, nodes["sn92"], is_as_registered)
        steps("sn92: is listed by btcli", lists_subnets, nodes["sn92"])
        for preset in ("localnet", "sn92"):
            steps(f"{preset}: takes a miner", with_client, nodes[preset], takes_a_miner, PRESETS[preset][1])
        for preset, node in nodes.items():
            steps(f"{preset}: makes blocks", goes_on, node, preset)
        steps("local: is final by two authorities", becomes_final, alice, bob)
    steps.finish()


if __name__ == "__main__":
    sys.exit(main())
