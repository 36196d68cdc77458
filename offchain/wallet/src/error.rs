// SPDX-License-Identifier: Apache-2.0

use std::path::PathBuf;

use clawrank_proof::ProofError;

use crate::{Encryption, PASSWORD_ENV, WALLETS_ENV};

/// Why a key cannot be read or written. Never holds any part of a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalletError {
    /// The file does not exist.
    #[error("{} does not exist; make it with `clawrank keys new`, or name another wallet or hotkey", path.display())]
    Missing {
        /// Which file.
        path: PathBuf,
    },
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
    /// A plain secret that others than its owner can read or write.
    #[error("{} holds a plain secret that other users can reach (mode {mode:03o}); run: chmod 600 {}", path.display(), path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is encrypted and nobody gave its password.
    #[error("{} is encrypted ({format}) and no password was given; set {PASSWORD_ENV} or {variable}, or name a password file", path.display())]
    NoPassword {
        /// Which file.
        path: PathBuf,
        /// How it is encrypted.
        format: Encryption,
        /// The file's own variable, see [`password_variable`](crate::password_variable).
        variable: String,
    },
    /// The password does not open the file, or the file was changed.
    #[error("the password does not open {} ({format}); if it is the right one, the file is damaged: restore it from a backup", path.display())]
    WrongPassword {
        /// Which file.
        path: PathBuf,
        /// How it is encrypted.
        format: Encryption,
    },
    /// A password that was given cannot be used.
    #[error("{source_name}: {why}")]
    BadPassword {
        /// The variable or file it came from.
        source_name: String,
        /// What is wrong with it.
        why: &'static str,
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
    #[error("{} holds the key of {found}, but says {stated}; restore it from a backup or its mnemonic", path.display())]
    AddressMismatch {
        /// Which file.
        path: PathBuf,
        /// Address of the key found.
        found: String,
        /// Address stated.
        stated: String,
    },
    /// The key is of another kind than sr25519.
    #[error("{} holds an ed25519 key (cryptoType 0), which cannot sign here; make an sr25519 key", path.display())]
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
    /// Deriving the key of an encrypted file needs 512 MiB, as the format prescribes.
    #[error("{} needs 512 MiB of memory to be opened or encrypted, which is not there", path.display())]
    NoMemory {
        /// Which file.
        path: PathBuf,
    },
}
