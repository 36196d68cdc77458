// SPDX-License-Identifier: Apache-2.0

use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo, inherent::ProvideInherent};
use frame_system::RawOrigin;
use sp_inherents::InherentData;
use sp_runtime::DispatchError;

fn announce(byte: u8) {
    assert_ok!(MevShield::announce_next_key(RawOrigin::None.into(), Some(key(byte))));
}

/// First bytes of `CurrentKey`, `PendingKey`, `NextKey`.
fn keys() -> [Option<u8>; 3] {
    [CurrentKey::<Test>::get(), PendingKey::<Test>::get(), NextKey::<Test>::get()].map(|key| key.map(|key| key[0]))
}

#[test]
fn keys_move_on_by_one_when_a_block_announces_another() {
    build_and_execute(|| {
        let expected = [
            [None, None, None],
            [None, None, Some(1)],
            [None, Some(1), Some(2)],
            [Some(1), Some(2), Some(3)],
            [Some(2), Some(3), Some(4)],
        ];
        for (block, expected) in (1..).zip(expected) {
            announce(block);
            assert_eq!(keys(), expected, "block {block}");
            MevShield::do_try_state().unwrap();
            next_block();
        }
    });
}

#[test]
fn next_key_is_that_of_the_author_two_slots_later_when_three_take_turns() {
    build_and_execute(|| {
        authorities(&[0, 1, 2]);
        // Block b is made by author b % 3, who announces the key b.
        for block in 1..=9u8 {
            announce(block);
            // The author of block + 2 announced its key in block - 1.
            let next = (block > 1).then(|| block - 1);
            assert_eq!(keys()[2], next, "block {block}");
            next_block();
        }
    });
}

#[test]
fn terms_are_those_of_the_public_chain_when_keys_are_there() {
    build_and_execute(|| {
        announce(1);
        assert_eq!((PendingKeyExpiresAt::<Test>::get(), NextKeyExpiresAt::<Test>::get()), (None, None));
        next_block();
        announce(2);
        assert_eq!((PendingKeyExpiresAt::<Test>::get(), NextKeyExpiresAt::<Test>::get()), (None, Some(5)));
        next_block();
        announce(3);
        assert_eq!((PendingKeyExpiresAt::<Test>::get(), NextKeyExpiresAt::<Test>::get()), (Some(5), Some(6)));
    });
}

#[test]
fn author_is_skipped_when_it_announces_no_key() {
    build_and_execute(|| {
        announce(1);
        next_block();
        assert_ok!(MevShield::announce_next_key(RawOrigin::None.into(), None));
        assert_eq!(keys(), [None, None, Some(1)]);
        assert_eq!(AuthorKeys::<Test>::get(1), None);
        next_block();
        announce(3);
        assert_eq!(keys(), [None, Some(1), None]);
    });
}

#[test]
fn key_is_refused_when_it_has_another_length() {
    build_and_execute(|| {
        for len in [0, 1, 1_183, 1_185, 2_048] {
            let key = vec![1; len].try_into().unwrap();
            assert_noop!(MevShield::announce_next_key(RawOrigin::None.into(), Some(key)), Error::<Test>::BadEncKeyLen);
        }
    });
}

#[test]
fn announcement_is_refused_when_it_is_signed_or_root_or_nobody_makes_blocks() {
    build_and_execute(|| {
        for origin in [RawOrigin::Root, RawOrigin::Signed(1)] {
            assert_noop!(MevShield::announce_next_key(origin.into(), Some(key(1))), DispatchError::BadOrigin);
        }
        authorities(&[]);
        assert_noop!(MevShield::announce_next_key(RawOrigin::None.into(), Some(key(1))), Error::<Test>::Unreachable);
    });
}

#[test]
fn announcement_is_mandatory_when_it_comes_so_that_no_pool_takes_one() {
    build_and_execute(|| {
        let class = Call::<Test>::announce_next_key { enc_key: None }.get_dispatch_info().class;
        assert_eq!(class, frame_support::dispatch::DispatchClass::Mandatory);
    });
}

#[test]
fn inherent_announces_what_the_node_gave_when_there_is_something() {
    let inherent = |given: Option<InherentType>| {
        let mut data = InherentData::new();
        if let Some(given) = given {
            data.put_data(INHERENT_IDENTIFIER, &given).unwrap();
        }
        <MevShield as ProvideInherent>::create_inherent(&data)
    };
    build_and_execute(|| {
        assert_eq!(inherent(None), None, "a node without a keyring says nothing");
        assert_eq!(inherent(Some(None)), Some(Call::announce_next_key { enc_key: None }));
        assert_eq!(inherent(Some(Some(key(7)))), Some(Call::announce_next_key { enc_key: Some(key(7)) }));
        let short = vec![7; 5].try_into().unwrap();
        assert_eq!(inherent(Some(Some(short))), Some(Call::announce_next_key { enc_key: None }), "blocks go on");
        assert!(<MevShield as ProvideInherent>::is_inherent(&Call::announce_next_key { enc_key: None }));
        let ciphertext = Ciphertext::default();
        assert!(!<MevShield as ProvideInherent>::is_inherent(&Call::submit_encrypted { ciphertext }));
    });
}
