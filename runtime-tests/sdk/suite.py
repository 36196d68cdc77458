# SPDX-License-Identifier: Apache-2.0
"""Bittensor's own SDK and `btcli`, unpatched, against a fresh node of the local chain.

Run by `scripts/lib/sdk.sh` with the Python that has the SDK; `CLAWRANK_NODE_BIN` and `CLAWRANK_BIN` name the programs.
"""

import asyncio
import itertools
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

import bittensor as bt
import bittensor_core
from bittensor import calls
from bittensor._generated import runtime_apis as api
from bittensor._generated import storage
from bittensor.intents.hyperparameters import OWNER_HYPERPARAMETERS

from chain import CLI, NODE, Btcli, Node, Steps, opens_our_commit
from rounds import still_chosen

NETUID = 92
RAO = 10**9
# What the owner sets, one after the other: none of them is what it was.
HYPERPARAMETERS = {
    "immunity_period": 77,
    "min_allowed_weights": 3,
    "weights_version": 7,
    "activity_cutoff_factor": 2_000,
    "min_burn": 1_000_000,
    "max_burn": 50 * RAO,
    "bonds_moving_avg": 800_000,
    "bonds_penalty": 1_000,
    "serving_rate_limit": 5,
    "commit_reveal_period": 2,
    "max_allowed_uids": 128,
    "burn_increase_mult": 3 << 63,
    "burn_half_life": 300,
    "rho": 20,
    "alpha_sigmoid_steepness": 500,
    "owner_immune_neuron_limit": 2,
    "liquid_alpha_enabled": True,
    "alpha_low": 20_000,
    "yuma3_enabled": False,
    "bonds_reset_enabled": True,
    "owner_cut_enabled": False,
    "tempo": 360,
    # These are kept and shown, and change nothing here, as docs/sdk.md says.
    "adjustment_alpha": 1_000,
    "max_difficulty": 5_000_000,
    "collateral_lock_share": 100,
    "collateral_drain_ratio": 3 << 64,
    "owner_cut_auto_lock_enabled": True,
    "min_childkey_take": 100,
    "transfers_enabled": False,
}
# What the SDK has descriptors of and this chain has not, by what it is about. The SDK's own code reads none of it.
ABSENT_STORAGE = {
    "the pool of TAO and alpha, and what follows from its price": """
        SubnetTAO SubnetAlphaIn SubnetAlphaInEmission SubnetExcessTao SubnetRootSellTao SubnetVolume SubnetMovingAlpha
        SubnetFastMovingPrice TaoInRefundDeploymentBlock""",
    "subnets' parts of the emission, which are even here": """
        SubnetTaoFlow SubnetProtocolFlow SubnetEmaProtocolFlow NetTaoFlowEnabled TaoFlowCutoff FlowNormExponent
        FlowEmaSmoothingFactor EmissionBarQuantile EmissionBarRank EmissionGateExponent EmissionGateBar MinerBurned""",
    "dividends of root stake, which earns nothing of its own": """
        RootProp PendingRootAlphaDivs StakingColdkeys StakingColdkeysByIndex NumStakingColdkeys""",
    "baskets, which root dividends would fill": """
        PendingBasketDeposits PendingBasketFlushCursor BasketTradingEnabled BasketTradingFrozen BasketDailyTurnoverCap
        BasketMinTradeTao BasketLiquidityCap BasketLiquidityUsed BasketClaimRowDustCapTao BasketClaimRowDustBps
        BasketClaimSliceDustTao BasketClaimForfeitCapTao BasketTradeBucket BasketConcentrationCap BasketShares BasketTwr
        BasketDepositedTao BasketRedeemedTao BetaBaseline BetaIndexSnapshot BetaIndexSweep BetaIndexFundSample""",
    "child keys": """
        ChildkeyTake MinChildkeyTake MaxChildkeyTake CKBurn ChildkeyThresholdChecks PendingChildKeyCooldown
        TxChildkeyTakeRateLimit LastTxBlockChildKeyTake AutoParentDelegationEnabled""",
    "exchange of keys, and stake that moves": """
        LastHotkeySwapOnNetuid HotkeySuccessor HotkeyRoot ColdkeySuccessor ColdkeyRoot StakeMoveCooldownUntil""",
    "leases, collateral, locks and the EVM": """
        NextSubnetLeaseId SubnetUidToLeaseId SubnetLeaseShares AccumulatedLeaseDividends SubnetLeaseUnpaidDividends
        ColdkeyMinerCollateral ColdkeyCollateralHotkeys LargestLocked AssociatedUidsByEvmAddress""",
    "subnets that are dissolved or wait for one that is": """
        DissolveNetworkScheduleDuration NetworkImmunityPeriod NetworkRegistrationLockId NetworkRegistrationEscrow
        NetworkRegistrationStartBlock RegisteredSubnetCounter""",
    "subnets without consensus": "LastYumaStepBlock SavedYumaMaxAllowedValidators",
    "votes": """
        VotingPower TotalVotingPower VotingPowerTrackingEnabled VotingPowerDisableAtBlock VotingPowerEmaAlpha""",
    "work": "UsedWork POWRegistrationsThisInterval",
    "an index of what is stored here by its other key alone": "AutoStakeDestinationColdkeys",
    "what the public chain keeps of former versions of itself, and how far its migrations are": """
        AlphaSharePoolEpoch AlphaShareEpoch AlphaV2MapLastKey TotalHotkeyAlphaLastEpoch NextStakeJobId LoadedEmission
        CRV3WeightCommits CRV3WeightCommitsV2 LastTxBlock LastTxBlockDelegateTake LastColdkeyHotkeyStakeBlock
        BurnRegistrationsThisInterval ValidatorPruneLen ScalingLawPower HasMigrationRun""",
}
GUIDE = pathlib.Path(__file__).parents[2] / "docs/sdk.md"


