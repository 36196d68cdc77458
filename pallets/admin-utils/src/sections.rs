// SPDX-License-Identifier: Apache-2.0

//! The declarations of the pallet, by topic.

pub(crate) mod calls;
pub(crate) mod errors;
pub(crate) mod events;
