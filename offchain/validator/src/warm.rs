// SPDX-License-Identifier: Apache-2.0
//! Whether the scoring window is whole again after a start.
//!
//! Probes and receipts outlive the process, but not what happened while it was down. Weights made before that is read
//! would forget miners' work, so none are made.

use std::sync::atomic::{AtomicBool, Ordering};

/// What has been read to its end since the start.
#[derive(Debug, Default)]
pub(crate) struct Warmth {
    receipts: AtomicBool,
    probes: AtomicBool,
}

impl Warmth {
    /// Receipts of every gateway were read up to the newest.
    pub(crate) fn receipts_read(&self) {
        self.receipts.store(true, Ordering::Relaxed);
    }

    /// Every gateway's miners were probed once.
    pub(crate) fn probes_made(&self) {
        self.probes.store(true, Ordering::Relaxed);
    }

    /// What is missing, with its verb; `None` where the window is whole.
    pub(crate) fn missing(&self) -> Option<&'static str> {
        let (receipts, probes) = (self.receipts.load(Ordering::Relaxed), self.probes.load(Ordering::Relaxed));
        match (receipts, probes) {
            (true, true) => None,
            (false, true) => Some("receipts of a gateway have"),
            (true, false) => Some("probes through a gateway have"),
            (false, false) => Some("receipts and probes of a gateway have"),
        }
    }
}
