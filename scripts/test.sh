#!/usr/bin/env bash
# Checks, builds and tests everything. See usage below.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<'END'
usage: scripts/test.sh [--unit-only | --no-lab] [--long]
       scripts/test.sh --sanitize=address|thread [--filter EXPRESSION]

Checks the formatting and the scripts, builds everything with warnings as errors, and runs all tests: those of the
libraries, those against the simulated BCM, consumers that import each library alone, and those on the lab, a cluster
of real hosts on this machine: two labs beside each other, since most of these tests wait for hosts. Where the lab cannot
run, its tests are skipped by name, with the reason.

  --unit-only   only the checks and the libraries' own tests
  --no-lab      all but the tests on the lab
  --long        also the tests that take minutes, and each parser under the fuzzer for 30 s instead of 3
  --sanitize=address, --sanitize=thread
                builds the libraries' tests and those against the simulated BCM with this sanitizer, in a folder of its
                own (.build-asan, .build-tsan), and runs them: a report of the sanitizer is a failure. Nothing else is
                checked, and nothing runs on the lab. The first build takes several minutes
  --filter EXPRESSION
                with --sanitize: only the tests whose names match, as swift test --filter has it; an expression that
                matches none is a failure. One that begins with the name of a folder of tests and a dot, such as
                BCMIntegrationTests.StormTests, builds only the package with this folder

Ends with a table of times and the line "N passed, N failed, N skipped". Exit status 0 when nothing failed.
END
}

scope=all long=no sanitizer='' filter=''
while (($#)); do
    case $1 in
        --unit-only) scope=unit ;;
        --no-lab) scope=no-lab ;;
        --long) long=yes ;;
        --sanitize=address | --sanitize=thread) sanitizer=${1#*=} ;;
        --sanitize*) fail "$exit_usage" "--sanitize takes address or thread (see --help)" ;;
        --filter)
            [[ -n ${2-} ]] || fail "$exit_usage" "--filter needs an expression (see --help)"
            filter=$2
            shift
            ;;
        -h | --help) usage && exit 0 ;;
        *) fail "$exit_usage" "unknown option: $1 (see --help)" ;;
    esac
    shift
done
[[ -z $filter || -n $sanitizer ]] || fail "$exit_usage" "--filter goes with --sanitize (see --help)"
[[ -z $sanitizer || $scope$long == allno ]] || fail "$exit_usage" "--sanitize goes with --filter alone (see --help)"

cd "$repository"
# Read by both packages' manifests: a warning in our own code ends the build.
export JOBSTATS_WARNINGS=error
logs=$(mktemp -d)
on_exit leave
running='' labs_up=() failed_phases=() phase_table=() passed=0 failed=0 skipped=0

leave() {
    local process lab
    for process in $(jobs -pr); do
        end_tree "$process"
        wait "$process" 2>/dev/null
    done
    for lab in "${labs_up[@]}"; do JOBSTATS_LAB_NAME=$lab scripts/lab.sh down; done
    rm -rf "$logs"
}

# phase SECONDS TITLE COMMAND...: runs a command within a time, shows its output, and remembers how it went.
phase() {
    local seconds=$1 title=$2 started status=0 reader
    shift 2
    heading "== $title"
    started=$(now_ms)
    # In the background, with a group of its own: what it started ends with it, when the time is over or on Ctrl-C.
    rm -f "$logs/pipe"
    mkfifo "$logs/pipe"
    tee "$logs/output" <"$logs/pipe" &
    reader=$!
    timeout --kill-after=20 "$seconds" "$@" </dev/null >"$logs/pipe" 2>&1 &
    running=$!
    wait "$running" || status=$?
    running=''
    wait_until 10 is_gone "$reader" || kill "$reader"
    if ((status != 0)); then failed_phases+=("$title"); fi
    if ((status == 124 || status == 137)); then say "$title: no end within $seconds s"; fi
    phase_table+=("$(printf '%-44s %8s s  %s' "$title" "$(seconds_since "$started")" "$( ((status == 0)) && echo ok || echo FAILED)")")
    return 0
}

# build_ahead: builds in release what later phases need, on the core that tests leave free. Each is in a folder of its own;
# the phase that needs it waits for the lock of that folder and says what failed.
build_ahead() {
    renice -n 10 "$BASHPID" >/dev/null || :
    { scripts/build.sh --quiet && scripts/fuzz.sh --build-only; } </dev/null >"$logs/ahead" 2>&1
}

