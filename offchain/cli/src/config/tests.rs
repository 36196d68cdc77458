// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::io::Write;

use serde::Deserialize;

use super::*;

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Sample {
    listen: String,
    limit: u32,
    nested: Nested,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Nested {
    depth: u32,
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut f = tempfile::NamedTempFile::new().unwrap();
    f.write_all(text.as_bytes()).unwrap();
    f
}

fn load(path: Option<&Path>, env: &[(&str, &str)], set: &[&str], flags: Table) -> Result<Sample, CliError> {
    let set: Vec<String> = set.iter().map(|s| (*s).to_owned()).collect();
    let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Layers { role: "gateway", file: path, set: &set, flags }.load(&env)
}

#[test]
fn layers_let_the_later_win_when_all_name_a_key() {
    let f = file("listen = \"file\"\nlimit = 1\n[nested]\ndepth = 1\n");
    let flags: Table = "listen = \"flag\"".parse().unwrap();
    let got = load(
        Some(f.path()),
        &[("CLAWRANK_GATEWAY_LIMIT", "2"), ("CLAWRANK_GATEWAY_NESTED__DEPTH", "5"), ("CLAWRANK_MINER_LIMIT", "9")],
        &["limit=3"],
        flags,
    )
    .unwrap();
    assert_eq!(got, Sample { listen: "flag".into(), limit: 3, nested: Nested { depth: 5 } });
}

#[test]
fn layers_take_the_section_when_one_file_serves_several_roles() {
    let f = file("[gateway]\nlimit = 7\n[validator]\nx = 1\n");
    assert_eq!(load(Some(f.path()), &[], &[], Table::new()).unwrap().limit, 7);
}

#[test]
fn layers_refuse_with_file_and_line_when_the_file_is_not_toml() {
    let f = file("listen = \"a\"\nlimit = = 2\n");
    let e = load(Some(f.path()), &[], &[], Table::new()).unwrap_err().to_string();
    assert!(e.contains("line 2"), "{e}");
    assert!(!e.contains('\n'), "{e}");
}

#[test]
fn layers_name_the_key_when_it_is_unknown() {
    let e = load(None, &[], &["colour=red"], Table::new()).unwrap_err().to_string();
    assert!(e.contains("colour"), "{e}");
}

#[test]
fn layers_refuse_a_pair_when_it_has_no_equals_sign() {
    let e = load(None, &[], &["limit"], Table::new()).unwrap_err().to_string();
    assert!(e.contains("key=value"), "{e}");
}
