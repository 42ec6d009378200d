#!/usr/bin/env bash
# Builds what is installed on machines and what the lab needs. A second run does nothing and takes seconds.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<'END'
usage: scripts/build.sh [--programs | --development] [--quiet]

  --programs      only the programs that are installed: bcm-role-monitor, prom-targets, guided-setup,
                  deploy-role-monitor, setup-wizard, bcmctl, validate-deployment, capacity-planner (static and
                  stripped, in .build-static/release)
  --development   only the programs for tests, demonstration and training (in Development/.build)
  --quiet         show the compiler's output only when it fails
END
}

stand_in=exporter-standin

# build NAME ARGUMENT...: one swift build, its output shown as it comes, or kept for a failure.
build() {
    local name=$1 started log
    shift
    started=$(now_ms)
    if [[ $quiet == yes ]]; then
        log=$(mktemp)
        swift build "$@" </dev/null >"$log" 2>&1 || {
            tail -n 40 "$log" >&2
            rm -f "$log"
            fail 1 "building $name failed (the compiler's last lines are above)"
        }
        rm -f "$log"
    else
        swift build "$@" </dev/null >&2 || fail 1 "building $name failed"
    fi
    say "Built $name in $(seconds_since "$started") s"
}

build_programs() {
    local program before note=$programs_directory/$build_note
    before=$(sources_sum Package.swift Sources)
    rm -f "$note"
    for program in "${program_names[@]}"; do
        build "$program" --package-path "$repository" --scratch-path "$repository/.build-static" \
            "${static_options[@]}" --product "$program"
    done
    # For scripts/package.sh. Sources that changed meanwhile are in some programs and not in others.
    if [[ $(sources_sum Package.swift Sources) != "$before" ]]; then
        warn "sources changed while the programs were built: build them anew"
        return 0
    fi
    {
        printf '%s  sources\n' "$(sources_sum Package.swift Package.resolved Sources)"
        (cd "$programs_directory" && sha256sum -- "${program_names[@]}")
    } >"$note.new"
    mv -f "$note.new" "$note"
}

build_development() {
    build "the simulator and its cmsh" --package-path "$repository/Development"
    build "the exporters' stand-in" --package-path "$repository/Development" \
        --scratch-path "$repository/Development/.build-static" \
        "${static_options[@]}" --product "$stand_in"
}

print_sizes() {
    local file
    for file in "$@"; do
        [[ -e $file ]] && printf '%8.1f MB  %s\n' "$(($(stat --format=%s "$file") / 10000))e-2" "${file#"$repository"/}"
    done
    return 0
}

wanted='' quiet=no
while (($#)); do
    case $1 in
        --programs | --development) wanted+=$1 ;;
        --quiet) quiet=yes ;;
        -h | --help) usage && exit 0 ;;
        *) fail "$exit_usage" "unknown option: $1 (see --help)" ;;
    esac
    shift
done
require_packages "${build_packages[@]}"
require_swift
if [[ -z $wanted || $wanted == *--programs* ]]; then build_programs; fi
if [[ -z $wanted || $wanted == *--development* ]]; then build_development; fi
print_sizes "${program_names[@]/#/$programs_directory/}" "$stand_in_directory/$stand_in"
