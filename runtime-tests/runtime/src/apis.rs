// SPDX-License-Identifier: Apache-2.0
//! The runtime APIs: what a node or a client may ask the runtime.

use crate::{
    AccountId, Balance, Block, Commitments, Executive, Grandpa, InherentDataExt, Nonce, Runtime, RuntimeCall,
    RuntimeGenesisConfig, SessionKeys, SubtensorModule, System, TransactionPayment, VERSION,
    block_time::SlotDurationMs, genesis,
};
use alloc::vec::Vec;
use codec::Compact;
use frame_support::{
    genesis_builder_helper::{build_state, get_preset},
    traits::Get,
    view_functions::{ViewFunctionDispatchError, ViewFunctionId},
    weights::Weight,
};
use pallet_grandpa::AuthorityId as GrandpaId;
use pallet_subtensor::{
    AlphaBalance, FixedOne, FixedU128, MechId, NetUid, TaoBalance,
    rpc_info::{
        basket::{BasketPosition, BasketSummary, BasketTradingStatus, BetaPosition, BetaPricing, BetaPricingPage},
        delegate_info::DelegateInfo,
        dynamic_info::DynamicInfo,
        hyperparameters::{HyperparamEntry, SubnetHyperparams, SubnetHyperparamsV2},
        metagraph::Metagraph,
        neuron_info::{NeuronInfo, NeuronInfoLite},
        proxy::{ProxyFilterInfo, ProxyTypeInfo},
        selective_metagraph::SelectiveMetagraph,
        show_subnet::SubnetState,
        stake_info::{Availability, LockState, StakeInfo},
        subnet_info::{SubnetInfo, SubnetInfov2},
        swap::{SimSwapResult, SubnetPrice},
    },
};
use sp_api::impl_runtime_apis;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_core::{OpaqueMetadata, crypto::KeyTypeId};
use sp_runtime::{
    ApplyExtrinsicResult, ExtrinsicInclusionMode,
    traits::{Block as BlockT, NumberFor},
    transaction_validity::{TransactionSource, TransactionValidity},
};
use sp_session::OpaqueGeneratedSessionKeys;
use sp_version::RuntimeVersion;

