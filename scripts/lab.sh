#!/usr/bin/env bash
# A small cluster of real hosts on this machine, for tests, demonstrations and training. See usage below.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lab/hosts.sh
. "$repository/scripts/lab/hosts.sh"
# shellcheck source=scripts/lab/base.sh
. "$repository/scripts/lab/base.sh"
# shellcheck source=scripts/lab/cgroups.sh
. "$repository/scripts/lab/cgroups.sh"
# shellcheck source=scripts/lab/network.sh
. "$repository/scripts/lab/network.sh"
# shellcheck source=scripts/lab/storage.sh
. "$repository/scripts/lab/storage.sh"
# shellcheck source=scripts/lab/artifacts.sh
. "$repository/scripts/lab/artifacts.sh"
# shellcheck source=scripts/lab/cluster.sh
. "$repository/scripts/lab/cluster.sh"
# shellcheck source=scripts/lab/slurm.sh
. "$repository/scripts/lab/slurm.sh"
# shellcheck source=scripts/lab/packages.sh
. "$repository/scripts/lab/packages.sh"
# shellcheck source=scripts/lab/images.sh
. "$repository/scripts/lab/images.sh"
# shellcheck source=scripts/lab/nodes.sh
. "$repository/scripts/lab/nodes.sh"

usage() {
    cat <<'END'
usage: scripts/lab.sh COMMAND

A cluster on this machine: two BCM head nodes (head-a is active at first, head-b), a monitoring node (mon-01) and DGX
nodes (dgx-01, ...). Each is a systemd-nspawn container with its own systemd, sshd, address and disk, on a network
that leads nowhere else. /cm/shared is shared. BCM itself is simulated.

  up [--nodes N] [--no-monitoring] [--slurm] [--images] [--owner PID]
                           starts it: N DGX nodes (3 unless said otherwise); with --slurm a real Slurm and a login
                           node (login-01); with --images nodes that boot from /cm/images of the head nodes; with
                           --owner it counts as left over once that process has gone
  down                     switches it off and removes every trace of it, also what a crashed run left
  check                    says whether this machine can run it: status 0, or 77 with the reason
  status                   the hosts and what is wrong with them on purpose
  env                      paths and names for other programs, as NAME=VALUE lines
  config [--without-slurm] a configuration for guided-setup that fits the lab, or the lab if it had no Slurm
  simulator COMMAND...     bcm-simulator (set, show) on the simulated cluster: scripts/lab.sh simulator set --help
  ssh HOST [COMMAND...]    a shell or a command on a host, as root
  run COMMAND...           a command on this machine, within the lab's network
  add INDEX                one more DGX node, while the lab runs
  crash HOST...            cuts the power
  on HOST...               switches on what was switched off
  reboot HOST...           reboots in good order and waits until the host answers again
  isolate HOST...          pulls the network cable
  join HOST...             plugs it in again
  master HOST              makes a head node the active one, to which the name `master` leads
  storage STATE [HOST...]  shared storage as these hosts (all, when none is named) see it: on, off, readonly, hang,
                           stale; or `full`, which is for all hosts at once. `storage on` ends each of them
  restore                  undoes all of the above: everything on, connected, without faults, head-a active
  grabimage HOST IMAGE     keeps the host's disk as an image
  reimage HOST IMAGE       gives a host the image's disk, its own identity kept, and boots it
  image NAME [FROM]        a software image at /cm/images/NAME of the head nodes, as nodes are before a deployment or
                           like another one
  provision HOST IMAGE     boots a host from a software image, now and whenever it boots; `as-bcm-says` for the image
                           of its category, `none` for its own disk

JOBSTATS_LAB_NAME (letters, digits and dashes) names another lab beside the usual one, `jobstats-lab`.

Exit status: 0 done, 1 failed, 2 usage, 75 a lab is up already or another command is at work, 77 cannot run here.
END
}

packages=(systemd-container mmdebstrap iproute2 openssh-client bindfs procps util-linux)

# why_not: prints why this machine cannot run the lab; nothing when it can.
why_not() {
    local missing
    ((EUID == 0)) || { echo "it needs root"; return; }
    [[ $(uname -s) == Linux ]] || { echo "it needs Linux"; return; }
    [[ -n $(cgroup_mounts) ]] || { echo "control groups (v2, alone or beside v1) are not mounted"; return; }
    [[ -c /dev/fuse ]] || { echo "there is no /dev/fuse, which the shared storage needs"; return; }
    grep -qw overlay /proc/filesystems || modprobe -q overlay 2>/dev/null || { echo "there is no overlay file system"; return; }
    missing=$(missing_packages "${packages[@]}" 2>/dev/null)
    if [[ -n $missing ]] && ! command -v apt-get >/dev/null; then
        echo "packages are missing: $missing"
        return
    fi
    try_cgroup || { echo "control groups cannot be made here (no cgroup.kill in a new group)"; return; }
    unshare --net --mount true 2>/dev/null || { echo "network namespaces cannot be made here"; return; }
}

