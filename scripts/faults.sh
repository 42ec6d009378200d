#!/usr/bin/env bash
# Runs the fault campaign and prints its matrix. See usage below.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<'END'
usage: scripts/faults.sh [--long] [--lab] [--own] [--only WORD ...] [--list] [--markdown] [--ran FILE]

Runs the fault campaign, a matrix of components against faults, and prints each cell with its result and time. The cells
are in Development/Tests/FaultCampaign/campaign.txt; each is an experiment that can be run alone.

  --long        also the cells that take minutes: 1,000 kills (20 minutes at most). The soak is scripts/soak.sh
  --lab         also the cells on the lab, which is started when it is not up, and taken down if it was started here
  --own         only the campaign's own experiments: not those that are tests of something else, too
  --only WORD   only cells whose component, fault or test has this word in it; several words: any of them
  --list        only shows the cells
  --markdown    the matrix as a table for docs/reliability.md
  --ran FILE    lines of Swift Testing from tests that ran already; their results are taken from there

Without --long and --lab it takes 4 minutes at most on two cores, the build aside.
JOBSTATS_FAULT_SEED=NUMBER draws the same instants and faults again as the run that named this number.
Exit status: 0 when no cell failed, 1 when one did or one that was to run was skipped, 2 usage. Cells that are skipped since they need root, strace or
a control group for memory leave it at 0; the last line says how many were skipped, and why.
END
}

