// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;

const TABLE: &str = r#"
[[price]]
model = "llama"
in_micro_usd_per_mtok = 50_000
out_micro_usd_per_mtok = 100_000

[default]
in_micro_usd_per_mtok = 1
out_micro_usd_per_mtok = 2
"#;

#[test]
fn price_is_the_models_own_or_the_default_when_looked_up() {
    let table = PriceTable::parse(TABLE).unwrap();
    assert_eq!(table.price("llama").out_micro_usd_per_mtok, 100_000);
    assert_eq!(table.price("other").in_micro_usd_per_mtok, 1);
    assert_eq!(PriceTable::parse("").unwrap().price("x"), Price::default());
}

#[test]
fn fee_is_rounded_up_once_when_computed() {
    let price = Price { in_micro_usd_per_mtok: 50_000, out_micro_usd_per_mtok: 100_000 };
    assert_eq!(price.fee(0, 0), MicroUsd(0));
    assert_eq!(price.fee(1, 0), MicroUsd(1));
    assert_eq!(price.fee(10, 5), MicroUsd(1));
    assert_eq!(price.fee(20, 1), MicroUsd(2));
    assert_eq!(price.fee(1_000_000, 1_000_000), MicroUsd(150_000));
    let dear = Price { in_micro_usd_per_mtok: u64::MAX, out_micro_usd_per_mtok: u64::MAX };
    assert_eq!(dear.fee(u64::MAX, u64::MAX), MicroUsd(u64::MAX));
}

#[test]
fn table_is_refused_when_malformed_or_ambiguous() {
    assert!(
        PriceTable::parse(&format!(
            "{TABLE}\n[[price]]\nmodel = \"llama\"\nin_micro_usd_per_mtok = 1\nout_micro_usd_per_mtok = 1"
        ))
        .unwrap_err()
        .contains("llama")
    );
    assert!(PriceTable::parse("[[price]]\nmodel = \"a\"").is_err());
    assert!(PriceTable::parse("[default]\nusd = 1").is_err());
    assert!(PriceTable::load(Path::new("/nonexistent/prices.toml")).unwrap_err().to_string().contains("prices.toml"));
}

#[test]
fn price_is_found_when_the_table_writes_the_model_in_capitals() {
    let table = PriceTable::parse(&TABLE.replace("\"llama\"", "\" Llama\"")).unwrap();
    assert_eq!(table.price("llama").out_micro_usd_per_mtok, 100_000);
}
