// SPDX-License-Identifier: Apache-2.0
//! Wallet files: are they there, private, and do they open.

use clawrank_protocol::proof::{HotkeyId, ss58};
use clawrank_wallet::{Slot, Wallet, WalletError, inspect};

use super::{Check, Role};
use crate::chain::WalletArgs;

/// Public keys of the wallet, where they could be told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    pub(super) hotkey: Option<HotkeyId>,
    pub(super) coldkey: Option<HotkeyId>,
}

/// Examines both keys: a worker signs with its hotkey alone, an owner with the coldkey.
pub(super) fn examine(args: &WalletArgs, role: Option<Role>) -> (Vec<Check>, Known) {
    if args.dev_key.is_some() {
        return match args.hotkey() {
            Ok(key) => {
                let known = Known { hotkey: Some(key.public()), coldkey: Some(key.public()) };
                let found = format!("{}, a development key whose secret is public", ss58::encode(&key.public()));
                (vec![Check::warn("hotkey", found, "use a wallet on any chain that is not your own")], known)
            }
            Err(error) => (vec![Check::fail("hotkey", error.to_string(), "name a key as //Alice")], Known::default()),
        };
    }
    let wallet = match args.wallet() {
        Ok(wallet) => wallet,
        Err(error) => {
            let fix = "name a wallet with --wallet-name";
            return (vec![Check::fail("wallet", error.to_string(), fix)], Known::default());
        }
    };
    let hotkey_slot = Slot::Hotkey(&args.wallet_hotkey);
    let (hotkey_needed, coldkey_needed) = (role.is_some_and(|r| r != Role::Owner), role == Some(Role::Owner));
    let (hotkey_check, hotkey) = key(args, &wallet, "hotkey", hotkey_slot, hotkey_needed);
    let (coldkey_check, coldkey) = key(args, &wallet, "coldkey", Slot::Coldkey, coldkey_needed);
    (vec![hotkey_check, coldkey_check], Known { hotkey, coldkey })
}

fn key(
    args: &WalletArgs,
    wallet: &Wallet,
    name: &'static str,
    slot: Slot<'_>,
    needed: bool,
) -> (Check, Option<HotkeyId>) {
    let public = wallet.public(slot).ok();
    let address = public.map(|public| ss58::encode(&public));
    let make = format!(
        "make it with `clawrank keys new{}`, or name its wallet with --wallet-name and --wallet-hotkey",
        if slot == Slot::Coldkey { " --coldkey" } else { "" }
    );
    let state = wallet.path(slot).and_then(inspect);
    let check = match state {
        Err(WalletError::Missing { path }) => match (&address, needed) {
            (Some(address), false) => Check::ok(name, format!("{address}, only its public half, which is enough here")),
            (_, true) => Check::fail(name, format!("{} does not exist", path.display()), make),
            (None, false) => Check::warn(name, format!("{} does not exist", path.display()), make),
        },
        Err(error) => Check::fail(name, error.to_string(), "restore it from its mnemonic: `clawrank keys import`"),
        // The key that is not signed with stays shut: nobody should be asked for its password.
        Ok(file) if !needed && file.encryption.is_some() => {
            Check::ok(name, format!("{}, encrypted, not opened", address.unwrap_or_default()))
        }
        Ok(file) => match open(args, wallet, slot) {
            Ok(found) if public.is_some_and(|public| public != found) => {
                let fix = "the public half is another key's: write it anew with `clawrank keys import --overwrite`";
                Check::fail(
                    name,
                    format!("{} is in the file, {} beside it", ss58::encode(&found), address.unwrap_or_default()),
                    fix,
                )
            }
            Ok(found) => {
                let how = if file.encryption.is_some() { "encrypted, opens" } else { "plain, private to its owner" };
                return (Check::ok(name, format!("{}, {how}", ss58::encode(&found))), Some(found));
            }
            Err(error) => {
                let (found, fix) = match &error {
                    WalletError::Exposed { path, mode } => (
                        format!("{} can be reached by other users (mode {mode:03o})", path.display()),
                        format!("chmod 600 {}", path.display()),
                    ),
                    WalletError::NoPassword { format, .. } => (
                        format!("is encrypted ({format}), and no password was given"),
                        "set BT_WALLET_PASSWORD or give --password-file".to_owned(),
                    ),
                    WalletError::WrongPassword { .. } => (
                        "the password does not open it".to_owned(),
                        "correct BT_WALLET_PASSWORD or --password-file".to_owned(),
                    ),
                    other => (other.to_string(), "restore it from its mnemonic: `clawrank keys import`".to_owned()),
                };
                if needed { Check::fail(name, found, fix) } else { Check::warn(name, found, fix) }
            }
        },
    };
    (check, public)
}

fn open(args: &WalletArgs, wallet: &Wallet, slot: Slot<'_>) -> Result<HotkeyId, WalletError> {
    let passwords = args.passwords().map_err(|error| WalletError::Io {
        path: args.password_file.clone().unwrap_or_default(),
        source: std::io::Error::other(error.to_string()),
    })?;
    wallet.read(slot, &passwords).map(|key| key.public())
}
