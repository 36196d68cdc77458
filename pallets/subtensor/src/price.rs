// SPDX-License-Identifier: Apache-2.0

//! How the price of a registration moves: it halves per half-life, and each registration raises it by a factor.

use crate::types::{FixedU128, TaoBalance};

/// ln 2 times 2^64.
const LN2: u128 = 12_786_308_645_202_655_660;
/// Terms of the exponential series: beyond these each is below 2^-64.
const TERMS: u128 = 24;

/// `price · 2^(-1 / half_life)`, rounded down: the price one block later. A half-life of 0 leaves it.
pub(crate) fn decayed(price: TaoBalance, half_life: u16) -> TaoBalance {
    let Some(exponent) = LN2.checked_div(u128::from(half_life)) else { return price };
    let mut term = 1_u128 << 64;
    let (mut even, mut odd) = (term, 0_u128);
    for k in 1..TERMS {
        // Both factors are at most 2^64 and the exponent is below it, so the product fits.
        term = (term.saturating_mul(exponent) >> 64).checked_div(k).unwrap_or_default();
        if k % 2 == 0 {
            even = even.saturating_add(term);
        } else {
            odd = odd.saturating_add(term);
        }
    }
    scaled(price, even.saturating_sub(odd))
}

/// `price · factor`, rounded down: the price after a registration.
pub(crate) fn raised(price: TaoBalance, factor: FixedU128) -> TaoBalance {
    scaled(price, factor.bits)
}

/// `price · factor / 2^64`, rounded down, at most `u64::MAX`.
fn scaled(price: TaoBalance, factor: u128) -> TaoBalance {
    let price = u128::from(price.0);
    let whole = price.saturating_mul(factor >> 64);
    let part = price.saturating_mul(factor & u128::from(u64::MAX)) >> 64;
    TaoBalance(u64::try_from(whole.saturating_add(part)).unwrap_or(u64::MAX))
}

/// The price within its bounds; the upper bound wins when they cross.
pub(crate) fn clamped(price: TaoBalance, min: TaoBalance, max: TaoBalance) -> TaoBalance {
    price.max(min).min(max)
}
