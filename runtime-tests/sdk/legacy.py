# SPDX-License-Identifier: Apache-2.0
"""The SDK before version 11, unpatched, against a fresh node: what scripts of 2025 do."""

import sys

import bittensor as bt
import bittensor_drand
from bittensor.core.extrinsics.utils import sudo_call_extrinsic
from bittensor_wallet import Keypair, Wallet

from chain import Node, Steps, opens_our_commit

NETUID = 92
BLOCK_TIME_S = 0.25
RAO = 10**9


def equal(got, expected, what):
    """Fails with both values."""
    if got != expected:
        raise AssertionError(f"{what}: got {got!r}, expected {expected!r}")


def succeeded(done):
    """The response of a submission, which must have succeeded."""
    assert done.success, done.message
    return done


def wallet(node, role):
    """A wallet of development keys on disk, as this SDK wants one; sudo's coldkey has no path behind its name."""
    made = Wallet(name=role.replace("/", "-"), path=str(node.folder / "wallets"))
    coldkey = f"//{role}" if role == "Alice" else f"//{role}//cold"
    keys = (("coldkey", coldkey), ("coldkeypub", coldkey), ("hotkey", f"//{role}"))
    for kind, uri in keys:
        key = Keypair.create_from_uri(uri)
        if kind == "coldkey":
            made.set_coldkey(key, encrypt=False, overwrite=True)
        elif kind == "coldkeypub":
            made.set_coldkeypub(key, encrypt=False, overwrite=True)
        else:
            made.set_hotkey(key, encrypt=False, overwrite=True)
    return made


def reads(chain):
    assert chain.get_current_block() > 0
    graph = chain.metagraph(NETUID, lite=False)
    assert len(graph.hotkeys) == 8, len(graph.hotkeys)
    assert len(chain.neurons_lite(NETUID)) == 8
    assert chain.subnet(NETUID).netuid == NETUID
    assert any(subnet.netuid == NETUID for subnet in chain.all_subnets())
    parameters = chain.get_subnet_hyperparameters(NETUID)
    assert parameters.tempo == 10, parameters
    assert float(chain.get_subnet_price(NETUID)) == 1.0
    assert chain.get_metagraph_info(NETUID).num_uids == 8
    assert chain.get_delegates()
    assert chain.get_stake_info_for_coldkey(Keypair.create_from_uri("//validator//0//cold").ss58_address)


def creates_a_wallet(node):
    """Keys that the SDK makes and writes itself, without a password, and finds again."""
    folder = str(node.folder / "wallets")
    made = Wallet(name="newcomer", path=folder)
    made.create(coldkey_use_password=False, hotkey_use_password=False, suppress=True)
    again = Wallet(name="newcomer", path=folder)
    equal(again.coldkey.ss58_address, made.coldkey.ss58_address, "coldkey")
    equal(again.coldkeypub.ss58_address, made.coldkey.ss58_address, "public coldkey")
    equal(again.hotkey.ss58_address, made.hotkey.ss58_address, "hotkey")
    return made


def balances(chain, node, newcomer):
    alice, address = wallet(node, "Alice"), newcomer.coldkeypub.ss58_address
    equal(chain.get_balance(address).rao, 0, "balance of a new account")
    before = chain.get_balance(alice.coldkeypub.ss58_address)
    done = succeeded(chain.transfer(wallet=alice, destination_ss58=address, amount=bt.Balance.from_tao(100), wait_for_finalization=True))
    equal(chain.get_balance(address).rao, 100 * RAO, "balance")
    both = chain.get_balances(address, alice.coldkeypub.ss58_address)
    equal(both[address].rao, 100 * RAO, "balance among several")
    left = before.rao - 100 * RAO - done.extrinsic_fee.rao
    equal(both[alice.coldkeypub.ss58_address].rao, left, "balance of the sender")


def registers(chain, newcomer):
    """Pays the price and has the next uid."""
    hotkey, coldkey = newcomer.hotkey.ss58_address, newcomer.coldkeypub.ss58_address
    assert not chain.is_hotkey_registered(hotkey_ss58=hotkey, netuid=NETUID)
    had = chain.get_balance(coldkey).rao
    done = succeeded(chain.burned_register(wallet=newcomer, netuid=NETUID))
    equal(chain.get_uid_for_hotkey_on_subnet(hotkey, NETUID), 8, "uid")
    assert chain.is_hotkey_registered(hotkey_ss58=hotkey, netuid=NETUID)
    # Between looking and paying the price falls, so it is taken from the event.
    paid = had - chain.get_balance(coldkey).rao
    assert 0 < paid <= had // 2, (paid, done.extrinsic_fee)
    neuron = chain.get_neuron_for_pubkey_and_subnet(hotkey, NETUID)
    equal((neuron.uid, neuron.coldkey), (8, coldkey), "neuron")


def commitments(chain, node):
    miner = wallet(node, "miner//1")
    succeeded(chain.set_commitment(wallet=miner, netuid=NETUID, data="clawrank by SDK 10"))
    uid = chain.get_uid_for_hotkey_on_subnet(miner.hotkey.ss58_address, NETUID)
    equal(chain.get_commitment(NETUID, uid), "clawrank by SDK 10", "commitment")
    equal(chain.get_all_commitments(NETUID), {miner.hotkey.ss58_address: "clawrank by SDK 10"}, "all commitments")


