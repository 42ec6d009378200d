# shellcheck shell=bash
# shellcheck disable=SC2154 # names come from the script that sources this
# What scripts/package.sh makes. Sourced by it.

name=bcm-jobstats
architecture=$(dpkg --print-architecture)
machine=$(uname -m)
maintainer=${JOBSTATS_MAINTAINER:-bcm-jobstats <bcm-jobstats@localhost.localdomain>}

# The time of everything in the packages: that of the commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$repository" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
commit=$(git -C "$repository" rev-parse HEAD 2>/dev/null || echo unknown)
if [[ -n $(git -C "$repository" --no-optional-locks status --porcelain --untracked-files=no 2>/dev/null) ]]; then
    commit+=-dirty
fi

# project_version: from the one place where it stands.
project_version() {
    sed -n 's/.*let current = "\(.*\)"$/\1/p' "$repository/Sources/Examples/ExampleSupport/ProjectVersion.swift"
}

# tell_origin: whether the programs were built of the sources that are here ("these"), of "others", or that is "unknown".
# A version is the same for months, and the times of files are those of a checkout.
tell_origin() {
    local note=$folder/$build_note
    if ! (cd "$folder" && grep -v '  sources$' "$note" | sha256sum --check --status --strict) 2>/dev/null ||
        (($(grep -c . "$note") != ${#program_names[@]} + 1)); then
        printf 'unknown'
    elif [[ $(sed -n 's/  sources$//p' "$note") == "$(sources_sum Package.swift Package.resolved Sources)" ]]; then
        printf 'these'
    else
        printf 'others'
    fi
}

# prepare_programs DIRECTORY: the programs, byte for byte as they are shipped. They come stripped from scripts/build.sh;
# others, such as a debug build's, are stripped here.
prepare_programs() {
    local file
    install -d -m 755 "$1"
    for file in "${program_names[@]}"; do
        install -m 755 "$folder/$file" "$1/"
        if readelf --wide --sections "$1/$file" | grep -q '\.symtab'; then strip --strip-all "$1/$file"; fi
    done
}

# debian_version: 0.2.0~rc.1 is older than 0.2.0.
debian_version() { printf '%s' "${version/-/\~}"; }

# print_units DIRECTORY PLACE: writes the units for programs that lie in PLACE.
print_units() {
    local directory=$1 place=$2 monitor targets
    mkdir -p "$directory"
    # Outside a checkout, since defaults depend on that. Several units stand behind one another, each under its name.
    (
        cd /
        monitor=$("$folder/bcm-role-monitor" --print-unit)
        # The first path that the monitor may write, which is the usual folder of target files.
        targets=$(sed -n '0,/^ReadWritePaths=/s/^ReadWritePaths=-//p' <<<"$monitor")
        printf '# bcm-role-monitor.service\n%s\n' "$monitor"
        "$folder/prom-targets" unit prune --prometheus-targets-dir "$targets"
        "$folder/prom-targets" unit sync --prometheus-targets-dir "$targets"
        "$folder/validate-deployment" --print-units
    ) | sed "s|$folder/|$place/|g" | awk -v directory="$directory" '
        /^# [a-z-]+\.(service|timer)$/ { file = directory "/" $2; next }
        file { lines[file] = lines[file] $0 "\n" }
        END { for (file in lines) { sub(/\n+$/, "\n", lines[file]); printf "%s", lines[file] >file } }'
    (($(find "$directory" -type f | wc -l) == 6)) || fail 1 "the programs did not print the units that are expected"
}

# stage DIRECTORY PLACE: everything below a prefix (bin, share, lib), for programs that will lie in PLACE.
stage() {
    local directory=$1 place=$2 documents=$1/share/doc/$name file
    install -d -m 755 "$directory/bin" "$directory/lib/systemd/system" "$directory/share/$name/scripts" \
        "$directory/share/$name/configs" "$documents/docs" "$documents/licences"
    install -m 755 "$workspace"/programs/* "$directory/bin/"
    print_units "$directory/lib/systemd/system" "$place"
    "$repository/scripts/docs.sh" --man "$directory" --programs "$folder" --installed-in "$place"
    for file in bcm-role-monitor bcmctl capacity-planner deploy-role-monitor guided-setup prom-targets setup \
        validate-deployment load-test; do
        install -m 755 "$repository/scripts/$file.sh" "$directory/share/$name/scripts/"
    done
    install -m 644 "$repository/scripts/lib.sh" "$directory/share/$name/scripts/"
    install -m 644 "$repository"/automation/configs/*.{json,template} "$directory/share/$name/configs/"
    install -m 644 "$repository"/{README,CHANGELOG}.md "$documents/"
    install -m 644 "$repository"/docs/*.md "$documents/docs/"
    install -m 644 "$workspace/sbom.json" "$documents/$name-$version.spdx.json"
    install -m 644 "$workspace"/licences/* "$documents/licences/"
    if [[ -e $repository/LICENSE ]]; then install -m 644 "$repository/LICENSE" "$directory/"; fi
    find "$directory" -type f ! -perm -u=x -exec chmod 644 {} +
    find "$directory" -type d -exec chmod 755 {} +
}

# collect_licences: the licences of what is linked into the programs, and their SPDX expressions as JSON on standard output.
collect_licences() {
    local checkout text expression swift
    mkdir -p "$workspace/licences"
    for checkout in "$repository"/.build-static/checkouts/* "$repository"/.build/checkouts/*; do
        [[ -d $checkout && ! -e $workspace/licences/${checkout##*/}.txt ]] || continue
        expression=NOASSERTION
        for text in "$checkout"/LICENSE{,.txt,.md}; do
            [[ -e $text ]] || continue
            cp "$text" "$workspace/licences/${checkout##*/}.txt"
            if grep -q 'Apache License' "$text"; then expression=Apache-2.0; fi
            if grep -q 'Runtime Library Exception' "$text"; then expression+=' WITH Swift-exception'; fi
        done
        if [[ -e $checkout/NOTICE.txt ]]; then cp "$checkout/NOTICE.txt" "$workspace/licences/${checkout##*/}-NOTICE.txt"; fi
        jq --null-input --arg name "${checkout##*/}" --arg value "$expression" '{($name): $value}'
    done | jq --slurp add
    swift=$(realpath "$(command -v swift)") || return 0
    swift=${swift%/bin/*}/share/swift/LICENSE.txt
    if [[ -e $swift ]]; then cp "$swift" "$workspace/licences/swift.txt"; fi
}

# swift_version: of the compiler whose runtime is in the programs.
swift_version() {
    local text
    text=$(swift --version 2>/dev/null) || text=''
    if [[ $text =~ Swift\ version\ ([0-9.]+) ]]; then printf '%s' "${BASH_REMATCH[1]}"; else printf 'NOASSERTION'; fi
}

# least_curl: the oldest libcurl that has all that the programs use.
least_curl() {
    grep -vE '^(#|ubuntu |$)' "$repository/scripts/package/ubuntu-22.04/libcurl.txt" | awk '{ print $2 }' |
        sort --version-sort | tail -n 1
}

# find_dependencies: what the programs need of Debian's packages, by the symbols that they use.
find_dependencies() {
    local place=$workspace/dependencies found
    mkdir -p "$place/debian"
    printf 'Source: %s\n\nPackage: %s\nArchitecture: any\n' "$name" "$name" >"$place/debian/control"
    found=$(cd "$place" && dpkg-shlibdeps -O "${program_names[@]/#/$folder/}" 2>/dev/null) ||
        fail 1 "dpkg-shlibdeps does not tell what the programs need"
    found=${found#shlibs:Depends=}
    # Options are no symbols: dpkg cannot know of them.
    printf '%s, openssh-client' "$found" | sed -E "s/(libcurl4[a-z0-9]*) \(>= [^)]*\)/\1 (>= $(least_curl))/"
}

# needed_packages: those of the dependencies, each on a line, with the least version where one is asked for.
needed_packages() {
    local line form='^([a-z0-9.+-]+)( \(>= ([^)]+)\))?$'
    tr ',' '\n' <<<"$dependencies" | while read -r line; do
        [[ $line =~ $form ]] || fail 1 "not a dependency that the bill can name: $line"
        printf '%s %s\n' "${BASH_REMATCH[1]}" "${BASH_REMATCH[3]}"
    done
}

# content_urn: a name for what comes on standard input, the same for the same bytes: a UUID of version 8 (RFC 9562) of its
# SHA-256.
content_urn() {
    local sum
    sum=$(sha256sum)
    printf 'urn:uuid:%s-%s-8%s-%x%s-%s' "${sum:0:8}" "${sum:8:4}" "${sum:13:3}" "$((0x${sum:16:1} & 3 | 8))" "${sum:17:3}" \
        "${sum:20:12}"
}

# write_sbom FILE
write_sbom() {
    local licences libraries files program text needed
    licences=$(collect_licences)
    needed=$(needed_packages)
    libraries=$(
        jq --raw-input --slurp <<<"$needed" '
            {libc6: "LGPL-2.1-or-later", "libgcc-s1": "GPL-3.0-or-later WITH GCC-exception-3.1",
             "libstdc++6": "GPL-3.0-or-later WITH GCC-exception-3.1", libssl3: "Apache-2.0", libcurl4: "curl"} as $known
            | split("\n") | map(select(. != "") | split(" ")
            | {name: .[0], least: .[1], licence: ($known[.[0] | sub("t64$"; "")] // "NOASSERTION")})'
    )
    files=$(for program in "${program_names[@]}"; do
        printf '%s %s %s\n' "$program" "$(sha1sum <"$workspace/programs/$program" | cut -d' ' -f1)" \
            "$(sha256sum <"$workspace/programs/$program" | cut -d' ' -f1)"
    done | LC_ALL=C sort | jq --raw-input --slurp \
        'split("\n") | map(select(. != "") | split(" ") | {name: .[0], sha1: .[1], sha256: .[2]})')
    text=$(jq --arg version "$version" --arg commit "$commit" --arg origin "$origin" --arg swift "$(swift_version)" \
        --arg created "$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)" --argjson licences "$licences" \
        --argjson libraries "$libraries" --argjson files "$files" \
        -f "$repository/scripts/package/sbom.jq" "$resolved")
    jq --arg urn "$(content_urn <<<"$text")" '.documentNamespace = $urn' <<<"$text" >"$1"
}

# make_tarball FILE
make_tarball() {
    local top=$name-$version-linux-$machine
    stage "$workspace/tarball/$top" /usr/local/bin
    tar --create --directory "$workspace/tarball" --sort=name --owner=0 --group=0 --numeric-owner --format=gnu \
        --mtime="@$SOURCE_DATE_EPOCH" "$top" | gzip --no-name -4 >"$1"
}

# make_deb FILE: the same below /usr, as Debian has it.
make_deb() {
    local tree=$workspace/deb file size sources=$repository/scripts/package/debian
    stage "$tree/usr" /usr/bin
    install -d -m 755 "$tree/lib" "$tree/DEBIAN" "$tree/etc/$name" "$tree/var/lib/$name" "$tree/usr/share/lintian/overrides"
    mv "$tree/usr/lib/systemd" "$tree/lib/"
    rmdir "$tree/usr/lib"
    # Where zsh looks for what packages bring; site-functions is for what is below /usr/local.
    mv "$tree/usr/share/zsh/site-functions" "$tree/usr/share/zsh/vendor-completions"
    mv "$tree/usr/share/$name/configs/config.json.template" "$tree/etc/$name/"
    printf '/etc/%s/config.json.template\n' "$name" >"$tree/DEBIAN/conffiles"
    find "$tree/usr/share/man" -type f -exec gzip --no-name -9 {} +
    install -m 644 "$sources/lintian-overrides" "$tree/usr/share/lintian/overrides/$name"
    write_debian_documents "$tree/usr/share/doc/$name"
    for file in postinst prerm postrm; do install -m 755 "$sources/$file" "$tree/DEBIAN/"; done
    size=$(find "$tree" -path "$tree/DEBIAN" -prune -o -type f -printf '%s\n' | awk '{ sum += $1 } END { print int(sum / 1024) + 1 }')
    sed -e "s|@version@|$(debian_version)|; s|@architecture@|$architecture|; s|@maintainer@|$maintainer|" \
        -e "s|@depends@|$dependencies|; s|@size@|$size|" \
        "$sources/control" >"$tree/DEBIAN/control"
    (cd "$tree" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum) \
        >"$tree/DEBIAN/md5sums"
    chmod 644 "$tree/DEBIAN"/{control,conffiles,md5sums}
    find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
    # gzip: xz would make it a fifth smaller in ten times the time.
    dpkg-deb --root-owner-group -Zgzip -z4 --build "$tree" "$1" >/dev/null
}

# write_debian_documents DIRECTORY: copyright, and the changelog in Debian's form.
write_debian_documents() {
    local file
    {
        printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: %s\n\n' "$name"
        printf 'Files: *\nCopyright: %s the authors of %s\nLicense: see-source\n' \
            "$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y)" "$name"
        printf ' The licence of the source that this package was made from. The programs hold code of the Swift runtime\n'
        printf ' and of the Swift packages whose licences lie in the folder licences beside this file.\n'
    } >"$1/copyright"
    {
        printf '%s (%s) unstable; urgency=medium\n\n' "$name" "$(debian_version)"
        printf '  * What users notice stands in CHANGELOG.md beside this file.\n\n'
        printf ' -- %s  %s\n' "$maintainer" "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")"
    } | gzip --no-name -9 >"$1/changelog.gz"
    chmod 644 "$1"/{copyright,changelog.gz}
}

# make_release DIRECTORY: all of it.
make_release() {
    local directory=$1
    rm -rf "$workspace"/{programs,tarball,deb,licences}
    prepare_programs "$workspace/programs"
    resolved=$repository/Package.resolved
    [[ -e $resolved ]] || fail 1 "there is no Package.resolved, which says the versions of Swift packages: build first"
    dependencies=$(find_dependencies)
    write_sbom "$workspace/sbom.json"
    make_tarball "$directory/$name-$version-linux-$machine.tar.gz"
    make_deb "$directory/${name}_$(debian_version)_$architecture.deb"
    cp "$workspace/sbom.json" "$directory/$name-$version.spdx.json"
    (cd "$directory" && sha256sum -- *.tar.gz *.deb *.spdx.json >SHA256SUMS)
}