# tests SECONDS TITLE COMMAND...: a phase whose output is that of Swift Testing; adds up the tests.
tests() {
    local title=$2 before=${#failed_phases[@]} good bad left
    phase "$@"
    # One line for each test function, whatever symbol and colour it begins with; "Test run with ..." is the sum.
    sed 's/\x1b\[[0-9;]*m//g' "$logs/output" |
        grep -E '^[^[:alnum:]]*Test .* (passed|failed) after |^[^[:alnum:]]*Test .* skipped' |
        grep -vE '^[^[:alnum:]]*Test run with ' >"$logs/lines" || :
    good=$(grep -c ' passed after ' "$logs/lines" || :)
    bad=$(grep -c ' failed after ' "$logs/lines" || :)
    left=$(grep -c ' skipped' "$logs/lines" || :)
    grep ' failed after ' "$logs/lines" >>"$logs/failures" || :
    grep ' skipped' "$logs/lines" >>"$logs/skips" || :
    cat "$logs/lines" >>"$logs/ran"
    if ((good + bad + left == 0)); then
        say "$title: no test ran"
        bad=1
    elif ((${#failed_phases[@]} > before && bad == 0)); then
        bad=1 # it ended before it could say which test failed
    fi
    if ((bad > 0 && ${#failed_phases[@]} == before)); then failed_phases+=("$title"); fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left))
}

# skip_lab REASON: every test on the lab by name.
skip_lab() {
    JOBSTATS_LAB='' JOBSTATS_LAB_REASON=$1 \
        tests 300 "Tests on the lab (skipped: $1)" \
        swift test --package-path Development --skip-build --filter '^LabTests\.'
}

# The tests on the lab are in two halves that take about the same time, each on a lab of its own. This is one half; the other
# one is whatever is not in it.
first_half='^LabTests\.LabTests/(ValidationBreakage|Export|Slurm|SlurmDeployment|Terminal|Imaging|FleetTargets)Tests/'
second_lab=jobstats-lab-2

labs_down() {
    local lab left=()
    for lab in "${labs_up[@]}"; do
        phase 240 "Taking $lab down" env JOBSTATS_LAB_NAME="$lab" scripts/lab.sh down
        # What did not go is tried again at the end.
        [[ ${failed_phases[*]-} != *"Taking $lab down"* ]] || left+=("$lab")
    done
    labs_up=("${left[@]}")
}

# lab_up NAME TITLE
lab_up() {
    labs_up+=("$1")
    phase 600 "$2" env JOBSTATS_LAB_NAME="$1" scripts/lab.sh up --nodes 3 --slurm --images --owner $$
    [[ ${failed_phases[*]-} == *"$2"* ]] || return 0
    failed=$((failed + 1))
    # Somebody else's stays.
    if grep -q 'a lab is up already' "$logs/output"; then unset 'labs_up[-1]'; fi
    return 1
}

run_lab() {
    local reason second words
    if ! reason=$(scripts/lab.sh check 2>&1); then
        skip_lab "${reason##*: }"
        return
    fi
    phase 1800 "Building the programs for the lab" scripts/build.sh --quiet
    phase 600 "Packages" scripts/package.sh --check --programs .build-static/release
    lab_up jobstats-lab "Starting the lab" || return 0
    lab_up "$second_lab" "Starting the second lab" || return 0
    # Of two `swift test` in one folder the second waits for the first.
    words=(
        env JOBSTATS_LAB=1 JOBSTATS_LONG="$([[ $long == no ]] || echo 1)"
        "$(swift build --package-path Development --show-bin-path)/bcm-jobstats-developmentPackageTests.xctest"
        --testing-library swift-testing
    )
    {
        JOBSTATS_LAB_NAME=$second_lab timeout --kill-after=20 3600 "${words[@]}" \
            --filter '^LabTests\.' --skip "$first_half"
        echo $? >"$logs/second.status"
    } </dev/null >"$logs/second" 2>&1 &
    second=$!
    tests 3600 "Tests on the lab" "${words[@]}" --filter "$first_half"
    tests 3600 "Tests on the second lab, beside the first" \
        bash -c "follow $second $logs/second"
    labs_down
}

# follow PROCESS FILE: shows what the process writes there until it ends, and ends as FILE.status says that it did.
follow() {
    tail --pid="$1" --lines=+1 --follow "$2" && return "$(cat "$2.status")"
}
export -f follow

# run_sanitized: the libraries' tests and those against the simulator, with a sanitizer in them and in every program of
# ours that they start.
run_sanitized() {
    local scratch=.build-${sanitizer:0:1}san package title words preload='' packages=(. Development) matches=no
    # Leaks are looked for in the tests' own process: programs end by exit(3) with what they printed still in hand.
    mkdir "$logs/options"
    for package in bcm-jobstats bcm-jobstats-development; do
        echo detect_leaks=1 >"$logs/options/${package}PackageTests.xctest"
    done
    # A program of ours may be killed, or expected to fail: what a sanitizer has to say of it is looked for in files.
    export ASAN_OPTIONS=detect_leaks=0:exitcode=99:log_path=$logs/report:include_if_exists=$logs/options/%b
    export LSAN_OPTIONS=suppressions=$repository/scripts/sanitizers/leaks.txt:print_suppressions=0
    export TSAN_OPTIONS=suppressions=$repository/scripts/sanitizers/races.txt:exitcode=99:log_path=$logs/report:second_deadlock_stack=1
    # The thread sanitizer does not see what a contended Mutex does.
    if [[ $sanitizer == thread ]]; then
        preload=$logs/mutex.so
        "$(dirname "$(realpath "$(command -v swift)")")/clang" -shared -fPIC -O1 -Wall -Werror -o "$preload" \
            "$repository/scripts/sanitizers/mutex.c" || fail 1 "scripts/sanitizers/mutex.c cannot be compiled"
    fi
    for package in . Development; do
        if [[ -n $filter && $filter == *.* && -d $package/Tests/${filter%%.*} ]]; then packages=("$package"); fi
    done
    for package in "${packages[@]}"; do
        title="the libraries' tests"
        [[ $package == . ]] || title="the simulator's tests"
        words=(--package-path "$package" --scratch-path "$package/$scratch" --sanitize "$sanitizer")
        phase 3600 "Building $title ($sanitizer sanitizer)" swift build "${words[@]}" --build-tests
        if [[ -n $filter ]]; then
            # Into a file: a reader that ends at the first match would end the list with SIGPIPE.
            if ! env ${preload:+LD_PRELOAD="$preload"} swift test list "${words[@]}" --skip-build \
                >"$logs/names" 2>"$logs/list" </dev/null; then
                tail -n 5 "$logs/list" >&2
                failed_phases+=("Listing $title")
                continue
            fi
            grep -vE '^LabTests\.' "$logs/names" | grep -E -- "$filter" >"$logs/matches" || continue
            matches=yes
        fi
        tests 3600 "${title^} ($sanitizer sanitizer)" env ${preload:+LD_PRELOAD="$preload"} \
            swift test "${words[@]}" --skip-build --no-parallel --skip '^LabTests\.' \
            --skip '^FaultCampaign\.FaultCampaign/' ${filter:+--filter "$filter"}
        if compgen -G "$logs/report.*" >/dev/null; then
            head -n 100 "$logs"/report.*
            rm -f "$logs"/report.*
            failed=$((failed + 1)) failed_phases+=("$title: the $sanitizer sanitizer reported something")
        fi
    done
    if [[ -n $filter && $matches == no && ${#failed_phases[@]} == 0 ]]; then
        say "no test's name matches $filter; swift test list shows the names"
        failed_phases+=("--filter $filter matches no test")
    fi
}

# finish: the sums; status 0 when nothing failed.
finish() {
    heading "== Times"
    printf '%s\n' "${phase_table[@]}"
    if [[ -s $logs/skips ]]; then
        heading "== Skipped"
        cat "$logs/skips"
    fi
    if ((${#failed_phases[@]} > 0)); then
        heading "== Failed"
        printf '%s\n' "${failed_phases[@]}"
        cat "$logs/failures" 2>/dev/null || :
        ((failed > 0)) || failed=${#failed_phases[@]}
    fi
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    ((${#failed_phases[@]} == 0))
}

lint() { swift format lint --strict --recursive Package.swift Sources Tests Development/Package.swift Development/Sources Development/Tests; }
check_scripts() { git ls-files -z '*.sh' .ci/run | xargs -0 shellcheck; }
export -f lint check_scripts

run_checks() {
    phase 120 "Formatting" bash -c lint
    phase 60 "Scripts (shellcheck)" bash -c check_scripts
}

run_tests() {
    phase 1800 "Building libraries and tests" swift build --build-tests
    if [[ $scope == all ]]; then
        build_ahead &
    fi
    # One test after the other: many of them start processes and hold them to time-outs.
    # shellcheck disable=SC2046 # nothing, or one word
    tests 1500 "Libraries" env $([[ $long == no ]] || echo JOBSTATS_LONG=1) swift test --skip-build --no-parallel
    phase 900 "Documentation" scripts/docs.sh --check
    phase 900 "Public interface as recorded" scripts/api.sh
    phase 60 "What Ubuntu 22.04 has" scripts/compatibility.sh
    if [[ $scope != unit ]]; then
        phase 1800 "Building the simulator and its tests" swift build --package-path Development --build-tests
        tests 900 "Libraries against the simulated BCM" \
            swift test --package-path Development --skip-build --no-parallel --skip '^LabTests\.' \
            --skip '^FaultCampaign\.FaultCampaign/'
        if [[ -x scripts/test-consumers.sh ]]; then
            phase 1200 "Each library imported alone" scripts/test-consumers.sh
        fi
    fi
    # All modules are built anew for it.
    if [[ $scope != unit ]]; then
        phase 2400 "Parsers under the fuzzer" scripts/fuzz.sh --seconds "$([[ $long == yes ]] && echo 30 || echo 3)"
    fi
    if [[ $scope == all ]]; then run_lab; fi
    # The matrix takes the results of the tests above, and runs the experiments that are the campaign's own.
    if [[ $scope != unit ]]; then tests 700 "Fault campaign" scripts/faults.sh --ran "$logs/ran" --own; fi
}

require_swift
if [[ -n $sanitizer ]]; then
    require_packages "${build_packages[@]}" openssl jq
    run_sanitized
else
    require_packages "${build_packages[@]}" shellcheck strace openssl ansible-core jq man-db prometheus prometheus-node-exporter \
        chromium fonts-dejavu-core python3
    run_checks
    run_tests
fi
finish
