#!/usr/bin/env bash
# Runs the tests on a fresh machine: `bash tests/run.sh` (all), or with arguments for pytest: `bash tests/run.sh tests/test_house.py -k import`.
# Needs Python 3.11 or newer and nothing else: no Graphviz, no compiler, no browser installed by hand.
#   PYTHON                       the interpreter to build the environment from
#   AUTOGRAD_EXPLORER_VENV       where the environment lies (default: .venv in the checkout)
#   AUTOGRAD_EXPLORER_BROWSER    the Chromium or Chrome to drive
#   AUTOGRAD_EXPLORER_JOBS       how many files of tests run at the same time (default: 2)
#   AUTOGRAD_EXPLORER_SETUP=only make the environment and find the browser, run nothing
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${AUTOGRAD_EXPLORER_VENV:-$root/.venv}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

say() { printf 'tests/run.sh: %s\n' "$*" >&2; }
die() { say "$*"; exit 2; }

# quietly COMMAND...: its output is shown only if it fails.
quietly() {
    "$@" >"$log" 2>&1 && return 0
    tail -n 40 "$log" >&2
    return 1
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python3.14 python; do
        [ -n "$candidate" ] || continue
        if recent_enough "$candidate"; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

# Changes when packages have to be installed again: other requirements, another interpreter, another checkout.
fingerprint() {
    "$venv/bin/python" - "$root" <<'PY'
import hashlib, pathlib, sys
root = pathlib.Path(sys.argv[1])
parts = [sys.version, str(root)] + [(root / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "tests/constraints.txt")]
print(hashlib.sha256("\0".join(parts).encode()).hexdigest())
PY
}

recent_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

make_environment() {
    local python
    if [ -e "$venv" ]; then
        recent_enough "$venv/bin/python" || die "$venv is there and holds no Python 3.11 or newer. Remove it, or set AUTOGRAD_EXPLORER_VENV to another place."
        return 0
    fi
    python=$(find_python) || die "Python 3.11 or newer was not found. Install it, or name one: PYTHON=/path/to/python bash tests/run.sh"
    quietly "$python" -m venv "$venv" || { rm -rf "$venv"; die "no virtual environment could be made; on Debian and Ubuntu install python3-venv."; }
}

prepare_environment() {
    local stamp
    make_environment
    stamp=$(fingerprint)
    [ "$(cat "$venv/.autograd-explorer-tests" 2>/dev/null || true)" != "$stamp" ] || return 0
    say "installing into $venv (a few minutes the first time)"
    quietly "$venv/bin/python" -m pip install -c "$root/tests/constraints.txt" -e "$root[test]" \
        || die "the packages could not be installed; pip's last lines stand above."
    printf '%s\n' "$stamp" >"$venv/.autograd-explorer-tests"
}

runs() { [ -n "$1" ] && "$1" --version >/dev/null 2>&1; }

installed_browser() {
    local candidate
    for candidate in "${AUTOGRAD_EXPLORER_BROWSER:-}" chromium google-chrome google-chrome-stable chromium-browser chrome \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
        if runs "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

debian_browser() {
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" = 0 ] || sudo -n true >/dev/null 2>&1 || return 1
    say "installing Chromium with apt-get"
    quietly as_root apt-get update || say "apt-get update failed; trying with the lists at hand"
    quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium || return 1
    installed_browser
}

playwright_browser() {
    say "installing Chromium with playwright"
    quietly "$venv/bin/python" -m playwright install chromium || return 1
    "$venv/bin/python" -c 'from playwright.sync_api import sync_playwright as p
with p() as playwright: print(playwright.chromium.executable_path)'
}

prepare_environment
browser=$(installed_browser || debian_browser || playwright_browser) \
    || die "no browser was found and none could be installed. Install Chromium or Chrome, or name one: AUTOGRAD_EXPLORER_BROWSER=/path/to/chrome"
export AUTOGRAD_EXPLORER_BROWSER=$browser

[ "${AUTOGRAD_EXPLORER_SETUP:-}" != only ] || exit 0
rm -f "$log"
cd "$root"
unset PYTHONDONTWRITEBYTECODE # hundreds of tests start a Python of their own, which then need not compile the package anew
exec "$venv/bin/python" -m pytest -n "${AUTOGRAD_EXPLORER_JOBS:-2}" --dist loadfile --no-loadscope-reorder "$@"
