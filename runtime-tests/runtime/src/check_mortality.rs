// SPDX-License-Identifier: Apache-2.0
//! Eras, with a shorter one for extrinsics that carry an envelope.
//!
//! No author but the one with the right key includes a carrier. It must not wait in pools for long when that author does
//! not come, so the public chain wants an era of at most eight blocks. This extension has the same name and encoding as
//! FRAME's own.

use clawrank_shield::MAX_ERA_BLOCKS;
use codec::{Decode, DecodeWithMemTracking, Encode};
use core::{fmt, marker::PhantomData};
use frame_support::{
    pallet_prelude::{TransactionSource, Weight},
    traits::IsSubType,
};
use scale_info::TypeInfo;
use sp_runtime::{
    generic::Era,
    impl_tx_ext_default,
    traits::{DispatchInfoOf, TransactionExtension, ValidateResult},
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};

type Unbounded<T> = frame_system::CheckMortality<T>;

/// Checks that a transaction's era is not over, and that a carrier's is [`MAX_ERA_BLOCKS`] at most (`Stale` otherwise).
#[derive(Encode, Decode, DecodeWithMemTracking, Clone, Eq, PartialEq, TypeInfo)]
#[scale_info(skip_type_params(T))]
pub struct CheckMortality<T: frame_system::Config + Send + Sync>(pub Era, PhantomData<T>);

impl<T: frame_system::Config + Send + Sync> CheckMortality<T> {
    /// The extension for a transaction with this era.
    #[must_use]
    pub const fn from(era: Era) -> Self {
        Self(era, PhantomData)
    }

    fn unbounded(&self) -> Unbounded<T> {
        Unbounded::from(self.0)
    }

    fn is_short(&self) -> bool {
        matches!(self.0, Era::Mortal(period, _) if period <= MAX_ERA_BLOCKS)
    }
}

impl<T: frame_system::Config + Send + Sync> fmt::Debug for CheckMortality<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CheckMortality").field(&self.0).finish()
    }
}

impl<T> TransactionExtension<T::RuntimeCall> for CheckMortality<T>
where
    T: pallet_shield::Config + Send + Sync,
    T::RuntimeCall: IsSubType<pallet_shield::Call<T>>,
{
    const IDENTIFIER: &'static str = "CheckMortality";
    type Implicit = T::Hash;
    type Val = ();
    type Pre = ();

    fn implicit(&self) -> Result<Self::Implicit, TransactionValidityError> {
        self.unbounded().implicit()
    }

    fn weight(&self, call: &T::RuntimeCall) -> Weight {
        self.unbounded().weight(call)
    }

    fn validate(
        &self,
        origin: T::RuntimeOrigin,
        call: &T::RuntimeCall,
        info: &DispatchInfoOf<T::RuntimeCall>,
        len: usize,
        birth: Self::Implicit,
        implication: &impl sp_runtime::traits::Implication,
        source: TransactionSource,
    ) -> ValidateResult<Self::Val, T::RuntimeCall> {
        if let Some(pallet_shield::Call::submit_encrypted { .. }) = call.is_sub_type()
            && !self.is_short()
        {
            return Err(InvalidTransaction::Stale.into());
        }
        self.unbounded().validate(origin, call, info, len, birth, implication, source)
    }

    impl_tx_ext_default!(T::RuntimeCall; prepare);
}
