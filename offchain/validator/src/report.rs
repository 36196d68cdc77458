// SPDX-License-Identifier: Apache-2.0
//! What a validator found in an epoch, for people and for other tools: `reports/epoch-<e>.json` and `latest.json`; and
//! where it stands with the chain, `standing.json`.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use clawrank_client::types::MinerVerdict;
use clawrank_protocol::{
    Hex, Hotkey,
    cells::{CellTable, MeasuredCell},
};
use clawrank_store::journal::{CommitForm, CommitState, Journal};
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    commit::{blocked::BlockedReport, standing::Standing},
    files::Files,
};

/// Blocks after which `standing.json` is written though it says nothing new.
const STANDING_BLOCKS: u64 = 5;

/// Version of the report's layout.
pub const REPORT_VERSION: u16 = 2;

/// Everything found in one epoch. Hashes are hexadecimal, hotkeys ss58, `u128` decimal text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// [`REPORT_VERSION`].
    pub version: u16,
    /// Genesis hash of the chain.
    pub genesis: Hex<32>,
    /// Subnet.
    pub netuid: u16,
    /// Which epoch.
    pub epoch: u64,
    /// Block that the scores were made at.
    pub block: u64,
    /// That block's time, Unix milliseconds.
    pub block_time_ms: u64,
    /// First block of the epoch.
    pub start_block: u64,
    /// Last block at which a bundle counted.
    pub deadline_block: u64,
    /// The challenge seed; absent where the epoch had none yet.
    pub seed: Option<Hex<32>>,
    /// Who reports.
    pub validator: Hotkey,
    /// Its uid, if registered.
    pub validator_uid: Option<u16>,
    /// Rules that were used: the preset's name, the file, or `chain at block <n>`.
    pub preset: String,
    /// What a reader must know about these rules.
    pub notice: Option<String>,
    /// Whether nothing of this is sent to the chain.
    pub dry_run: bool,
    /// Replays that were made.
    pub replays: u32,
    /// What they showed of every cell with enough of them: the table that gateways route by.
    #[serde(default)]
    pub cells: Vec<MeasuredCell>,
    /// One entry per uid with a probe, traffic or a bundle, by uid.
    pub miners: Vec<MinerReport>,
    /// What is to be put on chain, by mechanism.
    pub mechanisms: Vec<MechanismReport>,
    /// How far that is; rewritten as it moves.
    pub commits: Vec<CommitReport>,
    /// Receipts refused since the journal began.
    pub refused_receipts: Vec<RefusedReceipts>,
    /// Why weights cannot be set now, and when they can; empty where they can. Rewritten as it changes.
    pub blocked: Vec<BlockedReport>,
    /// What somebody should look at: settings of the subnet, clocks, the beacon. Rewritten as it changes.
    pub warnings: Vec<String>,
}

/// One miner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinerReport {
    /// Position in the subnet.
    pub uid: u16,
    /// Whose.
    pub hotkey: Hotkey,
    /// Mechanism 0.
    pub serving: ServingReport,
    /// Mechanism 1.
    pub intel: IntelReport,
    /// Both in one, where the chain runs one mechanism.
    pub blended: Option<Earned>,
    /// All of it in words.
    pub why: String,
}

/// What a score comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earned {
    /// Share in parts per billion.
    pub share_ppb: u32,
    /// Chain units.
    pub units: u32,
    /// Weight as the chain stores it.
    pub weight: u16,
}

/// Serving of one miner (rules §1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServingReport {
    /// Whether it has no share until it answers a probe.
    pub ghost: bool,
    /// Base in parts per billion.
    pub base_ppb: u32,
    /// Response time of the last probe, if it was answered.
    pub last_probe_ms: Option<u32>,
    /// Why the last probe was not answered.
    pub last_failure: String,
    /// Probes answered among the last.
    pub answered: u32,
    /// Those last ones.
    pub probes: u32,
    /// Model of the last probe.
    pub model: String,
    /// Whether that model is on the whitelist.
    pub whitelisted: bool,
    /// Tokens of all counted receipts of the window.
    pub tokens: u64,
    /// Tokens that count.
    pub eligible_tokens: u64,
    /// Different payers.
    pub payers: u32,
    /// Score.
    #[serde(with = "text")]
    pub score: u128,
    /// What it comes to in mechanism 0; zero where mechanisms are blended.
    pub earned: Earned,
}

