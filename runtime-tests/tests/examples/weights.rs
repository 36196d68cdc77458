// SPDX-License-Identifier: Apache-2.0
//! Runs the pallets' benchmarks in Wasm and holds what every weight claims against what was measured.
//!
//! Prints one JSON line per benchmark, for the point that comes nearest to its claim, and ends with 1 where one is
//! above it. What was measured is the median time over a state in memory plus the runtime's price of the reads and writes
//! that were counted, and the bytes of the trie nodes that were visited.
//!
//! `CLAWRANK_BENCHMARK_WASM=FILE cargo run --release -p clawrank-runtime-tests --example weights [--once] [PALLET]`, with a
//! runtime built with the feature `runtime-benchmarks`. With `--once` every benchmark runs at both ends of its components, and
//! nothing is timed: only what is counted is held against the claim. A pallet with weights and no benchmark is a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use clawrank_chain_spec::{Options, genesis_storage};
use clawrank_runtime::Runtime;
use clawrank_timelock::DevBeacon;
use codec::{Decode, Encode};
use frame_benchmarking::{
    BenchmarkBatch, BenchmarkConfig, BenchmarkList, BenchmarkMetadata, BenchmarkParameter, BenchmarkResult,
};
use frame_support::{
    traits::{Get, StorageInfo},
    weights::Weight,
};
use sc_client_db::BenchmarkingState;
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, RuntimeCode, WrappedRuntimeCode};
use sp_io::SubstrateHostFunctions;
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{OverlayedChanges, StateMachine};
use std::{collections::BTreeSet, path::Path, process::ExitCode};

