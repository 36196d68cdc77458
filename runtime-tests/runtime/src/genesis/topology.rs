// SPDX-License-Identifier: Apache-2.0
//! A local chain described in plain values, and its translation into a genesis patch.

use super::keys::{self, Role};
use crate::{AccountId, Balance, RuntimeGenesisConfig, TAO, block_time::DEFAULT_SLOT_DURATION_MS};
use alloc::{collections::BTreeMap, vec, vec::Vec};
use clawrank_primitives::{
    Params,
    timelock::{BeaconParams, DEV_BEACON},
};
use frame_support::build_struct_json_patch;
use pallet_drand::LocalBeacon;
use pallet_grandpa::AuthorityId as GrandpaId;
use pallet_subtensor::{GenesisNeuron, GenesisSubnet, Hyperparameters, NetUid};
use serde_json::Value;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// The netuid of ClawRank on the public chain.
pub const NETUID: u16 = 92;
/// Balance of an authority, the owner and sudo, in rao.
const RICH: Balance = TAO.saturating_mul(1_000_000);
/// Balance of a neuron's coldkey, in rao.
const COLDKEY: Balance = TAO.saturating_mul(10_000);
/// Balance of a neuron's hotkey, in rao.
const HOTKEY: Balance = TAO.saturating_mul(100);

/// Balance of the lesser well-known accounts of a localnet, in rao.
const MODEST: Balance = TAO.saturating_mul(2_000);

/// What the pot of `ProviderRank` holds at first, in rao.
const POT: Balance = TAO.saturating_mul(1_000_000);
/// What the pot pays to miners per block of an epoch, in rao: their 41 % of a block's emission of 1 TAO.
const POT_PER_BLOCK: Balance = 410_000_000;
/// The shortest tempo under which the public chain's rate limits still let a neuron act once per epoch, in blocks.
const RATE_LIMITED_TEMPO: u16 = 101;

/// One block author and finality voter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Its sr25519 key for Aura.
    pub aura: AuraId,
    /// Its ed25519 key for GRANDPA.
    pub grandpa: GrandpaId,
    /// The account that is endowed for it.
    pub account: AccountId,
}

/// A neuron that is registered at genesis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neuron {
    /// The key that serves, sets weights and earns.
    pub hotkey: AccountId,
    /// The key that owns the hotkey and its stake.
    pub coldkey: AccountId,
    /// Stake in rao; a validator's permit follows from it.
    pub stake: Balance,
}

/// The subnet that exists at genesis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// Its id.
    pub netuid: u16,
    /// Blocks between two epochs.
    pub tempo: u16,
    /// Incentive mechanisms, 1 or 2.
    pub mechanisms: u8,
    /// The owner: coldkey and hotkey, registered as uid 0.
    pub owner: Neuron,
    /// Validators, which take the uids after the owner.
    pub validators: Vec<Neuron>,
    /// Miners, which take the uids after the validators.
    pub miners: Vec<Neuron>,
    /// What its parameters are to begin with.
    pub rules: Rules,
}

/// The parameters that a subnet begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Those of a new subnet. Where epochs are too short for the limits that are counted in blocks, those limits are off.
    Registered,
    /// Those of subnet 1 on Subtensor's localnet, which no registration made, with every limit.
    Localnet,
}

/// A whole chain at genesis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// The slot duration in ms.
    pub slot_duration_ms: u64,
    /// Who makes and finalises blocks.
    pub authorities: Vec<Authority>,
    /// Who may call as root.
    pub sudo: AccountId,
    /// The beacon that timelocked commits wait for; `None` for the public one, which needs the internet.
    pub beacon: Option<BeaconParams>,
    /// The subnet.
    pub subnet: Subnet,
    /// Whether the netuids below the subnet's are taken, by subnets of nobody.
    pub vacant_below: bool,
    /// Whether new subnets begin with the values of the public chain's build with `fast-runtime`.
    pub fast_runtime: bool,
    /// Who else holds how much, in rao.
    pub endowed: Vec<(AccountId, Balance)>,
}

impl Authority {
    /// The first `n` development authorities, at most six: Alice, Bob, Charlie, Dave, Eve, Ferdie.
    pub fn development(n: usize) -> Vec<Self> {
        let sr = [
            Sr25519Keyring::Alice,
            Sr25519Keyring::Bob,
            Sr25519Keyring::Charlie,
            Sr25519Keyring::Dave,
            Sr25519Keyring::Eve,
            Sr25519Keyring::Ferdie,
        ];
        let ed = [
            Ed25519Keyring::Alice,
            Ed25519Keyring::Bob,
            Ed25519Keyring::Charlie,
            Ed25519Keyring::Dave,
            Ed25519Keyring::Eve,
            Ed25519Keyring::Ferdie,
        ];
        sr.into_iter()
            .zip(ed)
            .take(n)
            .map(|(sr, ed)| Self { aura: sr.public().into(), grandpa: ed.public().into(), account: sr.to_account_id() })
            .collect()
    }
}

