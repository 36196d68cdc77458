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

        /// Stakes TAO of the signing coldkey to its `hotkey` on `netuid`, one alpha for one TAO.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::add_stake())]
        pub fn add_stake(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            netuid: NetUid,
            amount_staked: TaoBalance,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_add_stake(&coldkey, &hotkey, netuid, amount_staked)
        }

        /// Takes stake of the signing coldkey's `hotkey` on `netuid` back, one TAO for one alpha.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::remove_stake())]
        pub fn remove_stake(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            netuid: NetUid,
            amount_unstaked: AlphaBalance,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_remove_stake(&coldkey, &hotkey, netuid, amount_unstaked)
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
            Self::do_serve_axon(&hotkey, netuid, axon)
        }

        /// Registers `hotkey` on `netuid` for the signing coldkey, burning the price of the moment.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::burned_register(MAX_UIDS))]
        pub fn burned_register(origin: OriginFor<T>, netuid: NetUid, hotkey: T::AccountId) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_burned_register(&coldkey, netuid, &hotkey)
        }

        /// Registers a new subnet, owned by the signing coldkey, with `hotkey` as its first neuron.
        #[pallet::call_index(59)]
        #[pallet::weight(T::WeightInfo::register_network())]
        pub fn register_network(origin: OriginFor<T>, hotkey: T::AccountId) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_register_network(&coldkey, &hotkey)
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

        /// Changes the tempo of the signing coldkey's subnet; the running epoch begins anew.
        #[pallet::call_index(139)]
        #[pallet::weight(T::WeightInfo::set_tempo())]
        pub fn set_tempo(origin: OriginFor<T>, netuid: NetUid, tempo: u16) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::ensure_owner(&coldkey, netuid)?;
            Self::do_set_tempo(netuid, tempo)
        }
    }
}
