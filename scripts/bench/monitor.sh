# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# The role monitor as a program, against a simulated BCM. Sourced by scripts/bench.sh.

build_monitor() {
    build "$repository" bcm-role-monitor monitor-benchmark
    build "$repository/Development" bcm-simulator simulated-cmsh exporter-standin
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
    bench_up
    bench_whole
    bench_idle
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

# --- A whole check ------------------------------------------------------------------------------------------------------

requests_so_far() { grep -c /rest/v1/device "$bcm/access" || :; }
has_asked() { (($(requests_so_far) >= $1)); }

# traffic FROM: the requests that came after the first FROM: how many, bytes of their answers, over how many connections.
traffic() {
    awk -v from="$1" '$5 == "/rest/v1/device" && ++n > from {
            asked++
            for (i = 6; i <= NF; i++) if (sub(/^bytes=/, "", $i)) bytes += $i
            if (!($3 in seen)) { seen[$3]; connections++ }
        }
        END { print asked + 0, bytes + 0, connections + 0 }' "$bcm/access"
}

# checks_made: by the monitor's own metrics, so that a check that asks twice shows.
checks_made() { awk '$1 == "bcm_role_monitor_checks_total" { n = $2 } END { print n + 0 }' "$node/metrics.prom" 2>/dev/null || echo 0; }
has_checked() { (($(checks_made) >= $1)); }

# each_of BEFORE AFTER COUNT: what cpu_of said before and after, divided by the checks between them.
each_of() {
    awk -v b="$1" -v a="$2" -v n="$3" 'BEGIN { split(b, x); split(a, y); if (n < 1) n = 1
        printf "%.2f %.2f\n", (y[1] - x[1]) / n, (y[2] - x[2]) / n }'
}

# bench_whole: a check each second, so that 30 of them resolve a third of a millisecond.
bench_whole() {
    local count
    for count in $devices; do
        if ((count > 10000)); then
            skipped "whole checks with $count devices" "made with up to 10000; part checks asks with more"
            continue
        fi
        # The node itself is one of them.
        "$simulator" set --directory "$bcm" generate-devices $((count - 1)) >/dev/null
        whole_checks
    done
    "$simulator" set --directory "$bcm" generate-devices 0 >/dev/null
}

whole_checks() {
    local own children resident asked bytes connections before after total first made checks=30
    make_node "$node" active
    configure_node "$node" "$bcm" "$bcm_port" '"check_interval": 1'
    : >"$bcm/access"
    start_monitor
    wait_until 60 has_checked 3 || fail 1 "the monitor did not check: $(tail -n 3 "$workspace/monitor.log")"
    # Metrics are the last that a check writes, and the next one is most of a second away.
    before=$(cpu_of "$process") asked=$(requests_so_far) first=$(checks_made)
    wait_until $((checks * 5)) has_checked $((first + checks)) ||
        fail 1 "the monitor does not check: $(tail -n 3 "$workspace/monitor.log")"
    after=$(cpu_of "$process") made=$(($(checks_made) - first))
    read -r asked bytes connections < <(traffic "$asked")
    read -r own children < <(each_of "$before" "$after" "$made")
    read -r resident _ < <(memory_of "$process")
    [[ -s $node/targets/$host.json ]] || fail 1 "the monitor wrote no target file: $(tail -n 3 "$workspace/monitor.log")"
    end_process "$process"
    part "$made whole checks, one each second, $count devices in BCM, nothing changes"
    total=$(plus "$own" "$children")
    figure "  CPU of a whole check" ms '' '' "$total"
    figure "  of it in the monitor itself" ms '' '' "$own"
    figure "  of it in its children: systemctl's stand-in, the look at storage" ms '' '' "$children"
    figure "  connections for all of them" '' 1:1 '' "$connections"
    figure "  requests for each" '' 1:1.1 '' "$(ratio_of "$asked" "$made")"
    figure "  bytes of BCM's answers for each" '' '' '' "$((bytes / made))"
    figure "  resident memory then" kB 20480 '' "$resident"
    bench_earlier "$total" "$resident" "$(ratio_of "$asked" "$made")" "$((bytes / made))"
}

bench_idle() {
    local before after resident proportional anonymous asked
    make_node "$node" active
    configure_node "$node" "$bcm" "$bcm_port"
    : >"$bcm/access"
    start_monitor
    wait_until 20 test -s "$bcm/access" || fail 1 "the monitor did not ask"
    # The check after the first is at the node's own time within the interval, and no more than one and a half away.
    part "nothing changes, the default interval of 60 s (5 minutes)"
    wait_until 100 has_asked 2 || fail 1 "the monitor did not ask again"
    sleep 3
    asked=$(requests_so_far) before=$(switches_of "$process")
    sleep 180
    asked=$(($(requests_so_far) - asked)) after=$(switches_of "$process")
    read -r resident proportional anonymous < <(memory_of "$process")
    figure "  requests in 3 minutes" '' 2:4 '' "$asked"
    figure "  connections since its start" '' 1:1 '' "$(traffic 0 | cut -d ' ' -f 3)"
    figure "  wake-ups of all its threads in a minute, its check included" '' '' '' "$(ratio_of $((after - before)) 3)"
    figure "  resident memory after $(requests_so_far) checks" kB 20480 '' "$resident"
    figure "  proportional memory" kB '' '' "$proportional"
    figure "  of its own (anonymous) memory" kB '' '' "$anonymous"
    end_process "$process"
}
