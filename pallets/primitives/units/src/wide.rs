// SPDX-License-Identifier: Apache-2.0
//! Products of two `u128` and their division, exact through a 256-bit intermediate.

use core::cmp::Ordering;

#[cfg(test)]
mod tests;

const LOW: u128 = u64::MAX as u128;

/// The 256-bit product `a · b` as `(high, low)` halves: `a · b == high · 2^128 + low`. Exact.
#[must_use]
pub const fn mul_wide(a: u128, b: u128) -> (u128, u128) {
    // Schoolbook on 64-bit digits: no partial sum below exceeds 2^128 - 1, so wrapping operators never wrap.
    let (a_hi, a_lo) = (a >> 64, a & LOW);
    let (b_hi, b_lo) = (b >> 64, b & LOW);
    let low = a_lo.wrapping_mul(b_lo);
    let mid = a_hi.wrapping_mul(b_lo).wrapping_add(low >> 64);
    let cross = a_lo.wrapping_mul(b_hi).wrapping_add(mid & LOW);
    let high = a_hi.wrapping_mul(b_hi).wrapping_add(mid >> 64).wrapping_add(cross >> 64);
    (high, (cross << 64) | (low & LOW))
}

/// Compares `a · b` with `c · d`, exactly.
#[must_use]
pub fn cmp_products(a: u128, b: u128, c: u128, d: u128) -> Ordering {
    match (a.checked_mul(b), c.checked_mul(d)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => mul_wide(a, b).cmp(&mul_wide(c, d)),
    }
}

/// `(quotient, remainder)` of `a · b / divisor`, exact, with a 256-bit product.
///
/// `None` when `divisor` is zero or the quotient does not fit into a `u128`.
#[must_use]
pub fn mul_div_rem(a: u128, b: u128, divisor: u128) -> Option<(u128, u128)> {
    match a.checked_mul(b) {
        Some(product) => Some((product.checked_div(divisor)?, product.checked_rem(divisor)?)),
        None => {
            let (high, low) = mul_wide(a, b);
            div_wide(high, low, divisor)
        }
    }
}

/// `a · b / divisor`, rounded down, with a 256-bit product.
///
/// `None` when `divisor` is zero or the quotient does not fit into a `u128`.
#[must_use]
pub fn mul_div_floor(a: u128, b: u128, divisor: u128) -> Option<u128> {
    mul_div_rem(a, b, divisor).map(|(quotient, _)| quotient)
}

/// `a · b / divisor`, rounded up, with a 256-bit product.
///
/// `None` when `divisor` is zero or the quotient does not fit into a `u128`.
#[must_use]
pub fn mul_div_ceil(a: u128, b: u128, divisor: u128) -> Option<u128> {
    let (quotient, remainder) = mul_div_rem(a, b, divisor)?;
    quotient.checked_add(u128::from(remainder != 0))
}

/// Divides `high · 2^128 + low` by `divisor`: two steps of long division with 64-bit digits.
fn div_wide(high: u128, low: u128, divisor: u128) -> Option<(u128, u128)> {
    // The quotient fits into 128 bits exactly when the high half is below the divisor; this also refuses zero.
    if high >= divisor {
        return None;
    }
    // Shift both so that the divisor's top bit is set: the digit estimate is then at most two too high.
    let shift = divisor.leading_zeros();
    let divisor_n = divisor << shift;
    let carried = if shift == 0 { 0 } else { low.checked_shr(128_u32.wrapping_sub(shift)).unwrap_or(0) };
    let high_n = (high << shift) | carried;
    let low_n = low << shift;
    let (digit_1, rest) = div_step(high_n, low_n >> 64, divisor_n)?;
    let (digit_0, rest) = div_step(rest, low_n & LOW, divisor_n)?;
    Some(((digit_1 << 64) | digit_0, rest >> shift))
}

/// One digit of the long division: `(top · 2^64 + digit) / divisor`, where `top < divisor` and the top bit of
/// `divisor` is set. The quotient is below 2^64.
fn div_step(top: u128, digit: u128, divisor: u128) -> Option<(u128, u128)> {
    let (divisor_hi, divisor_lo) = (divisor >> 64, divisor & LOW);
    let mut quotient = top.checked_div(divisor_hi)?;
    let mut rest = top.checked_rem(divisor_hi)?;
    while quotient > LOW || quotient.wrapping_mul(divisor_lo) > ((rest << 64) | digit) {
        quotient = quotient.wrapping_sub(1);
        rest = rest.wrapping_add(divisor_hi);
        if rest > LOW {
            break;
        }
    }
    // True value is in 0 .. divisor, so arithmetic modulo 2^128 gives it exactly.
    let remainder = (top << 64).wrapping_add(digit).wrapping_sub(quotient.wrapping_mul(divisor));
    Some((quotient, remainder))
}
