#!/usr/bin/env bash
# Measures what the role monitor costs and how fast it is, beside floors and peers. See usage below.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<'END'
usage: scripts/bench.sh [checks] [files] [monitor] [memory] [fleet] [--rounds N] [--json FILE] [OPTION ...]

Measures in one run and prints medians with the least and the most, as ratios to a floor where there is one. All parts
unless some are named:

  checks   asking BCM about this node, which each check does (a request over the kept connection, and finding this node
           in the answer): CPU, with lists of 10 to 100,000 devices and this node first, in the middle, last and
           missing, beside the floor: a C program over libcurl that discards the same answer. Connections and requests
           as the server saw them, resident memory, and devices per second. Peers: curl | jq and Python, started for
           each look, Python that stays, and the earlier Python monitor
  files    target files: 2,000 written anew and again without a change, beside cp and fsync of as many
  monitor  the program as it is installed on nodes, against a simulated BCM, with a stand-in for systemctl: from its
           start to its first action, from a change of the role in BCM to exporters, target file and a real Prometheus;
           CPU, requests, bytes and connections of whole checks beside the earlier Python monitor; wake-ups and requests
           at the default interval
  memory   the monitor's anonymous memory (what no file backs) over thousands of whole checks, with and without faults
  fleet    2,000 monitors in one process (their real schedules and clients; systemd and shared storage are stand-ins)
           against one simulated head node: whether their requests are spread, how many connections they keep, and
           whether all come back, and not as a herd, when the head node is back after an outage of two intervals

  --rounds N      how often each figure of checks, files and monitor is taken: 5
  --requests N    checks: looks in a round: 100; more where a round would take less than 0.3 s, a tenth of it with
                  100,000 devices
  --devices LIST  checks and monitor (there to 10,000): the lengths of the lists, "10 1000 10000 100000"
  --passes N      memory: checks over which memory is watched: 12000. With fewer the growth for each check has no goal
  --fault-passes N
                  memory: the same among faults: 2400
  --monitors N    fleet: how many: 2000. Each takes four descriptors (ulimit -n) and a thread
  --interval N    fleet: seconds between two checks of one monitor: 20. The product's is 60; a shorter one is more load
  --earlier-monitor FILE
                  the earlier Python monitor, which is not part of this repository: automation/role-monitor/
                  bcm_role_monitor.py of github.com/twilson217/Jobstats-on-SuperPOD. It needs python3-requests. Without
                  it a stand-in is measured, in part checks, and the figures beside it are named as missing
  --json FILE     the figures also as JSON, also when the script ends early: an object {finished, status, time, commit,
                  unmet, skipped, figures}; each of these {section, name, unit, median, least, most, values, floor,
                  ratio, goal: {least, most}, met}

The monitor part takes about 10 minutes with its defaults, memory 10, the fleet 3, the first build of all programs several more.
Peers that are not on this machine are skipped and named. Deployment: scripts/bench-deploy.sh.
Exit status: 0 the goals are met, 1 one is not, or something failed, 2 usage, 77 something is missing here.
END
}

rounds=5 requests=100 devices="10 1000 10000 100000" passes=12000 fault_passes=2400 monitors=2000 interval=20 json='' earlier='' parts=()
while (($#)); do
    case $1 in
        checks | files | monitor | memory | fleet) parts+=("$1") ;;
        --rounds | --requests | --devices | --passes | --fault-passes | --monitors | --interval | --json)
            [[ -n ${2-} ]] || fail "$exit_usage" "$1 needs a value (see --help)"
            option=${1#--}
            printf -v "${option//-/_}" %s "$2"
            shift
            ;;
        --earlier-monitor)
            [[ -r ${2-} && -f $2 ]] || fail "$exit_usage" "--earlier-monitor needs a file that can be read (see --help)"
            earlier=$(realpath "$2")
            shift
            ;;
        -h | --help) usage && exit 0 ;;
        *) fail "$exit_usage" "unknown option or part: $1 (see --help)" ;;
    esac
    shift
done
((${#parts[@]} > 0)) || parts=(checks files monitor memory fleet)
# shellcheck disable=SC2086 # a list of numbers
for number in "$rounds" "$requests" $devices "$passes" "$fault_passes" "$monitors" "$interval"; do
    [[ $number =~ ^[1-9][0-9]{0,5}$ ]] || fail "$exit_usage" "not a number from 1 to 999999: $number"
done
for program in cc python3 openssl awk jq; do
    command -v "$program" >/dev/null || fail "$exit_cannot_run" "there is no $program on PATH"
done
require_swift
require_packages "${build_packages[@]}"

workspace=$(mktemp -d)
# shellcheck disable=SC2016 # evaluated when the script ends
on_exit 'rm -rf "$workspace"'
# shellcheck disable=SC2034 # for the parts
scratch=$stand_in_directory simulator=$stand_in_directory/bcm-simulator cmsh=$stand_in_directory/simulated-cmsh
here=$(dirname "${BASH_SOURCE[0]}")/bench
# shellcheck source=scripts/bench/figures.sh
. "$here/figures.sh"
[[ -z $json ]] || json_begin "$json"
figures_begin "$workspace"
# shellcheck source=scripts/bench/cluster.sh
. "$here/cluster.sh"
# shellcheck source=scripts/bench/peers.sh
. "$here/peers.sh"
# shellcheck source=scripts/bench/up.sh
. "$here/up.sh"
for name in "${parts[@]}"; do
    # shellcheck disable=SC1090 # each is checked by itself
    . "$here/$name.sh"
done

# build PACKAGE PRODUCT...: programs as they are installed.
build() {
    local package=$1 product
    shift
    for product; do
        swift build --package-path "$package" --scratch-path "$package/.build-static" "${static_options[@]}" \
            --product "$product" </dev/null >"$workspace/log" 2>&1 || {
            tail -n 30 "$workspace/log" >&2
            fail 1 "building $product failed (the compiler's last lines are above)"
        }
    done
}

say "Building the benchmarks ..."
for name in "${parts[@]}"; do "build_$name"; done
figure_head
[[ " ${parts[*]} " != *\ @(checks|monitor)\ * ]] || find_earlier
for name in "${parts[@]}"; do "bench_$name"; done
verdict
