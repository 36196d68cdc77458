// SPDX-License-Identifier: Apache-2.0
//! Accounts from what an operator types.

use crate::SpecError;
use clawrank_runtime::{AccountId, genesis::keys::Role};
use sp_core::{Pair, crypto::Ss58Codec, sr25519};

/// The account of an SS58 address, of `0x` and 64 hex digits, or of a secret URI (`//owner//cold`).
///
/// # Errors
///
/// [`SpecError::BadAccount`] with the flag's `name`. A value that may be a secret phrase is not repeated in it.
pub fn parse_account(name: &'static str, value: &str) -> Result<AccountId, SpecError> {
    let value = value.trim();
    if value.starts_with("0x") && value.len() == 66 && value.bytes().skip(2).all(|b| b.is_ascii_hexdigit()) {
        let mut bytes = [0u8; 32];
        for (byte, digits) in bytes.iter_mut().zip(value.as_bytes().chunks_exact(2).skip(1)) {
            let digits = core::str::from_utf8(digits).unwrap_or_default();
            *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
        }
        return Ok(AccountId::from(bytes));
    }
    if let Ok(account) = AccountId::from_ss58check(value) {
        return Ok(account);
    }
    let is_uri = value.starts_with("//") || value.contains(' ');
    match sr25519::Pair::from_string(value, None) {
        Ok(pair) if is_uri => Ok(AccountId::from(pair.public())),
        _ => {
            let shown = if value.contains(' ') { "<phrase>" } else { value };
            Err(SpecError::BadAccount { name, value: shown.to_owned() })
        }
    }
}

/// The hotkey and the coldkey of a role below a secret prefix (`""` for the development phrase).
///
/// # Errors
///
/// [`SpecError::BadSeedPrefix`] when nothing can be derived from the prefix.
pub fn role_accounts(prefix: &str, role: Role) -> Result<(AccountId, AccountId), SpecError> {
    if prefix.is_empty() {
        return Ok((role.hotkey(), role.coldkey()));
    }
    let derive = |path: String| {
        sr25519::Pair::from_string(&format!("{prefix}{path}"), None)
            .map(|pair| AccountId::from(pair.public()))
            .map_err(|_| SpecError::BadSeedPrefix)
    };
    Ok((derive(role.hotkey_path())?, derive(role.coldkey_path())?))
}
