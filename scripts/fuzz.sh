#!/usr/bin/env bash
# Runs the parsers of foreign bytes under libFuzzer and the address sanitizer. See usage below.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<'END'
usage: scripts/fuzz.sh [--seconds N | --runs N] [--timeout N] [--merge] [--skip-build] [PARSER...]
       scripts/fuzz.sh --build-only | --list

Builds the fuzzer in a folder of its own (.build-fuzz; the first time takes minutes) and feeds each parser, or those that
are named, with inputs that libFuzzer makes out of those in Tests/Corpus. What the functions in Tests/ParserTests/Checks
promise must hold for each input. An input that ends a parser, breaks a promise, takes more than 10 s or more than 2 GiB
is a finding: it is kept in .build-fuzz/findings/PARSER, and the run ends with status 1.

  --seconds N  for each parser; 60 by default
  --runs N     so many inputs for each parser instead
  --timeout N  seconds that an input may take, instead of 10: at idle priority beside other work a process may not come to
               its turn for so long
  --merge      then replaces Tests/Corpus/PARSER by the smallest set of inputs that covers the same
  --build-only runs none
  --skip-build uses the fuzzer as it was built last, so that several of these can run beside each other
  --list       the parsers' names

New inputs that cover more are gathered in .build-fuzz/corpus/PARSER and used again by the next run. One input alone:
  JOBSTATS_FUZZ_PARSER=PARSER .build-fuzz/release/fuzz-parsers FILE
END
}

limit=(-max_total_time=60) timeout=10 merges=no builds=yes parsers=()
while (($#)); do
    case $1 in
        --seconds | --runs | --timeout)
            [[ ${2-} =~ ^[1-9][0-9]{0,9}$ ]] || fail "$exit_usage" "$1 needs a number (see --help)"
            case $1 in
                --seconds) limit=("-max_total_time=$2") ;;
                --runs) limit=("-runs=$2") ;;
                --timeout) timeout=$2 ;;
            esac
            shift
            ;;
        --merge) merges=yes ;;
        --skip-build) builds=no ;;
        --build-only) builds=only ;;
        --list) parsers=(--list) ;;
        -h | --help) usage && exit 0 ;;
        -*) fail "$exit_usage" "unknown option: $1 (see --help)" ;;
        *) parsers+=("$1") ;;
    esac
    shift
done

require_swift
require_packages "${build_packages[@]}"
cd "$repository"
scratch=.build-fuzz
program=$scratch/release/fuzz-parsers
# Read by the manifest: the fuzzer's program is a target then.
export JOBSTATS_FUZZ=1 JOBSTATS_WARNINGS=error
# A trap is libFuzzer's to report.
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=0

mkdir -p "$scratch/findings"
build() {
    heading "== Building the fuzzer"
    # All modules are instrumented, ours and those they use. Optimised as what is installed, with the language's checks. The
    # default linker warns of each symbol of the sanitizer.
    swift build -c release --scratch-path "$scratch" --product fuzz-parsers -Xswiftc -enable-testing \
        -Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld >"$scratch/build.log" 2>&1 || {
        grep -E 'error:' "$scratch/build.log" >&2 || tail -n 20 "$scratch/build.log" >&2
        fail 1 "the fuzzer could not be built ($scratch/build.log)"
    }
}
if [[ $builds != no ]]; then build; fi
if [[ $builds == only ]]; then exit; fi
[[ -x $program ]] || fail "$exit_usage" "there is no fuzzer yet: leave --skip-build out"

mapfile -t known < <("$program" --list)
((${#known[@]} > 0)) || fail 1 "the fuzzer names no parsers"
if [[ ${parsers[*]-} == --list ]]; then
    printf '%s\n' "${known[@]}"
    exit
fi
((${#parsers[@]} > 0)) || parsers=("${known[@]}")
for parser in "${parsers[@]}"; do
    [[ " ${known[*]} " == *" $parser "* ]] || fail "$exit_usage" "there is no parser $parser; there are: ${known[*]}"
done

# The number behind a word in the last lines of libFuzzer's output.
last_number() { grep -oE "$1 *[0-9]+" "$2" | tail -n 1 | grep -oE '[0-9]+$' || printf 0; }

# What the table shows of a corpus.
size_of() { printf '%d (%d kB)' "$(find "$1" -type f | wc -l)" "$(($(cat "$1"/* | wc -c) / 1000))"; }

running=''
on_exit leave
leave() { [[ -z $running ]] || kill "$running" 2>/dev/null || :; }

table=() failed=()
for parser in "${parsers[@]}"; do
    seeds=Tests/Corpus/$parser
    corpus=$scratch/corpus/$parser findings=$scratch/findings/$parser log=$scratch/$parser.log
    mkdir -p "$corpus" "$findings"
    options=("-timeout=$timeout" -rss_limit_mb=2048 -malloc_limit_mb=1024 -max_len=4096 -print_final_stats=1 -verbosity=1)
    [[ ! -f Tests/Corpus/$parser.dict ]] || options+=("-dict=Tests/Corpus/$parser.dict")
    heading "== $parser"
    status=0
    # In the background, so that Ctrl-C ends it with this script.
    JOBSTATS_FUZZ_PARSER=$parser "$program" "${limit[@]}" "${options[@]}" -artifact_prefix="$findings/" \
        "$corpus" "$seeds" >"$log" 2>&1 &
    running=$!
    wait "$running" || status=$?
    running=''
    if ((status != 0)); then
        failed+=("$parser")
        grep -E 'ERROR|SUMMARY|Fatal error|Test unit written' "$log" | head -n 5 >&2 || tail -n 5 "$log" >&2
    elif [[ $merges == yes ]]; then
        rm -rf "$scratch/merged"
        mkdir "$scratch/merged"
        JOBSTATS_FUZZ_PARSER=$parser "$program" -set_cover_merge=1 -use_counters=0 -max_len=4096 "$scratch/merged" "$seeds" "$corpus" \
            >"$scratch/merge.log" 2>&1 || fail 1 "$parser: the corpus could not be merged ($scratch/merge.log)"
        # Seeds and findings, which have names of their own, stay.
        find "$seeds" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -delete
        sums=$(sha1sum "$seeds"/*)
        for file in "$scratch/merged"/*; do
            [[ $sums == *"${file##*/} "* ]] || cp "$file" "$seeds/"
        done
    fi
    table+=("$(printf '%-26s %12s %9s %7s %16s  %s' "$parser" "$(last_number 'number_of_executed_units:' "$log")" \
        "$(last_number 'average_exec_per_sec:' "$log")" "$(last_number 'cov:' "$log")" "$(size_of "$seeds")" \
        "$( ((status == 0)) && echo ok || echo "FOUND: $findings")")")
done

printf '%-26s %12s %9s %7s %16s\n' parser executions per-s edges corpus
printf '%s\n' "${table[@]}"
if ((${#failed[@]} > 0)); then
    say "Findings in: ${failed[*]}. The last words are in $scratch/PARSER.log, the inputs in $scratch/findings/PARSER."
    exit 1
fi
