# shellcheck shell=bash
# shellcheck disable=SC2154 # names come from the script that sources this
# What scripts/package.sh --check looks at. Sourced by it. Needs no root, installs nothing.

# wrong MESSAGE: counts a fault.
wrong() {
    say "package: $*"
    faults=$((faults + 1))
}

# check_release DIRECTORY: everything that was made.
check_release() {
    local directory=$1 tarball deb
    faults=0
    tarball=$(echo "$directory"/*.tar.gz) deb=$(echo "$directory"/*.deb)
    (cd "$directory" && sha256sum --check --quiet --strict SHA256SUMS) || wrong "SHA256SUMS does not fit"
    bill=$(echo "$directory"/*.spdx.json)
    check_bill "$bill"
    check_tarball "$tarball"
    check_deb "$deb"
    check_again "$directory"
    ((faults == 0)) || fail 1 "$faults faults in the packages (see above)"
    good "The packages have no faults"
}

# check_bill FILE: each element is named once, and whatever a relationship names is there.
check_bill() {
    jq --exit-status --arg version "$version" --argjson programs "${#program_names[@]}" '
        ([.packages[], .files[] | .SPDXID] + [.SPDXID]) as $ids
        | .spdxVersion == "SPDX-2.3" and ($ids | length == (unique | length))
        and all(.relationships[] | .spdxElementId, .relatedSpdxElement; . as $id | $ids | index($id))
        and (.packages[0] | .name == "bcm-jobstats" and .versionInfo == $version)
        and (.files | length) == $programs
        and ([.packages[] | select(.name | startswith("swift-")) | .licenseDeclared] | length >= 5 and all(. != "NOASSERTION"))
        and ([.packages[].name] | index("libc6") and (map(select(startswith("libcurl4"))) | length == 1))
        and (.documentNamespace | test("^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"))
        and (.packages[0].sourceInfo | startswith($source))' --arg source "git commit $commit" "$1" >/dev/null ||
        wrong "the bill of materials is not as it is to be: $1"
}

# check_sums DIRECTORY DOCUMENTS: what is shipped below a prefix is what the bill names, which is shipped as well.
check_sums() {
    local algorithm program
    cmp --silent "$bill" "$2/$name-$version.spdx.json" || wrong "the bill of materials in $2 is another one"
    for algorithm in SHA1 SHA256; do
        jq --raw-output --arg algorithm "$algorithm" '
            .files[] | "\(.checksums[] | select(.algorithm == $algorithm).checksumValue)  \(.fileName)"' "$bill" |
            (cd "$1" && "${algorithm,,}sum" --check --quiet --strict) >&2 ||
            wrong "programs in $1 do not have the $algorithm that the bill of materials names"
    done
    for program in "$1"/bin/*; do
        jq --exit-status --arg file "./bin/${program##*/}" 'any(.files[]; .fileName == $file)' "$bill" >/dev/null ||
            wrong "the bill of materials does not name $program"
    done
}

