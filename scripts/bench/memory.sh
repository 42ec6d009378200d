# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# The role monitor's memory over thousands of whole checks, with and without faults. Sourced by scripts/bench.sh.

build_memory() {
    build "$repository" monitor-benchmark
    build "$repository/Development" bcm-simulator simulated-cmsh
}

# growth FILE COLUMN FROM: bytes per check of a column of kB, fitted by least squares to the lines of the checks after FROM.
growth() {
    awk -v column="$2" -v from="$3" '$1 ~ /^[0-9]+$/ && $1 > from { n++; x += $1; y += $column; xx += $1 * $1; xy += $1 * $column }
        END { d = n * xx - x * x; if (n < 3 || d <= 0) exit 1; printf "%.1f\n", (n * xy - x * y) / d * 1024 }' "$1"
}

# memory_run TITLE CHECKS [flips]: checks without a pause on the node that is there. Memory levels off at some 7,000; what
# grows after that, a monitor that lives for years would have too much of, so with 12,000 and more that has a goal. With fewer
# the goal is that the end is like half way.
memory_run() {
    local title=$1 count=$2 from own used resident number failed unknown goal='' half
    shift 2
    "$programs_directory/monitor-benchmark" passes "127.0.0.1:$bcm_port" "$bcm/pki/cacert.pem" "$bcm/pki/admin.pem" \
        "$bcm/pki/admin.key" "$node" "$host" "$count" $(((count + 119) / 120)) "$@" >"$workspace/passes" 2>"$workspace/errors" ||
        fail 1 "the checks could not be made: $(tail -n 3 "$workspace/errors")"
    read -r number _ _ _ _ _ _ _ unknown failed _ < <(tail -n 1 "$workspace/passes")
    ((number == count)) || fail 1 "$number checks of $count were made"
    # Without its folder, or after failures, a check does less than it should, and its memory says nothing.
    [[ -d $node/targets ]] || fail 1 "the folder of target files went away while memory was watched"
    if (($# == 0)); then
        ((unknown == 0 && failed == 0)) || fail 1 "$unknown checks did not learn the role, $failed failed, and no fault was made"
        [[ -s $node/targets/$host.json ]] || fail 1 "there is no target file after $count checks"
    fi
    from=$((count > 10000 ? count - 5000 : count * 7 / 12))
    if ! { own=$(growth "$workspace/passes" 2 "$from") && used=$(growth "$workspace/passes" 5 "$from"); }; then
        fail 1 "too few checks to see whether memory grows: --passes $count"
    fi
    ((count < 12000)) || goal=64
    half=$(awk -v half=$((count / 2)) '$1 ~ /^[0-9]+$/ { print $2; if ($1 >= half) exit }' "$workspace/passes" | tail -n 1)
    read -r number resident < <(awk '$1 ~ /^[0-9]+$/ { n = $1; r = $3; if (n >= 1000) exit } END { print n, r }' "$workspace/passes")
    part "$title: $count whole checks without a pause, $unknown with the role unknown, $failed with a failure"
    figure "  resident memory after $number checks" kB 20480 '' "$resident"
    figure "  anonymous memory at the end, beside half way" kB 1.1 "$half" "$(tail -n 1 "$workspace/passes" | cut -d ' ' -f 2)"
    figure "  of malloc's in use at the end" kB '' '' "$(tail -n 1 "$workspace/passes" | cut -d ' ' -f 5)"
    figure "  anonymous memory grows in the last $((count - from)) checks, each" bytes "$goal" '' "$own"
    figure "  of malloc's in use grows in the last $((count - from)) checks, each" bytes "$goal" '' "$used"
    figure "  a check takes" ms '' '' "$(tail -n 1 "$workspace/passes" | cut -d ' ' -f 11)"
}

bench_memory() {
    local bcm=$workspace/memory-bcm node=$workspace/memory-node host faults
    host=$(hostname -s)
    make_bcm "$bcm" "$host"
    role "$bcm" "$host" assign
    serve_bcm "$bcm"
    make_node "$node" active
    PATH=$node/bin:$PATH memory_run "Memory" "$passes"
    make_node "$node" active # before anything makes faults there
    make_faults &
    faults=$!
    on_exit "end_process $faults"
    PATH=$node/bin:$PATH memory_run "Memory among faults of BCM and systemctl, the role flipping" "$fault_passes" flips
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
