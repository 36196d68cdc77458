# SPDX-License-Identifier: Apache-2.0
"""The real SDK's side of tests/sdk.rs: `write FOLDER` makes wallets, `read` opens those that are listed on stdin.

Both implementations take part: bittensor-wallet (SDK 10) and bittensor-core (SDK 11). Output is JSON.
"""

import json
import os
import sys
from pathlib import Path

import bittensor_core
import bittensor_wallet
from bittensor_wallet import keyfile

MESSAGE = b"clawrank reads what the SDK writes"
PASSWORD = "correct horse battery"


def entry(path: Path, pair, password: str | None = None) -> dict:
    return {"path": str(path), "ss58": pair.ss58_address, "signature": bytes(pair.sign(MESSAGE)).hex(), "password": password}


def write(folder: Path) -> dict:
    made = []
    wallet = bittensor_wallet.Wallet(name="ten", hotkey="plain", path=str(folder))
    wallet.create_new_coldkey(use_password=True, coldkey_password=PASSWORD, suppress=True)
    wallet.create_new_hotkey(use_password=False, suppress=True)
    made.append(entry(folder / "ten" / "coldkey", wallet.get_coldkey(PASSWORD), PASSWORD))
    made.append(entry(folder / "ten" / "hotkeys" / "plain", wallet.get_hotkey()))
    pair = bittensor_wallet.Keypair.create_from_uri("//Alice//stash")
    old = folder / "ten" / "hotkeys" / "vault"
    old.write_bytes(keyfile.legacy_encrypt_keyfile_data(keyfile.serialized_keypair_to_keyfile_data(pair), PASSWORD))
    old.chmod(0o600)
    made.append(entry(old, pair, PASSWORD))
    eleven = folder / "eleven" / "hotkeys"
    eleven.mkdir(parents=True)
    for name, password in (("plain", None), ("sealed", PASSWORD)):
        pair = bittensor_core.Keypair.create_from_mnemonic(bittensor_core.Keypair.generate_mnemonic(24))
        data = bytes(bittensor_core.serialized_keypair_to_keyfile_data(pair))
        if password:
            data = bytes(bittensor_core.encrypt_keyfile_data(data, password))
        (eleven / name).write_bytes(data)
        (eleven / name).chmod(0o600)
        made.append(entry(eleven / name, pair, password))
    variable = bittensor_wallet.Keyfile(str(old), "vault", False).env_var_name()
    bittensor_core.save_password_to_environment(variable, PASSWORD)
    # Set by native code: visible to the C library, not to os.environ.
    import ctypes

    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_char_p
    hidden = getenv(variable.encode()).decode()
    return {"keys": made, "message": MESSAGE.hex(), "variable": {"path": str(old), "name": variable, "value": hidden}}


def read(keys: list[dict]) -> list[dict]:
    """Each key by both implementations: its address, and whether our signature holds."""
    out = []
    for key in keys:
        path, password = key["path"], key["password"]
        data = Path(path).read_bytes()
        if password:
            assert keyfile.keyfile_data_is_encrypted_nacl(data) and bittensor_core.keyfile_data_is_encrypted_nacl(data)
        # With the variable that we wrote, nobody needs to be asked.
        ten = bittensor_wallet.Keyfile(path, "key", False).get_keypair(None if key.get("variable") else password)
        plain = bytes(bittensor_core.decrypt_keyfile_data(data, password)) if password else data
        eleven = bittensor_core.deserialize_keypair_from_keyfile_data(plain)
        public = bittensor_wallet.Keyfile(path + "pub.txt", "pub", False).get_keypair()
        message, signature = bytes.fromhex(key["message"]), bytes.fromhex(key["signature"])
        out.append({
            "ss58": [ten.ss58_address, eleven.ss58_address, public.ss58_address],
            "verified": [ten.verify(message, signature), public.verify(message, signature)],
        })
    return out


if __name__ == "__main__":
    # What the SDK prints for people goes to standard error.
    answer_to = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    done = write(Path(sys.argv[2])) if sys.argv[1] == "write" else read(json.load(sys.stdin))
    json.dump(done, answer_to)
    answer_to.flush()
