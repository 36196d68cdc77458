// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::Path;

use async_trait::async_trait;
use clawrank_client::{
    ClientError,
    types::{AccountId, Beacon, BundleCommit, Call, Commitment, Hash, Head, Submitted, TimelockedCommit, WeightCommit},
};
use clawrank_primitives::Params;
use clawrank_protocol::{Hex, Hotkey, proof::Keypair};
use clawrank_validator::report::{Earned, IntelReport, MechanismReport, REPORT_VERSION, ServingReport};
use tokio::sync::watch;

use super::*;

const TAO: u64 = 1_000_000_000;

/// A subnet that stands still.
struct Still {
    subnet: SubnetSnapshot,
}

#[async_trait]
impl ChainPort for Still {
    fn genesis_hash(&self) -> Hash {
        [7; 32]
    }

    fn heads(&self) -> watch::Receiver<Option<Head>> {
        watch::channel(Some(self.subnet.head)).1
    }

    fn has_provider_rank(&self) -> bool {
        true
    }

    async fn subnet(&self, netuid: u16) -> Result<SubnetSnapshot, ClientError> {
        assert_eq!(netuid, self.subnet.netuid);
        Ok(self.subnet.clone())
    }

    async fn subnet_at(&self, netuid: u16, _block: Hash) -> Result<SubnetSnapshot, ClientError> {
        self.subnet(netuid).await
    }

    async fn block(&self, _number: u64) -> Result<Option<Head>, ClientError> {
        Ok(None)
    }

    async fn weights(&self, _netuid: u16, mecid: u8) -> Result<Vec<(u16, Vec<(u16, u16)>)>, ClientError> {
        // Uid 1 has less stake than uid 0, whose row is the one to show.
        Ok(match mecid {
            0 => vec![(0, vec![(2, 65_535), (3, 21_845)]), (1, vec![(3, 65_535)])],
            _ => vec![(0, vec![(2, 65_535)])],
        })
    }

    async fn weight_commits(&self, _: u16, _: u8, _: &AccountId) -> Result<Vec<WeightCommit>, ClientError> {
        Ok(Vec::new())
    }

    async fn timelocked_commits(&self, _: u16, _: u8, _: u64) -> Result<Vec<TimelockedCommit>, ClientError> {
        Ok(Vec::new())
    }

    async fn beacon(&self) -> Result<Option<Beacon>, ClientError> {
        Ok(None)
    }

    async fn pulse(&self, _round: u64) -> Result<Option<[u8; 48]>, ClientError> {
        Ok(None)
    }

    async fn pulse_at(&self, _round: u64, _block: Hash) -> Result<Option<[u8; 48]>, ClientError> {
        Ok(None)
    }

    async fn commitments(&self, _netuid: u16) -> Result<Vec<Commitment>, ClientError> {
        Ok(Vec::new())
    }

    async fn bundle_commits(&self, _netuid: u16, _epoch: u64) -> Result<Vec<BundleCommit>, ClientError> {
        Ok(Vec::new())
    }

    async fn payouts(&self, _netuid: u16) -> Result<Vec<EpochPayout>, ClientError> {
        let payout = |epoch, uid, tao: u64| EpochPayout { epoch, uid, amount_rao: tao * TAO };
        Ok(vec![payout(41, 2, 900), payout(42, 2, 3), payout(42, 3, 1)])
    }

    async fn params(&self, _netuid: u16, _block: Hash) -> Result<Option<Params>, ClientError> {
        Ok(None)
    }

    async fn submit(&self, _signer: &Keypair, _call: Call) -> Result<Submitted, ClientError> {
        panic!("looking changes nothing")
    }
}

fn hotkey(uid: u16) -> AccountId {
    Keypair::dev(&format!("//uid//{uid}")).unwrap().public()
}

fn neuron(uid: u16, mechanisms: u8) -> Neuron {
    let validates = uid < 2;
    Neuron {
        uid,
        hotkey: hotkey(uid),
        coldkey: Keypair::dev("//cold").unwrap().public(),
        stake_rao: [20_000 * TAO, 1_234 * TAO + 567_890_000, 0, 0, 0][usize::from(uid)],
        validator_permit: validates,
        active: validates,
        registered_at: 10,
        axon: None,
        last_update: if validates { vec![980, 990] } else { vec![0, 0] },
        incentive: [[0, 0], [0, 0], [49_151, 65_535], [16_384, 0], [0, 0]][usize::from(uid)][..usize::from(mechanisms)]
            .to_vec(),
        dividends: [61_000, 4_535, 0, 0, 0][usize::from(uid)],
        emission_rao: [0, 0, 12 * TAO + 345_678_900, 4 * TAO, 0][usize::from(uid)],
    }
}