try_cgroup() {
    local directory controllers probe status=1
    while read -r directory controllers; do
        [[ $controllers == - ]] || continue
        probe=$directory/$lab_name-probe.$$
        mkdir "$probe" 2>/dev/null || continue
        [[ -e $probe/cgroup.kill ]] && status=0
        rmdir "$probe"
    done < <(cgroup_mounts)
    return "$status"
}

require_ability() {
    local reason
    reason=$(why_not)
    [[ -z $reason ]] || fail "$exit_cannot_run" "the lab cannot run on this machine: $reason"
}

# take_lock: one changing command at a time on this machine. The lock ends with this process.
take_lock() {
    ((EUID == 0)) || fail "$exit_cannot_run" "the lab needs root"
    exec 9>>/run/lock/"$lab_name".lock
    flock --wait 60 9 || fail "$exit_busy" "another lab.sh has been at work for a minute; wait for it, or end it"
}

require_lab() {
    ((EUID == 0)) || fail "$exit_cannot_run" "the lab needs root"
    [[ -e $lab_directory/complete ]] && lab_has_processes && return 0
    fail 1 "no lab is up; start one with scripts/lab.sh up"
}

# start_time PID: when a process began, to tell it from a later one with the same number; nothing when there is none.
start_time() {
    [[ $1 =~ ^[0-9]+$ && -e /proc/$1/stat ]] || return 0
    awk '{ sub(/.*\) /, ""); print $20 }' "/proc/$1/stat" 2>/dev/null || :
}

# owner_is_gone: the process that the lab was started for does not run any more.
owner_is_gone() {
    local pid started
    [[ -e $lab_directory/owner ]] || return 1
    read -r pid started <"$lab_directory/owner" || return 0
    [[ $(start_time "$pid") != "$started" ]]
}

