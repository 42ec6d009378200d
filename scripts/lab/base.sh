# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# The root file system that all nodes share, and the layers above it.

suite=bookworm
base_packages=(
    systemd systemd-sysv dbus openssh-server openssh-client iproute2 curl ca-certificates netbase procps libcurl4 openssl
    rsync sudo
)
# Their programs alone lie on the head nodes, for guided-setup to deploy.
monitoring_packages=(prometheus prometheus-node-exporter)
artifacts_directory=/opt/bcm-jobstats/artifacts
base_version=4 # raise it when the way the base is built changes

base_directory() {
    local key
    [[ -z ${base_path-} ]] || { printf '%s' "$base_path" && return; }
    key=$(printf '%s ' "$suite" "$base_version" "${base_packages[@]}" "${monitoring_packages[@]}" | sha256sum)
    printf '%s/lab-base-%s' "$cache_directory" "${key:0:12}"
}

# build_base: builds the base unless the cache has it. Takes half a minute and needs Debian's package registry.
build_base() {
    local base work started
    base=$(base_directory)
    base_path=$base # asked for with each node
    if [[ -e $base/complete ]]; then
        touch "$base"
        return 0
    fi
    require_packages mmdebstrap
    started=$(now_ms)
    say "Building the nodes' root file system (once; kept in $base)"
    work=$base.$$
    on_exit "rm -rf '$work'"
    mkdir -p "$work"
    # shellcheck disable=SC2016 # $1 is the hook's own
    mmdebstrap --quiet --variant=minbase --include="$(IFS=,; printf '%s' "${base_packages[*]}")" \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook="chroot \"\$1\" sh -c 'mkdir /debs && cd /debs && apt-get download ${monitoring_packages[*]}'" \
        --customize-hook="mv \"\$1/debs\" '$work/'" \
        "$suite" "$work/root" >"$work/log" 2>&1 </dev/null || {
        tail -n 15 "$work/log" >&2
        fail 1 "mmdebstrap could not build the nodes' root file system (its last lines are above)"
    }
    settle_base "$work/root"
    extract_artifacts "$work"
    rm -rf "$work/debs" "$work/log"
    touch "$work/complete"
    rm -rf "$base"
    mv "$work" "$base"
    # Bases of other versions that nobody made or used lately.
    find "$cache_directory" -mindepth 1 -maxdepth 1 -name 'lab-base-*' -mtime +7 -exec rm -rf --one-file-system {} +
    say "Built in $(seconds_since "$started") s, $(du -sm "$base" | cut -f1) MiB"
}

# settle_base ROOT: nothing of one machine's identity, and no service that only idles in a lab.
settle_base() {
    local root=$1 unit
    rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/hostname" "$root/etc/resolv.conf" "$root/etc/hosts"
    : >"$root/etc/machine-id"
    : >"$root/etc/resolv.conf"
    for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
        systemd-pstore.service getty@tty1.service console-getty.service; do
        rm -f "$root"/etc/systemd/system/*.wants/"$unit"
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
}

# extract_artifacts WORK: the programs of Debian's packages, as a layer of the head nodes.
extract_artifacts() {
    local work=$1 artifacts=$1/artifacts$artifacts_directory package
    mkdir -p "$artifacts"
    for package in "$work"/debs/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -x -C "$artifacts" --strip-components=3 --wildcards './usr/bin/*'
    done
    mv "$artifacts/prometheus-node-exporter" "$artifacts/node_exporter"
}

# unmount_below DIRECTORY: lazily, the deepest first.
unmount_below() {
    local point
    while read -r point; do umount --lazy "$point" 2>/dev/null || :; done < <(mounts_below "$1" | sort -r)
}

# mounts_below DIRECTORY: every mount point at or below it, one a line.
mounts_below() {
    local directory=$1
    awk -v top="$directory" '$5 == top || index($5, top "/") == 1 { print $5 }' /proc/self/mountinfo
}