def seed(uri):
    """The secret seed of a development account: hard paths have one."""
    shown = subprocess.check_output([NODE, "key", "inspect", uri, "--output-type", "json"], timeout=30)
    return json.loads(shown)["secretSeed"]


class Keys:
    """A wallet of development keys, as the SDK takes one."""

    def __init__(self, role):
        self.hotkey = bt.sp_core.Keypair.create_from_uri(f"//{role}")
        self.coldkey = bt.sp_core.Keypair.create_from_uri(f"//{role}//cold")
        self.coldkeypub = self.coldkey


def address(uri):
    return bt.sp_core.Keypair.create_from_uri(uri).ss58_address


def equal(got, expected, what):
    """Fails with both values."""
    if got != expected:
        raise AssertionError(f"{what}: got {got!r}, expected {expected!r}")


# -- btcli ---------------------------------------------------------------------------------------------------------


def look_at_subnets(cli):
    listed = {subnet["netuid"]: subnet for subnet in cli.run("subnets", "list")}
    equal(listed[NETUID]["neurons"], 8, "neurons of the list")
    equal(listed[NETUID]["price_tao_per_alpha"], 1.0, "price")
    equal(listed[NETUID]["max_neurons"], 256, "capacity")
    shown = cli.run("subnets", "show", NETUID)
    equal((shown["tempo"], shown["neurons"]), (10, 8), "tempo and neurons")
    parameters = cli.run("subnets", "hyperparameters", NETUID)
    equal(parameters["kappa"], 32767, "kappa")
    equal(parameters["yuma_version"], 3, "version of Yuma")
    graph = cli.run("subnets", "metagraph", NETUID)
    equal(graph["num_uids"], 8, "neurons of the metagraph")
    equal(graph["moving_price"]["bits"], 1 << 32, "moving price")
    equal(cli.run("subnets", "price", "--netuid", NETUID)["price_rao"], RAO, "price in rao")
    cli.run("subnets", "burn-cost", NETUID)
    cli.run("subnets", "create-cost")
    cli.run("sudo", "check-start", "--netuid", NETUID)


def make_wallets(cli):
    for wallet, uri in (("alice", "//Alice"), ("owner", "//owner//cold"), ("validator", "//validator//1//cold")):
        cli.run("wallet", "regen-coldkey", "--no-password", "--seed", seed(uri), wallet=wallet)
    for wallet, uri in (("owner", "//owner"), ("alice", "//founder"), ("validator", "//validator//1")):
        cli.run("wallet", "regen-hotkey", "--seed", seed(uri), wallet=wallet)
    cli.run("wallet", "create", "--no-password", wallet="miner")
    cli.run("wallet", "transfer", "--dest", "miner", "--amount", "100", wallet="alice")
    balance = cli.run("wallet", "balance", wallet="miner")
    assert "100" in json.dumps(balance), balance


# Why a submission is made again. An era has eight blocks, 2 s here, and a loaded machine may take longer to sign: then the
# block of its birth is another; one that the pool has not seen yet is none. And a client counts the carrier's nonce alone,
# so that its next submission is refused once, whereupon it asks the chain.
AGAIN = ("era expired", "outdated", "birth block is too old", "signature does not match", "already used or superseded")


def shielded(cli, *command):
    """Runs a command that `btcli` encrypts to the author of a block unless it is told not to."""
    for left in reversed(range(6)):
        try:
            done = cli.run(*command, wallet="miner")
            break
        except AssertionError as error:
            if left == 0 or not any(reason in str(error).lower() for reason in AGAIN):
                raise
    equal(done["success"], True, "success")
    equal(done["data"].get("shielded"), True, "shielded")
    assert done["data"]["inner_extrinsic_hash"] != done.get("extrinsic_hash"), done