long=no lab=no own=no list=no markdown=no ran='' words=()
while (($#)); do
    case $1 in
        --long) long=yes ;;
        --lab) lab=yes ;;
        --own) own=yes ;;
        --list) list=yes ;;
        --markdown) markdown=yes ;;
        --ran | --only)
            [[ -n ${2-} ]] || fail "$exit_usage" "$1 needs a value (see --help)"
            if [[ $1 == --ran ]]; then ran=$2; else words+=("$2"); fi
            shift
            ;;
        -h | --help) usage && exit 0 ;;
        *)
            # Further words of --only.
            if ((${#words[@]} == 0)) || [[ $1 == -* ]]; then fail "$exit_usage" "unknown option: $1 (see --help)"; fi
            words+=("$1")
            ;;
    esac
    shift
done

cd "$repository"
campaign=Development/Tests/FaultCampaign/campaign.txt
declare -A result_of time_of note_of
declare -A skipped
names=() components=() faults=() parts=() tests=() experiments=() invariants=()

# is_wanted INDEX: whether a cell is among those that --only names.
is_wanted() {
    local word
    ((${#words[@]} > 0)) || return 0
    for word in "${words[@]}"; do
        [[ ${names[$1]} != *"${word,,}"* && ${tests[$1]} != *"$word"* ]] || return 0
    done
    return 1
}

read_campaign() {
    local component fault part test experiment invariant
    while IFS='|' read -r component fault part test experiment invariant; do
        [[ $component != '#'* ]] || continue
        component=${component% } fault=${fault# } part=${part# } test=${test# }
        fault=${fault% } part=${part% } test=${test% } experiment=${experiment# } invariant=${invariant# }
        names+=("${component,,}.$fault") components+=("$component") faults+=("$fault") parts+=("$part")
        tests+=("$test") experiments+=("${experiment% }") invariants+=("$invariant")
    done <"$campaign"
}

# runs_now INDEX: whether a cell's time is now.
runs_now() {
    case ${parts[$1]} in
        quick) [[ $own == no || ${tests[$1]} == FaultCampaign.* ]] ;;
        long) [[ $long == yes && ${names[$1]} != node.soak ]] ;;
        lab) [[ $lab == yes ]] ;;
        lab-long) [[ $lab == yes && $long == yes ]] ;;
    esac
}

# take_lines FILE: results of tests elsewhere, from lines of Swift Testing.
take_lines() {
    local index function line
    for index in "${!names[@]}"; do
        [[ ${tests[index]} != FaultCampaign.* ]] || continue
        function=${tests[index]##*/}
        # Of a test with arguments this is the line of all of them together.
        line=$(grep -E "Test $function\(.*\) (with [0-9]+ test cases )?(passed|failed) after |Test $function\(.*\) skipped" "$1" | tail -n 1) || continue
        [[ $line =~ after\ ([0-9.]+)\ seconds ]] && time_of[${names[index]}]=$(printf '%.1f' "${BASH_REMATCH[1]}")
        case $line in
            *' passed '*) result_of[${names[index]}]=ok ;;
            *' failed '*) result_of[${names[index]}]=FAILED ;;
            *)
                result_of[${names[index]}]=skipped note_of[${names[index]}]=''
                [[ ! $line =~ skipped:\ \"(.*)\" ]] || note_of[${names[index]}]=${BASH_REMATCH[1]}
                ;;
        esac
    done
}

# run_tests SECONDS PACKAGE EXPRESSION VARIABLE...: tests of one package whose names match, shown as they come.
run_tests() {
    local seconds=$1 package=$2 expression=$3 reader
    shift 3
    # Both packages are built by whoever calls this; one that is not is built here.
    rm -f "$logs/pipe"
    mkfifo "$logs/pipe"
    tee -a "$logs/lines" <"$logs/pipe" &
    reader=$!
    in_time "$seconds" env "$@" swift test --package-path "$package" ${no_build:+"$no_build"} \
        --no-parallel --filter "$expression" >"$logs/pipe" 2>&1 || status=1
    wait_until 10 is_gone "$reader" || kill "$reader"
}

# expression_of PATTERN: the filter for the wanted cells whose tests begin like this and were not run yet.
expression_of() {
    local index function expression=''
    for index in "${!names[@]}"; do
        # shellcheck disable=SC2053 # a pattern
        [[ ${tests[index]} == $1 ]] || continue
        if ! is_wanted "$index" || ! runs_now "$index" || [[ -n ${result_of[${names[index]}]-} ]]; then continue; fi
        function=${tests[index]}
        expression+="${expression:+|}^${function//./\\.}\\("
    done
    printf '%s' "$expression"
}

run_own() {
    local index cell cells=''
    for index in "${!names[@]}"; do
        if [[ ${tests[index]} == FaultCampaign.* ]] && is_wanted "$index" && runs_now "$index"; then cells+=" ${names[index]}"; fi
    done
    [[ -n $cells ]] || return 0
    if ((EUID != 0)); then
        for cell in $cells; do result_of[$cell]=skipped note_of[$cell]='it needs root'; done
        return
    fi
    # The experiments wait more than they work: a few run at a time, and Swift Testing starts them all.
    if ! in_time "$([[ $long == yes ]] && echo 1800 || echo 600)" env JOBSTATS_FAULTS="${cells# }" \
        JOBSTATS_FAULT_RESULTS="$logs/cells" JOBSTATS_LONG="$([[ $long == no ]] || echo 1)" \
        swift test --package-path Development ${no_build:+"$no_build"} --filter '^FaultCampaign\.' \
        > >(grep -vE 'started\.$| with 1 argument .* (started|passed)') 2>&1; then
        status=1
    fi
}

take_cells() {
    local name result seconds note
    [[ -s $logs/cells ]] || return 0
    while IFS=$'\t' read -r name result seconds note; do
        result_of[$name]=$result time_of[$name]=$seconds note_of[$name]=$note
    done <"$logs/cells"
}

print_matrix() {
    local index name note result
    if [[ $markdown == yes ]]; then
        printf '| component | fault | what is done | what holds | result | seconds | where |\n|---|---|---|---|---|---:|---|\n'
    fi
    for index in "${!names[@]}"; do
        is_wanted "$index" || continue
        name=${names[index]} result=${result_of[${names[index]}]-}
        if [[ -z $result ]]; then
            if [[ $list == no ]] && runs_now "$index"; then
                result='DID NOT RUN' status=1
            else
                result="(${parts[index]})"
            fi
        fi
        if [[ $markdown == yes ]]; then
            # shellcheck disable=SC2016 # Markdown's, not the shell's
            printf '| %s | %s | %s | %s | %s | %s | `%s` |\n' "${components[index]}" "${faults[index]}" "${experiments[index]}" \
                "${invariants[index]}" "$result" "${time_of[$name]-}" "${tests[index]#FaultCampaign.FaultCampaign/}"
        else
            printf '%-11s %-24s %-12s %6s  %s\n' "${components[index]}" "${faults[index]}" "$result" "${time_of[$name]-}" \
                "${note_of[$name]-${experiments[index]}}"
        fi
        [[ $result != FAILED ]] || status=1
        # Of tests elsewhere, whoever ran them says what was left out.
        if [[ $result == skipped ]] && runs_now "$index"; then
            note=${note_of[$name]-}
            skipped[${note:=no reason was given}]=$((${skipped[$note]-0} + 1))
            case $note in
                *root* | *strace* | *"control group"*) ;; # this machine cannot do it
                *) status=1 ;;
            esac
        fi
    done
}

# print_skipped: how many cells were skipped, and why. Nothing when none was.
print_skipped() {
    local reason count=0 reasons=''
    for reason in "${!skipped[@]}"; do
        count=$((count + ${skipped[$reason]}))
        reasons+="${reasons:+; }${skipped[$reason]} since: $reason"
    done
    ((count == 0)) || printf 'Skipped: %d of %d cells (%s)\n' "$count" "${#names[@]}" "$reasons"
}

status=0
read_campaign
if [[ $list == yes ]]; then
    print_matrix
    exit 0
fi
# Without strace, and without root to install it, its cells are skipped.
if ((EUID == 0)); then require_packages "${build_packages[@]}" strace openssl; else require_packages "${build_packages[@]}" openssl; fi
require_swift
logs=$(mktemp -d)
on_exit "rm -rf '$logs'"
# scripts/test.sh has built all of it.
no_build=''
[[ -z $ran ]] || no_build=--skip-build
: >"$logs/lines"
started=$(now_ms)
[[ -z $ran ]] || take_lines "$ran"
run_own
# Tests of something else, of one package after the other.
for package in . Development; do
    [[ $own == no ]] || continue
    expression=''
    for folder in "$package"/Tests/*/; do
        module=$(basename "$folder")
        [[ $module != FaultCampaign && $module != LabTests ]] || continue
        part=$(expression_of "$module.*")
        expression+=${part:+${expression:+|}$part}
    done
    [[ -z $expression ]] || run_tests 600 "$package" "$expression"
done
if [[ $lab == yes ]]; then
    expression=$(expression_of 'LabTests.*')
    if [[ -n $expression ]]; then
        if ! scripts/lab.sh env >/dev/null 2>&1; then
            reason=$(scripts/lab.sh check 2>&1) || fail "$exit_cannot_run" "${reason##*: }"
            on_exit 'scripts/lab.sh down'
        fi
        run_tests "$([[ $long == yes ]] && echo 7200 || echo 3000)" Development "$expression" JOBSTATS_LAB=1 \
            JOBSTATS_LONG="$([[ $long == no ]] || echo 1)"
    fi
fi
take_lines "$logs/lines"
take_cells
heading "== The campaign, in $(seconds_since "$started") s"
print_matrix
print_skipped
exit "$status"
