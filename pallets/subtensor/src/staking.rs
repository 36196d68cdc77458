// SPDX-License-Identifier: Apache-2.0

//! Stake of any coldkey to any hotkey, backed one to one by TAO on the pallet's account.

use alloc::vec::Vec;
use clawrank_emission::stake::{Shares, StakePool};
use clawrank_units::Rao;
use frame_support::{
    ensure,
    pallet_prelude::{DispatchError, DispatchResult},
    traits::{
        Get,
        fungible::{Inspect, Mutate},
        tokens::{Fortitude, Precision, Preservation},
    },
};
use sp_runtime::traits::AccountIdConversion;

use crate::{
    pallet::*,
    types::{AlphaBalance, NetUid, SafeFloat, TaoBalance},
};

/// Least amount of TAO that can be staked at once, in rao; the least that a withdrawal in part takes and leaves, too.
pub(crate) const MIN_STAKE: u64 = 2_000_000;
/// The price of one alpha in rao, always.
const PRICE: TaoBalance = TaoBalance(1_000_000_000);

/// Least or highest price at which stake may move.
#[derive(Clone, Copy)]
pub(crate) struct PriceLimit {
    /// Rao per alpha.
    pub(crate) price: TaoBalance,
    /// Whether less than the whole amount may move.
    pub(crate) allow_partial: bool,
}

impl PriceLimit {
    /// The error when the price is on the wrong side of the limit: nothing could move at all.
    ///
    /// # Errors
    ///
    /// [`Error::SlippageTooHigh`], or [`Error::AmountTooLow`] where a part of the amount would do.
    fn ensure<T: Config>(limit: Option<Self>, is_met: impl Fn(TaoBalance) -> bool) -> Result<(), Error<T>> {
        match limit {
            Some(limit) if !is_met(limit.price) && limit.allow_partial => Err(Error::<T>::AmountTooLow),
            Some(limit) if !is_met(limit.price) => Err(Error::<T>::SlippageTooHigh),
            _ => Ok(()),
        }
    }
}

/// What is staked on a subnet and on all, in rao: read before stake is booked, and written once after.
pub(crate) struct StakeTotals {
    netuid: NetUid,
    subnet: u64,
    all: u64,
}

impl StakeTotals {
    pub(crate) fn load<T: Config>(netuid: NetUid) -> Self {
        Self { netuid, subnet: TotalAlphaStaked::<T>::get(netuid).0, all: TotalStake::<T>::get().0 }
    }

    /// With `alpha` more; `None` beyond 64 bits, which the whole issuance cannot reach.
    fn plus(&self, alpha: u64) -> Option<Self> {
        let (subnet, all) = (self.subnet.checked_add(alpha)?, self.all.checked_add(alpha)?);
        Some(Self { subnet, all, ..*self })
    }

    pub(crate) fn store<T: Config>(self) {
        TotalAlphaStaked::<T>::insert(self.netuid, AlphaBalance(self.subnet));
        TotalStake::<T>::put(TaoBalance(self.all));
    }
}

/// What is booked in a pool: `shared` for all who have shares in it, then `own` for `coldkey`.
struct Credit<'a, A> {
    hotkey: &'a A,
    coldkey: &'a A,
    shared: Rao,
    own: Rao,
}

impl<T: Config> Pallet<T> {
    /// The account whose TAO backs every alpha that is staked or pending. It has the existential deposit besides.
    pub fn account() -> T::AccountId {
        T::SubtensorPalletId::get().into_account_truncating()
    }

    /// Issues what the pallet's account lacks of what it backs and the existential deposit. Without the deposit, less than
    /// it would be burned as dust once all stake has left, and the alpha that is pending or left behind have no TAO.
    pub(crate) fn endow_account() {
        let pending = Self::netuids().into_iter().map(Self::pending).fold(0, u64::saturating_add);
        let needed = TotalStake::<T>::get().0.saturating_add(pending).saturating_add(T::Currency::minimum_balance());
        let missing = needed.saturating_sub(T::Currency::total_balance(&Self::account()));
        if missing > 0 && T::Currency::mint_into(&Self::account(), missing).is_err() {
            log::error!(target: "subtensor", "the pallet's account lacks {missing} rao that cannot be issued");
        }
    }

