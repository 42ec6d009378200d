#!/usr/bin/env bash
# Makes and checks the documentation that is generated. See usage below.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/docs/symbols.sh
. "$repository/scripts/docs/symbols.sh"

usage() {
    cat <<'END_OF_USAGE'
usage: scripts/docs.sh --check | --man DIRECTORY [--programs FOLDER] [--installed-in FOLDER] | --html DIRECTORY

  --check             every public symbol of every library is documented, manual pages and completions can be made and
                      have no faults, and so has the libraries' documentation where docc is installed
  --man DIRECTORY     writes manual pages and completions for bash, zsh and fish below this directory, as /usr/local:
                      share/man, share/bash-completion/completions, share/zsh/site-functions,
                      share/fish/vendor_completions.d
  --programs FOLDER   takes the programs from here; by default they are built (scripts/build.sh --programs)
  --installed-in FOLDER
                      where the pages say that programs lie (/usr/local/bin)
  --html DIRECTORY    writes the libraries' documentation as a web site, a folder for each library

Exit status: 0 all well, 1 something is missing or wrong, 2 usage, 77 this machine lacks something.
END_OF_USAGE
}

# The programs with the section of their manual page.
# In the order in which mdoc(7) wants references.
pages=(bcmctl.1 capacity-planner.1 bcm-role-monitor.8 deploy-role-monitor.8 guided-setup.8 prom-targets.8 setup-wizard.8
    validate-deployment.8)

# --- Symbols ----------------------------------------------------------------------------------------------------------

# check_symbols: names every public symbol without documentation.
check_symbols() {
    local library file missing='' count=0
    for library in "${libraries[@]}"; do
        while read -r file; do
            missing+=$(jq --raw-output --arg root "$repository/" -f "$repository/scripts/docs/undocumented.jq" "$file")
            count=$((count + $(jq '[.symbols[] | select(.location != null)] | length' "$file")))
        done < <(graphs_of "$library")
    done
    ((count > 0)) || fail 1 "there is no symbol in $symbol_graphs"
    if [[ -n $missing ]]; then
        printf '%s\n' "$missing"
        return 1
    fi
    good "All $count public symbols of ${#libraries[@]} libraries are documented"
}

# --- Manual pages and completions -------------------------------------------------------------------------------------

# write_manual FOLDER DIRECTORY: pages and completions of the programs of a folder, below a directory.
write_manual() {
    local folder=$1 share=$2/share page program section others date description shell path version
    folder=$(realpath "$folder")
    # The day of the last commit: the same sources make the same pages.
    date=$(LC_ALL=C date -d "$(git -C "$repository" log -1 --format=%cs 2>/dev/null || date +%F)" '+%B %-d, %Y')
    for page in "${pages[@]}"; do
        program=${page%.*} section=${page##*.}
        [[ -x $folder/$program ]] || fail 1 "there is no program $program in $folder"
        # Outside a checkout, since defaults depend on that.
        description=$(cd / && timeout 20 "$folder/$program" --experimental-dump-help | jq --compact-output .) ||
            fail 1 "$folder/$program does not describe itself"
        version=$(timeout 20 "$folder/$program" --version) || fail 1 "$folder/$program does not say its version"
        others=$(printf '%s\n' "${pages[@]}" | grep -vxF "$page" | jq -R . | jq -sc .)
        path=$share/man/man$section/$page
        mkdir -p "${path%/*}"
        jq --raw-output --arg date "$date" --arg version "$version" --arg section "$section" \
            --argjson others "$others" -f "$repository/scripts/docs/manual-page.jq" \
            <<<"${description//"$folder"/"$installed"}" >"$path"
        for shell in bash zsh fish; do
            case $shell in
                bash) path=$share/bash-completion/completions/$program ;;
                zsh) path=$share/zsh/site-functions/_$program ;;
                fish) path=$share/fish/vendor_completions.d/$program.fish ;;
            esac
            mkdir -p "${path%/*}"
            timeout 20 "$folder/$program" --generate-completion-script "$shell" >"$path" ||
                fail 1 "$folder/$program makes no completions for $shell"
        done
    done
}

