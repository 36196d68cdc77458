// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::{collections::BTreeMap, io::Write, path::PathBuf};

use super::*;

/// The file that was recorded at real providers. It is not part of the source tree: it is looked for in the folder that
/// `CLAWRANK_REFERENCE_DATA` names, else in a folder `shared` beside the checkout. `None` where it is not; says so on
/// standard error, past the test runner.
pub(crate) fn recorded_file() -> Option<PathBuf> {
    let folder = std::env::var_os("CLAWRANK_REFERENCE_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = folder.join("data/endpoint_telemetry_2024.csv");
    if path.exists() {
        return Some(path);
    }
    let bar = "!".repeat(100);
    let _ = writeln!(
        io::stderr(),
        "\n{bar}\nSKIPPED: no recorded telemetry at {}; set CLAWRANK_REFERENCE_DATA\n{bar}",
        path.display()
    );
    None
}

/// Its rows, by provider and model.
pub(crate) fn recorded_pairs(path: &Path) -> BTreeMap<(String, String), Vec<TelemetryRow>> {
    let mut pairs: BTreeMap<(String, String), Vec<TelemetryRow>> = BTreeMap::new();
    for row in read_csv_file(path).unwrap() {
        pairs.entry((row.provider.clone(), row.model.clone())).or_default().push(row);
    }
    pairs
}

const HEADER: &str = "time,region,provider,model,ttr_s,ttft_s,tps,num_tokens,total_time_s";
const LINE: &str = "2024-04-15T08:04:59.267946,sea,@cf,meta/llama-2-7b,0.72,0.73,18.6,101,6.09";

fn refused(text: &str) -> String {
    read_csv(text.as_bytes(), "t.csv").unwrap_err().to_string()
}

#[test]
fn rows_read_back_the_same_when_written() {
    let rows = generate_telemetry(3, &GeneratorSpec::default());
    let mut bytes = Vec::new();
    write_csv(&rows, &mut bytes).unwrap();
    assert!(bytes.starts_with(HEADER.as_bytes()));
    assert_eq!(read_csv(bytes.as_slice(), "t").unwrap(), rows);
}

#[test]
fn recorded_line_is_read_when_it_has_all_columns() {
    let rows = read_csv(format!("{HEADER}\n{LINE}\n{LINE}\n").as_bytes(), "t").unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].provider.as_str(), rows[0].num_tokens, rows[0].total_time_s), ("@cf", 101, 6.09));
    assert!(!rows[0].is_failure());
}

#[test]
fn every_line_of_the_recorded_file_is_a_row() {
    let Some(path) = recorded_file() else { return };
    let text = std::fs::read_to_string(&path).unwrap();
    let rows = read_csv_file(&path).unwrap();
    assert_eq!(rows.len(), 3_108);
    // No text of it is quoted: each line has its fields between its commas.
    for (line, row) in text.lines().skip(1).zip(&rows) {
        let fields: Vec<&str> = line.split(',').collect();
        let names = [&row.time, &row.region, &row.provider, &row.model];
        assert_eq!(fields[..4], names, "{line}");
        let numbers = [row.ttr_s, row.ttft_s, row.tps, f64::from(row.num_tokens), row.total_time_s];
        let expected: Vec<f64> = fields[4..].iter().map(|field| field.parse().unwrap()).collect();
        assert_eq!(expected, numbers, "{line}");
        assert!(row.is_failure() || row.total_time_s >= row.ttft_s, "{line}");
    }
    assert_eq!(rows.iter().filter(|row| row.is_failure()).count(), 1);
    let mut bytes = Vec::new();
    write_csv(&rows, &mut bytes).unwrap();
    assert_eq!(read_csv(bytes.as_slice(), "again").unwrap(), rows);
}

#[test]
fn error_names_line_and_column_when_a_value_is_bad() {
    for (from, to, expected) in [
        ("0.73", "fast", "t.csv, line 3, column `ttft_s`: `fast`"),
        ("0.73", "-1", "line 3, column `ttft_s`"),
        ("18.6", "inf", "line 3, column `tps`"),
        ("18.6", "NaN", "line 3, column `tps`"),
        (",101,", ",1.5,", "line 3, column `num_tokens`"),
        ("@cf", "  ", "line 3, column `provider`"),
        (",6.09", "", "line 3, column `total_time_s`: the line has 8 fields"),
        (",6.09", ",6.09,7", "line 3, column `total_time_s`: the line has 10 fields"),
    ] {
        assert!(LINE.contains(from), "{from}");
        let error = refused(&format!("{HEADER}\n{LINE}\n{}\n", LINE.replacen(from, to, 1)));
        assert!(error.contains(expected), "{to}: {error}");
    }
}

#[test]
fn error_names_the_header_when_a_column_is_missing() {
    assert!(refused(&HEADER.replace("ttft_s,", "")).contains("line 1, column `ttft_s`: column 6 is `tps` instead"));
    assert!(refused("").contains("line 1, column `time`"));
}

#[test]
fn file_is_named_when_it_cannot_be_opened() {
    let error = read_csv_file(Path::new("no/such/file.csv")).unwrap_err();
    assert!(matches!(error, EmulatorError::Io { path, .. } if path.ends_with("file.csv")));
}

#[test]
fn generated_rows_repeat_when_the_seed_does() {
    let spec = GeneratorSpec::default();
    assert_eq!(generate_telemetry(1, &spec), generate_telemetry(1, &spec));
    assert_ne!(generate_telemetry(1, &spec), generate_telemetry(2, &spec));
    assert_eq!(generate_telemetry(1, &spec).len(), 96 * 3);
}

#[test]
fn best_provider_changes_when_levels_drift() {
    let spec = GeneratorSpec { snapshots: 300, failure: 0.0, ..GeneratorSpec::default() };
    let mut by_time: BTreeMap<String, Vec<TelemetryRow>> = BTreeMap::new();
    for row in generate_telemetry(5, &spec) {
        assert!(row.ttft_s > 0.0 && row.total_time_s > row.ttft_s && !row.is_failure());
        by_time.entry(row.time.clone()).or_default().push(row);
    }
    assert_eq!(by_time.len(), 300);
    let best: Vec<String> = by_time
        .values()
        .map(|rows| rows.iter().min_by(|a, b| a.total_time_s.total_cmp(&b.total_time_s)).unwrap().provider.clone())
        .collect();
    let kept = best.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert!((60..290).contains(&kept), "kept {kept} of 299");
}

#[test]
fn failures_are_as_frequent_as_asked_when_there_are_many_rows() {
    let spec = GeneratorSpec { snapshots: 2_000, failure: 0.1, ..GeneratorSpec::default() };
    let rows = generate_telemetry(9, &spec);
    let failed = rows.iter().filter(|row| row.is_failure()).count();
    assert!((450..750).contains(&failed), "{failed} of {}", rows.len());
}

#[test]
fn timestamps_count_days_and_months_when_minutes_pass() {
    assert_eq!(timestamp(0), "2024-01-01T00:00:00");
    assert_eq!(timestamp(31 * 1_440 + 61), "2024-02-01T01:01:00");
    assert_eq!(timestamp(60 * 1_440 - 1), "2024-02-29T23:59:00");
    assert_eq!(timestamp(365 * 1_440), "2024-12-31T00:00:00");
    assert_eq!(timestamp(366 * 1_440), "2024-01-01T00:00:00");
}
