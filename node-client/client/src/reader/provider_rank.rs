// SPDX-License-Identifier: Apache-2.0

use super::Reader;
use crate::{
    ClientError,
    types::{BundleCommit, EpochPayout},
};

impl Reader<'_> {
    /// Bundle roots of an epoch.
    pub(crate) async fn bundle_commits(&self, _netuid: u16, _epoch: u64) -> Result<Vec<BundleCommit>, ClientError> {
        Err(self.runtime.unsupported("ProviderRank", "not read yet"))
    }

    /// Payouts that are still remembered.
    pub(crate) async fn payouts(&self, _netuid: u16) -> Result<Vec<EpochPayout>, ClientError> {
        Err(self.runtime.unsupported("ProviderRank", "not read yet"))
    }
}
