#!/usr/bin/env bash
# Makes what is released: a tarball, a Debian package, checksums and a bill of materials. See usage below.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/package/stage.sh
. "$repository/scripts/package/stage.sh"
# shellcheck source=scripts/package/check.sh
. "$repository/scripts/package/check.sh"

usage() {
    cat <<'END_OF_USAGE'
usage: scripts/package.sh [--output DIRECTORY] [--programs FOLDER] [--check]

Builds the programs (scripts/build.sh --programs) and makes of them

  bcm-jobstats-VERSION-linux-ARCHITECTURE.tar.gz   runs from any directory
  bcm-jobstats_VERSION_ARCHITECTURE.deb            for Debian 12, Ubuntu 22.04 and later
  bcm-jobstats-VERSION.spdx.json                   what is in them, and what they need (SPDX 2.3)
  SHA256SUMS                                       of these three

The same programs of the same commit make the same bytes. Programs that were built of other sources than are here, or of
sources that nobody noted (scripts/build.sh does), are warned of, and the bill says so.

  --output DIRECTORY  where they are put (.build-packages)
  --programs FOLDER   takes the programs from here and builds nothing
  --check             looks at what was made: makes it twice and compares, holds it to Ubuntu 22.04
                      (scripts/compatibility.sh), unpacks and runs it, and asks lintian where that is installed

JOBSTATS_MAINTAINER ("Name <address>") is the Debian package's maintainer.

Exit status: 0 done, 1 failed, 2 usage, 77 this machine lacks something.
END_OF_USAGE
}

output=$repository/.build-packages folder='' checks=no
while (($#)); do
    case $1 in
        --output | --programs)
            [[ -n ${2-} ]] || fail "$exit_usage" "$1 needs a directory (see --help)"
            if [[ $1 == --output ]]; then output=$2; else folder=$2; fi
            shift
            ;;
        --check) checks=yes ;;
        -h | --help) usage && exit 0 ;;
        *) fail "$exit_usage" "unknown option: $1 (see --help)" ;;
    esac
    shift
done
require_packages jq dpkg-dev binutils

if [[ -z $folder ]]; then
    "$repository/scripts/build.sh" --programs --quiet
    folder=$programs_directory
fi
folder=$(realpath "$folder")
version=$(project_version)
for program in "${program_names[@]}"; do
    [[ -x $folder/$program ]] || fail 1 "there is no program $program in $folder"
    shown=$(timeout 20 "$folder/$program" --version) || fail 1 "$folder/$program does not say its version"
    [[ $shown == "$version" ]] || fail 1 "$folder/$program is of version $shown, the sources are of $version: build it anew"
done

workspace=$(mktemp -d)
# shellcheck disable=SC2016 # evaluated when the script ends
on_exit 'rm -rf "$workspace"'
mkdir -p "$output" "$workspace/made"
started=$(now_ms)
origin=$(tell_origin)
case $origin in
    others) warn "the programs in $folder were built of other sources than are here: build them anew" ;;
    unknown) warn "nothing tells of which sources the programs in $folder were built: scripts/build.sh would" ;;
esac
make_release "$workspace/made"
if [[ $checks == yes ]]; then check_release "$workspace/made"; fi
# Only what is whole gets its name.
for file in "$workspace"/made/*; do
    cp "$file" "$output/.${file##*/}.new"
    mv -f "$output/.${file##*/}.new" "$output/${file##*/}"
    say "$(printf '%8.1f MB  %s' "$(($(stat --format=%s "$file") / 10000))e-2" "$output/${file##*/}")"
done
good "Packaged $version in $(seconds_since "$started") s"
