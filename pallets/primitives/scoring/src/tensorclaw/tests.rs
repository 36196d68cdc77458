// SPDX-License-Identifier: Apache-2.0

use super::*;

fn check(base_percent: u32, tier: u8, tokens: u64, nano_points: u64) {
    let score = tensorclaw_v1(Ppb::from_percent(base_percent), tier, tokens);
    assert_eq!(score.total, nano_points, "{base_percent} {tier} {tokens}");
}

#[test]
fn score_is_a_tenth_of_base_and_nine_tenths_of_business_when_computed() {
    check(100, 0, 0, 10 * NANO_POINT);
    check(0, 20, 0, 18 * NANO_POINT);
    check(0, 0, 10_000, NANO_POINT / 10 * 9);
    check(80, 10, 350_000, 8 * NANO_POINT + 9 * (10 + 35) * NANO_POINT / 10);
    // One token is a ten-thousandth of a point, and nothing is rounded.
    check(0, 0, 1, 90_000);
    check(0, 0, 9_999, 899_910_000);
}

#[test]
fn score_saturates_when_volume_or_tier_are_beyond_the_rule() {
    check(100, 20, 700_000, 91 * NANO_POINT);
    check(100, 20, 700_001, 91 * NANO_POINT);
    check(100, 255, u64::MAX, 91 * NANO_POINT);
    check(0, 0, 699_999, 9 * (700_000 - 1) * 10_000);
}

#[test]
fn parts_are_reported_when_computed() {
    let score = tensorclaw_v1(Ppb::from_ppb_clamped(1), 3, 20_000);
    assert_eq!(score, TensorclawScore { base: 100, business: 5 * NANO_POINT, total: 10 + 9 * 5 * NANO_POINT / 10 });
}
