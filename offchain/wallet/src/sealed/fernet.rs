// SPDX-License-Identifier: Apache-2.0

use aes::Aes128;
use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use cbc::{
    Decryptor,
    cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2_v11::Sha256;
use zeroize::Zeroizing;

use super::{SEAL_KEY_BYTES, SealError, SealKey};

/// Version 0x80 and a time before the year 2106, in base64.
pub(super) const HEADER: &[u8] = b"gAAAAA";

const ROUNDS: u32 = 10_000_000;
const SALT: &[u8] = b"Iguesscyborgslikemyselfhaveatendencytobeparanoidaboutourorigins";

/// Version and time of writing, which say nothing here.
const PREFIX_BYTES: usize = 9;
const BLOCK_BYTES: usize = 16;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Debug)]
pub(super) struct Frame {
    /// All that the MAC covers.
    signed: Vec<u8>,
    iv: [u8; BLOCK_BYTES],
    ciphertext: Vec<u8>,
    mac: [u8; 32],
}

impl Frame {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, SealError> {
        let broken = SealError::Malformed("its Fernet encryption is cut short or damaged; restore it from a backup");
        let token = BASE64.decode(bytes.trim_ascii()).map_err(|_| broken)?;
        let (signed, mac) = token.split_last_chunk().ok_or(broken)?;
        let (iv, ciphertext) = signed.get(PREFIX_BYTES..).and_then(|rest| rest.split_first_chunk()).ok_or(broken)?;
        if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK_BYTES) {
            return Err(broken);
        }
        Ok(Self { signed: signed.to_vec(), iv: *iv, ciphertext: ciphertext.to_vec(), mac: *mac })
    }

    pub(super) fn open(&self, key: &SealKey) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let wrong = SealError::WrongPassword;
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.first::<16>().as_slice()).map_err(|_| wrong)?;
        mac.update(&self.signed);
        mac.verify_slice(&self.mac).map_err(|_| wrong)?;
        let mut plain = Zeroizing::new(self.ciphertext.clone());
        let length = Decryptor::<Aes128>::new_from_slices(key.part::<16>(16).as_slice(), &self.iv)
            .map_err(|_| wrong)?
            .decrypt_padded::<Pkcs7>(plain.as_mut_slice())
            .map_err(|_| wrong)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }
}

/// 16 bytes for the MAC, 16 for the cipher.
pub(super) fn derive(password: &[u8]) -> SealKey {
    let mut key = Zeroizing::new([0u8; SEAL_KEY_BYTES]);
    if let Some(out) = key.first_chunk_mut::<32>() {
        pbkdf2::pbkdf2_hmac::<Sha256>(password, SALT, ROUNDS, out);
    }
    SealKey(key)
}