impl_runtime_apis! {
    impl sp_api::Core<Block> for Runtime {
        fn version() -> RuntimeVersion {
            VERSION
        }

        fn execute_block(block: <Block as BlockT>::LazyBlock) {
            Executive::execute_block(block);
        }

        fn initialize_block(header: &<Block as BlockT>::Header) -> ExtrinsicInclusionMode {
            Executive::initialize_block(header)
        }
    }

    impl sp_api::Metadata<Block> for Runtime {
        fn metadata() -> OpaqueMetadata {
            OpaqueMetadata::new(Runtime::metadata().into())
        }

        fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
            Runtime::metadata_at_version(version)
        }

        fn metadata_versions() -> Vec<u32> {
            Runtime::metadata_versions()
        }
    }

    impl frame_support::view_functions::runtime_api::RuntimeViewFunction<Block> for Runtime {
        fn execute_view_function(id: ViewFunctionId, input: Vec<u8>) -> Result<Vec<u8>, ViewFunctionDispatchError> {
            Runtime::execute_view_function(id, input)
        }
    }

    impl sp_block_builder::BlockBuilder<Block> for Runtime {
        fn apply_extrinsic(extrinsic: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
            Executive::apply_extrinsic(extrinsic)
        }

        fn finalize_block() -> <Block as BlockT>::Header {
            Executive::finalize_block()
        }

        fn inherent_extrinsics(data: sp_inherents::InherentData) -> Vec<<Block as BlockT>::Extrinsic> {
            data.create_extrinsics()
        }

        fn check_inherents(
            block: <Block as BlockT>::LazyBlock,
            data: sp_inherents::InherentData,
        ) -> sp_inherents::CheckInherentsResult {
            data.check_extrinsics(&block)
        }
    }

    impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
        fn validate_transaction(
            source: TransactionSource,
            tx: <Block as BlockT>::Extrinsic,
            block_hash: <Block as BlockT>::Hash,
        ) -> TransactionValidity {
            Executive::validate_transaction(source, tx, block_hash)
        }
    }

    impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
        fn offchain_worker(header: &<Block as BlockT>::Header) {
            Executive::offchain_worker(header)
        }
    }

    impl sp_consensus_aura::AuraApi<Block, AuraId> for Runtime {
        fn slot_duration() -> sp_consensus_aura::SlotDuration {
            sp_consensus_aura::SlotDuration::from_millis(SlotDurationMs::get())
        }

        fn authorities() -> Vec<AuraId> {
            pallet_aura::Authorities::<Runtime>::get().into_inner()
        }
    }

    impl sp_session::SessionKeys<Block> for Runtime {
        fn generate_session_keys(owner: Vec<u8>, seed: Option<Vec<u8>>) -> OpaqueGeneratedSessionKeys {
            SessionKeys::generate(&owner, seed).into()
        }

        fn decode_session_keys(encoded: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
            SessionKeys::decode_into_raw_public_keys(&encoded)
        }
    }

    impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
        fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList {
            Grandpa::grandpa_authorities()
        }

        fn current_set_id() -> sp_consensus_grandpa::SetId {
            pallet_grandpa::CurrentSetId::<Runtime>::get()
        }

        fn submit_report_equivocation_unsigned_extrinsic(
            _: sp_consensus_grandpa::EquivocationProof<<Block as BlockT>::Hash, NumberFor<Block>>,
            _: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
        ) -> Option<()> {
            // A chain without staked authorities has nothing to slash.
            None
        }

        fn generate_key_ownership_proof(
            _: sp_consensus_grandpa::SetId,
            _: GrandpaId,
        ) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
            None
        }
    }

    impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
        fn account_nonce(account: AccountId) -> Nonce {
            System::account_nonce(account)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance> for Runtime {
        fn query_info(
            uxt: <Block as BlockT>::Extrinsic,
            len: u32,
        ) -> pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo<Balance> {
            TransactionPayment::query_info(uxt, len)
        }

        fn query_fee_details(
            uxt: <Block as BlockT>::Extrinsic,
            len: u32,
        ) -> pallet_transaction_payment::FeeDetails<Balance> {
            TransactionPayment::query_fee_details(uxt, len)
        }

        fn query_weight_to_fee(weight: Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<Block, Balance, RuntimeCall> for Runtime {
        fn query_call_info(
            call: RuntimeCall,
            len: u32,
        ) -> pallet_transaction_payment::RuntimeDispatchInfo<Balance> {
            TransactionPayment::query_call_info(call, len)
        }

        fn query_call_fee_details(call: RuntimeCall, len: u32) -> pallet_transaction_payment::FeeDetails<Balance> {
            TransactionPayment::query_call_fee_details(call, len)
        }

        fn query_weight_to_fee(weight: Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl subtensor_runtime_api::DelegateInfoRuntimeApi<Block, AccountId> for Runtime {
        fn get_delegates() -> Vec<DelegateInfo<AccountId>> {
            SubtensorModule::get_delegates()
        }

        fn get_delegate(delegate_account: AccountId) -> Option<DelegateInfo<AccountId>> {
            SubtensorModule::get_delegate(&delegate_account)
        }

        fn get_delegated(
            delegatee_account: AccountId,
        ) -> Vec<(DelegateInfo<AccountId>, (Compact<NetUid>, Compact<AlphaBalance>))> {
            SubtensorModule::get_delegated(&delegatee_account)
        }
    }

    impl subtensor_runtime_api::NeuronInfoRuntimeApi<Block, AccountId> for Runtime {
        fn get_neurons(netuid: NetUid) -> Vec<NeuronInfo<AccountId>> {
            SubtensorModule::get_neurons(netuid)
        }

        fn get_neuron(netuid: NetUid, uid: u16) -> Option<NeuronInfo<AccountId>> {
            SubtensorModule::get_neuron(netuid, uid)
        }

        fn get_neurons_lite(netuid: NetUid) -> Vec<NeuronInfoLite<AccountId>> {
            SubtensorModule::get_neurons_lite(netuid)
        }

        fn get_neuron_lite(netuid: NetUid, uid: u16) -> Option<NeuronInfoLite<AccountId>> {
            SubtensorModule::get_neuron_lite(netuid, uid)
        }
    }

    impl subtensor_runtime_api::SubnetInfoRuntimeApi<Block, AccountId> for Runtime {
        fn get_subnet_info(netuid: NetUid) -> Option<SubnetInfo<AccountId>> {
            SubtensorModule::get_subnet_info(netuid)
        }

        fn get_subnets_info() -> Vec<Option<SubnetInfo<AccountId>>> {
            SubtensorModule::get_subnets_info()
        }

        fn get_subnet_info_v2(netuid: NetUid) -> Option<SubnetInfov2<AccountId>> {
            SubtensorModule::get_subnet_info_v2(netuid)
        }

        fn get_subnets_info_v2() -> Vec<Option<SubnetInfov2<AccountId>>> {
            SubtensorModule::get_subnets_info_v2()
        }

        fn get_subnet_hyperparams(netuid: NetUid) -> Option<SubnetHyperparams> {
            SubtensorModule::get_subnet_hyperparams(netuid)
        }

        fn get_subnet_hyperparams_v2(netuid: NetUid) -> Option<SubnetHyperparamsV2> {
            SubtensorModule::get_subnet_hyperparams_v2(netuid)
        }

        fn get_all_dynamic_info() -> Vec<Option<DynamicInfo<AccountId>>> {
            SubtensorModule::get_all_dynamic_info()
        }

        fn get_all_metagraphs() -> Vec<Option<Metagraph<AccountId>>> {
            SubtensorModule::get_all_metagraphs()
        }

        fn get_metagraph(netuid: NetUid) -> Option<Metagraph<AccountId>> {
            SubtensorModule::get_metagraph(netuid)
        }

        fn get_all_mechagraphs() -> Vec<Option<Metagraph<AccountId>>> {
            SubtensorModule::get_all_mechagraphs()
        }

        fn get_mechagraph(netuid: NetUid, mecid: MechId) -> Option<Metagraph<AccountId>> {
            SubtensorModule::get_mechagraph(netuid, mecid)
        }

        fn get_dynamic_info(netuid: NetUid) -> Option<DynamicInfo<AccountId>> {
            SubtensorModule::get_dynamic_info(netuid)
        }

        fn get_subnet_state(netuid: NetUid) -> Option<SubnetState<AccountId>> {
            SubtensorModule::get_subnet_state(netuid)
        }

        fn get_selective_metagraph(
            netuid: NetUid,
            metagraph_indexes: Vec<u16>,
        ) -> Option<SelectiveMetagraph<AccountId>> {
            let commitments = || Commitments::get_commitments(netuid);
            SubtensorModule::get_selective_metagraph(netuid, &metagraph_indexes, commitments)
        }

        fn get_coldkey_auto_stake_hotkey(coldkey: AccountId, netuid: NetUid) -> Option<AccountId> {
            SubtensorModule::get_coldkey_auto_stake_hotkey(&coldkey, netuid)
        }

        fn get_selective_mechagraph(
            netuid: NetUid,
            subid: MechId,
            metagraph_indexes: Vec<u16>,
        ) -> Option<SelectiveMetagraph<AccountId>> {
            let commitments = || Commitments::get_commitments(netuid);
            SubtensorModule::get_selective_mechagraph(netuid, subid, &metagraph_indexes, commitments)
        }

        fn get_subnet_to_prune() -> Option<NetUid> {
            SubtensorModule::get_subnet_to_prune()
        }

        fn get_subnet_account_id(netuid: NetUid) -> Option<AccountId> {
            SubtensorModule::get_subnet_account_id(netuid)
        }

        fn get_next_epoch_start_block(netuid: NetUid) -> Option<u64> {
            SubtensorModule::next_epoch_start_block(netuid)
        }

        fn get_block_emission() -> TaoBalance {
            TaoBalance(pallet_subtensor::BlockEmission::<Runtime>::get())
        }

        fn get_subnet_hyperparams_v3(netuid: NetUid) -> Option<Vec<HyperparamEntry>> {
            SubtensorModule::get_subnet_hyperparams_v3(netuid)
        }
    }

    impl subtensor_runtime_api::StakeInfoRuntimeApi<Block, AccountId> for Runtime {
        fn get_stake_info_for_coldkey(coldkey_account: AccountId) -> Vec<StakeInfo<AccountId>> {
            SubtensorModule::get_stake_info_for_coldkey(&coldkey_account)
        }

        fn get_stake_info_for_coldkeys(
            coldkey_accounts: Vec<AccountId>,
        ) -> Vec<(AccountId, Vec<StakeInfo<AccountId>>)> {
            SubtensorModule::get_stake_info_for_coldkeys(coldkey_accounts)
        }

        fn get_stake_info_for_hotkey_coldkey_netuid(
            hotkey_account: AccountId,
            coldkey_account: AccountId,
            netuid: NetUid,
        ) -> Option<StakeInfo<AccountId>> {
            SubtensorModule::get_stake_info_for_hotkey_coldkey_netuid(&hotkey_account, &coldkey_account, netuid)
        }

        fn get_stake_availability_for_coldkeys(
            coldkey_accounts: Vec<AccountId>,
            netuids: Option<Vec<NetUid>>,
        ) -> Availability<AccountId> {
            SubtensorModule::get_stake_availability_for_coldkeys(coldkey_accounts, netuids)
        }

        fn get_stake_fee(
            _: Option<(AccountId, NetUid)>,
            _: AccountId,
            _: Option<(AccountId, NetUid)>,
            _: AccountId,
            _: u64,
        ) -> u64 {
            // Stake moves one to one, without a pool that would take a part.
            0
        }

        fn get_coldkey_lock(_: AccountId, _: NetUid) -> Option<LockState> {
            None
        }

        fn get_hotkey_conviction(_: AccountId, _: NetUid) -> FixedU128 {
            FixedU128::default()
        }

        fn get_most_convicted_hotkey_on_subnet(_: NetUid) -> Option<AccountId> {
            None
        }
    }

    impl subtensor_runtime_api::SubnetRegistrationRuntimeApi<Block> for Runtime {
        fn get_network_registration_cost() -> TaoBalance {
            SubtensorModule::network_lock_cost()
        }
    }

    // There are no baskets on this chain: nobody holds a part of one, and a basket of nothing is worth nothing.
    impl subtensor_runtime_api::BetaBasketRuntimeApi<Block, AccountId> for Runtime {
        fn get_root_basket_owed(_: AccountId) -> TaoBalance {
            TaoBalance(0)
        }

        fn get_basket_payout(_: AccountId, _: AccountId) -> TaoBalance {
            TaoBalance(0)
        }

        fn get_validator_basket_nav(_: AccountId) -> TaoBalance {
            TaoBalance(0)
        }

        fn get_validator_basket(_: AccountId) -> Vec<(NetUid, AlphaBalance, TaoBalance)> {
            Vec::new()
        }

        fn get_root_basket_total_nav() -> TaoBalance {
            TaoBalance(0)
        }

        fn get_validator_basket_summary(hotkey: AccountId) -> BasketSummary<AccountId> {
            BasketSummary::empty(hotkey)
        }

        fn get_all_validator_baskets() -> Vec<BasketSummary<AccountId>> {
            Vec::new()
        }

        fn get_root_basket_positions(_: AccountId) -> Vec<(AccountId, u64, TaoBalance)> {
            Vec::new()
        }

        fn get_basket_position(_: AccountId, _: AccountId) -> Option<BasketPosition<AccountId>> {
            None
        }

        fn get_root_basket_portfolio(_: AccountId) -> Vec<BasketPosition<AccountId>> {
            Vec::new()
        }

        fn get_beta_pricing(_: AccountId) -> Option<BetaPricing<AccountId>> {
            None
        }

        fn get_all_beta_pricing(_: Option<AccountId>, _: u32) -> BetaPricingPage<AccountId> {
            BetaPricingPage { pricing: Vec::new(), next: None }
        }

        fn get_beta_index() -> (FixedU128, FixedU128) {
            (FixedOne::get(), FixedOne::get())
        }

        fn get_beta_position(_: AccountId, _: AccountId) -> Option<BetaPosition<AccountId>> {
            None
        }

        fn get_beta_portfolio(_: AccountId) -> Vec<BetaPosition<AccountId>> {
            Vec::new()
        }

        fn get_basket_trading_status(_: AccountId) -> BasketTradingStatus {
            BasketTradingStatus::default()
        }
    }

    // There are no proxies on this chain, and so no types of them.
    impl subtensor_runtime_api::ProxyFilterRuntimeApi<Block> for Runtime {
        fn get_proxy_types() -> Vec<ProxyTypeInfo> {
            Vec::new()
        }

        fn get_proxy_filters(_: Option<Vec<u8>>) -> Vec<ProxyFilterInfo> {
            Vec::new()
        }
    }

    impl subtensor_runtime_api::SwapRuntimeApi<Block> for Runtime {
        fn current_alpha_price(netuid: NetUid) -> u64 {
            SubtensorModule::current_alpha_price(netuid)
        }

        fn current_alpha_price_all() -> Vec<SubnetPrice> {
            SubtensorModule::current_alpha_price_all()
        }

        fn sim_swap_tao_for_alpha(_: NetUid, tao: TaoBalance) -> SimSwapResult {
            SubtensorModule::sim_swap(tao.0)
        }

        fn sim_swap_alpha_for_tao(_: NetUid, alpha: AlphaBalance) -> SimSwapResult {
            SubtensorModule::sim_swap(alpha.0)
        }
    }

    impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
        fn build_state(config: Vec<u8>) -> sp_genesis_builder::Result {
            build_state::<RuntimeGenesisConfig>(config)
        }

        fn get_preset(id: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
            get_preset::<RuntimeGenesisConfig>(id, genesis::preset)
        }

        fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
            genesis::preset_names()
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    impl frame_benchmarking::Benchmark<Block> for Runtime {
        fn benchmark_metadata(
            extra: bool,
        ) -> (Vec<frame_benchmarking::BenchmarkList>, Vec<frame_support::traits::StorageInfo>) {
            use frame_benchmarking::BenchmarkList;
            use frame_support::traits::StorageInfoTrait;
            let mut list = Vec::<BenchmarkList>::new();
            list_benchmarks!(list, extra);
            (list, crate::AllPalletsWithSystem::storage_info())
        }

        fn dispatch_benchmark(
            config: frame_benchmarking::BenchmarkConfig,
        ) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
            use frame_benchmarking::BenchmarkBatch;
            use frame_support::traits::WhitelistedStorageKeys;
            let whitelist = crate::AllPalletsWithSystem::whitelisted_storage_keys();
            let mut batches = Vec::<BenchmarkBatch>::new();
            let params = (&config, &whitelist);
            add_benchmarks!(params, batches);
            Ok(batches)
        }
    }

    #[cfg(feature = "try-runtime")]
    impl frame_try_runtime::TryRuntime<Block> for Runtime {
        #[allow(clippy::expect_used, reason = "proven where it is")]
        fn on_runtime_upgrade(checks: frame_try_runtime::UpgradeCheckSelect) -> (Weight, Weight) {
            let weight = Executive::try_runtime_upgrade(checks).expect("a try-runtime build reports by panic; qed");
            (weight, crate::MAX_BLOCK_WEIGHT)
        }

        #[allow(clippy::expect_used, reason = "proven where it is")]
        fn execute_block(
            block: <Block as BlockT>::LazyBlock,
            state_root_check: bool,
            signature_check: bool,
            select: frame_try_runtime::TryStateSelect,
        ) -> Weight {
            Executive::try_execute_block(block, state_root_check, signature_check, select)
                .expect("a try-runtime build reports by panic; qed")
        }
    }
}
