// SPDX-License-Identifier: Apache-2.0
//! Builds the Wasm blob of the runtime beside the native crate.
//!
//! Paths of the checkout, of the cargo home and of the target folder are remapped, so that none gets into the blob. The
//! same sources at the same path and the same compiler give the same bytes; at another path Cargo names the crates
//! otherwise, which changes the order of functions. `scripts/reproduce` therefore builds at a path of its own.

fn main() {
    #[cfg(feature = "std")]
    wasm::build();
}

#[cfg(feature = "std")]
mod wasm {
    use std::{env, path::PathBuf};

    /// How the Wasm is optimised: small, since a node compiles it before its first block.
    ///
    /// Beside what a release has by itself (speed, thin LTO, 16 units) the first block came after 1.24 s in the place of
    /// 1.95, of 3.0 MB in the place of 4.5; an epoch and the opening of a commit took the same within 5 %.
    const PROFILE: [(&str, &str); 3] = [
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s"),
        ("CARGO_PROFILE_RELEASE_LTO", "fat"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ];

    pub(super) fn build() {
        for (key, value) in PROFILE {
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
    fn workspace_root() -> Option<PathBuf> {
        let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
        manifest.ancestors().nth(2).map(PathBuf::from)
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
        paths.extend(workspace_root().map(|root| (root, "/clawrank")));
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
