// SPDX-License-Identifier: Apache-2.0

//! How long a request takes and whether it fails.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    EmulatorError, Failures, GeneratorSpec, Lognormal, ModelProfile, Recorded, TelemetryRow, generate_telemetry,
    telemetry::read_csv_file,
};

/// Time that a hanging request hangs where the profile does not say.
const DEFAULT_HANG: Duration = Duration::from_secs(120);

/// A standard normal variate, by the Box-Muller transform.
pub(crate) fn normal(rng: &mut impl Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

/// How a request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Answer,
    Status500,
    Status429,
    Hang(Duration),
    Malformed,
    Broken,
}

/// When the tokens come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timing {
    pub(crate) ttft: Duration,
    pub(crate) per_token: Duration,
}

impl Timing {
    /// When the token at `index` comes, after the request.
    pub(crate) fn at(&self, index: usize) -> Duration {
        self.ttft.saturating_add(self.per_token.saturating_mul(u32::try_from(index).unwrap_or(u32::MAX)))
    }
}

enum Source {
    Lognormal(Lognormal),
    Rows { rows: Vec<TelemetryRow>, sequential: bool, time_scale: f64 },
}

/// Draws fate and timing of each request of one model; the n-th draw depends on seed and n only.
pub(crate) struct Sampler {
    source: Source,
    failures: Failures,
    seed: u64,
    drawn: AtomicU64,
}

impl Sampler {
    /// `seed` is of this endpoint and model already; `profile_seed` is of the whole profile.
    pub(crate) fn new(model: &ModelProfile, place: &str, seed: u64, profile_seed: u64) -> Result<Self, EmulatorError> {
        let source = match (&model.latency, &model.recorded) {
            (Some(latency), _) => Source::Lognormal(*latency),
            (None, Some(recorded)) => rows(recorded, place, profile_seed)?,
            (None, None) => {
                let problem = "give exactly one of `latency` and `recorded`".to_owned();
                return Err(EmulatorError::Field { field: "latency", place: place.to_owned(), problem });
            }
        };
        Ok(Self { source, failures: model.failures, seed, drawn: AtomicU64::new(0) })
    }

    pub(crate) fn draw(&self) -> (Fate, Timing) {
        let index = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(index);
        let (timing, failed) = match &self.source {
            Source::Lognormal(latency) => (lognormal(latency, &mut rng), false),
            Source::Rows { rows, sequential, time_scale } => {
                let count = u64::try_from(rows.len()).unwrap_or(u64::MAX).max(1);
                let chosen = if *sequential { index % count } else { rng.random_range(0..count) };
                let row = usize::try_from(chosen).ok().and_then(|chosen| rows.get(chosen));
                row.map_or((Timing { ttft: Duration::ZERO, per_token: Duration::ZERO }, true), |row| {
                    (recorded(row, *time_scale), row.is_failure())
                })
            }
        };
        (if failed { Fate::Status500 } else { self.fate(rng.random()) }, timing)
    }

    fn fate(&self, mut point: f64) -> Fate {
        let failures = &self.failures;
        let hang = match failures.hang_ms {
            0 => DEFAULT_HANG,
            millis => Duration::from_millis(millis),
        };
        for (rate, fate) in [
            (failures.status_500, Fate::Status500),
            (failures.status_429, Fate::Status429),
            (failures.hang, Fate::Hang(hang)),
            (failures.malformed, Fate::Malformed),
            (failures.broken, Fate::Broken),
        ] {
            if point < rate {
                return fate;
            }
            point -= rate;
        }
        Fate::Answer
    }
}

fn rows(recorded: &Recorded, place: &str, profile_seed: u64) -> Result<Source, EmulatorError> {
    let all = match &recorded.csv {
        Some(path) => read_csv_file(path)?,
        None => {
            let served = vec![(recorded.provider.clone(), recorded.model.clone())];
            let seed = seed_of(profile_seed, &[&recorded.provider, &recorded.model]);
            let region = recorded.region.clone().unwrap_or_else(|| GeneratorSpec::default().region);
            generate_telemetry(seed, &GeneratorSpec { region, served, ..GeneratorSpec::default() })
        }
    };
    let wanted = |row: &TelemetryRow| {
        row.provider == recorded.provider
            && row.model == recorded.model
            && recorded.region.as_ref().is_none_or(|region| *region == row.region)
    };
    let rows: Vec<TelemetryRow> = all.into_iter().filter(wanted).collect();
    if rows.is_empty() {
        let file = recorded.csv.clone().unwrap_or_else(|| PathBuf::from("generated telemetry"));
        let problem = format!(
            "no row of provider `{}` and model `{}` in {}; check the names",
            recorded.provider,
            recorded.model,
            file.display()
        );
        return Err(EmulatorError::Field { field: "recorded", place: place.to_owned(), problem });
    }
    Ok(Source::Rows { rows, sequential: recorded.sequential, time_scale: recorded.time_scale })
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.clamp(0.0, 3_600.0)).unwrap_or(Duration::ZERO)
}

