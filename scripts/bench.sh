#!/usr/bin/env bash
# Measures what a check of the role monitor and target files cost, beside floors and peers. See usage below.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<'END'
usage: scripts/bench.sh [--rounds N] [--requests N] [--devices "N ..."] [--json FILE]

Measures in one run, each figure in several rounds that take turns, and prints medians with the least and the most:

  * one check of the role monitor (a request over the kept connection, and finding this node in the answer): CPU, with
    lists of 10 to 100,000 devices and this node first, in the middle, last and missing, beside the floor: a C program
    over libcurl that discards the same answer. Connections, and resident memory at the end
  * peers that do the same look once each, over a new connection, as programs started for it: curl | jq, and Python that
    reads the whole answer. (The earlier Python monitor itself is not part of this repository; this is a stand-in for it)
  * target files: 2,000 written anew and again without a change, beside cp and fsync of as many

  --rounds N      5 unless said otherwise
  --requests N    checks in a round: 100; a tenth of it with 100,000 devices
  --devices LIST  the lengths of the lists, "10 1000 10000 100000"
  --json FILE     the figures also as JSON: an array of objects {name, unit, median, least, most, ratio, goal, met}

Peers that are not on this machine are skipped and named. Deployment: scripts/bench-deploy.sh.
Exit status: 0 the goals are met, 1 one is not, or something failed, 2 usage, 77 something is missing here.
END
}

rounds=5 requests=100 devices="10 1000 10000 100000" json=''
while (($#)); do
    case $1 in
        --rounds | --requests | --devices | --json)
            [[ -n ${2-} ]] || fail "$exit_usage" "$1 needs a value (see --help)"
            printf -v "${1#--}" %s "$2"
            shift
            ;;
        -h | --help) usage && exit 0 ;;
        *) fail "$exit_usage" "unknown option: $1 (see --help)" ;;
    esac
    shift
done
for number in "$rounds" "$requests" $devices; do
    [[ $number =~ ^[1-9][0-9]{0,5}$ ]] || fail "$exit_usage" "not a number from 1 to 999999: $number"
done
for program in cc python3 openssl awk jq; do
    command -v "$program" >/dev/null || fail "$exit_cannot_run" "there is no $program on PATH"
done
require_swift

workspace=$(mktemp -d)
# shellcheck disable=SC2016 # evaluated when the script ends
on_exit 'rm -rf "$workspace"'
scratch=$repository/Development/.build-static
unmet=0

say "Building the benchmarks ..."
for product in check-benchmark target-file-benchmark; do
    swift build --package-path "$repository/Development" --scratch-path "$scratch" --configuration release \
        --static-swift-stdlib -Xlinker -s --product "$product" >"$workspace/log" 2>&1 || {
        tail -n 30 "$workspace/log" >&2
        fail 1 "building $product failed (the compiler's last lines are above)"
    }
done
# shellcheck disable=SC2046 # a list of options
cc -O2 -Wall -Wextra -o "$workspace/check_floor" "$repository/Development/bench/check_floor.c" \
    $(pkg-config --cflags --libs libcurl)

# --- Figures ----------------------------------------------------------------------------------------------------------

# median VALUE...: the median, the least and the most.
median() { printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)], v[1], v[NR] }'; }

