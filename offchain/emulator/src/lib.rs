// SPDX-License-Identifier: Apache-2.0

//! A development tool: endpoints that look like LLM providers and are none.
//!
//! [`Emulator`] answers `/{endpoint}/v1/chat/completions` and `/{endpoint}/v1/models` for several endpoints in one
//! process, with the latencies, failures and accuracy of a [`Profile`]. It says that it is an emulator at start-up, on
//! `GET /` and in the header `x-clawrank-emulator: 1` of every response. It understands the prompts of
//! [`clawrank_protocol::tasks`], so that measurements of it mean something.
//!
//! - [`profile`]: the TOML profile and its checks. [`telemetry`]: recorded or generated latencies as CSV.
//! - [`server`]: the HTTP surface. [`Control`]: outages and slow-downs while it runs.
//!
//! - [`cheats`]: miners that cheat, to show that it does not pay.
//!
//! What an emulator is asked is answered by chance and arithmetic; nothing it says may decide money.

#![forbid(unsafe_code)]

mod answer;
pub mod cheats;
mod error;
mod latency;
pub mod profile;
pub mod server;
pub mod telemetry;

use std::{net::SocketAddr, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

pub use error::EmulatorError;
pub use profile::{Answers, EndpointProfile, Failures, Lognormal, ModelProfile, Profile, Recorded};
pub use server::{Control, Emulator, HEADER_EMULATOR, Override};
pub use telemetry::{GeneratorSpec, TelemetryRow, generate_telemetry, read_csv, write_csv};

/// Where the emulator listens and what it pretends to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one. Default `127.0.0.1:9101`.
    pub listen: SocketAddr,
    /// The profile file. Default `emulator.toml`.
    pub profile: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 9_101)), profile: PathBuf::from("emulator.toml") }
    }
}

/// Loads the profile and serves until `cancel`.
///
/// # Errors
///
/// Those of [`Profile::load`] and [`Emulator::start`].
pub async fn run(config: Config, cancel: CancellationToken) -> Result<(), EmulatorError> {
    let profile = Profile::load(&config.profile)?;
    let emulator = Emulator::start(profile, config.listen, cancel).await?;
    emulator.wait().await
}
