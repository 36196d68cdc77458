// SPDX-License-Identifier: Apache-2.0
//! What holds after every call, read from the state of all pallets.

use std::cell::Cell;

use clawrank_runtime::{Balances, Runtime, RuntimeCall, RuntimeEvent, SubtensorModule, System};
use clawrank_timelock::{PUBLIC_KEY_BYTES, SIGNATURE_BYTES, verify_pulse};
use pallet_commitments::{self as commitments, Data};
use pallet_drand::{self as drand, Pulse};
use pallet_provider_rank as rank;
use pallet_shield as shield;
use pallet_subtensor::{NetUid, Uids};
use sp_core::crypto::AccountId32;

/// # Panics
///
/// When something does not hold.
pub(super) fn check() {
    if let Err(error) = SubtensorModule::do_try_state() {
        panic!("block {}: {error:?}", System::block_number());
    }
    balances();
    commitments();
    pulses();
    keys();
    epochs();
}

/// What all accounts hold is what was issued.
fn balances() {
    let held: u128 = frame_system::Account::<Runtime>::iter_values()
        .map(|account| u128::from(account.data.free) + u128::from(account.data.reserved))
        .sum();
    assert_eq!(held, u128::from(Balances::total_issuance()), "accounts hold another sum than was issued");
}

/// What is stored of a commitment belongs to a neuron, and who waits for a pulse is known.
fn commitments() {
    let is_neuron = |(netuid, who): (NetUid, AccountId32)| Uids::<Runtime>::contains_key(netuid, who);
    for (netuid, who, registration) in commitments::CommitmentOf::<Runtime>::iter() {
        assert!(commitments::LastCommitment::<Runtime>::contains_key(netuid, &who), "a commitment has no block");
        assert!(commitments::UsedSpaceOf::<Runtime>::contains_key(netuid, &who), "a commitment took no space");
        let waits = registration.info.fields.iter().any(|field| matches!(field, Data::TimelockEncrypted { .. }));
        let known = commitments::TimelockedIndex::<Runtime>::get().contains(&(netuid, who.clone()));
        assert_eq!(waits, known, "who waits for a pulse is not who is known to");
        assert!(is_neuron((netuid, who)), "a commitment belongs to no neuron");
    }
    for (netuid, who) in commitments::TimelockedIndex::<Runtime>::get() {
        assert!(commitments::CommitmentOf::<Runtime>::contains_key(netuid, who), "who waits has committed nothing");
    }
    assert!(commitments::LastCommitment::<Runtime>::iter_keys().all(is_neuron), "a block belongs to no neuron");
    assert!(commitments::UsedSpaceOf::<Runtime>::iter_keys().all(is_neuron), "space was taken by no neuron");
    assert!(commitments::RevealedCommitments::<Runtime>::iter_keys().all(is_neuron), "no neuron revealed something");
    assert!(commitments::LastBondsReset::<Runtime>::iter_keys().all(is_neuron), "bonds of no neuron were reset");
}

/// Rounds lie within their bounds and have one form; the newest is the beacon's.
fn pulses() {
    let (oldest, newest) = (drand::OldestStoredRound::<Runtime>::get(), drand::LastStoredRound::<Runtime>::get());
    for (round, pulse) in drand::Pulses::<Runtime>::iter() {
        assert!((oldest..=newest).contains(&round), "round {round} lies outside {oldest} to {newest}");
        let same = pulse.point().is_some_and(|signature| pulse == Pulse::new(round, &signature));
        assert!(same, "round {round} is stored in another form");
    }
    if newest > 0 {
        let pulse = drand::Pulses::<Runtime>::get(newest);
        let signature = pulse.and_then(|pulse| pulse.point());
        let params = drand::BeaconConfig::<Runtime>::get().params();
        let genuine = params.zip(signature).is_some_and(|(params, point)| is_of(&params.public_key, newest, &point));
        assert!(genuine, "round {newest} is not the beacon's");
    }
}

