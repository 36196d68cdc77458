// SPDX-License-Identifier: Apache-2.0

use std::path::Path;

use clawrank_proof::{HotkeyId, Keypair, ss58};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::{
    Encryption, Passwords, SealError, Sealed, WalletError,
    file::{mode, read_limited},
    password_variable,
    uri::{keypair, seed_of_hex, seed_of_phrase},
};

/// Largest key file that is read, in bytes.
const MAX_KEYFILE_BYTES: usize = 64 * 1_024;

/// The JSON of a key file. Its secrets are wiped on drop.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Fields {
    #[serde(deserialize_with = "secret")]
    secret_phrase: Option<Zeroizing<String>>,
    #[serde(deserialize_with = "secret")]
    secret_seed: Option<Zeroizing<String>>,
    #[serde(deserialize_with = "secret")]
    private_key: Option<Zeroizing<String>>,
    public_key: Option<String>,
    // Old files have the key with a space in front.
    #[serde(alias = " ss58Address")]
    ss58_address: Option<String>,
    #[serde(deserialize_with = "crypto_type")]
    crypto_type: Option<u8>,
}

/// Text that is wiped on drop.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Zeroizing<String>>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Zeroizing::new))
}

/// A number, or a number as text; anything else counts as not given.
fn crypto_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u8),
        Text(String),
    }
    Ok(match Option::<Either>::deserialize(deserializer)? {
        Some(Either::Number(number)) => Some(number),
        Some(Either::Text(text)) => text.trim().parse().ok(),
        None => None,
    })
}

const ED25519: u8 = 0;

/// What can be told of a key file without its password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// How it is encrypted; `None` for a plain file.
    pub encryption: Option<Encryption>,
    /// Its permission bits, where the system has them.
    pub mode: Option<u32>,
}

impl Inspection {
    /// Whether others than its owner can reach it.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        self.mode.is_some_and(|mode| mode & 0o077 != 0)
    }
}

/// Looks at a key file without opening it.
///
/// # Errors
///
/// [`WalletError::Missing`], [`WalletError::Io`], and [`WalletError::Malformed`] for a broken frame.
pub fn inspect(path: impl AsRef<Path>) -> Result<Inspection, WalletError> {
    let path = path.as_ref();
    let bytes = read_bytes(path)?;
    let sealed = Sealed::parse(&bytes).map_err(|error| sealed_error(error, path, Encryption::Nacl))?;
    Ok(Inspection { encryption: sealed.map(|sealed| sealed.format()), mode: mode(path) })
}

/// Reads a key file, encrypted or not.
///
/// # Errors
///
/// As [`read_plain`] and [`parse_keyfile`].
pub fn read_keyfile(path: impl AsRef<Path>, passwords: &Passwords) -> Result<Keypair, WalletError> {
    let path = path.as_ref();
    parse_keyfile(&read_plain(path, passwords)?, path)
}

/// The plain bytes of a key file, encrypted or not.
///
/// # Errors
///
/// - [`WalletError::Missing`], [`WalletError::Io`].
/// - [`WalletError::Exposed`]: it is plain, and others than its owner can reach it.
/// - [`WalletError::NoPassword`], [`WalletError::WrongPassword`], [`WalletError::BadPassword`],
///   [`WalletError::NoMemory`]: it is encrypted and cannot be opened.
/// - [`WalletError::Malformed`]: it is far too long, or its encryption is damaged.
pub fn read_plain(path: &Path, passwords: &Passwords) -> Result<Zeroizing<Vec<u8>>, WalletError> {
    let bytes = read_bytes(path)?;
    if Encryption::detect(&bytes).is_some() {
        return open(&bytes, path, passwords);
    }
    match mode(path) {
        Some(mode) if mode & 0o077 != 0 => Err(WalletError::Exposed { path: path.to_owned(), mode }),
        _ => Ok(bytes),
    }
}

fn read_bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, WalletError> {
    read_limited(path, MAX_KEYFILE_BYTES)?
        .ok_or_else(|| WalletError::Malformed { path: path.to_owned(), why: "it is far too long" })
}

/// Opens the bytes of an encrypted key file; plain bytes are given back.
fn open(bytes: &[u8], path: &Path, passwords: &Passwords) -> Result<Zeroizing<Vec<u8>>, WalletError> {
    let format = Encryption::detect(bytes).unwrap_or(Encryption::Nacl);
    let failed = |error| sealed_error(error, path, format);
    let Some(sealed) = Sealed::parse(bytes).map_err(failed)? else { return Ok(Zeroizing::new(bytes.to_vec())) };
    let password = passwords.password_of(path)?.ok_or_else(|| WalletError::NoPassword {
        path: path.to_owned(),
        format,
        variable: password_variable(path),
    })?;
    sealed.derive(&password).and_then(|key| sealed.open(&key)).map_err(failed)
}

fn sealed_error(error: SealError, path: &Path, format: Encryption) -> WalletError {
    let path = path.to_owned();
    match error {
        SealError::Malformed(why) => WalletError::Malformed { path, why },
        SealError::WrongPassword => WalletError::WrongPassword { path, format },
        SealError::NoMemory => WalletError::NoMemory { path },
        SealError::NoRandomness => WalletError::NoRandomness,
    }
}

