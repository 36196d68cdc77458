// SPDX-License-Identifier: Apache-2.0

use codec::{Decode, DecodeWithMemTracking, Encode};
use core::marker::PhantomData;
use frame_support::{
    CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound,
    dispatch::{DispatchInfo, PostDispatchInfo},
    pallet_prelude::{TransactionSource, Weight},
};
use frame_system::AuthorizeCall;
use scale_info::TypeInfo;
use sp_runtime::{
    DispatchResult,
    traits::{DispatchInfoOf, Dispatchable, Implication, PostDispatchInfoOf, TransactionExtension, ValidateResult},
    transaction_validity::TransactionValidityError,
};

/// Authorises calls that prove themselves, such as `Drand::write_pulse`; takes no bytes.
///
/// It is [`frame_system::AuthorizeCall`] under the name that the public chain has at this place of its extensions, where
/// it ranks pulses in the pool: so a client that knows that chain's list of extensions knows this chain's.
#[derive(Encode, Decode, DecodeWithMemTracking, CloneNoBound, EqNoBound, PartialEqNoBound, DebugNoBound, TypeInfo)]
#[scale_info(skip_type_params(T))]
pub struct DrandPriority<T>(PhantomData<T>);

impl<T> DrandPriority<T> {
    /// The extension.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for DrandPriority<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: frame_system::Config + Send + Sync> TransactionExtension<T::RuntimeCall> for DrandPriority<T>
where
    T::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
{
    const IDENTIFIER: &'static str = "DrandPriority";
    type Implicit = ();
    type Val = Weight;
    type Pre = Weight;

    fn weight(&self, call: &T::RuntimeCall) -> Weight {
        AuthorizeCall::<T>::new().weight(call)
    }

    fn validate(
        &self,
        origin: T::RuntimeOrigin,
        call: &T::RuntimeCall,
        info: &DispatchInfoOf<T::RuntimeCall>,
        len: usize,
        (): (),
        implication: &impl Implication,
        source: TransactionSource,
    ) -> ValidateResult<Self::Val, T::RuntimeCall> {
        AuthorizeCall::<T>::new().validate(origin, call, info, len, (), implication, source)
    }

    fn prepare(
        self,
        unspent: Self::Val,
        _: &T::RuntimeOrigin,
        _: &T::RuntimeCall,
        _: &DispatchInfoOf<T::RuntimeCall>,
        _: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        Ok(unspent)
    }

    fn post_dispatch_details(
        unspent: Self::Pre,
        _: &DispatchInfoOf<T::RuntimeCall>,
        _: &PostDispatchInfoOf<T::RuntimeCall>,
        _: usize,
        _: &DispatchResult,
    ) -> Result<Weight, TransactionValidityError> {
        Ok(unspent)
    }
}