/// Where a gate stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateState {
    /// No checked bundle.
    #[default]
    NoBundle,
    /// Every check passed.
    Open,
    /// A check failed.
    Tripped,
}

/// Intel of one miner (rules §2 – §4.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntelReport {
    /// The gate.
    pub gate: GateState,
    /// Name of the reason of a tripped gate.
    pub reason: Option<String>,
    /// Its code on chain, 0 where it is open.
    pub reason_code: u8,
    /// What shows it, in words.
    pub evidence: String,
    /// Committed root.
    pub root: Option<Hex<32>>,
    /// Cells in the bundle.
    pub cells_covered: u32,
    /// Cells that the replays could verify.
    pub cells_verified: u32,
    /// Coverage in parts per billion.
    pub coverage_ppb: u32,
    /// Verified cells.
    pub cells: Vec<CellScore>,
    /// Score.
    #[serde(with = "text")]
    pub score: u128,
    /// What it comes to in mechanism 1; zero where mechanisms are blended.
    pub earned: Earned,
}

/// One verified cell of a miner, in parts per billion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellScore {
    /// Model.
    pub model: String,
    /// Endpoint.
    pub endpoint: String,
    /// Kind of task.
    pub task_type: String,
    /// Value: demand in tokens, at least 1.
    pub value: u64,
    /// A.
    pub accuracy_ppb: u32,
    /// U.
    pub usefulness_ppb: u32,
    /// F.
    pub freshness_ppb: u32,
    /// S.
    pub score_ppb: u32,
}

/// Weights of one mechanism.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MechanismReport {
    /// Which mechanism.
    pub mecid: u8,
    /// `serving`, `intel` or `blended`.
    pub name: String,
    /// Whom, ascending.
    pub uids: Vec<u16>,
    /// How much, aligned.
    pub weights: Vec<u16>,
    /// Miners at the cap.
    pub capped: u32,
    /// Whether the cap could not hold and the shortfall rule decided.
    pub shortfall_used: bool,
    /// Why there are no weights.
    pub skipped: Option<String>,
}

/// How far weights are on their way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitReport {
    /// Which mechanism.
    pub mecid: u8,
    /// 0 for the first; one that was made in the place of another counts on.
    pub seq: u32,
    /// State.
    pub state: CommitState,
    /// How they get onto the chain; absent until they are sealed, since the chain may change its way until then.
    pub form: Option<CommitForm>,
    /// Committed hash, or blake2-256 of the ciphertext; zeros before it is sealed.
    pub hash: Hex<32>,
    /// Round of the beacon that opens it, if it is timelocked and sealed.
    pub round: Option<u64>,
    /// Block of the last change.
    pub block: u64,
    /// Epoch the chain put the commit in.
    pub chain_epoch: Option<u64>,
    /// Block of the commit.
    pub commit_block: Option<u64>,
    /// Last answer of the chain that was not a success.
    pub detail: String,
}

/// Receipts of one gateway that did not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedReceipts {
    /// The gateway.
    pub gateway: Hotkey,
    /// Why.
    pub reason: String,
    /// How many.
    pub count: u64,
}

impl Report {
    /// What gateways are told of the endpoints; `None` where nothing was replayed.
    #[must_use]
    pub fn table(&self) -> Option<CellTable> {
        let cells = self.cells.clone();
        (!cells.is_empty()).then_some(CellTable { epoch: self.epoch, block: self.block, cells })
    }

    /// What `ProviderRank` is told: one verdict per checked bundle.
    #[must_use]
    pub fn verdicts(&self) -> Vec<MinerVerdict> {
        let checked = self.miners.iter().filter(|miner| miner.intel.gate != GateState::NoBundle);
        checked
            .map(|miner| MinerVerdict {
                uid: miner.uid,
                tripped: miner.intel.gate == GateState::Tripped,
                reason: miner.intel.reason_code,
                score: miner.intel.score,
            })
            .collect()
    }
}

