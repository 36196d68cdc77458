// SPDX-License-Identifier: Apache-2.0

use std::sync::Mutex;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use crypto_secretbox::{KeyInit, XSalsa20Poly1305, aead::Aead};
use zeroize::{Zeroize, Zeroizing};

use super::{SEAL_KEY_BYTES, SealError, SealKey};

pub(super) const HEADER: &[u8] = b"$NACL";

const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// libsodium's `pwhash_argon2i` at its "sensitive" limits: 8 passes over 512 MiB.
const PASSES: u32 = 8;
const MEMORY_KIB: u32 = 512 * 1_024;

/// The same for every wallet there is.
const SALT: [u8; 16] = [0x13, 0x71, 0x83, 0xdf, 0xf1, 0x5a, 0x09, 0xbc, 0x9c, 0x90, 0xb5, 0x51, 0x87, 0x39, 0xe9, 0xb1];

/// Derivations of one process wait for each other, so that it never holds 512 MiB twice.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[derive(Debug)]
pub(super) struct Frame {
    nonce: [u8; NONCE_BYTES],
    /// Tag, then ciphertext.
    boxed: Vec<u8>,
}

impl Frame {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, SealError> {
        let cut = SealError::Malformed("its `$NACL` encryption is cut short; restore it from a backup");
        let body = bytes.get(HEADER.len()..).ok_or(cut)?;
        let (nonce, boxed) = body.split_first_chunk().ok_or(cut)?;
        if boxed.len() <= TAG_BYTES {
            return Err(cut);
        }
        Ok(Self { nonce: *nonce, boxed: boxed.to_vec() })
    }

    pub(super) fn open(&self, key: &SealKey) -> Result<Zeroizing<Vec<u8>>, SealError> {
        cipher(key)
            .decrypt((&self.nonce).into(), self.boxed.as_slice())
            .map(Zeroizing::new)
            .map_err(|_| SealError::WrongPassword)
    }
}

fn cipher(key: &SealKey) -> XSalsa20Poly1305 {
    XSalsa20Poly1305::new((&*key.first::<32>()).into())
}

pub(super) fn seal(plain: &[u8], key: &SealKey) -> Result<Vec<u8>, SealError> {
    let mut nonce = [0u8; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|_| SealError::NoRandomness)?;
    let boxed = cipher(key).encrypt((&nonce).into(), plain).map_err(|_| SealError::NoMemory)?;
    Ok([HEADER, &nonce, &boxed].concat())
}

pub(super) fn derive(password: &[u8]) -> Result<SealKey, SealError> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(|_| SealError::NoMemory)?;
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Asked for in a way that can be refused, and wiped afterwards: the password can be tried against what is in it.
    let mut memory = Vec::new();
    memory.try_reserve_exact(params.block_count()).map_err(|_| SealError::NoMemory)?;
    memory.resize(params.block_count(), Block::default());
    let mut key = Zeroizing::new([0u8; SEAL_KEY_BYTES]);
    let done = key.first_chunk_mut::<32>().ok_or(SealError::NoMemory).and_then(|out| {
        Argon2::new(Algorithm::Argon2i, Version::V0x13, params)
            .hash_password_into_with_memory(password, &SALT, out, &mut memory)
            .map_err(|_| SealError::NoMemory)
    });
    memory.iter_mut().for_each(Zeroize::zeroize);
    done.map(|()| SealKey(key))
}
