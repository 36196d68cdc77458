// SPDX-License-Identifier: Apache-2.0

//! What a proxy of each type may call on the public chain; there are no proxies on this one.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;

/// A type of proxy.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ProxyTypeInfo {
    /// Its name.
    pub name: Vec<u8>,
    /// Its number.
    pub index: u8,
    /// Whether it is on its way out.
    pub deprecated: bool,
}

/// What a type of proxy may call.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ProxyFilterInfo {
    /// Number of the type.
    pub proxy_type: u8,
    /// Its name.
    pub name: Vec<u8>,
    /// Whether it is on its way out.
    pub deprecated: bool,
    /// The calls.
    pub filter_mode: FilterMode,
}

/// Calls that are allowed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum FilterMode {
    /// Every call.
    AllowAll,
    /// These.
    Allow(Vec<CallInfo>),
}

/// A call by name and number.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct CallInfo {
    /// Name of its pallet.
    pub pallet_name: Vec<u8>,
    /// Number of its pallet.
    pub pallet_index: u8,
    /// Its name.
    pub call_name: Vec<u8>,
    /// Its number in the pallet.
    pub call_index: u8,
    /// What its arguments have to keep to.
    pub constraint: Option<CallConstraint>,
}

/// What an argument of a call has to keep to.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum CallConstraint {
    /// It is below a limit.
    ParamLessThan {
        /// Name of the argument.
        param_name: Vec<u8>,
        /// The limit.
        limit: u128,
    },
    /// It is this call.
    NestedCallMustBe {
        /// Name of the argument.
        param_name: Vec<u8>,
        /// Name of the call's pallet.
        pallet_name: Vec<u8>,
        /// Name of the call.
        call_name: Vec<u8>,
    },
}
