// SPDX-License-Identifier: Apache-2.0

use std::fmt;

use super::rpc_code;

/// Why a transaction pool refuses a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolReason {
    /// The nonce was used already, or the era is over ("transaction is outdated").
    Stale,
    /// The nonce lies ahead of the account's.
    Future,
    /// The signature or what it covers does not fit: also after a runtime upgrade.
    BadProof,
    /// The block the era starts at is unknown to the node.
    AncientBirthBlock,
    /// The account cannot pay the fee.
    Payment,
    /// The call is not allowed for this origin, or by a filter.
    Call,
    /// The block has no room for it.
    ExhaustsResources,
    /// Another transaction with this nonce is in the pool, with at least the same priority.
    TooLowPriority,
    /// The pool has it already.
    AlreadyImported,
    /// The pool is full.
    Dropped,
    /// It was refused before and is banned for a while.
    Banned,
    /// A check of the chain's own transaction extensions failed.
    Custom {
        /// The code.
        code: u8,
        /// Its name on Subtensor, where known.
        name: Option<&'static str>,
    },
    /// Another reason, in the node's words.
    Unnamed(String),
}

impl PoolReason {
    /// Reads what a node answered to `author_submitExtrinsic`; `None` when the code is not of the pool.
    pub(crate) fn from_rpc(code: i32, message: &str) -> Option<Self> {
        let says = |needle: &str| message.to_ascii_lowercase().contains(needle);
        Some(match code {
            rpc_code::POOL_INVALID if says("custom error:") => Self::custom(message),
            rpc_code::POOL_INVALID if says("outdated") || says("stale") => Self::Stale,
            rpc_code::POOL_INVALID if says("valid in the future") => Self::Future,
            rpc_code::POOL_INVALID if says("bad signature") => Self::BadProof,
            rpc_code::POOL_INVALID if says("ancient birth block") => Self::AncientBirthBlock,
            rpc_code::POOL_INVALID if says("pay some fees") => Self::Payment,
            rpc_code::POOL_INVALID if says("exhaust the resources") => Self::ExhaustsResources,
            rpc_code::POOL_INVALID if says("call is not expected") => Self::Call,
            rpc_code::POOL_BANNED => Self::Banned,
            rpc_code::POOL_ALREADY_IMPORTED => Self::AlreadyImported,
            rpc_code::POOL_TOO_LOW_PRIORITY => Self::TooLowPriority,
            rpc_code::POOL_DROPPED => Self::Dropped,
            rpc_code::POOL_INVALID | rpc_code::POOL_UNKNOWN | rpc_code::POOL_CYCLE => Self::Unnamed(message.to_owned()),
            _ => return None,
        })
    }

    fn custom(message: &str) -> Self {
        let digits: String = message
            .to_ascii_lowercase()
            .split("custom error:")
            .nth(1)
            .unwrap_or_default()
            .trim_start()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        match digits.parse::<u8>() {
            Ok(code) => Self::Custom { code, name: custom_name(code) },
            Err(_) => Self::Unnamed(message.to_owned()),
        }
    }

    /// Whether a new transaction, built anew from the chain's present state, may be accepted at once.
    pub(crate) fn wants_rebuild(&self) -> bool {
        matches!(
            self,
            Self::Stale
                | Self::Future
                | Self::BadProof
                | Self::AncientBirthBlock
                | Self::TooLowPriority
                | Self::Dropped
                | Self::Banned
                | Self::ExhaustsResources
        )
    }

    /// Whether waiting alone can help: races of nonce and era, a full pool, and rate limits.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Custom { code, .. } => matches!(*code, RATE_LIMIT_EXCEEDED | SERVING_RATE_LIMIT_EXCEEDED),
            other => other.wants_rebuild(),
        }
    }
}

