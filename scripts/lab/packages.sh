# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# A signed package repository of the lab's own, on the disk of every host: installing packages really happens without a
# way out of the lab. It holds some of Debian's packages (offered_packages) and the stand-ins for others' packages.

packages_directory=/srv/packages

# create_packages: as part of the layer that all hosts have.
create_packages() {
    local layer=$lab_directory/layer place
    place=$layer$packages_directory
    mkdir -p "$place" "$layer/etc/apt/sources.list.d" "$layer/usr/share/keyrings"
    # Links where one file system holds both: nobody writes into a package.
    cp -l "$(slurm_directory)"/packages/*.deb "$place/" 2>/dev/null || cp "$(slurm_directory)"/packages/*.deb "$place/"
    index_packages "$place" "$layer/usr/share/keyrings/lab-packages.gpg"
    mkdir -p "$layer/etc/dpkg/dpkg.cfg.d"
    echo force-unsafe-io >"$layer/etc/dpkg/dpkg.cfg.d/lab" # a lab's disks need not survive this machine
    : >"$layer/etc/apt/sources.list" # Debian's own is out of reach
    printf 'deb [signed-by=/usr/share/keyrings/lab-packages.gpg] file:%s ./\n' "$packages_directory" \
        >"$layer/etc/apt/sources.list.d/lab.list"
}

# index_packages DIRECTORY KEYRING: writes Packages, and InRelease signed with a key made for this lab.
index_packages() {
    local directory=$1 keyring=$2 package sum home status=0
    for package in "$directory"/*.deb; do
        dpkg-deb --field "$package"
        sum=$(sha256sum "$package")
        printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${package##*/}" "$(stat --format=%s "$package")" "${sum%% *}"
    done >"$directory/Packages"
    home=$(mktemp -d)
    {
        printf 'Origin: lab\nLabel: lab\nSuite: lab\nCodename: lab\nDate: %s\nSHA256:\n' "$(LC_ALL=C date -uR)"
        sum=$(sha256sum "$directory/Packages")
        printf ' %s %s Packages\n' "${sum%% *}" "$(stat --format=%s "$directory/Packages")"
    } >"$home/Release"
    {
        gpg --homedir "$home" --batch --quiet --passphrase '' --quick-generate-key 'Packages of the lab' ed25519 sign never &&
            gpg --homedir "$home" --batch --quiet --output "$directory/InRelease" --clearsign "$home/Release" &&
            gpg --homedir "$home" --batch --quiet --output "$keyring" --export
    } 2>"$home/log" || status=$?
    gpgconf --homedir "$home" --kill all
    ((status == 0)) || warn "the lab's packages could not be signed: $(<"$home/log")"
    rm -rf "$home"
    return "$status"
}
