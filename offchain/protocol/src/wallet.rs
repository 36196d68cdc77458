// SPDX-License-Identifier: Apache-2.0

//! Bittensor wallets: `<wallets>/<name>/{coldkey, coldkeypub.txt, hotkeys/<hotkey>}`, and keys given as text.
//!
//! Plain key files are read in every form the SDK writes or accepts; encrypted ones are refused by naming their format.
//! New hotkeys are written as the SDK writes them, readable by their owner only. Secrets are wiped from memory after
//! use and appear in no `Debug` and no error.

mod create;
mod keyfile;
mod uri;

use std::path::{Path, PathBuf};

use clawrank_proof::{HotkeyId, Keypair, ProofError};

pub use create::{NewKey, Overwrite, generate_mnemonic};
pub use keyfile::{Encryption, parse_keyfile, parse_public_keyfile, read_keyfile};
pub use uri::keypair_from_uri;

/// Environment variable that names the folder of all wallets.
pub const WALLETS_ENV: &str = "BT_WALLET_PATH";

/// Why a key cannot be read or written. Never holds any part of a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalletError {
    /// The file cannot be read or written.
    #[error("cannot access {}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file exists and must not be replaced.
    #[error("{} exists; choose another name, or ask for it to be overwritten", path.display())]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// The file is encrypted.
    #[error("{} is encrypted ({format}); decrypt it with btcli, or use a hotkey that is not encrypted", path.display())]
    Encrypted {
        /// Which file.
        path: PathBuf,
        /// How.
        format: Encryption,
    },
    /// The file is no key file.
    #[error("{} is not a key file: {why}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong, without any content.
        why: &'static str,
    },
    /// The secret in the file belongs to another address than the file says.
    #[error("{} holds the key of {found}, but says {stated}; the file is damaged or not sr25519", path.display())]
    AddressMismatch {
        /// Which file.
        path: PathBuf,
        /// Address of the key found.
        found: String,
        /// Address stated.
        stated: String,
    },
    /// The key is of another kind than sr25519.
    #[error("{} holds an ed25519 key; only sr25519 keys can sign here", path.display())]
    NotSr25519 {
        /// Which file.
        path: PathBuf,
    },
    /// A wallet or hotkey name could leave its folder.
    #[error("`{name}` is no name of a wallet or hotkey; use letters, digits, `-`, `_` and `.`")]
    BadName {
        /// The name.
        name: String,
    },
    /// A key given as text is malformed.
    #[error("the key is malformed: {why}")]
    BadUri {
        /// What is wrong, without any content.
        why: &'static str,
    },
    /// The secret is out of range.
    #[error("the secret is no sr25519 key: {0}")]
    BadSecret(#[from] ProofError),
    /// Neither an environment variable nor a home folder says where wallets are.
    #[error("no home folder; set {WALLETS_ENV} to the folder of the wallets")]
    NoHome,
    /// The operating system gives no randomness.
    #[error("no randomness from the operating system")]
    NoRandomness,
}

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

    /// The wallet's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// File of the coldkey.
    pub fn coldkey_path(&self) -> PathBuf {
        self.folder.join("coldkey")
    }

    /// File of the coldkey's public half.
    pub fn coldkeypub_path(&self) -> PathBuf {
        self.folder.join("coldkeypub.txt")
    }

    /// File of a hotkey.
    ///
    /// # Errors
    ///
    /// [`WalletError::BadName`].
    pub fn hotkey_path(&self, hotkey: &str) -> Result<PathBuf, WalletError> {
        Ok(self.folder.join("hotkeys").join(safe(hotkey)?))
    }

    /// Reads a hotkey.
    ///
    /// # Errors
    ///
    /// As [`read_keyfile`], and [`WalletError::BadName`].
    pub fn hotkey(&self, hotkey: &str) -> Result<Keypair, WalletError> {
        read_keyfile(self.hotkey_path(hotkey)?)
    }

    /// Reads the coldkey, where it is not encrypted.
    ///
    /// # Errors
    ///
    /// As [`read_keyfile`].
    pub fn coldkey(&self) -> Result<Keypair, WalletError> {
        read_keyfile(self.coldkey_path())
    }

    /// The coldkey's public key, which is never encrypted.
    ///
    /// # Errors
    ///
    /// [`WalletError::Io`] and [`WalletError::Malformed`].
    pub fn coldkey_public(&self) -> Result<HotkeyId, WalletError> {
        let path = self.coldkeypub_path();
        let bytes = std::fs::read(&path).map_err(|source| WalletError::Io { path: path.clone(), source })?;
        parse_public_keyfile(&bytes, &path)
    }

    /// Names of the hotkeys, sorted; empty where there are none.
    ///
    /// # Errors
    ///
    /// [`WalletError::Io`].
    pub fn hotkeys(&self) -> Result<Vec<String>, WalletError> {
        let path = self.folder.join("hotkeys");
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(WalletError::Io { path, source }),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| WalletError::Io { path: path.clone(), source })?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_file() && safe(&name).is_ok() && !name.ends_with("pub.txt") {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Makes a hotkey from fresh randomness and writes its file, and the file of its public half.
    ///
    /// # Errors
    ///
    /// [`WalletError::Exists`] unless overwriting, [`WalletError::Io`], [`WalletError::BadName`] and
    /// [`WalletError::NoRandomness`].
    pub fn create_hotkey(&self, hotkey: &str, overwrite: Overwrite) -> Result<NewKey, WalletError> {
        create::create(&self.hotkey_path(hotkey)?, generate_mnemonic()?, overwrite)
    }

    /// Writes the hotkey of a known mnemonic.
    ///
    /// # Errors
    ///
    /// As [`create_hotkey`](Self::create_hotkey), and [`WalletError::BadUri`] for a bad mnemonic.
    pub fn import_hotkey(
        &self,
        hotkey: &str,
        mnemonic: secrecy::SecretString,
        overwrite: Overwrite,
    ) -> Result<NewKey, WalletError> {
        create::create(&self.hotkey_path(hotkey)?, mnemonic, overwrite)
    }

    /// Writes the hotkey of a derived key, which has no mnemonic of its own, as `privateKey`.
    ///
    /// # Errors
    ///
    /// As [`create_hotkey`](Self::create_hotkey).
    pub fn save_hotkey(&self, hotkey: &str, key: &Keypair, overwrite: Overwrite) -> Result<PathBuf, WalletError> {
        let path = self.hotkey_path(hotkey)?;
        create::save(&path, key, overwrite).map(|()| path)
    }
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
