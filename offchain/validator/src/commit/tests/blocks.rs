// SPDX-License-Identifier: Apache-2.0
//! Why weights cannot be set.

use clawrank_client::types::{Beacon, Neuron};

use super::*;

#[test]
fn blocked_names_the_reason_when_the_chain_would_refuse() {
    let check = |change: &dyn Fn(&mut SubnetSnapshot, &mut Neuron)| {
        let mut subnet = snapshot(1_050, 2);
        let mut me = subnet.neurons[0].clone();
        change(&mut subnet, &mut me);
        let clock = EpochClock::at(&subnet, &schedule()).unwrap();
        let facts = Facts {
            best: 0,
            is_pending: false,
            subnet: &subnet,
            clock: &clock,
            me: Some(&me),
            own: &[],
            stored: &[],
            beacon: None,
            has_pulse: false,
            mode: CommitMode::Auto,
            resubmit_after_blocks: 4,
        };
        blocked(&facts, 1, 1, 2)
    };
    assert_eq!(check(&|_, _| {}), None);
    assert_eq!(check(&|_, me| me.validator_permit = false), Some(Blocked::NoPermit { uid: 0, next: 1_100 }));
    assert_eq!(
        check(&|s, _| s.stake_threshold_rao = 1_001),
        Some(Blocked::TooLittleStake { stake_rao: 1_000, threshold_rao: 1_001 })
    );
    assert_eq!(check(&|s, _| s.weights_version_key = 2), Some(Blocked::OldVersion { ours: 1, wanted: 2 }));
    assert_eq!(check(&|s, _| s.min_allowed_weights = 3), Some(Blocked::TooFew { found: 2, wanted: 3 }));
    // No more weights than uids can be asked for.
    assert_eq!(check(&|s, _| s.min_allowed_weights = 300), Some(Blocked::TooFew { found: 2, wanted: 3 }));
    let rate = |last: u64| {
        check(&|s, me| {
            s.weights_rate_limit = 20;
            me.last_update[1] = last;
        })
    };
    assert_eq!(rate(1_040), Some(Blocked::TooFast { last: 1_040, next: 1_060 }));
    assert_eq!(rate(1_031), None);
    assert_eq!(rate(0), None);
    // The owner needs neither permit nor stake.
    let owner = check(&|s, me| {
        s.owner_uid = Some(0);
        s.stake_threshold_rao = u64::MAX;
        me.validator_permit = false;
    });
    assert_eq!(owner, None);
    assert!(Blocked::TooFast { last: 1_040, next: 1_060 }.to_string().contains("1060"));
}

/// The form and the hindrance with this mode, version and beacon.
fn committing(
    mode: CommitMode,
    version: u16,
    beacon: bool,
    change: &dyn Fn(&mut SubnetSnapshot),
) -> (Result<CommitForm, Blocked>, Option<Blocked>) {
    let mut subnet = snapshot(1_050, 2);
    subnet.block_time_ms = 12_000;
    subnet.commit_reveal_version = version;
    subnet.head.timestamp_ms = 1_000_000_000;
    change(&mut subnet);
    let clock = EpochClock::at(&subnet, &schedule()).unwrap();
    let beacon = beacon.then_some(Beacon { public_key: [0; 96], genesis_time: 1_000, period: 3, last_stored_round: 9 });
    let facts = Facts {
        best: 0,
        is_pending: false,
        subnet: &subnet,
        clock: &clock,
        me: subnet.neurons.first(),
        own: &[],
        stored: &[],
        beacon: beacon.as_ref(),
        has_pulse: false,
        mode,
        resubmit_after_blocks: 4,
    };
    (facts.form(), blocked(&facts, 1, 1, 2))
}

#[test]
fn blocked_is_unregistered_when_the_hotkey_has_no_uid() {
    // Registering comes first, whatever else is in the way.
    let cases: [(u16, u64); 3] = [(4, 0), (5, 0), (4, u64::MAX)];
    for (version, stake_threshold_rao) in cases {
        let (_, found) = committing(CommitMode::Auto, version, true, &|s| {
            s.neurons.clear();
            s.stake_threshold_rao = stake_threshold_rao;
        });
        let found = found.unwrap();
        assert_eq!(found, Blocked::Unregistered { netuid: 92 });
        assert_eq!(found.to_string(), "hotkey is not registered on subnet 92; register it");
        let report = found.report(1, &snapshot(1_050, 2));
        assert_eq!((report.reason.as_str(), report.until_block, report.until_ms), ("unregistered", None, None));
        assert!(found.is_alarm());
    }
}

