// SPDX-License-Identifier: Apache-2.0
//! A disk that a test can fill.

use std::{fs::File, io::Write as _, path::Path, process::Command};

/// A file system in memory, unmounted when this is dropped.
pub(crate) struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// Mounts one of `kib` KiB; `None`, with a word on why, where this process may not mount.
    pub(crate) fn mount(kib: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"])
            .arg(folder.path())
            .output();
        match mounted {
            Ok(done) if done.status.success() => Some(Self { folder }),
            other => {
                let why =
                    other.map_or_else(|error| error.to_string(), |done| String::from_utf8_lossy(&done.stderr).into());
                eprintln!("SKIPPED: a full disk was not tested: mount: {why}");
                None
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves no byte.
    pub(crate) fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.path().join("filler")).unwrap();
        for size in [65_536, 4_096, 1] {
            while file.write_all(&vec![7; size]).is_ok() {}
        }
    }

    /// Takes back what [`Self::fill`] did.
    pub(crate) fn free(&self) {
        std::fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whatever still has a file open keeps it until it is done.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