    /// Stakes TAO of `coldkey` to `hotkey`, whoever owns that.
    ///
    /// # Errors
    ///
    /// - [`Error::SubnetNotExists`], [`Error::SubtokenDisabled`]: no such subnet; not started yet.
    /// - [`Error::HotKeyAccountNotExists`]: the hotkey is nobody's.
    /// - [`Error::AmountTooLow`], [`Error::NotEnoughBalanceToStake`]: below 0.002 TAO; above the coldkey's balance.
    /// - [`Error::SlippageTooHigh`], or [`Error::AmountTooLow`]: the limit price is below 1 TAO per alpha.
    /// - [`Error::TooManyStakingHotkeys`]: the coldkey stakes to as many others as it may.
    pub(crate) fn do_add_stake(
        coldkey: &T::AccountId,
        hotkey: &T::AccountId,
        netuid: NetUid,
        amount: TaoBalance,
        limit: Option<PriceLimit>,
    ) -> DispatchResult {
        Self::ensure_stakeable(netuid)?;
        Self::ensure_hotkey_exists(hotkey)?;
        ensure!(amount.0 >= MIN_STAKE, Error::<T>::AmountTooLow);
        PriceLimit::ensure::<T>(limit, |highest| highest >= PRICE)?;
        Self::ensure_can_pay(coldkey, amount, Error::<T>::NotEnoughBalanceToStake)?;
        Self::ensure_staking_can_grow(coldkey, hotkey)?;

        T::Currency::transfer(coldkey, &Self::account(), amount.0, Preservation::Preserve)?;
        let alpha = AlphaBalance(amount.0);
        Self::credit_stake(hotkey, coldkey, netuid, alpha)?;
        Self::list_staking(coldkey, hotkey);
        SubnetAlphaOut::<T>::mutate(netuid, |total| total.0 = total.0.saturating_add(alpha.0));
        Self::deposit_event(Event::StakeAdded(coldkey.clone(), hotkey.clone(), amount, alpha, netuid, 0));
        Ok(())
    }

    /// Gives `coldkey` back what it staked to `hotkey`, whoever owns that.
    ///
    /// # Errors
    ///
    /// - [`Error::SubnetNotExists`], [`Error::SubtokenDisabled`]: no such subnet; not started yet.
    /// - [`Error::HotKeyAccountNotExists`]: the hotkey is nobody's.
    /// - [`Error::NotEnoughStakeToWithdraw`]: more than the coldkey has there.
    /// - [`Error::AmountTooLow`]: nothing; or not all, and either it or the rest is below 0.002 TAO.
    /// - [`Error::SlippageTooHigh`], or [`Error::AmountTooLow`]: the limit price is above 1 TAO per alpha.
    pub(crate) fn do_remove_stake(
        coldkey: &T::AccountId,
        hotkey: &T::AccountId,
        netuid: NetUid,
        amount: AlphaBalance,
        limit: Option<PriceLimit>,
    ) -> DispatchResult {
        Self::ensure_stakeable(netuid)?;
        Self::ensure_hotkey_exists(hotkey)?;
        ensure!(amount.0 > 0, Error::<T>::AmountTooLow);
        PriceLimit::ensure::<T>(limit, |least| least <= PRICE)?;
        if Self::withdraw(coldkey, hotkey, netuid, amount)? == 0 {
            Self::unlist_staking(coldkey, hotkey);
        }
        Ok(())
    }

    /// Takes `amount` out of the stake of `coldkey` to `hotkey`; what is left, in rao.
    ///
    /// # Errors
    ///
    /// [`Error::NotEnoughStakeToWithdraw`] and [`Error::AmountTooLow`], as [`Self::do_remove_stake`] says.
    fn withdraw(
        coldkey: &T::AccountId,
        hotkey: &T::AccountId,
        netuid: NetUid,
        amount: AlphaBalance,
    ) -> Result<u64, DispatchError> {
        let before = Self::stake_pool(hotkey, netuid);
        let own = AlphaV2::<T>::get((hotkey, coldkey, netuid)).into();
        let rest = before.worth(own).get().checked_sub(amount.0).ok_or(Error::<T>::NotEnoughStakeToWithdraw)?;
        ensure!(rest == 0 || rest.min(amount.0) >= MIN_STAKE, Error::<T>::AmountTooLow);

        let mut pool = before;
        let left = pool.remove(own, Rao(amount.0)).map_err(Error::<T>::from)?;
        Self::put_stake_pool(hotkey, netuid, &before, &pool);
        if rest == 0 {
            AlphaV2::<T>::remove((hotkey, coldkey, netuid));
        } else {
            AlphaV2::<T>::insert((hotkey, coldkey, netuid), SafeFloat::from(left));
        }
        TotalAlphaStaked::<T>::mutate(netuid, |total| total.0 = total.0.saturating_sub(amount.0));
        SubnetAlphaOut::<T>::mutate(netuid, |total| total.0 = total.0.saturating_sub(amount.0));
        TotalStake::<T>::mutate(|total| total.0 = total.0.saturating_sub(amount.0));
        T::Currency::transfer(&Self::account(), coldkey, amount.0, Preservation::Expendable)?;
        Self::deposit_event(Event::StakeRemoved(
            coldkey.clone(),
            hotkey.clone(),
            TaoBalance(amount.0),
            amount,
            netuid,
            0,
        ));
        Ok(rest)
    }

