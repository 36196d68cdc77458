// SPDX-License-Identifier: Apache-2.0
//! Coldkeys and hotkeys: make, import, show, list, encrypt, decrypt.

use std::path::PathBuf;

use clap::Args;
use clawrank_protocol::proof::ss58;
use clawrank_wallet::{
    NewKey, Origin, Overwrite, Passwords, Protection, Slot, Wallet, WalletError, generate_mnemonic, inspect,
    keypair_from_uri, read_keyfile, read_password_file,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;

use crate::{
    chain::{WalletArgs, expand, wallet_error},
    error::CliError,
    output::{Output, line, table},
    prompt,
};

/// Which key of which wallet.
#[derive(Debug, Args)]
pub(crate) struct WhichArgs {
    #[command(flatten)]
    wallet: WalletArgs,
    /// The wallet's coldkey instead of a hotkey.
    #[arg(long)]
    coldkey: bool,
}

impl WhichArgs {
    fn slot(&self) -> Slot<'_> {
        if self.coldkey { Slot::Coldkey } else { Slot::Hotkey(&self.wallet.wallet_hotkey) }
    }

    fn kind(&self) -> &'static str {
        if self.coldkey { "coldkey" } else { "hotkey" }
    }

    /// The wallet, for a command that needs a file.
    fn file_wallet(&self) -> Result<Wallet, CliError> {
        match self.wallet.dev_key {
            Some(_) => Err(CliError::input("--dev-key", "a development key needs no file; leave the flag out")),
            None => self.wallet.wallet(),
        }
    }
}

/// How a key is written.
#[derive(Debug, Args)]
pub(crate) struct WriteArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// Encrypts the key, as is done with coldkeys anyhow.
    #[arg(long, conflicts_with = "plain")]
    encrypt: bool,
    /// Writes the key without encryption, as is done with hotkeys anyhow.
    #[arg(long)]
    plain: bool,
    /// Replaces a key that is there. The old key is gone for good.
    #[arg(long)]
    overwrite: bool,
}

impl WriteArgs {
    fn protection(&self) -> Result<Protection, CliError> {
        if self.plain || !(self.encrypt || self.which.coldkey) {
            return Ok(Protection::Plain);
        }
        let path = self.which.file_wallet()?.path(self.which.slot()).map_err(wallet_error)?;
        new_password(&self.which.wallet.passwords_or(prompt::new_password)?, &path).map(Protection::Password)
    }

    fn overwrite(&self) -> Overwrite {
        if self.overwrite { Overwrite::Replace } else { Overwrite::Never }
    }

    fn write(&self, origin: &Origin) -> Result<(NewKey, Protection), CliError> {
        let wallet = self.which.file_wallet()?;
        let slot = self.which.slot();
        let path = wallet.path(slot).map_err(wallet_error)?;
        if !self.overwrite && path.exists() {
            return Err(wallet_error(WalletError::Exists { path }));
        }
        let protection = self.protection()?;
        let made = wallet.write(slot, origin, &protection, self.overwrite()).map_err(wallet_error)?;
        Ok((made, protection))
    }
}

/// A new key.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    #[command(flatten)]
    write: WriteArgs,
    /// Number of words of the mnemonic.
    #[arg(long, default_value = "12", value_parser = ["12", "24"])]
    words: String,
}

/// A known key.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    write: WriteArgs,
    /// File with a mnemonic of 12 to 24 words; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed_file", "key_file"])]
    mnemonic_file: Option<PathBuf>,
    /// File with a seed of 32 bytes in hexadecimal digits; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "key_file")]
    seed_file: Option<PathBuf>,
    /// A key file of any format that Bittensor's tools have written.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// Which key to show.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// Opens the key's file too, with its password, and checks that it holds the key of this address.
    #[arg(long)]
    check: bool,
}

/// Which wallets to list.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Folder of wallets.
    #[arg(long, env = "BT_WALLET_PATH", default_value = "~/.bittensor/wallets", value_name = "DIR")]
    wallet_path: String,
}

/// Which key to encrypt.
#[derive(Debug, Args)]
pub(crate) struct EncryptArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// File with the new password of a key that is encrypted already.
    #[arg(long, value_name = "FILE")]
    new_password_file: Option<PathBuf>,
}

/// Which development wallets.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// Folder for the wallets; each is called miner-N, validator-N or owner, its hotkey `default`.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Number of miners.
    #[arg(long, default_value_t = 16)]
    miners: u16,
    /// Number of validators.
    #[arg(long, default_value_t = 3)]
    validators: u16,
}

