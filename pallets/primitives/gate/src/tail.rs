// SPDX-License-Identifier: Apache-2.0

//! Exact tails of the binomial and the hypergeometric distribution, as fractions of integers.

use clawrank_units::Ppb;

use crate::big::Big;

/// Most trials of a binomial tail.
pub const MAX_TRIALS: u32 = 256;

/// Largest population of a hypergeometric tail.
pub const MAX_POPULATION: u32 = 512;

const BILLION: u32 = 1_000_000_000;

/// A probability as an exact fraction.
#[derive(Clone, Debug)]
pub struct Tail {
    numerator: Big,
    denominator: Big,
}

impl Tail {
    fn certain() -> Self {
        Self { numerator: Big::one(), denominator: Big::one() }
    }

    fn impossible() -> Self {
        Self { numerator: Big::zero(), denominator: Big::one() }
    }

    /// Whether the probability is below `alpha / tests`; with no tests, below `alpha`.
    #[must_use]
    pub fn is_below(&self, alpha: Ppb, tests: u32) -> bool {
        let mut left = self.numerator.times(u64::from(tests.max(1)));
        left.mul(u64::from(BILLION));
        left.cmp(&self.denominator.times(u64::from(alpha.parts()))).is_lt()
    }

    /// The probability in parts per billion, rounded up.
    #[must_use]
    pub fn to_ppb_ceil(&self) -> Ppb {
        let scaled = self.numerator.times(u64::from(BILLION));
        let (mut low, mut high) = (0u32, BILLION);
        while low < high {
            let middle = low.midpoint(high);
            if self.denominator.times(u64::from(middle)).cmp(&scaled).is_ge() {
                high = middle;
            } else {
                low = middle.saturating_add(1);
            }
        }
        Ppb::from_ppb_clamped(u128::from(low))
    }

    /// Numerator and denominator, little-endian limbs.
    #[cfg(test)]
    pub(crate) fn limbs(&self) -> (&[u64], &[u64]) {
        (self.numerator.limbs(), self.denominator.limbs())
    }
}

/// The probability of `x` or more successes in `n` trials of probability `p`; `None` beyond [`MAX_TRIALS`].
///
/// Exact: `Σ_{i ≥ x} C(n,i)·a^i·b^(n−i) / (a+b)^n` with `p = a/(a+b)` in lowest terms. Sums the shorter side; O(n²)
/// limb operations at worst.
#[must_use]
pub fn binomial_tail_at_least(x: u32, n: u32, p: Ppb) -> Option<Tail> {
    if n > MAX_TRIALS {
        return None;
    }
    if x == 0 || (p.is_one() && x <= n) {
        return Some(Tail::certain());
    }
    if x > n || p.is_zero() {
        return Some(Tail::impossible());
    }
    let divisor = gcd(p.parts(), BILLION);
    let a = u64::from(p.parts().checked_div(divisor)?);
    let b = u64::from(p.complement().parts().checked_div(divisor)?);
    let denominator = Big::power(a.checked_add(b)?, n);
    let upper_terms = n.checked_sub(x)?.checked_add(1)?;
    let numerator = if upper_terms <= x {
        outermost_terms(n, upper_terms, a, b)
    } else {
        let mut numerator = denominator.clone();
        numerator.sub(&outermost_terms(n, x, b, a));
        numerator
    };
    Some(Tail { numerator, denominator })
}

/// The probability of `x` or fewer successes in `n` trials of probability `p`; `None` beyond [`MAX_TRIALS`].
#[must_use]
pub fn binomial_tail_at_most(x: u32, n: u32, p: Ppb) -> Option<Tail> {
    match n.checked_sub(x) {
        Some(failures) => binomial_tail_at_least(failures, n, p.complement()),
        None => binomial_tail_at_least(0, n, p),
    }
}

/// The probability of `x` or more heads in `n` throws of a fair coin; `None` beyond [`MAX_TRIALS`].
#[must_use]
pub fn sign_tail_at_least(x: u32, n: u32) -> Option<Tail> {
    binomial_tail_at_least(x, n, Ppb::from_percent(50))
}

/// `Σ C(n,j)·win^(n−j)·lose^j` over the first `terms` values of `j` from 0: the terms with the most wins.
fn outermost_terms(n: u32, terms: u32, win: u64, lose: u64) -> Big {
    let mut term = Big::power(win, n);
    let mut sum = Big::zero();
    for j in 0..terms {
        sum.add(&term);
        // From C(n,j)·win^(n−j)·lose^j to the next; the division is exact.
        term.mul(u64::from(n.saturating_sub(j)).saturating_mul(lose));
        term.div(u64::from(j.saturating_add(1)).saturating_mul(win));
    }
    sum
}

/// The probability of `x` or more marked ones among `draws` from `total` of which `marked` are marked.
///
/// Exact: `Σ_{i ≥ x} C(marked,i)·C(total−marked,draws−i) / C(total,draws)`. `None` beyond [`MAX_POPULATION`], or with
/// more draws or marks than the population has.
#[must_use]
pub fn hypergeometric_tail_at_least(x: u32, draws: u32, marked: u32, total: u32) -> Option<Tail> {
    if total > MAX_POPULATION {
        return None;
    }
    let unmarked = total.checked_sub(marked)?;
    total.checked_sub(draws)?;
    let (least, most) = (draws.saturating_sub(unmarked), draws.min(marked));
    if x <= least {
        return Some(Tail::certain());
    }
    if x > most {
        return Some(Tail::impossible());
    }
    let mut term = product(&Big::choose(marked, most), unmarked, draws.saturating_sub(most));
    let mut numerator = Big::zero();
    for i in (x..=most).rev() {
        numerator.add(&term);
        // From C(marked,i)·C(unmarked,draws−i) to i−1; each division is exact.
        let drawn_unmarked = draws.saturating_sub(i);
        term.mul(u64::from(i).saturating_mul(u64::from(unmarked.saturating_sub(drawn_unmarked))));
        term.div(
            u64::from(marked.saturating_sub(i).saturating_add(1))
                .saturating_mul(u64::from(drawn_unmarked.saturating_add(1))),
        );
    }
    Some(Tail { numerator, denominator: Big::choose(total, draws) })
}

/// `factor · C(n,k)`, multiplied in one small step at a time.
fn product(factor: &Big, n: u32, k: u32) -> Big {
    let mut product = if k > n { Big::zero() } else { factor.clone() };
    for (taken, left) in (1..=k.min(n.saturating_sub(k))).zip((0..=n).rev()) {
        product.mul(u64::from(left));
        product.div(u64::from(taken));
    }
    product
}

fn gcd(a: u32, b: u32) -> u32 {
    match a.checked_rem(b) {
        None => a,
        Some(rest) => gcd(b, rest),
    }
}

#[cfg(test)]
mod tests;
