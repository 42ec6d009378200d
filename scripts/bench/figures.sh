# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# The one place where bench.sh's figures are made, printed and kept. Sourced by scripts/bench.sh.

unmet=0

# median VALUE...: the median, the least and the most.
median() { printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)], v[1], v[NR] }'; }

# middle VALUE...: the median alone.
middle() { median "$@" | cut -d ' ' -f 1; }

figure_head() { printf '%-58s %10s %-6s %10s\n' figure median '' 'least to most'; }

# part TITLE: a line above the figures of one part.
part() {
    section=$1
    say "$1"
}
section=''

# figure NAME UNIT GOAL FLOOR VALUE...: prints a line and keeps it. With a FLOOR the goal is for the ratio to it.
figure() {
    local name=$1 unit=$2 goal=$3 floor=$4 middle least most ratio='' met=''
    shift 4
    (($# > 0)) || fail 1 "no values were measured: $name"
    read -r middle least most < <(median "$@")
    if [[ -n $floor ]]; then ratio=$(awk -v a="$middle" -v b="$floor" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }'); fi
    if [[ -n $goal ]]; then
        if awk -v a="${ratio:-$middle}" -v b="$goal" 'BEGIN { exit !(a <= b) }'; then
            met=yes
        else
            met=no unmet=$((unmet + 1))
        fi
    fi
    printf '%-58s %10s %-6s %10s to %-10s %s%s\n' "$name" "$middle" "$unit" "$least" "$most" "${ratio:+$ratio times }" \
        "${goal:+(goal $goal: ${met/no/MISSED})}"
    jq -cn --arg section "$section" --arg name "${name#  }" --arg unit "$unit" --arg goal "$goal" --arg ratio "$ratio" \
        --arg met "$met" --argjson median "$middle" --argjson least "$least" --argjson most "$most" --argjson count $# \
        '{section: $section, name: $name, unit: $unit, median: $median, least: $least, most: $most, values: $count}
         + (if $ratio == "" then {} else {ratio: ($ratio | tonumber)} end)
         + (if $goal == "" then {} else {goal: ($goal | tonumber), met: ($met == "yes")} end)' >>"$workspace/figures"
}

# cpu COMMAND...: milliseconds of CPU of the command and what it started.
cpu() {
    local TIMEFORMAT='%3U %3S'
    { time "$@" >/dev/null 2>"$workspace/errors"; } 2>&1 | awk '{ printf "%.1f\n", ($1 + $2) * 1000 }'
}

# memory_of PID: the kernel's figures in kB: resident, proportional, and anonymous: what no file backs, which is the heap,
# stacks and changed data. Private memory would count the program's own text too where one process runs it.
memory_of() {
    awk '/^Rss:/ { r = $2 } /^Pss:/ { p = $2 } /^Anonymous:/ { o = $2 } END { print r + 0, p + 0, o + 0 }' "/proc/$1/smaps_rollup"
}

# cpu_of PID: milliseconds of CPU so far: of the process, and of its children that have ended.
cpu_of() {
    awk -v hertz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) * 1000 / hertz, ($14 + $15) * 1000 / hertz }' \
        "/proc/$1/stat"
}

# switches_of PID: how often its threads went to sleep of themselves so far. Threads that have ended do not count.
switches_of() { cat /proc/"$1"/task/*/status 2>/dev/null | awk '/^voluntary_ctxt_switches:/ { n += $2 } END { print n + 0 }'; }

# seconds_between A B: two moments as EPOCHREALTIME has them.
seconds_between() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f\n", b - a }'; }