    /// Gives `coldkey` back all that it staked to `hotkey`: on the root network, and on every subnet that has started.
    ///
    /// # Errors
    ///
    /// [`Error::HotKeyAccountNotExists`], [`Error::AmountTooLow`]: the hotkey is nobody's; there is nothing to give back.
    pub(crate) fn do_unstake_all(coldkey: &T::AccountId, hotkey: &T::AccountId) -> DispatchResult {
        Self::ensure_hotkey_exists(hotkey)?;
        let staked: Vec<(NetUid, AlphaBalance)> = Self::stakes_of(hotkey, coldkey)
            .into_iter()
            .filter(|(netuid, alpha)| alpha.0 > 0 && Self::ensure_stakeable(*netuid).is_ok())
            .collect();
        ensure!(!staked.is_empty(), Error::<T>::AmountTooLow);
        for (netuid, alpha) in staked {
            Self::withdraw(coldkey, hotkey, netuid, alpha)?;
        }
        Self::unlist_staking(coldkey, hotkey);
        Ok(())
    }

    /// Alpha that `coldkey` has staked to `hotkey` on `netuid`, in rao: its part of what the hotkey has, rounded down.
    pub fn stake_of(hotkey: &T::AccountId, coldkey: &T::AccountId, netuid: NetUid) -> AlphaBalance {
        let own = AlphaV2::<T>::get((hotkey, coldkey, netuid));
        AlphaBalance(Self::stake_pool(hotkey, netuid).worth(own.into()).get())
    }

    /// [`Self::stake_of`] on every subnet where there is any, ascending.
    pub(crate) fn stakes_of(hotkey: &T::AccountId, coldkey: &T::AccountId) -> Vec<(NetUid, AlphaBalance)> {
        let mut stakes: Vec<(NetUid, AlphaBalance)> = AlphaV2::<T>::iter_prefix((hotkey, coldkey))
            .map(|(netuid, own)| (netuid, AlphaBalance(Self::stake_pool(hotkey, netuid).worth(own.into()).get())))
            .collect();
        stakes.sort_unstable_by_key(|(netuid, _)| *netuid);
        stakes
    }

    /// Books `alpha`, which the pallet's account already backs, as stake of `coldkey` to `hotkey`.
    ///
    /// # Errors
    ///
    /// [`Error::Overflow`]: a total would leave 64 bits, which the whole issuance cannot.
    pub(crate) fn credit_stake(
        hotkey: &T::AccountId,
        coldkey: &T::AccountId,
        netuid: NetUid,
        alpha: AlphaBalance,
    ) -> Result<(), Error<T>> {
        let mut totals = StakeTotals::load::<T>(netuid);
        let credit = Credit { hotkey, coldkey, shared: Rao::ZERO, own: Rao(alpha.0) };
        Self::credit(&Self::stake_pool(hotkey, netuid), &credit, &mut totals)?;
        totals.store::<T>();
        Ok(())
    }

    /// Books what `hotkey` of `owner`, with `staked` alpha, earned in an epoch, which the pallet's account already backs:
    /// of the dividends its owner takes `Delegates` first, rounded down, and all who stake to it share the rest in
    /// proportion to their stake; the incentive is the owner's. Where nobody stakes, the owner gets all.
    ///
    /// # Errors
    ///
    /// [`Error::Overflow`]: a total would leave 64 bits, which the whole issuance cannot.
    pub(crate) fn credit_earnings(
        (hotkey, owner): (&T::AccountId, &T::AccountId),
        staked: AlphaBalance,
        dividends: Rao,
        incentive: Rao,
        totals: &mut StakeTotals,
    ) -> Result<(), Error<T>> {
        let pool = Self::stake_pool_of(hotkey, totals.netuid, staked);
        let take = if dividends.is_zero() { 0 } else { Delegates::<T>::get(hotkey).deconstruct() };
        let (taken, shared) = pool.divide(dividends, take);
        let own = taken.checked_add(incentive).ok_or(Error::<T>::Overflow)?;
        Self::credit(&pool, &Credit { hotkey, coldkey: owner, shared, own }, totals)
    }

