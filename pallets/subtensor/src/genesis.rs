// SPDX-License-Identifier: Apache-2.0

//! Subnets that exist from the first block.

use alloc::{collections::BTreeSet, vec::Vec};
use frame_support::traits::fungible::{Inspect, Mutate};
use serde::{Deserialize, Serialize};

use crate::{pallet::*, types::*};

/// A neuron of a genesis subnet; its uid is its place in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenesisNeuron<AccountId> {
    /// The neuron's own key.
    pub hotkey: AccountId,
    /// The key that owns it.
    pub coldkey: AccountId,
    /// Alpha staked to it on this subnet, in rao; newly issued TAO backs it.
    #[serde(default)]
    pub stake: u64,
}

/// A subnet that exists from the first block and has started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisSubnet<AccountId> {
    /// Number of the subnet, 1 ..= 4095. Numbers below it may be absent, or vacant.
    pub netuid: NetUid,
    /// Coldkey of the owner.
    pub owner: AccountId,
    /// Hotkey of the owner; it need not be a neuron.
    pub owner_hotkey: AccountId,
    /// Number of mechanisms, 1 ..= 16.
    #[serde(default = "one")]
    pub mechanisms: u8,
    /// What differs from a new subnet.
    #[serde(default = "Hyperparameters::default")]
    pub hyperparameters: Hyperparameters,
    /// Neurons, by uid. The staked ones among them hold a validator permit at once.
    #[serde(default = "Vec::new")]
    pub neurons: Vec<GenesisNeuron<AccountId>>,
}

const fn one() -> u8 {
    1
}

