# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# What one check costs, beside floors and peers. Sourced by scripts/bench.sh.

# --- A head node that answers with a list -----------------------------------------------------------------------------

sign() { # NAME SUBJECT-ALTERNATIVE-NAME
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$workspace/$1.key" \
        -out "$workspace/$1.csr" 2>/dev/null
    printf 'subjectAltName=%s\n' "$2" >"$workspace/$1.ext"
    openssl x509 -req -in "$workspace/$1.csr" -CA "$workspace/ca.pem" -CAkey "$workspace/ca.key" -CAcreateserial \
        -days 2 -extfile "$workspace/$1.ext" -out "$workspace/$1.pem" 2>/dev/null
}

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
# start_peer: the test server, and certificates for it.
start_peer() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca \
        -keyout "$workspace/ca.key" -out "$workspace/ca.pem" 2>/dev/null
    sign server DNS:localhost
    sign client DNS:client
    mkdir -p "$workspace/peers"
    python3 "$repository/Tests/BCMClientTests/Peer/peer.py" "$workspace/peers" &
    on_exit "end_process $!"
}

build_checks() {
    build "$repository/Development" check-benchmark
    # shellcheck disable=SC2046 # a list of options
    cc -O2 -Wall -Wextra -o "$workspace/check_floor" "$repository/Development/bench/check_floor.c" \
        $(pkg-config --cflags --libs libcurl)
}

# --- Checks -----------------------------------------------------------------------------------------------------------

# per_second COUNT MILLISECONDS...: how many in a second.
per_second() {
    local count=$1
    shift
    printf '%s\n' "$@" | awk -v count="$count" '{ printf "%d\n", ($1 > 0 ? count * 1000 / $1 : 0) }'
}

bench_checks() {
    local count place name each floors checks peak memory connections limit floor node lists
    local -A cpus
    start_peer
    for count in $devices; do
        serve "$count"
        each=$((count < 100000 ? requests : (requests + 9) / 10))
        local common=(localhost "$port" "$each" "$workspace/ca.pem" "$workspace/client.pem" "$workspace/client.key")
        floors=() checks=() lists=() cpus=()
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
                    "$scratch/check-benchmark" "${common[@]}" "$name" "$([[ $place == missing ]] && echo 0 || echo 1)"
                ) || fail 1 "the check could not be measured"
                cpus[$place]+=" $limit"
            done
            read -r limit _ < <("$scratch/check-benchmark" "${common[@]}" '*' "$count") ||
                fail 1 "the list could not be measured"
            lists+=("$limit")
        done
        part "$count devices, $(stat --format=%s "$workspace/peers/$count/devices.json") bytes"
        figure "  floor: C, libcurl, answer discarded" ms '' '' "${floors[@]}"
        floor=$(median "${floors[@]}" | cut -d ' ' -f 1)
        for place in first middle last missing; do
            read -ra checks <<<"${cpus[$place]}"
            # With few devices the request is all there is, and both are a fraction of a millisecond.
            figure "  check, this node $place" ms "$([[ $count -lt 1000 ]] || echo 2.5)" "$floor" "${checks[@]}"
        done
        read -ra checks <<<"${cpus[missing]}"
        # shellcheck disable=SC2046 # a list of numbers
        figure "  devices looked through in a second of CPU" "" '' '' $(per_second "$count" "${checks[@]}")
        # shellcheck disable=SC2046
        figure "  devices decoded and kept in a second of CPU" "" '' '' $(per_second "$count" "${lists[@]}")
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