    /// Books in the pool that is stored and adds to the totals, which are not.
    fn credit(before: &StakePool, credit: &Credit<'_, T::AccountId>, totals: &mut StakeTotals) -> Result<(), Error<T>> {
        let Credit { hotkey, coldkey, shared, own } = *credit;
        let netuid = totals.netuid;
        let alpha = shared.checked_add(own).ok_or(Error::<T>::Overflow)?;
        let after = totals.plus(alpha.get()).ok_or(Error::<T>::Overflow)?;
        let mut pool = *before;
        if !shared.is_zero() {
            pool.reward(shared)?;
        }
        if !own.is_zero() {
            let shares = AlphaV2::<T>::get((hotkey, coldkey, netuid)).into();
            let shares = pool.add(shares, own)?;
            AlphaV2::<T>::insert((hotkey, coldkey, netuid), SafeFloat::from(shares));
        }
        if !alpha.is_zero() {
            Self::put_stake_pool(hotkey, netuid, before, &pool);
            *totals = after;
        }
        Ok(())
    }

    /// Gives the owner of every hotkey whose stake has no shares yet, from before others could stake to it, all of them,
    /// and lists the hotkey; how many that were.
    pub(crate) fn share_out_stakes() -> u64 {
        let old: Vec<_> = TotalHotkeyAlpha::<T>::iter()
            .filter(|(hotkey, netuid, _)| !TotalHotkeySharesV2::<T>::contains_key(hotkey, netuid))
            .collect();
        let mut count = 0_u64;
        for (hotkey, netuid, alpha) in old {
            // An entry of zero goes, too.
            let mut pool = StakePool::default();
            let Ok(shares) = pool.add(Shares::default(), Rao(alpha.0)) else { continue };
            Self::put_stake_pool(&hotkey, netuid, &StakePool::default(), &pool);
            if alpha.0 > 0 {
                let owner = Owner::<T>::get(&hotkey);
                Self::list_staking(&owner, &hotkey);
                AlphaV2::<T>::insert((&hotkey, owner, netuid), SafeFloat::from(shares));
            }
            count = count.saturating_add(1);
        }
        count
    }

    /// Burns TAO of `who` for good.
    pub(crate) fn burn(who: &T::AccountId, amount: TaoBalance, keep: Preservation) -> DispatchResult {
        T::Currency::burn_from(who, amount.0, keep, Precision::Exact, Fortitude::Polite)?;
        TotalIssuance::<T>::put(TaoBalance(T::Currency::total_issuance()));
        Ok(())
    }

    /// Whether `coldkey` can part with `amount` and keep its account.
    pub(crate) fn ensure_can_pay(coldkey: &T::AccountId, amount: TaoBalance, error: Error<T>) -> Result<(), Error<T>> {
        let free = T::Currency::reducible_balance(coldkey, Preservation::Preserve, Fortitude::Polite);
        ensure!(free >= amount.0, error);
        Ok(())
    }

    /// Whether somebody owns `hotkey`.
    pub(crate) fn ensure_hotkey_exists(hotkey: &T::AccountId) -> Result<(), Error<T>> {
        ensure!(Owner::<T>::contains_key(hotkey), Error::<T>::HotKeyAccountNotExists);
        Ok(())
    }

    /// Whether `coldkey` owns `hotkey`.
    pub(crate) fn ensure_owns(coldkey: &T::AccountId, hotkey: &T::AccountId) -> Result<(), Error<T>> {
        let owner = Owner::<T>::try_get(hotkey).map_err(|()| Error::<T>::HotKeyAccountNotExists)?;
        ensure!(owner == *coldkey, Error::<T>::NonAssociatedColdKey);
        Ok(())
    }

    /// Whether stake can move on `netuid`: root always, a subnet from its start.
    fn ensure_stakeable(netuid: NetUid) -> Result<(), Error<T>> {
        if netuid.is_root() {
            return Ok(());
        }
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::SubnetNotExists);
        ensure!(SubtokenEnabled::<T>::get(netuid), Error::<T>::SubtokenDisabled);
        Ok(())
    }
}
