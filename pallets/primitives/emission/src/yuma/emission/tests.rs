// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

use super::*;
use proptest::prelude::*;

#[test]
fn split_is_41_41_18_when_the_cut_is_18_percent() {
    let split = split_41_41_18(Rao(100_000_000_000), 11_796, 0);
    assert_eq!(
        split,
        EmissionSplit {
            owner: Rao(17_999_542_229),
            server: Rao(41_000_228_885),
            validator: Rao(41_000_228_886),
            root: Rao::ZERO,
        }
    );
}

#[test]
fn split_gives_root_half_of_its_part_when_it_has_stake() {
    let split = split_41_41_18(Rao(200), 0, u16::MAX);
    assert_eq!((split.server, split.validator, split.root), (Rao(100), Rao(50), Rao(50)));
    assert_eq!(split_41_41_18(Rao(200), u16::MAX, 0).owner, Rao(200));
}

#[test]
fn mechanisms_share_evenly_when_no_proportions_are_set() {
    assert_eq!(split_mechanisms(Rao(101), &[0, 0]), [Rao(51), Rao(50)]);
    assert_eq!(split_mechanisms(Rao(100), &[1, 3]), [Rao(25), Rao(75)]);
    assert_eq!(split_mechanisms(Rao(100), &[]), []);
}

proptest! {
    #[test]
    fn splits_add_up_when_any_amount(
        total in any::<u64>(), cut in any::<u16>(), root in any::<u16>(), parts in prop::collection::vec(any::<u16>(), 1..5),
    ) {
        let split = split_41_41_18(Rao(total), cut, root);
        let sum = [split.owner, split.server, split.validator, split.root].into_iter().map(u128::from).sum::<u128>();
        prop_assert_eq!(sum, u128::from(total));
        let sum = split_mechanisms(Rao(total), &parts).into_iter().map(u128::from).sum::<u128>();
        prop_assert_eq!(sum, u128::from(total));
    }
}