fn lognormal(latency: &Lognormal, rng: &mut impl Rng) -> Timing {
    let ttft_ms = latency.ttft_median_ms * (latency.ttft_sigma * normal(rng)).exp();
    let speed = latency.tokens_per_second * (latency.tokens_per_second_sigma * normal(rng)).exp();
    Timing { ttft: seconds(ttft_ms / 1_000.0), per_token: seconds(1.0 / speed) }
}

fn recorded(row: &TelemetryRow, time_scale: f64) -> Timing {
    if row.is_failure() {
        return Timing { ttft: seconds(row.ttr_s * time_scale), per_token: Duration::ZERO };
    }
    let rest = (row.total_time_s - row.ttft_s).max(0.0) / f64::from(row.num_tokens);
    Timing { ttft: seconds(row.ttft_s * time_scale), per_token: seconds(rest * time_scale) }
}

/// A seed that follows from another and from names.
pub(crate) fn seed_of(seed: u64, names: &[&str]) -> u64 {
    let mut bytes = seed.to_le_bytes().to_vec();
    for name in names {
        bytes.extend_from_slice(&u64::try_from(name.len()).unwrap_or(u64::MAX).to_le_bytes());
        bytes.extend_from_slice(name.as_bytes());
    }
    let hash = clawrank_protocol::proof::blake2_256(&bytes);
    hash.first_chunk::<8>().map_or(0, |word| u64::from_le_bytes(*word))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use super::*;
    use crate::{
        Profile,
        telemetry::tests::{recorded_file, recorded_pairs},
    };

    fn sampler(model: &str) -> Sampler {
        let text = format!("[[endpoint]]\nid = \"a\"\n[[endpoint.model]]\nid = \"m\"\n{model}");
        let profile = Profile::parse(&text, "t").unwrap();
        Sampler::new(&profile.endpoints[0].models[0], "here", 5, 9).unwrap()
    }

    fn fates(sampler: &Sampler, count: usize) -> Vec<Fate> {
        (0..count).map(|_| sampler.draw().0).collect()
    }

    #[test]
    fn draws_repeat_when_the_seed_does() {
        let model = "latency = { ttft_median_ms = 100.0, ttft_sigma = 0.4, tokens_per_second = 50.0 }";
        let draws = |sampler: Sampler| (0..100).map(|_| sampler.draw()).collect::<Vec<_>>();
        assert_eq!(draws(sampler(model)), draws(sampler(model)));
    }

    #[test]
    fn median_is_the_profiles_when_many_are_drawn() {
        let sampler = sampler("latency = { ttft_median_ms = 100.0, ttft_sigma = 0.4, tokens_per_second = 50.0 }");
        let mut millis: Vec<u128> = (0..4_001).map(|_| sampler.draw().1.ttft.as_millis()).collect();
        millis.sort_unstable();
        assert!((95..=105).contains(&millis[2_000]), "{}", millis[2_000]);
        let at_84_percent = millis[3_361];
        assert!((140..=160).contains(&at_84_percent), "one sigma above is about 149, not {at_84_percent}");
        assert_eq!(sampler.draw().1.per_token, Duration::from_millis(20));
    }

    #[test]
    fn failures_are_as_frequent_as_the_profile_says() {
        let sampler = sampler(
            "latency = { ttft_median_ms = 1.0, tokens_per_second = 50.0 }\n\
             failures = { status_500 = 0.1, status_429 = 0.2, hang = 0.05, hang_ms = 7, malformed = 0.1, broken = 0.05 }",
        );
        let fates = fates(&sampler, 10_000);
        let count = |wanted: Fate| fates.iter().filter(|fate| **fate == wanted).count();
        for (fate, expected) in [
            (Fate::Status500, 1_000),
            (Fate::Status429, 2_000),
            (Fate::Hang(Duration::from_millis(7)), 500),
            (Fate::Malformed, 1_000),
            (Fate::Broken, 500),
            (Fate::Answer, 5_000),
        ] {
            assert!(count(fate).abs_diff(expected) < 200, "{fate:?}: {} instead of {expected}", count(fate));
        }
    }

    #[test]
    fn recorded_rows_are_played_in_order_when_sequential() {
        let folder = std::env::temp_dir().join(format!("clawrank-emulator-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("rows.csv");
        let header = crate::telemetry::COLUMNS.join(",");
        let lines = "t,r,p,m,0.1,0.5,10,20,2.5\nt,r,other,m,1,1,1,1,1\nt,r,p,m,0.1,0,0,0,0\n";
        std::fs::write(&path, format!("{header}\n{lines}")).unwrap();
        let model = format!(
            "recorded = {{ csv = {path:?}, provider = \"p\", model = \"m\", sequential = true, time_scale = 0.5 }}"
        );
        let sampler = sampler(&model);
        std::fs::remove_dir_all(&folder).unwrap();
        let (fate, timing) = sampler.draw();
        assert_eq!(
            (fate, timing.ttft, timing.per_token),
            (Fate::Answer, Duration::from_millis(250), Duration::from_millis(50))
        );
        assert_eq!(timing.at(20), Duration::from_millis(1_250));
        assert_eq!(sampler.draw().0, Fate::Status500);
        assert_eq!(sampler.draw().0, Fate::Answer);
    }

    #[test]
    fn generated_rows_are_used_when_no_file_is_given() {
        let sampler = sampler("recorded = { provider = \"p\", model = \"m\" }");
        assert!(fates(&sampler, 200).iter().filter(|fate| **fate == Fate::Answer).count() > 180);
    }

    /// A sampler of a pair of the recorded file.
    fn of_recorded(csv: &std::path::Path, pair: &(String, String), seed: u64, more: &str) -> Sampler {
        let (provider, model) = pair;
        let text = format!(
            "[[endpoint]]\nid = \"a\"\n[[endpoint.model]]\nid = \"m\"\n\
             recorded = {{ csv = {csv:?}, provider = {provider:?}, model = {model:?}{more} }}"
        );
        let profile = Profile::parse(&text, "t").unwrap();
        Sampler::new(&profile.endpoints[0].models[0], "here", seed, 9).unwrap()
    }

    /// Largest difference between the shares of two sets that are at most a value (Kolmogorov and Smirnov), values within
    /// ten nanoseconds being one.
    fn distance(mut a: Vec<f64>, mut b: Vec<f64>) -> f64 {
        a.sort_by(f64::total_cmp);
        b.sort_by(f64::total_cmp);
        let share = |of: &[f64], value: f64| of.partition_point(|one| *one <= value + 1e-8) as f64 / of.len() as f64;
        a.iter().chain(&b).map(|value| (share(&a, *value) - share(&b, *value)).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn every_recorded_call_is_emitted_as_it_was_when_sequential() {
        let Some(path) = recorded_file() else { return };
        let pairs = recorded_pairs(&path);
        assert_eq!(pairs.len(), 122);
        for (pair, rows) in pairs {
            let sampler = of_recorded(&path, &pair, 5, ", sequential = true");
            for row in &rows {
                let (fate, timing) = sampler.draw();
                assert_eq!(fate, if row.is_failure() { Fate::Status500 } else { Fate::Answer }, "{row:?}");
                let (first, last) = match row.is_failure() {
                    true => (row.ttr_s, row.ttr_s),
                    false => (row.ttft_s, row.total_time_s),
                };
                let tokens = usize::try_from(row.num_tokens).unwrap();
                // Whole nanoseconds per token.
                for (emitted, recorded) in [(timing.ttft, first), (timing.at(tokens), last)] {
                    assert!((emitted.as_secs_f64() - recorded).abs() < 1e-6, "{emitted:?} for {row:?}");
                }
            }
        }
    }

    /// Tolerances for 4,000 draws: 0.05 between the distributions, which chance exceeds once in 10^8; 4 standard deviations
    /// for the failures.
    #[test]
    fn latencies_and_failures_follow_the_recorded_ones_when_drawn_by_a_seed() {
        let Some(path) = recorded_file() else { return };
        let draw = |pair: &(String, String), seed: u64| -> Vec<(Fate, Timing)> {
            let sampler = of_recorded(&path, pair, seed, "");
            (0..4_000).map(|_| sampler.draw()).collect()
        };
        for (pair, rows) in recorded_pairs(&path) {
            for seed in 1..=3 {
                let draws = draw(&pair, seed);
                let failed = draws.iter().filter(|(fate, _)| *fate == Fate::Status500).count() as f64;
                let rate = rows.iter().filter(|row| row.is_failure()).count() as f64 / rows.len() as f64;
                let sigma = (4_000.0 * rate * (1.0 - rate)).sqrt();
                assert!((failed - 4_000.0 * rate).abs() <= 4.0 * sigma, "{pair:?}: {failed} of 4,000 failed");
                let answered: Vec<Timing> =
                    draws.iter().filter(|(fate, _)| *fate == Fate::Answer).map(|(_, timing)| *timing).collect();
                assert_eq!(answered.len() as f64 + failed, 4_000.0, "{pair:?} fails in no other way");
                let served: Vec<&TelemetryRow> = rows.iter().filter(|row| !row.is_failure()).collect();
                let first = distance(
                    answered.iter().map(|timing| timing.ttft.as_secs_f64()).collect(),
                    served.iter().map(|row| row.ttft_s).collect(),
                );
                let speed = distance(
                    answered.iter().map(|timing| timing.per_token.as_secs_f64()).collect(),
                    served.iter().map(|row| (row.total_time_s - row.ttft_s) / f64::from(row.num_tokens)).collect(),
                );
                assert!(first < 0.05 && speed < 0.05, "{pair:?}, seed {seed}: {first} and {speed}");
            }
            if rows.len() > 1 {
                assert_eq!(draw(&pair, 1), draw(&pair, 1), "{pair:?}");
                assert_ne!(draw(&pair, 1), draw(&pair, 2), "{pair:?}");
            }
        }
    }
}
