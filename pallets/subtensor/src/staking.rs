// SPDX-License-Identifier: Apache-2.0

//! Stake, backed one to one by TAO on the pallet's account.

use alloc::vec::Vec;
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::{
        Get,
        fungible::{Inspect, Mutate},
        tokens::{Fortitude, Precision, Preservation},
    },
};
use sp_runtime::traits::AccountIdConversion;

use crate::{
    pallet::*,
    types::{AlphaBalance, NetUid, TaoBalance},
};

/// Least amount of TAO that can be staked at once, in rao.
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

impl<T: Config> Pallet<T> {
    /// The account whose TAO backs every alpha that is staked or pending.
    pub fn account() -> T::AccountId {
        T::SubtensorPalletId::get().into_account_truncating()
    }

    /// # Errors
    ///
    /// - [`Error::SubnetNotExists`], [`Error::SubtokenDisabled`]: no such subnet; not started yet.
    /// - [`Error::HotKeyAccountNotExists`], [`Error::NonAssociatedColdKey`]: the hotkey is nobody's, or another's.
    /// - [`Error::AmountTooLow`], [`Error::NotEnoughBalanceToStake`]: below 0.002 TAO; above the coldkey's balance.
    /// - [`Error::SlippageTooHigh`], or [`Error::AmountTooLow`]: the limit price is below 1 TAO per alpha.
    pub(crate) fn do_add_stake(
        coldkey: &T::AccountId,
        hotkey: &T::AccountId,
        netuid: NetUid,
        amount: TaoBalance,
        limit: Option<PriceLimit>,
    ) -> DispatchResult {
        Self::ensure_stakeable(netuid)?;
        Self::ensure_owns(coldkey, hotkey)?;
        ensure!(amount.0 >= MIN_STAKE, Error::<T>::AmountTooLow);
        PriceLimit::ensure::<T>(limit, |highest| highest >= PRICE)?;
        Self::ensure_can_pay(coldkey, amount, Error::<T>::NotEnoughBalanceToStake)?;

        T::Currency::transfer(coldkey, &Self::account(), amount.0, Preservation::Preserve)?;
        let alpha = AlphaBalance(amount.0);
        Self::credit_stake(hotkey, netuid, alpha)?;
        SubnetAlphaOut::<T>::mutate(netuid, |total| total.0 = total.0.saturating_add(alpha.0));
        Self::deposit_event(Event::StakeAdded(coldkey.clone(), hotkey.clone(), amount, alpha, netuid, 0));
        Ok(())
    }

    /// # Errors
    ///
    /// - [`Error::SubnetNotExists`], [`Error::SubtokenDisabled`]: no such subnet; not started yet.
    /// - [`Error::HotKeyAccountNotExists`], [`Error::NonAssociatedColdKey`]: the hotkey is nobody's, or another's.
    /// - [`Error::AmountTooLow`], [`Error::NotEnoughStakeToWithdraw`]: nothing; more than is staked.
    /// - [`Error::SlippageTooHigh`], or [`Error::AmountTooLow`]: the limit price is above 1 TAO per alpha.
    pub(crate) fn do_remove_stake(
        coldkey: &T::AccountId,
        hotkey: &T::AccountId,
        netuid: NetUid,
        amount: AlphaBalance,
        limit: Option<PriceLimit>,
    ) -> DispatchResult {
        Self::ensure_stakeable(netuid)?;
        Self::ensure_owns(coldkey, hotkey)?;
        ensure!(amount.0 > 0, Error::<T>::AmountTooLow);
        PriceLimit::ensure::<T>(limit, |least| least <= PRICE)?;

        TotalHotkeyAlpha::<T>::try_mutate_exists(hotkey, netuid, |staked| -> DispatchResult {
            let rest =
                staked.unwrap_or_default().0.checked_sub(amount.0).ok_or(Error::<T>::NotEnoughStakeToWithdraw)?;
            *staked = (rest > 0).then_some(AlphaBalance(rest));
            Ok(())
        })?;
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
        Ok(())
    }

    /// Takes back all stake of `hotkey` on every subnet that has started; that on the root network stays.
    ///
    /// # Errors
    ///
    /// [`Error::HotKeyAccountNotExists`], [`Error::NonAssociatedColdKey`]: the hotkey is nobody's, or another's.
    pub(crate) fn do_unstake_all(coldkey: &T::AccountId, hotkey: &T::AccountId) -> DispatchResult {
        Self::ensure_owns(coldkey, hotkey)?;
        let staked: Vec<(NetUid, AlphaBalance)> = TotalHotkeyAlpha::<T>::iter_prefix(hotkey)
            .filter(|(netuid, alpha)| !netuid.is_root() && alpha.0 > 0 && SubtokenEnabled::<T>::get(netuid))
            .collect();
        for (netuid, alpha) in staked {
            Self::do_remove_stake(coldkey, hotkey, netuid, alpha, None)?;
        }
        Ok(())
    }

    /// Books `alpha`, which the pallet's account already backs, as stake of `hotkey`.
    ///
    /// # Errors
    ///
    /// [`Error::Overflow`]: a total would leave 64 bits, which the whole issuance cannot.
    pub(crate) fn credit_stake(hotkey: &T::AccountId, netuid: NetUid, alpha: AlphaBalance) -> Result<(), Error<T>> {
        if alpha.0 == 0 {
            return Ok(());
        }
        let add = |total: u64| total.checked_add(alpha.0).ok_or(Error::<T>::Overflow);
        let hotkeys = add(TotalHotkeyAlpha::<T>::get(hotkey, netuid).0)?;
        let subnets = add(TotalAlphaStaked::<T>::get(netuid).0)?;
        let all = add(TotalStake::<T>::get().0)?;
        TotalHotkeyAlpha::<T>::insert(hotkey, netuid, AlphaBalance(hotkeys));
        TotalAlphaStaked::<T>::insert(netuid, AlphaBalance(subnets));
        TotalStake::<T>::put(TaoBalance(all));
        Ok(())
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
