// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! The newest final block, in a file beside the tables: so that a database that has lost its chain is not taken for a new one.

use clawrank_runtime::Hash;
use std::{fs, io, path::Path};

/// The file in the database's folder, which goes with it.
const FILE: &str = "final";

/// A block that was final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) number: u32,
    pub(super) hash: Hash,
}

impl Mark {
    /// What the file says; `None` when there is none, or it was cut.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(folder.join(FILE)).ok()?;
        let (number, hash) = text.strip_suffix('\n')?.split_once(' ')?;
        Some(Self { number: number.parse().ok()?, hash: hash.parse().ok()? })
    }

    /// Replaces the file; a reader sees the old one or the new one.
    ///
    /// # Errors
    ///
    /// Those of the disk; the old file stays.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let new = folder.join(format!("{FILE}.new"));
        fs::write(&new, format!("{} {:?}\n", self.number, self.hash))?;
        fs::rename(new, folder.join(FILE))
    }
}
