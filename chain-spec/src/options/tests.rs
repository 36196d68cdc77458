// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use clap::Parser;
use sp_core::{Pair, crypto::Ss58Codec, sr25519};

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    options: Options,
}

fn options(flags: &str) -> Options {
    Flags::try_parse_from(std::iter::once("chain-spec").chain(flags.split_whitespace())).unwrap().options
}

/// The error of these flags, in words.
fn refused(flags: &str) -> String {
    options(flags).topology().unwrap_err().to_string()
}

#[test]
fn topology_is_the_preset_when_nothing_else_is_given() {
    for preset in [Preset::Fast, Preset::LocalTestnet, Preset::Development, Preset::Localnet, Preset::Sn92] {
        let topology = Options::preset(preset).topology().unwrap();
        assert_eq!(Some(topology), Topology::preset(preset.name()));
    }
}

#[test]
fn topology_is_refused_when_a_number_is_out_of_range() {
    assert_eq!(refused("--netuid 0"), "--netuid is 0, must be 1 to 4095");
    assert_eq!(refused("--netuid 4096"), "--netuid is 4096, must be 1 to 4095");
    assert_eq!(refused("--tempo 1"), "--tempo is 1, must be 2 to 50400");
    assert_eq!(refused("--tempo 50401"), "--tempo is 50401, must be 2 to 50400");
    assert_eq!(refused("--mechanisms 3"), "--mechanisms is 3, must be 1 to 2");
    assert_eq!(refused("--block-time-ms 99"), "--block-time-ms is 99, must be 100 to 60000");
    assert_eq!(refused("--validators 65"), "--validators is 65, must be 0 to 64");
    assert_eq!(refused("--miners 256"), "--miners is 256, must be 0 to 255");
    assert_eq!(refused("--authorities 7"), "--authorities is 7, must be 1 to 6");
    assert_eq!(
        refused("--miners 192 --validators 64"),
        "1 owner + --validators 64 + --miners 192 = 257 neurons, a subnet has 256 uids"
    );
}

#[test]
fn topology_is_refused_when_an_account_cannot_be_read() {
    assert!(refused("--owner nobody").starts_with("--owner 'nobody' is no account"));
    assert!(refused("--owner-hotkey 0x12").starts_with("--owner-hotkey '0x12' is no account"));
    assert!(refused("--seed-prefix nonsense").starts_with("--seed-prefix is no secret"));
    let phrase = Options { owner: Some("not a valid phrase".into()), ..Options::default() };
    assert!(!phrase.topology().unwrap_err().to_string().contains("valid"), "a phrase is not repeated");
}

#[test]
fn owner_is_the_same_account_when_given_in_any_form() {
    let alice = sr25519::Pair::from_string("//Alice", None).unwrap().public();
    let hex: String = alice.0.iter().map(|b| format!("{b:02x}")).collect();
    for value in ["//Alice".to_owned(), alice.to_ss58check(), format!("0x{hex}")] {
        let topology = options(&format!("--owner {value}")).topology().unwrap();
        assert_eq!(topology.subnet.owner.coldkey, alice.into(), "{value}");
        assert_eq!(topology.sudo, alice.into(), "the owner is sudo");
    }
}

#[test]
fn accounts_differ_when_a_seed_prefix_is_given() {
    let plain = options("").topology().unwrap();
    let other = options("--seed-prefix //net7").topology().unwrap();
    let miner = sr25519::Pair::from_string("//net7//miner//0", None).unwrap().public();
    assert_eq!(other.subnet.miners[0].hotkey, miner.into());
    let all = |t: &Topology| t.subnet.neurons().flat_map(|n| [n.hotkey.clone(), n.coldkey.clone()]).collect::<Vec<_>>();
    let plain = all(&plain);
    assert!(all(&other).iter().all(|account| !plain.contains(account)));
}

#[test]
fn validators_hold_unequal_stake_when_generated() {
    let topology = options("--validators 5").topology().unwrap();
    let stakes: Vec<_> = topology.subnet.validators.iter().map(|v| v.stake).collect();
    assert_eq!(stakes, [5, 4, 3, 2, 1].map(|n| n * 1000 * clawrank_runtime::TAO));
}

#[test]
fn spec_names_the_chain_when_written_out() {
    let options = options("--block-time-ms 500 --netuid 7");
    let json: serde_json::Value = serde_json::from_str(&crate::to_json(&options, false).unwrap()).unwrap();
    assert_eq!(json["id"], "clawrank_fast_500");
    assert_eq!(json["properties"]["tokenSymbol"], "TAO");
    assert_eq!(json["genesis"]["runtimeGenesis"]["patch"]["blockTime"]["slotDurationMs"], 500);
}

#[test]
fn beacon_is_the_dev_one_when_nothing_is_said() {
    for (preset, period) in [(Preset::Fast, 1), (Preset::Development, 3), (Preset::LocalTestnet, 3)] {
        let beacon = Options::preset(preset).topology().unwrap().beacon.unwrap();
        assert_eq!(beacon, BeaconParams { period, ..genesis::DEV_BEACON });
    }
}

#[test]
fn beacon_follows_the_options_when_given() {
    let period = options("--beacon-period 7").topology().unwrap().beacon.unwrap().period;
    assert_eq!(period, 7);
    assert_eq!(options("--beacon quicknet").topology().unwrap().beacon, None);
    let out_of_range = |value| SpecError::OutOfRange { name: "beacon-period", value, min: 1, max: 3_600 };
    assert_eq!(options("--beacon-period 0").topology(), Err(out_of_range(0)));
    assert_eq!(options("--beacon-period 3601").topology(), Err(out_of_range(3_601)));
    assert_eq!(options("--beacon quicknet --beacon-period 3").topology(), Err(SpecError::QuicknetPeriod));
}
