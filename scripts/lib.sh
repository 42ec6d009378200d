# shellcheck shell=bash
# Shared by the scripts of this folder: messages, packages, traps, bounded waiting. Source it, do not run it.

set -euo pipefail

# shellcheck disable=SC2034 # for those who source this file
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # for those who source this file
cache_directory=${XDG_CACHE_HOME:-$HOME/.cache}/bcm-jobstats

# Exit statuses of these scripts beside 0 and 1.
# shellcheck disable=SC2034 # for those who source this file
readonly exit_usage=2 exit_busy=75 exit_cannot_run=77 exit_interrupted=130

# --- Messages: to standard error, in colour only where a person looks -------------------------------------------------

if [[ -t 2 && -z ${NO_COLOR-} && ${TERM:-dumb} != dumb ]]; then
    colour_head=$'\e[1m' colour_good=$'\e[32m' colour_warn=$'\e[33m' colour_bad=$'\e[31m' colour_none=$'\e[0m'
else
    colour_head='' colour_good='' colour_warn='' colour_bad='' colour_none=''
fi

# The name that messages begin with.
program_name=${0##*/}

say() { printf '%s\n' "$*" >&2; }
heading() { printf '%s%s%s\n' "$colour_head" "$*" "$colour_none" >&2; }
good() { printf '%s%s%s\n' "$colour_good" "$*" "$colour_none" >&2; }
warn() { printf '%s%s: warning: %s%s\n' "$colour_warn" "$program_name" "$*" "$colour_none" >&2; }

# fail STATUS MESSAGE: says why and ends the script.
fail() {
    local status=$1
    shift
    printf '%s%s: %s%s\n' "$colour_bad" "$program_name" "$*" "$colour_none" >&2
    exit "$status"
}

# --- Time -------------------------------------------------------------------------------------------------------------

# Milliseconds since 1970.
now_ms() {
    local microseconds=${EPOCHREALTIME/[.,]/}
    printf '%s' "${microseconds%???}"
}

# seconds_since START: the time since START (of now_ms) in seconds, with one digit after the point.
seconds_since() {
    local elapsed=$(($(now_ms) - $1))
    printf '%d.%d' $((elapsed / 1000)) $((elapsed % 1000 / 100))
}

# wait_until SECONDS COMMAND...: runs the command every 50 ms until it succeeds; status 1 when it did not in time.
wait_until() {
    local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
    shift
    until "$@"; do
        ((${EPOCHREALTIME/[.,]/} < deadline)) || return 1
        sleep 0.05
    done
}

# --- Leaving ----------------------------------------------------------------------------------------------------------

exit_actions=()

# on_exit COMMAND: evaluated when the script ends, however it ends (SIGKILL aside), the latest first.
on_exit() {
    exit_actions+=("$1")
    trap run_exit_actions EXIT
    trap 'exit 129' HUP
    trap 'exit $exit_interrupted' INT
    trap 'exit 143' TERM
}

run_exit_actions() {
    local status=$? index
    trap '' INT TERM HUP # cleaning up is not interrupted
    set +e
    for ((index = ${#exit_actions[@]} - 1; index >= 0; index--)); do eval "${exit_actions[index]}"; done
    trap - EXIT
    exit "$status"
}

# in_time SECONDS COMMAND...: a command in a group of its own, which ends with it: when the time is over, and on Ctrl-C.
in_time() {
    local seconds=$1 status=0
    shift
    timeout --kill-after=20 "$seconds" "$@" </dev/null &
    in_time_process=$!
    on_exit end_in_time
    wait "$in_time_process" || status=$?
    in_time_process=''
    return "$status"
}

end_in_time() {
    [[ -n ${in_time_process-} ]] || return 0
    end_tree "$in_time_process"
    wait "$in_time_process" 2>/dev/null
    in_time_process=''
}

# end_tree PID: ends a process and all that it started, also in groups of their own, as swift build and swift test do.
end_tree() {
    local child
    for child in $(pgrep -P "$1"); do end_tree "$child"; done
    kill "$1" 2>/dev/null || :
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }

# --- Packages ---------------------------------------------------------------------------------------------------------

# missing_packages PACKAGE...: those that are not installed, on one line.
missing_packages() {
    local package missing=() installed
    installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null) || :
    for package in "$@"; do [[ $'\n'$installed$'\n' == *$'\n'"ii  $package"$'\n'* ]] || missing+=("$package"); done
    printf '%s' "${missing[*]-}"
}

# require_packages PACKAGE...: installs what is missing, as root; otherwise says what to install and ends with status 77.
require_packages() {
    local missing log policy=''
    command -v dpkg-query >/dev/null ||
        fail "$exit_cannot_run" "this machine has no Debian packages; install the equivalents of: $*"
    missing=$(missing_packages "$@")
    [[ -n $missing ]] || return 0
    ((EUID == 0)) || fail "$exit_cannot_run" "packages are missing; as root: apt-get install --no-install-recommends $missing"
    say "Installing packages: $missing"
    log=$(mktemp)
    # Debian starts a server when its package is installed; here only its programs are wanted.
    if [[ ! -e /usr/sbin/policy-rc.d ]]; then
        # It counts as long as this script lives, so that one that was left by kill -9 forbids nothing.
        printf '#!/bin/sh\nkill -0 %d 2>/dev/null && exit 101\nexit 0\n' $$ >/usr/sbin/policy-rc.d
        chmod 755 /usr/sbin/policy-rc.d
        on_exit 'rm -f /usr/sbin/policy-rc.d'
        policy=/usr/sbin/policy-rc.d
    fi
    # shellcheck disable=SC2086 # a list of package names
    if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        fail 1 "apt-get could not install: $missing (its last lines are above)"
    fi
    rm -f "$log" ${policy:+"$policy"}
}

# --- Building ---------------------------------------------------------------------------------------------------------

# Where scripts/build.sh leaves the programs that are installed on other machines: static, stripped.
# shellcheck disable=SC2034 # for those who source this file
programs_directory=$repository/.build-static/release
# shellcheck disable=SC2034 # for those who source this file
program_names=(
    bcm-role-monitor prom-targets guided-setup deploy-role-monitor setup-wizard bcmctl validate-deployment capacity-planner
)
# Where it leaves the programs for tests, demonstration and training.
# shellcheck disable=SC2034 # for those who source this file
development_directory=$repository/Development/.build/debug
# The stand-in for the exporters is installed on nodes, so it is static, too.
# shellcheck disable=SC2034 # for those who source this file
stand_in_directory=$repository/Development/.build-static/release

# What scripts/build.sh notes beside the programs: the sum of their sources, and those of the programs themselves.
# shellcheck disable=SC2034 # for those who source this file
build_note=built-of

# sources_sum PATH...: one sum over the names and bytes of all files below these paths of the repository.
sources_sum() {
    (cd "$repository" && find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
}

# How they are built. Nothing is exported, so that what nobody calls can go, and functions of the same code share it.
# shellcheck disable=SC2034 # for those who source this file
static_options=(--configuration release --static-swift-stdlib -Xlinker -s -Xlinker --no-export-dynamic -Xlinker --icf=safe)

# shellcheck disable=SC2034 # for those who source this file
build_packages=(libcurl4-openssl-dev libssl-dev pkg-config git)
least_swift=6.2

# require_swift: ends the script unless a Swift that can build this project is on PATH. It is never installed.
require_swift() {
    local version
    command -v swift >/dev/null ||
        fail "$exit_cannot_run" "there is no swift on PATH; install Swift $least_swift or later from https://www.swift.org/install"
    version=$(swift --version 2>/dev/null)
    [[ $version =~ Swift\ version\ ([0-9]+\.[0-9]+) ]] ||
        fail "$exit_cannot_run" "swift --version says nothing about its version: $version"
    printf '%s\n%s\n' "$least_swift" "${BASH_REMATCH[1]}" | sort --version-sort --check=quiet ||
        fail "$exit_cannot_run" "Swift ${BASH_REMATCH[1]} is too old; install $least_swift or later from https://www.swift.org/install"
}

# run_program NAME ARGUMENT...: becomes this repository's program when it has been built, else the installed one, else
# builds it first. In a package, where these scripts lie in share/bcm-jobstats/scripts, it is the package's program.
run_program() {
    local name=$1
    shift
    if [[ ! -e $repository/Package.swift ]]; then
        [[ -x $repository/../../bin/$name ]] ||
            fail 1 "there is no $name in $(realpath -m "$repository/../../bin"); is the package whole?"
        exec "$repository/../../bin/$name" "$@"
    fi
    if [[ ! -x $programs_directory/$name ]]; then
        if command -v "$name" >/dev/null; then exec "$name" "$@"; fi
        "$repository/scripts/build.sh" --programs --quiet
    fi
    exec "$programs_directory/$name" "$@"
}
