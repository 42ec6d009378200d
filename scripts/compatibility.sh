#!/usr/bin/env bash
# Holds programs, sources and units to what Ubuntu 22.04 has. See usage below.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<'END_OF_USAGE'
usage: scripts/compatibility.sh [--programs FOLDER] [--units FOLDER]

Compares with Ubuntu 22.04, without running anything there:

  * libraries and symbol versions that the programs need (only with --programs)
  * options, codes and functions of libcurl in the sources and programs, with libcurl 7.81.0
  * directives of the units that guided-setup writes (as in the documents that tests hold it to), and of the units in
    a folder (--units), with systemd 249

What came with which version is listed in scripts/package/ubuntu-22.04; what is not listed there is a fault, too.

  --programs FOLDER   looks at the programs in this folder
  --units FOLDER      looks at the units in this folder

Exit status: 0 all of it is there, 1 something is not, 2 usage, 77 this machine lacks something.
END_OF_USAGE
}

lists=$repository/scripts/package/ubuntu-22.04
documents=$repository/Tests/JobstatsDeployTests/Fixtures/Documents
faults=0

fault() {
    say "$*"
    faults=$((faults + 1))
}

# list FILE: a list without its comments.
list() { grep -vE '^(#|$)' "$lists/$1"; }

# is_newer A B: whether version A is newer than version B.
is_newer() { [[ $1 != "$2" ]] && printf '%s\n%s\n' "$2" "$1" | sort --version-sort --check=quiet; }

# hold LIST WHAT: reads names, and judges each by a list of versions.
hold() {
    local what=$2 limit name version count=0
    local -A known=()
    while read -r name version; do known[$name]=$version; done < <(list "$1")
    limit=${known[ubuntu]}
    while read -r name; do
        count=$((count + 1))
        version=${known[$name]-}
        if [[ -z $version ]]; then
            fault "$what $name is not in $lists/$1: add it with the version that it came with"
        elif is_newer "$version" "$limit"; then
            fault "$what $name came with $version; Ubuntu 22.04 has $limit"
        fi
    done
    ((count > 0)) || fault "there is no $what to compare"
    say "$what: $count compared with $limit"
}

# needs PROGRAM: "LIBRARY VERSION" of each symbol version that it needs, and "LIBRARY -" of each library.
needs() {
    readelf --wide --version-info "$1" | awk '
        /Version needs section/ { wanted = 1 }
        wanted && / File: / { for (i = 1; i < NF; i++) if ($i == "File:") library = $(i + 1) }
        wanted && / Name: / { for (i = 1; i < NF; i++) if ($i == "Name:") print library, $(i + 1) }'
    readelf --wide --dynamic "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1 -/p'
}

# check_libraries PROGRAM...
check_libraries() {
    local program library version prefix newest count=0
    local -A most=() known=()
    while read -r library version; do known[$library]=1 most[$library ${version%%_[0-9]*}]=$version; done < <(list libraries.txt)
    for program in "$@"; do
        while read -r library version; do
            count=$((count + 1))
            [[ -n ${known[$library]-} ]] || fault "${program##*/} needs $library, which is not in $lists/libraries.txt"
            [[ $version != - ]] || continue
            prefix=${version%%_[0-9]*} newest=${most[$library ${version%%_[0-9]*}]-}
            if [[ -z $newest ]]; then
                fault "${program##*/} needs $version of $library, which is not in $lists/libraries.txt"
            elif is_newer "${version#"$prefix"_}" "${newest#"$prefix"_}"; then
                fault "${program##*/} needs $version of $library; Ubuntu 22.04 has $newest"
            fi
        done < <(needs "$program")
    done
    ((count > 0)) || fault "the programs need no library, which cannot be"
    say "libraries and symbol versions of $# programs: $count compared"
}

# curl_names PROGRAM...: what sources name, and what programs call, of libcurl.
curl_names() {
    {
        grep -rhoE '\bCURL(OPT|INFO|MOPT|MSG|M|E|PROTO|SSLBACKEND|VERSION)?_[A-Z0-9_a-z]+|\b(CURLMSG|CURLVERSION|CURLSSLBACKEND)_[A-Z]+|\bCURLPROTO_[A-Z]+' \
            "$repository/Sources/CCurl" "$repository/Sources/BCMClient"
        grep -rhoE '\bcurl_(easy|multi|global|slist|share|url|version|mime|ws)_?[a-z_]*\(' "$repository/Sources/CCurl" \
            "$repository/Sources/BCMClient" | tr -d '('
        (($# == 0)) || readelf --wide --dyn-syms "$@" | grep -oE '\bcurl_[a-z_]+'
    } | grep -vx CURL_DISABLE_DEPRECATION | LC_ALL=C sort -u # a switch of the header
}

# directives FILE...: of units, also where they stand in a document.
directives() {
    awk '
        /^ *\[[A-Z][A-Za-z]*\]$/ { unit = 1; next }
        /^ *```|^ *END|^ *EOF/ { unit = 0 }
        unit && match($0, /^ *[A-Z][A-Za-z]*=/) { name = substr($0, 1, RLENGTH - 1); gsub(/ /, "", name); print name }
    ' "$@" | LC_ALL=C sort -u
}

programs='' units=''
while (($#)); do
    case $1 in
        --programs | --units)
            [[ -n ${2-} ]] || fail "$exit_usage" "$1 needs a folder (see --help)"
            [[ -d $2 ]] || fail "$exit_usage" "$1 $2: there is no such folder"
            if [[ $1 == --programs ]]; then programs=$2; else units=$2; fi
            shift
            ;;
        -h | --help) usage && exit 0 ;;
        *) fail "$exit_usage" "unknown option: $1 (see --help)" ;;
    esac
    shift
done
require_packages binutils

files=()
if [[ -n $programs ]]; then
    mapfile -t files < <(find "$programs/" -maxdepth 1 -type f -executable | LC_ALL=C sort)
    ((${#files[@]} > 0)) || fail 1 "there is no program in $programs"
    check_libraries "${files[@]}"
fi
hold libcurl.txt "libcurl's" < <(curl_names "${files[@]}")
hold systemd.txt "unit directive" < <(directives "$documents"/*.md)
if [[ -n $units ]]; then
    mapfile -t files < <(find "$units/" -type f \( -name '*.service' -o -name '*.timer' \) | LC_ALL=C sort)
    ((${#files[@]} > 0)) || fail 1 "there is no unit in $units"
    hold systemd.txt "unit directive" < <(directives "${files[@]}")
fi
((faults == 0)) || fail 1 "$faults of these are not in Ubuntu 22.04, or not known to be"
good "Ubuntu 22.04 has all of it"