def register_and_stake(cli, node):
    wallets = {wallet["coldkey"]: wallet for wallet in cli.run("wallet", "list")["coldkeys"]}
    hotkey = wallets["miner"]["hotkeys"][0]["ss58"]
    shielded(cli, "subnets", "register", "--netuid", NETUID)
    assert cli.run("axon", "set", "--netuid", NETUID, "--ip", "203.0.113.7", "--port", 8091, wallet="miner")["success"]
    shielded(cli, "stake", "add", "--netuid", NETUID, "--amount", "10")
    shielded(cli, "stake", "remove", "--netuid", NETUID, "--amount", "4")
    least = {(NETUID, hotkey): 6 * RAO}
    equal(sorted(stakes(cli, node, "miner", least)), [(NETUID, hotkey)], "subnets and hotkeys with stake")
    cli.run("stake", "show", "--netuid", NETUID, wallet="miner")
    cli.run("wallet", "overview", wallet="miner")
    assert hotkey in json.dumps(cli.run("wallet", "registrations", wallet="miner"))
    return hotkey


def stakes(cli, node, wallet, least):
    """What a wallet has staked, in rao, by subnet and hotkey, as `btcli` lists it: nothing locked, one alpha one TAO.

    At least `least`, and not less than the chain has before nor more than after it was listed: stake earns.
    """
    coldkey = next(w["ss58"] for w in cli.run("wallet", "list")["coldkeys"] if w["coldkey"] == wallet)
    before = asyncio.run(asked(node, api.StakeInfoRuntimeApi.get_stake_info_for_coldkey, [coldkey]))
    listed = cli.run("stake", "list", wallet=wallet)
    after = asyncio.run(asked(node, api.StakeInfoRuntimeApi.get_stake_info_for_coldkey, [coldkey]))
    for stake in listed:
        amounts = (stake["available_amount"], stake["locked_amount"], stake["value_tao"])
        equal(amounts, (stake["stake_amount"], 0.0, stake["stake_amount"]), "available, locked, value")
    found = {(stake["netuid"], stake["hotkey"]): round(stake["stake_amount"] * RAO) for stake in listed}
    for key, amount in found.items():
        low, high = (next((i["stake"] for i in on if (i["netuid"], str(i["hotkey"])) == key), 0) for on in (before, after))
        assert max(low, least.get(key, 0)) <= amount <= high, (key, low, amount, high)
    return found


async def asked(node, method, arguments):
    """The answer of a runtime API, by a client of its own."""
    async with bt.Client(node.url, fallback_endpoints=[], archive_endpoints=[]) as client:
        return await client.runtime(method, arguments)


def root_network(cli, node):
    """Root pays nothing here, so what is staked there stays what it was."""
    before = stakes(cli, node, "miner", {})
    ((_, hotkey),) = before
    assert cli.run("subnets", "register", "--netuid", 0, wallet="miner")["success"]
    shielded(cli, "stake", "add", "--netuid", 0, "--amount", "5")
    found = stakes(cli, node, "miner", before)
    equal(sorted(found), [(0, hotkey), *before], "subnets and hotkeys with stake")
    equal(found[0, hotkey], 5 * RAO, "stake on root")


def set_weights(cli, node):
    """The chain has the commit of the round that `btcli` names."""
    done = cli.run("weights", "set", "--netuid", NETUID, "--uids", "4,5", "--weights", "0.25,0.75", wallet="validator")
    equal(done["success"], True, "weights")

    async def stored():
        async with bt.Client(node.url, fallback_endpoints=[], archive_endpoints=[]) as client:
            found = await client.weights.timelocked_weight_commits(netuid=NETUID)
            return [commit for epoch in found.values() for commit in epoch]

    rounds = {commit["hotkey"]: commit["reveal_round"] for commit in asyncio.run(stored())}
    equal(rounds, {Keys("validator//1").hotkey.ss58_address: done["data"]["reveal_round"]}, "rounds of the commits")


def found_a_subnet(cli):
    """Alice pays for a subnet, which is nobody's work until she starts it, once."""
    cost = cli.run("subnets", "create-cost")["tao"]
    made = cli.run("subnets", "create", wallet="alice")
    netuid = made["data"]["netuid"]
    equal(made["data"]["registration_price_rao"], cost * RAO, "price")
    equal(cli.run("sudo", "check-start", "--netuid", netuid)["netuid"], netuid, "subnet to start")
    equal(cli.run("sudo", "start", "--netuid", netuid, wallet="alice")["success"], True, "start")
    shown = cli.run("subnets", "show", netuid)
    equal((shown["neurons"], shown["owner_coldkey"]), (1, address("//Alice")), "neurons and owner")


