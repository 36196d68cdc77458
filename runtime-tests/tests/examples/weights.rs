// SPDX-License-Identifier: Apache-2.0
//! Runs the pallets' benchmarks in Wasm and holds what every weight claims against what was measured.
//!
//! Prints one JSON line per benchmark, for the point that comes nearest to its claim, and ends with 1 where one is
//! above it. What was measured is the median time over a state in memory plus the runtime's price of the reads and writes
//! that were counted, and the bytes of the trie nodes that were visited.
//!
//! `CLAWRANK_BENCHMARK_WASM=FILE cargo run --release -p clawrank-runtime-tests --example weights [PALLET]`, with a runtime
//! built with the feature `runtime-benchmarks`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use clawrank_chain_spec::{Options, genesis_storage};
use clawrank_runtime::Runtime;
use codec::{Decode, Encode};
use frame_benchmarking::{
    BenchmarkBatch, BenchmarkConfig, BenchmarkList, BenchmarkMetadata, BenchmarkParameter, BenchmarkResult,
};
use frame_support::{traits::StorageInfo, weights::Weight};
use sc_client_db::BenchmarkingState;
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, RuntimeCode, WrappedRuntimeCode};
use sp_io::SubstrateHostFunctions;
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{OverlayedChanges, StateMachine};
use std::process::ExitCode;

/// Subnets of the genesis, that step too.
const GENESIS_SUBNETS: u32 = 2;
/// Runs of each point; the median counts.
const REPEATS: u32 = 11;

type HostFunctions = (SubstrateHostFunctions, frame_benchmarking::benchmarking::HostFunctions);
type Point = Vec<(BenchmarkParameter, u32)>;

/// A runtime with benchmarks.
struct Benchmarks {
    executor: WasmExecutor<HostFunctions>,
    wasm: Vec<u8>,
    hash: Vec<u8>,
}

impl Benchmarks {
    fn new(wasm: Vec<u8>) -> Self {
        let hash = sp_io::hashing::blake2_256(&wasm).to_vec();
        Self { executor: WasmExecutor::builder().build(), wasm, hash }
    }

    /// A state at genesis, which counts what is read and written and records the trie nodes on the way if asked to.
    fn state(tracking: bool) -> BenchmarkingState<BlakeTwo256> {
        // Slots that have time for as many pulses as a call may ever carry.
        let options = Options { block_time_ms: Some(2_000), ..Options::default() };
        let topology = options.topology().expect("the options have their defaults");
        let genesis = genesis_storage(&topology).expect("the runtime accepts its genesis");
        BenchmarkingState::new(genesis, None, tracking, tracking).expect("a state in memory")
    }

    fn call<R: Decode>(
        &self,
        state: &BenchmarkingState<BlakeTwo256>,
        method: &str,
        args: impl Encode,
    ) -> Result<R, String> {
        let fetcher = WrappedRuntimeCode(self.wasm.as_slice().into());
        let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: self.hash.clone() };
        let (mut changes, mut extensions, args) = (OverlayedChanges::default(), Default::default(), args.encode());
        let mut machine = StateMachine::new(
            state,
            &mut changes,
            &self.executor,
            method,
            &args,
            &mut extensions,
            &code,
            CallContext::Offchain,
        );
        let answer = machine.execute().map_err(|error| error.to_string())?;
        R::decode(&mut answer.as_slice()).map_err(|error| error.to_string())
    }

    fn list(&self) -> Vec<BenchmarkList> {
        let (list, _): (Vec<BenchmarkList>, Vec<StorageInfo>) = self
            .call(&Self::state(false), "Benchmark_benchmark_metadata", false)
            .unwrap_or_else(|error| panic!("benchmarks cannot be listed: {error}; is the feature on?"));
        list
    }

    fn run(
        &self,
        state: &BenchmarkingState<BlakeTwo256>,
        list: &BenchmarkList,
        benchmark: &BenchmarkMetadata,
        point: &Point,
        repeats: u32,
    ) -> Result<Vec<BenchmarkResult>, String> {
        let config = BenchmarkConfig {
            pallet: list.pallet.clone(),
            instance: list.instance.clone(),
            benchmark: benchmark.name.clone(),
            selected_components: point.clone(),
            // The first run shows that the benchmark does what it says.
            verify: repeats == 1,
            internal_repeats: repeats,
        };
        let batches: Result<Vec<BenchmarkBatch>, String> = self.call(state, "Benchmark_dispatch_benchmark", config)?;
        Ok(batches?.into_iter().flat_map(|batch| batch.results).collect())
    }

    /// Weight as measured at one point.
    fn measure(&self, list: &BenchmarkList, benchmark: &BenchmarkMetadata, point: &Point) -> Result<Measured, String> {
        let counted = self.run(&Self::state(true), list, benchmark, point, 1)?.remove(0);
        let state = Self::state(false);
        let mut times: Vec<u128> =
            self.run(&state, list, benchmark, point, REPEATS)?.iter().map(|run| run.extrinsic_time).collect();
        times.sort_unstable();
        let nanos = u64::try_from(times[times.len() / 2]).expect("less than centuries");
        let db = <Runtime as frame_system::Config>::DbWeight::get()
            .reads_writes(counted.reads.into(), counted.writes.into());
        Ok(Measured { nanos, db, counted })
    }
}