impl Neuron {
    /// The development neuron of a role.
    pub fn development(role: Role, stake: Balance) -> Self {
        Self { hotkey: role.hotkey(), coldkey: role.coldkey(), stake }
    }
}

/// The stake of validator `i` of `n`, in rao: 1000 · (n - i) TAO, so that no two weigh the same.
pub const fn validator_stake(i: u32, n: u32) -> Balance {
    TAO.saturating_mul(1_000).saturating_mul(n.saturating_sub(i) as Balance)
}

impl Subnet {
    /// A subnet of development keys.
    pub fn development(netuid: u16, tempo: u16, mechanisms: u8, validators: u32, miners: u32) -> Self {
        Self {
            netuid,
            tempo,
            mechanisms,
            owner: Neuron::development(Role::Owner, 0),
            validators: (0..validators)
                .map(|i| Neuron::development(Role::Validator(i), validator_stake(i, validators)))
                .collect(),
            miners: (0..miners).map(|i| Neuron::development(Role::Miner(i), 0)).collect(),
            rules: Rules::Registered,
        }
    }

    /// Subnet 1 of Subtensor's localnet, with its owner and nobody else.
    fn localnet() -> Self {
        Self { rules: Rules::Localnet, ..Self::development(1, 100, 1, 0, 0) }
    }

    /// Whether the public chain's limits, which are in blocks, are off, since they would forbid what each epoch needs.
    fn is_unlimited(&self) -> bool {
        self.rules == Rules::Registered && self.tempo < RATE_LIMITED_TEMPO
    }

    /// The parameters that differ from a new subnet's.
    fn hyperparameters(&self) -> Hyperparameters {
        let tempo = Some(self.tempo);
        match self.rules {
            Rules::Registered => {
                let no_limit = self.is_unlimited().then_some(0);
                Hyperparameters {
                    tempo,
                    weights_set_rate_limit: no_limit,
                    serving_rate_limit: no_limit,
                    // A subnet of few seats would only ever replace its newcomers.
                    min_non_immune_uids: no_limit.map(|_| 0),
                    ..Default::default()
                }
            }
            // Storage's own values where a registration writes others.
            Rules::Localnet => Hyperparameters {
                tempo,
                immunity_period: Some(4_096),
                min_allowed_weights: Some(0),
                yuma3_on: Some(false),
                ..Default::default()
            },
        }
    }

    /// The subnet as `SubtensorModule` takes it.
    fn genesis(&self) -> GenesisSubnet<AccountId> {
        GenesisSubnet {
            netuid: NetUid(self.netuid),
            owner: self.owner.coldkey.clone(),
            owner_hotkey: self.owner.hotkey.clone(),
            mechanisms: self.mechanisms,
            hyperparameters: self.hyperparameters(),
            neurons: self
                .neurons()
                .map(|neuron| GenesisNeuron {
                    hotkey: neuron.hotkey.clone(),
                    coldkey: neuron.coldkey.clone(),
                    stake: neuron.stake,
                })
                .collect(),
        }
    }

    /// What each neuron but the owner's holds to begin with: its coldkey, its hotkey.
    fn funds(&self) -> impl Iterator<Item = (AccountId, Balance)> {
        let neurons = self.validators.iter().chain(&self.miners);
        neurons.flat_map(|neuron| [(neuron.coldkey.clone(), COLDKEY), (neuron.hotkey.clone(), HOTKEY)])
    }

    /// Every neuron in the order of their uids.
    pub fn neurons(&self) -> impl Iterator<Item = &Neuron> {
        core::iter::once(&self.owner).chain(&self.validators).chain(&self.miners)
    }
}

/// What the well-known accounts hold on a localnet; Alice, Bob and Charlie hold more on every chain.
fn well_known() -> Vec<(AccountId, Balance)> {
    [Sr25519Keyring::Dave, Sr25519Keyring::Eve, Sr25519Keyring::Ferdie, Sr25519Keyring::One, Sr25519Keyring::Two]
        .map(|key| key.to_account_id())
        .into_iter()
        .chain([keys::development("Three")])
        .map(|account| (account, MODEST))
        .collect()
}

