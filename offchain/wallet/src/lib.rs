// SPDX-License-Identifier: Apache-2.0

//! Bittensor wallets: `<wallets>/<name>/{coldkey, coldkeypub.txt, hotkeys/<hotkey>}`, and keys given as text.
//!
//! Key files are read in every form the SDK writes or accepts, plain or encrypted, and written as the SDK writes them,
//! readable by their owner only. Secrets are wiped from memory after use and appear in no `Debug` and no error.

#![forbid(unsafe_code)]

mod error;
mod file;
mod keyfile;
mod password;
mod sealed;
mod uri;
mod write;

use std::path::{Path, PathBuf};

use clawrank_proof::{HotkeyId, Keypair};

pub use clawrank_proof as proof;
pub use error::WalletError;
pub use keyfile::{Inspection, inspect, parse_keyfile, parse_public_keyfile, read_keyfile, read_plain};
pub use password::{PASSWORD_ENV, PASSWORD_FILE_ENV, Passwords, hide_password, password_variable, read_password_file};
pub use sealed::{Encryption, SEAL_KEY_BYTES, SealError, SealKey, Sealed, seal, seal_under};
pub use uri::keypair_from_uri;
pub use write::{NewKey, Origin, Overwrite, Protection, generate_mnemonic};

/// Environment variable that names the folder of all wallets.
pub const WALLETS_ENV: &str = "BT_WALLET_PATH";

/// The folder of all wallets: `$BT_WALLET_PATH`, else `~/.bittensor/wallets`.
///
/// # Errors
///
/// [`WalletError::NoHome`].
pub fn wallets_folder() -> Result<PathBuf, WalletError> {
    if let Some(path) = std::env::var_os(WALLETS_ENV).filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty()).ok_or(WalletError::NoHome)?;
    Ok(home.join(".bittensor").join("wallets"))
}

/// Which key of a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot<'a> {
    /// The coldkey: owns, stakes, registers.
    Coldkey,
    /// The hotkey of this name: signs for a neuron.
    Hotkey(&'a str),
}

/// One wallet: a coldkey and its hotkeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet {
    folder: PathBuf,
}

impl Wallet {
    /// The wallet `name` in the folder of wallets. Nothing is read yet.
    ///
    /// # Errors
    ///
    /// [`WalletError::BadName`].
    pub fn new(wallets: impl AsRef<Path>, name: &str) -> Result<Self, WalletError> {
        Ok(Self { folder: wallets.as_ref().join(safe(name)?) })
    }

    /// Names of the wallets in a folder, sorted; empty where there is no such folder.
    ///
    /// # Errors
    ///
    /// [`WalletError::Io`].
    pub fn names(wallets: impl AsRef<Path>) -> Result<Vec<String>, WalletError> {
        let is_wallet = |path: &Path| path.join("coldkeypub.txt").is_file() || path.join("hotkeys").is_dir();
        names(wallets.as_ref(), |path| is_wallet(path) || path.join("coldkey").is_file())
    }

    /// The wallet's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// File of a key.
    ///
    /// # Errors
    ///
    /// [`WalletError::BadName`].
    pub fn path(&self, slot: Slot<'_>) -> Result<PathBuf, WalletError> {
        Ok(match slot {
            Slot::Coldkey => self.folder.join("coldkey"),
            Slot::Hotkey(name) => self.folder.join("hotkeys").join(safe(name)?),
        })
    }

    /// File of a key's public half, which is never encrypted.
    ///
    /// # Errors
    ///
    /// [`WalletError::BadName`].
    pub fn public_path(&self, slot: Slot<'_>) -> Result<PathBuf, WalletError> {
        let mut path = self.path(slot)?.into_os_string();
        path.push("pub.txt");
        Ok(path.into())
    }

    /// Reads a key.
    ///
    /// # Errors
    ///
    /// As [`read_keyfile`], and [`WalletError::BadName`].
    pub fn read(&self, slot: Slot<'_>, passwords: &Passwords) -> Result<Keypair, WalletError> {
        read_keyfile(self.path(slot)?, passwords)
    }

    /// A key's public half: from its public file, else from the address that a plain key file states.
    ///
    /// # Errors
    ///
    /// [`WalletError::Missing`], [`WalletError::Io`], [`WalletError::Malformed`] and [`WalletError::BadName`].
    pub fn public(&self, slot: Slot<'_>) -> Result<HotkeyId, WalletError> {
        let public = keyfile::read_public(&self.public_path(slot)?);
        match public {
            Err(WalletError::Missing { path: missing }) => {
                let path = self.path(slot)?;
                let plain = inspect(&path).is_ok_and(|file| file.encryption.is_none());
                if plain { keyfile::read_public(&path) } else { Err(WalletError::Missing { path: missing }) }
            }
            other => other,
        }
    }

    /// Names of the hotkeys, sorted; empty where there are none.
    ///
    /// # Errors
    ///
    /// [`WalletError::Io`].
    pub fn hotkeys(&self) -> Result<Vec<String>, WalletError> {
        let mut names = names(&self.folder.join("hotkeys"), Path::is_file)?;
        names.retain(|name| !name.ends_with("pub.txt"));
        Ok(names)
    }

    /// Writes a key, and the file of its public half.
    ///
    /// # Errors
    ///
    /// [`WalletError::Exists`] unless overwriting, [`WalletError::BadUri`] for a bad mnemonic or seed,
    /// [`WalletError::Io`], [`WalletError::BadName`], [`WalletError::NoRandomness`] and [`WalletError::NoMemory`].
    pub fn write(
        &self,
        slot: Slot<'_>,
        origin: &Origin,
        protection: &Protection,
        overwrite: Overwrite,
    ) -> Result<NewKey, WalletError> {
        write::write_key(&self.path(slot)?, origin, protection, overwrite)
    }

    /// Writes a key's file anew under another protection: encrypts it, decrypts it, or changes its password.
    ///
    /// # Errors
    ///
    /// As [`read_keyfile`] and [`write`](Self::write). The old file stays until the new one is whole and on disk.
    pub fn protect(
        &self,
        slot: Slot<'_>,
        passwords: &Passwords,
        protection: &Protection,
    ) -> Result<NewKey, WalletError> {
        let path = self.path(slot)?;
        let plain = read_plain(&path, passwords)?;
        let public = parse_keyfile(&plain, &path)?.public();
        write::write_secret(&path, &plain, protection, Overwrite::Replace)?;
        Ok(NewKey { path, public })
    }
}

/// Names of the entries of a folder that `wanted` accepts, sorted.
fn names(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<String>, WalletError> {
    let io = |source| WalletError::Io { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(io)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if safe(&name).is_ok() && wanted(&entry.path()) {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// A name that stays inside its folder and names no hidden file.
fn safe(name: &str) -> Result<&str, WalletError> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if name.is_empty() || name.len() > 128 || name.starts_with('.') || !name.chars().all(plain) {
        return Err(WalletError::BadName { name: name.into() });
    }
    Ok(name)
}

#[cfg(test)]
mod tests;
