# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The public chain's own clients, unpatched, against a fresh node: the Python SDK of two generations with its btcli, and
# two libraries for Node.js. Sourced by the scripts beside this folder, after setup.sh.
#
# Each client is installed once, into the cache. Where a package registry cannot be reached and the client is not there
# yet, its checks are skipped, and the output says so in capitals.

SDK_VERSIONS=(11.3.0 10.5.0)
NPM_PACKAGES=(@polkadot/api@16.5.6 polkadot-api@2.2.2 ws@8)

# The Python of a virtual environment with the SDK of a version, made when it is not there.
sdk_python() { # VERSION
  local folder=$CACHE/sdk-$1
  if ! "$folder/bin/python" -c 'import bittensor' >/dev/null 2>&1; then
    local python
    python=$(command -v python3.11 || command -v python3) || return 1
    "$python" -m venv "$folder" >/dev/null && timeout 900 "$folder/bin/pip" install -q --no-input "bittensor==$1" >&2 || return 1
  fi
  printf '%s' "$folder/bin/python"
}

# The folder in which the Node.js libraries are installed.
npm_folder() {
  local folder=$CACHE/npm-clients
  if [ ! -d "$folder/node_modules/polkadot-api" ] || [ ! -d "$folder/node_modules/@polkadot/api" ]; then
    command -v npm >/dev/null || return 1
    mkdir -p "$folder"
    (cd "$folder" && timeout 600 npm install --no-audit --no-fund --ignore-scripts "${NPM_PACKAGES[@]}" >&2) || return 1
  fi
  printf '%s' "$folder"
}

skipped() { printf '\nSKIPPED: %s: not installed, and the registry cannot be reached\n' "$*" >&2; }

# Runs every check; fails when one does. Wants CLAWRANK_NODE_BIN and CLAWRANK_BIN.
sdk_checks() {
  local python modules failed=0 suite suites
  for version in "${SDK_VERSIONS[@]}"; do
    suites=(suite.py presets.py)
    [ "${version%%.*}" -ge 11 ] || suites=(legacy.py)
    if python=$(sdk_python "$version"); then
      say "SDK $version"
      for suite in "${suites[@]}"; do "$python" "$ROOT/runtime-tests/sdk/$suite" || failed=1; done
    else
      skipped "SDK $version"
    fi
  done
  if modules=$(npm_folder); then
    say "Node.js clients"
    CLAWRANK_NODE_MODULES=$modules python3 "$ROOT/runtime-tests/sdk/nodejs.py" || failed=1
  else
    skipped "Node.js clients"
  fi
  return $failed
}