def identity(cli):
    done = cli.run("sudo", "set-identity", "--netuid", NETUID, "--name", "ClawRank", wallet="owner")
    equal(done["success"], True, "identity")
    equal(cli.run("subnets", "show", NETUID)["name"], "ClawRank", "name of the subnet")


def hyperparameters(cli):
    done = cli.run("sudo", "set", "--netuid", NETUID, "--name", "min_allowed_weights", "--value", "2", wallet="owner")
    equal(done["success"], True, "hyperparameter")
    equal(cli.run("subnets", "hyperparameters", NETUID)["min_allowed_weights"], 2, "after it was set")


def guide_is_what_was_run(cli):
    """Every `btcli` line of the documentation is a command that ran here, but for the wallet and its secret."""
    lines = re.findall(r"^btcli .*$", GUIDE.read_text(), re.MULTILINE)
    promised = {re.sub(r" (--seed|#).*$", "", re.sub(r"^btcli (-w \S+ )?", "btcli ", line)).strip() for line in lines}
    ran = {re.sub(r" --seed .*$", "", command) for command in cli.commands}
    assert len(promised) > 15, promised
    equal(sorted(promised - ran), [], "documented and not run")


# -- SDK -----------------------------------------------------------------------------------------------------------


async def reads(client):
    """What every script reads first, and every runtime API by the SDK's own decoder."""
    assert await client.block() > 0
    equal(await client.block_time(), 0.25, "block time")
    balance = await client.read("balance", coldkey_ss58=Keys("miner//0").coldkey.ss58_address)
    equal(balance.rao, 10_000 * RAO, "balance")
    graph = await client.read("metagraph", netuid=NETUID)
    neurons = await client.neurons.neurons(netuid=NETUID)
    equal([str(key) for key in graph["hotkeys"]], [neuron.hotkey for neuron in neurons], "hotkeys")
    for lite in (True, False):
        method = api.NeuronInfoRuntimeApi.get_neurons_lite if lite else api.NeuronInfoRuntimeApi.get_neurons
        equal(len(await client.runtime(method, [NETUID])), len(neurons), "neurons")
    asked = (
        (api.SubnetInfoRuntimeApi.get_subnet_info, [NETUID]),
        (api.SubnetInfoRuntimeApi.get_subnet_info_v2, [NETUID]),
        (api.SubnetInfoRuntimeApi.get_subnet_hyperparams, [NETUID]),
        (api.SubnetInfoRuntimeApi.get_subnet_hyperparams_v2, [NETUID]),
        (api.SubnetInfoRuntimeApi.get_all_dynamic_info, []),
        (api.SubnetInfoRuntimeApi.get_all_metagraphs, []),
        (api.SubnetInfoRuntimeApi.get_all_mechagraphs, []),
        (api.SubnetInfoRuntimeApi.get_subnet_state, [NETUID]),
        (api.SubnetInfoRuntimeApi.get_selective_metagraph, [NETUID, list(range(77))]),
        (api.SubnetInfoRuntimeApi.get_selective_mechagraph, [NETUID, 1, [0, 52, 62]]),
        (api.DelegateInfoRuntimeApi.get_delegates, []),
        (api.SubnetRegistrationRuntimeApi.get_network_registration_cost, []),
        (api.SwapRuntimeApi.current_alpha_price, [NETUID]),
    )
    for method, arguments in asked:
        assert await client.runtime(method, arguments), method
    selected = await client.runtime(api.SubnetInfoRuntimeApi.get_selective_metagraph, [NETUID, [8, 52]])
    present = [field for field, value in selected.items() if value is not None]
    equal(sorted(present), ["hotkeys", "netuid", "tempo"], "selected fields")


async def pallet(client, name):
    """A pallet of the node's metadata, as the program sees it that writes the SDK's descriptors."""
    (found,) = [one for one in (await client._substrate.raw.metadata_ir()).pallets if one.name == name]
    return found


async def every_storage_item(client):
    """Every item of `SubtensorModule` is read by the SDK's descriptor of it; those that are absent are `ABSENT_STORAGE`."""
    known = {item.name: item for item in vars(storage.SubtensorModule).values() if isinstance(item, storage.Item)}
    ours = {item.name: item.value_type_ident for item in (await pallet(client, "SubtensorModule")).storage}
    absent = sorted(name for names in ABSENT_STORAGE.values() for name in names.split())
    equal(sorted(known.keys() - ours.keys()), absent, "items that the SDK has and the chain has not")
    equal(ours, {name: known[name].value_type_ident for name in ours}, "types of the values")
    sources = [path for path in pathlib.Path(bt.__file__).parent.rglob("*.py") if "_generated" not in path.parts]
    used = {name for path in sources for name in re.findall(r"\bSubtensorModule\.(\w+)", path.read_text())}
    assert len(used & ours.keys()) > 90, used
    equal(sorted(used.intersection(absent)), [], "items that the SDK's own code reads and the chain has not")
    keys = (NETUID, address("//owner"), "0x" + "00" * 32, "NetworkLastRegistered")
    for name in ours:
        try:
            await client.query(known[name])
        except ValueError as error:
            count = int(re.fullmatch(r"Storage function requires (\d) parameters, 0 given", str(error))[1])
            await client.query_map(known[name])
            await one_value(client, known[name], itertools.product(keys, repeat=count))


