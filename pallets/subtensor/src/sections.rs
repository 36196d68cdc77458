// SPDX-License-Identifier: Apache-2.0

//! The declarations of the pallet by topic: `lib.rs` imports them all into one pallet module.

pub(crate) mod calls;
pub(crate) mod errors;
pub(crate) mod events;
pub(crate) mod hyperparameters;
pub(crate) mod network_storage;
pub(crate) mod neuron_storage;
pub(crate) mod reader_storage;
