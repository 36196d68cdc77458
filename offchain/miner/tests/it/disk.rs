// SPDX-License-Identifier: Apache-2.0
//! A disk of its own that a test can fill.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// A small file system in memory; gone when dropped.
pub struct Disk {
    folder: TempDir,
}

impl Disk {
    /// `None` where this user may not mount; says so on standard error, past the test runner.
    pub fn mount(kib: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={kib}k,nr_inodes=64,mode=700");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "clawrank-test"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .output();
        let why = match mount {
            Ok(done) if done.status.success() => return Some(Self { folder }),
            Ok(done) => String::from_utf8_lossy(&done.stderr).trim().to_owned(),
            Err(error) => error.to_string(),
        };
        let bar = "!".repeat(100);
        let _ = writeln!(std::io::stderr(), "\n{bar}\nSKIPPED: a full disk was not tested: mount: {why}\n{bar}");
        None
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all space that is left, for contents and for names.
    pub fn fill(&self) {
        let ballast = self.path().join("ballast");
        std::fs::create_dir(&ballast).unwrap();
        let mut one = File::create(ballast.join("contents")).unwrap();
        let contents = std::iter::repeat_with(|| one.write_all(&[7; 4_096])).find_map(Result::err).unwrap();
        let names = (0..).find_map(|number: u32| File::create(ballast.join(number.to_string())).err()).unwrap();
        assert_eq!([contents.kind(), names.kind()], [ErrorKind::StorageFull; 2]);
    }

    /// Gives it back.
    pub fn free(&self) {
        std::fs::remove_dir_all(self.path().join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a task that is being aborted may still have a file open.
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}