/// The key in the plain bytes of a key file; `path` is only for errors.
///
/// JSON gives its secret as `secretPhrase`, else `secretSeed`, else `privateKey`, and is checked against the address it
/// states. A file may also hold nothing but a hexadecimal seed or a mnemonic.
///
/// # Errors
///
/// - [`WalletError::NoPassword`]: the bytes are still encrypted.
/// - [`WalletError::Malformed`]: they hold no usable secret.
/// - [`WalletError::AddressMismatch`], [`WalletError::NotSr25519`]: the secret is of another key than they state.
pub fn parse_keyfile(bytes: &[u8], path: &Path) -> Result<Keypair, WalletError> {
    let malformed = |why| WalletError::Malformed { path: path.to_owned(), why };
    if let Some(format) = Encryption::detect(bytes) {
        let variable = password_variable(path);
        return Err(WalletError::NoPassword { path: path.to_owned(), format, variable });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is neither text nor encrypted in a known way"))?;
    let text = text.trim();
    if !text.starts_with('{') {
        return bare(text).map_err(malformed);
    }
    let fields: Fields =
        serde_json::from_str(text).map_err(|_| malformed("its JSON is broken or a field has another type"))?;
    let stated = fields.stated().map_err(malformed)?;
    let found = fields.key(stated.as_ref());
    // An ed25519 file is told apart by its address, as the SDK does; its type counts where it states none.
    let ed25519 = fields.crypto_type == Some(ED25519);
    match (found, stated) {
        (Ok(key), Some(stated)) if stated == key.public() => Ok(key),
        (Ok(key), None) if !ed25519 => Ok(key),
        (_, _) if ed25519 => Err(WalletError::NotSr25519 { path: path.to_owned() }),
        (Ok(key), Some(stated)) => Err(WalletError::AddressMismatch {
            path: path.to_owned(),
            found: ss58::encode(&key.public()),
            stated: ss58::encode(&stated),
        }),
        (Ok(key), None) => Ok(key),
        (Err(why), _) => Err(malformed(why)),
    }
}

/// The key of a file that is no JSON.
fn bare(text: &str) -> Result<Keypair, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.starts_with('$') {
        return Err("it starts with `$`, but neither with `$NACL` nor `$ANSIBLE_VAULT`: its encryption is unknown");
    }
    let seed = match seed_of_hex(text)? {
        Some(seed) => seed,
        None => seed_of_phrase(text, "").map_err(|_| "it is neither JSON nor a seed nor a valid mnemonic")?,
    };
    keypair(&seed)
}

/// The public key in the bytes of a public key file, or of a plain key file that states its address.
///
/// # Errors
///
/// [`WalletError::Malformed`].
pub fn parse_public_keyfile(bytes: &[u8], path: &Path) -> Result<HotkeyId, WalletError> {
    let malformed = |why| WalletError::Malformed { path: path.to_owned(), why };
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not text"))?.trim();
    if !text.starts_with('{') {
        return ss58::decode(text).map_err(|_| malformed("it is neither JSON nor an address"));
    }
    let fields: Fields =
        serde_json::from_str(text).map_err(|_| malformed("its JSON is broken or a field has another type"))?;
    fields.stated().map_err(malformed)?.ok_or_else(|| malformed("it has neither ss58Address nor publicKey"))
}

/// Reads a file of [`parse_public_keyfile`].
pub(crate) fn read_public(path: &Path) -> Result<HotkeyId, WalletError> {
    parse_public_keyfile(&read_bytes(path)?, path)
}

impl Fields {
    /// The key of the first secret there is.
    fn key(&self, stated: Option<&HotkeyId>) -> Result<Keypair, &'static str> {
        if let Some(phrase) = given_secret(&self.secret_phrase) {
            keypair(&*seed_of_phrase(phrase, "")?)
        } else if let Some(seed) = given_secret(&self.secret_seed) {
            keypair(&*seed_of_hex(seed)?.ok_or("its secretSeed is not 32 bytes of hexadecimal text")?)
        } else if let Some(secret) = given_secret(&self.private_key) {
            expanded(secret, stated)
        } else {
            Err("it has no secretPhrase, secretSeed or privateKey; it may be the public half")
        }
    }

    /// The key that the file says it is of.
    fn stated(&self) -> Result<Option<HotkeyId>, &'static str> {
        if let Some(address) = given(&self.ss58_address) {
            return ss58::decode(address).map(Some).map_err(|_| "its ss58Address is no address of this network");
        }
        given(&self.public_key)
            .map(|text| {
                let mut key = HotkeyId::default();
                hex::decode_to_slice(text.trim_start_matches("0x"), &mut key)
                    .map(|()| key)
                    .map_err(|_| "its publicKey is not 32 bytes of hexadecimal text")
            })
            .transpose()
    }
}

fn given(field: &Option<String>) -> Option<&str> {
    field.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn given_secret(field: &Option<Zeroizing<String>>) -> Option<&str> {
    field.as_ref().map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// A key from 64 expanded bytes, in whichever of their two forms gives the stated key.
fn expanded(text: &str, stated: Option<&HotkeyId>) -> Result<Keypair, &'static str> {
    let stated = stated.ok_or("its privateKey cannot be checked without ss58Address or publicKey")?;
    let mut bytes = Zeroizing::new([0u8; 64]);
    hex::decode_to_slice(text.trim_start_matches("0x"), bytes.as_mut_slice())
        .map_err(|_| "its privateKey is not 64 bytes of hexadecimal text")?;
    Keypair::from_expanded_secret(&bytes, stated).map_err(|_| "its privateKey is not the key of its address")
}
