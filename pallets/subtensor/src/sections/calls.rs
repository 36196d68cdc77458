// SPDX-License-Identifier: Apache-2.0

//! Calls, each with the index, argument names and types it has on the public chain.

use frame_support::pallet_macros::pallet_section;

/// Declares the calls. Indices that are missing belong to what this pallet leaves out.
#[pallet_section]
mod calls {
    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Sets the weights of the main mechanism; signed by the hotkey, free of charge.
        ///
        /// The lists are scaled up so that the largest weight is 65,535. Refused while the subnet wants commit and
        /// reveal.
        #[pallet::call_index(0)]
        #[pallet::weight((T::WeightInfo::set_weights(len(dests)), DispatchClass::Normal, Pays::No))]
        pub fn set_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            dests: Vec<u16>,
            weights: Vec<u16>,
            version_key: u64,
        ) -> DispatchResult {
            Self::do_set_plain_weights(origin, netuid, MechId::MAIN, dests, weights, version_key)
        }

        /// Stakes TAO of the signing coldkey to any `hotkey` on `netuid`, one alpha for one TAO.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::add_stake())]
        pub fn add_stake(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            netuid: NetUid,
            amount_staked: TaoBalance,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_add_stake(&coldkey, &hotkey, netuid, amount_staked, None)
        }

        /// Takes stake of the signing coldkey to `hotkey` on `netuid` back, one TAO for one alpha.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::remove_stake())]
        pub fn remove_stake(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            netuid: NetUid,
            amount_unstaked: AlphaBalance,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_remove_stake(&coldkey, &hotkey, netuid, amount_unstaked, None)
        }

        /// Announces where the signing hotkey can be reached; free of charge.
        #[pallet::call_index(4)]
        #[pallet::weight((T::WeightInfo::serve_axon(), DispatchClass::Normal, Pays::No))]
        pub fn serve_axon(
            origin: OriginFor<T>,
            netuid: NetUid,
            version: u32,
            ip: u128,
            port: u16,
            ip_type: u8,
            protocol: u8,
            placeholder1: u8,
            placeholder2: u8,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let block = Self::block();
            let axon = AxonInfo { block, version, ip, port, ip_type, protocol, placeholder1, placeholder2 };
            Self::do_serve_axon(&hotkey, netuid, axon, None)
        }

        /// Announces where the metrics of the signing hotkey can be read; free of charge.
        #[pallet::call_index(5)]
        #[pallet::weight((T::WeightInfo::serve_prometheus(), DispatchClass::Normal, Pays::No))]
        pub fn serve_prometheus(
            origin: OriginFor<T>,
            netuid: NetUid,
            version: u32,
            ip: u128,
            port: u16,
            ip_type: u8,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let block = Self::block();
            Self::do_serve_prometheus(&hotkey, netuid, PrometheusInfo { block, version, ip, port, ip_type })
        }

        /// Registers `hotkey` on `netuid` for the signing coldkey, burning the price of the moment.
        ///
        /// The same as `burned_register`: nothing is proved by work any more, and the other arguments are ignored.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::burned_register(MAX_UIDS))]
        pub fn register(
            origin: OriginFor<T>,
            netuid: NetUid,
            block_number: u64,
            nonce: u64,
            work: Vec<u8>,
            hotkey: T::AccountId,
            coldkey: T::AccountId,
        ) -> DispatchResult {
            let _ = (block_number, nonce, work, coldkey);
            let signer = ensure_signed(origin)?;
            Self::do_burned_register(&signer, netuid, &hotkey)
        }

        /// Registers `hotkey` on `netuid` for the signing coldkey, burning the price of the moment.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::burned_register(MAX_UIDS))]
        pub fn burned_register(origin: OriginFor<T>, netuid: NetUid, hotkey: T::AccountId) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_burned_register(&coldkey, netuid, &hotkey)
        }

        /// Announces where the signing hotkey can be reached, and the key of its axon in TLS; free of charge.
        #[pallet::call_index(40)]
        #[pallet::weight((T::WeightInfo::serve_axon_tls(), DispatchClass::Normal, Pays::No))]
        pub fn serve_axon_tls(
            origin: OriginFor<T>,
            netuid: NetUid,
            version: u32,
            ip: u128,
            port: u16,
            ip_type: u8,
            protocol: u8,
            placeholder1: u8,
            placeholder2: u8,
            certificate: Vec<u8>,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let block = Self::block();
            let axon = AxonInfo { block, version, ip, port, ip_type, protocol, placeholder1, placeholder2 };
            Self::do_serve_axon(&hotkey, netuid, axon, Some(&certificate))
        }

        /// Registers a new subnet, owned by the signing coldkey, with `hotkey` as its first neuron.
        #[pallet::call_index(59)]
        #[pallet::weight(T::WeightInfo::register_network())]
        pub fn register_network(origin: OriginFor<T>, hotkey: T::AccountId) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_register_network(&coldkey, &hotkey, None)
        }

        /// Registers `hotkey` on the root network for the signing coldkey, burning the price of the moment.
        #[pallet::call_index(62)]
        #[pallet::weight(T::WeightInfo::root_register())]
        pub fn root_register(origin: OriginFor<T>, hotkey: T::AccountId) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_root_register(&coldkey, &hotkey)
        }

        /// Lowers what the signing coldkey takes of the dividends of its `hotkey`, of 65,535.
        #[pallet::call_index(65)]
        #[pallet::weight(T::WeightInfo::set_take())]
        pub fn decrease_take(origin: OriginFor<T>, hotkey: T::AccountId, take: PerU16) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_decrease_take(&coldkey, &hotkey, take)
        }

        /// Raises what the signing coldkey takes of the dividends of its `hotkey`, of 65,535; every so often.
        #[pallet::call_index(66)]
        #[pallet::weight(T::WeightInfo::set_take())]
        pub fn increase_take(origin: OriginFor<T>, hotkey: T::AccountId, take: PerU16) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_increase_take(&coldkey, &hotkey, take)
        }

        /// Says what the signing coldkey's subnet is.
        #[pallet::call_index(78)]
        #[pallet::weight(T::WeightInfo::set_subnet_identity())]
        pub fn set_subnet_identity(
            origin: OriginFor<T>,
            netuid: NetUid,
            subnet_name: Vec<u8>,
            github_repo: Vec<u8>,
            subnet_contact: Vec<u8>,
            subnet_url: Vec<u8>,
            discord: Vec<u8>,
            description: Vec<u8>,
            logo_url: Vec<u8>,
            additional: Vec<u8>,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            let identity = SubnetIdentityV3 {
                subnet_name,
                github_repo,
                subnet_contact,
                subnet_url,
                discord,
                description,
                logo_url,
                additional,
            };
            Self::do_set_subnet_identity(&coldkey, netuid, identity)
        }

        /// Registers a new subnet as `register_network` does, and says what it is.
        #[pallet::call_index(79)]
        #[pallet::weight(T::WeightInfo::register_network().saturating_add(T::WeightInfo::set_subnet_identity()))]
        pub fn register_network_with_identity(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            identity: Option<SubnetIdentityV3>,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_register_network(&coldkey, &hotkey, identity)
        }

        /// Sets the weights of the main mechanism on several subnets; signed by the hotkey, free of charge.
        ///
        /// An item that is refused stops no other: the events say which.
        #[pallet::call_index(80)]
        #[pallet::weight((
            sum(weights.iter().map(|row| T::WeightInfo::set_weights(len(row)))),
            DispatchClass::Normal,
            Pays::No
        ))]
        pub fn batch_set_weights(
            origin: OriginFor<T>,
            netuids: Vec<codec::Compact<NetUid>>,
            weights: Vec<Vec<(codec::Compact<u16>, codec::Compact<u16>)>>,
            version_keys: Vec<codec::Compact<u64>>,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            Self::do_batch_set_weights(&hotkey, netuids, weights, version_keys)
        }

        /// Takes all stake of the signing coldkey to `hotkey` back, on the root network and every subnet.
        #[pallet::call_index(83)]
        #[pallet::weight(T::WeightInfo::unstake_all(u32::from(SubnetLimit::<T>::get()).saturating_add(1)))]
        pub fn unstake_all(origin: OriginFor<T>, hotkey: T::AccountId) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_unstake_all(&coldkey, &hotkey)
        }

        /// Stakes as `add_stake` does, unless 1 TAO per alpha is above `limit_price`.
        #[pallet::call_index(88)]
        #[pallet::weight(T::WeightInfo::add_stake())]
        pub fn add_stake_limit(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            netuid: NetUid,
            amount_staked: TaoBalance,
            limit_price: TaoBalance,
            allow_partial: bool,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            let limit = PriceLimit { price: limit_price, allow_partial };
            Self::do_add_stake(&coldkey, &hotkey, netuid, amount_staked, Some(limit))
        }

        /// Takes stake back as `remove_stake` does, unless 1 TAO per alpha is below `limit_price`.
        #[pallet::call_index(89)]
        #[pallet::weight(T::WeightInfo::remove_stake())]
        pub fn remove_stake_limit(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            netuid: NetUid,
            amount_unstaked: AlphaBalance,
            limit_price: TaoBalance,
            allow_partial: bool,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            let limit = PriceLimit { price: limit_price, allow_partial };
            Self::do_remove_stake(&coldkey, &hotkey, netuid, amount_unstaked, Some(limit))
        }

        /// Starts the signing coldkey's subnet: stake and emission flow from the next block.
        #[pallet::call_index(92)]
        #[pallet::weight(T::WeightInfo::start_call())]
        pub fn start_call(origin: OriginFor<T>, netuid: NetUid) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_start_call(&coldkey, netuid)
        }

        /// Commits the hash of weights of the main mechanism; signed by the hotkey, free of charge.
        #[pallet::call_index(96)]
        #[pallet::weight((T::WeightInfo::commit_weights(), DispatchClass::Normal, Pays::No))]
        pub fn commit_weights(origin: OriginFor<T>, netuid: NetUid, commit_hash: H256) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            Self::do_commit_weights(&hotkey, netuid, MechId::MAIN, commit_hash)
        }

        /// Reveals committed weights of the main mechanism; signed by the hotkey, free of charge.
        #[pallet::call_index(97)]
        #[pallet::weight((T::WeightInfo::reveal_weights(len(uids), len(salt)), DispatchClass::Normal, Pays::No))]
        pub fn reveal_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            uids: Vec<u16>,
            values: Vec<u16>,
            salt: Vec<u16>,
            version_key: u64,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            Self::do_reveal_weights(&hotkey, netuid, MechId::MAIN, uids, values, salt, version_key)
        }

        /// Reveals several commits of the main mechanism, all or none; signed by the hotkey, free of charge.
        #[pallet::call_index(98)]
        #[pallet::weight((
            sum(uids_list.iter().zip(salts_list).map(|(uids, salt)| T::WeightInfo::reveal_weights(len(uids), len(salt)))),
            DispatchClass::Normal,
            Pays::No
        ))]
        pub fn batch_reveal_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            uids_list: Vec<Vec<u16>>,
            values_list: Vec<Vec<u16>>,
            salts_list: Vec<Vec<u16>>,
            version_keys: Vec<u64>,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let reveals = Reveals { uids: uids_list, values: values_list, salts: salts_list, version_keys };
            Self::do_batch_reveal_weights(&hotkey, netuid, reveals)
        }

        /// Commits hashes of weights of the main mechanism on several subnets; signed by the hotkey, free of charge.
        ///
        /// An item that is refused stops no other: the events say which.
        #[pallet::call_index(100)]
        #[pallet::weight((
            T::WeightInfo::commit_weights().saturating_mul(len(commit_hashes).into()),
            DispatchClass::Normal,
            Pays::No
        ))]
        pub fn batch_commit_weights(
            origin: OriginFor<T>,
            netuids: Vec<codec::Compact<NetUid>>,
            commit_hashes: Vec<H256>,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            Self::do_batch_commit_weights(&hotkey, netuids, commit_hashes)
        }

        /// Commits weights of the main mechanism that open by themselves once the beacon publishes `reveal_round`; signed by
        /// the hotkey, free of charge.
        #[pallet::call_index(113)]
        #[pallet::weight((
            T::WeightInfo::commit_timelocked_weights(MAX_QUEUE_KIB),
            DispatchClass::Normal,
            Pays::No
        ))]
        pub fn commit_timelocked_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            commit: BoundedVec<u8, ConstU32<MAX_COMMIT_ARGUMENT_BYTES>>,
            reveal_round: u64,
            commit_reveal_version: CommitRevealVersion,
        ) -> DispatchResultWithPostInfo {
            let hotkey = ensure_signed(origin)?;
            let (mecid, version) = (MechId::MAIN, commit_reveal_version);
            let new = NewTimelocked { netuid, mecid, commit: &commit, reveal_round, version };
            Self::do_commit_timelocked(&hotkey, &new)
        }

        /// Commits the hash of weights of one mechanism; signed by the hotkey, free of charge.
        #[pallet::call_index(115)]
        #[pallet::weight((T::WeightInfo::commit_weights(), DispatchClass::Normal, Pays::No))]
        pub fn commit_mechanism_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            mecid: MechId,
            commit_hash: H256,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            Self::do_commit_weights(&hotkey, netuid, mecid, commit_hash)
        }

        /// Reveals committed weights of one mechanism; signed by the hotkey, free of charge.
        #[pallet::call_index(116)]
        #[pallet::weight((T::WeightInfo::reveal_weights(len(uids), len(salt)), DispatchClass::Normal, Pays::No))]
        pub fn reveal_mechanism_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            mecid: MechId,
            uids: Vec<u16>,
            values: Vec<u16>,
            salt: Vec<u16>,
            version_key: u64,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            Self::do_reveal_weights(&hotkey, netuid, mecid, uids, values, salt, version_key)
        }

        /// Commits weights of one mechanism as `commit_timelocked_mechanism_weights` does, in version 4.
        #[pallet::call_index(117)]
        #[pallet::weight((
            T::WeightInfo::commit_timelocked_weights(MAX_QUEUE_KIB),
            DispatchClass::Normal,
            Pays::No
        ))]
        pub fn commit_crv3_mechanism_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            mecid: MechId,
            commit: BoundedVec<u8, ConstU32<MAX_COMMIT_ARGUMENT_BYTES>>,
            reveal_round: u64,
        ) -> DispatchResultWithPostInfo {
            let hotkey = ensure_signed(origin)?;
            let version = COMMIT_REVEAL_VERSION;
            let new = NewTimelocked { netuid, mecid, commit: &commit, reveal_round, version };
            Self::do_commit_timelocked(&hotkey, &new)
        }

        /// Commits weights of one mechanism that open by themselves once the beacon publishes `reveal_round`; signed by the
        /// hotkey, free of charge.
        #[pallet::call_index(118)]
        #[pallet::weight((
            T::WeightInfo::commit_timelocked_weights(MAX_QUEUE_KIB),
            DispatchClass::Normal,
            Pays::No
        ))]
        pub fn commit_timelocked_mechanism_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            mecid: MechId,
            commit: BoundedVec<u8, ConstU32<MAX_COMMIT_ARGUMENT_BYTES>>,
            reveal_round: u64,
            commit_reveal_version: CommitRevealVersion,
        ) -> DispatchResultWithPostInfo {
            let hotkey = ensure_signed(origin)?;
            let new = NewTimelocked { netuid, mecid, commit: &commit, reveal_round, version: commit_reveal_version };
            Self::do_commit_timelocked(&hotkey, &new)
        }

        /// Sets the weights of one mechanism; signed by the hotkey, free of charge.
        #[pallet::call_index(119)]
        #[pallet::weight((T::WeightInfo::set_weights(len(dests)), DispatchClass::Normal, Pays::No))]
        pub fn set_mechanism_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            mecid: MechId,
            dests: Vec<u16>,
            weights: Vec<u16>,
            version_key: u64,
        ) -> DispatchResult {
            Self::do_set_plain_weights(origin, netuid, mecid, dests, weights, version_key)
        }

        /// Registers `hotkey` on `netuid` as `burned_register` does, unless the price of the moment, in rao, is above the
        /// limit.
        #[pallet::call_index(134)]
        #[pallet::weight(T::WeightInfo::burned_register(MAX_UIDS))]
        pub fn register_limit(
            origin: OriginFor<T>,
            netuid: NetUid,
            hotkey: T::AccountId,
            limit_price: u64,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_register_limit(&coldkey, netuid, &hotkey, limit_price)
        }

        /// Changes the tempo of the signing coldkey's subnet; the running epoch begins anew. Not shortly before an epoch.
        #[pallet::call_index(139)]
        #[pallet::weight(T::WeightInfo::set_tempo())]
        pub fn set_tempo(origin: OriginFor<T>, netuid: NetUid, tempo: u16) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::ensure_owner(&coldkey, netuid)?;
            Self::ensure_tempo(tempo)?;
            Self::ensure_admin_window_open(netuid)?;
            Self::do_set_tempo(netuid, tempo)
        }

        /// Sets after how many thousandths of a tempo a neuron without an update is inactive; signed by the owner of the
        /// subnet, or root.
        #[pallet::call_index(140)]
        #[pallet::weight(T::WeightInfo::set_tempo())]
        pub fn set_activity_cutoff_factor(origin: OriginFor<T>, netuid: NetUid, factor_milli: u32) -> DispatchResult {
            Self::do_set_activity_cutoff_factor(origin, netuid, factor_milli)
        }

        /// Brings the next epoch of the signing coldkey's subnet forward; only where weights are plain.
        #[pallet::call_index(141)]
        #[pallet::weight(T::WeightInfo::trigger_epoch())]
        pub fn trigger_epoch(origin: OriginFor<T>, netuid: NetUid) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_trigger_epoch(&coldkey, netuid)
        }
    }
}