def sudo(chain, node):
    """Alice by `Sudo.sudo`, then the owner in its own name; strangers cannot."""
    alice, owner, miner = (wallet(node, role) for role in ("Alice", "owner", "miner//0"))
    kappa = {"netuid": NETUID, "kappa": 30_000}
    refused = sudo_call_extrinsic(chain, miner, "sudo_set_kappa", kappa)
    assert not refused.success, "a miner is not sudo"
    succeeded(sudo_call_extrinsic(chain, alice, "sudo_set_kappa", kappa, wait_for_finalization=True))
    equal(chain.get_subnet_hyperparameters(NETUID).kappa, 30_000, "kappa")
    succeeded(chain.root_set_activity_cutoff_factor(alice, NETUID, 20_000))
    equal(chain.get_activity_cutoff_factor_milli(NETUID), 20_000, "activity cutoff")
    immunity = {"netuid": NETUID, "immunity_period": 77}
    # This SDK says `root_call` where it means: not by sudo.
    succeeded(sudo_call_extrinsic(chain, owner, "sudo_set_immunity_period", immunity, root_call=True))
    equal(chain.get_subnet_hyperparameters(NETUID).immunity_period, 77, "immunity period")
    assert not sudo_call_extrinsic(chain, miner, "sudo_set_immunity_period", immunity, root_call=True).success


def weights(chain, node):
    """With commit-reveal on, the chain stores the bytes that the SDK sealed, under the round that it chose."""
    validator = wallet(node, "validator//0")
    done = succeeded(
        chain.set_weights(wallet=validator, netuid=NETUID, uids=[4, 5], weights=[0.25, 0.75], block_time=BLOCK_TIME_S)
    )
    ((hotkey, _, commit, round_),) = chain.get_timelocked_weight_commits(NETUID)
    equal(hotkey, validator.hotkey.ss58_address, "committer")
    equal(commit.removeprefix("0x"), bytes(done.data["commit_for_reveal"]).hex(), "stored bytes")
    equal(round_, done.data["reveal_round"], "round")


def plain_weights(chain, node):
    """With commit-reveal off, which the owner decides, weights are stored as they are."""
    off = {"netuid": NETUID, "enabled": False}
    owner = wallet(node, "owner")
    succeeded(sudo_call_extrinsic(chain, owner, "sudo_set_commit_reveal_weights_enabled", off, root_call=True))
    equal(chain.commit_reveal_enabled(NETUID), False, "commit-reveal")
    validator = wallet(node, "validator//1")
    succeeded(chain.set_weights(wallet=validator, netuid=NETUID, uids=[4, 5], weights=[0.25, 0.75]))
    uid = chain.get_uid_for_hotkey_on_subnet(validator.hotkey.ss58_address, NETUID)
    equal(chain.weights(NETUID), [(uid, [(4, 21_845), (5, 65_535)])], "stored weights")


def serve(chain, node):
    miner = wallet(node, "miner//0")
    axon = bt.Axon(wallet=miner, ip="203.0.113.8", port=9001, external_ip="203.0.113.8", external_port=9001)
    done = chain.serve_axon(NETUID, axon)
    assert done if isinstance(done, bool) else done.success, done
    found = chain.get_neuron_for_pubkey_and_subnet(miner.hotkey.ss58_address, NETUID)
    assert found.axon_info.port == 9001, found.axon_info


def stake(chain, node):
    miner = wallet(node, "miner//0")
    done = chain.add_stake(
        wallet=miner, netuid=NETUID, hotkey_ss58=miner.hotkey.ss58_address, amount=bt.Balance.from_tao(3)
    )
    assert done if isinstance(done, bool) else done.success, done
    held = chain.get_stake(miner.coldkeypub.ss58_address, miner.hotkey.ss58_address, NETUID)
    assert held.rao == 3 * 10**9, held


def main():
    steps = Steps()
    # This SDK seals for rounds of the public beacon, whatever the chain says of its own.
    with Node("--preset", "fast", "--beacon", "quicknet") as node:
        chain = steps("SDK 10: connects", lambda: bt.Subtensor(network=node.url))
        if chain:
            steps("SDK 10: reads", reads, chain)
            newcomer = steps("SDK 10: creates a wallet", creates_a_wallet, node)
            if newcomer:
                steps("SDK 10: reads balances, moves TAO", balances, chain, node, newcomer)
                steps("SDK 10: registers", registers, chain, newcomer)
            steps("SDK 10: serves an axon", serve, chain, node)
            steps("SDK 10: stakes", stake, chain, node)
            steps("SDK 10: sets and reads commitments", commitments, chain, node)
            steps("SDK 10: sets hyperparameters, by sudo and as the owner", sudo, chain, node)
            steps("SDK 10: sets timelocked weights", weights, chain, node)
            steps("SDK 10: sets plain weights", plain_weights, chain, node)
    steps("SDK 10: opens what we seal", opens_our_commit, bittensor_drand.decrypt_with_signature)
    steps.finish()


if __name__ == "__main__":
    sys.exit(main())
