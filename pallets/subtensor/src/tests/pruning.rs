// SPDX-License-Identifier: Apache-2.0

//! Who has to go when a subnet is full.

use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};

fn register(number: u16) -> DispatchResult {
    SubtensorModule::burned_register(RuntimeOrigin::signed(cold(number)), NETUID, hot(number))
}

/// The default subnet, full with its seven neurons, none of them immune from block 20 on.
fn full() -> Ext {
    Ext::with(|parameters| parameters.max_allowed_uids = Some(7))
}

fn emission(amounts: [u64; 7]) {
    Emission::<Test>::insert(NETUID, List::truncated(amounts.map(AlphaBalance).to_vec()));
}

fn registered(uid: u16, block: u64) {
    BlockAtRegistration::<Test>::insert(NETUID, uid, block);
}

fn next() -> Option<u16> {
    SubtensorModule::uid_to_replace(NETUID)
}

#[test]
fn least_paid_neuron_goes_when_the_subnet_is_full() {
    full().build_and_execute(|| {
        System::set_block_number(40);
        emission([0, 9, 8, 3, 2, 2, 5]);
        // Not the owner; of equals the one registered first, then the lower uid.
        assert_eq!(next(), Some(4));
        registered(4, 5);
        assert_eq!(next(), Some(5));
        registered(5, 5);
        assert_eq!(next(), Some(4));
        registered(4, 21);
        registered(5, 21);
        assert_eq!(next(), Some(3));
    });
}

#[test]
fn immune_neuron_goes_when_there_is_no_other() {
    full().build_and_execute(|| {
        run_to(19);
        emission([0, 9, 8, 3, 2, 4, 5]);
        // Registered at genesis with an immunity of 20 blocks.
        assert_eq!(next(), Some(4));
        registered(4, 19);
        System::set_block_number(20);
        // The only immune one by now, and the least paid: it stays.
        assert_eq!(next(), Some(3));
    });
}

#[test]
fn neurons_without_immunity_stay_when_there_are_too_few_of_them() {
    full().build_and_execute(|| {
        run_to(30);
        emission([0, 9, 8, 3, 2, 4, 5]);
        registered(5, 25);
        registered(6, 25);
        // Four without immunity: uids 1 to 4.
        MinNonImmuneUids::<Test>::insert(NETUID, 3);
        assert_eq!(next(), Some(4));
        MinNonImmuneUids::<Test>::insert(NETUID, 4);
        assert_eq!(next(), Some(5));
        registered(5, 1);
        registered(6, 1);
        // Six now, above the four that have to stay.
        assert_eq!(next(), Some(4));
        MinNonImmuneUids::<Test>::insert(NETUID, 10);
        assert_eq!(next(), None);
        assert_noop!(register(50), Error::<Test>::NoNeuronIdAvailable);
        MinNonImmuneUids::<Test>::insert(NETUID, 0);
        assert_ok!(register(50));
        assert_eq!(Keys::<Test>::get(NETUID, 4), hot(50));
    });
}

#[test]
fn neurons_of_the_owner_stay_when_the_limit_covers_them() {
    full().build_and_execute(|| {
        run_to(40);
        emission([0; 7]);
        let protected = || SubtensorModule::owner_immune_uids(NETUID);
        assert_eq!(protected(), [OWNER]);
        for (uid, block) in [(3, 9), (4, 8), (5, 8)] {
            Owner::<Test>::insert(hot(uid), cold(OWNER));
            OwnedHotkeys::<Test>::remove(cold(uid));
            registered(uid, block);
        }
        registered(OWNER, 20);
        // The owner's own hotkey first, then by age and uid.
        assert_eq!(protected(), [OWNER]);
        ImmuneOwnerUidsLimit::<Test>::insert(NETUID, 3);
        assert_eq!(protected(), [OWNER, 4, 5]);
        assert_eq!(next(), Some(1));
        ImmuneOwnerUidsLimit::<Test>::insert(NETUID, 10);
        assert_eq!(protected(), [4, 5, 3, OWNER]);
        ImmuneOwnerUidsLimit::<Test>::insert(NETUID, 0);
        assert!(protected().is_empty());
    });
}

#[test]
fn newcomer_is_refused_when_the_subnet_holds_nobody() {
    Ext::with(|parameters| parameters.max_allowed_uids = Some(7)).build_and_execute(|| {
        MaxAllowedUids::<Test>::insert(NETUID, 0);
        assert_noop!(register(50), Error::<Test>::NoNeuronIdAvailable);
        MaxAllowedUids::<Test>::insert(NETUID, 7);
    });
}
