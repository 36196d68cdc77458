// SPDX-License-Identifier: Apache-2.0
//! Replay protection that lets an unfunded hotkey send calls that cost nothing.
//!
//! The public chain accepts a `Pays::No` call (weights, axons) from a hotkey that holds no balance; FRAME's own
//! `CheckNonce` refuses an account without a provider, since nobody paid for its nonce. This extension has the same
//! name and encoding, and differs in that one point. What stops a flood of such calls is the pallet's own extension,
//! which lets nobody call for free who is not a neuron with enough stake.

use codec::{Decode, DecodeWithMemTracking, Encode};
use core::marker::PhantomData;
use frame_support::{
    dispatch::{DispatchInfo, Pays},
    pallet_prelude::{TransactionSource, Weight},
    sp_runtime::{
        DispatchResult,
        traits::{
            AsSystemOriginSigner, DispatchInfoOf, Dispatchable, One, PostDispatchInfoOf, Saturating,
            TransactionExtension, ValidateResult, Zero,
        },
        transaction_validity::{InvalidTransaction, TransactionValidityError, ValidTransaction},
    },
};
use frame_system::ExtensionsWeightInfo;
use scale_info::TypeInfo;

/// Checks that a transaction's nonce is not used up, and uses it.
///
/// A nonce below the account's is `Stale`; one above it waits in the pool for those before it. An account that exists
/// nowhere passes only with a call that pays no fee (`InvalidTransaction::Payment` otherwise).
#[derive(Encode, Decode, DecodeWithMemTracking, Clone, Eq, PartialEq, TypeInfo)]
#[scale_info(skip_type_params(T))]
pub struct CheckNonce<T: frame_system::Config>(#[codec(compact)] pub T::Nonce);

impl<T: frame_system::Config> CheckNonce<T> {
    /// The extension for a transaction with this nonce.
    pub const fn from(nonce: T::Nonce) -> Self {
        Self(nonce)
    }

    fn tags(&self, who: &T::AccountId, info: &DispatchInfo) -> Result<ValidTransaction, TransactionValidityError> {
        let account = frame_system::Account::<T>::get(who);
        let exists = !account.providers.is_zero() || !account.sufficients.is_zero();
        if !exists && info.pays_fee == Pays::Yes {
            return Err(InvalidTransaction::Payment.into());
        }
        if self.0 < account.nonce {
            return Err(InvalidTransaction::Stale.into());
        }
        let tag = |nonce: T::Nonce| (who, nonce).encode();
        let mut valid = ValidTransaction { provides: alloc::vec![tag(self.0)], ..Default::default() };
        if self.0 > account.nonce {
            valid.requires.push(tag(self.0.saturating_sub(One::one())));
        }
        Ok(valid)
    }
}

impl<T: frame_system::Config> core::fmt::Debug for CheckNonce<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("CheckNonce").field(&self.0).finish()
    }
}

/// Whose nonce is to be used up; `None` for a transaction nobody signed.
pub struct Signer<T: frame_system::Config>(Option<T::AccountId>, PhantomData<T>);

impl<T> TransactionExtension<T::RuntimeCall> for CheckNonce<T>
where
    T: frame_system::Config,
    T::RuntimeCall: Dispatchable<Info = DispatchInfo>,
    <T::RuntimeCall as Dispatchable>::RuntimeOrigin: AsSystemOriginSigner<T::AccountId> + Clone,
{
    const IDENTIFIER: &'static str = "CheckNonce";
    type Implicit = ();
    type Val = Signer<T>;
    /// The weight to give back.
    type Pre = Weight;

    fn weight(&self, _: &T::RuntimeCall) -> Weight {
        T::ExtensionsWeightInfo::check_nonce()
    }

    fn validate(
        &self,
        origin: T::RuntimeOrigin,
        _: &T::RuntimeCall,
        info: &DispatchInfoOf<T::RuntimeCall>,
        _: usize,
        _: (),
        _: &impl Encode,
        _: TransactionSource,
    ) -> ValidateResult<Self::Val, T::RuntimeCall> {
        let Some(who) = origin.as_system_origin_signer().cloned() else {
            return Ok((ValidTransaction::default(), Signer(None, PhantomData), origin));
        };
        let valid = self.tags(&who, info)?;
        Ok((valid, Signer(Some(who), PhantomData), origin))
    }

    fn prepare(
        self,
        Signer(signer, _): Self::Val,
        _: &T::RuntimeOrigin,
        call: &T::RuntimeCall,
        _: &DispatchInfoOf<T::RuntimeCall>,
        _: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        let Some(who) = signer else { return Ok(self.weight(call)) };
        frame_system::CheckNonce::<T>::prepare_nonce_for_account(&who, self.0)?;
        Ok(Weight::zero())
    }

    fn post_dispatch_details(
        refund: Self::Pre,
        _: &DispatchInfo,
        _: &PostDispatchInfoOf<T::RuntimeCall>,
        _: usize,
        _: &DispatchResult,
    ) -> Result<Weight, TransactionValidityError> {
        Ok(refund)
    }
}

#[cfg(test)]
mod tests;
