// SPDX-License-Identifier: Apache-2.0
//! A disk that a test can fill: for tests of whatever writes files, and for nothing else.

#![allow(clippy::expect_used, clippy::panic, reason = "a test's failure is a panic that says why")]

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// Files that a disk has room for, whatever is in them.
const FILES: u32 = 1_024;

/// A small file system in memory; gone when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one of `kib` KiB. `None` where this user may not mount; says so on standard error, past the test runner.
    ///
    /// # Panics
    ///
    /// When there is no temporary folder to mount it on.
    #[must_use]
    pub fn mount(kib: u32) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options = format!("size={kib}k,nr_inodes={FILES},mode=700");
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "clawrank-test"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .output();
        let why = match done {
            Ok(done) if done.status.success() => return Some(Self { folder }),
            Ok(done) => String::from_utf8_lossy(&done.stderr).trim().to_owned(),
            Err(error) => error.to_string(),
        };
        let bar = "!".repeat(100);
        let _ = writeln!(io::stderr(), "\n{bar}\nSKIPPED: a full disk was not tested: mount: {why}\n{bar}");
        None
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn ballast(&self) -> PathBuf {
        let ballast = self.path().join("ballast");
        fs::create_dir_all(&ballast).expect("a folder on the disk, before it is full");
        ballast
    }

    /// Takes `kib` KiB, or as much as is left.
    ///
    /// # Panics
    ///
    /// When the disk fails in another way than being full.
    pub fn take(&self, kib: u32) {
        let mut contents = open(&self.ballast().join("contents"));
        for _ in 0..kib {
            if !grows(&mut contents, 1_024) {
                return;
            }
        }
    }

    /// Takes all that is left, to the last byte.
    ///
    /// # Panics
    ///
    /// As [`Self::take`].
    pub fn fill(&self) {
        let mut contents = open(&self.ballast().join("contents"));
        for size in [65_536, 4_096, 1] {
            while grows(&mut contents, size) {}
        }
    }

    /// Takes all files that could still be made.
    ///
    /// # Panics
    ///
    /// As [`Self::take`].
    pub fn fill_names(&self) {
        let ballast = self.ballast();
        let error = (0..=FILES).find_map(|number| File::create(ballast.join(number.to_string())).err());
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::StorageFull));
    }

    /// Makes it one of `kib` KiB.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    pub fn grow(&self, kib: u32) {
        let options = format!("remount,size={kib}k");
        let done = Command::new("mount").args(["-o", &options]).arg(self.path()).output().expect("mount is there");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Gives back all that was taken.
    ///
    /// # Panics
    ///
    /// When nothing was.
    pub fn free(&self) {
        fs::remove_dir_all(self.path().join("ballast")).expect("what was taken can be given back");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a task that is being aborted may still have a file open.
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

fn open(path: &Path) -> File {
    File::options().create(true).append(true).open(path).expect("a file on the disk, before it is full")
}

/// Whether `size` bytes more fit.
fn grows(file: &mut File, size: usize) -> bool {
    match file.write_all(&vec![7; size]) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::StorageFull => false,
        Err(error) => panic!("{error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_be_written_or_made_until_it_is_freed() {
        let Some(disk) = SmallDisk::mount(64) else { return };
        let file = disk.path().join("file");
        disk.take(32);
        fs::write(&file, [1; 8_192]).expect("half of it is left");
        disk.fill();
        let mut before = File::options().append(true).open(&file).expect("it is there");
        assert_eq!(before.write_all(&[1; 4_096]).map_err(|error| error.kind()), Err(ErrorKind::StorageFull));
        disk.fill_names();
        let made = File::create(disk.path().join("another")).map(drop);
        assert_eq!(made.map_err(|error| error.kind()), Err(ErrorKind::StorageFull));
        disk.free();
        fs::write(disk.path().join("another"), [1; 32_768]).expect("there is room again");
        disk.grow(128);
        fs::write(disk.path().join("third"), [1; 65_536]).expect("there is more room");
        let path = disk.path().to_path_buf();
        drop(disk);
        assert!(!path.exists());
    }
}