fn chain(mechanisms: u8) -> Still {
    Still {
        subnet: SubnetSnapshot {
            head: Head { number: 1_000, hash: [0xab; 32], timestamp_ms: 1_800_000_000_000 },
            netuid: 92,
            tempo: 360,
            epoch_index: 43,
            last_epoch_block: 900,
            pending_epoch_at: 0,
            blocks_since_last_step: 100,
            owner_coldkey: None,
            owner_uid: None,
            commit_reveal: true,
            commit_reveal_version: 4,
            reveal_period_epochs: 1,
            weights_rate_limit: 100,
            weights_version_key: 0,
            min_allowed_weights: 1,
            max_allowed_uids: 256,
            immunity_period: 5_000,
            mechanism_count: mechanisms,
            max_mechanisms: 2,
            stake_threshold_rao: 0,
            block_time_ms: 12_000,
            neurons: (0..5).map(|uid| neuron(uid, mechanisms)).collect(),
        },
    }
}

fn earned(share_ppb: u32, units: u32, weight: u16) -> Earned {
    Earned { share_ppb, units, weight }
}

/// What a validator found: one honest miner, one whose gate tripped, and a ghost.
pub(crate) fn report(blended: bool) -> Report {
    let serving = |ghost, score, earned| ServingReport {
        ghost,
        score,
        earned: if blended { Earned::default() } else { earned },
        ..ServingReport::default()
    };
    let intel = |gate, reason: Option<&str>, score, earned| IntelReport {
        gate,
        reason: reason.map(str::to_owned),
        score,
        earned: if blended { Earned::default() } else { earned },
        ..IntelReport::default()
    };
    let miner = |uid, serving: ServingReport, intel: IntelReport, both: Earned, why: &str| MinerReport {
        uid,
        hotkey: Hotkey(hotkey(uid)),
        serving,
        intel,
        blended: blended.then_some(both),
        why: why.to_owned(),
    };
    let nothing = Earned::default();
    let miners = vec![
        miner(
            2,
            serving(false, 987_654_321, earned(750_000_000, 49_151, 65_535)),
            intel(GateState::Open, None, 12_345_678_901_234, earned(1_000_000_000, 65_535, 65_535)),
            earned(875_000_000, 60_000, 65_535),
            "serves 75.00 %; gate open, 2 of 2 cells verified",
        ),
        miner(
            3,
            serving(false, 329_218_107, earned(250_000_000, 16_384, 21_845)),
            intel(GateState::Tripped, Some("LatencyOutOfTolerance"), 0, nothing),
            earned(125_000_000, 8_571, 9_362),
            "serves 25.00 %; gate 0: claims 400 ms, 31 of 32 replays are slower",
        ),
        miner(4, serving(true, 0, nothing), intel(GateState::NoBundle, None, 0, nothing), nothing, "a ghost"),
    ];
    let mechanism = |mecid, name: &str, uids: Vec<u16>, weights| MechanismReport {
        mecid,
        name: name.to_owned(),
        uids,
        weights,
        capped: 0,
        shortfall_used: true,
        skipped: None,
    };
    let mechanisms = if blended {
        vec![mechanism(0, "blended", vec![2, 3], vec![65_535, 9_362])]
    } else {
        vec![mechanism(0, "serving", vec![2, 3], vec![65_535, 21_845]), mechanism(1, "intel", vec![2], vec![65_535])]
    };
    Report {
        version: REPORT_VERSION,
        genesis: Hex([7; 32]),
        netuid: 92,
        epoch: 42,
        block: 950,
        block_time_ms: 1_799_999_400_000,
        start_block: 540,
        deadline_block: 880,
        seed: None,
        validator: Hotkey(hotkey(0)),
        validator_uid: Some(0),
        preset: "local".to_owned(),
        notice: Some("preset `local`: traffic without a fee counts".to_owned()),
        dry_run: true,
        replays: 64,
        cells: Vec::new(),
        miners,
        mechanisms,
        commits: Vec::new(),
        refused_receipts: Vec::new(),
        blocked: vec![blocked()],
        warnings: vec!["the clock is 9 s behind".to_owned()],
    }
}

