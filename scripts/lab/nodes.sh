# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# The nodes: systemd-nspawn containers that boot a real systemd from layers of one shared root file system.

inotify_limits=(max_user_instances:8192 max_user_watches:1048576)

# create_layer: what all nodes of this lab have above the base: names, the key that may log in, the shared mount.
create_layer() {
    local layer=$lab_directory/layer
    mkdir -p "$layer/etc/systemd/system/remote-fs.target.wants" "$layer/etc/systemd/system/ssh.service.d" \
        "$layer/usr/sbin" "$layer/cm/shared" "$layer/srv/storage"
    install -d -m 700 "$layer/root" "$layer/root/.ssh"
    hosts_file >"$layer/etc/hosts"
    install -m 600 "$ssh_directory/id_ed25519.pub" "$layer/root/.ssh/authorized_keys"
    cat >"$layer/etc/systemd/system/cm-shared.mount" <<'END'
[Unit]
Description=Shared storage of the lab
# What systemd gives network file systems by itself; it would take these back when it sees a FUSE one mounted here.
DefaultDependencies=no
After=local-fs.target remote-fs-pre.target
Conflicts=umount.target
Before=remote-fs.target umount.target

[Mount]
What=master:/cm/shared
Where=/cm/shared
Type=lab
TimeoutSec=3

[Install]
WantedBy=remote-fs.target
END
    ln -s ../cm-shared.mount "$layer/etc/systemd/system/remote-fs.target.wants/"
    cat >"$layer/usr/sbin/mount.lab" <<'END'
#!/bin/sh
# Called by mount(8): the export is there while the lab lets this host see the storage.
mountpoint -q /srv/storage/export || { echo "mount.lab: the storage does not answer" >&2; exit 32; }
exec mount --bind /srv/storage/export/shared "$2"
END
    chmod 755 "$layer/usr/sbin/mount.lab"
    # Whoever gets an answer on port 22 finds the shared storage mounted, or knows that it cannot be.
    printf '[Unit]\nAfter=remote-fs.target\n' >"$layer/etc/systemd/system/ssh.service.d/storage.conf"
}

create_ssh() {
    install -d -m 700 "$ssh_directory"
    ssh-keygen -q -t ed25519 -N '' -C "$lab_name" -f "$ssh_directory/id_ed25519"
    : >"$ssh_directory/known_hosts"
    ssh_options "$ssh_directory" >"$ssh_directory/config"
}

# ssh_options DIRECTORY: a client configuration that trusts the hosts of the lab and nobody else.
ssh_options() {
    cat <<END
Host *
    User root
    IdentityFile $1/id_ed25519
    IdentitiesOnly yes
    UserKnownHostsFile $1/known_hosts
    StrictHostKeyChecking yes
    KexAlgorithms curve25519-sha256
    BatchMode yes
    LogLevel ERROR
END
}

# create_node HOST: its identity, its disk, its cable, its storage. Its place in /etc/hosts it has already.
create_node() {
    local host=$1 directory=$nodes_directory/$1
    local identity=$directory/identity
    mkdir -p "$identity/etc/ssh" "$directory/upper" "$directory/root"
    echo "$host" >"$identity/etc/hostname"
    ssh-keygen -q -t ed25519 -N '' -C "$host" -f "$identity/etc/ssh/ssh_host_ed25519_key"
    give_certificate "$host"
    cp -a "$identity/." "$directory/upper/"
    tr -d - </proc/sys/kernel/random/uuid >"$directory/upper/etc/machine-id"
    if is_head "$host"; then
        install -d -m 700 "$directory/upper/root" "$directory/upper/root/.ssh"
        install -m 600 "$ssh_directory/id_ed25519" "$ssh_directory/id_ed25519.pub" "$directory/upper/root/.ssh/"
        ssh_options /root/.ssh >"$directory/upper/root/.ssh/config"
    fi
    attach_disk "$host"
    connect "$host"
    prepare_storage "$host"
    know_host "$host"
}

attach_disk() {
    local host=$1 directory=$nodes_directory/$1 lower
    rm -rf "$directory/work"
    mkdir -p "$directory/work"
    lower=$directory/whole # empty; there when the disk holds everything itself
    [[ -d $lower ]] || lower=$(layers_of "${host%%-*}")
    mount -t overlay "$lab_name" \
        -o "lowerdir=$lower,upperdir=$directory/upper,workdir=$directory/work" "$directory/root"
}

# layers_of KIND: what lies below the disks of a kind of node, the uppermost first.
layers_of() {
    local base
    base=$(base_directory)
    printf '%s:%s' "$lab_directory/layer-$1" "$lab_directory/layer"
    if has_slurm && [[ $1 != mon ]]; then printf ':%s:%s' "$lab_directory/layer-slurm" "$(slurm_directory)/root"; fi
    [[ $1 != head ]] || printf ':%s' "$base/artifacts"
    printf ':%s' "$base/root"
}

# know_host HOST: its key goes into the known hosts of the outside and of the head nodes.
know_host() {
    local host=$1 names key other
    names=$host,$(address_of "$host")
    if is_head "$host"; then names+=,master,$master_address; fi
    read -r -a key <"$nodes_directory/$host/identity/etc/ssh/ssh_host_ed25519_key.pub"
    printf '%s %s %s\n' "$names" "${key[0]}" "${key[1]}" >>"$ssh_directory/known_hosts"
    for other in "$nodes_directory"/head-*; do
        [[ -d $other/root/root/.ssh ]] && install -m 644 "$ssh_directory/known_hosts" "$other/root/root/.ssh/known_hosts"
    done
    return 0
}

