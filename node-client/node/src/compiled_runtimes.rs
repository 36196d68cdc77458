// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! Compiled runtimes on disk, so that only the first start of a runtime waits for the compiler.
//!
//! The files are the compiler's own: it finds them by the Wasm's hash, its version and its settings, keeps them below a
//! total size and compiles anew when there is none. It runs what it finds, which is why the folder must be closed to others.

use crate::service::HostFunctions;
use sc_executor::{DEFAULT_HEAP_ALLOC_STRATEGY, HeapAllocStrategy, WasmExecutor};
use sc_service::config::ExecutorConfiguration;
use std::{
    env,
    ffi::OsStr,
    fs::{DirBuilder, Metadata},
    io,
    path::{Path, PathBuf},
};

/// The value of the flag that keeps nothing.
const NONE: &str = "none";
/// The folder below that of the user's caches.
const FOLDER: &str = "clawrank/runtimes";

/// The folder to use: the one that is asked for, else one among the user's caches; `None` when there is none to trust.
pub(crate) fn folder(asked: Option<&Path>) -> Option<PathBuf> {
    let folder = match asked {
        Some(folder) if folder == Path::new(NONE) => return None,
        Some(folder) => folder.to_owned(),
        None => caches(env::var_os("XDG_CACHE_HOME").as_deref(), env::var_os("HOME").as_deref())?.join(FOLDER),
    };
    match open(&folder) {
        Ok(()) => Some(folder),
        Err(error) => {
            // The log does not run yet.
            eprintln!("compiled runtimes are not kept in {}: {error}", folder.display());
            None
        }
    }
}

/// The user's folder of caches, as the XDG base directory specification has it.
fn caches(xdg: Option<&OsStr>, home: Option<&OsStr>) -> Option<PathBuf> {
    let absolute = |path: &OsStr| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    xdg.and_then(absolute).or_else(|| home.and_then(absolute).map(|home| home.join(".cache")))
}

/// Makes the folder where there is none.
///
/// # Errors
///
/// When it cannot be made, or others can write to it.
fn open(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    if is_open_to_others(&folder.metadata()?) {
        return Err(io::Error::other("others can write to it"));
    }
    Ok(())
}

#[cfg(unix)]
fn is_open_to_others(folder: &Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&folder.permissions()) & 0o022 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Metadata) -> bool {
    false
}

/// The executor that the framework would make, with the folder.
pub(crate) fn executor(config: &ExecutorConfiguration, folder: Option<PathBuf>) -> WasmExecutor<HostFunctions> {
    let strategy = config.default_heap_pages.map_or(DEFAULT_HEAP_ALLOC_STRATEGY, |pages| HeapAllocStrategy::Static {
        extra_pages: u32::try_from(pages).unwrap_or(u32::MAX),
    });
    let builder = WasmExecutor::builder()
        .with_execution_method(config.wasm_method)
        .with_onchain_heap_alloc_strategy(strategy)
        .with_offchain_heap_alloc_strategy(strategy)
        .with_max_runtime_instances(config.max_runtime_instances)
        .with_runtime_cache_size(config.runtime_cache_size);
    match folder {
        Some(folder) => builder.with_cache_path(folder).build(),
        None => builder.build(),
    }
}

#[cfg(test)]
mod tests;