# figure NAME UNIT GOAL FLOOR VALUE...: prints a line and keeps it. With a FLOOR the goal is for the ratio to it.
figure() {
    local name=$1 unit=$2 goal=$3 floor=$4 middle least most ratio='' met=''
    shift 4
    read -r middle least most < <(median "$@")
    if [[ -n $floor ]]; then ratio=$(awk -v a="$middle" -v b="$floor" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }'); fi
    if [[ -n $goal ]]; then
        if awk -v a="${ratio:-$middle}" -v b="$goal" 'BEGIN { exit !(a <= b) }'; then
            met=yes
        else
            met=no unmet=$((unmet + 1))
        fi
    fi
    printf '%-52s %10s %-6s %10s to %-10s %s%s\n' "$name" "$middle" "$unit" "$least" "$most" "${ratio:+$ratio times }" \
        "${goal:+(goal $goal: ${met/no/MISSED})}"
    jq -cn --arg name "$name" --arg unit "$unit" --arg goal "$goal" --arg ratio "$ratio" --arg met "$met" \
        --argjson median "$middle" --argjson least "$least" --argjson most "$most" \
        '{name: $name, unit: $unit, median: $median, least: $least, most: $most}
         + (if $ratio == "" then {} else {ratio: ($ratio | tonumber)} end)
         + (if $goal == "" then {} else {goal: ($goal | tonumber), met: ($met == "yes")} end)' >>"$workspace/figures"
}

# cpu COMMAND...: milliseconds of CPU of the command and what it started.
cpu() {
    local TIMEFORMAT='%3U %3S'
    { time "$@" >/dev/null 2>"$workspace/errors"; } 2>&1 | awk '{ printf "%.1f\n", ($1 + $2) * 1000 }'
}

# --- A head node that answers with a list -----------------------------------------------------------------------------

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

# list N: as BCM writes it, some 335 bytes for each device.
list() {
    awk -v count="$1" 'BEGIN {
        printf "["
        for (number = 1; number <= count; number++) {
            printf "%s{\"category\": \"dgx-h100-production\", \"cluster\": \"basecm10-production\", ", (number > 1 ? ", " : "")
            printf "\"hostname\": \"node%06d\", \"ip\": \"10.141.%d.%d\", ", number, number / 250, number % 250
            printf "\"mac\": \"FA:16:3E:%02X:%02X:31\", \"network\": \"internalnet\", ", number / 256 % 256, number % 256
            printf "\"roles\": [\"slurmclient\", \"storage\"], \"type\": \"PhysicalNode\", "
            printf "\"notes\": \"rack %03d, row %02d, installed with the second extension of the cluster, power feeds A and B\"}", number / 40, number / 400
        }
        print "]"
    }'
}

# serve N: answers with a list of N devices; sets `port`.
serve() {
    local folder=$workspace/peers/$1
    mkdir -p "$folder"
    list "$1" >"$folder/devices.json"
    cat >"$folder/listeners.json" <<END
[{"name": "peer", "behaviour": "ok", "certificate": "$workspace/server.pem", "key": "$workspace/server.key",
  "authority": "$workspace/ca.pem", "body": "$folder/devices.json"}]
END
    wait_until 15 test -e "$folder/peer.port" || fail 1 "the test server did not start"
    port=$(<"$folder/peer.port")
}
mkdir -p "$workspace/peers"
python3 "$repository/Tests/BCMClientTests/Peer/peer.py" "$workspace/peers" &
# shellcheck disable=SC2064 # the process is known now
on_exit "kill $! 2>/dev/null"

# --- Checks -----------------------------------------------------------------------------------------------------------

bench_checks() {
    local count place name each floors checks peak memory connections limit floor node
    local -A cpus
    for count in $devices; do
        serve "$count"
        each=$((count < 100000 ? requests : (requests + 9) / 10))
        local common=(localhost "$port" "$each" "$workspace/ca.pem" "$workspace/client.pem" "$workspace/client.key")
        floors=() checks=() cpus=()
        for ((round = 0; round < rounds; round++)); do
            read -r floor _ < <("$workspace/check_floor" "${common[@]}") || fail 1 "the floor could not be measured"
            floors+=("$floor")
            for place in first middle last missing; do
                case $place in
                    first) node=1 ;;
                    middle) node=$((count / 2)) ;;
                    last) node=$count ;;
                    missing) node=$((count + 1)) ;;
                esac
                printf -v name 'node%06d' "$node"
                read -r limit connections peak memory < <(
                    "$scratch/release/check-benchmark" "${common[@]}" "$name" "$([[ $place == missing ]] && echo 0 || echo 1)"
                ) || fail 1 "the check could not be measured"
                cpus[$place]+=" $limit"
            done
        done
        say "$count devices, $(stat --format=%s "$workspace/peers/$count/devices.json") bytes"
        figure "  floor: C, libcurl, answer discarded" ms '' '' "${floors[@]}"
        floor=$(median "${floors[@]}" | cut -d ' ' -f 1)
        for place in first middle last missing; do
            read -ra checks <<<"${cpus[$place]}"
            # With few devices the request is all there is, and both are a fraction of a millisecond.
            figure "  check, this node $place" ms "$([[ $count -lt 1000 ]] || echo 2.5)" "$floor" "${checks[@]}"
        done
        figure "  connections for $((each + 3)) checks" '' 1 '' "$connections"
        figure "  resident memory at the end" kB 20480 '' "$memory"
        figure "  most resident memory" kB '' '' "$peak"
        [[ $count != 10000 ]] || bench_peers "$floor"
    done
}

