// SPDX-License-Identifier: Apache-2.0

//! Key files: a hotkey's seed, from a mnemonic, a file or the environment.
