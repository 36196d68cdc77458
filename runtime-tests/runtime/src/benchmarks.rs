// SPDX-License-Identifier: Apache-2.0
//! The pallets whose calls are benchmarked.

frame_benchmarking::define_benchmarks!(
    [pallet_balances, crate::Balances]
    [pallet_timestamp, crate::Timestamp]
    [pallet_sudo, crate::Sudo]
    [pallet_subtensor, crate::SubtensorModule]
    [pallet_admin_utils, crate::AdminUtils]
    [pallet_commitments, crate::Commitments]
    [pallet_drand, crate::Drand]
    [pallet_provider_rank, crate::ProviderRank]
    [pallet_shield, crate::MevShield]
);