# bench_peers FLOOR: one look each, from the start of a program to the answer about one node.
bench_peers() {
    local values=() url=https://localhost:$port/rest/v1/device
    local keys=(--cacert "$workspace/ca.pem" --cert "$workspace/client.pem" --key "$workspace/client.key")
    if command -v curl >/dev/null; then
        # shellcheck disable=SC2016 # the inner shell's
        for ((round = 0; round < rounds; round++)); do
            values+=("$(cpu bash -c 'curl -sSf --max-time 60 "$@" | jq -e ".[] | select(.hostname == \"node005000\") | .roles"' bash "${keys[@]}" "$url")")
        done
        figure "  peer: curl | jq, started for each check" ms '' "$1" "${values[@]}"
    else
        say "  peer: curl | jq: skipped, there is no curl here"
    fi
    values=()
    for ((round = 0; round < rounds; round++)); do
        values+=("$(cpu python3 "$repository/Development/bench/check_peer.py" "$url" "$workspace/ca.pem" "$workspace/client.pem" "$workspace/client.key" node005000 1)")
    done
    figure "  peer: Python, started for each check" ms '' "$1" "${values[@]}"
    values=()
    for ((round = 0; round < rounds; round++)); do
        values+=("$(python3 "$repository/Development/bench/check_peer.py" "$url" "$workspace/ca.pem" "$workspace/client.pem" "$workspace/client.key" node005000 10)")
    done
    figure "  peer: Python that stays, a new connection each" ms '' "$1" "${values[@]}"
}

# --- Target files -----------------------------------------------------------------------------------------------------

bench_files() {
    local new=() same=() copies=() touched folder=$workspace/targets a b
    for ((round = 0; round < rounds; round++)); do
        rm -rf "$folder"
        mkdir "$folder"
        read -r a b touched < <("$scratch/release/target-file-benchmark" "$folder" 2000) || fail 1 "target files could not be measured"
        new+=("$a") same+=("$b")
        mkdir -p "$workspace/copies"
        copies+=("$(python3 "$repository/Development/bench/copy_floor.py" "$folder" "$workspace/copies")")
        rm -rf "$workspace/copies"
    done
    say "2000 target files"
    figure "  floor: copied and flushed, each" ms '' '' "${copies[@]}"
    figure "  written anew, each" ms '' "$(median "${copies[@]}" | cut -d ' ' -f 1)" "${new[@]}"
    figure "  written again without a change, each" ms '' '' "${same[@]}"
    figure "  of these that reached the disk" '' 0 '' "$touched"
}

printf '%-52s %10s %-6s %10s\n' figure median '' 'least to most'
bench_checks
bench_files
say "Not measured here: the earlier Python monitor (not part of this repository), pdsh (nothing to compare it with)."
if [[ -n $json ]]; then jq -s . "$workspace/figures" >"$json.new" && mv -f "$json.new" "$json"; fi
((unmet == 0)) || fail 1 "$unmet of the goals are not met"
good "The goals are met."
