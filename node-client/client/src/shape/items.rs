// SPDX-License-Identifier: Apache-2.0

//! What this crate reads, calls and signs, in the shape it speaks.

/// An item by name, whether the client can do without it, and its shape.
pub(super) type Item = (&'static str, bool, &'static str);

/// The name of a storage item of [`STORAGE`]: only by one is storage read, so nothing is that is not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StorageName(&'static str);

/// The name of a constant of [`CONSTANTS`], likewise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConstantName(&'static str);

impl StorageName {
    /// Where it is asked for in a `const`, as [`item!`] does, an item that is not listed does not compile.
    pub(crate) const fn of(name: &'static str) -> Self {
        assert!(is_listed(name, STORAGE), "storage that `shape::STORAGE` does not list cannot be read");
        Self(name)
    }

    /// An item that is not listed, for tests of what holds for any.
    #[cfg(test)]
    pub(crate) const fn unlisted(name: &'static str) -> Self {
        Self(name)
    }

    /// `Pallet.Entry`.
    pub(crate) const fn as_str(self) -> &'static str {
        self.0
    }
}

impl ConstantName {
    /// As [`StorageName::of`].
    pub(crate) const fn of(name: &'static str) -> Self {
        assert!(is_listed(name, CONSTANTS), "a constant that `shape::CONSTANTS` does not list cannot be read");
        Self(name)
    }

    /// As [`StorageName::unlisted`].
    #[cfg(test)]
    pub(crate) const fn unlisted(name: &'static str) -> Self {
        Self(name)
    }

    /// `Pallet.Name`.
    pub(crate) const fn as_str(self) -> &'static str {
        self.0
    }
}

/// The [`StorageName`] of a literal.
macro_rules! item {
    ($name:literal) => {
        const { $crate::shape::StorageName::of($name) }
    };
}
pub(crate) use item;

const fn is_listed(name: &str, mut table: &[Item]) -> bool {
    while let [(known, ..), rest @ ..] = table {
        if is_same(name.as_bytes(), known.as_bytes()) {
            return true;
        }
        table = rest;
    }
    false
}

const fn is_same(mut left: &[u8], mut right: &[u8]) -> bool {
    while let ([l, lefts @ ..], [r, rights @ ..]) = (left, right) {
        if *l != *r {
            return false;
        }
        (left, right) = (lefts, rights);
    }
    left.is_empty() && right.is_empty()
}

/// Parameters of a subnet: read by their bytes, so only in the very shape below.
pub(crate) const SUBNET_PARAMS: StorageName = StorageName::of("ProviderRank.SubnetParams");

