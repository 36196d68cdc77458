// SPDX-License-Identifier: Apache-2.0
//! What workers keep on disk: SQLite in WAL mode, durable before anyone is told.
//!
//! - [`journal`]: a validator's measurements and commits.

pub mod journal;
