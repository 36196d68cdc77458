// SPDX-License-Identifier: Apache-2.0
//! This machine: folders, free space, locks, open files.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::Check;

/// Below this much free space a worker may stop at any moment.
const SPACE_FAIL_BYTES: u64 = 256 << 20;
/// Below this much it may within days.
const SPACE_WARN_BYTES: u64 = 2 << 30;

/// A folder that a worker writes to, and the lock that admits one process.
pub(super) fn folder(name: &'static str, folder: &Path, lock: &str) -> Vec<Check> {
    let shown = folder.display();
    let existing = nearest(folder);
    let mut checks = vec![match try_write(&existing) {
        Ok(()) if existing == folder => Check::ok(name, format!("{shown} can be written")),
        Ok(()) => Check::ok(name, format!("{shown} will be made on the first start")),
        Err(error) => Check::fail(
            name,
            format!("{} cannot be written: {error}", existing.display()),
            "give its folder to the user who runs the worker, or name another with --data-dir",
        ),
    }];
    checks.extend(free_space(&existing).map(|bytes| space(&existing, bytes)));
    checks.extend(held(&folder.join(lock)));
    checks
}

/// The gateway's ledger.
pub(super) fn ledger(path: &Path) -> Vec<Check> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    folder("ledger folder", parent, &format!("{file}.lock"))
}

/// Whether the system lets the gateway keep `connections` open: two descriptors for each one that is under way.
pub(super) fn open_files(limit: Option<u64>, connections: usize) -> Check {
    let name = "open files";
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_mul(2).saturating_add(256);
    match limit {
        None => Check::ok(name, "no limit"),
        Some(limit) if limit >= wanted => Check::ok(name, format!("limit {limit}, {wanted} may be needed")),
        Some(limit) => Check::warn(
            name,
            format!("limit {limit}, but {connections} connections may need {wanted}"),
            format!(
                "raise it: `ulimit -n {wanted}`, or LimitNOFILE={wanted} in the unit; or lower limits.max_connections"
            ),
        ),
    }
}

/// This process's limit of open files; `None` for none.
pub(super) fn open_file_limit() -> Option<u64> {
    #[cfg(unix)]
    {
        rustix::process::getrlimit(rustix::process::Resource::Nofile).current
    }
    #[cfg(not(unix))]
    {
        None
    }
}

/// The folder itself, or the nearest one above it that exists.
fn nearest(folder: &Path) -> PathBuf {
    let mut at = folder;
    loop {
        if at.as_os_str().is_empty() {
            return PathBuf::from(".");
        }
        if at.exists() {
            return at.to_owned();
        }
        match at.parent() {
            Some(parent) => at = parent,
            None => return at.to_owned(),
        }
    }
}

/// Writes a file to the disk and removes it.
fn try_write(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".clawrank-doctor-{}", std::process::id()));
    let written = OpenOptions::new().write(true).create_new(true).open(&path).and_then(|mut file: File| {
        file.write_all(b"clawrank doctor\n")?;
        file.sync_all()
    });
    let removed = fs::remove_file(&path);
    written.and(removed)
}

fn free_space(folder: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let stat = rustix::fs::statvfs(folder).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}

/// What follows from the free space of a folder's disk.
pub(super) fn space(folder: &Path, bytes: u64) -> Check {
    let name = "disk space";
    let found = format!("{}.{} GiB free at {}", bytes >> 30, ((bytes >> 20) & 1_023) * 10 / 1_024, folder.display());
    let fix = "free some, or move the folder to a larger disk";
    match bytes {
        0..SPACE_FAIL_BYTES => Check::fail(name, found, fix),
        SPACE_FAIL_BYTES..SPACE_WARN_BYTES => Check::warn(name, found, fix),
        _ => Check::ok(name, found),
    }
}

/// Whether another process holds a lock; a lock that was never made says nothing.
fn held(lock: &Path) -> Option<Check> {
    let name = "one process";
    let file = OpenOptions::new().read(true).write(true).open(lock).ok()?;
    Some(match file.try_lock() {
        // Closing the file gives the lock back.
        Ok(()) => Check::ok(name, format!("nobody holds {}", lock.display())),
        Err(TryLockError::WouldBlock) => Check::warn(
            name,
            format!("a process holds {}: the worker runs already", lock.display()),
            "leave it running, or stop it before another is started on the same folder",
        ),
        Err(TryLockError::Error(error)) => {
            Check::fail(name, format!("{} cannot be locked: {error}", lock.display()), "use a folder on a local disk")
        }
    })
}