impl Topology {
    /// A preset by its name; those for ClawRank itself have subnet 92 with both mechanisms, three validators and four
    /// miners.
    pub fn preset(name: &str) -> Option<Self> {
        let market = |tempo| Subnet::development(NETUID, tempo, 2, 3, 4);
        let (authorities, slot_duration_ms, period, subnet, endowed) = match name {
            super::DEVELOPMENT => (1, DEFAULT_SLOT_DURATION_MS, DEV_BEACON.period, market(360), Vec::new()),
            super::LOCAL_TESTNET => (2, DEFAULT_SLOT_DURATION_MS, DEV_BEACON.period, market(360), Vec::new()),
            super::FAST => (1, 250, 1, market(10), Vec::new()),
            super::LOCALNET => (1, 250, DEV_BEACON.period, Subnet::localnet(), well_known()),
            super::SN92 => {
                let subnet = Subnet::development(NETUID, 360, 1, 0, 0);
                (
                    1,
                    DEFAULT_SLOT_DURATION_MS,
                    DEV_BEACON.period,
                    subnet,
                    market(360).funds().chain(well_known()).collect(),
                )
            }
            _ => return None,
        };
        Some(Self {
            slot_duration_ms,
            authorities: Authority::development(authorities),
            sudo: Sr25519Keyring::Alice.to_account_id(),
            beacon: Some(BeaconParams { period, ..DEV_BEACON }),
            subnet,
            vacant_below: name == super::SN92,
            fast_runtime: name == super::LOCALNET,
            endowed,
        })
    }

    /// Who holds what at genesis, in rao; stake is not part of it.
    fn endowed(&self) -> BTreeMap<AccountId, Balance> {
        let mut endowed: BTreeMap<_, _> = self.endowed.iter().cloned().chain(self.subnet.funds()).collect();
        endowed.insert(self.subnet.owner.hotkey.clone(), HOTKEY);
        endowed.insert(self.subnet.owner.coldkey.clone(), RICH);
        endowed.insert(self.sudo.clone(), RICH);
        for authority in &self.authorities {
            endowed.insert(authority.account.clone(), RICH);
        }
        for well_known in [Sr25519Keyring::Alice, Sr25519Keyring::Bob, Sr25519Keyring::Charlie] {
            endowed.insert(well_known.to_account_id(), RICH);
        }
        endowed
    }

    /// The patch over the runtime's default genesis.
    pub fn patch(&self) -> Value {
        let balances: Vec<_> = self.endowed().into_iter().collect();
        let subnets = vec![self.subnet.genesis()];
        let vacant_below = self.vacant_below.then_some(NetUid(self.subnet.netuid));
        // Owners change nothing in the last blocks before an epoch: a short one has no others.
        let admin_freeze_window = self.subnet.is_unlimited().then_some(0);
        let beacon = self.beacon.map(|beacon| LocalBeacon {
            public_key: beacon.public_key.to_vec(),
            period: beacon.period,
            genesis_time: u32::try_from(beacon.genesis_time).unwrap_or(u32::MAX),
        });
        let emission = POT_PER_BLOCK.saturating_mul(self.subnet.tempo.into());
        let emissions = vec![(NetUid(self.subnet.netuid), emission)];
        let params = vec![(NetUid(self.subnet.netuid), Params::clawrank())];
        build_struct_json_patch!(RuntimeGenesisConfig {
            block_time: crate::block_time::GenesisConfig {
                slot_duration_ms: self.slot_duration_ms,
                fast_runtime: self.fast_runtime,
            },
            aura: pallet_aura::GenesisConfig {
                authorities: self.authorities.iter().map(|a| a.aura.clone()).collect::<Vec<_>>(),
            },
            grandpa: pallet_grandpa::GenesisConfig {
                authorities: self.authorities.iter().map(|a| (a.grandpa.clone(), 1)).collect::<Vec<_>>(),
            },
            balances: pallet_balances::GenesisConfig { balances: balances },
            sudo: pallet_sudo::GenesisConfig { key: Some(self.sudo.clone()) },
            subtensor_module: pallet_subtensor::GenesisConfig {
                subnets: subnets,
                vacant_below: vacant_below,
                admin_freeze_window: admin_freeze_window,
            },
            drand: pallet_drand::GenesisConfig { beacon: beacon },
            provider_rank: pallet_provider_rank::GenesisConfig {
                epoch_emissions: emissions,
                subnet_params: params,
                pot: POT,
            },
        })
    }
}
