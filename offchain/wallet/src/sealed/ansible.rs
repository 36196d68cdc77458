// SPDX-License-Identifier: Apache-2.0

use aes::Aes256;
use ctr::{
    Ctr128BE,
    cipher::{KeyIvInit, StreamCipher},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2_v11::Sha256;
use zeroize::Zeroizing;

use super::{SEAL_KEY_BYTES, SealError, SealKey};

pub(super) const HEADER: &[u8] = b"$ANSIBLE_VAULT";

const ROUNDS: u32 = 10_000;
const BLOCK_BYTES: usize = 16;

#[derive(Debug)]
pub(super) struct Frame {
    salt: Vec<u8>,
    mac: [u8; 32],
    ciphertext: Vec<u8>,
}

impl Frame {
    /// A line of header, then hexadecimal text of three lines: salt, MAC and ciphertext, each in hexadecimal again.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, SealError> {
        let malformed = SealError::Malformed;
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("its Ansible vault is no text"))?;
        let (header, body) = text.split_once('\n').ok_or(malformed("its Ansible vault is cut short"))?;
        let mut parts = header.trim_end().split(';').skip(1);
        if !matches!((parts.next(), parts.next()), (Some("1.1" | "1.2"), Some("AES256"))) {
            return Err(malformed("its Ansible vault has another version or cipher than 1.1 or 1.2 with AES256"));
        }
        let broken = malformed("its Ansible vault is cut short or damaged; restore it from a backup");
        let digits: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let inner = hex::decode(digits).map_err(|_| broken)?;
        let mut lines = inner.split(|byte| *byte == b'\n').map(|line| hex::decode(line).map_err(|_| broken));
        let mut next = || lines.next().unwrap_or(Err(broken));
        let (salt, mac, ciphertext) = (next()?, next()?, next()?);
        let mac = mac.try_into().map_err(|_| broken)?;
        if salt.is_empty() || ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK_BYTES) {
            return Err(broken);
        }
        Ok(Self { salt, mac, ciphertext })
    }

    /// 32 bytes for the cipher, 32 for the MAC, 16 to start the counter from.
    pub(super) fn derive(&self, password: &[u8]) -> SealKey {
        let mut key = Zeroizing::new([0u8; SEAL_KEY_BYTES]);
        pbkdf2::pbkdf2_hmac::<Sha256>(password, &self.salt, ROUNDS, key.as_mut_slice());
        SealKey(key)
    }

    pub(super) fn open(&self, key: &SealKey) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let wrong = SealError::WrongPassword;
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.part::<32>(32).as_slice()).map_err(|_| wrong)?;
        mac.update(&self.ciphertext);
        mac.verify_slice(&self.mac).map_err(|_| wrong)?;
        let mut plain = Zeroizing::new(self.ciphertext.clone());
        Ctr128BE::<Aes256>::new_from_slices(key.first::<32>().as_slice(), key.part::<16>(64).as_slice())
            .map_err(|_| wrong)?
            .apply_keystream(plain.as_mut_slice());
        // The MAC fits, so this padding is the writer's own: PKCS #7.
        let padding = plain.last().map_or(0, |byte| usize::from(*byte));
        let keep = plain.len().checked_sub(padding).filter(|_| (1..=BLOCK_BYTES).contains(&padding)).ok_or(wrong)?;
        plain.truncate(keep);
        Ok(plain)
    }
}
