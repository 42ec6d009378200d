# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# The role monitor as a program, against a simulated BCM. Sourced by scripts/bench.sh.

build_monitor() {
    build "$repository" bcm-role-monitor monitor-benchmark
    build "$repository/Development" bcm-simulator simulated-cmsh
}

# The stand-in notes the time of each call: that of the first call of a kind since a line of the notes.
called() { awk -v from="$1" -v verb="$2" 'NR > from && $2 == verb { print $1; exit }' "$node/calls"; }
calls() { awk -v from="$1" -v verb="$2" 'NR > from && $2 == verb' "$node/calls" | wc -l; }
has_calls() { (($(calls "$1" "$2") >= ${#units[@]})); }
# When the target file was put in its place.
target_time() { stat --format=%.Z "$node/targets/$host.json"; }
is_stopped() { has_calls "$1" stop && [[ ! -e $node/targets/$host.json ]]; }
is_started() { has_calls "$1" start && [[ -e $node/targets/$host.json ]]; }

start_monitor() {
    PATH=$node/bin:$PATH "$programs_directory/bcm-role-monitor" --config "$node/config.json" >>"$workspace/monitor.log" 2>&1 &
    process=$!
    on_exit "end_process $process"
}

bench_monitor() {
    local bcm=$workspace/bcm node=$workspace/node host process seconds
    host=$(hostname -s)
    read -r seconds _ </proc/uptime
    ((${seconds%.*} >= 300)) ||
        fail "$exit_cannot_run" "this machine booted less than 5 minutes ago, where a monitor's first check waits on purpose; try again later"
    make_bcm "$bcm" "$host"
    role "$bcm" "$host" assign
    serve_bcm "$bcm"
    bench_start
    bench_change
    bench_idle
    bench_memory
}

bench_start() {
    local firsts=() targets=() round begin
    for ((round = 0; round < rounds; round++)); do
        make_node "$node" inactive
        configure_node "$node" "$bcm" "$bcm_port"
        begin=$EPOCHREALTIME
        start_monitor
        wait_until 20 is_started 0 || fail 1 "the monitor did not start the exporters: $(tail -n 3 "$workspace/monitor.log")"
        firsts+=("$(seconds_between "$begin" "$(called 0 start)")")
        targets+=("$(seconds_between "$begin" "$(target_time)")")
        end_process "$process"
    done
    part "bcm-role-monitor, started on a node with the role (uptime above 5 minutes)"
    figure "  from its start to the first exporter's start" s '' '' "${firsts[@]}"
    figure "  to the target file (an exporter must stay up 2 s before)" s '' '' "${targets[@]}"
}

bench_change() {
    local losses=() removals=() gains=() targets=() round begin from
    make_node "$node" inactive
    configure_node "$node" "$bcm" "$bcm_port" '"check_interval": 1' '"role_loss_delay": 1'
    start_monitor
    wait_until 20 is_started 0 || fail 1 "the monitor did not start the exporters"
    for ((round = 0; round < rounds; round++)); do
        sleep "1.$((RANDOM % 10))" # at any moment of its interval
        from=$(wc -l <"$node/calls") begin=$EPOCHREALTIME
        role "$bcm" "$host" unassign
        wait_until 30 is_stopped "$from" || fail 1 "the monitor did not stop the exporters"
        removals+=("$(seconds_between "$begin" "$EPOCHREALTIME")")
        losses+=("$(seconds_between "$begin" "$(called "$from" stop)")")
        sleep "1.$((RANDOM % 10))"
        from=$(wc -l <"$node/calls") begin=$EPOCHREALTIME
        role "$bcm" "$host" assign
        wait_until 30 is_started "$from" || fail 1 "the monitor did not start the exporters again"
        gains+=("$(seconds_between "$begin" "$(called "$from" start)")")
        targets+=("$(seconds_between "$begin" "$(target_time)")")
    done
    end_process "$process"
    part "a change of the role in BCM, a check each second (60 s by default), the second look 1 s after the first (15 s)"
    figure "  role gained to the first exporter's start" s '' '' "${gains[@]}"
    figure "  role gained to the target file" s '' '' "${targets[@]}"
    figure "  role lost to the first exporter's stop" s '' '' "${losses[@]}"
    figure "  role lost to all stopped and no target file" s '' '' "${removals[@]}"
}

bench_idle() {
    local before after own children resident proportional anonymous asked switches
    make_node "$node" active
    configure_node "$node" "$bcm" "$bcm_port"
    : >"$bcm/access"
    start_monitor
    wait_until 20 test -s "$bcm/access" || fail 1 "the monitor did not ask"
    # The check after the first is at the node's own time within the interval, and no more than one and a half away.
    part "nothing changes, the default interval of 60 s (5 minutes)"
    wait_until 100 has_asked 2 || fail 1 "the monitor did not ask again"
    sleep 3
    asked=$(grep -c /rest/v1/device "$bcm/access")
    before="$(switches_of "$process") $(cpu_of "$process")"
    sleep 180
    after="$(switches_of "$process") $(cpu_of "$process")"
    asked=$(($(grep -c /rest/v1/device "$bcm/access") - asked))
    read -r switches own children < <(awk -v b="$before" -v a="$after" -v n="$asked" 'BEGIN {
        split(b, x); split(a, y); if (n < 1) n = 1
        printf "%.1f %.1f %.1f\n", (y[1] - x[1]) / 3, (y[2] - x[2]) / n, (y[3] - x[3]) / n }')
    read -r resident proportional anonymous < <(memory_of "$process")
    figure "  requests in 3 minutes" '' 4 '' "$asked"
    figure "  wake-ups of all its threads in a minute, its check included" '' '' '' "$switches"
    figure "  CPU of a whole check: the monitor itself" ms '' '' "$own"
    figure "  CPU of a whole check: systemctl's stand-in and the child" ms '' '' "$children"
    figure "  resident memory after $(grep -c /rest/v1/device "$bcm/access") checks" kB 20480 '' "$resident"
    figure "  proportional memory" kB '' '' "$proportional"
    figure "  of its own (anonymous) memory" kB '' '' "$anonymous"
    end_process "$process"
}

has_asked() { (($(grep -c /rest/v1/device "$bcm/access") >= $1)); }

# memory_run TITLE CHECKS [flips]: checks without a pause; the least memory about half way and at the end. What is
# in use levels off in half a minute: the time-out of a call that was answered keeps a little memory until its time.
memory_run() {
    local title=$1 count=$2 early late early_used late_used
    shift 2
    make_node "$node" active
    "$programs_directory/monitor-benchmark" passes "127.0.0.1:$bcm_port" "$bcm/pki/cacert.pem" "$bcm/pki/admin.pem" \
        "$bcm/pki/admin.key" "$node" "$host" "$count" $(((count + 9) / 10)) "$@" >"$workspace/passes" 2>"$workspace/errors" ||
        fail 1 "the checks could not be made: $(tail -n 3 "$workspace/errors")"
    read -r early late early_used late_used < <(awk '
        NR > 5 && NR < 9 { e[NR] = $2; eu[NR] = $5 } { last[NR % 3] = $2; used[NR % 3] = $5 }
        END {
            print least(e), least(last), least(eu), least(used)
        }
        function least(v,  k, m) { m = ""; for (k in v) if (m == "" || v[k] < m) m = v[k]; return m }' "$workspace/passes")
    part "$title: $count whole checks without a pause, $(awk 'END { print $9 " with the role unknown, " $10 " with a failure" }' "$workspace/passes")"
    figure "  anonymous memory half way" kB '' '' "$early"
    figure "  anonymous memory at the end" kB 1.1 "$early" "$late"
    figure "  of malloc's in use at the end" kB 1.1 "$early_used" "$late_used"
}

bench_memory() {
    local faults
    PATH=$workspace/node/bin:$PATH memory_run "Memory" "$passes"
    make_faults &
    faults=$!
    on_exit "end_process $faults"
    PATH=$workspace/node/bin:$PATH memory_run "Memory among faults of BCM and systemctl, the role flipping" "$passes" flips
    end_process "$faults"
}

# make_faults: one fault after the other, each for half a second, with a moment of peace between them.
make_faults() {
    local list=(refuse hang-tls expired-certificate wrong-ca changed-key reset truncate garbage wrong-type status-403 status-500 host-missing)
    local words=(fail garbage die) number=0
    while :; do
        "$simulator" set --directory "$bcm" fault "${list[number % ${#list[@]}]}" >/dev/null
        sleep 0.5
        "$simulator" set --directory "$bcm" fault none >/dev/null
        echo "${words[number % 3]}" >"$node/fault" 2>/dev/null || :
        sleep 0.3
        rm -f "$node/fault"
        sleep 0.7
        number=$((number + 1))
    done
}
