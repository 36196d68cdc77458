// SPDX-License-Identifier: Apache-2.0

//! Declarations of the pallet by topic: `lib.rs` imports them into one pallet module.

pub(crate) mod errors;
pub(crate) mod events;
