// SPDX-License-Identifier: Apache-2.0

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Unix milliseconds of the gateway's clock, which is the clock of receipts.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

/// Whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Whole milliseconds since an instant, for fields of 32 bits.
pub(crate) fn elapsed_ms(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_millis()).unwrap_or(u32::MAX)
}
