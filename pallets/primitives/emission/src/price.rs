// SPDX-License-Identifier: Apache-2.0
//! What entering costs (rules §4.8): the price of a uid, of a subnet, and the fee of those who have no uid.

use clawrank_units::Rao;

#[cfg(test)]
mod tests;

/// ln 2 times 2^64.
const LN2: u128 = 12_786_308_645_202_655_660;
/// Terms of the exponential series: beyond these each is below 2^-64.
const TERMS: u128 = 24;
/// Fee for a weight call of a hotkey without uid, to which one rao per byte of the transaction is added.
const STRANGERS_FEE: Rao = Rao(100_000);

/// `price · 2^(-1 / half_life)`, rounded down: the price one block later. A half-life of 0 leaves it.
#[must_use]
pub fn decayed(price: Rao, half_life: u16) -> Rao {
    let Some(exponent) = LN2.checked_div(u128::from(half_life)) else { return price };
    let mut term = 1_u128 << 64;
    let (mut even, mut odd) = (term, 0_u128);
    for k in 1..TERMS {
        // Both factors are at most 2^64 and the exponent is below it, so the product fits.
        term = (term.saturating_mul(exponent) >> 64).checked_div(k).unwrap_or_default();
        if term == 0 {
            break;
        }
        if k % 2 == 0 {
            even = even.saturating_add(term);
        } else {
            odd = odd.saturating_add(term);
        }
    }
    scaled(price, even.saturating_sub(odd))
}

/// `price · factor / 2^64`, rounded down, at most [`Rao::MAX`]: the price after a registration.
#[must_use]
pub fn raised(price: Rao, factor: u128) -> Rao {
    scaled(price, factor)
}

fn scaled(price: Rao, factor: u128) -> Rao {
    let price = u128::from(price.get());
    let whole = price.saturating_mul(factor >> 64);
    let part = price.saturating_mul(factor & u128::from(u64::MAX)) >> 64;
    Rao(u64::try_from(whole.saturating_add(part)).unwrap_or(u64::MAX))
}

/// The price within its bounds; the upper bound wins when they cross.
#[must_use]
pub fn clamped(price: Rao, min: Rao, max: Rao) -> Rao {
    price.max(min).min(max)
}

/// Price of a subnet: twice the last one's, falling by the last one per `interval` blocks from its registration `passed`
/// blocks ago, never below `least`. The fall is rounded up; an interval of 0 counts as 1.
#[must_use]
pub fn subnet_price(last: Rao, passed: u64, interval: u64, least: Rao) -> Rao {
    let (last, passed) = (u128::from(last.get()), u128::from(passed));
    let fallen = last.saturating_mul(passed).div_ceil(u128::from(interval).max(1));
    let price = last.saturating_mul(2).saturating_sub(fallen);
    Rao(u64::try_from(price).unwrap_or(u64::MAX)).max(least)
}

/// What a weight call of a hotkey without uid costs: 100,000 rao and one more per byte of its transaction.
#[must_use]
pub fn strangers_fee(bytes: u64) -> Rao {
    STRANGERS_FEE.saturating_add(Rao(bytes))
}
