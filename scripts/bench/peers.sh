# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# What others take for the same: curl and jq, Python, the earlier Python monitor. Sourced by scripts/bench.sh.

# find_earlier: the Python that can run the earlier monitor; sets `earlier_python`, which stays empty without one.
find_earlier() {
    local candidate
    earlier_python=''
    if [[ -z $earlier ]]; then
        skipped "the earlier Python monitor" "not part of this repository: --earlier-monitor FILE says where it is"
        return
    fi
    for candidate in python3 /usr/bin/python3; do
        if "$candidate" -c 'import requests' 2>/dev/null; then
            earlier_python=$candidate
            say "The earlier monitor: $(sha256sum "$earlier" | cut -c 1-12), with $("$candidate" -c 'import requests, sys; print("Python", sys.version.split()[0], "and requests", requests.__version__)')"
            return
        fi
    done
    skipped "the earlier Python monitor" "python3-requests, which it needs, is missing"
}

# --- Looks at a list ---------------------------------------------------------------------------------------------------

# seen WORD: how many connections or requests the test server had so far.
seen() { grep -c "^$1" "$workspace/peers/$count/peer.events" || :; }

# peer_looks TIMES COMMAND...: `looked` gets what the command printed, then requests and connections of each look.
peer_looks() {
    local times=$1 requests_before connections_before line
    shift
    requests_before=$(seen request) connections_before=$(seen connection)
    line=$("$@" 2>"$workspace/errors") || fail 1 "a peer failed: $(tail -n 3 "$workspace/errors")"
    looked="$line $(ratio_of $(($(seen request) - requests_before)) "$times") $(ratio_of $(($(seen connection) - connections_before)) "$times")"
}

