// SPDX-License-Identifier: Apache-2.0
//! How each pallet is configured.

use crate::{
    AccountId, Aura, Balance, Balances, Block, BlockNumber, Commitments, Drand, Nonce, PalletInfo, Runtime,
    RuntimeCall, RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason, RuntimeOrigin, RuntimeTask, SubtensorModule,
    System, Timestamp, VERSION,
    block_time::{self, InitialMaxEpochsPerBlock, InitialTempo, MinimumPeriodMs, SlotDurationMs},
};
use clawrank_primitives::{Params, emission::CapParams, units::Ppb};
use frame_support::{
    BoundedVec, PalletId, derive_impl, parameter_types,
    traits::{ConstBool, ConstU8, ConstU16, ConstU32, ConstU64, Get, VariantCountOf},
    weights::{
        ConstantMultiplier, Weight, WeightToFeeCoefficient, WeightToFeeCoefficients, WeightToFeePolynomial,
        constants::{ParityDbWeight, WEIGHT_REF_TIME_PER_SECOND},
    },
};
use frame_system::{
    EnsureRoot,
    limits::{BlockLength, BlockWeights},
};
use pallet_transaction_payment::{ConstFeeMultiplier, FungibleAdapter, Multiplier};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_runtime::{Perbill, traits::One};
use sp_version::RuntimeVersion;

/// The least balance that keeps an account alive, in rao; that of the public chain.
pub const EXISTENTIAL_DEPOSIT: Balance = 500;

/// Two seconds of computation and 5 MiB of proof. On a chain with shorter slots the author stops filling a block when
/// its part of the slot is over, so this bounds what one extrinsic may claim, not how long a block takes.
pub const MAX_BLOCK_WEIGHT: Weight = Weight::from_parts(WEIGHT_REF_TIME_PER_SECOND.saturating_mul(2), 5 * 1024 * 1024);

const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);

parameter_types! {
    pub const BlockHashCount: BlockNumber = 2400;
    pub const Version: RuntimeVersion = VERSION;
    pub const SS58Prefix: u16 = 42;
    pub RuntimeBlockWeights: BlockWeights = BlockWeights::with_sensible_defaults(MAX_BLOCK_WEIGHT, NORMAL_DISPATCH_RATIO);
    pub RuntimeBlockLength: BlockLength = BlockLength::builder()
        .max_length(5 * 1024 * 1024)
        .modify_max_length_for_class(frame_support::dispatch::DispatchClass::Normal, |length| {
            *length = NORMAL_DISPATCH_RATIO * *length;
        })
        .build();
    pub FeeMultiplier: Multiplier = Multiplier::one();
    pub const SubtensorPalletId: PalletId = PalletId(*b"subtensr");
    pub const PotId: PalletId = PalletId(*b"claw/pot");
    pub const CommitWindow: Ppb = Params::BUNDLE_DEADLINE;
    pub Cap: CapParams = CapParams::default();
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type Block = Block;
    type BlockWeights = RuntimeBlockWeights;
    type BlockLength = RuntimeBlockLength;
    type AccountId = AccountId;
    type Nonce = Nonce;
    type BlockHashCount = BlockHashCount;
    type DbWeight = ParityDbWeight;
    type Version = Version;
    type AccountData = pallet_balances::AccountData<Balance>;
    type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
    type ExtensionsWeightInfo = frame_system::SubstrateExtensionsWeight<Runtime>;
    type SS58Prefix = SS58Prefix;
    type MaxConsumers = ConstU32<16>;
    type SingleBlockMigrations = crate::Migrations;
}

impl pallet_timestamp::Config for Runtime {
    type Moment = u64;
    type OnTimestampSet = Aura;
    type MinimumPeriod = MinimumPeriodMs;
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_aura::Config for Runtime {
    type AuthorityId = AuraId;
    type DisabledValidators = ();
    type MaxAuthorities = MaxAuthorities;
    type AllowMultipleBlocksPerSlot = ConstBool<false>;
    type SlotDuration = SlotDurationMs;
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<32>;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<0>;
    type KeyOwnerProof = sp_core::Void;
    type EquivocationReportSystem = ();
}

impl pallet_balances::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
    type Balance = Balance;
    type DustRemoval = ();
    type ExistentialDeposit = ConstU64<EXISTENTIAL_DEPOSIT>;
    type AccountStore = System;
    type ReserveIdentifier = [u8; 8];
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxLocks = ConstU32<50>;
    type MaxReserves = ConstU32<50>;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type DoneSlashHandler = ();
}

/// The fee for computation: 0.0005 rao per picosecond, so that a transfer costs about 0.0001 TAO. Rounds down.
pub struct WeightFee;

impl WeightToFeePolynomial for WeightFee {
    type Balance = Balance;