async def absent_calls(client):
    """`docs/sdk.md` lists the calls of the public chain's `AdminUtils` that are not here; those of netuid 0 are refused."""
    known = {name for name in vars(calls.AdminUtils) if not name.startswith("_")}
    ours = {call.name for call in (await pallet(client, "AdminUtils")).calls}
    rows = [line for line in GUIDE.read_text().splitlines() if line.startswith("|") and "`sudo_" in line]
    listed = sorted(name for row in rows for name in re.findall(r"`(\w+)`", row))
    equal(sorted(known - ours), listed, "calls that are not here")
    root = calls.Sudo.sudo(call=await client.compose(calls.AdminUtils.sudo_set_kappa(netuid=0, kappa=30_000)))
    refused = await client.submit_call(root, alice())
    equal((refused.success, refused.message), (False, "The root network has no such parameter."), "root's change of netuid 0")


async def one_value(client, item, parameters):
    """The value under the first of `parameters` that are keys of the map; most have none there, and the default is read."""
    failures = []
    for some in parameters:
        try:
            return await client.query(item, list(some))
        except (ValueError, TypeError, OverflowError) as error:
            failures.append(f"{some}: {error}")
    raise AssertionError(f"{item.name}: {failures}")


async def wait_until(client, what, check, deadline=30):
    """Asks once a block until `check` has an answer."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        found = await check()
        if found:
            return found
        await client.wait_for_block(await client.block() + 1)
    raise AssertionError(f"no {what} within {deadline} s")


def succeeded(result):
    assert result.success, result
    return result


async def register_and_serve(client):
    wallet = Keys("newcomer")
    for key in (wallet.coldkey, wallet.hotkey):
        succeeded(await client.execute(bt.Transfer(dest_ss58=key.ss58_address, amount_tao=50), alice()))
    await executed(client, bt.BurnedRegister(netuid=NETUID), wallet)
    succeeded(await client.execute(bt.ServeAxon(netuid=NETUID, ip="203.0.113.9", port=9000), wallet))
    graph = await client.read("metagraph", netuid=NETUID)
    uid = [str(key) for key in graph["hotkeys"]].index(wallet.hotkey.ss58_address)
    axon = graph["axons"][uid]
    equal((axon["ip"], axon["port"]), (int.from_bytes(bytes([203, 0, 113, 9]), "big"), 9000), "axon")


async def executed(client, intent, wallet):
    """Submits an intent encrypted, and again when there is reason to; the result and the milliseconds it took."""
    for _ in range(6):
        begun = time.perf_counter()
        result = await client.submit_shielded(intent, wallet)
        if result.success or not any(reason in str(result.message).lower() for reason in AGAIN):
            break
    equal(succeeded(result).data["shielded"], True, "shielded")
    return result, round((time.perf_counter() - begun) * 1000)


async def shielded_stake(client):
    """The extrinsic inside stands in the clear, right behind its carrier, in a block that the SDK finds."""
    wallet = Keys("newcomer")
    taken = []
    for _ in range(5):
        stake = bt.AddStake(hotkey_ss58=wallet.hotkey.ss58_address, netuid=NETUID, amount_tao=1)
        result, millis = await executed(client, stake, wallet)
        taken.append(millis)
        block = await client.block_info(await number(client, result))
        calls_made = [str(extrinsic) for extrinsic in block.extrinsics]
        (carrier,) = [at for at, call in enumerate(calls_made) if "submit_encrypted" in call]
        assert "add_stake_limit" in calls_made[carrier + 1], calls_made
    figure = {"figure": "sdk_shielded_stake_ms", "sdk": bt.__version__, "median": round(statistics.median(taken))}
    print(json.dumps(figure))


def alice():
    """Sudo, with a hotkey that no other check uses."""
    key = bt.sp_core.Keypair.create_from_uri("//Alice")
    return type("Alice", (), {"coldkey": key, "coldkeypub": key, "hotkey": bt.sp_core.Keypair.create_from_uri("//second")})()


async def sudo(client):
    """Alice changes by `Sudo.sudo` what only root may; nobody else does."""
    inner = calls.AdminUtils.sudo_set_network_rate_limit(rate_limit=0)
    before = await client.query(storage.SubtensorModule.NetworkRateLimit, [])
    assert before > 0, before
    call = calls.Sudo.sudo(call=await client.compose(inner))
    for wrong in (call, inner):
        result = await client.submit_call(wrong, Keys("miner//0"))
        assert not result.success, result
    equal(await client.query(storage.SubtensorModule.NetworkRateLimit, []), before, "as a stranger left it")
    succeeded(await client.submit_call(call, alice()))
    equal(await client.query(storage.SubtensorModule.NetworkRateLimit, []), 0, "blocks between two subnets")
    kappa = calls.AdminUtils.sudo_set_kappa(netuid=NETUID, kappa=30_000)
    succeeded(await client.submit_call(calls.Sudo.sudo(call=await client.compose(kappa)), alice()))
    parameters = await client.runtime(api.SubnetInfoRuntimeApi.get_subnet_hyperparams, [NETUID])
    equal(parameters["kappa"], 30_000, "kappa")


async def every_hyperparameter(client, node):
    """The owner sets them by the SDK's names, and the SDK reads them back; every name that it has is a call here."""

    async def read():
        found = await client.runtime(api.SubnetInfoRuntimeApi.get_subnet_hyperparams_v3, [NETUID])
        values = {entry["name"]: next(iter(entry["value"].values())) for entry in found}
        return {name: value["bits"] if isinstance(value, dict) else value for name, value in values.items()}

    before, owner = await read(), Keys("owner")
    wanted = HYPERPARAMETERS | {"alpha_sigmoid_steepness": HYPERPARAMETERS["alpha_sigmoid_steepness"] << 32}
    equal([name for name, value in wanted.items() if before[name] == value], [], "hyperparameters that are so already")
    for name, value in HYPERPARAMETERS.items():
        succeeded(await client.execute(bt.SetHyperparameter(netuid=NETUID, name=name, value=int(value)), owner))
    after = await read()
    equal({name: after[name] for name in wanted}, wanted, "hyperparameters")
    metadata = node.rpc("state_getMetadata")
    absent = {name for name, (call, _) in OWNER_HYPERPARAMETERS.items() if call.encode().hex() not in metadata}
    equal(absent, set(), "hyperparameters without a call")