/// Storage items; the shape is `(keys) -> value`.
pub(super) const STORAGE: &[Item] = &[
    (
        "System.Account",
        false,
        "([u8; 32]) -> {nonce: u32, consumers: u32, providers: u32, sufficients: u32, data: {free: u64, reserved: u64, frozen: u64, flags: u128}}",
    ),
    ("System.Events", false, "() -> Vec<{phase: enum Phase, event: enum RuntimeEvent, topics: Vec<[u8; 32]>}>"),
    ("Timestamp.Now", false, "() -> u64"),
    ("SubtensorModule.NetworksAdded", false, "(u16) -> bool"),
    ("SubtensorModule.SubnetworkN", false, "(u16) -> u16"),
    ("SubtensorModule.Tempo", false, "(u16) -> u16"),
    ("SubtensorModule.SubnetEpochIndex", false, "(u16) -> u64"),
    ("SubtensorModule.LastEpochBlock", false, "(u16) -> u64"),
    ("SubtensorModule.PendingEpochAt", false, "(u16) -> u64"),
    ("SubtensorModule.BlocksSinceLastStep", false, "(u16) -> u64"),
    ("SubtensorModule.Burn", true, "(u16) -> u64"),
    ("SubtensorModule.SubnetOwner", false, "(u16) -> [u8; 32]"),
    ("SubtensorModule.SubnetOwnerHotkey", true, "(u16) -> [u8; 32]"),
    ("SubtensorModule.CommitRevealWeightsEnabled", false, "(u16) -> bool"),
    ("SubtensorModule.CommitRevealWeightsVersion", true, "() -> u16"),
    ("SubtensorModule.RevealPeriodEpochs", false, "(u16) -> u64"),
    ("SubtensorModule.WeightsSetRateLimit", false, "(u16) -> u64"),
    ("SubtensorModule.WeightsVersionKey", false, "(u16) -> u64"),
    ("SubtensorModule.MinAllowedWeights", false, "(u16) -> u16"),
    ("SubtensorModule.MaxAllowedUids", false, "(u16) -> u16"),
    ("SubtensorModule.ImmunityPeriod", false, "(u16) -> u16"),
    ("SubtensorModule.MaxMechanismCount", true, "() -> u8"),
    ("SubtensorModule.MechanismCountCurrent", true, "(u16) -> u8"),
    ("SubtensorModule.StakeThreshold", true, "() -> u64"),
    ("SubtensorModule.TaoWeight", true, "() -> u64"),
    ("SubtensorModule.Keys", false, "(u16, u16) -> [u8; 32]"),
    ("SubtensorModule.Owner", false, "([u8; 32]) -> [u8; 32]"),
    ("SubtensorModule.TotalHotkeyAlpha", false, "([u8; 32], u16) -> u64"),
    ("SubtensorModule.BlockAtRegistration", false, "(u16, u16) -> u64"),
    (
        "SubtensorModule.Axons",
        false,
        "(u16, [u8; 32]) -> {block: u64, version: u32, ip: u128, port: u16, ip_type: u8, protocol: u8, placeholder1: u8, placeholder2: u8}",
    ),
    ("SubtensorModule.Active", false, "(u16) -> Vec<bool>"),
    ("SubtensorModule.ValidatorPermit", false, "(u16) -> Vec<bool>"),
    ("SubtensorModule.Dividends", false, "(u16) -> Vec<u16>"),
    ("SubtensorModule.Emission", false, "(u16) -> Vec<u64>"),
    ("SubtensorModule.LastUpdate", false, "(u16) -> Vec<u64>"),
    ("SubtensorModule.Incentive", false, "(u16) -> Vec<u16>"),
    ("SubtensorModule.Weights", false, "(u16, u16) -> Vec<(u16, u16)>"),
    ("SubtensorModule.WeightCommits", false, "(u16, [u8; 32]) -> Vec<([u8; 32], u64, u64, u64)>"),
    ("SubtensorModule.TimelockedWeightCommits", true, "(u16, u64) -> Vec<([u8; 32], u64, Vec<u8>, u64)>"),
    (
        "Drand.BeaconConfig",
        true,
        "() -> {public_key: Vec<u8>, period: u32, genesis_time: u32, hash: Vec<u8>, group_hash: Vec<u8>, scheme_id: Vec<u8>, metadata: Vec<u8>}",
    ),
    ("Drand.LastStoredRound", true, "() -> u64"),
    ("Drand.Pulses", true, "(u64) -> {round: u64, randomness: Vec<u8>, signature: Vec<u8>}"),
    ("Commitments.CommitmentOf", false, "(u16, [u8; 32]) -> {deposit: u64, block: u32, info: Vec<enum Data>}"),
    ("ProviderRank.Bundles", true, "(u16, u64, [u8; 32]) -> {uid: u16, root: [u8; 32], count: u32, block: u64}"),
    (
        "ProviderRank.Settlements",
        true,
        "(u16, u64) -> {block: u64, emission: u64, dust: u64, reporting_stake: u64, total_stake: u64, payouts: Vec<{uid: u16, hotkey: [u8; 32], tripped: bool, score: u128, amount: u64}>}",
    ),
    (
        "ProviderRank.SubnetParams",
        true,
        "(u16) -> {version: u16, serving_rule: enum ServingRule, serving_share: u32, serving: {base_pool: u32, weight_whitelist: u32, weight_answered: u32, weight_response: u32, weight_reliability: u32, response_tiers: [{below_ms: u32, score: u32}; 4], response_rest: u32, probe_history: u32, probe_deadline_ms: u32, probe_output_tokens: u32, window_minutes: u32, tokens_per_micro_usd: Option<u64>, payer_cap: u32, recount_factor: u32}, intel: {weight_accuracy: u32, weight_usefulness: u32, weight_freshness: u32, weight_coverage: u32, band: u32, half_life_epochs: u32, n_min: u32, micro_usd_per_second: u64}, gate: {alpha: u32, noise: u32, tol: u32, k_min: u32, n_min: u32, latency_slack_ms: u32, window_slack_ms: u32, duplicate_attempts: u32}, challenge: {leaves: u32, replays_per_cell: u32}, cap: {cap: u32, shortfall: enum Shortfall}}",
    ),
];