# switch_on HOST: boots it in the background; its end is its own affair.
switch_on() {
    local host=$1
    setsid "$repository/scripts/lab.sh" __node "$host" </dev/null >>"$nodes_directory/$host/console.log" 2>&1 9>&- &
    disown
}

# run_node HOST: the body of that background process. A reboot inside ends nspawn with status 133.
run_node() {
    local host=$1 directory=$nodes_directory/$1 status container binds
    mapfile -t binds < <(cluster_binds "$host")
    cgroup_view=$(cgroup_view_of "$host")
    enter_cgroup "$host"
    [[ $cgroup_view != v2 ]] || export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
    while :; do
        provision "$host"
        # Started within the node's network, which is what its /sys then shows (--network-namespace-path= comes too late).
        nsenter --net="/run/netns/$(namespace_of "$host")" systemd-nspawn --quiet --register=no --keep-unit --boot --directory="$directory/root" \
            --machine="$(namespace_of "$host")" --hostname="$host" \
            --capability=CAP_NET_ADMIN --resolv-conf=off --timezone=off --link-journal=no --console=pipe \
            --bind="$directory/port:/srv/storage" "${binds[@]}" &
        container=$!
        echo "$container" >"$directory/nspawn.pid"
        status=0
        wait "$container" || status=$?
        rm -f "$directory/nspawn.pid"
        ((status == 133)) || exit "$status"
    done
}

node_is_running() {
    local group
    group=$(cgroup_of "$1") && ! is_empty_cgroup "$group"
}

# init_of HOST: the process number of the node's systemd as seen from here.
init_of() {
    local group
    group=$(cgroup_of "$1") || return 1
    # The first process of the node has number 1 in its own namespace.
    find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null | while read -r pid; do
        if grep -qsE '^NSpid:.*[[:space:]]1$' "/proc/$pid/status"; then
            printf '%s' "$pid"
            break
        fi
    done || : # groups come and go while a node boots, and find minds
}

# in_node HOST COMMAND...: runs a command inside a node, not by the network; needs a running node.
in_node() {
    local init
    init=$(init_of "$1")
    [[ -n $init ]] || return 1
    shift
    timeout 20 nsenter --target "$init" --mount --uts --ipc --net --pid -- "$@" 9>&-
}

# wait_for_ssh SECONDS HOST...: until each answers on port 22.
wait_for_ssh() {
    local seconds=$1 host deadline left
    deadline=$(($(now_ms) + $1 * 1000))
    shift
    for host in "$@"; do
        left=$(((deadline - $(now_ms)) / 1000))
        wait_until "$((left > 0 ? left : 0))" port_is_open "$(address_of "$host")" 22 || {
            tail -n 15 "$nodes_directory/$host/console.log" >&2
            fail 1 "$host does not answer within $seconds s (the end of its console is above)"
        }
    done
}

# cut_power HOST: ends every process of the node at once.
cut_power() {
    local directory=$nodes_directory/$1
    if [[ $(storage_state "$1") == hang ]]; then
        # Its processes wait for the storage and cannot die before that has gone, too.
        stop_bindfs "$directory/bindfs.pid"
        kill_cgroup "$1"
        export_storage "$1"
    else
        kill_cgroup "$1"
    fi
}

# grab_image HOST NAME: keeps what the host's disk holds now, as BCM's grabimage does, without what is the host's own.
grab_image() {
    local image=$lab_directory/images/$2 file
    rm -rf "$image"
    mkdir -p "$image"
    cp -a "$nodes_directory/$1/upper/." "$image/"
    while read -r file; do rm -f "$image/$file"; done < <(cd "$nodes_directory/$1/identity" && find . -type f)
}

# apply_image HOST NAME: the host's disk becomes the image's, as BCM's synchronisation at boot does; its identity stays.
apply_image() {
    local directory=$nodes_directory/$1
    rm -rf "$directory/image" "$directory/whole" # it boots from its own disk from now on
    cut_power "$1"
    umount "$directory/root"
    rm -rf --one-file-system "$directory/upper"
    cp -a "$lab_directory/images/$2" "$directory/upper"
    cp -a "$directory/identity/." "$directory/upper/"
    attach_disk "$1"
    switch_on "$1"
}

inotify_original=/run/jobstats-lab-inotify # what the limits were before the first lab

# raise_inotify: many systemds need many watches. The limits are the machine's: restore_inotify puts them back.
raise_inotify() {
    local entry name
    [[ -e $inotify_original ]] || for entry in "${inotify_limits[@]}"; do
        name=${entry%:*}
        printf '%s %s\n' "$name" "$(<"/proc/sys/fs/inotify/$name")"
    done >"$inotify_original"
    for entry in "${inotify_limits[@]}"; do
        name=/proc/sys/fs/inotify/${entry%:*}
        (($(<"$name") >= ${entry#*:})) || echo "${entry#*:}" >"$name"
    done
}

# restore_inotify: unless another lab is up.
restore_inotify() {
    local name value
    [[ ! -d ${lab_directory%/*} && -e $inotify_original ]] || return 0
    while read -r name value; do echo "$value" >"/proc/sys/fs/inotify/$name"; done <"$inotify_original"
    rm -f "$inotify_original"
}