/// `keys new`.
pub(super) fn new(args: &NewArgs, output: Output) -> Result<(), CliError> {
    let mnemonic = generate_mnemonic(args.words == "24").map_err(wallet_error)?;
    let (made, protection) = args.write.write(&Origin::Mnemonic(mnemonic.clone()))?;
    let words = mnemonic.expose_secret();
    if output.json {
        let mut report = written(&args.write.which, &made, &protection);
        if let Some(report) = report.as_object_mut() {
            report.insert("mnemonic".to_owned(), json!(words));
        }
        return output.json(&report);
    }
    print_written(&args.write.which, &made, &protection)?;
    line(&format!("mnemonic  {words}"))?;
    line("Write the mnemonic down: it is not shown again, and it is the only way back to this key.")
}

/// `keys import`.
pub(super) fn import(args: &ImportArgs, output: Output) -> Result<(), CliError> {
    let text = |path: &PathBuf| crate::config::read_text(path).map(SecretString::from);
    let origin = if let Some(path) = &args.mnemonic_file {
        Origin::Mnemonic(text(path)?)
    } else if let Some(path) = &args.seed_file {
        Origin::Seed(text(path)?)
    } else if let Some(path) = &args.key_file {
        let passwords = args.write.which.wallet.passwords()?;
        Origin::Key(read_keyfile(path, &passwords).map_err(wallet_error)?)
    } else {
        let asked = prompt::secret("Mnemonic or seed: ")
            .ok_or_else(|| CliError::input("keys import", "needs --mnemonic-file, --seed-file or --key-file"))?
            .map_err(|e| CliError::input("terminal", e.to_string()))?;
        let is_seed = !asked.expose_secret().trim().contains(char::is_whitespace);
        if is_seed { Origin::Seed(asked) } else { Origin::Mnemonic(asked) }
    };
    let (made, protection) = args.write.write(&origin)?;
    if output.json {
        return output.json(&written(&args.write.which, &made, &protection));
    }
    print_written(&args.write.which, &made, &protection)
}

/// `keys show`.
pub(super) fn show(args: &ShowArgs, output: Output) -> Result<(), CliError> {
    let which = &args.which;
    if which.wallet.dev_key.is_some() {
        let address = ss58::encode(&which.wallet.hotkey()?.public());
        return if output.json { output.json(&json!({ "ss58": address })) } else { line(&address) };
    }
    let (wallet, slot) = (which.wallet.wallet()?, which.slot());
    let public = wallet.public(slot).map_err(wallet_error)?;
    let address = ss58::encode(&public);
    let path = wallet.path(slot).map_err(wallet_error)?;
    if args.check {
        let found = wallet.read(slot, &which.wallet.passwords()?).map_err(wallet_error)?.public();
        if found != public {
            let (found, stated) = (ss58::encode(&found), address);
            return Err(wallet_error(WalletError::AddressMismatch { path, found, stated }));
        }
    }
    if !output.json {
        return line(&address);
    }
    let encryption = inspect(&path).ok().and_then(|file| file.encryption).map(|format| format.to_string());
    output.json(&json!({ "ss58": address, "file": path, "encryption": encryption, "checked": args.check }))
}

/// `keys encrypt`.
pub(super) fn encrypt(args: &EncryptArgs, output: Output) -> Result<(), CliError> {
    let (wallet, slot) = (args.which.file_wallet()?, args.which.slot());
    let path = wallet.path(slot).map_err(wallet_error)?;
    let encrypted = inspect(&path).map_err(wallet_error)?.encryption.is_some();
    let new = match &args.new_password_file {
        Some(file) => strong(read_password_file(file).map_err(wallet_error)?)?,
        None if encrypted => {
            return Err(CliError::input(
                path.display().to_string(),
                "is encrypted already; --new-password-file changes its password",
            ));
        }
        None => new_password(&args.which.wallet.passwords_or(prompt::new_password)?, &path)?,
    };
    let old = if encrypted { args.which.wallet.passwords()? } else { Passwords::none() };
    protect(&args.which, &wallet, &old, &Protection::Password(new), output)
}

/// `keys decrypt`.
pub(super) fn decrypt(which: &WhichArgs, output: Output) -> Result<(), CliError> {
    let wallet = which.file_wallet()?;
    protect(which, &wallet, &which.wallet.passwords()?, &Protection::Plain, output)
}

fn protect(
    which: &WhichArgs,
    wallet: &Wallet,
    old: &Passwords,
    new: &Protection,
    output: Output,
) -> Result<(), CliError> {
    let made = wallet.protect(which.slot(), old, new).map_err(wallet_error)?;
    if output.json { output.json(&written(which, &made, new)) } else { print_written(which, &made, new) }
}

/// One key in the list.
#[derive(Debug, Serialize)]
struct Listed {
    wallet: String,
    key: String,
    ss58: Option<String>,
    encryption: Option<String>,
    #[serde(skip)]
    secret_is_here: bool,
    problem: Option<String>,
}

