// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;

const GOOD: &str = r#"
[[endpoint]]
id = "Emu-A"
base_url = "http://127.0.0.1:9101/a/v1/"
models = [
    { id = "Meta/Llama-3-8B", price_in_micro_usd_per_mtok = 50_000, price_out_micro_usd_per_mtok = 100_000, context_tokens = 8192 },
    { id = "small", upstream_id = "Small@v2", price_in_micro_usd_per_mtok = 0, price_out_micro_usd_per_mtok = 1, context_tokens = 2048, lacks = ["tools"] },
]
task_types = ["chat", "math"]

[[endpoint]]
id = "emu-b"
base_url = "https://example.org/v1"
api_key_env = "CLAWRANK_TEST_KEY_THAT_IS_NOT_SET"
models = [{ id = "small", price_in_micro_usd_per_mtok = 3, price_out_micro_usd_per_mtok = 4, context_tokens = 2048 }]
task_types = ["json"]
"#;

fn refused(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    Catalogue::parse(&GOOD.replacen(from, to, 1), "endpoints.toml").unwrap_err().to_string()
}

#[test]
fn catalogue_gives_cells_and_urls_when_it_is_good() {
    let catalogue = Catalogue::parse(GOOD, "t").unwrap();
    let names: Vec<String> =
        catalogue.cells().iter().map(|cell| format!("{} {} {}", cell.model, cell.endpoint, cell.task_type)).collect();
    assert_eq!(
        names,
        [
            "meta/llama-3-8b emu-a chat",
            "meta/llama-3-8b emu-a math",
            "small emu-a chat",
            "small emu-a math",
            "small emu-b json"
        ]
    );
    let a = catalogue.endpoint("emu-a").unwrap();
    assert_eq!(a.chat_url(), "http://127.0.0.1:9101/a/v1/chat/completions");
    assert_eq!(a.models[0].upstream_id, "Meta/Llama-3-8B");
    assert_eq!(a.models[1].upstream_id, "Small@v2");
    assert_eq!((a.models[0].lacks.as_slice(), a.models[1].lacks.as_slice()), (&[][..], &[Need::Tools][..]));
    assert!(a.api_key().unwrap().is_none());
    for cell in catalogue.cells() {
        let (endpoint, model) = catalogue.resolve(&cell).unwrap();
        assert_eq!((endpoint.id.as_str(), model.id.as_str()), (cell.endpoint.as_str(), cell.model.as_str()));
    }
    assert!(catalogue.resolve(&Cell::new("small", "emu-b", "chat").unwrap()).is_none());
    assert!(catalogue.resolve(&Cell::new("other", "emu-b", "json").unwrap()).is_none());
}

#[test]
fn catalogue_reads_back_the_same_when_it_is_written() {
    let catalogue = Catalogue::parse(GOOD, "t").unwrap();
    let text = toml::to_string(&catalogue).unwrap();
    assert_eq!(Catalogue::parse(&text, "t").unwrap(), catalogue);
}

#[test]
fn catalogue_is_refused_when_a_model_lacks_what_is_unknown() {
    let error = refused("[\"tools\"]", "[\"tool\"]");
    assert!(error.contains("`tool`, expected one of `tools`, `vision`, `json`"), "{error}");
}

#[test]
fn cost_is_rounded_up_once_when_both_parts_are_fractions() {
    let model = &Catalogue::parse(GOOD, "t").unwrap().endpoints[0].models[0];
    assert_eq!(model.cost_micro_usd(1, 0), 1);
    assert_eq!(model.cost_micro_usd(10, 5), 1);
    assert_eq!(model.cost_micro_usd(20, 10), 2);
    assert_eq!(model.cost_micro_usd(21, 10), 3);
    assert_eq!(model.cost_micro_usd(0, 0), 0);
}

#[test]
fn error_names_line_and_field_when_a_value_is_bad() {
    for (from, to, expected) in [
        ("id = \"emu-b\"", "id = \"emu-A \"", "line 12, `id`"),
        ("id = \"emu-b\"", "id = \" \"", "line 12, `id`"),
        ("https://example.org/v1", "ftp://example.org/v1", "line 13, `base_url`"),
        ("https://example.org/v1", "https://u:p@example.org/v1", "line 13, `base_url`"),
        ("https://example.org/v1", "nonsense", "line 13, `base_url`"),
        ("https://example.org/v1", "https://example.org/v1?key=1", "line 13, `base_url`"),
        ("CLAWRANK_TEST_KEY_THAT_IS_NOT_SET", "sk-live-12", "line 14, `api_key_env`"),
        ("[\"json\"]", "[\"json\", \"poem\"]", "line 16, `task_types`: unknown task type `poem`"),
        ("[\"json\"]", "[\"json\", \"JSON\"]", "line 16, `task_types`"),
        ("[\"json\"]", "[]", "line 16, `task_types`"),
        ("\"small\", upstream_id", "\"meta/llama-3-8b\", upstream_id", "line 7, `id`"),
        ("context_tokens = 8192", "context_tokens = 0", "line 6, `context_tokens`"),
    ] {
        let error = refused(from, to);
        assert!(error.contains(expected), "{to}: {error}");
    }
}

#[test]
fn syntax_error_names_the_line_when_a_field_is_missing_unknown_or_of_another_type() {
    for (from, to) in [
        ("price_in_micro_usd_per_mtok = 3, ", ""),
        ("price_in_micro_usd_per_mtok = 3", "price_in_micro_usd_per_mtok = -3"),
        ("api_key_env", "api_key"),
        ("id = \"emu-b\"", "id = 7"),
        ("task_types = [\"json\"]", "task_types = [\"json\""),
    ] {
        let error = refused(from, to);
        assert!(error.contains("line "), "{to}: {error}");
    }
}

#[test]
fn file_is_refused_when_it_is_absent() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("endpoints.toml");
    assert!(matches!(Catalogue::load(&path), Err(CatalogueError::Io { .. })));
    std::fs::write(&path, GOOD).unwrap();
    assert_eq!(Catalogue::load(&path).unwrap(), Catalogue::parse(GOOD, "t").unwrap());
}

#[test]
fn key_is_missing_when_the_environment_has_none() {
    let catalogue = Catalogue::parse(GOOD, "t").unwrap();
    let error = catalogue.endpoint("emu-b").unwrap().api_key().unwrap_err();
    assert!(error.to_string().contains("CLAWRANK_TEST_KEY_THAT_IS_NOT_SET"));
}