/// Constants; the shape is that of the value.
pub(super) const CONSTANTS: &[Item] = &[
    (
        "System.Version",
        false,
        "{spec_name: str, impl_name: str, authoring_version: u32, spec_version: u32, impl_version: u32, apis: Vec<([u8; 8], u32)>, transaction_version: u32, system_version: u8}",
    ),
    ("Aura.SlotDuration", true, "u64"),
    ("Timestamp.MinimumPeriod", true, "u64"),
];

/// Constants that tell the time between blocks: either will do, or the runtime API [`BLOCK_TIME_API`].
pub(super) const BLOCK_TIME: [&str; 2] = ["Aura.SlotDuration", "Timestamp.MinimumPeriod"];

/// The runtime API that is asked for the time between blocks first, and its function.
pub(super) const BLOCK_TIME_API: (&str, &str) = ("AuraApi", "slot_duration");

/// Calls; the shape is the list of arguments.
pub(super) const CALLS: &[Item] = &[
    ("SubtensorModule.set_weights()", false, "netuid: u16, dests: Vec<u16>, weights: Vec<u16>, version_key: u64"),
    ("SubtensorModule.commit_weights()", false, "netuid: u16, commit_hash: [u8; 32]"),
    (
        "SubtensorModule.reveal_weights()",
        false,
        "netuid: u16, uids: Vec<u16>, values: Vec<u16>, salt: Vec<u16>, version_key: u64",
    ),
    (
        "SubtensorModule.set_mechanism_weights()",
        false,
        "netuid: u16, mecid: u8, dests: Vec<u16>, weights: Vec<u16>, version_key: u64",
    ),
    ("SubtensorModule.commit_mechanism_weights()", false, "netuid: u16, mecid: u8, commit_hash: [u8; 32]"),
    (
        "SubtensorModule.reveal_mechanism_weights()",
        false,
        "netuid: u16, mecid: u8, uids: Vec<u16>, values: Vec<u16>, salt: Vec<u16>, version_key: u64",
    ),
    (
        "SubtensorModule.commit_timelocked_mechanism_weights()",
        true,
        "netuid: u16, mecid: u8, commit: Vec<u8>, reveal_round: u64, commit_reveal_version: u16",
    ),
    ("SubtensorModule.burned_register()", false, "netuid: u16, hotkey: [u8; 32]"),
    ("SubtensorModule.add_stake()", false, "hotkey: [u8; 32], netuid: u16, amount_staked: u64"),
    ("SubtensorModule.register_network()", false, "hotkey: [u8; 32]"),
    (
        "SubtensorModule.serve_axon()",
        false,
        "netuid: u16, version: u32, ip: u128, port: u16, ip_type: u8, protocol: u8, placeholder1: u8, placeholder2: u8",
    ),
    ("Commitments.set_commitment()", false, "netuid: u16, info: Vec<enum Data>"),
    ("ProviderRank.commit_bundle()", true, "netuid: u16, epoch: u64, root: [u8; 32], count: u32"),
    (
        "ProviderRank.submit_verdicts()",
        true,
        "netuid: u16, epoch: u64, verdicts: Vec<{uid: u16, tripped: bool, reason: u8, score: u128}>",
    ),
];

/// Transaction extensions that are filled in: name, data in the extrinsic, data that is only signed.
pub(super) const EXTENSIONS: &[(&str, &str, &str)] = &[
    ("CheckSpecVersion", "()", "u32"),
    ("CheckTxVersion", "()", "u32"),
    ("CheckGenesis", "()", "[u8; 32]"),
    ("CheckMortality", "enum Era", "[u8; 32]"),
    ("CheckEra", "enum Era", "[u8; 32]"),
    ("CheckNonce", "Compact<u32>", "()"),
    ("ChargeTransactionPayment", "Compact<u64>", "()"),
    ("ChargeAssetTxPayment", "{tip: Compact<u64>, asset_id: Option<u32>}", "()"),
    ("CheckMetadataHash", "enum Mode", "Option<[u8; 32]>"),
];