/// Writes reports to their folder. One that cannot be written now is written later; see [`Files`].
#[derive(Clone, Debug)]
pub(crate) struct Reporter {
    folder: PathBuf,
    files: Files,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    standing: Standing,
    /// Whether `standing.json` says something older.
    is_unwritten: bool,
    /// Epochs whose report says something older than the journal.
    unwritten: BTreeSet<u64>,
}

impl Reporter {
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self { folder: data_dir.join("reports"), files: Files::new("report"), known: Arc::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the validator stood at the last look.
    pub(crate) fn standing(&self) -> Standing {
        self.known().standing.clone()
    }

    /// Writes `standing.json` where it says anything new, and after [`STANDING_BLOCKS`] blocks.
    pub(crate) async fn stand(&self, standing: Standing) -> Result<(), Error> {
        {
            let known = self.known();
            let is_old = standing.block >= known.standing.block.saturating_add(STANDING_BLOCKS);
            if standing.says_the_same(&known.standing) && !is_old && !known.is_unwritten {
                return Ok(());
            }
        }
        let mut text = serde_json::to_vec_pretty(&standing).map_err(|error| Error::Stored {
            what: "standing",
            epoch: standing.epoch,
            why: error.to_string(),
        })?;
        text.push(b'\n');
        self.known().standing = standing;
        let is_written = self.files.store(self.folder.join("standing.json"), text).await?;
        self.known().is_unwritten = !is_written;
        Ok(())
    }

    /// Writes the reports that could not be written before.
    pub(crate) async fn catch_up(&self, journal: &Journal) -> Result<(), Error> {
        let epochs = self.known().unwritten.clone();
        for epoch in epochs {
            self.publish(journal, epoch).await?;
        }
        Ok(())
    }

    /// Writes the stored report of an epoch with the present state of its commits; `latest.json` as well where no newer
    /// epoch has a report. Without a stored report, nothing.
    pub(crate) async fn publish(&self, journal: &Journal, epoch: u64) -> Result<(), Error> {
        let row = journal.epoch(epoch).await?.filter(|row| !row.report.is_empty());
        self.known().unwritten.remove(&epoch);
        let Some(row) = row else { return Ok(()) };
        let mut report: Report = serde_json::from_str(&row.report).map_err(|error| Error::Stored {
            what: "report",
            epoch,
            why: error.to_string(),
        })?;
        report.commits = commits(journal, epoch).await?;
        let standing = self.standing();
        if standing.block > 0 {
            (report.blocked, report.warnings) = (standing.blocked, standing.warnings);
        }
        let newer = journal.epoch(epoch.saturating_add(1)).await?.is_some_and(|row| !row.report.is_empty());
        self.write(&report, !newer).await
    }

    async fn write(&self, report: &Report, latest: bool) -> Result<(), Error> {
        let mut text = serde_json::to_vec_pretty(report).map_err(|error| Error::Stored {
            what: "report",
            epoch: report.epoch,
            why: error.to_string(),
        })?;
        text.push(b'\n');
        let names = [Some(format!("epoch-{}.json", report.epoch)), latest.then(|| "latest.json".to_owned())];
        for name in names.into_iter().flatten() {
            if !self.files.store(self.folder.join(name), text.clone()).await? {
                self.known().unwritten.insert(report.epoch);
                break;
            }
        }
        Ok(())
    }
}

/// State of an epoch's commits.
async fn commits(journal: &Journal, epoch: u64) -> Result<Vec<CommitReport>, Error> {
    let rows = journal.commits_of(epoch).await?.into_iter();
    let report = rows.map(|row| CommitReport {
        mecid: row.mecid,
        seq: row.seq,
        state: row.state,
        form: (row.form == CommitForm::Plain || row.hash != [0; 32]).then_some(row.form),
        hash: Hex(row.hash),
        round: (row.round > 0).then_some(row.round),
        block: row.block,
        chain_epoch: row.chain_epoch,
        commit_block: row.commit_block,
        detail: row.detail,
    });
    Ok(report.collect())
}

/// `u128` as decimal text: JSON numbers lose digits in most readers.
mod text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(value: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom("not a decimal number"))
    }
}
