// SPDX-License-Identifier: Apache-2.0

//! The gateway: customers ask over HTTP as they would ask OpenAI, miners serve over a WebSocket they opened.
//!
//! - [`Server::start`] binds and serves; [`run`] does so until it is cancelled. [`Config`] has every setting.
//! - A request is reserved in the ledger, planned by `clawrank-routing`, tried on one candidate after the other under
//!   one deadline, and settled with a receipt that gateway and miner signed, before the customer sees its end.
//! - Miners are not trusted: their frames, counts and claims are checked, and a breach costs them the request and their
//!   health, nobody else anything.
//!
//! The map: `server` accepts connections, `routes` are the HTTP handlers, `peer` where from, `auth` and `nonces` decide who asks, `serve` runs one
//! request, `hub` holds the miners, `endpoints` the fallbacks, `stats` what was measured of both, `registry` what the
//! chain says of hotkeys.

#![forbid(unsafe_code)]

mod app;
mod auth;
mod cells;
mod clock;
pub mod config;
mod endpoints;
mod error;
mod hub;
mod metrics;
mod nonces;
mod peer;
mod prices;
mod quota;
mod registry;
mod routes;
mod serve;
mod server;
mod stats;

pub use config::Config;
pub use error::Error;
pub use prices::{Price, PriceTable};
pub use server::{Server, run};