impl fmt::Display for PoolReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale => f.write_str("nonce already used or era over; it is built anew"),
            Self::Future => f.write_str("nonce ahead of the account's; it is built anew"),
            Self::BadProof => f.write_str("signature does not fit the runtime; it is built anew for the present one"),
            Self::AncientBirthBlock => f.write_str("block the era starts at is unknown to the node; it is built anew"),
            Self::Payment => f.write_str("account cannot pay the fee; fund it"),
            Self::Call => f.write_str("call is not allowed for this key"),
            Self::ExhaustsResources => f.write_str("block has no room; it is tried again"),
            Self::TooLowPriority => {
                f.write_str("another transaction with this nonce is in the pool; let one program use the key at a time")
            }
            Self::AlreadyImported => f.write_str("already in the pool"),
            Self::Dropped => f.write_str("pool is full; it is tried again"),
            Self::Banned => f.write_str("temporarily banned after an earlier refusal; it is tried again"),
            Self::Custom { code, .. } => match custom(*code) {
                Some((name, advice)) => write!(f, "{name} (custom error {code}): {advice}"),
                None => write!(f, "custom error {code}, which this version does not know"),
            },
            Self::Unnamed(text) => f.write_str(text),
        }
    }
}

const RATE_LIMIT_EXCEEDED: u8 = 6;
const SERVING_RATE_LIMIT_EXCEEDED: u8 = 12;

/// Name of a `InvalidTransaction::Custom` code of Subtensor.
pub fn custom_name(code: u8) -> Option<&'static str> {
    custom(code).map(|(name, _)| name)
}

/// Name of a custom code, and what to do about it.
fn custom(code: u8) -> Option<(&'static str, &'static str)> {
    const KNOWN: [(&str, &str); 28] = [
        ("ColdkeyInSwapSchedule", "the coldkey is being swapped; wait until that is done"),
        ("StakeAmountTooLow", "stake more, or reach the stake threshold that setting weights needs"),
        ("BalanceTooLow", "fund the coldkey"),
        ("SubnetNotExists", "check the netuid"),
        ("HotkeyAccountDoesntExist", "check the hotkey; register or stake it first"),
        ("NotEnoughStakeToWithdraw", "ask for less"),
        ("RateLimitExceeded", "too soon after the last one; wait for the rate limit's blocks"),
        ("InsufficientLiquidity", "the subnet's pool is too small for the amount; ask for less"),
        ("SlippageTooHigh", "the price moved beyond the limit; ask for less or raise the limit"),
        ("TransferDisallowed", "the subnet's owner has switched transfers off"),
        ("HotKeyNotRegisteredInNetwork", "register the hotkey on the subnet"),
        ("InvalidIpAddress", "give the public address; loopback addresses are refused"),
        ("ServingRateLimitExceeded", "the axon was set a few blocks ago; wait"),
        ("InvalidPort", "give a port above 0"),
        ("ZeroMaxAmount", "the limit allows no amount at all; check amount and limit"),
        ("InvalidRevealRound", "the round has passed already; encrypt for a later one"),
        ("CommitNotFound", "nothing was committed under this hash; check salt, uids, values and version key"),
        ("CommitBlockNotInRevealRange", "too early or too late to reveal; wait, or commit anew"),
        ("InputLengthsUnequal", "give as many values as uids"),
        ("UidNotFound", "the hotkey has no uid on the subnet"),
        ("EvmKeyAssociateRateLimitExceeded", "wait"),
        ("ColdkeySwapDisputed", "the coldkey's swap is disputed; nothing can be done with it until that is settled"),
        ("InvalidRealAccount", "the key is no proxy of the account"),
        ("FailedShieldedTxParsing", "the shielded transaction is malformed"),
        ("InvalidShieldedTxPubKeyHash", "the shielded transaction is for another block author's key; encrypt anew"),
        ("NonAssociatedColdKey", "the hotkey belongs to another coldkey"),
        ("DelegateTakeTooLow", "raise the take"),
        ("DelegateTakeTooHigh", "lower the take"),
    ];
    if code == u8::MAX {
        return Some(("BadRequest", "the chain cannot check the call; check its arguments"));
    }
    KNOWN.get(usize::from(code)).copied()
}
