// SPDX-License-Identifier: Apache-2.0

//! Everything that crosses a wire between gateway, miners and validators.
//!
//! - [`frames`]: the JSON text frames of a miner's WebSocket, with caps and typed refusals.
//! - [`signed`]: HTTP requests signed by a hotkey. [`http`]: bodies and header names of the gateway's own routes.
//! - [`openai`]: views of OpenAI requests and answers that keep unknown fields. [`text`]: hash and coarse token count
//!   of the delivered text, the same on both sides. [`error`]: error bodies.
//! - [`needs`]: tools, images, JSON. [`limits`]: every cap and deadline. [`encoding`]: hexadecimal, base64 and ss58 fields.
//! - [`catalogue`], [`tasks`]: endpoints, measurement tasks.
//!
//! Nothing here does network I/O or reads a clock. Everything that decodes foreign bytes takes or has a size limit.

#![forbid(unsafe_code)]

pub mod catalogue;
pub mod cells;
pub mod encoding;
pub mod error;
pub mod frames;
pub mod http;
pub mod limits;
pub mod needs;
pub mod openai;
pub mod signed;
pub mod tasks;
pub mod text;

pub use clawrank_proof as proof;
pub use encoding::{Base64, Hex, HexBytes, Hotkey, RequestId};
pub use error::{ApiError, ErrorCode};
