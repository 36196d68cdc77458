// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! What ends the process without asking: a panic of the database, and SIGBUS from a page that its files cannot give.

use super::{Database, DatabaseError};
use std::{
    panic::{self, PanicHookInfo},
    process,
    sync::Once,
};

/// From now on such an end says what is wrong with `database`. The first one that is named stays.
pub(super) fn explain(database: &Database) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[cfg(unix)]
        if let Err(error) = bus::explain(database) {
            log::warn!("SIGBUS is not explained: {error}");
        }
        let (database, others) = (database.clone(), panic::take_hook());
        panic::set_hook(Box::new(move |info| match cause(info) {
            Some(cause) => {
                eprintln!("Error: {}", end(&database, cause));
                process::exit(1);
            }
            None => others(info),
        }));
    });
}

/// What a panic of the database says; `None` for those of others.
fn cause(info: &PanicHookInfo<'_>) -> Option<String> {
    let text = info.payload_as_str().unwrap_or("no reason given");
    // The framework panics in the place of a database that cannot be read.
    let is_ours = text.starts_with("Critical database error")
        || info.location().is_some_and(|location| location.file().contains("/parity-db-"));
    is_ours.then(|| text.to_owned())
}

fn end(database: &Database, cause: String) -> DatabaseError {
    if database.is_full() {
        DatabaseError::Unwritable { folder: database.folder.clone(), cause }
    } else {
        database.damaged(cause)
    }
}

#[cfg(unix)]
mod bus {
    use super::super::{Database, DatabaseError, MIB};
    use std::{ffi::CString, io, os::unix::ffi::OsStrExt};

    /// Registers the action.
    pub(super) fn explain(database: &Database) -> io::Result<()> {
        let line = |error: DatabaseError| format!("Error: {error}\n").into_bytes();
        let full =
            line(DatabaseError::Unwritable { folder: database.folder.clone(), cause: "the disk is full".into() });
        let cut = line(database.damaged("a file is shorter than it was"));
        let folder = CString::new(database.folder.as_os_str().as_bytes())?;
        let action = move |info: &libc::siginfo_t| {
            if info.si_code != libc::BUS_ADRERR {
                return;
            }
            let is_full = rustix::fs::statvfs(folder.as_c_str())
                .is_ok_and(|stat| stat.f_bavail.saturating_mul(stat.f_frsize) < MIB);
            let line = if is_full { &full } else { &cut };
            // SAFETY: the bytes live as long as the action.
            unsafe { libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), line.len()) };
            // SAFETY: it does not return; what else the process would do on leaving could touch the page again.
            unsafe { libc::_exit(1) };
        };
        // SAFETY: the action makes three system calls, all of which a signal handler may; it allocates nothing and takes
        // no lock.
        unsafe { signal_hook_registry::register_sigaction(libc::SIGBUS, action) }.map(drop)
    }
}
