# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# The lab's network: a namespace with a bridge, and a namespace with one end of a cable for each host.

namespace_of() { printf '%s.%s' "$lab_name" "$1"; }

# create_network: the bridge's namespace. Nothing in it has a way out.
create_network() {
    ip netns add "$lab_name"
    ip -n "$lab_name" -batch - <<END
link set lo up
link add br0 type bridge
address add $outside_address/16 dev br0
link set br0 up
END
    mkdir -p "/etc/netns/$lab_name"
    hosts_file >"/etc/netns/$lab_name/hosts"
    : >"/etc/netns/$lab_name/resolv.conf"
}

# connect HOST: its namespace with eth0, its address, and the cable to the bridge.
connect() {
    local host=$1 namespace
    namespace=$(namespace_of "$host")
    ip netns add "$namespace"
    ip -n "$lab_name" link add "$host" type veth peer name eth0 address "$(mac_of "$host")" netns "$namespace"
    ip -n "$lab_name" link set "$host" master br0 up
    ip -n "$namespace" -batch - <<END
link set lo up
address add $(address_of "$host")/16 dev eth0
link set eth0 up
END
}

# set_link HOST up|down: plugs the cable in or out.
set_link() { ip -n "$lab_name" link set "$1" "$2"; }

link_is_up() { [[ $(ip -n "$lab_name" -oneline link show "$1" 2>/dev/null) == *'<'*[,]UP[,\>]* ]]; }

# move_master HOST: `master` answers at this head node from now on, as BCM's shared address follows the active one.
move_master() {
    local host
    while read -r host; do
        if is_head "$host"; then
            ip -n "$(namespace_of "$host")" address del "$master_address/32" dev eth0 2>/dev/null || :
        fi
    done < <(existing_hosts)
    ip -n "$(namespace_of "$1")" address add "$master_address/32" dev eth0
    while read -r host; do
        ip -n "$(namespace_of "$host")" neighbour flush to "$master_address" 2>/dev/null || :
    done < <(existing_hosts)
    ip -n "$lab_name" neighbour flush to "$master_address" 2>/dev/null || :
}

active_head() {
    local host addresses
    for host in head-a head-b; do
        addresses=$(ip -n "$(namespace_of "$host")" -oneline address show dev eth0 2>/dev/null) || continue
        [[ $addresses != *" $master_address/"* ]] || printf '%s' "$host"
    done
    return 0
}

# port_is_open ADDRESS PORT: asks from inside the lab's network.
port_is_open() {
    # shellcheck disable=SC2016 # the inner shell's own
    ip netns exec "$lab_name" timeout 1 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>/dev/null
}

remove_network() {
    local name
    while read -r name _; do
        [[ $name == "$lab_name" || $name == "$lab_name".* ]] && ip netns del "$name"
    done < <(ip netns list)
    rm -rf "/etc/netns/$lab_name"
    rmdir /etc/netns 2>/dev/null || :
    # ip mounts the folder of the names on itself when it makes the first; with the last it is an empty mount.
    if mountpoint -q /run/netns && is_empty_folder /run/netns; then umount /run/netns 2>/dev/null || :; fi
}

is_empty_folder() { [[ -z $(find "$1" -mindepth 1 -maxdepth 1 -print -quit) ]]; }
