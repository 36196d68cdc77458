// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;

const GOOD: &str = r#"
seed = 7

[[endpoint]]
id = "a"
max_concurrency = 8

[[endpoint.model]]
id = "llama-3-8b"
price_in_micro_usd_per_mtok = 50_000
latency = { ttft_median_ms = 120.0, ttft_sigma = 0.3, tokens_per_second = 90.0 }
failures = { status_500 = 0.01 }
answers = { right = 0.95 }

[[endpoint]]
id = "b"
task_types = ["math"]

[[endpoint.model]]
id = "llama-3-8b"
recorded = { csv = "telemetry.csv", provider = "groq.com", model = "m", sequential = true }
"#;

#[test]
fn profile_has_defaults_when_fields_are_absent() {
    let profile = Profile::parse(GOOD, "p").unwrap();
    let model = &profile.endpoints[0].models[0];
    assert_eq!((profile.seed, model.answers.json_valid, model.context_tokens), (7, 1.0, 8_192));
    assert_eq!(profile.endpoints[0].task_types, ["chat", "math", "json"]);
    assert_eq!(profile.endpoints[1].models[0].recorded.as_ref().unwrap().time_scale, 1.0);
}

#[test]
fn catalogue_has_every_model_when_it_is_made_from_a_profile() {
    let profile = Profile::parse(GOOD, "p").unwrap();
    let catalogue = profile.catalogue("127.0.0.1:9101".parse().unwrap()).unwrap();
    assert_eq!(catalogue.cells().len(), 4);
    assert_eq!(catalogue.endpoint("b").unwrap().chat_url(), "http://127.0.0.1:9101/b/v1/chat/completions");
}

#[test]
fn profile_is_refused_with_place_and_field_when_a_value_is_bad() {
    for (from, to, expected) in [
        ("id = \"b\"", "id = \"a\"", "`id` of endpoint `a`"),
        ("id = \"b\"", "id = \"b/c\"", "`id` of endpoint `b/c`"),
        ("max_concurrency = 8", "max_concurrency = 0", "`max_concurrency`"),
        ("status_500 = 0.01", "status_500 = 1.5", "endpoint `a`, model `llama-3-8b`: 1.5 is outside"),
        ("status_500 = 0.01", "status_500 = 0.6, hang = 0.6", "1.2 is outside"),
        ("right = 0.95", "right = -1.0", "`answers.right`"),
        ("ttft_median_ms = 120.0", "ttft_median_ms = nan", "`latency.ttft_median_ms`"),
        ("tokens_per_second = 90.0", "tokens_per_second = 0.0", "`latency.tokens_per_second`"),
        ("[\"math\"]", "[\"poem\"]", "unknown task type `poem`"),
        ("sequential = true", "time_scale = 0.0", "`time_scale`"),
        ("recorded = {", "latency = { ttft_median_ms = 1.0, tokens_per_second = 1.0 }\nrecorded = {", "exactly one"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let error = Profile::parse(&GOOD.replacen(from, to, 1), "p").unwrap_err().to_string();
        assert!(error.contains(expected), "{to}: {error}");
    }
}

#[test]
fn profile_is_refused_with_the_line_when_it_is_not_of_the_shape() {
    for (from, to) in [
        ("max_concurrency = 8", "max_concurency = 8"),
        ("ttft_sigma = 0.3", "ttft_sigma = \"x\""),
        ("seed = 7", "seed ="),
    ] {
        let error = Profile::parse(&GOOD.replacen(from, to, 1), "p.toml").unwrap_err().to_string();
        assert!(error.contains("profile p.toml") && error.contains("line "), "{error}");
    }
}