command_up() {
    local dgx=3 monitoring=yes slurm=no images=no owner='' host started index nodes=()
    while (($#)); do
        case $1 in
            --nodes) dgx=${2-} && shift ;;
            --owner) owner=${2-} && shift ;;
            --no-monitoring) monitoring=no ;;
            --slurm) slurm=yes ;;
            --images) images=yes ;;
            *) usage_error "up does not know '$1'" ;;
        esac
        shift || usage_error "this option needs a value"
    done
    if [[ ! $dgx =~ ^[0-9]{1,3}$ ]] || ((10#$dgx > last_dgx)); then
        usage_error "--nodes takes a number up to $last_dgx"
    fi
    [[ -z $owner || -n $(start_time "$owner") ]] || usage_error "--owner takes the number of a process that runs"
    require_ability
    require_packages "${packages[@]}"
    [[ $slurm$images == nono ]] || has_simulator || fail 1 "--slurm and --images need the simulated BCM; build it with scripts/build.sh"
    take_lock
    if [[ -e $lab_directory/complete ]] && lab_has_processes && ! owner_is_gone; then
        fail "$exit_busy" "a lab is up already ($(existing_hosts | wc -l) hosts, since $(date -r "$lab_directory/complete" '+%F %T')); take it down with scripts/lab.sh down"
    fi
    if has_leftovers; then
        say "Removing what an earlier run left"
        remove_lab
    fi
    build_base
    if [[ $slurm == yes ]]; then
        require_packages gpg gpg-agent gpgconf
        build_slurm
    fi
    started=$(now_ms)
    on_exit remove_incomplete_lab
    install -d -m 700 "${lab_directory%/*}" "$lab_directory"
    [[ -z $owner ]] || printf '%s %s\n' "$owner" "$(start_time "$owner")" >"$lab_directory/owner"
    raise_inotify
    create_network
    create_store
    create_ssh
    create_layer
    [[ $slurm == no ]] || touch "$lab_directory/slurm"
    local hosts=(head-a head-b)
    [[ $monitoring == no ]] || hosts+=(mon-01)
    [[ $slurm == no ]] || hosts+=(login-01)
    for ((index = 1; index <= 10#$dgx; index++)); do nodes+=("$(dgx_name "$index")"); done
    hosts+=("${nodes[@]}")
    create_cluster "${hosts[@]}"
    if [[ $slurm == yes ]]; then
        create_slurm
        create_packages
    fi
    for host in "${hosts[@]}"; do create_node "$host"; done
    [[ $images == no ]] || create_image_types "${nodes[@]}"
    move_master head-a
    for host in "${hosts[@]}"; do switch_on "$host"; done
    wait_for_ssh $((30 + ${#hosts[@]})) "${hosts[@]}"
    say "${#hosts[@]} hosts up in $(seconds_since "$started") s: ${hosts[*]}"
    [[ $slurm == no ]] || wait_for_slurm "${nodes[@]}"
    touch "$lab_directory/complete"
}

remove_incomplete_lab() { [[ -e $lab_directory/complete ]] || remove_lab; }

has_leftovers() {
    [[ -d $lab_directory || -d /etc/netns/$lab_name ]] && return 0
    [[ -n $(lab_cgroups) ]] || ip netns list 2>/dev/null | grep -qE "^$lab_name([ .]|$)"
}

# remove_lab: nothing of a lab is left, whatever state it was in.
remove_lab() {
    local directory
    kill_cgroup ''
    unmount_below "$lab_directory"
    remove_network
    remove_cgroups
    for directory in /run/systemd/nspawn/{propagate,unix-export}/"$lab_name".*; do
        [[ -d $directory ]] || continue
        unmount_below "$directory"
        rmdir "$directory" 2>/dev/null || :
    done
    if [[ -n $(mounts_below "$lab_directory") ]]; then
        warn "file systems below $lab_directory are still mounted; it is not removed"
        return 1
    fi
    rm -rf --one-file-system "$lab_directory"
    rmdir "${lab_directory%/*}" 2>/dev/null || :
    restore_inotify
}

command_down() {
    local started
    started=$(now_ms)
    take_lock
    has_leftovers || { say "No lab is up."; return 0; }
    remove_lab
    say "Lab down in $(seconds_since "$started") s"
}

command_check() {
    require_ability
    say "The lab can run on this machine."
}

command_status() {
    local host state link power
    require_lab
    printf '%-8s %-16s %-8s %-6s %s\n' host address power cable storage
    while read -r host; do
        power=off link=out state=$(storage_state "$host")
        if node_is_running "$host"; then power=on; fi
        if link_is_up "$host"; then link=in; fi
        printf '%-8s %-16s %-8s %-6s %s\n' "$host" "$(address_of "$host")" "$power" "$link" "$state"
    done < <(existing_hosts)
    printf 'master: %s\n' "$(active_head)"
    [[ ! -e $lab_directory/store-full ]] || printf 'the shared storage is full\n'
}

yes_if() { if "$@"; then echo yes; else echo no; fi; }

command_env() {
    require_lab
    printf 'JOBSTATS_LAB_%s=%s\n' DIRECTORY "$lab_directory" NAMESPACE "$lab_name" \
        SSH_CONFIG "$ssh_directory/config" STORE "$store" HOSTS "$(existing_hosts | paste -sd' ')" \
        SLURM "$(yes_if has_slurm)" IMAGES "$(yes_if has_image default-image)"
}

command_config() {
    local slurm=no
    require_lab
    ! has_slurm || slurm=yes
    case ${1-} in
        '') ;;
        --without-slurm) slurm=no ;;
        *) usage_error "config does not know '$1'" ;;
    esac
    print_configuration "$slurm"
}

command_simulator() {
    (($#)) || usage_error "simulator needs a command: set or show"
    require_lab
    has_simulator || fail 1 "this lab has no simulated BCM; scripts/build.sh builds it"
    local command=$1
    shift
    exec "$simulator" "$command" --directory "$cluster_directory" "$@"
}

command_ssh() {
    (($#)) || usage_error "ssh needs a host"
    require_lab
    [[ $1 == master ]] || require_host "$1"
    exec ip netns exec "$lab_name" ssh -F "$ssh_directory/config" "$@"
}

command_run() {
    (($#)) || usage_error "run needs a command"
    require_lab
    exec ip netns exec "$lab_name" "$@"
}

command_add() {
    local host
    [[ ${1-} =~ ^[0-9]{1,3}$ ]] || usage_error "add needs the number of a DGX node"
    host=$(dgx_name "$((10#$1))")
    address_of "$host" >/dev/null || usage_error "DGX nodes have numbers from 1 to $last_dgx"
    require_lab
    take_lock
    [[ ! -d $nodes_directory/$host ]] || fail 1 "$host is there already"
    create_node "$host"
    switch_on "$host"
    wait_for_ssh 30 "$host"
    ! has_slurm || in_node head-a /cm/local/apps/bcm-simulator/hook wlm "$slurm_cluster" selecttype ''
}

# for_each FUNCTION HOST...: after all the names were found to be right.
for_each() {
    local action=$1 host
    shift
    (($#)) || usage_error "this command needs a host"
    require_lab
    for host in "$@"; do require_host "$host"; done
    take_lock
    for host in "$@"; do "$action" "$host"; done
}

power_on() {
    ! node_is_running "$1" || fail 1 "$1 is on already"
    switch_on "$1"
    wait_for_ssh 30 "$1"
}

reboot_node() {
    local before
    before=$(init_of "$1")
    [[ -n $before ]] || fail 1 "$1 is off; switch it on with scripts/lab.sh on $1"
    in_node "$1" systemctl reboot || : # the command may end with the node
    wait_until 60 has_new_init "$1" "$before" || fail 1 "$1 does not reboot within 60 s"
    wait_for_ssh 30 "$1"
}

has_new_init() {
    local init
    init=$(init_of "$1")
    [[ -n $init && $init != "$2" ]]
}

cable_out() { set_link "$1" down; }
cable_in() { set_link "$1" up; }

command_master() {
    (($# == 1)) || usage_error "master needs one head node"
    require_lab
    require_host "$1"
    is_head "$1" || usage_error "$1 is no head node"
    take_lock
    make_active "$1"
}

make_active() {
    move_master "$1"
    ! has_simulator || "$simulator" set --directory "$cluster_directory" active-head "$1"
}

command_restore() {
    local host
    require_lab
    take_lock
    set_store_full no
    while read -r host; do
        set_storage "$host" on
        set_link "$host" up
        node_is_running "$host" || switch_on "$host"
    done < <(existing_hosts)
    mapfile -t hosts < <(existing_hosts)
    wait_for_ssh 60 "${hosts[@]}"
    make_active head-a
    has_simulator || return 0
    "$simulator" set --directory "$cluster_directory" fault none
    "$simulator" set --directory "$cluster_directory" node-certificates-may-read yes
}

command_storage() {
    local state=${1-} host
    case $state in
        on | off | readonly | hang | stale) ;;
        full) (($# == 1)) || usage_error "storage is full for all hosts at once: name none" ;;
        *) usage_error "storage is one of on, off, readonly, hang, stale, full" ;;
    esac
    shift
    require_lab
    for host in "$@"; do require_host "$host"; done
    take_lock
    if [[ $state == full ]]; then
        set_store_full yes
        return
    fi
    if (($# == 0)); then
        [[ $state != on ]] || set_store_full no
        mapfile -t hosts < <(existing_hosts)
        set -- "${hosts[@]}"
    fi
    for host in "$@"; do set_storage "$host" "$state"; done
}

command_image() {
    local action=$1
    shift
    (($# == 2)) || usage_error "this command needs a host and the name of an image"
    [[ $2 =~ ^[A-Za-z0-9._-]+$ && $2 != .* ]] || usage_error "'$2' is no name for an image"
    require_lab
    require_host "$1"
    take_lock
    if [[ $action == apply_image ]]; then
        [[ -d $lab_directory/images/$2 ]] || fail 1 "there is no image '$2'; make one with scripts/lab.sh grabimage"
    fi
    "$action" "$@"
    wait_for_ssh 30 "$1"
}

command_new_image() {
    (($# == 1 || $# == 2)) || usage_error "image takes a name, and perhaps that of another image"
    [[ $1 =~ ^[A-Za-z0-9._-]+$ && $1 != .* ]] || usage_error "'$1' is no name for an image"
    require_lab
    has_simulator || fail 1 "this lab has no simulated BCM, and so no images; scripts/build.sh builds it"
    take_lock
    ! has_image "$1" || fail 1 "there is an image '$1' already"
    [[ -z ${2-} ]] || has_image "$2" || fail 1 "there is no image '$2'"
    create_image "$@"
}

command_provision() {
    (($# == 2)) || usage_error "provision needs a host and the name of an image"
    require_lab
    require_host "$1"
    [[ $2 == none || $2 == as-bcm-says ]] || has_image "$2" || fail 1 "there is no image '$2'; make one with scripts/lab.sh image"
    take_lock
    boot_from "$@"
    wait_for_ssh 30 "$1"
}

usage_error() {
    printf '%s: %s\n' "$program_name" "$*" >&2
    printf 'Try: scripts/lab.sh --help\n' >&2
    exit "$exit_usage"
}

main() {
    local command=${1-}
    (($# == 0)) || shift
    [[ $lab_name =~ ^[a-z0-9][a-z0-9-]{0,39}$ ]] || usage_error "JOBSTATS_LAB_NAME cannot be '$lab_name'"
    case $command in
        up | down | check | status | env | config | simulator | ssh | run | add | master | storage | restore) "command_$command" "$@" ;;
        crash) for_each cut_power "$@" ;;
        on) for_each power_on "$@" ;;
        reboot) for_each reboot_node "$@" ;;
        isolate) for_each cable_out "$@" ;;
        join) for_each cable_in "$@" ;;
        grabimage) command_image grab_image "$@" ;;
        reimage) command_image apply_image "$@" ;;
        image) command_new_image "$@" ;;
        provision) command_provision "$@" ;;
        __node) run_node "$@" ;;
        -h | --help | help) usage ;;
        '') usage >&2 && exit "$exit_usage" ;;
        *) usage_error "there is no command '$command'" ;;
    esac
}

main "$@"
