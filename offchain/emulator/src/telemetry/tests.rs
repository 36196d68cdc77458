// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use super::*;

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