macro_rules! hyperparameters {
    ($($(#[$doc:meta])* $field:ident: $type:ty => $storage:ident,)*) => {
        /// Parameters of a genesis subnet; what is absent stays as a new subnet has it.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default, deny_unknown_fields)]
        pub struct Hyperparameters {
            $(
                $(#[$doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )*
        }

        impl Hyperparameters {
            /// Writes every parameter that is present.
            pub(crate) fn write<T: Config>(&self, netuid: NetUid) {
                $(
                    if let Some(value) = self.$field {
                        $storage::<T>::insert(netuid, value);
                    }
                )*
            }
        }
    };
}

hyperparameters! {
    /// Blocks between two epochs; outside the bounds for owners too.
    tempo: u16 => Tempo,
    /// Whether weights must be committed and revealed.
    commit_reveal_weights_enabled: bool => CommitRevealWeightsEnabled,
    /// Epochs from a commit to its reveal.
    reveal_period_epochs: u64 => RevealPeriodEpochs,
    /// Blocks between two commits, or two plain weights, of a neuron.
    weights_set_rate_limit: u64 => WeightsSetRateLimit,
    /// Least version key of weights.
    weights_version_key: u64 => WeightsVersionKey,
    /// Least number of weights.
    min_allowed_weights: u16 => MinAllowedWeights,
    /// Number of validator permits.
    max_allowed_validators: u16 => MaxAllowedValidators,
    /// Number of neurons, at most 256.
    max_allowed_uids: u16 => MaxAllowedUids,
    /// Blocks for which a new neuron cannot be replaced.
    immunity_period: u16 => ImmunityPeriod,
    /// Neurons without immunity that stay.
    min_non_immune_uids: u16 => MinNonImmuneUids,
    /// Neurons of the owner that never go.
    immune_owner_uids_limit: u16 => ImmuneOwnerUidsLimit,
    /// Tempos, in thousandths, after which a neuron is inactive.
    activity_cutoff_factor_milli: u32 => ActivityCutoffFactorMilli,
    /// Blocks between two announcements of a neuron.
    serving_rate_limit: u64 => ServingRateLimit,
    /// Majority that consensus takes, of 65,535.
    kappa: u16 => Kappa,
    /// What bonds keep per epoch, in millionths.
    bonds_moving_average: u64 => BondsMovingAverage,
    /// How far weights above consensus lose their bonds, of 65,535.
    bonds_penalty: u16 => BondsPenalty,
    /// Whether bonds are fixed proportions.
    yuma3_on: bool => Yuma3On,
    /// Whether the bonds rate follows the distance from consensus.
    liquid_alpha_on: bool => LiquidAlphaOn,
    /// Lowest and highest bonds rate of liquid alpha, of 65,535.
    alpha_values: (u16, u16) => AlphaValues,
    /// Whether the subnet takes registrations.
    network_registration_allowed: bool => NetworkRegistrationAllowed,
    /// Registrations per block.
    max_registrations_per_block: u16 => MaxRegistrationsPerBlock,
    /// Price of a registration, in rao.
    burn: TaoBalance => Burn,
    /// Least price of a registration, in rao.
    min_burn: TaoBalance => MinBurn,
    /// Highest price of a registration, in rao.
    max_burn: TaoBalance => MaxBurn,
    /// Blocks in which the price halves.
    burn_half_life: u16 => BurnHalfLife,
    /// Whether the owner gets its part of the emission.
    owner_cut_enabled: bool => OwnerCutEnabled,
}

/// Writes the configuration. A chain specification that contradicts itself stops the build of genesis, by a panic that
/// names what is wrong.
pub(crate) fn build<T: Config>(config: &GenesisConfig<T>) {
    if let Some(emission) = config.block_emission {
        BlockEmission::<T>::put(emission);
    }
    if let Some(threshold) = config.stake_threshold {
        StakeThreshold::<T>::put(threshold);
    }
    if let Some(epochs) = config.max_epochs_per_block {
        assert!(epochs > 0, "maxEpochsPerBlock is 0: no epoch could ever run");
        MaxEpochsPerBlock::<T>::put(epochs);
    }
    if let Some(blocks) = config.network_rate_limit {
        NetworkRateLimit::<T>::put(blocks);
    }
    if let Some(cost) = config.network_min_lock_cost {
        NetworkMinLockCost::<T>::put(cost);
        NetworkLastLockCost::<T>::put(cost);
    }
    if let Some(blocks) = config.admin_freeze_window {
        AdminFreezeWindow::<T>::put(blocks);
    }
    Pallet::<T>::create_root();
    for subnet in &config.subnets {
        build_subnet::<T>(subnet);
    }
    if let Some(end) = config.vacant_below {
        assert!(end.0 < MECHANISM_STRIDE, "vacantBelow is {end}, more than 4095");
        (1..end.0).map(NetUid).filter(|netuid| !NetworksAdded::<T>::get(netuid)).for_each(build_vacant::<T>);
    }
    Pallet::<T>::endow_account();
    TotalIssuance::<T>::put(TaoBalance(T::Currency::total_issuance()));
}

fn build_subnet<T: Config>(subnet: &GenesisSubnet<T::AccountId>) {
    let netuid = subnet.netuid;
    assert!(!netuid.is_root() && netuid.0 < MECHANISM_STRIDE, "netuid {netuid} is not in 1 ..= 4095");
    assert!(!NetworksAdded::<T>::get(netuid), "netuid {netuid} is there twice");
    assert!(
        (1..=MAX_MECHANISMS).contains(&subnet.mechanisms),
        "netuid {netuid} has {} mechanisms, not 1 ..= {MAX_MECHANISMS}",
        subnet.mechanisms
    );
    let neurons = u64::try_from(subnet.neurons.len()).unwrap_or(u64::MAX);
    assert!(neurons <= u64::from(MAX_UIDS), "netuid {netuid} has {neurons} neurons, more than {MAX_UIDS}");

    own::<T>(&subnet.owner_hotkey, &subnet.owner);
    Pallet::<T>::create_network(netuid, &subnet.owner, &subnet.owner_hotkey);
    MechanismCountCurrent::<T>::insert(netuid, MechId(subnet.mechanisms));
    if MaxMechanismCount::<T>::get() < MechId(subnet.mechanisms) {
        MaxMechanismCount::<T>::put(MechId(subnet.mechanisms));
    }
    subnet.hyperparameters.write::<T>(netuid);
    let most = MaxAllowedUids::<T>::get(netuid);
    assert!(u32::from(most) <= MAX_UIDS, "netuid {netuid} allows {most} uids, more than {MAX_UIDS}");
    assert!(neurons <= u64::from(most), "netuid {netuid} has {neurons} neurons, more than the {most} allowed");
    let period = RevealPeriodEpochs::<T>::get(netuid);
    assert!((1..=100).contains(&period), "netuid {netuid} reveals after {period} epochs, not 1 ..= 100");

    let mut seen = BTreeSet::new();
    for (uid, neuron) in (0_u16..).zip(&subnet.neurons) {
        assert!(seen.insert(&neuron.hotkey), "netuid {netuid} has the hotkey of uid {uid} twice");
        own::<T>(&neuron.hotkey, &neuron.coldkey);
        Pallet::<T>::seat(netuid, uid, &neuron.hotkey);
        if neuron.stake > 0 {
            stake::<T>(netuid, neuron, AlphaBalance(neuron.stake));
        }
    }
    Pallet::<T>::start_network(netuid, 1);
    Pallet::<T>::grant_first_permits(netuid);
}

/// A subnet that holds its number and nothing else, so that a block has next to nothing to do for it.
fn build_vacant<T: Config>(netuid: NetUid) {
    Pallet::<T>::create_ownerless_network(netuid);
    Tempo::<T>::insert(netuid, 0);
    NetworkRegistrationAllowed::<T>::insert(netuid, false);
    // A price on its floor does not fall any more.
    Burn::<T>::insert(netuid, MinBurn::<T>::get(netuid));
}

fn own<T: Config>(hotkey: &T::AccountId, coldkey: &T::AccountId) {
    match Owner::<T>::try_get(hotkey) {
        Ok(owner) => assert!(owner == *coldkey, "the hotkey {hotkey:?} is there with two coldkeys"),
        Err(()) => {
            let room = Pallet::<T>::ensure_hotkeys_can_grow(coldkey).is_ok();
            assert!(room, "the coldkey {coldkey:?} has more than {MAX_OWNED_HOTKEYS} hotkeys");
            Pallet::<T>::own(hotkey, coldkey);
        }
    }
}

fn stake<T: Config>(netuid: NetUid, neuron: &GenesisNeuron<T::AccountId>, alpha: AlphaBalance) {
    let GenesisNeuron { hotkey, coldkey, .. } = neuron;
    if let Err(error) = T::Currency::mint_into(&Pallet::<T>::account(), alpha.0) {
        panic!("cannot issue {alpha} rao as stake of {hotkey:?}: {error:?}");
    }
    if let Err(error) = Pallet::<T>::credit_stake(hotkey, coldkey, netuid, alpha) {
        panic!("cannot book {alpha} rao as stake of {hotkey:?}: {error:?}");
    }
    SubnetAlphaOut::<T>::mutate(netuid, |total| total.0 = total.0.saturating_add(alpha.0));
}

impl<T: Config> Pallet<T> {
    /// Gives permits to the hotkeys of most stake weight, ties to the higher uid, as the first epoch would.
    fn grant_first_permits(netuid: NetUid) {
        let tao_weight = TaoWeight::<T>::get();
        let threshold = StakeThreshold::<T>::get();
        let mut staked: Vec<(u64, u16)> = (0..SubnetworkN::<T>::get(netuid))
            .map(|uid| (Self::stake_weight_at(netuid, &Keys::<T>::get(netuid, uid), tao_weight), uid))
            .filter(|(stake, _)| *stake > 0 && *stake >= threshold)
            .collect();
        staked.sort_unstable_by(|a, b| b.cmp(a));
        staked.truncate(usize::from(MaxAllowedValidators::<T>::get(netuid)));
        ValidatorPermit::<T>::mutate(netuid, |permits| {
            for (_, uid) in staked {
                if let Some(permit) = permits.get_mut(usize::from(uid)) {
                    *permit = true;
                }
            }
        });
    }
}
