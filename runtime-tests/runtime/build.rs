// SPDX-License-Identifier: Apache-2.0
//! Builds the Wasm blob of the runtime beside the native crate.
//!
//! The same sources and the same compiler give the same bytes, wherever the checkout, the cargo home and the target
//! folder lie. Two things would get these paths into the blob:
//!
//! - Panic messages name source files: the paths are remapped.
//! - Cargo tells crates of one name apart by a hash, which of a crate outside the workspace is over its absolute path. The
//!   builder's project is a workspace of its own, so all of ours are outside; the hash gets into the names of symbols and
//!   these into the order of functions. So this program also stands before the compiler, as Cargo's `RUSTC_WRAPPER`, and
//!   names each crate of ours by its path in this repository instead.

fn main() {
    #[cfg(feature = "std")]
    {
        let mut args = std::env::args_os().skip(1);
        // Cargo runs a build script without arguments, and a wrapper with the compiler before the compiler's own.
        match args.next() {
            None => wasm::build(),
            Some(rustc) => wasm::compile(rustc, args),
        }
    }
}

#[cfg(feature = "std")]
// Cargo shows what a build script panics with: there is nobody else to tell.
#[allow(clippy::expect_used, clippy::panic)]
mod wasm {
    use std::{
        env,
        ffi::OsString,
        os::unix::process::CommandExt,
        path::{Path, PathBuf},
        process::Command,
    };

    /// How the Wasm is optimised: small, since a node compiles it before its first block.
    ///
    /// Beside what a release has by itself (speed, thin LTO, 16 units) the first block came after 1.24 s in the place of
    /// 1.95, of 3.0 MB in the place of 4.5; an epoch and the opening of a commit took the same within 5 %.
    const PROFILE: [(&str, &str); 3] = [
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s"),
        ("CARGO_PROFILE_RELEASE_LTO", "fat"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ];

    /// Names the wrapper of compilers to Cargo.
    const WRAPPER: &str = "RUSTC_WRAPPER";

    /// Tells this program as a wrapper where this repository's crates lie.
    const SOURCES: &str = "CLAWRANK_WASM_SOURCES";

    /// Tells this program as a wrapper of the wrapper that the user has, if any.
    const INNER_WRAPPER: &str = "CLAWRANK_WASM_RUSTC_WRAPPER";

    /// Compiles one crate: what `rustc` does with `args`, but with another hash for a crate of ours.
    pub(super) fn compile(rustc: OsString, args: impl Iterator<Item = OsString>) {
        let sources = PathBuf::from(env::var_os(SOURCES).expect("set by the build script that is this wrapper"));
        let mut args: Vec<OsString> = args.collect();
        let source = args.iter().map(Path::new).find(|arg| arg.extension().is_some_and(|of| of == "rs"));
        // What lies in the builder's project is relative to it, and what lies in the registry is elsewhere.
        let ours =
            source.and_then(|path| if path.is_relative() { Some(path) } else { path.strip_prefix(&sources).ok() });
        if let Some(path) = ours.map(Path::to_path_buf) {
            let hash = args.iter_mut().find(|arg| arg.to_string_lossy().starts_with("metadata="));
            *hash.expect("Cargo gives every crate a hash") = format!("metadata={}", path.display()).into();
        }
        let mut programs = env::var_os(INNER_WRAPPER).into_iter().chain([rustc]);
        let program = programs.next().expect("the compiler at least");
        let failed = Command::new(&program).args(programs).args(args).exec();
        panic!("cannot run {}: {failed}", program.display());
    }

    pub(super) fn build() {
        let wrapper = env::current_exe().expect("a running program has a path");
        let mut variables: Vec<(&str, OsString)> = PROFILE.map(|(key, value)| (key, value.into())).into();
        variables.extend(env::var_os(WRAPPER).filter(|inner| !inner.is_empty()).map(|inner| (INNER_WRAPPER, inner)));
        variables.extend([(SOURCES, workspace_root().into_os_string()), (WRAPPER, wrapper.into_os_string())]);
        for (key, value) in variables {
            // SAFETY: a build script that has not started a thread yet; the builder hands the environment to its cargo.
            unsafe { env::set_var(key, value) };
        }
        let mut builder = substrate_wasm_builder::WasmBuilder::init_with_defaults();
        for (from, to) in remapped_paths() {
            builder = builder.append_to_rust_flags(format!("--remap-path-prefix={}={to}", from.display()));
        }
        builder.build();
        println!("cargo:rerun-if-env-changed=CARGO_HOME");
    }

    /// `<root>` of `<root>/runtime-tests/runtime`.
    fn workspace_root() -> PathBuf {
        let manifest =
            PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("Cargo tells a build script its package"));
        manifest.ancestors().nth(2).expect("the package lies two folders deep").to_path_buf()
    }

    /// Folders that would otherwise appear in panic messages, the most general first: rustc lets the last match win.
    fn remapped_paths() -> Vec<(PathBuf, &'static str)> {
        let mut paths = Vec::new();
        let home = env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
        if let Some(home) = home {
            // Each registry's folder carries a hash of its address: a mirror's differs.
            let registries = std::fs::read_dir(home.join("registry/src")).into_iter().flatten().flatten();
            paths.push((home, "/cargo"));
            paths.extend(registries.map(|registry| (registry.path(), "/cargo/registry")));
        }
        paths.push((workspace_root(), "/clawrank"));
        // OUT_DIR is <target>/<profile>/build/<crate>/out; the Wasm project is built below <target>/<profile>/wbuild.
        if let Some(out) = env::var_os("OUT_DIR").map(PathBuf::from)
            && let Some(profile) = out.ancestors().nth(3)
        {
            paths.push((profile.to_path_buf(), "/target"));
        }
        paths.retain(|(path, _)| !path.to_string_lossy().contains(char::is_whitespace));
        paths
    }
}