async def found_another(client):
    """`register_network` and `start_call`: the subnet emits from the next block on."""
    result = succeeded(await client.execute(bt.RegisterSubnet(), alice()))
    netuid = result.data["netuid"]
    owner = await client.query(storage.SubtensorModule.SubnetOwner, [netuid])
    equal(str(owner), address("//Alice"), "owner")
    first = storage.SubtensorModule.FirstEmissionBlockNumber
    equal(await client.query(first, [netuid]), None, "first emission of a subnet that waits")
    started = succeeded(await client.execute(bt.StartCall(netuid=netuid), alice()))
    equal(await client.query(first, [netuid]), await number(client, started) + 1, "first emission")
    again = await client.execute(bt.StartCall(netuid=netuid), alice())
    assert not again.success, again


async def commitments(client):
    wallet = Keys("miner//0")
    info = {"fields": [{"Raw8": b"clawrank"}]}
    succeeded(await client.submit_call(calls.Commitments.set_commitment(netuid=NETUID, info=info), wallet, signer="hotkey"))
    found = await client.read("commitment", netuid=NETUID, hotkey_ss58=wallet.hotkey.ss58_address)
    assert "clawrank" in str(found), found


async def timelocked_weights(client):
    """With commit-reveal on, the SDK's ciphertext is stored byte for byte; its beacon is the public one."""
    wallet = Keys("validator//0")
    result = succeeded(await client.execute(bt.SetWeights(netuid=NETUID, uids=[4, 5], weights=[0.25, 0.75]), wallet))
    (extrinsic,) = [
        value
        for value in (await client.block_info(await number(client, result))).extrinsics
        if "commit_timelocked_mechanism_weights" in str(value)
    ]
    stored = await client.weights.timelocked_weight_commits(netuid=NETUID)
    by = wallet.hotkey.ss58_address
    commits = [commit for epoch in stored.values() for commit in epoch if commit["hotkey"] == by]
    equal(len(commits), 1, "commits")
    assert commits[0]["ciphertext"].removeprefix("0x") in str(extrinsic), "the stored bytes are not those of the call"
    equal(commits[0]["reveal_round"], result.data["reveal_round"], "round")


async def number(client, result):
    """The block of a result."""
    return int(str(result.extrinsic_id).split("-")[0])


