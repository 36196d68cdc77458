// SPDX-License-Identifier: Apache-2.0

//! Calls, each with the index, argument names and types it has on the public chain.

use frame_support::pallet_macros::pallet_section;

/// Declares the calls. Indices that are missing belong to what this chain has not.
#[pallet_section]
mod calls {
    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Replaces the authorities that make blocks; root only.
        #[pallet::call_index(0)]
        #[pallet::weight(<T as Config>::WeightInfo::swap_authorities(u32::try_from(new_authorities.len()).unwrap_or(u32::MAX)))]
        pub fn swap_authorities(
            origin: OriginFor<T>,
            new_authorities: BoundedVec<T::AuthorityId, T::MaxAuthorities>,
        ) -> DispatchResult {
            ensure_root(origin)?;
            ensure!(!new_authorities.is_empty(), Error::<T>::InvalidValue);
            T::Authorities::swap(new_authorities);
            Ok(())
        }

        /// Sets the highest take of a hotkey, of 65,535; root only. Higher ones that hotkeys have stay.
        #[pallet::call_index(1)]
        #[pallet::weight(<T as Config>::WeightInfo::global())]
        pub fn sudo_set_default_take(origin: OriginFor<T>, default_take: PerU16) -> DispatchResult {
            Self::root_sets_global::<subtensor::MaxDelegateTake<T>, _>(
                origin,
                default_take,
                subtensor::Event::MaxDelegateTakeSet,
            )
        }

        /// Sets `TxRateLimit`, in blocks; root only.
        #[pallet::call_index(2)]
        #[pallet::weight(<T as Config>::WeightInfo::global())]
        pub fn sudo_set_tx_rate_limit(origin: OriginFor<T>, tx_rate_limit: u64) -> DispatchResult {
            Self::root_sets_global::<subtensor::TxRateLimit<T>, _>(
                origin,
                tx_rate_limit,
                subtensor::Event::TxRateLimitSet,
            )
        }