# check_tarball FILE: from a directory with a space in its name, without a trace of this machine.
check_tarball() {
    local place="$workspace/a place" top program shown page
    rm -rf "$place"
    mkdir "$place"
    if tar --list --verbose --numeric-owner --file "$1" | awk '$2 != "0/0" || $1 ~ /^.......[^r].[^x-]/ { print; bad = 1 } END { exit !bad }'; then
        wrong "owners or modes in the tarball are not as they are to be"
    fi
    tar --extract --file "$1" --directory "$place"
    top="$place/$name-$version-linux-$machine"
    check_sums "$top" "$top/share/doc/$name"
    for program in "${program_names[@]}"; do
        shown=$(cd / && env -i PATH=/usr/bin:/bin "$top/bin/$program" --version) || shown=failed
        [[ $shown == "$version" ]] || wrong "$program --version from $top: $shown"
        if grep -qaF "$repository" "$top/bin/$program"; then wrong "$program names the folder that it was built in"; fi
        [[ -n $(find "$top/share/man" -name "$program.[18]") ]] || wrong "$program has no manual page"
        for shown in "bash-completion/completions/$program" "zsh/site-functions/_$program" "fish/vendor_completions.d/$program.fish"; do
            [[ -s $top/share/$shown ]] || wrong "$shown is missing"
        done
    done
    if grep -rqF -e "$repository" -e "$folder" "$top/share" "$top/lib"; then wrong "a file names the folder of the build"; fi
    shown=$(cd / && "$top/share/$name/scripts/guided-setup.sh" --version) || :
    [[ $shown == "$version" ]] || wrong "the wrapper guided-setup.sh does not find its program: $shown"
    if command -v man >/dev/null; then
        page=$(MANPATH="$top/share/man" man --where guided-setup 2>/dev/null) || page=none
        [[ $page == "$top/share/man/man8/guided-setup.8" ]] || wrong "man finds $page"
    fi
    # ExecStart names the place where programs lie by hand; from elsewhere programs write units of their own.
    if grep -h ^ExecStart= "$top"/lib/systemd/system/*.service | grep -vE '^ExecStart=/usr/local/bin/'; then
        wrong "a unit starts something else"
    fi
    "$repository/scripts/compatibility.sh" --programs "$top/bin" --units "$top/lib/systemd/system" ||
        wrong "not all of it is in Ubuntu 22.04"
}

# check_deb FILE
check_deb() {
    local tree=$workspace/unpacked status=0 package
    rm -rf "$tree"
    dpkg-deb --raw-extract "$1" "$tree"
    (cd "$tree" && md5sum --check --quiet --strict DEBIAN/md5sums) || wrong "md5sums do not fit"
    check_sums "$tree/usr" "$tree/usr/share/doc/$name"
    for package in $(dpkg-deb --field "$1" Depends | sed -E 's/ *\([^)]*\)//g; s/,/ /g'); do
        jq --exit-status --arg name "$package" 'any(.packages[]; .name == $name)' "$bill" >/dev/null ||
            wrong "the bill of materials does not name $package, which the package depends on"
    done
    check_removal "$tree/DEBIAN/postrm"
    if grep -h ^ExecStart= "$tree"/lib/systemd/system/*.service | grep -vE '^ExecStart=/usr/bin/'; then
        wrong "a unit of the package starts a program elsewhere"
    fi
    [[ $(<"$tree/DEBIAN/conffiles") == /etc/bcm-jobstats/config.json.template ]] || wrong "conffiles are others"
    if command -v systemd-analyze >/dev/null; then
        # The programs are not installed here; nothing else may be found.
        systemd-analyze verify --man=no "$tree"/lib/systemd/system/*.{service,timer} >"$workspace/verify" 2>&1 || :
        if grep -F "$tree" "$workspace/verify" | grep -v 'is not executable'; then wrong "systemd finds fault with a unit"; fi
    fi
    command -v lintian >/dev/null || return 0
    # Root may run it, too.
    lintian --allow-root --tag-display-limit 0 --fail-on error "$1" || status=$?
    ((status == 0)) || wrong "lintian found errors"
}

# check_removal SCRIPT: links to units of the package that are gone go as well, wherever the units lay; others stay.
check_removal() {
    local root=$workspace/root wants link place
    wants=$root/etc/systemd/system/multi-user.target.wants
    for place in /lib /usr/lib; do
        rm -rf "$root"
        mkdir -p "$wants" "$root$place/systemd/system"
        for link in bcm-role-monitor.service prom-targets-prune.timer prom-targets-sync.service jobstats-validation.timer; do
            ln -s "$place/systemd/system/$link" "$wants/$link"
        done
        # Another package's, which may be gone as well; one that is there; and an administrator's own.
        ln -s "$place/systemd/system/other.service" "$wants/other.service"
        ln -s "$place/systemd/system/prom-targets-site.service" "$wants/prom-targets-site.service"
        : >"$root$place/systemd/system/prom-targets-site.service"
        ln -s /etc/systemd/system/bcm-role-monitor.service "$wants/own.service"
        DPKG_ROOT=$root sh "$1" remove || wrong "postrm fails"
        link=$(cd "$wants" && echo *)
        [[ $link == "other.service own.service prom-targets-site.service" ]] ||
            wrong "after postrm, with units in $place/systemd/system, there are: $link"
    done
}

# check_again DIRECTORY: made once more, it is the same.
check_again() {
    mkdir "$workspace/again"
    make_release "$workspace/again"
    diff --brief "$1/SHA256SUMS" "$workspace/again/SHA256SUMS" >/dev/null || {
        diff "$1/SHA256SUMS" "$workspace/again/SHA256SUMS" >&2 || :
        wrong "made again, it is something else"
    }
}
