// SPDX-License-Identifier: Apache-2.0

//! Telemetry of endpoints as CSV: read what was recorded, or generate rows that look like it.
//!
//! Columns: `time,region,provider,model,ttr_s,ttft_s,tps,num_tokens,total_time_s`. Times are seconds, `ttr` is the time to
//! the response's headers. A row without tokens is a call that failed.

#[cfg(test)]
pub(crate) mod tests;

use std::{io, path::Path};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{EmulatorError, latency::normal};

/// Names of the columns, in order.
pub const COLUMNS: [&str; 9] =
    ["time", "region", "provider", "model", "ttr_s", "ttft_s", "tps", "num_tokens", "total_time_s"];

/// One recorded call.
#[derive(Clone, Debug, PartialEq)]
pub struct TelemetryRow {
    /// When, as it was written: ISO 8601 without a zone.
    pub time: String,
    /// From where.
    pub region: String,
    /// Whom.
    pub provider: String,
    /// Which model.
    pub model: String,
    /// Time to the response's headers, seconds.
    pub ttr_s: f64,
    /// Time to the first token, seconds.
    pub ttft_s: f64,
    /// Tokens per second after the first.
    pub tps: f64,
    /// Tokens of the answer; 0 when the call failed.
    pub num_tokens: u32,
    /// Time to the last token, seconds.
    pub total_time_s: f64,
}

impl TelemetryRow {
    /// Whether the call failed: no token came.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.num_tokens == 0 || self.total_time_s <= 0.0
    }
}

/// Reads rows; `origin` names the file in errors.
///
/// # Errors
///
/// [`EmulatorError::Csv`] with line and column: a column is missing or not in its place, a number is not one, is negative
/// or not finite, a name is empty, or a line has another number of fields.
pub fn read_csv(reader: impl io::Read, origin: &str) -> Result<Vec<TelemetryRow>, EmulatorError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
    let error = |line: u64, column: &str, problem: String| EmulatorError::Csv {
        origin: origin.to_owned(),
        line,
        column: column.to_owned(),
        problem,
    };
    let unreadable = |line: u64, cause: csv::Error| error(line, "time", format!("cannot be read: {cause}"));
    let header = reader.headers().map_err(|cause| unreadable(1, cause))?.clone();
    for (index, column) in COLUMNS.iter().enumerate() {
        if header.get(index).map(str::trim) != Some(column) {
            let found = header.get(index).unwrap_or("nothing");
            return Err(error(1, column, format!("column {} is `{found}` instead", index.saturating_add(1))));
        }
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|cause| unreadable(cause.position().map_or(0, csv::Position::line), cause))?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push(row(&record).map_err(|(column, problem)| error(line, column, problem))?);
    }
    Ok(rows)
}

/// [`read_csv`] of a file.
///
/// # Errors
///
/// [`EmulatorError::Io`], and as [`read_csv`].
pub fn read_csv_file(path: &Path) -> Result<Vec<TelemetryRow>, EmulatorError> {
    let file = std::fs::File::open(path).map_err(|source| EmulatorError::Io { path: path.to_owned(), source })?;
    read_csv(io::BufReader::new(file), &path.display().to_string())
}

fn row(record: &csv::StringRecord) -> Result<TelemetryRow, (&'static str, String)> {
    if let Some(missing) = COLUMNS.get(record.len()) {
        return Err((missing, format!("the line has {} fields instead of {}", record.len(), COLUMNS.len())));
    }
    if record.len() > COLUMNS.len() {
        return Err(("total_time_s", format!("the line has {} fields instead of {}", record.len(), COLUMNS.len())));
    }
    let mut fields = COLUMNS.into_iter().zip(record.iter());
    let mut next = || fields.next().unwrap_or(("time", ""));
    let text = |(column, value): (&'static str, &str)| match value.trim() {
        "" => Err((column, "empty; give a name".to_owned())),
        value => Ok(value.to_owned()),
    };
    let number = |(column, value): (&'static str, &str)| match value.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err((column, format!("`{value}` is not a number from 0 upwards"))),
    };
    Ok(TelemetryRow {
        time: text(next())?,
        region: text(next())?,
        provider: text(next())?,
        model: text(next())?,
        ttr_s: number(next())?,
        ttft_s: number(next())?,
        tps: number(next())?,
        num_tokens: {
            let (column, value) = next();
            value.trim().parse().map_err(|_| (column, format!("`{value}` is not a whole number from 0 upwards")))?
        },
        total_time_s: number(next())?,
    })
}

