// SPDX-License-Identifier: Apache-2.0
//! Files of secrets: read whole and bounded, written whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};

use zeroize::Zeroizing;

use crate::{Overwrite, WalletError};

/// The bytes of a file; `None` when it has more than `limit`. The buffer never grows, so no copy is left behind.
pub(crate) fn read_limited(path: &Path, limit: usize) -> Result<Option<Zeroizing<Vec<u8>>>, WalletError> {
    let io = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => WalletError::Missing { path: path.to_owned() },
        _ => WalletError::Io { path: path.to_owned(), source },
    };
    let mut file = File::open(path).map_err(io)?;
    let mut bytes = Zeroizing::new(vec![0u8; limit.saturating_add(1)]);
    let mut filled = 0usize;
    while let Some(room) = bytes.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break,
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(io(error)),
        }
    }
    if filled > limit {
        return Ok(None);
    }
    bytes.truncate(filled);
    Ok(Some(bytes))
}

/// Permission bits of a file, where the system has them.
pub(crate) fn mode(path: &Path) -> Option<u32> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).ok().map(|data| data.permissions().mode() & 0o777)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Writes a file that only its owner can read, whole or not at all, and on disk before this returns.
pub(crate) fn write_private(path: &Path, bytes: &[u8], overwrite: Overwrite) -> Result<(), WalletError> {
    let io = |source| WalletError::Io { path: path.to_owned(), source };
    let folder = path.parent().ok_or(WalletError::NoHome)?;
    create_private_folder(folder).map_err(io)?;
    let mut suffix = [0u8; 8];
    getrandom::fill(&mut suffix).map_err(|_| WalletError::NoRandomness)?;
    let temporary = folder.join(format!(".{}.tmp", hex::encode(suffix)));
    let written = write_new(&temporary, bytes).and_then(|()| match overwrite {
        Overwrite::Replace => fs::rename(&temporary, path),
        // A link fails where the name is taken, which a rename does not.
        Overwrite::Never => fs::hard_link(&temporary, path),
    });
    let kept = overwrite == Overwrite::Replace && written.is_ok();
    if !kept {
        fs::remove_file(&temporary).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(io(error)),
        })?;
    }
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(WalletError::Exists { path: path.to_owned() });
        }
        other => other.map_err(io)?,
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
