// SPDX-License-Identifier: Apache-2.0
//! The offchain worker: fetches what is missing of the public beacon, checks it and submits it.

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use clawrank_timelock::{BeaconParams, SIGNATURE_BYTES, verify_pulse};
use frame_support::traits::Get;
use frame_system::{
    offchain::{CreateAuthorizedTransaction, SubmitTransaction},
    pallet_prelude::BlockNumberFor,
};
use sp_core::offchain::{Duration, Timestamp};
use sp_runtime::{
    offchain::{
        http::{PendingRequest, Request},
        storage::StorageValueRef,
        storage_lock::{StorageLock, Time as LockTime},
    },
    traits::UniqueSaturatedInto,
};

use crate::{
    BeaconConfig, BeaconConfiguration, Call, Config, LastStoredRound, OldestStoredRound, Pallet, Pulse, Pulses,
    PulsesPayload, Stored, missing_rounds,
};

/// Where rounds of the public beacon are published; the signature of a round is checked, so none need be trusted.
pub const ENDPOINTS: [&str; 5] = [
    "https://api.drand.sh",
    "https://api2.drand.sh",
    "https://api3.drand.sh",
    "https://drand.cloudflare.com",
    "https://api.drand.secureweb3.com:6875",
];

/// Where the node says which endpoints are asked in the place of [`ENDPOINTS`]: a SCALE list of texts in the worker's
/// persistent storage, none of them with a `/` at its end.
///
/// From these the rounds of any beacon are fetched: of one that is not the public beacon nobody else knows an endpoint.
pub const ENDPOINTS_KEY: &[u8] = b"drand/endpoints";

/// Longest answer that is read, in bytes; an honest one has about 250.
const MAX_ANSWER_BYTES: usize = 2_048;

/// Held while rounds are fetched, so that a fast chain does not fetch the same ones twice.
const LOCK: &[u8] = b"drand/fetching";

/// Every round from the oldest up to this one was found stored.
const COMPLETE_UNTIL: &[u8] = b"drand/complete-until";

/// Why a run ended without a submission, for the log.
#[derive(Debug, PartialEq, Eq)]
enum Idle {
    /// The chain follows a local beacon, whose signer submits by itself, and the node names no endpoint of it.
    LocalBeacon,
    /// Another run is still fetching.
    Busy,
    /// Nothing is missing.
    Complete,
    /// No endpoint answered with a signature that verifies.
    Unreachable,
    /// The pool refused what was submitted.
    Refused,
}

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LocalBeacon => "the chain follows a local beacon",
            Self::Busy => "another run is fetching",
            Self::Complete => "no round is missing",
            Self::Unreachable => "no endpoint answered with a valid round; check the connection to the internet",
            Self::Refused => "the pool refused the pulses",
        })
    }
}

impl<T: Config> Pallet<T> {
    /// One run of the worker.
    pub(crate) fn fetch_missing(block: BlockNumberFor<T>) {
        match Self::try_fetch(block) {
            Ok(rounds) => log::info!(target: "drand", "submitted {rounds} rounds"),
            Err(idle @ (Idle::Unreachable | Idle::Refused)) => log::warn!(target: "drand", "{idle}"),
            Err(idle) => log::trace!(target: "drand", "{idle}"),
        }
    }

    fn try_fetch(block: BlockNumberFor<T>) -> Result<usize, Idle> {
        let config = BeaconConfig::<T>::get();
        let endpoints = endpoints(&config).ok_or(Idle::LocalBeacon)?;
        let params = config.params().ok_or(Idle::LocalBeacon)?;
        let timeout = T::HttpFetchTimeout::get();
        let held = Duration::from_millis(timeout.saturating_mul(2));
        let mut lock = StorageLock::<'_, LockTime>::with_deadline(LOCK, held);
        let _guard = lock.try_lock().map_err(|_| Idle::Busy)?;

        let rounds = Self::missing(params.round_at(sp_io::offchain::timestamp().unix_millis()));
        if rounds.is_empty() {
            return Err(Idle::Complete);
        }
        // Each block asks the next endpoint, so that one which fails is left after a block.
        let turn: u64 = block.unique_saturated_into();
        let endpoint = turn.checked_rem(endpoints.len() as u64).and_then(|turn| endpoints.get(turn as usize));
        let pulses = fetch(endpoint.map_or("", String::as_str), &config, &params, &rounds, timeout);
        if pulses.is_empty() {
            return Err(Idle::Unreachable);
        }
        let count = pulses.len();
        let call = Call::write_pulse { pulses_payload: PulsesPayload::new(block, pulses), signature: None };
        let transaction = <T as CreateAuthorizedTransaction<Call<T>>>::create_authorized_transaction(call.into());
        SubmitTransaction::<T, Call<T>>::submit_transaction(transaction).map_err(|()| Idle::Refused)?;
        Ok(count)
    }

