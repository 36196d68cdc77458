// SPDX-License-Identifier: Apache-2.0

use alloc::vec::Vec;

use crate::{MAX_KEPT_PULSES, MAX_PULSES_PER_BLOCK};

/// What checking a pulse takes of a block, in ms of Wasm on one core.
const PULSE_MS: u64 = 50;

/// Pulses that a block carries where one comes every `slot_ms`: checking them takes half of that at most.
///
/// One at least, since a beacon is slower than that, and [`MAX_PULSES_PER_BLOCK`] at most.
pub fn pulses_per_block(slot_ms: u64) -> u32 {
    let in_time = u32::try_from(slot_ms / (2 * PULSE_MS)).unwrap_or(u32::MAX);
    in_time.clamp(1, MAX_PULSES_PER_BLOCK)
}

/// Stored rounds that are looked at in search of a gap, at a time.
const MAX_SCANNED: u64 = 500;

/// What is stored, as whoever brings pulses knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The oldest round that may be stored.
    pub oldest: u64,
    /// The newest round that is.
    pub newest: u64,
    /// Every round from the oldest up to this one was found stored before; 0 if nothing is known.
    pub complete_until: u64,
}

/// What to bring, and how far everything was found stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Rounds, ascending, as many as were asked for at most.
    pub rounds: Vec<u64>,
    /// What [`Stored::complete_until`] is from now on.
    pub complete_until: u64,
}

/// What is missing when `published` is the beacon's newest round: the newest rounds, and of older gaps as many as there
/// is room for among `most`, the oldest first.
///
/// Asks `is_stored` of at most 501 rounds.
pub fn missing_rounds(published: u64, stored: Stored, most: u32, is_stored: impl Fn(u64) -> bool) -> Missing {
    let most = u64::from(most);
    let Stored { oldest, newest, complete_until } = stored;
    if newest == 0 {
        return Missing { rounds: (published > 0).then_some(published).into_iter().collect(), complete_until: 0 };
    }
    let from = published.saturating_sub(most).max(newest).saturating_add(1);
    let fresh = from..published.saturating_add(1).max(from);
    let room = most.saturating_sub(fresh.end.saturating_sub(fresh.start));
    // A mark above the newest round is of a former beacon.
    let known = if complete_until <= newest { complete_until } else { 0 };
    let from = known.max(oldest).max(floor(newest));
    let until = from.saturating_add(MAX_SCANNED).min(newest);
    let gaps: Vec<u64> = (from..=until).filter(|round| !is_stored(*round)).collect();
    let complete_until = gaps.first().copied().unwrap_or(until);
    Missing { rounds: gaps.into_iter().take(room as usize).chain(fresh).collect(), complete_until }
}

/// The oldest round that may be stored beside `newest`; never 0.
pub(crate) fn floor(newest: u64) -> u64 {
    newest.saturating_sub(MAX_KEPT_PULSES).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: u32 = MAX_PULSES_PER_BLOCK;

    #[test]
    fn few_rounds_are_brought_when_blocks_come_fast() {
        let slots = [0, 100, 250, 1_000, 2_000, 12_000, u64::MAX];
        assert_eq!(slots.map(pulses_per_block), [1, 1, 2, 10, 20, 20, 20]);
        // After a pause: the newest at once, then what lies before them, two by two.
        let mut have: Vec<u64> = (1..=100).collect();
        let mut stored = Stored { oldest: 1, newest: 100, complete_until: 0 };
        for expected in [[109, 110], [101, 102], [103, 104], [105, 106], [107, 108]] {
            let missing = missing_rounds(110, stored, pulses_per_block(250), |round| have.contains(&round));
            assert_eq!(missing.rounds, expected);
            have.extend(&missing.rounds);
            stored = Stored { newest: 110, complete_until: missing.complete_until, ..stored };
        }
        assert!(missing_rounds(110, stored, 2, |round| have.contains(&round)).rounds.is_empty());
    }

    #[test]
    fn missing_is_the_newest_round_when_none_is_stored() {
        let none = Stored { oldest: 0, newest: 0, complete_until: 0 };
        assert_eq!(missing_rounds(77, none, MOST, |_| false).rounds, [77]);
        assert!(missing_rounds(0, none, MOST, |_| false).rounds.is_empty());
    }

    #[test]
    fn missing_ends_at_the_published_round_when_it_runs_ahead() {
        let stored = Stored { oldest: 90, newest: 100, complete_until: 0 };
        let three = Missing { rounds: vec![101, 102, 103], complete_until: 100 };
        assert_eq!(missing_rounds(103, stored, MOST, |_| true), three);
        let far = missing_rounds(1_000, stored, MOST, |_| true).rounds;
        assert_eq!((far.len(), far.first(), far.last()), (MOST as usize, Some(&981), Some(&1_000)));
    }

    #[test]
    fn missing_is_nothing_when_the_clock_runs_behind() {
        let stored = Stored { oldest: 90, newest: 100, complete_until: 95 };
        assert!(missing_rounds(50, stored, MOST, |_| true).rounds.is_empty());
    }

    #[test]
    fn gaps_come_first_and_are_left_out_when_there_is_no_room() {
        let stored = Stored { oldest: 10, newest: 100, complete_until: 0 };
        let is_stored = |round| round > 40 || round % 2 == 0;
        let some = missing_rounds(102, stored, MOST, is_stored);
        assert_eq!(some.rounds, [11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33, 35, 37, 39, 101, 102]);
        assert_eq!(some.complete_until, 11);
        let full = missing_rounds(100 + u64::from(MOST), stored, MOST, is_stored);
        assert_eq!(full.rounds, (101..=120).collect::<Vec<_>>());
    }

    #[test]
    fn scan_goes_on_where_it_stopped_when_called_again() {
        let mut stored = Stored { oldest: 1, newest: 10_000, complete_until: 0 };
        let mut runs = 0;
        loop {
            let missing = missing_rounds(10_000, stored, MOST, |round| round != 9_999);
            runs += 1;
            stored.complete_until = missing.complete_until;
            if !missing.rounds.is_empty() {
                assert_eq!((missing.rounds, missing.complete_until), (vec![9_999], 9_999));
                break;
            }
        }
        assert_eq!(runs, 20);
        stored.complete_until = 20_000;
        assert_eq!(missing_rounds(10_000, stored, MOST, |_| true).complete_until, 501);
    }

    #[test]
    fn scan_starts_at_what_is_kept_when_the_oldest_lies_below() {
        let stored = Stored { oldest: 1, newest: MAX_KEPT_PULSES + 9, complete_until: 0 };
        assert_eq!(missing_rounds(0, stored, MOST, |_| false).complete_until, 10);
    }
}
