# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# A real Slurm in the lab (Debian's, with its database), laid out as BCM lays it out. The GPUs are device files only.
#
#   head-a    slurmctld, slurmdbd, MariaDB        head-b    the backup slurmctld
#   dgx-NN    slurmd with eight GPUs              login-01  the commands, and alice, who has an account

slurm_packages=(slurmctld slurmd slurmdbd slurm-client slurm-wlm-basic-plugins mariadb-server munge)
# Downloaded, not installed: what a deployment may want to install from the lab's own repository.
offered_packages=(python3-requests python3-blessed)
slurm_version=2 # raise it when the way this layer is built changes

slurm_user=alice
slurm_account=research
slurm_cluster=slurm
slurm_etc=/cm/shared/apps/slurm/var/etc/$slurm_cluster
slurm_gpus=8

has_slurm() { [[ -e $lab_directory/slurm ]]; }

slurm_directory() {
    local key
    [[ -z ${slurm_path-} ]] || { printf '%s' "$slurm_path" && return; }
    key=$(printf '%s ' "$(base_directory)" "$slurm_version" "${slurm_packages[@]}" "${offered_packages[@]}" | sha256sum)
    printf '%s/lab-slurm-%s' "$cache_directory" "${key:0:12}"
}

# build_slurm: a layer above the base, unless the cache has it. Takes half a minute and needs Debian's registry.
build_slurm() {
    local layer work started
    layer=$(slurm_directory)
    slurm_path=$layer
    if [[ -e $layer/complete ]]; then
        touch "$layer"
        return 0
    fi
    started=$(now_ms)
    say "Building the layer with Slurm (once; kept in $layer)"
    work=$layer.$$
    on_exit "discard_slurm_work '$work'"
    mkdir -p "$work"/{root,work,merged}
    mount -t overlay "$lab_name" \
        -o "lowerdir=$(base_directory)/root,upperdir=$work/root,workdir=$work/work" "$work/merged"
    if ! install_slurm "$work/merged" >"$work/log" 2>&1 </dev/null; then
        tail -n 15 "$work/log" >&2
        fail 1 "Slurm could not be installed into the layer (the last lines are above)"
    fi
    umount "$work/merged"
    settle_slurm "$work"
    rm -rf "$work"/{merged,work,log}
    touch "$work/complete"
    rm -rf "$layer"
    mv "$work" "$layer"
    find "$cache_directory" -mindepth 1 -maxdepth 1 -name 'lab-slurm-*' -mtime +7 -exec rm -rf --one-file-system {} +
    say "Built in $(seconds_since "$started") s, $(du -sm "$layer" | cut -f1) MiB"
}

discard_slurm_work() {
    unmount_below "$1"
    rm -rf --one-file-system "$1"
}

# install_slurm ROOT: with apt inside; nothing is started.
install_slurm() {
    local root=$1 status=0
    cp --remove-destination /etc/resolv.conf "$root/etc/resolv.conf"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    mkdir -p "$root/etc/mysql/mariadb.conf.d"
    printf '[mysqld]\ninnodb_log_file_size=8M\ninnodb_buffer_pool_size=16M\n' \
        >"$root/etc/mysql/mariadb.conf.d/60-lab.cnf"
    mount -t proc proc "$root/proc"
    # shellcheck disable=SC2016 # the inner shell's own
    timeout 600 chroot "$root" env DEBIAN_FRONTEND=noninteractive sh -c '
        set -e
        offered=$1 user=$2
        shift 2
        apt-get update
        # First, with all that they depend on: not every host has this layer.
        apt-get install -y --no-install-recommends --download-only $offered
        mv /var/cache/apt/archives /var/cache/apt/offered
        mkdir -p /var/cache/apt/archives/partial
        apt-get install -y --no-install-recommends "$@"
        useradd --create-home --shell /bin/bash "$user"
        mkdir -p /run/mysqld
        printf "%s\n" "FLUSH PRIVILEGES;" "CREATE DATABASE slurm_acct_db;" \
            "CREATE USER slurm@localhost IDENTIFIED VIA unix_socket;" \
            "GRANT ALL ON slurm_acct_db.* TO slurm@localhost;" |
            mariadbd --user=mysql --bootstrap
        install -d -o slurm -g slurm /var/lib/slurm /var/log/slurm
    ' sh "${offered_packages[*]}" "$slurm_user" "${slurm_packages[@]}" || status=$?
    umount "$root/proc" || status=1
    return "$status"
}