    /// What to fetch when `published` is the beacon's newest round; remembers how far everything is stored.
    fn missing(published: u64) -> Vec<u64> {
        let known = StorageValueRef::persistent(COMPLETE_UNTIL);
        let stored = Stored {
            oldest: OldestStoredRound::<T>::get(),
            newest: LastStoredRound::<T>::get(),
            complete_until: known.get().ok().flatten().unwrap_or_default(),
        };
        let missing = missing_rounds(published, stored, T::PulsesPerBlock::get(), Pulses::<T>::contains_key);
        known.set(&missing.complete_until);
        missing.rounds
    }
}

/// What the node names, else where the public beacon is published; `None` for another beacon.
fn endpoints(config: &BeaconConfiguration) -> Option<Vec<String>> {
    let named: Option<Vec<String>> = StorageValueRef::persistent(ENDPOINTS_KEY).get().ok().flatten();
    named
        .filter(|endpoints| !endpoints.is_empty())
        .or_else(|| config.is_quicknet().then(|| ENDPOINTS.map(String::from).to_vec()))
}

/// Asks `endpoint` for `rounds`, all at once; returns those whose signature verifies.
fn fetch(
    endpoint: &str,
    config: &BeaconConfiguration,
    params: &BeaconParams,
    rounds: &[u64],
    timeout_ms: u64,
) -> Vec<Pulse> {
    let deadline = sp_io::offchain::timestamp().add(Duration::from_millis(timeout_ms));
    let chain: String = config.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let ask = |round: &u64| {
        let url = format!("{endpoint}/{chain}/public/{round}");
        Some((*round, Request::get(&url).deadline(deadline).send().ok()?))
    };
    let pending: Vec<_> = rounds.iter().filter_map(ask).collect();
    let verified = pending.into_iter().filter_map(|(round, request)| {
        let signature = signature_of(&answer(request, deadline)?)?;
        verify_pulse(&params.public_key, round, &signature).ok()?;
        Some(Pulse::new(round, &signature))
    });
    verified.collect()
}

fn answer(request: PendingRequest, deadline: Timestamp) -> Option<Vec<u8>> {
    let response = request.try_wait(deadline).ok()?.ok()?;
    if response.code != 200 {
        return None;
    }
    let mut body = response.body();
    body.deadline(deadline);
    Some(body.take(MAX_ANSWER_BYTES).collect())
}

/// The signature in a beacon's answer `{"round":..,"randomness":"..","signature":"<96 hex digits>"}`.
///
/// Whatever else stands there is not read: what is found is verified against the round that was asked for.
fn signature_of(answer: &[u8]) -> Option<[u8; SIGNATURE_BYTES]> {
    let text = core::str::from_utf8(answer).ok()?;
    let (_, value) = text.split_once("\"signature\"")?;
    let value = value.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let (digits, _) = value.split_once('"')?;
    let mut signature = [0; SIGNATURE_BYTES];
    if digits.len() != signature.len().saturating_mul(2) {
        return None;
    }
    for (byte, pair) in signature.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let pair = core::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_is_read_when_the_answer_is_a_beacons() {
        let digits = "0a".repeat(48);
        for text in [
            format!(r#"{{"round":1000,"randomness":"fe29","signature":"{digits}"}}"#),
            format!("{{\n  \"signature\" : \"{digits}\",\n \"round\": 1000 }}"),
        ] {
            assert_eq!(signature_of(text.as_bytes()), Some([0x0a; 48]));
        }
    }

    #[test]
    fn signature_is_refused_when_the_answer_is_none() {
        let short = "0a".repeat(47);
        let long = "0a".repeat(49);
        let foreign = "0g".repeat(48);
        let wide = "é0".repeat(32);
        for text in [
            String::new(),
            "{}".into(),
            r#"{"signature":1}"#.into(),
            format!(r#"{{"signature":"{short}"}}"#),
            format!(r#"{{"signature":"{long}"}}"#),
            format!(r#"{{"signature":"{foreign}"}}"#),
            format!(r#"{{"signature":"{wide}"}}"#),
            format!(r#"{{"signature":"{}"#, "0a".repeat(48)),
        ] {
            assert_eq!(signature_of(text.as_bytes()), None, "{text}");
        }
        assert_eq!(signature_of(&[0xff; 200]), None);
    }
}
