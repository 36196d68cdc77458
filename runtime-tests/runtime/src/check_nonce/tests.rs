// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::{AccountId, Balances, Runtime, RuntimeCall, RuntimeOrigin, System};
use frame_support::{dispatch::GetDispatchInfo, traits::fungible::Mutate};
use sp_runtime::{BuildStorage, traits::DispatchTransaction};

const FREE: DispatchInfo = DispatchInfo {
    call_weight: Weight::zero(),
    extension_weight: Weight::zero(),
    class: frame_support::dispatch::DispatchClass::Normal,
    pays_fee: Pays::No,
};

fn account(n: u8) -> AccountId {
    AccountId::new([n; 32])
}

fn call() -> RuntimeCall {
    frame_system::Call::remark { remark: alloc::vec![] }.into()
}

fn execute(test: impl FnOnce()) {
    let storage = frame_system::GenesisConfig::<Runtime>::default().build_storage().unwrap();
    sp_io::TestExternalities::new(storage).execute_with(test);
}

/// Runs the extension for a transaction of `who` with `nonce`, and returns the pool's error, if any.
fn check(who: AccountId, nonce: u32, info: &DispatchInfo) -> Result<(), TransactionValidityError> {
    CheckNonce::<Runtime>::from(nonce).validate_and_prepare(RuntimeOrigin::signed(who), &call(), info, 0, 0).map(|_| ())
}

#[test]
fn unfunded_account_passes_when_the_call_is_free() {
    execute(|| {
        assert_eq!(check(account(1), 0, &FREE), Ok(()));
        assert_eq!(System::account_nonce(account(1)), 1);
        assert_eq!(check(account(1), 0, &FREE), Err(InvalidTransaction::Stale.into()));
        assert_eq!(check(account(1), 1, &FREE), Ok(()));
    });
}

#[test]
fn unfunded_account_is_refused_when_the_call_costs() {
    execute(|| {
        let info = call().get_dispatch_info();
        assert_eq!(check(account(1), 0, &info), Err(InvalidTransaction::Payment.into()));
        assert_eq!(System::account_nonce(account(1)), 0);
    });
}

#[test]
fn nonce_is_used_once_when_the_account_is_funded() {
    execute(|| {
        let info = call().get_dispatch_info();
        Balances::set_balance(&account(2), 1_000_000);
        assert_eq!(check(account(2), 0, &info), Ok(()));
        assert_eq!(check(account(2), 0, &info), Err(InvalidTransaction::Stale.into()));
        assert_eq!(check(account(2), 7, &info), Err(InvalidTransaction::Future.into()));
    });
}

#[test]
fn later_nonce_requires_the_one_before_when_validated() {
    execute(|| {
        let validate = |nonce| {
            CheckNonce::<Runtime>::from(nonce)
                .validate_only(RuntimeOrigin::signed(account(3)), &call(), &FREE, 0, TransactionSource::External, 0)
                .unwrap()
                .0
        };
        let (first, second) = (validate(0), validate(1));
        assert!(first.requires.is_empty());
        assert_eq!(second.requires, first.provides);
    });
}