async def plain_weights(client):
    """With commit-reveal off, which the owner decides, weights are stored as they are and the epoch pays by them."""
    owner = Keys("owner")
    off = bt.SetHyperparameter(netuid=NETUID, name="commit_reveal_weights_enabled", value=0)
    succeeded(await client.execute(off, owner))
    equal(await client.read("commit_reveal_enabled", netuid=NETUID), False, "commit-reveal")
    for validator in range(3):
        wallet = Keys(f"validator//{validator}")
        succeeded(await client.execute(bt.SetWeights(netuid=NETUID, uids=[4, 5], weights=[0.25, 0.75]), wallet))
    rows = await client.query_map(storage.SubtensorModule.Weights, [NETUID])
    equal([list(map(tuple, row)) for _, row in rows], [[(4, 21845), (5, 65535)]] * 3, "stored weights")

    async def paid():
        graph = await client.read("metagraph", netuid=NETUID)
        return graph["incentives"][5] > graph["incentives"][4] > 0

    await wait_until(client, "incentive", paid)


async def same_as_our_own_client(client, url):
    """`clawrank status` shows, field by field, what the SDK reads of the same block."""
    shown = subprocess.run(
        [CLI, "status", "--json", "--network", url, "--netuid", str(NETUID)], capture_output=True, text=True, timeout=60
    )
    assert shown.returncode == 0, shown.stderr
    status = json.loads(shown.stdout)
    view = await client.at(status["block"])
    graphs = [await view.runtime(api.SubnetInfoRuntimeApi.get_mechagraph, [NETUID, mecid]) for mecid in range(2)]
    main = graphs[0]
    due = await view.runtime(api.SubnetInfoRuntimeApi.get_next_epoch_start_block, [NETUID])
    equal((status["tempo"], status["blocks_to_next_epoch"]), (main["tempo"], due - status["block"]), "schedule")
    equal(status["epoch"], await view.query(storage.SubtensorModule.SubnetEpochIndex, [NETUID]), "epoch")
    equal(status["commit_reveal"], main["commit_reveal_weights_enabled"], "commit-reveal")
    equal(status["mechanisms"], await view.query(storage.SubtensorModule.MechanismCountCurrent, [NETUID]), "mechanisms")
    for neuron in status["neurons"]:
        uid = neuron["uid"]
        ours = {
            key: neuron[key]
            for key in ("hotkey", "coldkey", "validator_permit", "active", "dividends_u16", "emission_rao", "stake_rao")
        }
        theirs = {
            "hotkey": str(main["hotkeys"][uid]),
            "coldkey": str(main["coldkeys"][uid]),
            "validator_permit": main["validator_permit"][uid],
            "active": main["active"][uid],
            "dividends_u16": main["dividends"][uid],
            "emission_rao": main["emission"][uid],
            "stake_rao": main["total_stake"][uid],
        }
        equal(ours, theirs, f"uid {uid}")
        equal(neuron["incentive_u16"], [graph["incentives"][uid] for graph in graphs], f"incentive of uid {uid}")
        equal(neuron["last_commit_block"], [graph["last_update"][uid] for graph in graphs], f"updates of uid {uid}")
    for mecid, rows in enumerate(status["weights"]):
        stored = await view.query_map(storage.SubtensorModule.Weights, [mecid * 4096 + NETUID])
        equal(
            sorted((uid, [tuple(pair) for pair in row]) for uid, row in rows),
            sorted((int(uid), [tuple(pair) for pair in row]) for uid, row in stored if row),
            f"weights of mechanism {mecid}",
        )


