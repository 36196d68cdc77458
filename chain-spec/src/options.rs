// SPDX-License-Identifier: Apache-2.0
//! What an operator may choose about a chain.

use crate::{SpecError, parse_account, role_accounts};
use clawrank_runtime::{
    block_time::{MAX_SLOT_DURATION_MS, MIN_SLOT_DURATION_MS},
    genesis::{self, Authority, BeaconParams, Neuron, Subnet, Topology, keys::Role, validator_stake},
};

/// The uids of a subnet.
const MAX_UIDS: u64 = 256;
/// Validators that may hold a permit at a time.
const MAX_VALIDATORS: u64 = 64;
/// The netuids that fit beside a mechanism's id in one storage index (`mecid * 4096 + netuid`); 0 is the root.
const MAX_NETUID: u64 = 4095;
/// The longest epoch of the public chain, in blocks.
const MAX_TEMPO: u64 = 50_400;
/// Seconds between two rounds, at most: an hour.
const MAX_BEACON_PERIOD: u64 = 3_600;
/// Development authorities with well-known keys: Alice to Ferdie.
const MAX_AUTHORITIES: u64 = 6;

/// A starting point that the other options change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Preset {
    /// One authority, 250 ms blocks, epochs of 10 blocks: tests and demos.
    #[default]
    Fast,
    /// Two authorities, 12 s blocks, epochs of 360 blocks: like the public chain.
    LocalTestnet,
    /// One authority, 12 s blocks, epochs of 360 blocks.
    Development,
    /// Subtensor's localnet, its accounts and its empty subnet 1, at 250 ms blocks: for clients of any subnet.
    Localnet,
    /// Subnet 92 as it is on the day of its registration, at 12 s blocks: neurons register themselves.
    Sn92,
}

impl Preset {
    /// The preset's name inside the runtime.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fast => genesis::FAST,
            Self::LocalTestnet => genesis::LOCAL_TESTNET,
            Self::Development => genesis::DEVELOPMENT,
            Self::Localnet => genesis::LOCALNET,
            Self::Sn92 => genesis::SN92,
        }
    }

    /// The preset of a `--chain` id: `dev`, `local`, `fast`, `localnet`, `sn92`, or the preset's own name.
    pub fn from_chain_id(id: &str) -> Option<Self> {
        match id {
            "" | "fast" => Some(Self::Fast),
            "dev" | "development" => Some(Self::Development),
            "local" | "local_testnet" => Some(Self::LocalTestnet),
            "localnet" => Some(Self::Localnet),
            "sn92" => Some(Self::Sn92),
            _ => None,
        }
    }
}

/// The beacon that timelocked commits wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Beacon {
    /// A beacon that the chain's own node signs, with a secret that everyone knows: works without the internet.
    #[default]
    Dev,
    /// The public beacon quicknet, which the node fetches: as on the public chain.
    Quicknet,
}

/// The options of a chain; what is not given follows from the preset.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Options {
    /// The starting point
    #[arg(long, value_enum, default_value = "fast")]
    pub preset: Preset,
    /// The id of the subnet, 1 to 4095 [default: 1 for localnet, else 92]
    #[arg(long, value_name = "ID")]
    pub netuid: Option<u16>,
    /// The owner's coldkey: SS58, 0x hex or a secret URI; also becomes sudo [default: //owner//cold, sudo //Alice]
    #[arg(long, value_name = "ACCOUNT")]
    pub owner: Option<String>,
    /// The owner's hotkey: SS58, 0x hex or a secret URI [default: //owner]
    #[arg(long, value_name = "ACCOUNT")]
    pub owner_hotkey: Option<String>,
    /// Miners registered at genesis, 0 to 255 [default: 0 for localnet and sn92, else 4]
    #[arg(long, value_name = "N")]
    pub miners: Option<u32>,
    /// Validators registered and staked at genesis, 0 to 64 [default: 0 for localnet and sn92, else 3]
    #[arg(long, value_name = "N")]
    pub validators: Option<u32>,
    /// Block authors with well-known keys, 1 (Alice) to 6 (Alice to Ferdie) [default: the preset's]
    #[arg(long, value_name = "N")]
    pub authorities: Option<u32>,
    /// Blocks between two epochs, 2 to 50400 [default: 10 for fast, 100 for localnet, else 360]
    #[arg(long, value_name = "BLOCKS")]
    pub tempo: Option<u16>,
    /// Milliseconds between two blocks, 100 to 60000 [default: 250 for fast and localnet, else 12000]
    #[arg(long, value_name = "MS")]
    pub block_time_ms: Option<u64>,
    /// Incentive mechanisms of the subnet: 1 (serving, with intel blended in) or 2 (serving and intel) [default: 1
    /// for localnet and sn92, else 2]
    #[arg(long, value_name = "N")]
    pub mechanisms: Option<u8>,
    /// The beacon that timelocked commits wait for
    #[arg(long, value_enum, default_value = "dev")]
    pub beacon: Beacon,
    /// Seconds between two rounds of the dev beacon, 1 to 3600 [default: 1 for fast, else 3]
    #[arg(long, value_name = "SECONDS")]
    pub beacon_period: Option<u32>,
    /// What stands before each account's URI: a path like //net7, or a phrase and a path [default: the public
    /// development phrase]
    #[arg(long, value_name = "SECRET")]
    pub seed_prefix: Option<String>,
}

