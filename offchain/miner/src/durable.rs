// SPDX-License-Identifier: Apache-2.0

//! Files that survive a power cut: contents before name, name before folder.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::{Backoff, Error};

/// Bounds of the pause before a write that failed is tried again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));

pub(crate) fn io_error(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    move |source| Error::Io { path: path.to_owned(), source }
}

/// Makes a folder with its parents, for the owner only.
pub(crate) fn create_folder(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(io_error(path))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(io_error(path))?;
    }
    Ok(())
}

/// A file that grows by whole appends: what one that failed left behind is cut off before the next.
pub(crate) struct AppendFile {
    path: PathBuf,
    file: File,
    /// Bytes up to the end of the last whole append.
    length: u64,
    /// Whether there may be more in the file than that.
    is_torn: bool,
}

impl AppendFile {
    /// Opens a file, which is made where missing, and cuts it to as many bytes as `whole` finds in its contents; returns
    /// those contents.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub(crate) fn open(path: &Path, whole: impl FnOnce(&[u8]) -> usize) -> Result<(Self, Vec<u8>), Error> {
        let mut file = open_append(path)?;
        let mut contents = Vec::new();
        file.read_to_end(&mut contents).map_err(io_error(path))?;
        let found = contents.len();
        contents.truncate(whole(&contents));
        let length = u64::try_from(contents.len()).unwrap_or(u64::MAX);
        let mut opened = Self { path: path.to_owned(), file, length, is_torn: contents.len() < found };
        if opened.is_torn {
            let bytes = found.saturating_sub(contents.len());
            tracing::warn!(path = %path.display(), bytes, "cut off what was not written to its end");
            opened.mend()?;
        }
        Ok((opened, contents))
    }

    /// Bytes of all whole appends.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Appends bytes and waits until they are on disk: all of them, or none.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; nothing written before is lost, and the same may be appended again.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.mend()?;
        self.is_torn = true;
        match self.file.write_all(bytes).and_then(|()| self.file.sync_data()) {
            Ok(()) => {
                self.length = self.length.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                self.is_torn = false;
                Ok(())
            }
            Err(error) => {
                // At once, so that a crash finds whole appends; where it fails too, before the next append.
                let _ = self.mend();
                Err(io_error(&self.path)(error))
            }
        }
    }

    /// Cuts off what is not whole.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub(crate) fn mend(&mut self) -> Result<(), Error> {
        if self.is_torn {
            self.file.set_len(self.length).and_then(|()| self.file.sync_all()).map_err(io_error(&self.path))?;
            self.is_torn = false;
        }
        Ok(())
    }
}

/// Tries a write until it succeeds, with growing pauses; once `stop`, one last time.
///
/// # Errors
///
/// That of the last try; [`Error::Job`] when the write panicked.
pub(crate) async fn write_patiently<W, F>(
    what: &'static str,
    mut writer: W,
    write: F,
    stop: &CancellationToken,
) -> Result<W, Error>
where
    W: Send + 'static,
    F: Fn(&mut W) -> Result<(), Error> + Copy + Send + 'static,
{
    let mut backoff = Backoff::new(PAUSE.0, PAUSE.1);
    loop {
        let is_last = stop.is_cancelled();
        let written;
        (writer, written) = tokio::task::spawn_blocking(move || {
            let written = write(&mut writer);
            (writer, written)
        })
        .await
        .map_err(|_| Error::Job { job: what })?;
        match written {
            Ok(()) => return Ok(writer),
            Err(error) if is_last => return Err(error),
            Err(error) => {
                let delay = backoff.next_delay();
                tracing::error!(%error, retry_ms = delay.as_millis(), "{what} cannot be written now");
                tokio::select! {
                    () = tokio::time::sleep(delay) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
    }
}

/// Opens for reading and appending, making the file for the owner only.
fn open_append(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(io_error(path))?;
    sync_folder(path)?;
    Ok(file)
}

/// Replaces a file: after this returns, the file has these contents, whatever happens; before, the old ones.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> Result<(), Error> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = path.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary).map_err(io_error(&temporary))?;
    if let Err(error) = file.write_all(contents).and_then(|()| file.sync_all()) {
        // Half a file helps no one and takes the space that is missing.
        let _ = fs::remove_file(&temporary);
        return Err(io_error(path)(error));
    }
    fs::rename(&temporary, path).map_err(io_error(path))?;
    sync_folder(path)
}

/// Reads a file; `None` when there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(contents) => Ok(Some(contents)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(path)(error)),
    }
}

/// Makes the name of a new file durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    File::open(&folder).and_then(|folder| folder.sync_all()).map_err(io_error(&folder))
}
