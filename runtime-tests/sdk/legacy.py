# SPDX-License-Identifier: Apache-2.0
"""The SDK before version 11, unpatched, against a fresh node: what scripts of 2025 do."""

import sys

import bittensor as bt
import bittensor_drand
from bittensor_wallet import Keypair, Wallet

from chain import Node, Steps, opens_our_commit

NETUID = 92


def wallet(node, role):
    """A wallet of development keys on disk, as this SDK wants one."""
    made = Wallet(name=role.replace("/", "-"), path=str(node.folder / "wallets"))
    keys = (("coldkey", f"//{role}//cold"), ("coldkeypub", f"//{role}//cold"), ("hotkey", f"//{role}"))
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


def weights(chain, node):
    validator = wallet(node, "validator//0")
    done = chain.set_weights(wallet=validator, netuid=NETUID, uids=[4, 5], weights=[0.25, 0.75])
    assert done[0] if isinstance(done, tuple) else done.success, done
    stored = chain.get_timelocked_weight_commits(NETUID)
    assert any(commit[0] == validator.hotkey.ss58_address for commit in stored), stored


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
            steps("SDK 10: serves an axon", serve, chain, node)
            steps("SDK 10: stakes", stake, chain, node)
            steps("SDK 10: sets timelocked weights", weights, chain, node)
    steps("SDK 10: opens what we seal", opens_our_commit, bittensor_drand.decrypt_with_signature)
    steps.finish()


if __name__ == "__main__":
    sys.exit(main())