# bench_peers FLOOR NAME LOOK RESIDENT REQUESTS: peers of part checks, beside the floor, and our look beside them.
bench_peers() {
    local floor=$1 name=$2 own=$3 resident=$4 needed=$5 url=https://localhost:$port/rest/v1/device value
    local keys=(--cacert "$workspace/ca.pem" --cert "$workspace/client.pem" --key "$workspace/client.key")
    local script=$repository/Development/bench/check_peer.py values=()
    local arguments=("$url" "$workspace/ca.pem" "$workspace/client.pem" "$workspace/client.key" "$name")
    if command -v curl >/dev/null; then
        # shellcheck disable=SC2016 # the inner shell's
        for ((round = 0; round < rounds; round++)); do
            value=$(cpu bash -c 'set -o pipefail; name=$1; shift; curl --noproxy "*" -sSf --max-time 60 "$@" |
                jq -e --arg name "$name" ".[] | select(.hostname == \$name) | .roles"' bash "$name" "${keys[@]}" "$url") ||
                fail 1 "curl | jq failed: $(tail -n 3 "$workspace/errors")"
            values+=("$value")
        done
        figure "  peer: curl | jq, started for each look" ms '' "$floor" "${values[@]}"
    else
        skipped "peer: curl | jq" "there is no curl here"
    fi
    values=()
    for ((round = 0; round < rounds; round++)); do
        value=$(cpu python3 "$script" "${arguments[@]}" 1) || fail 1 "the Python peer failed: $(tail -n 3 "$workspace/errors")"
        values+=("$value")
    done
    figure "  peer: Python, started for each look" ms '' "$floor" "${values[@]}"
    # Once the real one is measured, the stand-in for it has no goals.
    beside "Python that stays (a stand-in for the earlier monitor)" 10 "$([[ -n $earlier_python ]] || echo goal)" \
        python3 "$script" "${arguments[@]}" 10
    [[ -n $earlier_python ]] || return 0
    mkdir -p "$workspace/earlier"
    # It makes three passes before those that count, as check-benchmark does.
    beside "the earlier monitor" 13 goal "$earlier_python" "$repository/Development/bench/earlier_monitor.py" pass "$earlier" \
        127.0.0.1 "$port" "$workspace/client.pem" "$workspace/client.key" "$name" 10 "$workspace/earlier"
}

# beside WHAT TIMES goal|'' COMMAND...: a Python peer that makes TIMES looks, and our look beside it.
beside() {
    local what=$1 times=$2 goals=$3 looked cpus=() memories=() asked=() opened=() value memory request connection
    shift 3
    for ((round = 0; round < rounds; round++)); do
        peer_looks "$times" "$@"
        read -r value memory _ request connection <<<"$looked"
        cpus+=("$value") memories+=("$memory") asked+=("$request") opened+=("$connection")
    done
    figure "  peer: $what" ms '' "$floor" "${cpus[@]}"
    figure "  its resident memory" kB '' '' "${memories[@]}"
    figure "  its connections for each pass" '' '' '' "${opened[@]}"
    figure "  asking BCM beside $what: CPU" ms "${goals:+0.1}" "$(middle "${cpus[@]}")" "$own"
    figure "  resident memory beside it" kB "${goals:+0.5}" "$(middle "${memories[@]}")" "$resident"
    if [[ $what == "the earlier monitor" ]]; then
        figure "  requests beside it, for each pass" '' 0.5 "$(middle "${asked[@]}")" "$needed"
    fi
}

# --- Whole checks ------------------------------------------------------------------------------------------------------

# bench_earlier TOTAL RESIDENT REQUESTS BYTES: the earlier monitor's own loop against the same simulated BCM, with the same
# stand-in for systemctl, beside what a whole check of ours takes.
bench_earlier() {
    local total=$1 resident=$2 needed=$3 answers=$4 checks=10 own children memory before after bytes connections asked
    [[ -n $earlier_python ]] || return 0
    make_node "$node" active
    : >"$bcm/access"
    PATH=$node/bin:$PATH "$earlier_python" "$repository/Development/bench/earlier_monitor.py" run "$earlier" 127.0.0.1 \
        "$bcm_port" "$bcm/pki/admin.pem" "$bcm/pki/admin.key" "$host" 2 "$node" >"$workspace/monitor.log" 2>&1 &
    process=$!
    on_exit "end_process $process"
    # Two requests make a check; what comes after them takes less than the second that is waited.
    wait_until 60 has_asked 4 || fail 1 "the earlier monitor did not ask: $(tail -n 3 "$workspace/monitor.log")"
    sleep 1
    before=$(cpu_of "$process") asked=$(requests_so_far)
    wait_until $((checks * 10)) has_asked $((asked + 2 * checks)) ||
        fail 1 "the earlier monitor does not ask: $(tail -n 3 "$workspace/monitor.log")"
    sleep 1
    after=$(cpu_of "$process")
    read -r asked bytes connections < <(traffic "$asked")
    [[ -s $node/targets/$host.json ]] || fail 1 "the earlier monitor wrote no target file: $(tail -n 3 "$workspace/monitor.log")"
    read -r own children < <(each_of "$before" "$after" $((asked / 2)))
    read -r memory _ < <(memory_of "$process")
    end_process "$process"
    figure "  peer: the earlier monitor's whole check, systemctl's stand-in included" ms '' '' "$(plus "$own" "$children")"
    figure "  its resident memory" kB '' '' "$memory"
    figure "  its requests for each check" '' '' '' "$(ratio_of "$asked" $((asked / 2)))"
    figure "  its connections for each check" '' '' '' "$(ratio_of "$connections" $((asked / 2)))"
    figure "  check beside the earlier monitor: CPU" ms 0.1 "$(plus "$own" "$children")" "$total"
    figure "  resident memory beside the earlier monitor" kB 0.5 "$memory" "$resident"
    figure "  requests for each check beside the earlier monitor" '' 0.5 "$(ratio_of "$asked" $((asked / 2)))" "$needed"
    figure "  bytes of answers for each check beside the earlier monitor" '' '' "$(ratio_of "$bytes" $((asked / 2)))" "$answers"
}