fn in_range(name: &'static str, value: u64, min: u64, max: u64) -> Result<(), SpecError> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(SpecError::OutOfRange { name, value, min, max }) }
}

impl Options {
    /// The options that leave a preset as it is.
    pub fn preset(preset: Preset) -> Self {
        Self { preset, ..Self::default() }
    }

    /// Checks the options and derives the chain's accounts.
    ///
    /// # Errors
    ///
    /// Every cause of [`SpecError`] but `NoWasm` and `Refused`; nothing is clamped in silence.
    #[allow(clippy::expect_used, reason = "proven where it is")]
    pub fn topology(&self) -> Result<Topology, SpecError> {
        let mut topology =
            Topology::preset(self.preset.name()).expect("every preset here has its name from the runtime; qed");
        if let Some(ms) = self.block_time_ms {
            in_range("block-time-ms", ms, MIN_SLOT_DURATION_MS, MAX_SLOT_DURATION_MS)?;
            topology.slot_duration_ms = ms;
        }
        if let Some(n) = self.authorities {
            in_range("authorities", n.into(), 1, MAX_AUTHORITIES)?;
            topology.authorities = Authority::development(usize::try_from(n).unwrap_or(usize::MAX));
        }
        if let Some(seconds) = self.beacon_period {
            in_range("beacon-period", seconds.into(), 1, MAX_BEACON_PERIOD)?;
            if self.beacon == Beacon::Quicknet {
                return Err(SpecError::QuicknetPeriod);
            }
            topology.beacon = topology.beacon.map(|beacon| BeaconParams { period: seconds, ..beacon });
        }
        if self.beacon == Beacon::Quicknet {
            topology.beacon = None;
        }
        topology.subnet = self.subnet(&topology.subnet)?;
        if self.owner.is_some() {
            topology.sudo = topology.subnet.owner.coldkey.clone();
        }
        Ok(topology)
    }

    fn subnet(&self, preset: &Subnet) -> Result<Subnet, SpecError> {
        let netuid = self.netuid.unwrap_or(preset.netuid);
        in_range("netuid", netuid.into(), 1, MAX_NETUID)?;
        let tempo = self.tempo.unwrap_or(preset.tempo);
        in_range("tempo", tempo.into(), 2, MAX_TEMPO)?;
        let mechanisms = self.mechanisms.unwrap_or(preset.mechanisms);
        in_range("mechanisms", mechanisms.into(), 1, 2)?;
        let count = |list: &[Neuron]| u32::try_from(list.len()).unwrap_or(u32::MAX);
        let miners = self.miners.unwrap_or_else(|| count(&preset.miners));
        in_range("miners", miners.into(), 0, MAX_UIDS.saturating_sub(1))?;
        let validators = self.validators.unwrap_or_else(|| count(&preset.validators));
        in_range("validators", validators.into(), 0, MAX_VALIDATORS)?;
        let sum = u64::from(miners).saturating_add(validators.into()).saturating_add(1);
        if sum > MAX_UIDS {
            return Err(SpecError::TooManyNeurons { validators, miners, sum, max: MAX_UIDS });
        }

        let neuron = |role, stake| {
            let (hotkey, coldkey) = role_accounts(self.seed_prefix.as_deref().unwrap_or_default(), role)?;
            Ok(Neuron { hotkey, coldkey, stake })
        };
        let mut owner = neuron(Role::Owner, 0)?;
        if let Some(value) = &self.owner {
            owner.coldkey = parse_account("owner", value)?;
        }
        if let Some(value) = &self.owner_hotkey {
            owner.hotkey = parse_account("owner-hotkey", value)?;
        }
        Ok(Subnet {
            netuid,
            tempo,
            mechanisms,
            owner,
            validators: (0..validators)
                .map(|i| neuron(Role::Validator(i), validator_stake(i, validators)))
                .collect::<Result<_, _>>()?,
            miners: (0..miners).map(|i| neuron(Role::Miner(i), 0)).collect::<Result<_, _>>()?,
            rules: preset.rules,
        })
    }
}

#[cfg(test)]
mod tests;