/// Writes rows with their header.
///
/// # Errors
///
/// [`EmulatorError::CsvWrite`].
pub fn write_csv(rows: &[TelemetryRow], writer: impl io::Write) -> Result<(), EmulatorError> {
    let mut writer = csv::Writer::from_writer(writer);
    writer.write_record(COLUMNS).map_err(EmulatorError::CsvWrite)?;
    for row in rows {
        let numbers = [row.ttr_s, row.ttft_s, row.tps].map(|number| number.to_string());
        let (tokens, total) = (row.num_tokens.to_string(), row.total_time_s.to_string());
        let [ttr, ttft, tps] = &numbers;
        writer
            .write_record([&row.time, &row.region, &row.provider, &row.model, ttr, ttft, tps, &tokens, &total])
            .map_err(EmulatorError::CsvWrite)?;
    }
    writer.flush().map_err(|cause| EmulatorError::CsvWrite(cause.into()))
}

/// What [`generate_telemetry`] generates.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratorSpec {
    /// Where from.
    pub region: String,
    /// Every pair of a provider and a model it serves.
    pub served: Vec<(String, String)>,
    /// Measurements of each pair.
    pub snapshots: u32,
    /// Minutes between two snapshots.
    pub interval_minutes: u32,
    /// Tokens asked for in each call.
    pub tokens: u32,
    /// Standard deviation of the logarithm of a latency around its current level.
    pub sigma: f64,
    /// Part of the level's deviation that is left at the next snapshot: 0 forgets, 1 is a random walk.
    pub persistence: f64,
    /// Standard deviation of the logarithm of the level's step.
    pub step: f64,
    /// Probability that a call fails.
    pub failure: f64,
}

impl Default for GeneratorSpec {
    fn default() -> Self {
        let served = ["north", "south", "east"].map(|provider| (provider.to_owned(), "llama-3-8b".to_owned()));
        Self {
            region: "local".to_owned(),
            served: served.to_vec(),
            snapshots: 96,
            interval_minutes: 15,
            tokens: 100,
            sigma: 0.25,
            persistence: 0.8,
            step: 0.3,
            failure: 0.01,
        }
    }
}

/// Rows with the shape of recorded ones: each pair has its own level of latency and speed, which drifts (an
/// autoregressive walk of its logarithm), so that yesterday's best endpoint is often not today's.
///
/// Deterministic in `seed` and `spec`; snapshot by snapshot, all pairs in their order.
#[must_use]
pub fn generate_telemetry(seed: u64, spec: &GeneratorSpec) -> Vec<TelemetryRow> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut pairs: Vec<Level> = spec.served.iter().map(|_| Level::new(&mut rng)).collect();
    let mut rows = Vec::new();
    for snapshot in 0..spec.snapshots {
        let time = timestamp(u64::from(snapshot).saturating_mul(u64::from(spec.interval_minutes)));
        for ((provider, model), level) in spec.served.iter().zip(&mut pairs) {
            level.drift(&mut rng, spec);
            let failed = rng.random::<f64>() < spec.failure;
            let ttft_s = level.ttft_s * (level.offset + spec.sigma * normal(&mut rng)).exp();
            let tps = level.tps * (0.5 * spec.sigma * normal(&mut rng) - level.offset / 2.0).exp();
            let tokens = if failed { 0 } else { spec.tokens };
            let ok = if failed { 0.0 } else { 1.0 };
            rows.push(TelemetryRow {
                time: time.clone(),
                region: spec.region.clone(),
                provider: provider.clone(),
                model: model.clone(),
                ttr_s: ttft_s * 0.9,
                ttft_s: ttft_s * ok,
                tps: tps * ok,
                num_tokens: tokens,
                total_time_s: (ttft_s + f64::from(tokens) / tps) * ok,
            });
        }
    }
    rows
}

/// The slowly moving state of one pair.
struct Level {
    ttft_s: f64,
    tps: f64,
    offset: f64,
}

impl Level {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        Self { ttft_s: 0.3 * (0.5 * normal(rng)).exp(), tps: 60.0 * (0.5 * normal(rng)).exp(), offset: 0.0 }
    }

    fn drift(&mut self, rng: &mut ChaCha8Rng, spec: &GeneratorSpec) {
        self.offset = spec.persistence * self.offset + spec.step * normal(rng);
    }
}

/// Minutes after the start of 2024 as ISO 8601; the year has 366 days and the calendar starts again after it.
fn timestamp(minutes: u64) -> String {
    const MONTHS: [u64; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let (mut day, minute_of_day) = ((minutes / 1_440) % 366, minutes % 1_440);
    let mut month = 1u64;
    for length in MONTHS {
        if day < length {
            break;
        }
        day = day.saturating_sub(length);
        month = month.saturating_add(1);
    }
    let day = day.saturating_add(1);
    format!("2024-{month:02}-{day:02}T{:02}:{:02}:00", minute_of_day / 60, minute_of_day % 60)
}
