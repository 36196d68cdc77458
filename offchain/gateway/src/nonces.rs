// SPDX-License-Identifier: Apache-2.0

//! Nonces of signed reads that the ledger has no room for.
//!
//! A read changes nothing, so it goes on while the disk is full: its nonce is kept here instead. What is here is gone with
//! the process, so that a read that was signed before this process started is refused, and one that is signed ahead of
//! this clock is answered only once the clock is there: no process that starts later takes it again.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use clawrank_protocol::proof::HotkeyId;

use crate::clock::now_ms;

/// Nonces that are kept; with more, reads are refused until some have expired.
const MAX: usize = 65_536;

/// Sender and nonce.
type Used = (HotkeyId, [u8; 16]);

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct SpareNonces {
    started_ms: u64,
    /// Until when each is kept, Unix milliseconds.
    used: Mutex<HashMap<Used, u64>>,
}

impl Default for SpareNonces {
    fn default() -> Self {
        Self { started_ms: now_ms(), used: Mutex::default() }
    }
}

impl SpareNonces {
    /// Whether a read of this time may have been taken by a process before this one.
    pub(crate) fn is_older(&self, time_ms: u64) -> bool {
        time_ms < self.started_ms
    }

    /// Whether the nonce is kept here.
    pub(crate) fn is_used(&self, sender: &HotkeyId, nonce: &[u8; 16]) -> bool {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&(*sender, *nonce))
    }

    /// Keeps a nonce until `expires_ms`; `false` when it is here already, or when there are too many.
    pub(crate) fn take(&self, sender: &HotkeyId, nonce: &[u8; 16], now_ms: u64, expires_ms: u64) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, expires_ms| *expires_ms >= now_ms);
        if used.len() >= MAX || used.contains_key(&(*sender, *nonce)) {
            return false;
        }
        used.insert((*sender, *nonce), expires_ms);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonce_is_taken_once_until_it_expires_when_it_is_the_same_senders() {
        let nonces = SpareNonces::default();
        let (sender, nonce) = ([1; 32], [2; 16]);
        assert!(nonces.take(&sender, &nonce, 100, 200));
        assert!(nonces.is_used(&sender, &nonce) && !nonces.is_used(&[9; 32], &nonce));
        assert!(!nonces.take(&sender, &nonce, 200, 300));
        assert!(nonces.take(&[9; 32], &nonce, 200, 300) && nonces.take(&sender, &[9; 16], 200, 300));
        assert!(nonces.take(&sender, &nonce, 201, 300), "it has expired");
    }

    #[test]
    fn nonce_is_refused_when_too_many_are_kept() {
        let nonces = SpareNonces::default();
        let nonce = |number: usize| u128::try_from(number).map(u128::to_le_bytes).unwrap_or_default();
        assert!((0..MAX).all(|number| {
            nonces.used.lock().is_ok_and(|mut used| used.insert(([1; 32], nonce(number)), 200).is_none())
        }));
        assert!(!nonces.take(&[1; 32], &nonce(MAX), 100, 200));
        assert!(nonces.take(&[1; 32], &nonce(MAX), 201, 300));
    }
}
