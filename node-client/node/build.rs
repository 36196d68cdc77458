// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
//! Puts the commit into the version string.

fn main() {
    substrate_build_script_utils::generate_cargo_keys();
}
