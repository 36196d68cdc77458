# SPDX-License-Identifier: Apache-2.0
"""The real SDK's `Wallet`, of SDK 10 or 11, whichever this Python has; for tests/sdk.rs.

`open` opens the wallet that stdin names, with the password it gives or with what the environment has; `make` makes one under
`BT_WALLET_PASSWORD`. Output is JSON.
"""

import json
import os
import sys

try:
    from bittensor import Wallet
    from bittensor.wallets import resolve_wallet_password, signing_keypair
except ImportError:
    from bittensor_wallet import Wallet

    resolve_wallet_password = signing_keypair = None

PASSWORD = "BT_WALLET_PASSWORD"


def opened(pair, message: bytes, signature: str) -> dict:
    """A key's address, its own signature, and whether ours of the same message holds."""
    verified = bool(pair.verify(message, bytes.fromhex(signature)))
    return {"ss58": pair.ss58_address, "verified": verified, "signature": bytes(pair.sign(message)).hex()}


def open_wallet(asked: dict) -> dict:
    wallet = Wallet(name=asked["name"], hotkey=asked["hotkey"], path=asked["path"])
    assert wallet.hotkey_file.is_encrypted(), "the hotkey is encrypted"
    message = bytes.fromhex(asked["message"])
    done = {}
    try:
        if PASSWORD in os.environ:
            # As btcli does: it looks for the password once and signs with the coldkey.
            hotkey = wallet.get_hotkey(resolve_wallet_password(wallet))
            done["coldkey"] = opened(signing_keypair(wallet, "coldkey"), message, asked["coldkey"])
        elif asked["password"] is not None:
            hotkey = wallet.get_hotkey(asked["password"])
        else:
            hotkey = wallet.hotkey
    except Exception as error:  # Each generation has errors of its own.
        return {"refused": str(error)}
    done["hotkey"] = opened(hotkey, message, asked["signature"])
    return done


def make_wallet(asked: dict) -> dict:
    wallet = Wallet(name=asked["name"], hotkey=asked["hotkey"], path=asked["path"])
    password = resolve_wallet_password(wallet)
    assert password == os.environ[PASSWORD]
    wallet.create_new_coldkey(coldkey_password=password, suppress=True)
    wallet.create_new_hotkey(hotkey_password=password, suppress=True)
    return {"coldkey": wallet.coldkeypub.ss58_address, "hotkey": wallet.hotkeypub.ss58_address}


if __name__ == "__main__":
    # What the SDK prints for people goes to standard error.
    answer_to = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    asked = json.load(sys.stdin)
    json.dump(open_wallet(asked) if sys.argv[1] == "open" else make_wallet(asked), answer_to)
    answer_to.flush()