/// Subnets of the genesis, that step too.
const GENESIS_SUBNETS: u32 = 2;
/// Runs of each point; the median counts.
const REPEATS: u32 = 11;
/// The round of the local beacon whose pulse benchmarks of timelocked fields open them with.
const ROUND: u64 = 7;

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
        let mut genesis = genesis_storage(&topology).expect("the runtime accepts its genesis");
        let pulse = pallet_drand::Pulse::new(ROUND, &DevBeacon::default().sign(ROUND));
        genesis.top.insert(pallet_drand::Pulses::<Runtime>::hashed_key_for(ROUND), pulse.encode());
        genesis.top.insert(pallet_drand::LastStoredRound::<Runtime>::hashed_key().to_vec(), ROUND.encode());
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
        verify: bool,
    ) -> Result<Vec<BenchmarkResult>, String> {
        let config = BenchmarkConfig {
            pallet: list.pallet.clone(),
            instance: list.instance.clone(),
            benchmark: benchmark.name.clone(),
            selected_components: point.clone(),
            verify,
            internal_repeats: repeats,
        };
        let batches: Result<Vec<BenchmarkBatch>, String> = self.call(state, "Benchmark_dispatch_benchmark", config)?;
        Ok(batches?.into_iter().flat_map(|batch| batch.results).collect())
    }

    /// Weight as measured at one point; without time if it runs but `once`.
    fn measure(
        &self,
        list: &BenchmarkList,
        benchmark: &BenchmarkMetadata,
        point: &Point,
        once: bool,
    ) -> Result<Measured, String> {
        // The first run shows that the benchmark does what it says; what it reads to know would be counted.
        self.run(&Self::state(false), list, benchmark, point, 1, true)?;
        let counted = self.run(&Self::state(true), list, benchmark, point, 1, false)?.pop().ok_or("nothing was run")?;
        let nanos = if once { 0 } else { self.nanos(list, benchmark, point)? };
        let db = <Runtime as frame_system::Config>::DbWeight::get()
            .reads_writes(counted.reads.into(), counted.writes.into());
        Ok(Measured { nanos, db, counted })
    }

    /// The median time at one point.
    fn nanos(&self, list: &BenchmarkList, benchmark: &BenchmarkMetadata, point: &Point) -> Result<u64, String> {
        let state = Self::state(false);
        let mut times: Vec<u128> =
            self.run(&state, list, benchmark, point, REPEATS, false)?.iter().map(|run| run.extrinsic_time).collect();
        times.sort_unstable();
        Ok(u64::try_from(times[times.len() / 2]).expect("less than centuries"))
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

/// Weights that leave out what their proof takes, on purpose: a queue of timelocked commits counts by time only.
const WITHOUT_PROOF: [&str; 2] = ["commit_timelocked_weights", "timelocked_queue"];

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

/// Every component at its most, and at its least.
fn ends(benchmark: &BenchmarkMetadata) -> Vec<Point> {
    let most: Point = benchmark.components.iter().map(|(name, _, high)| (*name, *high)).collect();
    let least: Point = benchmark.components.iter().map(|(name, low, _)| (*name, *low)).collect();
    if most == least { vec![most] } else { vec![most, least] }
}

/// The pallets that have weights, by the names of their crates.
fn with_weights() -> BTreeSet<String> {
    let pallets = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../pallets"));
    let folders =
        std::fs::read_dir(pallets).expect("the pallets' folder").map(|folder| folder.expect("a folder").path());
    let name = |folder: &Path| format!("pallet_{}", folder.file_name().unwrap().to_string_lossy().replace('-', "_"));
    folders.filter(|folder| folder.join("src/weights.rs").exists()).map(|folder| name(&folder)).collect()
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
        // One item of a batch and who pays, as the extension itself adds them up.
        ("pallet_subtensor", "extension") => Subtensor::extension()
            .saturating_mul(part(0).into())
            .saturating_add(<Runtime as frame_system::Config>::DbWeight::get().writes(1)),
        ("pallet_subtensor", "block_step") => Subtensor::block_step(part(0) + GENESIS_SUBNETS),
        ("pallet_subtensor", "epoch") => Subtensor::epoch(part(0), part(1), part(2)),
        ("pallet_commitments", "set_commitment") => Commitments::set_commitment(part(0)),
        ("pallet_commitments", "reset_bonds") => {
            let fields = <Runtime as pallet_commitments::Config>::MaxFields::get();
            Commitments::set_commitment(fields).saturating_add(Commitments::reset_bonds())
        }
        ("pallet_commitments", "reveal") => Commitments::reveal(part(0), part(1)),
        ("pallet_commitments", "set_max_space") => Commitments::set_max_space(),
        ("pallet_drand", "authorize_write_pulse") => Drand::authorize_write_pulse(part(0)),
        ("pallet_drand", "write_pulse") => Drand::write_pulse(part(0)),
        ("pallet_drand", "set_beacon_config") => Drand::set_beacon_config(),
        ("pallet_drand", "set_oldest_stored_round") => Drand::set_oldest_stored_round(),
        ("pallet_shield", "announce_next_key") => Shield::announce_next_key(),
        ("pallet_shield", "submit_encrypted") => Shield::submit_encrypted(),
        ("pallet_shield", "extension") => Shield::extension(),
        ("pallet_provider_rank", "add_cell") => Rank::add_cell(),
        ("pallet_provider_rank", "remove_cell") => Rank::remove_cell(),
        ("pallet_provider_rank", "commit_bundle") => Rank::commit_bundle(),
        ("pallet_provider_rank", "submit_verdicts") => Rank::submit_verdicts(part(0)),
        ("pallet_provider_rank", "force_set_epoch_emission") => Rank::force_set_epoch_emission(),
        ("pallet_provider_rank", "set_params") => Rank::set_params(),
        ("pallet_provider_rank", "on_initialize") => Rank::on_initialize(part(0)),
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
    let (flags, names): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg.starts_with('-'));
    let (once, only) = (flags.iter().any(|flag| flag == "--once"), names.first());
    let file = std::env::var_os("CLAWRANK_BENCHMARK_WASM").expect("CLAWRANK_BENCHMARK_WASM names the runtime's Wasm");
    let benchmarks = Benchmarks::new(std::fs::read(file).expect("the runtime's Wasm"));
    let (mut above, mut failed) = (Vec::new(), Vec::new());
    let mut missing = only.map_or_else(with_weights, |only| BTreeSet::from([only.clone()]));
    let mut ran = 0;
    for list in benchmarks.list() {
        let pallet = String::from_utf8_lossy(&list.pallet).into_owned();
        if only.is_some_and(|only| *only != pallet) {
            continue;
        }
        if !list.benchmarks.is_empty() {
            missing.remove(&pallet);
        }
        for benchmark in &list.benchmarks {
            let name = String::from_utf8_lossy(&benchmark.name).into_owned();
            let parts = |point: &Point| {
                point.iter().map(|(part, value)| format!("{part}={value}")).collect::<Vec<_>>().join(" ")
            };
            let points = if once { ends(benchmark) } else { points(benchmark) };
            let compared = points.into_iter().filter_map(|point| {
                let claimed = claim(&pallet, &name, &point).transpose()?;
                let both =
                    claimed.and_then(|claimed| Ok((claimed, benchmarks.measure(&list, benchmark, &point, once)?)));
                let (claimed, measured) = match both {
                    Ok(both) => both,
                    Err(error) => {
                        failed.push(format!("{pallet}::{name} {}: {error}", parts(&point)));
                        return None;
                    }
                };
                let share = measured.weight().ref_time() as f64 / claimed.ref_time() as f64;
                let weight = measured.weight();
                let is_proved = claimed.proof_size() >= weight.proof_size() || WITHOUT_PROOF.contains(&name.as_str());
                let fits = is_proved && weight.ref_time() <= claimed.ref_time();
                Some((fits, share, point, measured, claimed))
            });
            // A point that does not fit, if there is one, also when only its proof is too large.
            let nearest = compared.max_by(|a, b| b.0.cmp(&a.0).then(a.1.total_cmp(&b.1)));
            let Some((fits, share, point, measured, claimed)) = nearest else { continue };
            ran += 1;
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
    println!("{ran} benchmarks ran");
    failed.extend(missing.iter().map(|pallet| format!("{pallet} has weights and no benchmark")));
    if !above.is_empty() {
        eprintln!("above their claims: {}", above.join(", "));
    }
    for failure in &failed {
        eprintln!("failed: {failure}");
    }
    if above.is_empty() && failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
