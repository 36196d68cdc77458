// SPDX-License-Identifier: Apache-2.0

//! Cells and emissions: who may change them.

use super::mock::*;
use crate::*;
use codec::Decode;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

fn cell(name: &str) -> Cell {
    Cell::new(name, "openrouter:deepinfra", "chat").unwrap()
}

fn owner() -> RuntimeOrigin {
    RuntimeOrigin::signed(cold(HALF))
}

#[test]
fn cell_is_stored_under_its_id_when_the_owner_or_root_adds_it() {
    build_and_execute(|| {
        assert_ok!(ProviderRank::add_cell(owner(), NETUID, cell("a")));
        let id = H256(cell("a").id());
        assert_eq!(events().pop(), Some(Event::CellAdded { netuid: NETUID, id }));
        assert_ok!(ProviderRank::add_cell(RuntimeOrigin::root(), NETUID, cell("b")));
        let mut cells = ProviderRank::cells_of(NETUID);
        cells.sort();
        assert_eq!(cells, [(cell("a"), 1), (cell("b"), 1)]);
        assert_ok!(ProviderRank::remove_cell(owner(), NETUID, id));
        assert_eq!(events().pop(), Some(Event::CellRemoved { netuid: NETUID, id }));
        assert_eq!(CellCount::<Test>::get(NETUID), 1);
    });
}

#[test]
fn cell_is_refused_when_a_check_fails() {
    build_and_execute(|| {
        assert_noop!(ProviderRank::add_cell(signed(MINER), NETUID, cell("a")), Error::<Test>::NotSubnetOwner);
        assert_noop!(ProviderRank::add_cell(owner(), NetUid(91), cell("a")), Error::<Test>::NotSubnetOwner);
        assert_noop!(ProviderRank::add_cell(RuntimeOrigin::none(), NETUID, cell("a")), DispatchError::BadOrigin);
        // As a hostile sender could encode it: capitals, which `Cell::new` would have lowered.
        let mut bytes = codec::Encode::encode(&cell("abc"));
        bytes[1] = b'A';
        let raw = Cell::decode(&mut &bytes[..]).unwrap();
        assert_noop!(ProviderRank::add_cell(owner(), NETUID, raw), Error::<Test>::CellNotNormalised);
        for name in ["a", "b", "c"] {
            assert_ok!(ProviderRank::add_cell(owner(), NETUID, cell(name)));
        }
        assert_noop!(ProviderRank::add_cell(owner(), NETUID, cell("a")), Error::<Test>::CellAlreadyExists);
        assert_noop!(ProviderRank::add_cell(owner(), NETUID, cell("d")), Error::<Test>::TooManyCells);
        assert_noop!(ProviderRank::remove_cell(owner(), NETUID, H256::zero()), Error::<Test>::CellNotFound);
        assert_noop!(
            ProviderRank::remove_cell(signed(MINER), NETUID, H256(cell("a").id())),
            Error::<Test>::NotSubnetOwner
        );
    });
}

#[test]
fn emission_changes_when_root_says_so() {
    let mut genesis = genesis();
    for netuid in [5, 6] {
        let mut subnet = genesis.0.subnets[0].clone();
        subnet.netuid = NetUid(netuid);
        genesis.0.subnets.push(subnet);
    }
    build_with(genesis, || {
        let call = |origin, netuid| ProviderRank::force_set_epoch_emission(origin, NetUid(netuid), 7);
        assert_noop!(call(owner(), 92), DispatchError::BadOrigin);
        assert_noop!(call(RuntimeOrigin::root(), 91), Error::<Test>::SubnetNotTracked);
        assert_ok!(call(RuntimeOrigin::root(), 92));
        assert_eq!(events().pop(), Some(Event::EpochEmissionSet { netuid: NETUID, emission: 7 }));
        assert_ok!(call(RuntimeOrigin::root(), 5));
        assert_noop!(call(RuntimeOrigin::root(), 6), Error::<Test>::TooManySubnets);
        run_to(2);
        assert_eq!(ProviderRank::running_epoch(NetUid(5)).unwrap().0, 0);
    });
}
