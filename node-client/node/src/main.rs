// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! `clawrank-node`: a node of a local ClawRank chain.
//!
//! Blocks come from Aura and are finalised by GRANDPA, or are sealed on demand (`--sealing`). The database is ParityDB.
//! The beacon that opens timelocked commits is signed here, or fetched by the offchain worker.
//! Extrinsics that are encrypted to this node are opened as its blocks are made. Absent on purpose:
//! telemetry (a local chain has nobody to tell).

#![allow(clippy::result_large_err, reason = "the error type is the framework's")]

mod beacon;
mod cli;
mod command;
mod compiled_runtimes;
mod database;
mod rpc;
mod sealing;
mod service;
mod shield;

use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {}", command::line(&error));
            ExitCode::FAILURE
        }
    }
}
