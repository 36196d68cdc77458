// SPDX-License-Identifier: Apache-2.0
//! The rules as a Wasm module with one entry, for the executor that runs the runtime; built by `tests/rules_in_wasm.rs`.
#![no_std]

extern crate alloc;

mod answer;

/// The rules under the names that `clawrank-primitives` gives them, without what only beacons need.
mod rules {
    pub use clawrank_emission as emission;
    pub use clawrank_gate as gate;
    pub use clawrank_proof as proof;
    pub use clawrank_scoring as scoring;
    pub use clawrank_units as units;
}

use alloc::{boxed::Box, vec::Vec};
use codec::Decode;
use core::alloc::{GlobalAlloc, Layout};

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn ext_allocator_malloc_version_1(size: u32) -> *mut u8;
    fn ext_allocator_free_version_1(place: *mut u8);
}

/// The host's allocator, as the runtime has it.
struct Host;

unsafe impl GlobalAlloc for Host {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { ext_allocator_malloc_version_1(layout.size() as u32) }
    }

    unsafe fn dealloc(&self, place: *mut u8, _: Layout) {
        unsafe { ext_allocator_free_version_1(place) }
    }
}

#[global_allocator]
static HOST: Host = Host;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Answers a question; the answer's place and length, as the executor expects them.
#[unsafe(no_mangle)]
pub extern "C" fn answer(place: *const u8, len: usize) -> u64 {
    // The host wrote as many bytes there.
    let question: Vec<u8> = unsafe { core::slice::from_raw_parts(place, len) }.to_vec();
    let text = match answer::Question::decode(&mut question.as_slice()) {
        Ok(question) => answer::answer(&question),
        Err(error) => alloc::format!("no question: {error}"),
    };
    let bytes: &'static [u8] = Box::leak(text.into_bytes().into_boxed_slice());
    (bytes.len() as u64) << 32 | bytes.as_ptr() as u64
}
