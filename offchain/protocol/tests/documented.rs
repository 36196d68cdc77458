// SPDX-License-Identifier: Apache-2.0

//! `docs/protocol.md` against the code: every example on the page is built here and must read the same there.
//!
//! Blocks of the page with a name (```` ```json hello ````) and rows of its tables are compared. Lines of a `json` block are
//! joined without break and indent; the result is what is on the wire, byte for byte. `‹name›` stands for another block.
//! Signatures are randomised, so those of the page are kept in `data/signatures.txt` and verified; where one no longer
//! verifies, the failure says what to put there instead.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

#[path = "documented/bundle.rs"]
mod bundle;
#[path = "documented/http.rs"]
mod http;
#[path = "documented/keys.rs"]
mod keys;
#[path = "documented/page.rs"]
mod page;
#[path = "documented/serving.rs"]
mod serving;
#[path = "documented/tables.rs"]
mod tables;

use page::{Examples, Page};

const PAGE: &str = include_str!("../../../docs/protocol.md");

fn examples() -> Examples {
    let mut examples = Examples::default();
    keys::examples(&mut examples);
    serving::examples(&mut examples);
    http::examples(&mut examples);
    bundle::examples(&mut examples);
    tables::examples(&mut examples);
    examples
}

#[test]
fn page_reads_as_the_code_encodes_when_its_examples_are_built_anew() {
    let (page, examples) = (Page::parse(PAGE), examples());
    let wrong = examples.differences(&page);
    assert!(wrong.is_empty(), "docs/protocol.md is stale:\n\n{}", wrong.join("\n\n"));
}

#[test]
fn page_has_no_example_that_nothing_checks_when_it_is_read() {
    let (page, examples) = (Page::parse(PAGE), examples());
    let unchecked: Vec<&str> =
        page.blocks.iter().filter(|block| !examples.has(block)).map(|block| block.title).collect();
    assert!(unchecked.is_empty(), "blocks without an example in the tests: {unchecked:?}");
}

#[test]
fn bundle_file_holds_the_bundle_of_the_page_when_decoded() {
    let body = bundle::example().bundle;
    let found: String = include_str!("data/bundle.hex").split_whitespace().collect();
    assert_eq!(found, page::hex(&body), "tests/data/bundle.hex is stale");
}
