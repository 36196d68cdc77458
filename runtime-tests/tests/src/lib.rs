// SPDX-License-Identifier: Apache-2.0
//! What the tests of this package share: a chain in memory that runs the Wasm runtime ([`chain`]), real nodes as child
//! processes ([`node`]) and what their chains did ([`history`], [`salted`]), a subnet of real workers ([`market`]) and its
//! customer ([`customer`]), and a worker's view of an epoch ([`yuma`]).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test's failure is a panic that says why"
)]

pub mod chain;
pub mod customer;
pub mod history;
pub mod market;
pub mod node;
pub mod salted;
pub mod yuma;
