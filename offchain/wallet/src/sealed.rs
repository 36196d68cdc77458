// SPDX-License-Identifier: Apache-2.0

//! Encrypted key files: three formats to open, one to make.

mod ansible;
mod fernet;
mod nacl;

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// How a key file is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// XSalsa20-Poly1305 under an Argon2i key: header `$NACL`. What the SDK writes, and what is written here.
    Nacl,
    /// Ansible vault 1.1 or 1.2: header `$ANSIBLE_VAULT`. Only read.
    AnsibleVault,
    /// Fernet under a PBKDF2 key: header `gAAAAA`. Only read.
    Fernet,
}

impl Encryption {
    /// The format that the first bytes of a file announce; `None` for a plain file.
    #[must_use]
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        [(nacl::HEADER, Self::Nacl), (ansible::HEADER, Self::AnsibleVault), (fernet::HEADER, Self::Fernet)]
            .into_iter()
            .find_map(|(header, format)| bytes.starts_with(header).then_some(format))
    }
}

impl fmt::Display for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nacl => "NaCl secretbox",
            Self::AnsibleVault => "Ansible vault",
            Self::Fernet => "legacy Fernet",
        })
    }
}

/// Why an encrypted file does not open. The caller knows its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Its frame is broken: what is wrong, without any content.
    #[error("{0}")]
    Malformed(&'static str),
    /// The key does not fit, or the file was changed.
    #[error("the password does not fit")]
    WrongPassword,
    /// 512 MiB of memory are not there.
    #[error("512 MiB of memory are not there")]
    NoMemory,
    /// The operating system gives no randomness.
    #[error("no randomness from the operating system")]
    NoRandomness,
}

/// A key derived from a password, for one file. Wiped on drop.
pub struct SealKey(Zeroizing<[u8; SEAL_KEY_BYTES]>);

/// Bytes of the longest derived key, Ansible's; the others use the first 32.
pub const SEAL_KEY_BYTES: usize = 80;

impl SealKey {
    /// A key that was derived elsewhere.
    #[must_use]
    pub fn from_bytes(bytes: [u8; SEAL_KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    fn first<const N: usize>(&self) -> Zeroizing<[u8; N]> {
        self.part(0)
    }

    fn part<const N: usize>(&self, from: usize) -> Zeroizing<[u8; N]> {
        let mut out = Zeroizing::new([0u8; N]);
        for (slot, byte) in out.iter_mut().zip(self.0.iter().skip(from)) {
            *slot = *byte;
        }
        out
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

/// An encrypted key file whose frame was read.
#[derive(Debug)]
pub struct Sealed(Frame);

#[derive(Debug)]
enum Frame {
    Nacl(nacl::Frame),
    Ansible(ansible::Frame),
    Fernet(fernet::Frame),
}

impl Sealed {
    /// Reads the frame of an encrypted file; `None` for a plain one. Cheap: nothing is decrypted.
    ///
    /// # Errors
    ///
    /// [`SealError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, SealError> {
        Ok(match Encryption::detect(bytes) {
            Some(Encryption::Nacl) => Some(Self(Frame::Nacl(nacl::Frame::parse(bytes)?))),
            Some(Encryption::AnsibleVault) => Some(Self(Frame::Ansible(ansible::Frame::parse(bytes)?))),
            Some(Encryption::Fernet) => Some(Self(Frame::Fernet(fernet::Frame::parse(bytes)?))),
            None => None,
        })
    }

    /// How the file is encrypted.
    #[must_use]
    pub fn format(&self) -> Encryption {
        match self.0 {
            Frame::Nacl(_) => Encryption::Nacl,
            Frame::Ansible(_) => Encryption::AnsibleVault,
            Frame::Fernet(_) => Encryption::Fernet,
        }
    }

    /// Derives the key from a password: slow on purpose, seconds and 512 MiB for NaCl, seconds for Fernet.
    ///
    /// # Errors
    ///
    /// [`SealError::NoMemory`].
    pub fn derive(&self, password: &SecretString) -> Result<SealKey, SealError> {
        let password = password.expose_secret().as_bytes();
        match &self.0 {
            Frame::Nacl(_) => nacl::derive(password),
            Frame::Ansible(frame) => Ok(frame.derive(password)),
            Frame::Fernet(_) => Ok(fernet::derive(password)),
        }
    }

    /// What is inside.
    ///
    /// # Errors
    ///
    /// [`SealError::WrongPassword`]: the key does not fit, or the file was changed.
    pub fn open(&self, key: &SealKey) -> Result<Zeroizing<Vec<u8>>, SealError> {
        match &self.0 {
            Frame::Nacl(frame) => frame.open(key),
            Frame::Ansible(frame) => frame.open(key),
            Frame::Fernet(frame) => frame.open(key),
        }
    }
}

/// Encrypts the bytes of a key file as the SDK does: format [`Encryption::Nacl`].
///
/// # Errors
///
/// [`SealError::NoMemory`] and [`SealError::NoRandomness`].
pub fn seal(plain: &[u8], password: &SecretString) -> Result<Vec<u8>, SealError> {
    nacl::seal(plain, &nacl::derive(password.expose_secret().as_bytes())?)
}

/// As [`seal`], under a key that is already there.
///
/// # Errors
///
/// [`SealError::NoRandomness`].
pub fn seal_under(plain: &[u8], key: &SealKey) -> Result<Vec<u8>, SealError> {
    nacl::seal(plain, key)
}

#[cfg(test)]
mod tests;
