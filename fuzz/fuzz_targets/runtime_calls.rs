// SPDX-License-Identifier: Apache-2.0
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| drop(clawrank_fuzz_targets::runtime_calls(data)));