    fn polynomial() -> WeightToFeeCoefficients<Balance> {
        core::iter::once(WeightToFeeCoefficient {
            coeff_integer: 0,
            coeff_frac: Perbill::from_parts(500_000),
            negative: false,
            degree: 1,
        })
        .collect()
    }
}

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = FungibleAdapter<Balances, ()>;
    type WeightToFee = WeightFee;
    /// One rao per byte.
    type LengthToFee = ConstantMultiplier<Balance, ConstU64<1>>;
    type FeeMultiplierUpdate = ConstFeeMultiplier<FeeMultiplier>;
    type OperationalFeeMultiplier = ConstU8<5>;
    type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}

impl pallet_sudo::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}

impl block_time::Config for Runtime {}

/// Timelocked commits that a block of this chain has time to open.
pub struct RevealsPerBlock;

impl Get<u32> for RevealsPerBlock {
    fn get() -> u32 {
        pallet_subtensor::reveals_per_block(SlotDurationMs::get())
    }
}

impl pallet_subtensor::Config for Runtime {
    type Currency = Balances;
    type WeightInfo = pallet_subtensor::weights::SubstrateWeight<Runtime>;
    type OnNeuronRemoved = Commitments;
    type Pulses = Drand;
    type SubtensorPalletId = SubtensorPalletId;
    type InitialTempo = InitialTempo;
    /// The public chain's, on its localnet too: genesis and root are not bound by it.
    type MinTempo = ConstU16<360>;
    type MaxTempo = ConstU16<50_400>;
    type InitialMaxEpochsPerBlock = InitialMaxEpochsPerBlock;
    type RevealsPerBlock = RevealsPerBlock;
}

/// Most authorities that make blocks.
pub(crate) type MaxAuthorities = ConstU32<32>;

/// Hands new authorities to Aura.
pub struct AuraAuthorities;

impl pallet_admin_utils::SwapAuthorities<AuraId, MaxAuthorities> for AuraAuthorities {
    fn swap(new: BoundedVec<AuraId, MaxAuthorities>) {
        Aura::change_authorities(new);
    }
}

impl pallet_admin_utils::Config for Runtime {
    type AuthorityId = AuraId;
    type MaxAuthorities = MaxAuthorities;
    type Authorities = AuraAuthorities;
    type WeightInfo = pallet_admin_utils::weights::SubstrateWeight<Runtime>;
}

impl pallet_commitments::Config for Runtime {
    type Subnets = SubtensorModule;
    type Pulses = <Self as pallet_subtensor::Config>::Pulses;
    type MaxFields = ConstU32<3>;
    type WeightInfo = pallet_commitments::weights::SubstrateWeight<Runtime>;
}

/// Pulses of the beacon that a block of this chain has time for.
pub struct PulsesPerBlock;

impl Get<u32> for PulsesPerBlock {
    fn get() -> u32 {
        pallet_drand::pulses_per_block(SlotDurationMs::get())
    }
}

impl pallet_drand::Config for Runtime {
    type Clock = Timestamp;
    type WeightInfo = pallet_drand::weights::SubstrateWeight<Runtime>;
    type UnsignedPriority = ConstU64<{ 1 << 20 }>;
    type HttpFetchTimeout = ConstU64<1_000>;
    type PulsesPerBlock = PulsesPerBlock;
}

/// The authorities by slot.
pub struct SlotAuthors;

impl pallet_shield::Authors<AuraId> for SlotAuthors {
    fn after(slots: u64) -> Option<AuraId> {
        let authorities = pallet_aura::Authorities::<Runtime>::get();
        let slot = pallet_aura::CurrentSlot::<Runtime>::get().checked_add(slots)?;
        let turn = slot.checked_rem(u64::try_from(authorities.len()).ok()?)?;
        authorities.get(usize::try_from(turn).ok()?).cloned()
    }
}

impl pallet_shield::Config for Runtime {
    type AuthorityId = AuraId;
    type Authors = SlotAuthors;
    type WeightInfo = pallet_shield::weights::SubstrateWeight<Runtime>;
}

impl pallet_provider_rank::Config for Runtime {
    type Subnets = SubtensorModule;
    type Beacon = <Self as pallet_subtensor::Config>::Pulses;
    type Clock = Timestamp;
    type Currency = Balances;
    type AdminOrigin = EnsureRoot<AccountId>;
    type WeightInfo = pallet_provider_rank::weights::SubstrateWeight<Runtime>;
    type PotId = PotId;
    type CommitWindow = CommitWindow;
    type Cap = Cap;
    type Retention = ConstU64<8>;
    type MaxSubnets = ConstU32<16>;
    type MaxCells = ConstU32<4_096>;
    type MaxBundles = ConstU32<512>;
    type MaxReporters = ConstU32<256>;
    type MaxAttempts = ConstU32<65_536>;
}
