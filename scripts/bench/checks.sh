# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# What it costs to ask BCM about this node, which is a part of each check, beside floors and peers. Sourced by scripts/bench.sh.

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
    # The test server looks every few milliseconds, and would read a file that is still empty.
    cat >"$folder/listeners.new" <<END
[{"name": "peer", "behaviour": "ok", "certificate": "$workspace/server.pem", "key": "$workspace/server.key",
  "authority": "$workspace/ca.pem", "body": "$folder/devices.json"}]
END
    mv "$folder/listeners.new" "$folder/listeners.json"
    wait_until 15 test -e "$folder/peer.port" ||
        fail 1 "the test server did not start to serve $1 devices: $(tail -n 1 "$folder/failure" 2>/dev/null)"
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

# --- Looks ------------------------------------------------------------------------------------------------------------

# per_second COUNT MILLISECONDS...: how many in a second.
per_second() {
    local count=$1
    shift
    printf '%s\n' "$@" | awk -v count="$count" '{ printf "%d\n", ($1 > 0 ? count * 1000 / $1 : 0) }'
}

# looks_in_a_round DEVICES: as many as were asked for, and with short lists as many as take about 0.3 s.
looks_in_a_round() {
    awk -v devices="$1" -v least="$requests" 'BEGIN {
        if (devices >= 100000) { print int((least + 9) / 10); exit }
        n = int(300 / (0.13 + 0.0006 * devices))
        if (n > 3000) n = 3000
        print (n > least ? n : least) }'
}

# look NAME TIMES: one round of looks. Sets `value`, `peak` and `memory` from what the program says of itself, and appends what
# the server saw to `opened` and `asked`.
look() {
    local requests_before connections_before
    requests_before=$(seen request) connections_before=$(seen connection)
    value=$("$scratch/check-benchmark" "${common[@]}" "$1" "$2" 2>"$workspace/errors") ||
        fail 1 "asking BCM could not be measured: $(tail -n 3 "$workspace/errors")"
    read -r value _ peak memory <<<"$value"
    opened+=("$(($(seen connection) - connections_before))")
    # Three requests come before those that count.
    asked+=("$(ratio_of $(($(seen request) - requests_before)) $((each + 3)))")
}

bench_checks() {
    local count place name each floors cpus peak memory value floor node lists opened asked peaks ends with_peers shortest=''
    local -A of_place
    start_peer
    # The peers have the list of 10,000, or else the last.
    with_peers=${devices##* }
    [[ " $devices " != *" 10000 "* ]] || with_peers=10000
    for count in $devices; do
        serve "$count"
        each=$(looks_in_a_round "$count")
        local common=(localhost "$port" "$each" "$workspace/ca.pem" "$workspace/client.pem" "$workspace/client.key")
        floors=() lists=() opened=() asked=() peaks=() ends=() of_place=()
        for ((round = 0; round < rounds; round++)); do
            value=$("$workspace/check_floor" "${common[@]}" 2>"$workspace/errors") ||
                fail 1 "the floor could not be measured: $(tail -n 3 "$workspace/errors")"
            floors+=("${value%% *}")
            for place in first middle last missing; do
                case $place in
                    first) node=1 ;;
                    middle) node=$(((count + 1) / 2)) ;;
                    last) node=$count ;;
                    missing) node=$((count + 1)) ;;
                esac
                printf -v name 'node%06d' "$node"
                look "$name" "$([[ $place == missing ]] && echo 0 || echo 1)"
                of_place[$place]+=" $value"
                peaks+=("$peak") ends+=("$memory")
            done
            value=$("$scratch/check-benchmark" "${common[@]}" '*' "$count" 2>"$workspace/errors") ||
                fail 1 "the list could not be measured: $(tail -n 3 "$workspace/errors")"
            lists+=("${value%% *}")
        done
        part "$count devices, $(stat --format=%s "$workspace/peers/$count/devices.json") bytes in an answer, $each looks in a round"
        figure "  floor: C, libcurl, answer discarded" ms '' '' "${floors[@]}"
        floor=$(middle "${floors[@]}")
        for place in first middle last missing; do
            read -ra cpus <<<"${of_place[$place]}"
            figure "  asking BCM: this node $place" ms 2.5 "$floor" "${cpus[@]}"
        done
        # shellcheck disable=SC2046 # a list of numbers
        figure "  devices looked through in a second of CPU" "" '' '' $(per_second "$count" "${cpus[@]}")
        # shellcheck disable=SC2046
        figure "  devices decoded and kept in a second of CPU" "" '' '' $(per_second "$count" "${lists[@]}")
        figure "  connections for $((each + 3)) looks, as the server saw them" '' 1:1 '' "${opened[@]}"
        figure "  requests for each look, as the server saw them" '' 1:1 '' "${asked[@]}"
        figure "  resident memory at the end" kB 20480 '' "${ends[@]}"
        figure "  most resident memory" kB '' '' "${peaks[@]}"
        if [[ -z $shortest ]]; then
            shortest="$count $(middle "${ends[@]}")"
        else
            figure "  resident memory beside that with ${shortest% *} devices" kB 1.25 "${shortest#* }" "${ends[@]}"
        fi
        [[ $count != "$with_peers" ]] || {
            printf -v name 'node%06d' $(((count + 1) / 2))
            read -ra cpus <<<"${of_place[middle]}"
            bench_peers "$floor" "$name" "$(middle "${cpus[@]}")" "$(middle "${ends[@]}")" "$(middle "${asked[@]}")"
        }
    done
}
