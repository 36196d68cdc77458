# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sets up a Debian or Ubuntu machine with rustup for ClawRank. Sourced by the scripts beside this folder.
#
# Exports CARGO_TARGET_DIR (a folder outside the checkout, so that a second clone reuses the build) and, where rustup
# cannot fetch the Wasm target, WASM_BUILD_TOOLCHAIN (a toolchain linked from the distribution's own packages).

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${CLAWRANK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/clawrank}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-auto}
# Telemetry of a local chain has nowhere to go.
export CARGO_INCREMENTAL=0

say() { printf '\n== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "need root to run '$*': run as root or install sudo"; fi
}

# Installs the Debian packages named that are not installed yet.
ensure_packages() {
  local missing=() p
  for p in "$@"; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
  done
  [ ${#missing[@]} = 0 ] && return 0
  say "installing packages: ${missing[*]}"
  as_root apt-get update -qq
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Makes `wasm32v1-none` available: by rustup, else from the distribution's compiler and sources.
ensure_wasm_target() {
  if rustup target list --installed 2>/dev/null | grep -qx wasm32v1-none; then return 0; fi
  if [ ! -e "$CACHE/no-rustup-download" ] && timeout 120 rustup target add wasm32v1-none >/dev/null 2>&1; then return 0; fi
  say "rustup cannot download wasm32v1-none; building its core library from the distribution's sources"
  ensure_packages rustc-web cargo-web rust-web-src rust-web-llvm lld-19
  local sysroot lib host
  sysroot=$(/usr/bin/rustc --print sysroot)
  lib=$sysroot/lib/rustlib/wasm32v1-none/lib
  host=$sysroot/lib/rustlib/$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
  if ! ls "$lib"/libcore-*.rlib "$lib"/liballoc-*.rlib "$lib"/libcompiler_builtins-*.rlib >/dev/null 2>&1; then
    local tmp
    tmp=$(mktemp -d)
    mkdir -p "$tmp/src"
    printf '[package]\nname = "seed"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$tmp/Cargo.toml"
    printf '#![no_std]\n' >"$tmp/src/lib.rs"
    # Bitcode is embedded because the runtime is linked with LTO.
    (cd "$tmp" && env -u RUSTUP_TOOLCHAIN RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes CARGO_TARGET_DIR="$tmp/target" \
      /usr/bin/cargo build --release --quiet -Zbuild-std=core,alloc --target wasm32v1-none)
    as_root mkdir -p "$lib"
    as_root cp "$tmp"/target/wasm32v1-none/release/deps/lib{core,alloc,compiler_builtins}-*.rlib "$lib/"
    rm -rf "$tmp"
  fi
  as_root mkdir -p "$host/bin"
  as_root ln -sfn /usr/lib/llvm-19/bin/lld "$host/bin/rust-lld"
  rustup toolchain link debian-web "$sysroot"
  mkdir -p "$CACHE" && touch "$CACHE/no-rustup-download"
  export WASM_BUILD_TOOLCHAIN=debian-web
}

# Everything a build needs. Idempotent; needs the network only the first time.
setup() {
  command -v rustup >/dev/null || die "rustup is missing: install it from https://rustup.rs and run this again"
  ensure_packages clang cmake gcc libc6-dev make perl pkg-config protobuf-compiler python3 python3-venv
  ensure_wasm_target
}

# `cargo` for primitives on the bare Wasm target, with whichever toolchain has it.
wasm_cargo() {
  if [ -n "${WASM_BUILD_TOOLCHAIN:-}" ]; then cargo "+$WASM_BUILD_TOOLCHAIN" "$@"; else cargo "$@"; fi
}

# Builds the runtime's Wasm with features of its own, beside the one that the programs carry, and prints its path.
feature_runtime() { # FEATURES, divided by commas
  local flags="-C link-arg=--export-table -C link-arg=--export=__heap_base -C link-arg=--import-memory --cfg substrate_runtime"
  # Programs that are told the path take a comma for the end of it.
  local folder=$CARGO_TARGET_DIR/runtime-${1//,/-}
  # Optimised as the runtime's build script has it.
  CARGO_PROFILE_RELEASE_OPT_LEVEL=s CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
    RUSTFLAGS=$flags CARGO_TARGET_DIR=$folder \
    wasm_cargo rustc --locked --quiet --release --lib -p clawrank-runtime --target wasm32v1-none --crate-type cdylib \
    --no-default-features --features "$1" >&2 || return 1
  printf '%s' "$folder/wasm32v1-none/release/clawrank_runtime.wasm"
}
