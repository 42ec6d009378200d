# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# The one place where the figures are made, printed and kept. Sourced by scripts/bench.sh and scripts/bench-deploy.sh, which
# set figures_folder, where figures and the names of what was skipped are kept until the end.

unmet=0 finished=no section='' json_file=''

# median VALUE...: the median (of an even number the mean of the two in the middle), the least and the most.
median() {
    printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 }
        END { print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2), v[1], v[NR] }'
}

# middle VALUE...: the median alone.
middle() { median "$@" | cut -d ' ' -f 1; }

figure_head() { printf '%-66s %10s %-6s %10s\n' figure median '' 'least to most'; }

# part TITLE: a line above the figures of one part.
part() {
    section=$1
    say "$1"
}

# skipped NAME WHY: says what is not measured, and why; the end of the run says it again.
skipped() {
    say "  skipped: $1: $2"
    printf '%s: %s\n' "$1" "$2" >>"$figures_folder/skipped"
}

# figure NAME UNIT GOAL FLOOR VALUE...: prints a line and keeps it. GOAL is the most that is allowed, or LEAST:MOST, of which one
# may be empty. With a FLOOR the goal is for the ratio to it, and a floor that is not above 0 misses every goal: what it was
# measured beside did nothing.
figure() {
    local name=$1 unit=$2 goal=$3 floor=$4 middle least most ratio='' met='' value bottom='' top='' said=''
    shift 4
    (($# > 0)) || fail 1 "no values were measured: $name"
    for value in "$@" ${floor:+"$floor"}; do
        [[ $value =~ ^-?[0-9]+([.][0-9]+)?(e[-+][0-9]+)?$ ]] || fail 1 "not a number ('$value'): $name"
    done
    read -r middle least most < <(median "$@")
    if [[ -n $floor ]]; then
        ratio=$(awk -v a="$middle" -v b="$floor" 'BEGIN { if (b > 0) printf "%.4g", a / b; else print "none" }')
    fi
    if [[ -n $goal ]]; then
        top=${goal##*:}
        [[ $goal != *:* ]] || bottom=${goal%%:*}
        said="${bottom:+at least $bottom${top:+, }}${top:+at most $top}"
        if [[ $ratio != none ]] &&
            awk -v a="${ratio:-$middle}" -v b="$bottom" -v t="$top" 'BEGIN { exit !((b == "" || a >= b + 0) && (t == "" || a <= t + 0)) }'; then
            met=yes
        else
            met=no unmet=$((unmet + 1))
        fi
    fi
    printf '%-66s %10s %-6s %10s to %-10s %s%s\n' "$name" "$middle" "$unit" "$least" "$most" "${ratio:+$ratio times }" \
        "${goal:+(goal: $said: ${met/no/MISSED})}"
    printf '%s\n' "$@" | jq -cs --arg section "$section" --arg name "${name#  }" --arg unit "$unit" --arg bottom "$bottom" \
        --arg top "$top" --arg ratio "$ratio" --arg floor "$floor" --arg met "$met" --argjson median "$middle" \
        --argjson least "$least" --argjson most "$most" '
        {section: $section, name: $name, unit: $unit, median: $median, least: $least, most: $most, values: .}
        + (if $floor == "" then {} else {floor: ($floor | tonumber), ratio: (if $ratio == "none" then null else ($ratio | tonumber) end)} end)
        + (if $met == "" then {} else {
            goal: ((if $bottom == "" then {} else {least: ($bottom | tonumber)} end) + (if $top == "" then {} else {most: ($top | tonumber)} end)),
            met: ($met == "yes")} end)' >>"$figures_folder/figures" || fail 1 "the figure could not be kept: $name"
}

# json_begin FILE: refuses a file that cannot be written, before anything is measured. From here on the figures get there however
# the script ends.
json_begin() {
    local folder
    folder=$(dirname -- "$1")
    [[ -d $folder && -w $folder && ! -d $1 ]] ||
        fail "$exit_usage" "--json: $1 cannot be written; its folder has to be there, and writable"
    json_file=$1
    # shellcheck disable=SC2016 # evaluated when the script ends, where status is the one that it ends with
    on_exit 'json_end "$status" || { warn "the figures could not be written to $json_file"; ((status != 0)) || status=1; }'
}

json_end() {
    jq -n --slurpfile figures "$figures_folder/figures" --rawfile skipped "$figures_folder/skipped" --arg finished "$finished" \
        --argjson status "$1" --argjson unmet "$unmet" --arg commit "$(git -C "$repository" rev-parse --short HEAD 2>/dev/null)" \
        --arg time "$(date --utc +%FT%TZ)" '
        {finished: ($finished == "yes"), status: $status, time: $time, commit: $commit, unmet: $unmet,
         skipped: ($skipped | split("\n") | map(select(. != ""))), figures: $figures}' >"$json_file.new" &&
        mv -f "$json_file.new" "$json_file"
}

# figures_begin FOLDER: where they are kept until the end. An end that comes too early is said, whatever failed.
figures_begin() {
    figures_folder=$1
    : >"$figures_folder/figures"
    : >"$figures_folder/skipped"
    # shellcheck disable=SC2016 # evaluated when the script ends
    on_exit '[[ $finished == yes ]] || warn "ended early, with status $status; what was measured until then is above"'
}

# verdict: the last words, and the exit status: which goals were missed and what was not measured at all.
verdict() {
    local missing goals
    finished=yes
    missing=$(wc -l <"$figures_folder/skipped")
    goals=$(jq -s 'map(select(has("met"))) | length' "$figures_folder/figures")
    if ((missing > 0)); then
        say "Not measured:"
        sed 's/^/  /' "$figures_folder/skipped" >&2
    fi
    if ((unmet > 0)); then
        jq -r 'select(.met == false) | "  missed: \(.section): \(.name)"' "$figures_folder/figures" >&2
        fail 1 "$unmet of $goals goals are not met"
    fi
    if ((goals == 0)); then
        good "Measured; there are no goals for this."
    elif ((missing > 0)); then
        good "The $goals goals that were measured are met."
    else
        good "All $goals goals are met."
    fi
}

# cpu COMMAND...: milliseconds of CPU of the command and what it started. What it said of errors is in $workspace/errors.
cpu() {
    local TIMEFORMAT='%3U %3S'
    { time "$@" >/dev/null 2>"$workspace/errors"; } 2>&1 | awk '{ printf "%.1f\n", ($1 + $2) * 1000 }'
}

# memory_of PID: the kernel's figures in kB: resident, proportional, and anonymous: what no file backs, which is the heap,
# stacks and changed data. Private memory would count the program's own text too where one process runs it.
memory_of() {
    awk '/^Rss:/ { r = $2 } /^Pss:/ { p = $2 } /^Anonymous:/ { o = $2 } END { print r + 0, p + 0, o + 0 }' "/proc/$1/smaps_rollup"
}

# cpu_of PID: milliseconds of CPU so far: of the process with all its threads, also those that have ended, and of its children
# that have ended. The kernel adds up nanoseconds and shows whole ticks (10 ms), so a difference over N checks is exact to
# 10 ms / N for each.
cpu_of() {
    awk -v hertz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) * 1000 / hertz, ($14 + $15) * 1000 / hertz }' \
        "/proc/$1/stat"
}

# switches_of PID: how often its threads went to sleep of themselves so far. Threads that have ended do not count.
switches_of() { cat /proc/"$1"/task/*/status 2>/dev/null | awk '/^voluntary_ctxt_switches:/ { n += $2 } END { print n + 0 }'; }

# seconds_between A B: two moments as EPOCHREALTIME has them.
seconds_between() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f\n", b - a }'; }

# plus A B: the sum of two numbers with fractions; ratio_of A B: one divided by the other.
plus() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f\n", a + b }'; }
ratio_of() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f\n", (b > 0 ? a / b : 0) }'; }
