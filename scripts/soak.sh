#!/usr/bin/env bash
# Lets a role monitor live among faults and watches its memory. See usage below.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<'END'
usage: scripts/soak.sh [--minutes N] [--debug]

Runs bcm-role-monitor against two simulated head nodes over TLS. Every few seconds its role flips; in between BCM and
systemctl fail in ways drawn by chance. Once a minute its memory (resident, proportional, anonymous), open descriptors and
threads are printed. Fails when a line through the last two thirds of the samples rises by more than 64 bytes of anonymous
memory for each check (and twice the line's own uncertainty), or descriptors by more than one, or threads by four; in half an
hour also when there were too few checks to tell.

  --minutes N   how long, 1 to 1440 (30); below 8 growth cannot be told
  --debug       the program that was built beside the tests, not the static one that is installed on nodes

Exit status: 0 flat, 1 growth or a broken invariant, 2 usage.
END
}

minutes=30 debug=no
while (($#)); do
    case $1 in
        --minutes)
            if [[ ! ${2-} =~ ^[0-9]{1,4}$ ]] || ((10#$2 < 1 || 10#$2 > 1440)); then
                fail "$exit_usage" "--minutes takes a number from 1 to 1440 (see --help)"
            fi
            minutes=$((10#$2))
            shift
            ;;
        --debug) debug=yes ;;
        -h | --help) usage && exit 0 ;;
        *) fail "$exit_usage" "unknown option: $1 (see --help)" ;;
    esac
    shift
done

cd "$repository"
require_packages "${build_packages[@]}" openssl
require_swift
export JOBSTATS_SOAK_MINUTES=$minutes JOBSTATS_FAULTS=node.soak
if [[ $debug == no ]]; then
    [[ -x $programs_directory/bcm-role-monitor ]] || scripts/build.sh --programs --quiet
    export JOBSTATS_MONITOR=$programs_directory/bcm-role-monitor
fi
swift build --package-path Development --build-tests >&2 || fail 1 "the tests cannot be built"
logs=$(mktemp -d)
on_exit "rm -rf '$logs'"
export JOBSTATS_FAULT_RESULTS=$logs/cells
# The test program itself: a swift test would keep the build folder locked for all that time.
status=0
in_time $((minutes * 60 + 300)) \
    "$development_directory/bcm-jobstats-developmentPackageTests.xctest" --testing-library swift-testing \
    --filter '^FaultCampaign\.FaultCampaign/Soak/' || status=$?
[[ ! -s $logs/cells ]] || cut -f2- "$logs/cells"
((status == 0)) || exit 1
