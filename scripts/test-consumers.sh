#!/usr/bin/env bash
# Builds and runs a small package for each library that imports this library alone, compares what it prints, and looks
# at what it drags in: only the packages of the list below, no full Foundation, and libcurl only where it is needed.
# CustomPlan does the same for a resource, a section and an executor that are written outside of the libraries.
# The packages are copied out of this tree first, so that they see what any other package sees.
#
# Usage: scripts/test-consumers.sh [CONSUMER ...]      all of Tests/Consumers by default
# Exit status: 0 all well, 1 a consumer failed, 2 usage.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

allowed_packages='swift-argument-parser swift-log swift-subprocess swift-system'
without_curl='CommandExecution PromTargets ServiceManager'
consumers=$repository/Tests/Consumers
scratch=$repository/.build/consumers

# copy_out LIBRARY: the consumer in a folder of its own, which names this repository by its path.
copy_out() {
    cp -r "$consumers/$1" "$workspace/packages/$1"
    sed -i "s|path: \"../../..\"|path: \"$repository\"|" "$workspace/packages/$1/Package.swift"
    grep -qF "path: \"$repository\"" "$workspace/packages/$1/Package.swift" || {
        say "$1: its Package.swift does not name this repository as ../../.."
        return 1
    }
}

# check_packages LIBRARY: the packages in the graph of a consumer are among those allowed.
check_packages() {
    local names name
    names=$(swift package --package-path "$workspace/packages/$1" --scratch-path "$scratch" show-dependencies --format json |
        sed -n 's/^ *"identity" *: *"\([^"]*\)".*/\1/p' | sort -u)
    for name in $names; do
        # The consumer and this package go by the names of their folders.
        [[ " $allowed_packages ${1,,} $(basename "${repository,,}") " != *" $name "* ]] || continue
        say "$1: the package $name is in the graph of those who import it"
        return 1
    done
}

# check_libraries LIBRARY PROGRAM: the shared libraries that the program needs.
check_libraries() {
    local needed
    needed=$(readelf --dynamic --wide "$2" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
    if grep -qE '^libFoundation\.so|^lib_FoundationICU' <<<"$needed"; then
        say "$1: full Foundation is linked"
        return 1
    fi
    if [[ " $without_curl " == *" $1 "* ]] && grep -qE '^lib(curl|ssl|crypto)' <<<"$needed"; then
        say "$1: libcurl or OpenSSL is linked"
        return 1
    fi
}

# check LIBRARY: the whole check of one consumer.
check() {
    local directory=$workspace/$1 program
    mkdir "$directory"
    copy_out "$1" || return 1
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=consumer \
        -keyout "$directory/cert.key" -out "$directory/cert.pem" 2>/dev/null
    swift build --package-path "$workspace/packages/$1" --scratch-path "$scratch" >"$directory/log" 2>&1 || {
        cat "$directory/log" >&2
        return 1
    }
    if grep -E 'warning:' "$directory/log" >&2; then return 1; fi
    program=$(swift build --package-path "$workspace/packages/$1" --scratch-path "$scratch" --show-bin-path)/use-$1
    mkdir "$directory/data"
    cp "$directory"/cert.* "$directory/data"
    timeout 60 "$program" "$directory/data" >"$directory/output" || {
        say "$1: its program ended with exit status $?"
        return 1
    }
    diff --unified "$consumers/$1/expected.txt" "$directory/output" >&2 || return 1
    check_packages "$1" && check_libraries "$1" "$program"
}

[[ ${1-} != -* ]] || fail "$exit_usage" "usage: scripts/test-consumers.sh [CONSUMER ...]"
libraries=("$@")
(($#)) || for path in "$consumers"/*/; do libraries+=("$(basename "$path")"); done
for library in "${libraries[@]}"; do
    [[ -f $consumers/$library/Package.swift ]] || fail "$exit_usage" "there is no consumer $library in $consumers"
done

workspace=$(mktemp -d)
mkdir "$workspace/packages"
# shellcheck disable=SC2016 # evaluated when the script ends
on_exit 'rm -rf "$workspace"'
failed=()
for library in "${libraries[@]}"; do
    start=$(now_ms)
    if check "$library"; then
        good "$library does what it should ($(seconds_since "$start") s)"
    else
        failed+=("$library")
    fi
done
((${#failed[@]} == 0)) || fail 1 "failed: ${failed[*]}"
