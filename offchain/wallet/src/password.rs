// SPDX-License-Identifier: Apache-2.0

use std::{fmt, io, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::WalletError;

/// Environment variable with the password of every encrypted key file.
pub const PASSWORD_ENV: &str = "BT_WALLET_PASSWORD";

/// Environment variable that names a file with the password.
pub const PASSWORD_FILE_ENV: &str = "BT_WALLET_PASSWORD_FILE";

/// Largest password file that is read, in bytes.
const MAX_PASSWORD_FILE_BYTES: usize = 4_096;

type Lookup = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;
type Ask = Box<dyn Fn(&Path) -> io::Result<SecretString> + Send + Sync>;

/// Where the password of an encrypted key file comes from.
///
/// In order: one that was given; `BT_WALLET_PASSWORD`; the file's own variable ([`password_variable`]); the file that
/// `BT_WALLET_PASSWORD_FILE` names; a person at a terminal. Only plain files need none.
#[derive(Default)]
pub struct Passwords {
    given: Option<SecretString>,
    lookup: Option<Lookup>,
    ask: Option<Ask>,
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").field("given", &self.given.is_some()).finish_non_exhaustive()
    }
}

impl Passwords {
    /// No password: only plain files can be read.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// From this process's environment.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// From variables that `lookup` finds by name.
    #[must_use]
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { lookup: Some(Box::new(lookup)), ..Self::default() }
    }

    /// One password for every file, before any other source.
    #[must_use]
    pub fn or_first(mut self, password: SecretString) -> Self {
        self.given = Some(password);
        self
    }

    /// The password in a file, before any other source.
    ///
    /// # Errors
    ///
    /// As [`read_password_file`].
    pub fn or_first_file(self, path: &Path) -> Result<Self, WalletError> {
        Ok(self.or_first(read_password_file(path)?))
    }

    /// Asks when no other source has a password; `ask` is given the file's path.
    #[must_use]
    pub fn or_ask(mut self, ask: impl Fn(&Path) -> io::Result<SecretString> + Send + Sync + 'static) -> Self {
        self.ask = Some(Box::new(ask));
        self
    }

    /// The password for a key file; `None` where no source has one.
    ///
    /// # Errors
    ///
    /// [`WalletError::BadPassword`] for a malformed variable, [`WalletError::Io`] for a password file or a terminal that
    /// cannot be read.
    pub fn password_of(&self, path: &Path) -> Result<Option<SecretString>, WalletError> {
        if let Some(given) = &self.given {
            return Ok(Some(given.clone()));
        }
        let lookup = |name: &str| self.lookup.as_ref().and_then(|find| find(name)).filter(|text| !text.is_empty());
        if let Some(password) = lookup(PASSWORD_ENV) {
            return Ok(Some(password.into()));
        }
        let variable = password_variable(path);
        if let Some(hidden) = lookup(&variable) {
            return reveal(&variable, &Zeroizing::new(hidden)).map(Some);
        }
        if let Some(file) = lookup(PASSWORD_FILE_ENV) {
            return read_password_file(Path::new(&file)).map(Some);
        }
        match &self.ask {
            Some(ask) => ask(path).map(Some).map_err(|source| WalletError::Io { path: path.to_owned(), source }),
            None => Ok(None),
        }
    }
}

/// The variable that may hold one file's password: `BT_PW_` and the path in capitals, `/` and `.` as `_`.
///
/// Its value is not plain text: see [`hide_password`].
#[must_use]
pub fn password_variable(path: &Path) -> String {
    format!("BT_PW_{}", path.to_string_lossy().replace([std::path::MAIN_SEPARATOR, '.'], "_").to_uppercase())
}

/// A password as the SDK writes it into a file's own variable: XOR with the variable's name, in base64. No encryption.
#[must_use]
pub fn hide_password(variable: &str, password: &SecretString) -> SecretString {
    let mixed = Zeroizing::new(mix(password.expose_secret().as_bytes(), variable));
    SecretString::from(STANDARD.encode(mixed.as_slice()))
}

fn reveal(variable: &str, hidden: &str) -> Result<SecretString, WalletError> {
    let bad = |why| WalletError::BadPassword { source_name: variable.to_owned(), why };
    let mixed = Zeroizing::new(
        STANDARD
            .decode(hidden.trim())
            .map_err(|_| bad("is not base64; let the SDK write it, or use BT_WALLET_PASSWORD"))?,
    );
    String::from_utf8(mix(&mixed, variable))
        .map(SecretString::from)
        .map_err(|_| bad("holds no password of this key file; let the SDK write it, or use BT_WALLET_PASSWORD"))
}

fn mix(bytes: &[u8], variable: &str) -> Vec<u8> {
    bytes.iter().zip(variable.bytes().cycle()).map(|(byte, mask)| byte ^ mask).collect()
}

/// The password in a file, less white space at both ends.
///
/// # Errors
///
/// [`WalletError::Io`], and [`WalletError::BadPassword`] for a file that is empty, too long, or no text.
pub fn read_password_file(path: &Path) -> Result<SecretString, WalletError> {
    let bad = |why| WalletError::BadPassword { source_name: path.display().to_string(), why };
    let bytes = crate::file::read_limited(path, MAX_PASSWORD_FILE_BYTES)?
        .ok_or_else(|| bad("is far too long for a password file; it holds one line"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| bad("is no text; a password file holds one line"))?.trim();
    if text.is_empty() {
        return Err(bad("is empty; a password file holds one line"));
    }
    Ok(SecretString::from(text))
}