#[test]
fn form_follows_the_chain_when_the_mode_is_auto() {
    let form = |mode, version, beacon| committing(mode, version, beacon, &|_| {}).0;
    assert_eq!(form(CommitMode::Auto, 4, true), Ok(CommitForm::Timelocked));
    assert_eq!(form(CommitMode::Auto, 4, false), Ok(CommitForm::Salted));
    assert_eq!(form(CommitMode::Salted, 4, true), Ok(CommitForm::Salted));
    assert_eq!(form(CommitMode::Timelock, 4, true), Ok(CommitForm::Timelocked));
    assert_eq!(form(CommitMode::Timelock, 4, false), Err(Blocked::NoBeacon));
    // The pallet is there, and no round ever came.
    let (subnet, mut beacon) = FakeChain::with_beacon(2, now_ms()).with(|s| (s.subnet.clone(), s.beacon.unwrap()));
    let clock = EpochClock::at(&subnet, &schedule()).unwrap();
    let mut with = |last_stored_round, mode| {
        beacon.last_stored_round = last_stored_round;
        let (own, stored, beacon) = (&[], &[], Some(&beacon));
        let resubmit_after_blocks = 4;
        Facts {
            best: 0,
            is_pending: false,
            subnet: &subnet,
            clock: &clock,
            me: None,
            own,
            stored,
            beacon,
            has_pulse: false,
            mode,
            resubmit_after_blocks,
        }
        .form()
    };
    assert_eq!(with(0, CommitMode::Auto), Ok(CommitForm::Salted));
    assert_eq!(with(1, CommitMode::Auto), Ok(CommitForm::Timelocked));
    assert_eq!(with(0, CommitMode::Timelock), Ok(CommitForm::Timelocked));
    // A version that nobody knew when this was written is no reason to guess.
    for version in [0, 3, 5] {
        assert_eq!(form(CommitMode::Auto, version, true), Err(Blocked::UnknownCommitVersion { found: version }));
    }
    let plain = committing(CommitMode::Timelock, 9, false, &|s| s.commit_reveal = false);
    assert_eq!(plain, (Ok(CommitForm::Plain), None));
}

#[test]
fn blocked_tells_block_and_time_when_waiting_helps() {
    let near = committing(CommitMode::Auto, 4, true, &|s| s.head.number = 1_098).1.unwrap();
    assert_eq!(near, Blocked::TooNearTheEnd { next: 1_100 });
    assert_eq!(committing(CommitMode::Auto, 4, true, &|s| s.head.number = 1_097).1, None);
    let mut subnet = snapshot(1_098, 2);
    subnet.block_time_ms = 12_000;
    let report = near.report(1, &subnet);
    assert_eq!((report.reason.as_str(), report.until_block), ("too_near_the_end", Some(1_100)));
    assert_eq!(report.until_ms, Some(subnet.head.timestamp_ms + 24_000));
    assert!(!near.is_alarm());
    // What waiting does not cure has no block.
    let version = committing(CommitMode::Auto, 5, true, &|_| {}).1.unwrap();
    assert!(version.is_alarm() && version.report(0, &subnet).until_block.is_none());
    assert!(version.to_string().contains("version 5"), "{version}");
}

#[test]
fn blocked_names_the_beacon_when_no_round_fits() {
    // 100 blocks of 10 ms: an epoch is over before the next round.
    let short = committing(CommitMode::Auto, 4, true, &|s| s.block_time_ms = 10).1.unwrap();
    assert!(matches!(short, Blocked::NoRound(round::Unplannable::TooShort { .. })), "{short}");
    let zero = committing(CommitMode::Auto, 4, true, &|s| s.reveal_period_epochs = 0).1.unwrap();
    assert!(matches!(zero, Blocked::NoRound(round::Unplannable::NoSchedule { period: 0, .. })), "{zero}");
}