# settle_slurm WORK: the packages on offer aside, and no service enabled: which host runs what, each lab says.
settle_slurm() {
    local root=$1/root unit
    mkdir -p "$1/packages"
    mv "$root"/var/cache/apt/offered/*.deb "$1/packages/"
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/{offered,archives/*.deb,*.bin} "$root/usr/sbin/policy-rc.d" \
        "$root/etc/resolv.conf" "$root"/usr/share/{doc,man,locale}
    for unit in mariadb munge slurmctld slurmd slurmdbd; do rm -f "$root"/etc/systemd/system/*.wants/"$unit.service"; done
}

# cgroup_view_of HOST: what a node sees of control groups. Slurm's plugins for cgroup v1 need v1 controllers, where this
# machine has them; without Slurm, and on other hosts, v2 alone.
cgroup_view_of() {
    if has_slurm && [[ $1 == dgx-* ]] && machine_has_cgroup_v1; then echo hybrid; else echo v2; fi
}

machine_has_cgroup_v1() { grep -qE '^[0-9]+:([^:]*,)?memory(,[^:]*)?:' /proc/self/cgroup; }

# create_slurm: the layer that Slurm's hosts share, and the configuration on the shared storage.
create_slurm() {
    local layer=$lab_directory/layer-slurm name
    mkdir -p "$layer/etc/systemd/system" "$layer/cm/local/apps/slurm/var/prologs" \
        "$layer/cm/local/apps/slurm/var/epilogs" "$layer/cm/local/apps/cmd/scripts" "$lab_directory/layer-login"
    ln -s "$slurm_etc" "$layer/etc/slurm"
    for name in prolog epilog; do
        install -m 755 "$repository/scripts/lab/stand-ins/generic-prolog" "$layer/cm/local/apps/cmd/scripts/$name"
    done
    install -D -m 755 "$repository/scripts/lab/stand-ins/nvidia-smi" "$lab_directory/layer-dgx/usr/bin/nvidia-smi"
    create_slurm_units "$layer"
    enable_units head munge mariadb slurmdbd slurmctld
    enable_units dgx munge stand-in-gpus slurmd
    enable_units login munge
    create_slurm_configuration
}

# enable_units KIND UNIT...
enable_units() {
    local wants=$lab_directory/layer-$1/etc/systemd/system/multi-user.target.wants unit source
    shift
    mkdir -p "$wants"
    for unit in "$@"; do
        source=/lib/systemd/system/$unit.service
        [[ $unit != stand-in-* ]] || source=/etc/systemd/system/$unit.service
        ln -s "$source" "$wants/"
    done
}

create_slurm_units() {
    local units=$1/etc/systemd/system unit
    for unit in slurmctld slurmd slurmdbd; do
        mkdir -p "$units/$unit.service.d"
        cat >"$units/$unit.service.d/lab.conf" <<'END'
[Unit]
RequiresMountsFor=/cm/shared
After=mariadb.service slurmdbd.service stand-in-gpus.service
StartLimitIntervalSec=0

[Service]
Restart=on-failure
RestartSec=1
END
    done
    cat >>"$units/slurmd.service.d/lab.conf" <<'END'
# The container has its controllers of cgroup v1 read-only.
ExecStartPre=/bin/sh -c 'for c in freezer memory cpuset cpuacct devices; do mount -o remount,bind,rw /sys/fs/cgroup/$c || :; done 2>/dev/null'
END
    # slurmctld finds its cluster and its user in the database, and slurmd finds slurmctld: both would ask again much later.
    cat >>"$units/slurmctld.service.d/lab.conf" <<'END'
ExecStartPre=+/usr/local/libexec/lab-slurm-accounts
END
    cat >>"$units/slurmd.service.d/lab.conf" <<'END'
ExecStartPre=/bin/bash -c 'for i in $(seq 50); do (exec 3<>/dev/tcp/head-a/6817) 2>/dev/null && break; sleep 0.2; done'
END
    mkdir -p "$1/usr/local/libexec"
    cat >"$1/usr/local/libexec/lab-slurm-accounts" <<END
#!/bin/bash
# Waits for the database, on the host that has it, and adds the cluster and the user if they are missing.
[[ \$(hostname) == head-a ]] || exit 0
for i in {1..100}; do
    users=\$(timeout 5 sacctmgr --noheader --parsable2 show associations format=cluster,user 2>/dev/null) && break
    sleep 0.1
done
[[ \$users != *"$slurm_cluster|$slurm_user"* ]] || exit 0
sacctmgr -i add cluster $slurm_cluster
sacctmgr -i add account $slurm_account
sacctmgr -i add user $slurm_user account=$slurm_account
exit 0
END
    chmod 755 "$1/usr/local/libexec/lab-slurm-accounts"
    # The database is head-a's: ConditionHost= leaves these alone elsewhere, although both head nodes share a layer.
    for unit in mariadb slurmdbd; do
        mkdir -p "$units/$unit.service.d"
        printf '[Unit]\nConditionHost=head-a\n' >"$units/$unit.service.d/host.conf"
    done
    cat >"$units/stand-in-gpus.service" <<END
[Unit]
Description=Device files of GPUs that are not there (a stand-in, for tests and training)

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'i=0; while [ \$i -lt $slurm_gpus ]; do [ -e /dev/nvidia\$i ] || mknod -m 666 /dev/nvidia\$i c 195 \$i; i=\$((i + 1)); done'
END
}

# create_slurm_configuration: as an administrator finds it after installation, before jobstats.
create_slurm_configuration() {
    local shared=$store/apps/slurm etc program
    etc=$store/${slurm_etc#/cm/shared/}
    mkdir -p "$etc" "$shared/var/cm" "$shared/current/bin" "$shared/current/sbin"
    for program in sacct sacctmgr salloc sattach sbatch sbcast scancel scontrol sdiag sinfo sprio squeue sreport srun sshare sstat; do
        ln -s "/usr/bin/$program" "$shared/current/bin/$program"
    done
    install -d -m 755 -o "$(slurm_uid)" -g "$(slurm_uid)" "$shared/var/cm/statesave" "$shared/var/cm/statesave/$slurm_cluster"
    cmsh_outside "wlm; use $slurm_cluster; set version 22.05; set selecttypeparameters CR_Core; cgroups
        set constraincores no; set constrainramspace no; commit"
    slurm_conf >"$etc/slurm.conf"
    cgroup_conf >"$etc/cgroup.conf"
    BCM_SIMULATOR_DIRECTORY=$cluster_directory BCM_HOOK_CMSH=$development_directory/simulated-cmsh BCM_HOOK_ETC=${etc%/*} \
        "$cluster_directory/hook" write "$slurm_cluster"
    printf 'Name=gpu File=/dev/nvidia[0-%d]\n' $((slurm_gpus - 1)) >"$etc/gres.conf"
    slurmdbd_conf >"$etc/slurmdbd.conf"
    chown "$(slurm_uid):$(slurm_uid)" "$etc/slurmdbd.conf"
    chmod 600 "$etc/slurmdbd.conf"
}

slurm_uid() { awk -F: '$1 == "slurm" { print $3 }' "$(slurm_directory)/root/etc/passwd"; }

slurm_conf() {
    cat <<END
# Slurm of the lab. What stands outside the section at the end is the administrator's.
ClusterName=$slurm_cluster
SlurmUser=slurm
AuthType=auth/munge
StateSaveLocation=/cm/shared/apps/slurm/var/cm/statesave/$slurm_cluster
SlurmdSpoolDir=/var/lib/slurm/slurmd
SlurmctldPidFile=/var/lib/slurm/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
SlurmctldTimeout=30
SlurmdTimeout=60
ReturnToService=2
MpiDefault=none

# SCHEDULING
SchedulerType=sched/backfill
DefMemPerCPU=200
SlurmdParameters=config_overrides

# ACCOUNTING
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=head-a
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=5
ProctrackType=proctrack/linuxproc   # as it was installed
TaskPlugin=task/affinity

END
    slurm_section begin
    slurm_section end
}

slurm_section() {
    if [[ $1 == begin ]]; then
        echo '# BEGIN AUTOGENERATED SECTION -- DO NOT REMOVE'
    else
        echo '# END AUTOGENERATED SECTION   -- DO NOT REMOVE'
    fi
}

cgroup_conf() {
    local plugin=cgroup/v1
    machine_has_cgroup_v1 || plugin=cgroup/v2
    cat <<END
CgroupPlugin=$plugin
END
    slurm_section begin
    slurm_section end
}

slurmdbd_conf() {
    cat <<'END'
AuthType=auth/munge
DbdHost=head-a
SlurmUser=slurm
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StorageLoc=slurm_acct_db
LogFile=/var/log/slurm/slurmdbd.log
PidFile=/var/lib/slurm/slurmdbd.pid
END
}

# wait_for_slurm NODE...: until all of them are idle.
wait_for_slurm() {
    local started
    started=$(now_ms)
    if ! wait_until 60 slurm_nodes_are_idle "$#"; then
        in_node head-a sh -c 'tail -n 5 /var/log/slurm/*.log; sinfo' >&2 || :
        fail 1 "not every node is idle within 60 s (the ends of Slurm's logs are above)"
    fi
    say "Slurm up in $(seconds_since "$started") s more: $# nodes idle"
}

slurm_nodes_are_idle() {
    local idle
    # A controller that is not there yet is waited for by Slurm's commands themselves, for long.
    idle=$(in_node head-a timeout 1 sinfo --noheader --states=idle --format=%D 2>/dev/null) || return 1
    [[ ${idle:-0} -eq $1 ]] || { sleep 0.2 && return 1; }
}