/// Whether a beacon signed a round; the last answer is remembered, since it is asked for after every call.
fn is_of(key: &[u8; PUBLIC_KEY_BYTES], round: u64, signature: &[u8; SIGNATURE_BYTES]) -> bool {
    type Signed = ([u8; PUBLIC_KEY_BYTES], u64, [u8; SIGNATURE_BYTES]);
    thread_local! {
        static LAST: Cell<Option<Signed>> = const { Cell::new(None) };
    }
    let asked = Some((*key, round, *signature));
    let genuine = LAST.get() == asked || verify_pulse(key, round, signature).is_ok();
    if genuine {
        LAST.set(asked);
    }
    genuine
}

/// Keys have their length, and each has its term.
fn keys() {
    let (pending, next) = (shield::PendingKey::<Runtime>::get(), shield::NextKey::<Runtime>::get());
    assert_eq!(pending.is_some(), shield::PendingKeyExpiresAt::<Runtime>::exists(), "a pending key without a term");
    assert_eq!(next.is_some(), shield::NextKeyExpiresAt::<Runtime>::exists(), "a next key without a term");
    let current = shield::CurrentKey::<Runtime>::get();
    for key in [current, pending, next].into_iter().flatten().chain(shield::AuthorKeys::<Runtime>::iter_values()) {
        assert_eq!(key.len(), clawrank_shield::PUBLIC_KEY_BYTES, "a key has another length than ML-KEM-768's");
    }
}

/// Epochs, bundles, reports and settlements belong together, counts match, and every settlement adds up.
fn epochs() {
    for (netuid, epoch, state) in rank::Epochs::<Runtime>::iter() {
        let bundles = rank::Bundles::<Runtime>::iter_key_prefix((netuid, epoch)).count();
        assert_eq!(u32::try_from(bundles), Ok(state.bundles), "bundles differ from their count");
        let reports = rank::Reports::<Runtime>::iter_key_prefix((netuid, epoch)).count();
        assert_eq!(u32::try_from(reports), Ok(state.reports), "reports differ from their count");
        assert!(state.seed.is_some() || reports == 0, "a report came before the challenge");
        let settlement = rank::Settlements::<Runtime>::get(netuid, epoch);
        assert_eq!(settlement.is_some(), state.settled, "an epoch is settled without a settlement, or the reverse");
        let Some(settlement) = settlement else { continue };
        let paid: u128 = settlement.payouts.iter().map(|payout| u128::from(payout.amount)).sum();
        assert_eq!(paid + u128::from(settlement.dust), u128::from(settlement.emission), "payouts and dust");
        let behind = settlement.payouts.iter().any(|payout| payout.tripped && payout.amount > 0);
        assert!(!behind, "a miner was paid behind a tripped gate");
    }
    let known = |netuid, epoch| rank::Epochs::<Runtime>::contains_key(netuid, epoch);
    assert!(rank::Settlements::<Runtime>::iter_keys().all(|(on, epoch)| known(on, epoch)), "a settlement of no epoch");
    assert!(rank::Bundles::<Runtime>::iter_keys().all(|(on, epoch, _)| known(on, epoch)), "a bundle of no epoch");
    assert!(rank::Reports::<Runtime>::iter_keys().all(|(on, epoch, _)| known(on, epoch)), "a report of no epoch");
    for (netuid, running) in rank::RunningEpoch::<Runtime>::iter() {
        assert!(known(netuid, running), "the running epoch is not stored");
        let stored = rank::Epochs::<Runtime>::iter_key_prefix(netuid).count();
        assert!(stored <= 8, "{stored} epochs are kept of {netuid:?}");
    }
    for (netuid, count) in rank::CellCount::<Runtime>::iter() {
        let cells = rank::Cells::<Runtime>::iter_key_prefix(netuid).count();
        assert_eq!(u32::try_from(cells), Ok(count), "CellCount differs from the cells");
    }
    for (_, id, (cell, _)) in rank::Cells::<Runtime>::iter() {
        assert!(id.0 == cell.id() && cell.is_normalised(), "a cell is stored under another's id");
    }
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
    use pallet_subtensor::TotalStake;
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
