// SPDX-License-Identifier: Apache-2.0

//! The first block, and the runtime's interface.

use super::mock::*;
use crate::*;
use frame_support::traits::Hooks;

#[test]
fn pot_and_cells_are_there_when_the_chain_begins() {
    let mut genesis = genesis();
    genesis.1.cells = vec![(NETUID, " GPT-4o ".into(), "OpenRouter:DeepInfra".into(), "chat".into())];
    build_with(genesis, || {
        assert_eq!(ProviderRank::pot_balance(), POT);
        let cell = Cell::new("gpt-4o", "openrouter:deepinfra", "chat").unwrap();
        assert_eq!(ProviderRank::cells_of(NETUID), [(cell, 0)]);
        assert_eq!(EpochEmission::<Test>::get(NETUID), Some(EMISSION));
    });
}

#[test]
#[should_panic(expected = "CellAlreadyExists")]
fn genesis_stops_when_a_cell_is_there_twice() {
    let mut genesis = genesis();
    let cell = (NETUID, "a".to_string(), "b".to_string(), "chat".to_string());
    genesis.1.cells = vec![cell.clone(), cell];
    build_with(genesis, || {});
}

#[test]
#[should_panic(expected = "more epochEmissions than MaxSubnets")]
fn genesis_stops_when_too_many_subnets_take_part() {
    let mut genesis = genesis();
    genesis.1.epoch_emissions = (1..=3).map(|netuid| (NetUid(netuid), 1)).collect();
    build_with(genesis, || {});
}

#[test]
fn config_reads_as_written_when_it_is_json() {
    let mut config = genesis().1;
    config.subnet_params = vec![(NETUID, Params::local())];
    let text = serde_json::to_string(&config).unwrap();
    let read: GenesisConfig<Test> = serde_json::from_str(&text).unwrap();
    assert_eq!((read.epoch_emissions, read.pot), (config.epoch_emissions, config.pot));
    assert_eq!(read.subnet_params, config.subnet_params);
}

#[test]
fn configuration_passes_when_it_is_tested() {
    build_and_execute(<ProviderRank as Hooks<u64>>::integrity_test);
}

#[test]
fn reads_are_in_the_metadata_when_views_are_listed() {
    let views = ProviderRank::pallet_view_functions_metadata();
    let names: Vec<&str> = views.iter().map(|view| view.name).collect();
    for name in ["running_epoch", "epoch_state", "bundle_of", "verdicts_of", "settlement_of", "last_settlements"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
}