async def reveal_rounds():
    """At every head of an epoch the SDK chooses the round that `docs/validator.md` says our validator chooses.

    The SDK reckons from the machine's clock, our validator from the head's time, which is not a round older. Blocks of a
    second: where they are shorter, our validator takes no round that is public before the reveal epoch begins.
    """
    with Node("--preset", "fast", "--beacon", "quicknet", "--block-time-ms", "1000", "--tempo", "10") as node:
        async with bt.Client(node.url, fallback_endpoints=[], archive_endpoints=[]) as client:
            beacon = await client.query(storage.Drand.BeaconConfig, [])
            begun = await client.block()
            for block in range(begun + 1, begun + 12):
                await client.wait_for_block(block)
                view = await client.at(block)
                state = {
                    name: int(await view.query(item, [NETUID]) or 0)
                    for name, item in (
                        ("tempo", storage.SubtensorModule.Tempo),
                        ("last_epoch_block", storage.SubtensorModule.LastEpochBlock),
                        ("pending_epoch_at", storage.SubtensorModule.PendingEpochAt),
                        ("subnet_epoch_index", storage.SubtensorModule.SubnetEpochIndex),
                        ("blocks_since_last_step", storage.SubtensorModule.BlocksSinceLastStep),
                        ("subnet_reveal_period_epochs", storage.SubtensorModule.RevealPeriodEpochs),
                    )
                }
                equal(state["subnet_reveal_period_epochs"], 1, "reveal period")
                first = await view.runtime(api.SubnetInfoRuntimeApi.get_next_epoch_start_block, [NETUID])
                if first == block + 1:
                    # The commit gets into a block of the next epoch.
                    first += state["tempo"]
                head_s = await view.query(storage.Timestamp.Now, []) / 1000

                def at(now_s):
                    """`⌊(time + (block - head) · block time - genesis of the beacon) / period⌋`"""
                    return int((now_s + (first + 3 - block) * 1.0 - beacon["genesis_time"]) // beacon["period"])

                before = time.time()
                _, round_ = bittensor_core.get_encrypted_commit_v2(
                    uids=[4], weights=[65_535], version_key=0, current_block=block, block_time=1.0,
                    hotkey=Keys("validator//0").hotkey.public_key, **state,
                )
                after = time.time()
                assert at(before) <= round_ <= at(after), (block, first, state, round_, at(before), at(after))
                assert 0 <= round_ - at(head_s) <= 1, (block, round_, at(head_s), before - head_s)


async def large_metagraph():
    """Milliseconds in which the SDK has the metagraph of a full subnet, the median of seven."""
    with Node("--preset", "fast", "--miners", "252", "--validators", "3") as node:
        async with bt.Client(node.url, fallback_endpoints=[], archive_endpoints=[]) as client:
            taken = []
            for _ in range(7):
                begun = time.perf_counter()
                graph = await client.subnets.metagraph(netuid=NETUID)
                taken.append((time.perf_counter() - begun) * 1000)
                equal(len(graph), 256, "neurons")
    print(json.dumps({"figure": "sdk_metagraph_256_ms", "sdk": bt.__version__, "median": round(statistics.median(taken))}))


def has_pallet(node, name):
    """Whether the runtime has a pallet of that name."""
    return name.encode().hex() in node.rpc("state_getMetadata")


async def sdk(node, steps, administered):
    async with bt.Client(node.url, fallback_endpoints=[], archive_endpoints=[]) as client:
        for name, check in (
            ("SDK: reads", reads),
            ("SDK: reads every storage item", every_storage_item),
            ("SDK: registers and serves", register_and_serve),
            ("SDK: stakes in an envelope", shielded_stake),
            ("SDK: commits to bytes in public", commitments),
            ("SDK: is sudo", sudo),
            ("SDK: founds and starts a subnet", found_another),
            ("SDK: sets timelocked weights", timelocked_weights),
        ):
            await step(steps, name, check, client)
        if administered:
            await step(steps, "SDK: sets plain weights", plain_weights, client)
        else:
            steps.skip("SDK: sets plain weights", "the runtime has no pallet AdminUtils to turn commit-reveal off")
        await step(steps, "SDK and clawrank status agree", same_as_our_own_client, client, node.url)
        if administered:
            await step(steps, "SDK: sets every hyperparameter", every_hyperparameter, client, node)
            await step(steps, "SDK: AdminUtils lacks what the guide says", absent_calls, client)
        else:
            steps.skip("SDK: sets every hyperparameter", "the runtime has no pallet AdminUtils")


async def step(steps, name, check, *arguments):
    """`Steps` for a coroutine."""
    loop = asyncio.get_running_loop()
    await asyncio.to_thread(
        steps, name, lambda: asyncio.run_coroutine_threadsafe(check(*arguments), loop).result(timeout=90)
    )


def main():
    steps = Steps()
    # The SDK locks to rounds of the public beacon, which this chain therefore follows.
    with Node("--preset", "fast", "--beacon", "quicknet") as node:
        os.environ["BITTENSOR_RUNTIME_CACHE_DIR"] = str(node.folder / "runtime-cache")
        cli = Btcli(node)
        steps("btcli: looks at subnets", look_at_subnets, cli)
        steps("btcli: makes wallets, moves TAO", make_wallets, cli)
        steps("btcli: registers, serves, stakes", register_and_stake, cli, node)
        steps("btcli: takes a seat on the root network", root_network, cli, node)
        steps("btcli: sets weights", set_weights, cli, node)
        steps("btcli: founds and starts a subnet", found_a_subnet, cli)
        steps("btcli: names the subnet", identity, cli)
        administered = has_pallet(node, "AdminUtils")
        if administered:
            steps("btcli: sets a hyperparameter", hyperparameters, cli)
        else:
            steps.skip("btcli: sets a hyperparameter", "the runtime has no pallet AdminUtils")
        steps("btcli: every documented command ran", guide_is_what_was_run, cli)
        asyncio.run(sdk(node, steps, administered))
    steps("SDK: opens what we seal", opens_our_commit, bittensor_core.decrypt_with_signature)
    steps("SDK: chooses the rounds that our validator's tests have", still_chosen)
    steps("SDK: chooses the round of our validator", lambda: asyncio.run(reveal_rounds()))
    steps("SDK: metagraph of 256 neurons", lambda: asyncio.run(large_metagraph()))
    steps.finish()


if __name__ == "__main__":
    sys.exit(main())
