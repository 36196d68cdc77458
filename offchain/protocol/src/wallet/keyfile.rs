// SPDX-License-Identifier: Apache-2.0

use std::{fmt, io::Read, path::Path};

use clawrank_proof::{HotkeyId, Keypair, ss58};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::{
    WalletError,
    uri::{seed_of_hex, seed_of_phrase},
};

/// Largest key file that is read, in bytes.
const MAX_KEYFILE_BYTES: u64 = 64 * 1_024;

/// How a key file is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// XSalsa20-Poly1305 under an Argon2i key: header `$NACL`.
    Nacl,
    /// Ansible vault: header `$ANSIBLE_VAULT`.
    AnsibleVault,
    /// Fernet under a PBKDF2 key: header `gAAAAA`.
    Fernet,
}

impl Encryption {
    fn detect(bytes: &[u8]) -> Option<Self> {
        [(&b"$NACL"[..], Self::Nacl), (b"$ANSIBLE_VAULT", Self::AnsibleVault), (b"gAAAAA", Self::Fernet)]
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

const SR25519: u8 = 1;

/// Reads a plain key file.
///
/// # Errors
///
/// As [`parse_keyfile`], and [`WalletError::Io`].
pub fn read_keyfile(path: impl AsRef<Path>) -> Result<Keypair, WalletError> {
    let path = path.as_ref();
    let io = |source| WalletError::Io { path: path.to_owned(), source };
    let mut bytes = Zeroizing::new(Vec::with_capacity(4_096));
    let file = std::fs::File::open(path).map_err(io)?;
    file.take(MAX_KEYFILE_BYTES.saturating_add(1)).read_to_end(&mut bytes).map_err(io)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_KEYFILE_BYTES {
        return Err(WalletError::Malformed { path: path.to_owned(), why: "it is far too long" });
    }
    parse_keyfile(&bytes, path)
}

/// The key in the bytes of a key file; `path` is only for errors.
///
/// JSON gives its secret as `secretPhrase`, else `secretSeed`, else `privateKey`, and is checked against the address it
/// states. A file may also hold nothing but a hexadecimal seed or a mnemonic.
///
/// # Errors
///
/// - [`WalletError::Encrypted`]: it is encrypted.
/// - [`WalletError::Malformed`], [`WalletError::BadUri`], [`WalletError::BadSecret`]: it holds no usable secret.
/// - [`WalletError::AddressMismatch`], [`WalletError::NotSr25519`]: its secret is of another key than it states.
pub fn parse_keyfile(bytes: &[u8], path: &Path) -> Result<Keypair, WalletError> {
    let malformed = |why| WalletError::Malformed { path: path.to_owned(), why };
    if let Some(format) = Encryption::detect(bytes) {
        return Err(WalletError::Encrypted { path: path.to_owned(), format });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not text"))?.trim();
    if !text.starts_with('{') {
        if text.is_empty() {
            return Err(malformed("it is empty"));
        }
        let seed = match seed_of_hex(text)? {
            Some(seed) => seed,
            None => seed_of_phrase(text, "")?,
        };
        return Ok(Keypair::from_mini_secret(&seed)?);
    }
    let fields: Fields =
        serde_json::from_str(text).map_err(|_| malformed("its JSON is broken or a field has another type"))?;
    let stated = fields.stated().map_err(malformed)?;
    let key = if let Some(phrase) = given_secret(&fields.secret_phrase) {
        Keypair::from_mini_secret(&*seed_of_phrase(phrase, "")?)?
    } else if let Some(seed) = given_secret(&fields.secret_seed) {
        let seed = seed_of_hex(seed)?.ok_or_else(|| malformed("its secretSeed is not 32 bytes of hexadecimal text"))?;
        Keypair::from_mini_secret(&seed)?
    } else if let Some(secret) = given_secret(&fields.private_key) {
        expanded(secret, stated.as_ref(), path)?
    } else {
        return Err(malformed("it has no secretPhrase, secretSeed or privateKey; it may be the public half"));
    };
    match stated {
        Some(stated) if stated != key.public() && fields.crypto_type.is_some_and(|kind| kind != SR25519) => {
            Err(WalletError::NotSr25519 { path: path.to_owned() })
        }
        Some(stated) if stated != key.public() => Err(WalletError::AddressMismatch {
            path: path.to_owned(),
            found: ss58::encode(&key.public()),
            stated: ss58::encode(&stated),
        }),
        _ => Ok(key),
    }
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

impl Fields {
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
fn expanded(text: &str, stated: Option<&HotkeyId>, path: &Path) -> Result<Keypair, WalletError> {
    let malformed = |why| WalletError::Malformed { path: path.to_owned(), why };
    let stated =
        stated.ok_or_else(|| malformed("its privateKey cannot be checked without ss58Address or publicKey"))?;
    let mut bytes = Zeroizing::new([0u8; 64]);
    hex::decode_to_slice(text.trim_start_matches("0x"), bytes.as_mut_slice())
        .map_err(|_| malformed("its privateKey is not 64 bytes of hexadecimal text"))?;
    Keypair::from_expanded_secret(&bytes, stated).map_err(|_| malformed("its privateKey is not the key of its address"))
}
