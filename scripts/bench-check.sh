#!/usr/bin/env bash
# Measures one check of the role monitor against 10,000 devices: CPU beside that of a plain libcurl program that
# discards the same answer, new connections, and resident memory. The goals are 2.5 times, one connection, and 20 MB.
#
# Usage: scripts/bench-check.sh [REQUESTS]      100 by default
# Exit status: 0 the goals are met, 1 they are not, 2 usage, 77 something is missing here.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

requests=${1:-100}
[[ $requests =~ ^[1-9][0-9]{0,5}$ && $# -le 1 ]] || fail "$exit_usage" "usage: scripts/bench-check.sh [REQUESTS]"
for program in cc python3 openssl awk; do
    command -v "$program" >/dev/null || fail "$exit_cannot_run" "there is no $program on PATH"
done
require_swift

workspace=$(mktemp -d)
# shellcheck disable=SC2016 # evaluated when the script ends
on_exit 'rm -rf "$workspace"'

say "Building the benchmark ..."
scratch=$repository/Development/.build-static
swift build --package-path "$repository/Development" --scratch-path "$scratch" --configuration release \
    --static-swift-stdlib -Xlinker -s --product check-benchmark >"$workspace/log" 2>&1 || {
    tail -n 30 "$workspace/log" >&2
    fail 1 "building check-benchmark failed (the compiler's last lines are above)"
}
# shellcheck disable=SC2046 # a list of options
cc -O2 -Wall -Wextra -o "$workspace/check_floor" "$repository/Development/bench/check_floor.c" \
    $(pkg-config --cflags --libs libcurl)

# Certificates, and a list of 10,000 devices as BCM writes it, 3.4 MB.
sign() { # NAME SUBJECT-ALTERNATIVE-NAME
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$workspace/$1.key" \
        -out "$workspace/$1.csr" 2>/dev/null
    printf 'subjectAltName=%s\n' "$2" >"$workspace/$1.ext"
    openssl x509 -req -in "$workspace/$1.csr" -CA "$workspace/ca.pem" -CAkey "$workspace/ca.key" -CAcreateserial \
        -days 2 -extfile "$workspace/$1.ext" -out "$workspace/$1.pem" 2>/dev/null
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca \
    -keyout "$workspace/ca.key" -out "$workspace/ca.pem" 2>/dev/null
sign server DNS:localhost
sign client DNS:client
awk 'BEGIN {
    printf "["
    for (number = 1; number <= 10000; number++) {
        printf "%s{\"category\": \"dgx-h100-production\", \"cluster\": \"basecm10-production\", ", (number > 1 ? ", " : "")
        printf "\"hostname\": \"node%05d\", \"ip\": \"10.141.%d.%d\", ", number, number / 250, number % 250
        printf "\"mac\": \"FA:16:3E:%02X:%02X:31\", \"network\": \"internalnet\", ", number / 256, number % 256
        printf "\"roles\": [\"slurmclient\", \"storage\"], \"type\": \"PhysicalNode\", "
        printf "\"notes\": \"rack %03d, row %02d, installed with the second extension of the cluster, power feeds A and B\"}", number / 40, number / 400
    }
    print "]"
}' >"$workspace/devices.json"

mkdir -p "$workspace/peers/bench"
cat >"$workspace/peers/bench/listeners.json" <<END
[{"name": "peer", "behaviour": "ok", "certificate": "$workspace/server.pem", "key": "$workspace/server.key",
  "authority": "$workspace/ca.pem", "body": "$workspace/devices.json"}]
END
python3 "$repository/Tests/BCMClientTests/Peer/peer.py" "$workspace/peers" &
# shellcheck disable=SC2064 # the process is known now
on_exit "kill $! 2>/dev/null"
wait_until 10 test -e "$workspace/peers/bench/peer.port" || fail 1 "the test server did not start"

common=(localhost "$(<"$workspace/peers/bench/peer.port")" "$requests" "$workspace/ca.pem" "$workspace/client.pem"
    "$workspace/client.key")
# Three rounds in turn, the best of each: what else runs on the machine only ever adds.
floor=999999 check=999999 connections=0 peak=0 memory=0 floor_memory=0
for _ in 1 2 3; do
    read -r cpu _ floor_memory < <("$workspace/check_floor" "${common[@]}") || fail 1 "the floor could not be measured"
    floor=$(awk -v a="$floor" -v b="$cpu" 'BEGIN { print a < b ? a : b }')
    read -r cpu connections peak memory < <("$scratch/release/check-benchmark" "${common[@]}" node05000) ||
        fail 1 "the check could not be measured"
    check=$(awk -v a="$check" -v b="$cpu" 'BEGIN { print a < b ? a : b }')
done
ratio=$(awk -v a="$check" -v b="$floor" 'BEGIN { printf "%.2f", a / b }')
printf '%-58s %s\n' \
    "answer" "$(stat --format=%s "$workspace/devices.json") bytes, 10000 devices" \
    "CPU of a request whose answer is discarded (C, libcurl)" "$floor ms" \
    "CPU of a check (BCMClient)" "$check ms" \
    "ratio (goal: at most 2.5)" "$ratio" \
    "connections for $((requests + 3)) checks (goal: 1)" "$connections" \
    "most resident memory of the C program" "$floor_memory kB" \
    "most resident memory of BCMClient, reached at its start" "$peak kB" \
    "resident memory of BCMClient at the end (goal: 20480 kB)" "$memory kB"
awk -v ratio="$ratio" -v connections="$connections" -v memory="$memory" \
    'BEGIN { exit !(ratio <= 2.5 && connections == 1 && memory <= 20480) }' || fail 1 "a goal is not met"
good "The goals are met."
