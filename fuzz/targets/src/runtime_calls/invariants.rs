// SPDX-License-Identifier: Apache-2.0
//! What holds after every call, read from the state of all pallets.

use std::cell::RefCell;

use clawrank_runtime::{Balances, Runtime, RuntimeCall, RuntimeEvent, SubtensorModule, System};
use codec::Encode;
use pallet_commitments as commitments;
use pallet_drand::{self as drand, Pulse};
use pallet_provider_rank as rank;
use pallet_shield as shield;
use sp_runtime::TryRuntimeError;

/// What every pallet says of its own state, and that what all accounts hold was issued.
///
/// # Panics
///
/// When something does not hold.
pub(super) fn check() {
    let states = [
        ("SubtensorModule", SubtensorModule::do_try_state()),
        ("Commitments", commitments::Pallet::<Runtime>::do_try_state()),
        ("Drand", pulses()),
        ("ProviderRank", rank::Pallet::<Runtime>::do_try_state()),
        ("MevShield", shield::Pallet::<Runtime>::do_try_state()),
    ];
    for (pallet, state) in states {
        if let Err(error) = state {
            panic!("block {}: {pallet}: {error:?}", System::block_number());
        }
    }
    balances();
}

/// What all accounts hold is what was issued.
fn balances() {
    let held: u128 = frame_system::Account::<Runtime>::iter_values()
        .map(|account| u128::from(account.data.free) + u128::from(account.data.reserved))
        .sum();
    assert_eq!(held, u128::from(Balances::total_issuance()), "accounts hold another sum than was issued");
}

/// Verifies what is stored of the beacon, unless it was verified just before: signatures take milliseconds each.
fn pulses() -> Result<(), TryRuntimeError> {
    thread_local! {
        static VERIFIED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    let bounds = (drand::OldestStoredRound::<Runtime>::get(), drand::LastStoredRound::<Runtime>::get());
    let pulses: Vec<(u64, Pulse)> = drand::Pulses::<Runtime>::iter().collect();
    let stored = (drand::BeaconConfig::<Runtime>::get(), bounds, pulses).encode();
    if VERIFIED.with_borrow(|verified| *verified == stored) {
        return Ok(());
    }
    drand::Pallet::<Runtime>::do_try_state()?;
    VERIFIED.set(stored);
    Ok(())
}

/// What was issued before a call or a block.
pub(super) struct Watch {
    issuance: u64,
    pot: u64,
    events: u32,
}

impl Watch {
    pub(super) fn start() -> Self {
        let pot = rank::Pallet::<Runtime>::pot();
        Self { issuance: Balances::total_issuance(), pot: Balances::free_balance(pot), events: System::event_count() }
    }

    /// Only root and blocks issue.
    pub(super) fn ensure_nothing_issued(&self, call: &RuntimeCall) {
        assert!(Balances::total_issuance() <= self.issuance, "{call:?} issued something");
    }

    /// A block issues its emission at most, less what it burns of owners' incentive, and the pot pays what settlements
    /// say, to the rao.
    pub(super) fn ensure_block_adds_up(&self) {
        let burned = System::read_events_no_consensus().map(|record| match record.event {
            RuntimeEvent::Balances(pallet_balances::Event::Burned { amount, .. }) => amount,
            _ => 0,
        });
        let issued = Balances::total_issuance().saturating_add(burned.sum());
        let most = self.issuance.saturating_add(pallet_subtensor::BlockEmission::<Runtime>::get());
        assert!((self.issuance..=most).contains(&issued), "a block issued {issued} after {}", self.issuance);
        let block = u64::from(System::block_number());
        let settled = rank::Settlements::<Runtime>::iter_values().filter(|settlement| settlement.block == block);
        let paid: u64 = settled.flat_map(|settlement| settlement.payouts).map(|payout| payout.amount).sum();
        let left = Balances::free_balance(rank::Pallet::<Runtime>::pot());
        assert_eq!(left.saturating_add(paid), self.pot, "the pot paid another sum than its settlements");
    }

    /// Whether root's call, wrapped in the one since then, succeeded.
    pub(super) fn root_succeeded(&self) -> bool {
        super::root_events(self.events).last() == Some(&true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime_calls::chain;
    use pallet_subtensor::{NetUid, TotalStake};
    use sp_core::crypto::AccountId32;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    const NETUID: NetUid = NetUid(92);

    /// Whether the state is still taken for whole after a change.
    fn passes_after(change: fn()) -> bool {
        chain::externalities().execute_with(|| {
            chain::next_block();
            change();
            catch_unwind(AssertUnwindSafe(check)).is_ok()
        })
    }

    #[test]
    fn state_is_whole_when_nothing_was_changed() {
        assert!(passes_after(|| ()));
    }

    #[test]
    fn state_is_not_whole_when_a_pallet_contradicts_itself() {
        let changes: [(&str, fn()); 8] = [
            ("SubtensorModule", || TotalStake::<Runtime>::mutate(|total| total.0 += 1)),
            ("Balances", || pallet_balances::TotalIssuance::<Runtime>::mutate(|total| *total += 1)),
            ("Commitments", || commitments::LastCommitment::<Runtime>::insert(NETUID, AccountId32::new([99; 32]), 1)),
            ("Drand", || drand::LastStoredRound::<Runtime>::put(5)),
            ("Drand", || {
                drand::Pulses::<Runtime>::insert(1, Pulse::new(1, &[1; 48]));
                drand::LastStoredRound::<Runtime>::put(1);
            }),
            ("MevShield", || shield::NextKeyExpiresAt::<Runtime>::put(9)),
            ("ProviderRank", || rank::CellCount::<Runtime>::insert(NETUID, 9)),
            ("ProviderRank", || rank::RunningEpoch::<Runtime>::insert(NETUID, 9)),
        ];
        for (pallet, change) in changes {
            assert!(!passes_after(change), "{pallet}");
        }
    }
}
