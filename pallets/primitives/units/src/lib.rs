// SPDX-License-Identifier: Apache-2.0
//! Exact integer units in which the rules of the subnet are written.
//!
//! - [`Ppb`]: a ratio in 0 ..= 1 as parts per billion; every multiplication names its rounding direction.
//! - [`Rao`] and [`MicroUsd`]: amounts of money, checked or saturating, never wrapping.
//! - [`mul_div_floor`], [`mul_div_ceil`], [`mul_wide`], [`cmp_products`]: products of two `u128` without loss.
//!
//! No floats, no panics, no storage; the same result on every target. See `docs/rules.md`, introduction.
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

mod amount;
mod ppb;
mod wide;

pub use amount::{MicroUsd, ParseAmountError, Rao};
pub use ppb::{ParsePpbError, Ppb};
pub use wide::{cmp_products, mul_div_ceil, mul_div_floor, mul_div_rem, mul_wide};
