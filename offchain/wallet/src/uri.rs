// SPDX-License-Identifier: Apache-2.0

use clawrank_proof::{DEV_MINI_SECRET, Keypair};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::WalletError;

/// The public phrase of development keys, which `//Alice` and the others derive from. Never holds value.
const DEV_PHRASE: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

/// A key from text: `phrase//hard/soft///password`, `0x<seed>//path`, or `//Alice` under the development phrase.
///
/// The password belongs to the phrase; a seed has none.
///
/// # Errors
///
/// [`WalletError::BadUri`]: no valid phrase or seed, a malformed path, or a password on a seed.
pub fn keypair_from_uri(uri: &SecretString) -> Result<Keypair, WalletError> {
    parse(uri.expose_secret().trim()).map_err(|why| WalletError::BadUri { why })
}

fn parse(uri: &str) -> Result<Keypair, &'static str> {
    let (rest, password) = match uri.split_once("///") {
        Some((rest, password)) => (rest, Some(password)),
        None => (uri, None),
    };
    let (root, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let seed = match (root.trim(), password) {
        ("", None | Some("")) => Zeroizing::new(DEV_MINI_SECRET),
        ("", Some(password)) => seed_of_phrase(DEV_PHRASE, password)?,
        (root, password) => match seed_of_hex(root)? {
            Some(seed) if password.is_none_or(str::is_empty) => seed,
            Some(_) => return Err("a seed has no password"),
            None => seed_of_phrase(root, password.unwrap_or_default())?,
        },
    };
    keypair(&seed)?.derive(path).map_err(|_| "its derivation path is malformed")
}

/// The key of a seed.
pub(crate) fn keypair(seed: &[u8; 32]) -> Result<Keypair, &'static str> {
    Keypair::from_mini_secret(seed).map_err(|_| "its seed is no sr25519 key")
}

/// The mini secret of a mnemonic: PBKDF2 over its entropy, as Substrate does, not over its words.
pub(crate) fn seed_of_phrase(phrase: &str, password: &str) -> Result<Zeroizing<[u8; 32]>, &'static str> {
    let words = normal(phrase);
    let mnemonic = bip39::Mnemonic::parse_in_normalized(bip39::Language::English, &words)
        .map_err(|_| "its mnemonic has a wrong word, number of words or checksum")?;
    let entropy = Zeroizing::new(mnemonic.to_entropy());
    let mini = substrate_bip39::mini_secret_from_entropy(&entropy, password)
        .map_err(|_| "its mnemonic has an unusable length")?;
    Ok(Zeroizing::new(mini.to_bytes()))
}

/// Words in lower case, one space between two.
pub(crate) fn normal(phrase: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(phrase.len()));
    for word in phrase.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().map(|letter| letter.to_ascii_lowercase()));
    }
    out
}

/// A seed of 32 bytes as hexadecimal text; `None` for text that is no single run of hexadecimal digits.
pub(crate) fn seed_of_hex(text: &str) -> Result<Option<Zeroizing<[u8; 32]>>, &'static str> {
    let digits = text.strip_prefix("0x");
    let is_hex = digits.unwrap_or(text).bytes().all(|digit| digit.is_ascii_hexdigit());
    if digits.is_none() && !(is_hex && text.len() == 64) {
        return Ok(None);
    }
    let mut seed = Zeroizing::new([0u8; 32]);
    hex::decode_to_slice(digits.unwrap_or(text), seed.as_mut_slice())
        .map_err(|_| "its seed is not 32 bytes of hexadecimal text")?;
    Ok(Some(seed))
}
