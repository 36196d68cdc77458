// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::{collections::BTreeMap, fmt::Debug, path::Path};

use clawrank_protocol::catalogue::Catalogue;
use serde::de::DeserializeOwned;
use toml::Table;

use super::*;
use crate::config::Layers;

fn read<C: DeserializeOwned>(text: &str) -> Result<C, CliError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, text).unwrap();
    Layers { role: "role", file: Some(&file), set: &[], flags: Table::new() }.load(&BTreeMap::new())
}

fn is_the_default<C: DeserializeOwned + Default + PartialEq + Debug>(role: Role) {
    let text = template(role, &role.schema());
    assert_eq!(read::<C>(&text).unwrap(), C::default(), "{text}");
}

#[test]
fn file_is_the_default_when_printed() {
    is_the_default::<clawrank_gateway::Config>(Role::Gateway);
    is_the_default::<clawrank_miner::serve::Config>(Role::MinerServe);
    is_the_default::<clawrank_miner::measure::Config>(Role::MinerMeasure);
    is_the_default::<clawrank_validator::Config>(Role::Validator);
    is_the_default::<clawrank_emulator::Config>(Role::Emulator);
}

#[test]
fn file_shows_every_setting_when_printed() {
    for role in Role::value_variants() {
        let schema = role.schema();
        let text = template(*role, &schema);
        for (key, property) in properties(schema.as_value()) {
            let shown = [format!("{key} = "), format!("[{key}]")]
                .iter()
                .any(|start| text.lines().any(|line| line.trim_start_matches("# ").starts_with(start.as_str())));
            assert!(shown, "{key} of {role:?} is missing");
            assert!(!description(property).is_empty(), "{key} of {role:?} has no meaning");
        }
        assert!(text.lines().all(|line| line.len() <= 130), "a line of {role:?} is too long");
    }
}

/// Files in the documentation are those that the programs read.
#[test]
fn file_of_the_documentation_is_read_when_its_role_starts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut read_files = Vec::new();
    for page in ["README.md", "docs/validator.md", "docs/protocol.md"] {
        let page = std::fs::read_to_string(root.join(page)).unwrap();
        for block in page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            let name = block.lines().next().unwrap().trim_start_matches("# ");
            let result = match name {
                "validator.toml" => read::<clawrank_validator::Config>(block).map(drop),
                "gateway.toml" => read::<clawrank_gateway::Config>(block).map(drop),
                "serve.toml" => read::<clawrank_miner::serve::Config>(block).map(drop),
                "endpoints.toml" => Catalogue::parse(block, name).map(drop).map_err(|error| CliError::work(&error)),
                "prices.toml" => clawrank_gateway::PriceTable::parse(block).map(drop).map_err(CliError::Work),
                "emulator.toml" => {
                    let profile = clawrank_emulator::Profile::parse(block, name).and_then(|profile| profile.check());
                    profile.map_err(|error| CliError::work(&error))
                }
                other => panic!("no role reads {other}"),
            };
            result.unwrap_or_else(|error| panic!("{name}: {error}"));
            read_files.push(name.to_owned());
        }
    }
    read_files.sort();
    let all = ["emulator", "endpoints", "gateway", "prices", "serve", "validator"].map(|role| format!("{role}.toml"));
    assert_eq!(read_files, all);
}
