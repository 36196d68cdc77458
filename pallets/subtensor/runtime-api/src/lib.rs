// SPDX-License-Identifier: Apache-2.0

//! The runtime APIs of Bittensor's chain: every name, argument and type as its SDK, `btcli` and other clients know them.
//!
//! `pallet-subtensor` has the types and the answers; a test of the runtime compares each signature with the public
//! chain's metadata.
#![cfg_attr(not(feature = "std"), no_std)]
#![allow(missing_docs, reason = "the macro generates items that cannot be documented here")]
#![allow(
    clippy::too_many_arguments,
    clippy::multiple_bound_locations,
    clippy::type_complexity,
    reason = "in what the macro generates"
)]

extern crate alloc;

use alloc::vec::Vec;
use codec::{Codec, Compact};
use pallet_subtensor::{
    AlphaBalance, FixedU128, MechId, NetUid, TaoBalance,
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

sp_api::decl_runtime_apis! {
    /// Hotkeys that have stake or a permit.
    pub trait DelegateInfoRuntimeApi<AccountId: Codec> {
        /// All of them.
        fn get_delegates() -> Vec<DelegateInfo<AccountId>>;
        /// One of them.
        fn get_delegate(delegate_account: AccountId) -> Option<DelegateInfo<AccountId>>;
        /// Those to which a coldkey has staked, once per subnet.
        fn get_delegated(
            delegatee_account: AccountId,
        ) -> Vec<(DelegateInfo<AccountId>, (Compact<NetUid>, Compact<AlphaBalance>))>;
    }

    /// Neurons of a subnet.
    pub trait NeuronInfoRuntimeApi<AccountId: Codec> {
        /// All, with weights and bonds.
        fn get_neurons(netuid: NetUid) -> Vec<NeuronInfo<AccountId>>;
        /// One, with weights and bonds.
        fn get_neuron(netuid: NetUid, uid: u16) -> Option<NeuronInfo<AccountId>>;
        /// All.
        fn get_neurons_lite(netuid: NetUid) -> Vec<NeuronInfoLite<AccountId>>;
        /// One.
        fn get_neuron_lite(netuid: NetUid, uid: u16) -> Option<NeuronInfoLite<AccountId>>;
    }

    /// Subnets.
    pub trait SubnetInfoRuntimeApi<AccountId: Codec> {
        /// Summary of one.
        fn get_subnet_info(netuid: NetUid) -> Option<SubnetInfo<AccountId>>;
        /// Summary of each, by netuid.
        fn get_subnets_info() -> Vec<Option<SubnetInfo<AccountId>>>;
        /// Summary of one, with its identity.
        fn get_subnet_info_v2(netuid: NetUid) -> Option<SubnetInfov2<AccountId>>;
        /// Summary of each, with their identities.
        fn get_subnets_info_v2() -> Vec<Option<SubnetInfov2<AccountId>>>;
        /// Hyperparameters, in their first form.
        fn get_subnet_hyperparams(netuid: NetUid) -> Option<SubnetHyperparams>;
        /// Hyperparameters, in their second form.
        fn get_subnet_hyperparams_v2(netuid: NetUid) -> Option<SubnetHyperparamsV2>;
        /// The token of each.
        fn get_all_dynamic_info() -> Vec<Option<DynamicInfo<AccountId>>>;
        /// Each with its neurons.
        fn get_all_metagraphs() -> Vec<Option<Metagraph<AccountId>>>;
        /// One with its neurons.
        fn get_metagraph(netuid: NetUid) -> Option<Metagraph<AccountId>>;
        /// Each mechanism with its neurons.
        fn get_all_mechagraphs() -> Vec<Option<Metagraph<AccountId>>>;
        /// One mechanism with its neurons.
        fn get_mechagraph(netuid: NetUid, mecid: MechId) -> Option<Metagraph<AccountId>>;
        /// The token of one.
        fn get_dynamic_info(netuid: NetUid) -> Option<DynamicInfo<AccountId>>;
        /// The neurons of one.
        fn get_subnet_state(netuid: NetUid) -> Option<SubnetState<AccountId>>;
        /// The parts of one that are asked for by number.
        fn get_selective_metagraph(netuid: NetUid, metagraph_indexes: Vec<u16>)
            -> Option<SelectiveMetagraph<AccountId>>;
        /// Where a coldkey's incentive is staked instead.
        fn get_coldkey_auto_stake_hotkey(coldkey: AccountId, netuid: NetUid) -> Option<AccountId>;
        /// The parts of a mechanism that are asked for by number.
        fn get_selective_mechagraph(netuid: NetUid, subid: MechId, metagraph_indexes: Vec<u16>)
            -> Option<SelectiveMetagraph<AccountId>>;
        /// The subnet that has to go for the next one.
        fn get_subnet_to_prune() -> Option<NetUid>;
        /// The account that holds a subnet's TAO.
        fn get_subnet_account_id(netuid: NetUid) -> Option<AccountId>;
        /// Block of the next epoch.
        fn get_next_epoch_start_block(netuid: NetUid) -> Option<u64>;
        /// TAO issued per block.
        fn get_block_emission() -> TaoBalance;
        /// Hyperparameters by name.
        fn get_subnet_hyperparams_v3(netuid: NetUid) -> Option<Vec<HyperparamEntry>>;
    }

    /// Stake.
    pub trait StakeInfoRuntimeApi<AccountId: Codec + Ord> {
        /// All stake of a coldkey.
        fn get_stake_info_for_coldkey(coldkey_account: AccountId) -> Vec<StakeInfo<AccountId>>;
        /// All stake of several coldkeys.
        fn get_stake_info_for_coldkeys(coldkey_accounts: Vec<AccountId>) -> Vec<(AccountId, Vec<StakeInfo<AccountId>>)>;
        /// Stake of a coldkey to a hotkey on a subnet.
        fn get_stake_info_for_hotkey_coldkey_netuid(
            hotkey_account: AccountId,
            coldkey_account: AccountId,
            netuid: NetUid,
        ) -> Option<StakeInfo<AccountId>>;
        /// Stake that may be taken back.
        fn get_stake_availability_for_coldkeys(
            coldkey_accounts: Vec<AccountId>,
            netuids: Option<Vec<NetUid>>,
        ) -> Availability<AccountId>;
        /// Fee of moving stake, in rao.
        fn get_stake_fee(
            origin: Option<(AccountId, NetUid)>,
            origin_coldkey_account: AccountId,
            destination: Option<(AccountId, NetUid)>,
            destination_coldkey_account: AccountId,
            amount: u64,
        ) -> u64;
        /// Stake that a coldkey has locked.
        fn get_coldkey_lock(coldkey: AccountId, netuid: NetUid) -> Option<LockState>;
        /// Voice of a hotkey by locked stake.
        fn get_hotkey_conviction(hotkey: AccountId, netuid: NetUid) -> FixedU128;
        /// The hotkey with the most of it.
        fn get_most_convicted_hotkey_on_subnet(netuid: NetUid) -> Option<AccountId>;
    }

    /// Registration of subnets.
    pub trait SubnetRegistrationRuntimeApi {
        /// Price of the next one, in rao.
        fn get_network_registration_cost() -> TaoBalance;
    }

    /// Baskets of root stake.
    pub trait BetaBasketRuntimeApi<AccountId: Codec> {
        /// TAO that a coldkey could redeem.
        fn get_root_basket_owed(coldkey: AccountId) -> TaoBalance;
        /// TAO that a coldkey could redeem from one validator.
        fn get_basket_payout(hotkey: AccountId, coldkey: AccountId) -> TaoBalance;
        /// Worth of a validator's basket.
        fn get_validator_basket_nav(hotkey: AccountId) -> TaoBalance;
        /// What is in a validator's basket.
        fn get_validator_basket(hotkey: AccountId) -> Vec<(NetUid, AlphaBalance, TaoBalance)>;
        /// Worth of all baskets.
        fn get_root_basket_total_nav() -> TaoBalance;
        /// A validator's basket.
        fn get_validator_basket_summary(hotkey: AccountId) -> BasketSummary<AccountId>;
        /// Every basket.
        fn get_all_validator_baskets() -> Vec<BasketSummary<AccountId>>;
        /// A coldkey's parts: validator, part, worth.
        fn get_root_basket_positions(coldkey: AccountId) -> Vec<(AccountId, u64, TaoBalance)>;
        /// A coldkey's part of one basket.
        fn get_basket_position(hotkey: AccountId, coldkey: AccountId) -> Option<BasketPosition<AccountId>>;
        /// A coldkey's parts.
        fn get_root_basket_portfolio(coldkey: AccountId) -> Vec<BasketPosition<AccountId>>;
        /// Price of one basket.
        fn get_beta_pricing(hotkey: AccountId) -> Option<BetaPricing<AccountId>>;
        /// Price of every basket, page by page.
        fn get_all_beta_pricing(start_after: Option<AccountId>, limit: u32) -> BetaPricingPage<AccountId>;
        /// Mean price of all baskets.
        fn get_beta_index() -> (FixedU128, FixedU128);
        /// A coldkey's part of one basket, as it is shown.
        fn get_beta_position(hotkey: AccountId, coldkey: AccountId) -> Option<BetaPosition<AccountId>>;
        /// A coldkey's parts, as they are shown.
        fn get_beta_portfolio(coldkey: AccountId) -> Vec<BetaPosition<AccountId>>;
        /// Whether a basket may trade.
        fn get_basket_trading_status(hotkey: AccountId) -> BasketTradingStatus;
    }

    /// What proxies may call.
    pub trait ProxyFilterRuntimeApi {
        /// Every type of proxy.
        fn get_proxy_types() -> Vec<ProxyTypeInfo>;
        /// What the given types may call; every type when none is given.
        fn get_proxy_filters(proxy_types: Option<Vec<u8>>) -> Vec<ProxyFilterInfo>;
    }

    /// Prices of alpha.
    pub trait SwapRuntimeApi {
        /// Rao of TAO for 10^9 rao of a subnet's alpha.
        fn current_alpha_price(netuid: NetUid) -> u64;
        /// The same of every subnet.
        fn current_alpha_price_all() -> Vec<SubnetPrice>;
        /// What staking would give.
        fn sim_swap_tao_for_alpha(netuid: NetUid, tao: TaoBalance) -> SimSwapResult;
        /// What taking stake back would give.
        fn sim_swap_alpha_for_tao(netuid: NetUid, alpha: AlphaBalance) -> SimSwapResult;
    }
}
