// SPDX-License-Identifier: Apache-2.0
//! Time to verify a bundle.
fn main() {}
