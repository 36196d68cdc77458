// SPDX-License-Identifier: Apache-2.0
//! The chain that the calls are made on: two subnets, a market on each, a beacon whose secret is known.
#![allow(clippy::expect_used, reason = "a chain that is built from constants")]

use std::sync::OnceLock;

use clawrank_runtime::{
    AllPalletsWithSystem, AuraConfig, BalancesConfig, BlockTimeConfig, DrandConfig, Executive, Header,
    ProviderRankConfig, Runtime, RuntimeCall, RuntimeGenesisConfig, SubtensorModuleConfig, SudoConfig, System, TAO,
    UncheckedExtrinsic,
};
use clawrank_timelock::{DEV_BEACON_SEED, DevBeacon};
use codec::Encode;
use frame_support::traits::OnFinalize;
use pallet_drand::LocalBeacon;
use pallet_subtensor::{GenesisNeuron, GenesisSubnet, Hyperparameters, NetUid, TaoBalance};
use sp_consensus_aura::{AURA_ENGINE_ID, Slot, sr25519::AuthorityId};
use sp_core::{ByteArray, H256, crypto::AccountId32};
use sp_runtime::{BuildStorage, Digest, DigestItem, Storage, traits::Header as _};

use super::invariants::Watch;

/// Hotkeys are 0 ..= 7; those below 6 are neurons of the first subnet.
pub(super) const ACCOUNTS: u8 = 8;
/// Who may call as root, until it says otherwise.
pub(super) const SUDO: u8 = 2 * ACCOUNTS;
/// The subnets at genesis.
pub(super) const SUBNETS: [NetUid; 2] = [NetUid(92), NetUid(2)];

/// Genesis, Unix ms.
const GENESIS_MS: u64 = 1_800_000_000_000;
/// Time from one block, and one round of the beacon, to the next, ms.
const SLOT_MS: u64 = 12_000;

/// Accounts 0 ..= 7 are hotkeys, 8 ..= 15 the coldkeys that own them, 16 is root's.
pub(super) fn account(number: u8) -> AccountId32 {
    AccountId32::new([number.saturating_add(1); 32])
}

/// The coldkey of a hotkey.
pub(super) const fn coldkey(hotkey: u8) -> u8 {
    hotkey % ACCOUNTS + ACCOUNTS
}

/// Who may call as root now.
pub(super) fn sudo() -> u8 {
    let key = pallet_sudo::Key::<Runtime>::get();
    (0..=SUDO).find(|number| key == Some(account(*number))).unwrap_or(SUDO)
}

/// The beacon at genesis, and another that root may follow.
pub(super) fn beacon(other: bool) -> &'static DevBeacon {
    static BEACONS: OnceLock<[DevBeacon; 2]> = OnceLock::new();
    let [first, second] =
        BEACONS.get_or_init(|| [DevBeacon::from_seed(&DEV_BEACON_SEED), DevBeacon::from_seed(&[7; 32])]);
    if other { second } else { first }
}

/// The beacon's round at the time of the block.
pub(super) fn round_now() -> u64 {
    u64::from(System::block_number()).saturating_add(1)
}

fn subnet(netuid: NetUid, tempo: u16, owner: u8, neurons: u8, commit_reveal: bool) -> GenesisSubnet<AccountId32> {
    let neuron = |number: u8| GenesisNeuron {
        hotkey: account(number),
        coldkey: account(coldkey(number)),
        stake: if number < 3 { 100 * TAO } else { 0 },
    };
    GenesisSubnet {
        netuid,
        owner: account(coldkey(owner)),
        owner_hotkey: account(owner),
        mechanisms: 2,
        hyperparameters: Hyperparameters {
            tempo: Some(tempo),
            weights_set_rate_limit: Some(2),
            immunity_period: Some(8),
            max_allowed_uids: Some(8),
            max_allowed_validators: Some(3),
            min_non_immune_uids: Some(1),
            serving_rate_limit: Some(3),
            commit_reveal_weights_enabled: Some(commit_reveal),
            liquid_alpha_on: Some(commit_reveal),
            ..Default::default()
        },
        neurons: (0..neurons).map(neuron).collect(),
    }
}

fn genesis() -> Storage {
    let [first, second] = SUBNETS;
    let authorities = (1..=2).map(|byte| AuthorityId::from_slice(&[byte; 32]).expect("32 bytes; qed")).collect();
    let rich = (0..ACCOUNTS).map(|number| (account(coldkey(number)), 10_000 * TAO));
    // Hotkeys pay for commitments, bundles and verdicts.
    let modest = (0..ACCOUNTS).map(|number| (account(number), 100 * TAO));
    let balances = rich.chain(modest).chain([(account(SUDO), 1_000_000 * TAO)]).collect();
    let beacon = LocalBeacon {
        public_key: beacon(false).public_key().to_vec(),
        period: 12,
        genesis_time: u32::try_from(GENESIS_MS / 1_000).expect("within 32 bits; qed"),
    };
    RuntimeGenesisConfig {
        block_time: BlockTimeConfig { slot_duration_ms: SLOT_MS, ..Default::default() },
        aura: AuraConfig { authorities },
        balances: BalancesConfig { balances, ..Default::default() },
        sudo: SudoConfig { key: Some(account(SUDO)) },
        subtensor_module: SubtensorModuleConfig {
            subnets: vec![subnet(first, 10, 0, 6, true), subnet(second, 60, 1, 4, false)],
            network_rate_limit: Some(20),
            network_min_lock_cost: Some(TaoBalance(100 * TAO)),
            admin_freeze_window: Some(2),
            ..Default::default()
        },
        drand: DrandConfig { beacon: Some(beacon), ..Default::default() },
        provider_rank: ProviderRankConfig {
            epoch_emissions: SUBNETS.map(|netuid| (netuid, 4 * TAO)).to_vec(),
            cells: vec![(first, "llama".into(), "aurora".into(), "math".into())],
            pot: 1_000 * TAO,
            ..Default::default()
        },
        ..Default::default()
    }
    .build_storage()
    .expect("the configuration is a constant; qed")
}

/// The chain at genesis.
pub(super) fn externalities() -> sp_io::TestExternalities {
    static GENESIS: OnceLock<Storage> = OnceLock::new();
    GENESIS.get_or_init(genesis).clone().into()
}

/// Ends the block, if one runs, and begins the next.
///
/// # Panics
///
/// When what the block issued or paid does not add up.
pub(super) fn next_block() {
    let number = System::block_number();
    if number > 0 {
        System::note_finished_extrinsics();
        AllPalletsWithSystem::on_finalize(number);
    }
    let next = number.saturating_add(1);
    let slot = GENESIS_MS / SLOT_MS + u64::from(next);
    let digest = Digest { logs: vec![DigestItem::PreRuntime(AURA_ENGINE_ID, Slot::from(slot).encode())] };
    let parent = H256::repeat_byte(0xab) ^ H256::from_low_u64_be(number.into());
    let watch = Watch::start();
    Executive::initialize_block(&Header::new(next, Default::default(), Default::default(), parent, digest));
    watch.ensure_block_adds_up();
    let now = pallet_timestamp::Call::set { now: slot * SLOT_MS };
    let set = Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(RuntimeCall::Timestamp(now)));
    assert_eq!(set, Ok(Ok(())), "the time of a block is set");
}