fn blocked() -> BlockedReport {
    BlockedReport {
        mecid: 0,
        reason: "rate_limit".to_owned(),
        message: "set 20 blocks ago, again after 100".to_owned(),
        until_block: Some(1_081),
        until_ms: None,
    }
}

/// A validator's folder with this report.
fn folder(report: &Report) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let reports = folder.path().join("reports");
    std::fs::create_dir(&reports).unwrap();
    std::fs::write(reports.join("latest.json"), serde_json::to_vec(report).unwrap()).unwrap();
    let standing = Standing {
        block: 1_000,
        form: Some("timelocked".to_owned()),
        blocked: vec![blocked()],
        warnings: report.warnings.clone(),
        ..Standing::default()
    };
    std::fs::write(reports.join("standing.json"), serde_json::to_vec(&standing).unwrap()).unwrap();
    folder
}

/// Compares with a file of `tests/data`, spaces at the ends of lines aside.
pub(crate) fn is_golden(name: &str, printed: &str) {
    let printed: String = printed.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == printed, "{} is:\n{golden}\nprinted was:\n{printed}", path.display());
}

#[tokio::test]
async fn table_shows_gates_scores_and_shares_when_a_validators_folder_is_given() {
    let folder = folder(&report(false));
    let status = read(&chain(2), 92, Some(folder.path())).await.unwrap();
    is_golden("status.txt", &text(&status));
}

#[tokio::test]
async fn table_shows_what_the_chain_says_when_there_is_no_report() {
    let empty = tempfile::tempdir().unwrap();
    let alone = text(&read(&chain(2), 92, None).await.unwrap());
    is_golden("status-chain.txt", &alone);
    assert_eq!(text(&read(&chain(2), 92, Some(empty.path())).await.unwrap()), alone);
}

#[tokio::test]
async fn table_shows_one_share_when_mechanisms_are_blended() {
    let folder = folder(&report(true));
    is_golden("status-blended.txt", &text(&read(&chain(1), 92, Some(folder.path())).await.unwrap()));
}

#[tokio::test]
async fn json_shows_gates_scores_and_shares_when_a_validators_folder_is_given() {
    let folder = folder(&report(false));
    let status = serde_json::to_value(read(&chain(2), 92, Some(folder.path())).await.unwrap()).unwrap();
    assert_eq!((&status["epoch"], &status["report_epoch"]), (&43.into(), &42.into()));
    assert_eq!((&status["blocks_to_next_epoch"], &status["seconds_to_next_epoch"]), (&260.into(), &3_120.into()));
    assert_eq!(status["standing"]["blocked"][0]["reason"], "rate_limit");
    let of = |uid: usize, field: &str| status["neurons"][uid][field].clone();
    let json = |value: &str| serde_json::from_str::<serde_json::Value>(value).unwrap();
    for (uid, field, value) in [
        (0, "role", r#""validator""#),
        (0, "gate", "null"),
        (0, "share_ppb", "[]"),
        (0, "last_commit_block", "[980, 990]"),
        (2, "role", r#""miner""#),
        (2, "gate", r#""open""#),
        (2, "serving_score", r#""987654321""#),
        (2, "intel_score", r#""12345678901234""#),
        (2, "share_ppb", "[750000000, 1000000000]"),
        (2, "weight_u16", "[65535, 65535]"),
        (2, "payout_rao", "3000000000"),
        (3, "gate", r#""0: LatencyOutOfTolerance""#),
        (3, "weight_u16", "[21845, 0]"),
        (4, "gate", r#""ghost""#),
        (4, "intel_score", r#""0""#),
    ] {
        assert_eq!(of(uid, field), json(value), "{field} of uid {uid}");
    }
}

#[tokio::test]
async fn file_is_named_when_it_is_no_report() {
    let folder = folder(&report(false));
    let file = folder.path().join("reports/latest.json");
    std::fs::write(&file, "{}").unwrap();
    let error = read(&chain(2), 92, Some(folder.path())).await.unwrap_err();
    assert_eq!(error.code(), 2);
    assert!(error.to_string().starts_with(&file.display().to_string()), "{error}");
}

#[test]
fn score_is_cut_to_three_digits_when_it_is_long() {
    for (digits, shown) in [("0", "0"), ("999999", "999999"), ("1999999", "1.99e6"), ("12345678901234", "1.23e13")] {
        assert_eq!(rounded(digits), shown);
    }
}
