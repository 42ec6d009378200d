# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# What a deployment to the lab takes: how it is measured, and the figures. Sourced by scripts/bench-deploy.sh.

# nodes_cpu: seconds of CPU that the DGX nodes have used since they were switched on, kernel and systemd included.
nodes_cpu() {
    local mount
    mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    find "$mount" -path "*/${JOBSTATS_LAB_NAME:-jobstats-lab}/dgx-*/cpu.stat" -not -path '*/dgx-*/*/*' -exec awk '/^usage_usec/ { print $2 }' {} + |
        awk '{ sum += $1 } END { printf "%.2f\n", sum / 1e6 }'
}

# What each kind of run took: wall time, CPU on the deploying side, CPU on the nodes, and what the meter said.
declare -A walls=() controls=() on_nodes=() meters=()

# keep KIND TIMES NODES: TIMES is what TIMEFORMAT printed.
keep() {
    local wall user kernel
    [[ $2 =~ ([0-9.]+)\ s\ wall,\ ([0-9.]+)\ \+\ ([0-9.]+)\ s\ CPU ]] || fail 1 "$1: no times were printed: $2"
    wall=${BASH_REMATCH[1]} user=${BASH_REMATCH[2]} kernel=${BASH_REMATCH[3]}
    walls[$1]+=" $wall" controls[$1]+=" $(plus "$user" "$kernel")" on_nodes[$1]+=" $3"
}

# phase NAME: runs the script on standard input on the head node, which prints its own time, and adds the nodes' CPU.
phase() {
    local before said used
    before=$(nodes_cpu)
    said=$("$lab" ssh head-a "cat >/root/phase; rm -f /root/meter; bash -c 'exec 2>&1; set -eu; TIMEFORMAT=\"$TIMEFORMAT\"; . /root/functions; . /root/phase'") || {
        printf '%s\n' "$said" | tail -n 20 >&2
        fail 1 "$1: failed (its last lines are above)"
    }
    used=$(awk -v a="$before" -v b="$(nodes_cpu)" 'BEGIN { printf "%.1f", b - a }')
    printf '%-18s %s; nodes: %s s CPU\n' "$1:" "$said" "$used"
    [[ $1 == 'a line added' ]] || keep "$1" "$said" "$used"
}

# metered: what the head node's meter said of the last phase: kB of memory at most, threads at most, TCP connections that the
# head node opened, bytes that it received and sent.
metered() {
    local said
    said=$("$lab" ssh head-a 'cat /root/meter') || fail 1 "$1: nothing was metered"
    [[ $said =~ ^[0-9]+(\ [0-9]+){4}$ ]] || fail 1 "$1: what was metered cannot be read: $said"
    meters[$1]=$said
    # shellcheck disable=SC2086 # five numbers
    printf '%-18s %d kB resident at most, %d threads, %d connections opened, %d bytes received and %d sent\n' '' $said
}

# meter_functions: for the head node, which has bash and little more.
meter_functions() {
    cat <<'END'
# counters: TCP connections opened, bytes received and sent over the network, of this host so far.
counters() {
    local name received sent r=0 s=0 opened=0
    while IFS=' :' read -r name received _ _ _ _ _ _ _ sent _; do
        if [[ $name != lo && $received =~ ^[0-9]+$ ]]; then r=$((r + received)) s=$((s + sent)); fi
    done </proc/net/dev
    while read -r name _ _ _ _ opened _; do
        if [[ $name == Tcp: && $opened =~ ^[0-9]+$ ]]; then break; fi
    done </proc/net/snmp
    echo "$opened $r $s"
}
# watch_process PID: its most memory and threads so far, five times a second, a line each time: whoever ends it ends it at any
# moment. No program is started for it.
watch_process() {
    local name value peak=0 threads=0 idle
    exec {idle}<> <(:)
    while kill -0 "$1" 2>/dev/null; do
        while read -r name value _; do
            case $name in
                VmHWM:) peak=$value ;;
                Threads:) ((value <= threads)) || threads=$value ;;
            esac
        done 2>/dev/null <"/proc/$1/status" || :
        echo "$peak $threads" >>/root/peak
        read -rt 0.2 -u "$idle" || :
    done
}
# meter COMMAND...: runs it and leaves /root/meter.
meter() {
    local process watcher status=0 before after peak='' threads='' last=''
    : >/root/peak
    read -ra before < <(counters)
    "$@" &
    process=$!
    watch_process "$process" &
    watcher=$!
    wait "$process" || status=$?
    kill "$watcher" 2>/dev/null || :
    wait "$watcher" 2>/dev/null || :
    read -ra after < <(counters)
    while read -r peak threads; do last="$peak $threads"; done </root/peak
    echo "$last $((after[0] - before[0])) $((after[1] - before[1])) $((after[2] - before[2]))" >/root/meter
    return "$status"
}
END
}

# summary: the figures, with the contract's goals where they are meant to count.
summary() {
    local kind goals='' hand ansible round values
    [[ $nodes != 64 ]] || goals=yes
    part "$nodes nodes of the lab"
    for kind in 'first run' 'second run' 'one file changed' 'bare ssh' 'by hand, first' 'by hand, second' 'ansible, first' 'ansible, second'; do
        [[ -n ${walls[$kind]-} ]] || continue
        # shellcheck disable=SC2086 # lists of numbers
        {
            figure "  $kind: wall time" s '' '' ${walls[$kind]}
            figure "  $kind: CPU on the deploying side" s '' '' ${controls[$kind]}
            figure "  $kind: CPU on the nodes" s '' '' ${on_nodes[$kind]}
        }
        [[ -n ${meters[$kind]-} ]] || continue
        read -ra values <<<"${meters[$kind]}"
        figure "  $kind: most resident memory of the control process" kB '' '' "${values[0]}"
        figure "  $kind: its threads, at most" '' '' '' "${values[1]}"
        figure "  $kind: connections that the head node opened" '' '' '' "${values[2]}"
        figure "  $kind: bytes that the head node received" bytes '' '' "${values[3]}"
        figure "  $kind: bytes that the head node sent" bytes '' '' "${values[4]}"
    done
    # shellcheck disable=SC2086 # lists of numbers
    {
        hand=$(middle ${walls['by hand, first']}) round=$(middle ${walls['bare ssh']})
        figure "  first run beside by hand" s "${goals:+1.5}" "$hand" ${walls['first run']}
        if [[ -n ${walls['ansible, first']-} ]]; then
            ansible=$(middle ${walls['ansible, first']})
            figure "  first run beside Ansible" s "${goals:+0.25}" "$ansible" ${walls['first run']}
        fi
        figure "  first run: CPU on the deploying side for each node" s "${goals:+0.3}" '' \
            "$(ratio_of "$(middle ${controls['first run']})" "$nodes")"
        figure "  second run beside a bare ssh round" s "${goals:+2}" "$round" ${walls['second run']}
    }
}
