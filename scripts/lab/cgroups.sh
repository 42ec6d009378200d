# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# One control group per node, below the caller's own: it holds all of a node's processes and ends them at once.

# cgroup_mounts: "DIRECTORY CONTROLLERS" of the caller's own group in each hierarchy; the unified one has "-".
cgroup_mounts() {
    local controllers path
    while IFS=: read -r _ controllers path; do
        path=${path%/}
        case $controllers in
            '')
                if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
                    printf '/sys/fs/cgroup%s -\n' "$path"
                elif [[ -d /sys/fs/cgroup/unified ]]; then
                    printf '/sys/fs/cgroup/unified%s -\n' "$path"
                fi
                ;;
            name=systemd) printf '/sys/fs/cgroup/systemd%s systemd\n' "$path" ;;
            # Nodes see cgroup v2 unless they are asked to see what this machine has.
            *) [[ ${cgroup_view:-v2} == v2 ]] || printf '/sys/fs/cgroup/%s%s %s\n' "$controllers" "$path" "$controllers" ;;
        esac
    done </proc/self/cgroup
}

# enter_cgroup NAME: puts the calling shell into the lab's group NAME, in every hierarchy.
enter_cgroup() {
    local directory controllers group value level
    while read -r directory controllers; do
        group=$directory/$lab_name/$1
        mkdir -p "$group"
        if [[ $controllers == *cpuset* ]]; then # a new cpuset has no processors until it is given some
            for level in "$directory/$lab_name" "$group"; do
                for value in cpuset.cpus cpuset.mems; do cat "$directory/$value" >"$level/$value"; done
            done
        fi
        printf '%s' "$BASHPID" >"$group/cgroup.procs"
    done < <(cgroup_mounts)
}

# lab_cgroups: every group directory of a lab on this machine, whoever made it.
lab_cgroups() { find /sys/fs/cgroup -type d -name "$lab_name" -prune 2>/dev/null; }

# cgroup_of NAME: its directory in the unified hierarchy; status 1 when there is none.
cgroup_of() {
    local directory
    while read -r directory; do
        if [[ -e $directory/$1/cgroup.kill ]]; then
            printf '%s' "$directory/$1"
            return 0
        fi
    done < <(lab_cgroups)
    return 1
}

is_empty_cgroup() { ! grep -qs '^populated 1' "$1/cgroup.events"; }

# kill_cgroup NAME: ends every process of a group at once, as a power cut does. An empty name means the whole lab.
kill_cgroup() {
    local group
    group=$(cgroup_of "$1") || return 0
    echo 1 >"$group/cgroup.kill"
    wait_until 10 is_empty_cgroup "$group" || warn "processes of $group do not end"
}

remove_cgroups() {
    local directory
    while read -r directory; do
        find "$directory" -depth -type d -exec rmdir {} \; 2>/dev/null || :
    done < <(lab_cgroups)
}

lab_has_processes() {
    local group
    group=$(cgroup_of '') && ! is_empty_cgroup "$group"
}
