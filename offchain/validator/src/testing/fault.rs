// SPDX-License-Identifier: Apache-2.0

/// What goes wrong with the next submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process is killed before the transaction leaves: the call never returns.
    KilledBefore,
    /// The process is killed after the transaction is in a block: the call never returns.
    KilledAfter,
    /// The process is killed while the transaction waits for a block that many blocks later.
    KilledWaiting(u64),
    /// The connection breaks before the transaction leaves.
    BrokenBefore,
    /// The connection breaks after the transaction is in a block.
    BrokenAfter,
    /// The outcome is unknown, and it is in a block.
    UnknownAfter,
    /// The outcome is unknown, and it is lost.
    UnknownBefore,
    /// The pool refuses it for now.
    PoolBusy,
    /// The pool finds the nonce used.
    Stale,
    /// A check of the chain's own refuses it, by this code.
    Custom(u8),
    /// Its block is orphaned: the outcome is unknown, and it gets into a block that many blocks later.
    Orphaned(u64),
}