struct Measured {
    nanos: u64,
    db: Weight,
    counted: BenchmarkResult,
}

impl Measured {
    fn weight(&self) -> Weight {
        Weight::from_parts(self.nanos * 1_000, self.counted.proof_size.into()).saturating_add(self.db)
    }
}

/// Both ends and the middle of every component, the others at their most.
fn points(benchmark: &BenchmarkMetadata) -> Vec<Point> {
    let most: Point = benchmark.components.iter().map(|(name, _, high)| (*name, *high)).collect();
    let mut points = vec![most.clone()];
    for (index, (_, low, high)) in benchmark.components.iter().enumerate() {
        for value in [*low, low + (high - low) / 2] {
            let mut point = most.clone();
            point[index].1 = value;
            points.push(point);
        }
    }
    points
}

/// What the runtime's weights claim at a point; `None` for benchmarks of other people's pallets.
///
/// # Errors
///
/// A benchmark of ours that no weight is compared with.
fn claim(pallet: &str, benchmark: &str, point: &Point) -> Result<Option<Weight>, String> {
    use pallet_admin_utils::WeightInfo as _;
    use pallet_commitments::WeightInfo as _;
    use pallet_drand::WeightInfo as _;
    use pallet_provider_rank::WeightInfo as _;
    use pallet_shield::WeightInfo as _;
    use pallet_subtensor::WeightInfo as _;
    type Admin = <Runtime as pallet_admin_utils::Config>::WeightInfo;
    type Commitments = <Runtime as pallet_commitments::Config>::WeightInfo;
    type Drand = <Runtime as pallet_drand::Config>::WeightInfo;
    type Rank = <Runtime as pallet_provider_rank::Config>::WeightInfo;
    type Shield = <Runtime as pallet_shield::Config>::WeightInfo;
    type Subtensor = <Runtime as pallet_subtensor::Config>::WeightInfo;
    let part = |index: usize| point.get(index).map_or(0, |(_, value)| *value);
    Ok(Some(match (pallet, benchmark) {
        ("pallet_subtensor", "set_weights") => Subtensor::set_weights(part(0)),
        ("pallet_subtensor", "commit_weights") => Subtensor::commit_weights(),
        ("pallet_subtensor", "reveal_weights") => Subtensor::reveal_weights(part(0), part(1)),
        ("pallet_subtensor", "add_stake") => Subtensor::add_stake(),
        ("pallet_subtensor", "remove_stake") => Subtensor::remove_stake(),
        ("pallet_subtensor", "unstake_all") => Subtensor::unstake_all(part(0)),
        ("pallet_subtensor", "serve_axon") => Subtensor::serve_axon(),
        ("pallet_subtensor", "serve_axon_tls") => Subtensor::serve_axon_tls(),
        ("pallet_subtensor", "serve_prometheus") => Subtensor::serve_prometheus(),
        ("pallet_subtensor", "burned_register") => Subtensor::burned_register(part(0)),
        ("pallet_subtensor", "root_register") => Subtensor::root_register(),
        ("pallet_subtensor", "set_take") => Subtensor::set_take(),
        ("pallet_subtensor", "register_network") => Subtensor::register_network(),
        ("pallet_subtensor", "start_call") => Subtensor::start_call(),
        ("pallet_subtensor", "set_tempo") => Subtensor::set_tempo(),
        ("pallet_subtensor", "set_subnet_identity") => Subtensor::set_subnet_identity(),
        ("pallet_subtensor", "trigger_epoch") => Subtensor::trigger_epoch(),
        ("pallet_subtensor", "commit_timelocked_weights") => Subtensor::commit_timelocked_weights(part(0)),
        ("pallet_subtensor", "timelocked_queue") => Subtensor::timelocked_queue(part(0), 0),
        ("pallet_subtensor", "timelocked_reveal") => Subtensor::timelocked_reveal(part(0)),
        ("pallet_subtensor", "block_step") => Subtensor::block_step(part(0) + GENESIS_SUBNETS),
        ("pallet_subtensor", "epoch") => Subtensor::epoch(part(0), part(1), part(2)),
        ("pallet_commitments", "set_commitment") => Commitments::set_commitment(part(0)),
        ("pallet_commitments", "set_max_space") => Commitments::set_max_space(),
        ("pallet_drand", "authorize_write_pulse") => Drand::authorize_write_pulse(part(0)),
        ("pallet_drand", "write_pulse") => Drand::write_pulse(part(0)),
        ("pallet_drand", "set_beacon_config") => Drand::set_beacon_config(),
        ("pallet_drand", "set_oldest_stored_round") => Drand::set_oldest_stored_round(),
        ("pallet_shield", "announce_next_key") => Shield::announce_next_key(),
        ("pallet_shield", "submit_encrypted") => Shield::submit_encrypted(),
        ("pallet_provider_rank", "add_cell") => Rank::add_cell(),
        ("pallet_provider_rank", "remove_cell") => Rank::remove_cell(),
        ("pallet_provider_rank", "commit_bundle") => Rank::commit_bundle(),
        ("pallet_provider_rank", "submit_verdicts") => Rank::submit_verdicts(part(0)),
        ("pallet_provider_rank", "force_set_epoch_emission") => Rank::force_set_epoch_emission(),
        ("pallet_provider_rank", "set_params") => Rank::set_params(),
        ("pallet_provider_rank", "open_epoch") => Rank::open_epoch(part(0), part(1)),
        ("pallet_provider_rank", "settle") => Rank::settle(part(0), part(1)),
        ("pallet_admin_utils", "swap_authorities") => Admin::swap_authorities(part(0)),
        ("pallet_admin_utils", "global") => Admin::global(),
        ("pallet_admin_utils", "parameter") => Admin::parameter(),
        ("pallet_admin_utils", "refusal") => Admin::refusal(),
        ("pallet_admin_utils", "mechanism_count") => Admin::mechanism_count(),
        ("pallet_admin_utils", "trim") => Admin::trim(),
        ("pallet_balances" | "pallet_timestamp" | "pallet_sudo", _) => return Ok(None),
        _ => return Err("no weight is compared with it".into()),
    }))
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn main() -> ExitCode {
    let only = std::env::args().nth(1);
    let file = std::env::var_os("CLAWRANK_BENCHMARK_WASM").expect("CLAWRANK_BENCHMARK_WASM names the runtime's Wasm");
    let benchmarks = Benchmarks::new(std::fs::read(file).expect("the runtime's Wasm"));
    let (mut above, mut failed) = (Vec::new(), Vec::new());
    for list in benchmarks.list() {
        let pallet = String::from_utf8_lossy(&list.pallet).into_owned();
        if only.as_ref().is_some_and(|only| *only != pallet) {
            continue;
        }
        for benchmark in &list.benchmarks {
            let name = String::from_utf8_lossy(&benchmark.name).into_owned();
            let parts = |point: &Point| {
                point.iter().map(|(part, value)| format!("{part}={value}")).collect::<Vec<_>>().join(" ")
            };
            let compared = points(benchmark).into_iter().filter_map(|point| {
                let claimed = claim(&pallet, &name, &point).transpose()?;
                let both = claimed.and_then(|claimed| Ok((claimed, benchmarks.measure(&list, benchmark, &point)?)));
                let (claimed, measured) = match both {
                    Ok(both) => both,
                    Err(error) => {
                        failed.push(format!("{pallet}::{name} {}: {error}", parts(&point)));
                        return None;
                    }
                };
                let share = measured.weight().ref_time() as f64 / claimed.ref_time() as f64;
                Some((share, point, measured, claimed))
            });
            let Some((share, point, measured, claimed)) = compared.max_by(|a, b| a.0.total_cmp(&b.0)) else { continue };
            let fits = measured.weight().all_lte(claimed);
            println!(
                "{}",
                serde_json::json!({
                    "name": format!("weight of {pallet}::{name}"),
                    "point": parts(&point),
                    "share_of_claim": round(share),
                    "measured_us": round(measured.nanos as f64 / 1_000.0),
                    "with_reads_and_writes_us": round(measured.weight().ref_time() as f64 / 1_000_000.0),
                    "claimed_us": round(claimed.ref_time() as f64 / 1_000_000.0),
                    "reads": measured.counted.reads,
                    "writes": measured.counted.writes,
                    "proof_bytes": measured.counted.proof_size,
                    "claimed_proof_bytes": claimed.proof_size(),
                    "fits": fits,
                })
            );
            if !fits {
                above.push(format!("{pallet}::{name}"));
            }
        }
    }
    if !above.is_empty() {
        eprintln!("above their claims: {}", above.join(", "));
    }
    for failure in &failed {
        eprintln!("failed: {failure}");
    }
    if above.is_empty() && failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
