# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The public chain's own clients, unpatched, against a fresh node: the Python SDK of two generations with its btcli, and
# two libraries for Node.js. Sourced by the scripts beside this folder, after setup.sh.
#
# Each client is installed once, into the cache. Where its package registry cannot be reached and the client is not there
# yet, its checks are skipped, and the output says so in capitals; where the registry answers, or CLAWRANK_REQUIRE_SDK is
# set, that is a failure.

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
    command -v npm >/dev/null || (ensure_packages nodejs npm) >&2 || return 1
    mkdir -p "$folder"
    (cd "$folder" && timeout 600 npm install --no-audit --no-fund --ignore-scripts "${NPM_PACKAGES[@]}" >&2) || return 1
  fi
  printf '%s' "$folder"
}

pypi_answers() {
  local pip=$CACHE/pip/bin/pip
  [ -x "$pip" ] || python3 -m venv "$CACHE/pip" >/dev/null || return 1
  timeout 60 "$pip" --disable-pip-version-check --retries 1 --timeout 15 --no-input index versions pip >/dev/null 2>&1
}
npm_answers() { timeout 60 npm view ws@8 version >/dev/null 2>&1; }

# Says that checks are skipped; fails where they must not be.
skipped() { # PROBE WHAT
  local probe=$1; shift
  if [ -n "${CLAWRANK_REQUIRE_SDK:-}" ] || "$probe"; then
    printf '\nerror: %s: cannot be installed\n' "$*" >&2
    return 1
  fi
  printf '\nSKIPPED: %s: not installed, and the registry cannot be reached\n' "$*" >&2
}

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
      skipped pypi_answers "SDK $version" || failed=1
    fi
  done
  if modules=$(npm_folder); then
    say "Node.js clients"
    CLAWRANK_NODE_MODULES=$modules python3 "$ROOT/runtime-tests/sdk/nodejs.py" || failed=1
  else
    skipped npm_answers "Node.js clients" || failed=1
  fi
  return $failed
}
