// SPDX-License-Identifier: Apache-2.0
//! Questions to a person at a terminal. Where nobody sits, nothing is asked.

use std::{
    io::{self, IsTerminal},
    path::Path,
};

use secrecy::{ExposeSecret, SecretString};

/// Asks for a secret, which is not echoed; `None` where standard input is no terminal.
pub(crate) fn secret(question: &str) -> Option<io::Result<SecretString>> {
    io::stdin().is_terminal().then(|| rpassword::prompt_password(question).map(SecretString::from))
}

/// Asks for the password of a key file.
pub(crate) fn password(path: &Path) -> io::Result<SecretString> {
    rpassword::prompt_password(format!("Password of {}: ", path.display())).map(SecretString::from)
}

/// Asks twice for a password for a key file.
pub(crate) fn new_password(path: &Path) -> io::Result<SecretString> {
    let first = rpassword::prompt_password(format!("New password for {}: ", path.display())).map(SecretString::from)?;
    let again = rpassword::prompt_password("The same again: ").map(SecretString::from)?;
    if first.expose_secret() == again.expose_secret() {
        Ok(first)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "the two passwords differ; nothing was written"))
    }
}
