# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# The root file system that all nodes share, and the layers above it.

suite=bookworm
base_packages=(
    systemd systemd-sysv dbus openssh-server openssh-client iproute2 curl ca-certificates netbase procps libcurl4 openssl
    rsync
)
# Debian's Prometheus: installed on mon-01 alone; the head nodes hold its programs for deployments.
monitoring_packages=(prometheus prometheus-node-exporter)
artifacts_directory=/opt/bcm-jobstats/artifacts
base_version=2 # raise it when the way the base is built changes

base_directory() {
    local key
    key=$(printf '%s ' "$suite" "$base_version" "${base_packages[@]}" "${monitoring_packages[@]}" | sha256sum)
    printf '%s/lab-base-%s' "$cache_directory" "${key:0:12}"
}

# build_base: builds the base unless the cache has it. Takes half a minute and needs Debian's package registry.
build_base() {
    local base work started
    base=$(base_directory)
    if [[ -e $base/complete ]]; then
        touch "$base"
        return 0
    fi
    require_packages mmdebstrap
    started=$(now_ms)
    say "Building the nodes' root file system (once; kept in $base)"
    work=$base.$$
    on_exit "unmount_below '$work'; rm -rf '$work'"
    mkdir -p "$work/debs" "$work/monitoring" "$work/overlay"
    # shellcheck disable=SC2016 # $1 is the hook's own
    mmdebstrap --quiet --variant=minbase --include="$(IFS=,; printf '%s' "${base_packages[*]}")" \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook="chroot \"\$1\" apt-get install --yes --quiet --download-only ${monitoring_packages[*]}" \
        --customize-hook="cp \"\$1\"/var/cache/apt/archives/*.deb '$work/debs/'" \
        "$suite" "$work/root" >"$work/log" 2>&1 </dev/null || {
        tail -n 15 "$work/log" >&2
        fail 1 "mmdebstrap could not build the nodes' root file system (its last lines are above)"
    }
    settle_base "$work/root"
    install_monitoring_layer "$work"
    rm -rf "$work/overlay" "$work/debs" "$work/log"
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

# install_monitoring_layer WORK: the packages of the monitoring node, installed above the base, none of their services
# enabled; and, as a layer of the head nodes, the programs alone.
install_monitoring_layer() {
    local work=$1 merged=$1/overlay/merged package
    local artifacts=$work/artifacts$artifacts_directory
    mkdir -p "$merged" "$work/overlay/work" "$artifacts"
    mount -t overlay "$lab_name" -o "lowerdir=$work/root,upperdir=$work/monitoring,workdir=$work/overlay/work" "$merged"
    printf '#!/bin/sh\nexit 101\n' >"$merged/usr/sbin/policy-rc.d" # no service starts inside a chroot
    chmod 755 "$merged/usr/sbin/policy-rc.d"
    mkdir -p "$merged/var/cache/lab"
    cp "$work"/debs/*.deb "$merged/var/cache/lab/"
    DEBIAN_FRONTEND=noninteractive chroot "$merged" sh -c 'dpkg --install /var/cache/lab/*.deb' \
        >"$work/log" 2>&1 </dev/null || {
        tail -n 15 "$work/log" >&2
        fail 1 "dpkg could not install ${monitoring_packages[*]} (its last lines are above)"
    }
    rm -rf "$merged/var/cache/lab" "$merged/usr/sbin/policy-rc.d"
    rm -f "$merged"/etc/systemd/system/*.wants/prometheus*
    # The node exporter is a thing of the nodes: the monitoring node has it not.
    chroot "$merged" dpkg --purge prometheus-node-exporter >>"$work/log" 2>&1 </dev/null
    umount "$merged"
    for package in "$work"/debs/prometheus_*.deb "$work"/debs/prometheus-node-exporter_*.deb; do
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
