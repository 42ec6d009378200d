#!/usr/bin/env bash
# Compares the libraries' public declarations with those recorded in docs/api. See usage below.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/docs/symbols.sh
. "$repository/scripts/docs/symbols.sh"

usage() {
    cat <<'END_OF_USAGE'
usage: scripts/api.sh [--update]

Builds the libraries and names what their public interface has, lacks or has otherwise than docs/api/LIBRARY.txt says.

  --update   writes these files anew; their difference is read in review

Exit status: 0 as recorded, 1 something breaks users, 2 usage, 3 additions that are not recorded yet.
END_OF_USAGE
}

update=no
case ${1-} in
    '') ;;
    --update) update=yes ;;
    -h | --help) usage && exit 0 ;;
    *) fail "$exit_usage" "unknown option: $1 (see --help)" ;;
esac
(($# < 2)) || fail "$exit_usage" "unknown option: $2 (see --help)"

require_packages "${build_packages[@]}" jq
require_swift
workspace=$(mktemp -d)
# shellcheck disable=SC2016 # evaluated when the script ends
on_exit 'rm -rf "$workspace"'
records=$repository/docs/api
mapfile -t libraries < <(library_names)
((${#libraries[@]} > 0)) || fail 1 "the package has no libraries"
make_symbol_graphs "${libraries[@]}"

# A library without a record is new: every line of it is an addition.
status=0
for library in "${libraries[@]}"; do
    mapfile -t files < <(graphs_of "$library")
    ((${#files[@]} > 0)) || fail 1 "$library has no symbol graph in $symbol_graphs"
    jq --raw-output --slurp -f "$repository/scripts/docs/api.jq" "${files[@]}" | LC_ALL=C sort -u >"$workspace/$library.txt"
    [[ -s $workspace/$library.txt ]] || fail 1 "$library declares nothing"
    record=$records/$library.txt
    [[ -f $record ]] || record=/dev/null
    found=0
    awk -f "$repository/scripts/docs/api-changes.awk" "$record" "$workspace/$library.txt" |
        LC_ALL=C sort | sed "s/^/$library: /" || found=${PIPESTATUS[0]}
    if ((found == 1)); then status=1; elif ((found == 3 && status == 0)); then status=3; elif ((found > 3)); then exit 1; fi
done
for path in "$records"/*.txt; do
    library=$(basename "$path" .txt)
    if [[ -f $path && ! -f $workspace/$library.txt ]]; then
        say "$library: breaks: the library is gone"
        status=1
        [[ $update == no ]] || rm "$path"
    fi
done

if [[ $update == yes ]]; then
    mkdir -p "$records"
    cp "$workspace"/*.txt "$records"
    good "Recorded in docs/api"
    exit 0
fi
case $status in
    0) good "The public declarations of ${#libraries[@]} libraries are as recorded" ;;
    3) say "Nothing breaks. To record the additions: scripts/api.sh --update" ;;
    *) say "To record this after all: scripts/api.sh --update, a new minor version, and a line in CHANGELOG.md" ;;
esac
exit "$status"