        /// Sets the blocks between two announcements of a neuron; root or the owner.
        #[pallet::call_index(3)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_serving_rate_limit(
            origin: OriginFor<T>,
            netuid: NetUid,
            serving_rate_limit: u64,
        ) -> DispatchResult {
            Self::owner_sets::<subtensor::ServingRateLimit<T>, _>(
                origin,
                netuid,
                Hyperparameter::ServingRateLimit,
                serving_rate_limit,
                subtensor::Event::ServingRateLimitSet,
            )
        }

        /// Sets the least difficulty of a registration by work; there is no work to do on this chain; root only.
        #[pallet::call_index(4)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_min_difficulty(origin: OriginFor<T>, netuid: NetUid, min_difficulty: u64) -> DispatchResult {
            Self::root_sets_in_time::<subtensor::MinDifficulty<T>, _>(
                origin,
                netuid,
                min_difficulty,
                subtensor::Event::MinDifficultySet,
            )
        }

        /// Sets the highest difficulty of a registration by work; there is no work to do on this chain; root or the owner.
        #[pallet::call_index(5)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_max_difficulty(origin: OriginFor<T>, netuid: NetUid, max_difficulty: u64) -> DispatchResult {
            Self::owner_sets::<subtensor::MaxDifficulty<T>, _>(
                origin,
                netuid,
                Hyperparameter::MaxDifficulty,
                max_difficulty,
                subtensor::Event::MaxDifficultySet,
            )
        }

        /// Sets the least version key of weights; root or the owner.
        #[pallet::call_index(6)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_weights_version_key(
            origin: OriginFor<T>,
            netuid: NetUid,
            weights_version_key: u64,
        ) -> DispatchResult {
            Self::owner_sets::<subtensor::WeightsVersionKey<T>, _>(
                origin,
                netuid,
                OwnerLimit::WeightsVersionKey,
                weights_version_key,
                subtensor::Event::WeightsVersionKeySet,
            )
        }

        /// Sets the blocks between two weights, or commits, of a neuron; root only.
        #[pallet::call_index(7)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_weights_set_rate_limit(
            origin: OriginFor<T>,
            netuid: NetUid,
            weights_set_rate_limit: u64,
        ) -> DispatchResult {
            Self::root_sets::<subtensor::WeightsSetRateLimit<T>, _>(
                origin,
                netuid,
                weights_set_rate_limit,
                subtensor::Event::WeightsSetRateLimitSet,
            )
        }

        /// Sets the blocks of an interval of registrations; root only.
        #[pallet::call_index(8)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_adjustment_interval(
            origin: OriginFor<T>,
            netuid: NetUid,
            adjustment_interval: u16,
        ) -> DispatchResult {
            Self::root_sets::<subtensor::AdjustmentInterval<T>, _>(
                origin,
                netuid,
                adjustment_interval,
                subtensor::Event::AdjustmentIntervalSet,
            )
        }

        /// Sets what an adjustment of the difficulty keeps, of `u64::MAX`; there is no work to do on this chain; root or the owner.
        #[pallet::call_index(9)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_adjustment_alpha(
            origin: OriginFor<T>,
            netuid: NetUid,
            adjustment_alpha: u64,
        ) -> DispatchResult {
            Self::owner_sets::<subtensor::AdjustmentAlpha<T>, _>(
                origin,
                netuid,
                Hyperparameter::AdjustmentAlpha,
                adjustment_alpha,
                subtensor::Event::AdjustmentAlphaSet,
            )
        }

        /// Sets the blocks for which a new neuron cannot be replaced; root or the owner.
        #[pallet::call_index(13)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_immunity_period(origin: OriginFor<T>, netuid: NetUid, immunity_period: u16) -> DispatchResult {
            Self::owner_sets::<subtensor::ImmunityPeriod<T>, _>(
                origin,
                netuid,
                Hyperparameter::ImmunityPeriod,
                immunity_period,
                subtensor::Event::ImmunityPeriodSet,
            )
        }

        /// Sets the least number of weights; root or the owner.
        #[pallet::call_index(14)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_min_allowed_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            min_allowed_weights: u16,
        ) -> DispatchResult {
            Self::owner_sets::<subtensor::MinAllowedWeights<T>, _>(
                origin,
                netuid,
                Hyperparameter::MinAllowedWeights,
                min_allowed_weights,
                subtensor::Event::MinAllowedWeightSet,
            )
        }

        /// Sets how many neurons the subnet holds: not fewer than it has, at most 256 over all mechanisms; root or the owner.
        #[pallet::call_index(15)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_max_allowed_uids(
            origin: OriginFor<T>,
            netuid: NetUid,
            max_allowed_uids: u16,
        ) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::MaxAllowedUids, |_| {
                Self::do_set_max_uids(netuid, max_allowed_uids)
            })
        }

        /// Sets the majority that consensus takes, of 65,535; root only.
        #[pallet::call_index(16)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_kappa(origin: OriginFor<T>, netuid: NetUid, kappa: u16) -> DispatchResult {
            Self::root_sets::<subtensor::Kappa<T>, _>(origin, netuid, kappa, subtensor::Event::KappaSet)
        }

        /// Sets `Rho`, which consensus does not use; root or the owner.
        #[pallet::call_index(17)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_rho(origin: OriginFor<T>, netuid: NetUid, rho: u16) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::Rho, |_| Self::write::<subtensor::Rho<T>, _>(netuid, rho))
        }

        /// Sets `ActivityCutoff`, which the activity factor supersedes; at least `MinActivityCutoff`; root or the owner.
        #[pallet::call_index(18)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_activity_cutoff(origin: OriginFor<T>, netuid: NetUid, activity_cutoff: u16) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::ActivityCutoff, |_| {
                let least = subtensor::MinActivityCutoff::<T>::get();
                ensure!(activity_cutoff >= least, subtensor::Error::<T>::ActivityCutoffTooLow);
                let event = subtensor::Event::ActivityCutoffSet;
                Self::put::<subtensor::ActivityCutoff<T>, _>(netuid, activity_cutoff, event)
            })
        }

        /// Opens the subnet to registrations, or closes it; root or the owner, since spec 475.
        #[pallet::call_index(19)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_network_registration_allowed(
            origin: OriginFor<T>,
            netuid: NetUid,
            registration_allowed: bool,
        ) -> DispatchResult {
            Self::owner_sets::<subtensor::NetworkRegistrationAllowed<T>, _>(
                origin,
                netuid,
                Hyperparameter::BurnRegistrationAllowed,
                registration_allowed,
                subtensor::Event::RegistrationAllowed,
            )
        }

        /// Refused, as on the public chain: there is no registration by proof of work.
        #[pallet::call_index(20)]
        #[pallet::weight(<T as Config>::WeightInfo::refusal())]
        pub fn sudo_set_network_pow_registration_allowed(
            origin: OriginFor<T>,
            netuid: NetUid,
            registration_allowed: bool,
        ) -> DispatchResult {
            let _ = (origin, netuid, registration_allowed);
            Err(Error::<T>::POWRegistrationDisabled.into())
        }

        /// Sets the registrations per interval that are aimed at; root only.
        #[pallet::call_index(21)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_target_registrations_per_interval(
            origin: OriginFor<T>,
            netuid: NetUid,
            target_registrations_per_interval: u16,
        ) -> DispatchResult {
            Self::root_sets_in_time::<subtensor::TargetRegistrationsPerInterval<T>, _>(
                origin,
                netuid,
                target_registrations_per_interval,
                subtensor::Event::RegistrationPerIntervalSet,
            )
        }

        /// Sets the least price of a registration: below 1 TAO and below the highest; root or the owner.
        #[pallet::call_index(22)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_min_burn(origin: OriginFor<T>, netuid: NetUid, min_burn: TaoBalance) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::MinBurn, |_| {
                let most = subtensor::MaxBurn::<T>::get(netuid).min(TaoBalance(bounds::MIN_BURN_BELOW));
                ensure!(min_burn < most, Error::<T>::ValueNotInBounds);
                Self::put::<subtensor::MinBurn<T>, _>(netuid, min_burn, subtensor::Event::MinBurnSet)
            })
        }

        /// Sets the highest price of a registration: above 0.1 TAO and above the least; root or the owner.
        #[pallet::call_index(23)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_max_burn(origin: OriginFor<T>, netuid: NetUid, max_burn: TaoBalance) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::MaxBurn, |_| {
                let least = subtensor::MinBurn::<T>::get(netuid).max(TaoBalance(bounds::MAX_BURN_ABOVE));
                ensure!(max_burn > least, Error::<T>::ValueNotInBounds);
                Self::put::<subtensor::MaxBurn<T>, _>(netuid, max_burn, subtensor::Event::MaxBurnSet)
            })
        }

        /// Sets the difficulty of a registration by work; there is no work to do on this chain; root only.
        #[pallet::call_index(24)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_difficulty(origin: OriginFor<T>, netuid: NetUid, difficulty: u64) -> DispatchResult {
            Self::root_sets_in_time::<subtensor::Difficulty<T>, _>(
                origin,
                netuid,
                difficulty,
                subtensor::Event::DifficultySet,
            )
        }

        /// Sets how many neurons hold a permit: at most `MaxAllowedUids`; root only.
        #[pallet::call_index(25)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_max_allowed_validators(
            origin: OriginFor<T>,
            netuid: NetUid,
            max_allowed_validators: u16,
        ) -> DispatchResult {
            Self::by_root_in_time(origin, netuid, || {
                let most = subtensor::MaxAllowedUids::<T>::get(netuid);
                ensure!(max_allowed_validators <= most, Error::<T>::MaxValidatorsLargerThanMaxUIds);
                let event = subtensor::Event::MaxAllowedValidatorsSet;
                Self::put::<subtensor::MaxAllowedValidators<T>, _>(netuid, max_allowed_validators, event)
            })
        }

        /// Sets what bonds keep per epoch, in millionths; an owner at most 975,000; root or the owner.
        #[pallet::call_index(26)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_bonds_moving_average(
            origin: OriginFor<T>,
            netuid: NetUid,
            bonds_moving_average: u64,
        ) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::BondsMovingAverage, |asker| {
                let fits = asker == Asker::Root || bonds_moving_average <= bounds::OWNER_BONDS_MOVING_AVERAGE;
                ensure!(fits, Error::<T>::BondsMovingAverageMaxReached);
                let event = subtensor::Event::BondsMovingAverageSet;
                Self::put::<subtensor::BondsMovingAverage<T>, _>(netuid, bonds_moving_average, event)
            })
        }

        /// Sets the registrations per block; root only.
        #[pallet::call_index(27)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_max_registrations_per_block(
            origin: OriginFor<T>,
            netuid: NetUid,
            max_registrations_per_block: u16,
        ) -> DispatchResult {
            Self::root_sets_in_time::<subtensor::MaxRegistrationsPerBlock<T>, _>(
                origin,
                netuid,
                max_registrations_per_block,
                subtensor::Event::MaxRegistrationsPerBlockSet,
            )
        }

        /// Sets the part of the emission that goes to owners, of 65,535; root only.
        #[pallet::call_index(28)]
        #[pallet::weight(<T as Config>::WeightInfo::global())]
        pub fn sudo_set_subnet_owner_cut(origin: OriginFor<T>, subnet_owner_cut: u16) -> DispatchResult {
            Self::root_sets_global::<subtensor::SubnetOwnerCut<T>, _>(
                origin,
                subnet_owner_cut,
                subtensor::Event::SubnetOwnerCutSet,
            )
        }

        /// Sets the blocks between two registrations of a subnet; root only.
        #[pallet::call_index(29)]
        #[pallet::weight(<T as Config>::WeightInfo::global())]
        pub fn sudo_set_network_rate_limit(origin: OriginFor<T>, rate_limit: u64) -> DispatchResult {
            Self::root_sets_global::<subtensor::NetworkRateLimit<T>, _>(
                origin,
                rate_limit,
                subtensor::Event::NetworkRateLimitSet,
            )
        }

        /// Sets the tempo and begins the epoch anew; an owner within the bounds, root as it likes; root or the owner.
        #[pallet::call_index(30)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_tempo(origin: OriginFor<T>, netuid: NetUid, tempo: u16) -> DispatchResult {
            Self::by_owner(origin, netuid, OwnerLimit::Tempo, |asker| match asker {
                Asker::Owner => Subtensor::<T>::do_set_tempo(netuid, tempo),
                Asker::Root => {
                    Subtensor::<T>::force_set_tempo(netuid, tempo);
                    Ok(())
                }
            })
        }

        /// Sets the least price of a subnet, in rao; root only.
        #[pallet::call_index(36)]
        #[pallet::weight(<T as Config>::WeightInfo::global())]
        pub fn sudo_set_network_min_lock_cost(origin: OriginFor<T>, lock_cost: TaoBalance) -> DispatchResult {
            Self::root_sets_global::<subtensor::NetworkMinLockCost<T>, _>(
                origin,
                lock_cost,
                subtensor::Event::NetworkMinLockCostSet,
            )
        }

        /// Sets how many subnets there can be; root only.
        #[pallet::call_index(37)]
        #[pallet::weight(<T as Config>::WeightInfo::global())]
        pub fn sudo_set_subnet_limit(origin: OriginFor<T>, max_subnets: u16) -> DispatchResult {
            Self::root_sets_global::<subtensor::SubnetLimit<T>, _>(
                origin,
                max_subnets,
                subtensor::Event::SubnetLimitSet,
            )
        }

        /// Sets the blocks in which the price of a subnet falls by its last price; root only.
        #[pallet::call_index(38)]
        #[pallet::weight(<T as Config>::WeightInfo::global())]
        pub fn sudo_set_lock_reduction_interval(origin: OriginFor<T>, interval: u64) -> DispatchResult {
            Self::root_sets_global::<subtensor::NetworkLockReductionInterval<T>, _>(
                origin,
                interval,
                subtensor::Event::NetworkLockCostReductionIntervalSet,
            )
        }

        /// Sets the count of what registrations burned; root only.
        #[pallet::call_index(39)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_rao_recycled(origin: OriginFor<T>, netuid: NetUid, rao_recycled: TaoBalance) -> DispatchResult {
            Self::root_sets::<subtensor::RAORecycledForRegistration<T>, _>(
                origin,
                netuid,
                rao_recycled,
                subtensor::Event::RAORecycledForRegistrationSet,
            )
        }

        /// Sets the stake weight that weights need, in rao; root only.
        #[pallet::call_index(42)]
        #[pallet::weight(<T as Config>::WeightInfo::global())]
        pub fn sudo_set_stake_threshold(origin: OriginFor<T>, min_stake: u64) -> DispatchResult {
            Self::root_sets_global::<subtensor::StakeThreshold<T>, _>(
                origin,
                min_stake,
                subtensor::Event::StakeThresholdSet,
            )
        }

        /// Sets the blocks between two raises of a take; root only.
        #[pallet::call_index(45)]
        #[pallet::weight(<T as Config>::WeightInfo::global())]
        pub fn sudo_set_tx_delegate_take_rate_limit(origin: OriginFor<T>, tx_rate_limit: u64) -> DispatchResult {
            Self::root_sets_global::<subtensor::TxDelegateTakeRateLimit<T>, _>(
                origin,
                tx_rate_limit,
                subtensor::Event::TxDelegateTakeRateLimitSet,
            )
        }

        /// Sets the least take of a hotkey, of 65,535; root only. Lower ones that hotkeys have stay.
        #[pallet::call_index(46)]
        #[pallet::weight(<T as Config>::WeightInfo::global())]
        pub fn sudo_set_min_delegate_take(origin: OriginFor<T>, take: PerU16) -> DispatchResult {
            Self::root_sets_global::<subtensor::MinDelegateTake<T>, _>(
                origin,
                take,
                subtensor::Event::MinDelegateTakeSet,
            )
        }

        /// Switches commit and reveal of weights; root or the owner.
        #[pallet::call_index(49)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_commit_reveal_weights_enabled(
            origin: OriginFor<T>,
            netuid: NetUid,
            enabled: bool,
        ) -> DispatchResult {
            Self::owner_sets::<subtensor::CommitRevealWeightsEnabled<T>, _>(
                origin,
                netuid,
                Hyperparameter::CommitRevealEnabled,
                enabled,
                subtensor::Event::CommitRevealEnabled,
            )
        }

        /// Switches liquid alpha; root or the owner.
        #[pallet::call_index(50)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_liquid_alpha_enabled(origin: OriginFor<T>, netuid: NetUid, enabled: bool) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::LiquidAlphaEnabled, |_| {
                Self::write::<subtensor::LiquidAlphaOn<T>, _>(netuid, enabled)
            })
        }

        /// Sets the lowest and highest bonds rate of liquid alpha, of 65,535, while it is on; root or the owner.
        #[pallet::call_index(51)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_alpha_values(
            origin: OriginFor<T>,
            netuid: NetUid,
            alpha_low: u16,
            alpha_high: u16,
        ) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::AlphaValues, |_| {
                Subtensor::<T>::do_set_alpha_values(netuid, alpha_low, alpha_high)
            })
        }

        /// Sets the epochs from a commit to its reveal, 1 ..= 100; root or the owner.
        #[pallet::call_index(57)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_commit_reveal_weights_interval(
            origin: OriginFor<T>,
            netuid: NetUid,
            interval: u64,
        ) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::WeightCommitInterval, |_| {
                Subtensor::<T>::do_set_reveal_period(netuid, interval)
            })
        }

        /// Sets how far weights above consensus lose their bonds, of 65,535; root or the owner.
        #[pallet::call_index(60)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_bonds_penalty(origin: OriginFor<T>, netuid: NetUid, bonds_penalty: u16) -> DispatchResult {
            Self::owner_sets::<subtensor::BondsPenalty<T>, _>(
                origin,
                netuid,
                Hyperparameter::BondsPenalty,
                bonds_penalty,
                subtensor::Event::BondsPenaltySet,
            )
        }

        /// Sets whether stake may change its coldkey, for which this chain has no call; root or the owner.
        #[pallet::call_index(61)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_toggle_transfer(origin: OriginFor<T>, netuid: NetUid, toggle: bool) -> DispatchResult {
            Self::owner_sets::<subtensor::TransferToggle<T>, _>(
                origin,
                netuid,
                Hyperparameter::TransferEnabled,
                toggle,
                subtensor::Event::TransferToggle,
            )
        }

        /// Sets the blocks in which the mean price of the subnet's alpha halves its distance, which is none here; root only.
        #[pallet::call_index(65)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_ema_price_halving_period(
            origin: OriginFor<T>,
            netuid: NetUid,
            ema_halving: u64,
        ) -> DispatchResult {
            Self::by_root(origin, netuid, || Self::write::<subtensor::EMAPriceHalvingBlocks<T>, _>(netuid, ema_halving))
        }

        /// Starts or stops stake and emission of the subnet; root only.
        #[pallet::call_index(66)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_subtoken_enabled(
            origin: OriginFor<T>,
            netuid: NetUid,
            subtoken_enabled: bool,
        ) -> DispatchResult {
            Self::by_root_in_time(origin, netuid, || {
                Self::write::<subtensor::SubtokenEnabled<T>, _>(netuid, subtoken_enabled)
            })
        }

        /// Names the hotkey of the subnet's owner; root or the owner.
        #[pallet::call_index(67)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_sn_owner_hotkey(origin: OriginFor<T>, netuid: NetUid, hotkey: T::AccountId) -> DispatchResult {
            Self::by_owner(origin, netuid, OwnerLimit::OwnerHotkey, |_| {
                Subtensor::<T>::do_set_owner_hotkey(netuid, &hotkey)
            })
        }

        /// Sets the steepness of liquid alpha, in hundredths; only root a negative one; root or the owner.
        #[pallet::call_index(68)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_alpha_sigmoid_steepness(
            origin: OriginFor<T>,
            netuid: NetUid,
            steepness: i16,
        ) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::AlphaSigmoidSteepness, |asker| {
                ensure!(asker == Asker::Root || steepness >= 0, Error::<T>::NegativeSigmoidSteepness);
                Self::write::<subtensor::AlphaSigmoidSteepness<T>, _>(netuid, steepness)
            })
        }

        /// Makes bonds fixed proportions, or classic; root or the owner.
        #[pallet::call_index(69)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_yuma3_enabled(origin: OriginFor<T>, netuid: NetUid, enabled: bool) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::Yuma3Enabled, |_| {
                Self::deposit_event(Event::Yuma3EnableToggled { netuid, enabled });
                Self::write::<subtensor::Yuma3On<T>, _>(netuid, enabled)
            })
        }

        /// Sets whether a commitment may reset bonds; root or the owner.
        #[pallet::call_index(70)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_bonds_reset_enabled(origin: OriginFor<T>, netuid: NetUid, enabled: bool) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::BondsResetEnabled, |_| {
                Self::deposit_event(Event::BondsResetToggled { netuid, enabled });
                Self::put::<subtensor::BondsResetOn<T>, _>(netuid, enabled, subtensor::Event::BondsResetOnSet)
            })
        }

        /// Sets the version of timelocked commits; root only.
        #[pallet::call_index(71)]
        #[pallet::weight(<T as Config>::WeightInfo::global())]
        pub fn sudo_set_commit_reveal_version(
            origin: OriginFor<T>,
            version: subtensor::CommitRevealVersion,
        ) -> DispatchResult {
            Self::root_sets_global::<subtensor::CommitRevealWeightsVersion<T>, _>(
                origin,
                version,
                subtensor::Event::CommitRevealVersionSet,
            )
        }

        /// Sets how many neurons of the owner cannot be replaced, 1 ..= 10; root or the owner.
        #[pallet::call_index(72)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_owner_immune_neuron_limit(
            origin: OriginFor<T>,
            netuid: NetUid,
            immune_neurons: u16,
        ) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::ImmuneNeuronLimit, |_| {
                Subtensor::<T>::do_set_immune_owner_uids(netuid, immune_neurons)
            })
        }

        /// Sets the blocks before an epoch in which owners may change nothing; root only.
        #[pallet::call_index(74)]
        #[pallet::weight(<T as Config>::WeightInfo::global())]
        pub fn sudo_set_admin_freeze_window(origin: OriginFor<T>, window: u16) -> DispatchResult {
            Self::root_sets_global::<subtensor::AdminFreezeWindow<T>, _>(
                origin,
                window,
                subtensor::Event::AdminFreezeWindowSet,
            )
        }

        /// Sets the tempos between two changes of a parameter by an owner; root only.
        #[pallet::call_index(75)]
        #[pallet::weight(<T as Config>::WeightInfo::global())]
        pub fn sudo_set_owner_hparam_rate_limit(origin: OriginFor<T>, epochs: u16) -> DispatchResult {
            Self::root_sets_global::<subtensor::OwnerHyperparamRateLimit<T>, _>(
                origin,
                epochs,
                subtensor::Event::OwnerHyperparamRateLimitSet,
            )
        }

        /// Sets the number of mechanisms; what is stored of those that go is removed; root or the owner.
        #[pallet::call_index(76)]
        #[pallet::weight(<T as Config>::WeightInfo::mechanism_count())]
        pub fn sudo_set_mechanism_count(
            origin: OriginFor<T>,
            netuid: NetUid,
            mechanism_count: MechId,
        ) -> DispatchResult {
            Self::by_owner(origin, netuid, OwnerLimit::MechanismCount, |_| {
                Subtensor::<T>::do_set_mechanism_count(netuid, mechanism_count)
            })
        }

        /// Sets what each mechanism gets of the emission, of 65,535, or lets them share evenly; root or the owner.
        #[pallet::call_index(77)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_mechanism_emission_split(
            origin: OriginFor<T>,
            netuid: NetUid,
            maybe_split: Option<Vec<u16>>,
        ) -> DispatchResult {
            Self::by_owner(origin, netuid, OwnerLimit::MechanismEmission, |_| {
                Subtensor::<T>::do_set_emission_split(netuid, maybe_split)
            })
        }

        /// Lowers `MaxAllowedUids`; the neurons of least emission go, the others get new uids; root or the owner.
        #[pallet::call_index(78)]
        #[pallet::weight(<T as Config>::WeightInfo::trim())]
        pub fn sudo_trim_to_max_allowed_uids(origin: OriginFor<T>, netuid: NetUid, max_n: u16) -> DispatchResult {
            Self::by_owner(origin, netuid, OwnerLimit::Trimming, |_| Subtensor::<T>::do_trim_uids(netuid, max_n))
        }

        /// Sets the number of neurons below which the subnet cannot be trimmed; root only.
        #[pallet::call_index(79)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_min_allowed_uids(
            origin: OriginFor<T>,
            netuid: NetUid,
            min_allowed_uids: u16,
        ) -> DispatchResult {
            Self::by_root_in_time(origin, netuid, || {
                let (most, n) = (subtensor::MaxAllowedUids::<T>::get(netuid), subtensor::SubnetworkN::<T>::get(netuid));
                ensure!(min_allowed_uids < most, Error::<T>::MinAllowedUidsGreaterThanMaxAllowedUids);
                ensure!(min_allowed_uids < n, Error::<T>::MinAllowedUidsGreaterThanCurrentUids);
                Self::put::<subtensor::MinAllowedUids<T>, _>(
                    netuid,
                    min_allowed_uids,
                    subtensor::Event::MinAllowedUidsSet,
                )
            })
        }

        /// Sets what becomes of the incentive of the owner's neurons, which is burned here either way; root or the owner.
        #[pallet::call_index(80)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_recycle_or_burn(
            origin: OriginFor<T>,
            netuid: NetUid,
            recycle_or_burn: RecycleOrBurnEnum,
        ) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::RecycleOrBurn, |_| {
                Self::write::<subtensor::RecycleOrBurn<T>, _>(netuid, recycle_or_burn)
            })
        }

        /// Sets how many neurons without immunity the subnet keeps; root only.
        #[pallet::call_index(84)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_min_non_immune_uids(origin: OriginFor<T>, netuid: NetUid, min: u16) -> DispatchResult {
            Self::root_sets::<subtensor::MinNonImmuneUids<T>, _>(
                origin,
                netuid,
                min,
                subtensor::Event::MinNonImmuneUidsSet,
            )
        }

        /// Sets the blocks between the registration of a subnet and its start; root only.
        #[pallet::call_index(85)]
        #[pallet::weight(<T as Config>::WeightInfo::global())]
        pub fn sudo_set_start_call_delay(origin: OriginFor<T>, delay: u64) -> DispatchResult {
            Self::root_sets_global::<subtensor::StartCallDelay<T>, _>(
                origin,
                delay,
                subtensor::Event::StartCallDelaySet,
            )
        }

        /// Sets how many mechanisms a subnet can have, 1 ..= 16; root only.
        #[pallet::call_index(88)]
        #[pallet::weight(<T as Config>::WeightInfo::global())]
        pub fn sudo_set_max_mechanism_count(origin: OriginFor<T>, max_mechanism_count: MechId) -> DispatchResult {
            ensure_root(origin)?;
            Subtensor::<T>::do_set_max_mechanism_count(max_mechanism_count)
        }

        /// Sets the blocks in which the price of a registration halves, 1 ..= 36,100; root or the owner.
        #[pallet::call_index(89)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_burn_half_life(origin: OriginFor<T>, netuid: NetUid, burn_half_life: u16) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::BurnHalfLife, |_| {
                ensure!(bounds::BURN_HALF_LIFE.contains(&burn_half_life), Error::<T>::InvalidValue);
                Self::deposit_event(Event::BurnHalfLifeSet { netuid, burn_half_life });
                Self::write::<subtensor::BurnHalfLife<T>, _>(netuid, burn_half_life)
            })
        }

        /// Sets what a registration multiplies the price by, 1 to 3; root or the owner.
        #[pallet::call_index(90)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_burn_increase_mult(
            origin: OriginFor<T>,
            netuid: NetUid,
            burn_increase_mult: FixedU128,
        ) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::BurnIncreaseMult, |_| {
                ensure!(bounds::BURN_INCREASE.contains(&burn_increase_mult.bits), Error::<T>::InvalidValue);
                Self::deposit_event(Event::BurnIncreaseMultSet { netuid, burn_increase_mult });
                Self::write::<subtensor::BurnIncreaseMult<T>, _>(netuid, burn_increase_mult)
            })
        }

        /// Sets whether the owner gets its part of the emission; root or the owner.
        #[pallet::call_index(92)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_owner_cut_enabled(origin: OriginFor<T>, netuid: NetUid, enabled: bool) -> DispatchResult {
            Self::by_owner(origin, netuid, OwnerLimit::Free, |_| {
                Self::write::<subtensor::OwnerCutEnabled<T>, _>(netuid, enabled)
            })
        }

        /// Sets the least take of a child hotkey, at most 11,796 of 65,535; this chain has no child keys; root or the owner.
        #[pallet::call_index(93)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_min_childkey_take_per_subnet(
            origin: OriginFor<T>,
            netuid: NetUid,
            take: PerU16,
        ) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::MinChildkeyTake, |_| {
                ensure!(take <= bounds::CHILDKEY_TAKE, Error::<T>::InvalidValue);
                let event = subtensor::Event::MinChildKeyTakePerSubnetSet;
                Self::put::<subtensor::MinChildkeyTakePerSubnet<T>, _>(netuid, take, event)
            })
        }

        /// Sets whether the subnet takes part in the emission; root only.
        #[pallet::call_index(94)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_subnet_emission_enabled(origin: OriginFor<T>, netuid: NetUid, enabled: bool) -> DispatchResult {
            Self::by_root(origin, netuid, || {
                Self::deposit_event(Event::SubnetEmissionEnabledSet { netuid, enabled });
                Self::write::<subtensor::SubnetEmissionEnabled<T>, _>(netuid, enabled)
            })
        }

        /// Sets whether the owner's cut is locked, which this chain never does; root or the owner.
        #[pallet::call_index(95)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_owner_cut_auto_lock_enabled(
            origin: OriginFor<T>,
            netuid: NetUid,
            enabled: bool,
        ) -> DispatchResult {
            Self::by_owner(origin, netuid, OwnerLimit::Free, |_| {
                Self::write::<subtensor::OwnerCutAutoLockEnabled<T>, _>(netuid, enabled)
            })
        }

        /// Sets how many epochs run in one block, at least 1; root only.
        #[pallet::call_index(96)]
        #[pallet::weight(<T as Config>::WeightInfo::global())]
        pub fn sudo_set_max_epochs_per_block(origin: OriginFor<T>, max_epochs_per_block: u8) -> DispatchResult {
            ensure_root(origin)?;
            ensure!(max_epochs_per_block > 0, Error::<T>::ValueNotInBounds);
            let event = subtensor::Event::MaxEpochsPerBlockSet;
            Subtensor::<T>::set_global::<subtensor::MaxEpochsPerBlock<T>, _>(max_epochs_per_block, event);
            Ok(())
        }

        /// Sets the tempos, in thousandths, after which a neuron is inactive, 1,000 ..= 50,000; root or the owner.
        #[pallet::call_index(97)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_activity_cutoff_factor(
            origin: OriginFor<T>,
            netuid: NetUid,
            factor_milli: u32,
        ) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::ActivityCutoffFactorMilli, |_| {
                let fits = bounds::ACTIVITY_FACTOR_MILLI.contains(&factor_milli);
                ensure!(fits, subtensor::Error::<T>::ActivityCutoffFactorMilliOutOfBounds);
                let event =
                    |netuid, factor_milli| subtensor::Event::ActivityCutoffFactorMilliSet { netuid, factor_milli };
                Self::put::<subtensor::ActivityCutoffFactorMilli<T>, _>(netuid, factor_milli, event)
            })
        }

        /// Sets the part of a registration's price that is locked instead of burned, at most 62,258 of 65,535; here all of
        /// it is burned; root or the owner.
        #[pallet::call_index(98)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_collateral_lock_share(origin: OriginFor<T>, netuid: NetUid, lock_share: u16) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::CollateralLockShare, |_| {
                ensure!(lock_share <= bounds::COLLATERAL_LOCK_SHARE, Error::<T>::CollateralLockShareTooHigh);
                Self::deposit_event(Event::CollateralLockShareSet { netuid, lock_share });
                Self::write::<subtensor::CollateralLockShare<T>, _>(netuid, lock_share)
            })
        }

        /// Sets the collateral that is released per alpha earned, above 0 and at most 10; this chain has no collateral; root
        /// or the owner.
        #[pallet::call_index(99)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_collateral_drain_ratio(
            origin: OriginFor<T>,
            netuid: NetUid,
            drain_ratio: FixedU128,
        ) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::CollateralDrainRatio, |_| {
                let fits = bounds::COLLATERAL_DRAIN_RATIO.contains(&drain_ratio.bits);
                ensure!(fits, Error::<T>::CollateralDrainRatioOutOfBounds);
                Self::deposit_event(Event::CollateralDrainRatioSet { netuid, drain_ratio });
                Self::write::<subtensor::CollateralDrainRatio<T>, _>(netuid, drain_ratio)
            })
        }

        /// Sets which consensus liquid alpha compares with; root or the owner.
        #[pallet::call_index(104)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_liquid_alpha_consensus_mode(
            origin: OriginFor<T>,
            netuid: NetUid,
            mode: ConsensusMode,
        ) -> DispatchResult {
            Self::owner_sets::<subtensor::LiquidAlphaConsensusMode<T>, _>(
                origin,
                netuid,
                Hyperparameter::LiquidAlphaConsensusMode,
                mode,
                subtensor::Event::LiquidAlphaConsensusModeSet,
            )
        }

        /// Sets how the subnet comes to its consensus; this chain runs Yuma only; root or the owner.
        #[pallet::call_index(111)]
        #[pallet::weight(<T as Config>::WeightInfo::parameter())]
        pub fn sudo_set_epoch_consensus(origin: OriginFor<T>, netuid: NetUid, mode: EpochConsensus) -> DispatchResult {
            Self::by_owner(origin, netuid, Hyperparameter::EpochConsensus, |_| {
                ensure!(mode == EpochConsensus::Yuma, Error::<T>::InvalidValue);
                Self::write::<subtensor::SubnetEpochConsensus<T>, _>(netuid, mode)
            })
        }
    }
}