/// `keys list`.
pub(super) fn list(args: &ListArgs, output: Output) -> Result<(), CliError> {
    let folder = expand(&args.wallet_path);
    let mut keys = Vec::new();
    for name in Wallet::names(&folder).map_err(wallet_error)? {
        let wallet = Wallet::new(&folder, &name).map_err(wallet_error)?;
        let hotkeys = wallet.hotkeys().map_err(wallet_error)?;
        keys.push(listed(&wallet, &name, "coldkey", Slot::Coldkey)?);
        for hotkey in &hotkeys {
            keys.push(listed(&wallet, &name, hotkey, Slot::Hotkey(hotkey))?);
        }
    }
    if output.json {
        return output.json(&keys);
    }
    if keys.is_empty() {
        return line(&format!("no wallets in {}; make one with `clawrank keys new`", folder.display()));
    }
    let dash = || "-".to_owned();
    let rows = keys
        .into_iter()
        .map(|key| {
            let plain = if key.secret_is_here { "plain" } else { "-" };
            let protection = key.encryption.unwrap_or_else(|| plain.to_owned());
            vec![key.wallet, key.key, key.ss58.unwrap_or_else(dash), protection, key.problem.unwrap_or_default()]
        })
        .collect();
    line(&table(&["wallet", "key", "address", "protection", "note"], 5, rows).to_string())
}

fn listed(wallet: &Wallet, name: &str, key: &str, slot: Slot<'_>) -> Result<Listed, CliError> {
    let path = wallet.path(slot).map_err(wallet_error)?;
    let (public, file) = (wallet.public(slot), inspect(&path));
    let problem = match (&public, &file) {
        (Ok(_), Err(WalletError::Missing { .. })) if slot == Slot::Coldkey => {
            Some("only its public half is here".to_owned())
        }
        (Err(_), Err(WalletError::Missing { .. })) if slot == Slot::Coldkey => Some("none is here".to_owned()),
        (_, Err(error)) | (Err(error), _) => Some(error.to_string()),
        (_, Ok(file)) if file.is_exposed() => Some(format!("others can reach it; run: chmod 600 {}", path.display())),
        _ => None,
    };
    Ok(Listed {
        wallet: name.to_owned(),
        key: key.to_owned(),
        ss58: public.ok().map(|public| ss58::encode(&public)),
        secret_is_here: file.is_ok(),
        encryption: file.ok().and_then(|file| file.encryption).map(|format| format.to_string()),
        problem,
    })
}

fn written(which: &WhichArgs, made: &NewKey, protection: &Protection) -> serde_json::Value {
    json!({
        "ss58": ss58::encode(&made.public),
        "kind": which.kind(),
        "file": made.path,
        "encrypted": matches!(protection, Protection::Password(_)),
    })
}

fn print_written(which: &WhichArgs, made: &NewKey, protection: &Protection) -> Result<(), CliError> {
    line(&format!("{:<9} {}", which.kind(), ss58::encode(&made.public)))?;
    let how = match protection {
        Protection::Plain => "not encrypted; only its owner can read it",
        Protection::Password(_) => "encrypted",
    };
    line(&format!("file      {} ({how})", made.path.display()))
}

/// A password for a file that is to be encrypted.
fn new_password(passwords: &Passwords, path: &std::path::Path) -> Result<SecretString, CliError> {
    let password = passwords.password_of(path).map_err(wallet_error)?.ok_or_else(|| {
        CliError::input(
            "password",
            "none was given; use --password-file or BT_WALLET_PASSWORD, or write the key with --plain",
        )
    })?;
    strong(password)
}

/// Refuses what can be guessed by trying.
fn strong(password: SecretString) -> Result<SecretString, CliError> {
    const LEAST: usize = 8;
    if password.expose_secret().chars().count() < LEAST {
        return Err(CliError::input(
            "password",
            format!("is too short to protect a key; use {LEAST} characters or more"),
        ));
    }
    Ok(password)
}

/// `keys dev`.
pub(super) fn dev(args: &DevArgs, output: Output) -> Result<(), CliError> {
    let roles = (0..args.miners)
        .map(|n| (format!("miner-{n}"), format!("//miner//{n}")))
        .chain((0..args.validators).map(|n| (format!("validator-{n}"), format!("//validator//{n}"))))
        .chain([("owner".to_owned(), "//owner".to_owned())]);
    let mut rows = Vec::new();
    for (name, uri) in roles {
        let keypair = keypair_from_uri(&uri.as_str().into()).map_err(wallet_error)?;
        // What is replaced here is a development key: its secret is public, and the same as before.
        let wallet = Wallet::new(&args.out, &name).map_err(wallet_error)?;
        let origin = Origin::Key(keypair.clone());
        wallet.write(Slot::Hotkey("default"), &origin, &Protection::Plain, Overwrite::Replace).map_err(wallet_error)?;
        rows.push(vec![name, uri, ss58::encode(&keypair.public())]);
    }
    if output.json {
        let list: Vec<_> =
            rows.iter().map(|row| json!({ "wallet": row.first(), "uri": row.get(1), "ss58": row.get(2) })).collect();
        return output.json(&list);
    }
    line(&table(&["wallet", "uri", "hotkey"], 3, rows).to_string())
}
