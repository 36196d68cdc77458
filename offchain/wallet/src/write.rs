// SPDX-License-Identifier: Apache-2.0

use std::path::{Path, PathBuf};

use clawrank_proof::{HotkeyId, Keypair, ss58};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::{
    SealError, WalletError,
    file::write_private,
    sealed,
    uri::{keypair, normal, seed_of_hex, seed_of_phrase},
};

/// Whether an existing key file may be replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overwrite {
    /// Leave it and fail.
    #[default]
    Never,
    /// Replace it. The old key is gone for good.
    Replace,
}

/// How a secret is written to disk.
#[derive(Clone, Debug)]
pub enum Protection {
    /// As it is, readable by the file's owner only.
    Plain,
    /// Encrypted as the SDK does ([`Encryption::Nacl`](crate::Encryption::Nacl)), under a password.
    Password(SecretString),
}

/// Where a key comes from.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one at a time")]
pub enum Origin {
    /// Words in the English list: 12, 15, 18, 21 or 24.
    Mnemonic(SecretString),
    /// A seed of 32 bytes in hexadecimal digits, with or without `0x`.
    Seed(SecretString),
    /// A key that has no words or seed of its own: a derived one.
    Key(Keypair),
}

/// A key that was just written.
#[derive(Debug)]
pub struct NewKey {
    /// Its file.
    pub path: PathBuf,
    /// Its public key.
    pub public: HotkeyId,
}

/// Fresh words from the operating system's randomness: 12, or 24 where `long`.
///
/// # Errors
///
/// [`WalletError::NoRandomness`].
pub fn generate_mnemonic(long: bool) -> Result<SecretString, WalletError> {
    let mut entropy = Zeroizing::new([0u8; 32]);
    getrandom::fill(entropy.as_mut_slice()).map_err(|_| WalletError::NoRandomness)?;
    let (short, _) = entropy.split_at(16);
    let used = if long { entropy.as_slice() } else { short };
    let mnemonic =
        bip39::Mnemonic::from_entropy_in(bip39::Language::English, used).map_err(|_| WalletError::NoRandomness)?;
    Ok(SecretString::from(mnemonic.to_string()))
}

/// Writes a key file and the file of its public half.
pub(crate) fn write_key(
    path: &Path,
    origin: &Origin,
    protection: &Protection,
    overwrite: Overwrite,
) -> Result<NewKey, WalletError> {
    if overwrite == Overwrite::Never && path.symlink_metadata().is_ok() {
        // Said before seconds are spent on a derivation; the write below holds it for certain.
        return Err(WalletError::Exists { path: path.to_owned() });
    }
    let (key, secrets) = members(origin).map_err(|why| WalletError::BadUri { why })?;
    let (hex_key, address) = (hex::encode(key.public()), ss58::encode(&key.public()));
    let known =
        format!(r#""accountId":"0x{hex_key}","publicKey":"0x{hex_key}","ss58Address":"{address}","cryptoType":1"#);
    // Nothing needs escaping: hexadecimal digits, base58, and words of a fixed list.
    let text = Zeroizing::new(format!("{{{known},{}}}", *secrets));
    write_secret(path, text.as_bytes(), protection, overwrite)?;
    let mut public_path = path.as_os_str().to_owned();
    public_path.push("pub.txt");
    // The private half is there now; a stale public half must not stay beside it.
    write_private(Path::new(&public_path), format!("{{{known}}}").as_bytes(), Overwrite::Replace)?;
    Ok(NewKey { path: path.to_owned(), public: key.public() })
}

/// Writes the bytes of a key file as `protection` says.
pub(crate) fn write_secret(
    path: &Path,
    plain: &[u8],
    protection: &Protection,
    overwrite: Overwrite,
) -> Result<(), WalletError> {
    match protection {
        Protection::Plain => write_private(path, plain, overwrite),
        Protection::Password(password) => {
            let sealed = sealed::seal(plain, password).map_err(|error| match error {
                SealError::NoRandomness => WalletError::NoRandomness,
                _ => WalletError::NoMemory { path: path.to_owned() },
            })?;
            write_private(path, &sealed, overwrite)
        }
    }
}

/// The key of an origin, and its secret members of a JSON object.
fn members(origin: &Origin) -> Result<(Keypair, Zeroizing<String>), &'static str> {
    let (seed, phrase) = match origin {
        Origin::Mnemonic(phrase) => {
            let words = normal(phrase.expose_secret());
            (Some(seed_of_phrase(&words, "")?), Some(words))
        }
        Origin::Seed(text) => {
            let seed = seed_of_hex(text.expose_secret().trim())?;
            (Some(seed.ok_or("a seed is 32 bytes in hexadecimal digits")?), None)
        }
        Origin::Key(_) => (None, None),
    };
    let key = match (origin, &seed) {
        (Origin::Key(key), _) => key.clone(),
        (_, Some(seed)) => keypair(seed)?,
        (_, None) => return Err("it has no seed"),
    };
    let expanded = Zeroizing::new(key.to_expanded_secret());
    let mut text = Zeroizing::new(String::with_capacity(1_024));
    if let Some(words) = phrase {
        text.push_str(r#""secretPhrase":""#);
        text.push_str(&words);
        text.push_str(r#"","#);
    }
    if let Some(seed) = seed {
        text.push_str(r#""secretSeed":"0x"#);
        text.push_str(&Zeroizing::new(hex::encode(seed.as_slice())));
        text.push_str(r#"","#);
    }
    text.push_str(r#""privateKey":"0x"#);
    text.push_str(&Zeroizing::new(hex::encode(expanded.as_slice())));
    text.push('"');
    Ok((key, text))
}