# check_manual: everything in a temporary folder, held to mandoc and to the shells that are here.
check_manual() {
    local folder directory=$workspace/manual status=0 file
    folder=$(swift build --package-path "$repository" --show-bin-path)
    write_manual "$folder" "$directory"
    for file in "$directory"/share/man/man?/*; do
        if command -v mandoc >/dev/null; then mandoc -T lint -W warning "$file" || status=1; fi
        [[ $(LC_ALL=C.UTF-8 MANWIDTH=80 man -l "$file" 2>&1 | wc -l) -gt 20 ]] || {
            say "man shows nothing of ${file##*/}"
            status=1
        }
    done
    for file in "$directory"/share/bash-completion/completions/*; do bash -n "$file" || status=1; done
    if command -v zsh >/dev/null; then
        for file in "$directory"/share/zsh/site-functions/*; do zsh -n "$file" || status=1; done
    fi
    if command -v fish >/dev/null; then
        for file in "$directory"/share/fish/vendor_completions.d/*; do fish --no-execute "$file" || status=1; done
    fi
    ((status == 0)) && good "Manual pages and completions of ${#pages[@]} programs have no faults"
    return "$status"
}

# --- Web site ---------------------------------------------------------------------------------------------------------

# write_site DIRECTORY: each library's documentation; a warning is a fault.
write_site() {
    local library folder log=$workspace/docc.log file
    mkdir -p "$1"
    for library in "${libraries[@]}"; do
        folder=$workspace/graphs/$library
        mkdir -p "$folder"
        while read -r file; do cp "$file" "$folder"; done < <(graphs_of "$library")
        docc convert "$repository/Sources/$library/$library.docc" --additional-symbol-graph-dir "$folder" \
            --fallback-display-name "$library" --fallback-bundle-identifier "bcm-jobstats.$library" \
            --transform-for-static-hosting --hosting-base-path "$library" --warnings-as-errors \
            --output-path "$1/$library" >"$log" 2>&1 || {
            cat "$log" >&2
            return 1
        }
        if grep -q 'warning:' "$log"; then
            cat "$log" >&2
            return 1
        fi
    done
    good "The documentation of ${#libraries[@]} libraries has no faults"
}

# ----------------------------------------------------------------------------------------------------------------------

mode='' directory='' folder='' installed=/usr/local/bin
while (($#)); do
    case $1 in
        --check) mode+=check ;;
        --man | --html | --programs | --installed-in)
            [[ -n ${2-} ]] || fail "$exit_usage" "$1 needs a directory (see --help)"
            case $1 in
                --programs) folder=$2 ;;
                --installed-in) installed=$2 ;;
                *) mode+=${1#--} directory=$2 ;;
            esac
            shift
            ;;
        -h | --help) usage && exit 0 ;;
        *) fail "$exit_usage" "unknown option: $1 (see --help)" ;;
    esac
    shift
done
[[ $mode == check || $mode == man || $mode == html ]] ||
    fail "$exit_usage" "one of --check, --man and --html is needed (see --help)"
require_packages jq

workspace=$(mktemp -d)
# shellcheck disable=SC2016 # evaluated when the script ends
on_exit 'rm -rf "$workspace"'

if [[ $mode == man ]]; then
    if [[ -z $folder ]]; then
        "$repository/scripts/build.sh" --programs --quiet
        folder=$programs_directory
    fi
    write_manual "$folder" "$directory"
    exit 0
fi
require_packages "${build_packages[@]}" man-db
require_swift
mapfile -t libraries < <(library_names)
((${#libraries[@]} > 0)) || fail 1 "the package has no libraries"
make_symbol_graphs "${libraries[@]}"
status=0
if [[ $mode == html ]]; then
    command -v docc >/dev/null || fail "$exit_cannot_run" "there is no docc on PATH; it comes with Swift"
    write_site "$directory" || status=1
else
    check_symbols || status=1
    check_manual || status=1
    if command -v docc >/dev/null; then write_site "$workspace/site" || status=1; fi
fi
exit "$status"
