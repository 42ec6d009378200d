# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# The lab's hosts: names, addresses, and where their files are.

# Namespaces, cgroups and folders carry this name, so that labs with different names can be up at the same time.
lab_name=${JOBSTATS_LAB_NAME:-jobstats-lab}
lab_directory=/var/lib/bcm-jobstats-labs/$lab_name

network=10.141
head_a_address=$network.255.254
head_b_address=$network.255.253
mon_address=$network.255.252
login_address=$network.255.251
master_address=$network.255.250 # follows the active head node
outside_address=$network.255.1  # the lab's own end of the bridge: those who look from outside
last_dgx=254

nodes_directory=$lab_directory/nodes
ssh_directory=$lab_directory/ssh

# dgx_name INDEX: dgx-07
dgx_name() { printf 'dgx-%02d' "$1"; }

# address_of HOST: its address; status 1 when no host can have this name.
address_of() {
    local index
    case $1 in
        head-a) printf '%s' "$head_a_address" ;;
        head-b) printf '%s' "$head_b_address" ;;
        mon-01) printf '%s' "$mon_address" ;;
        login-01) printf '%s' "$login_address" ;;
        dgx-[0-9][0-9] | dgx-[0-9][0-9][0-9])
            index=$((10#${1#dgx-}))
            ((index >= 1 && index <= last_dgx)) || return 1
            printf '%s.0.%d' "$network" "$index"
            ;;
        *) return 1 ;;
    esac
}

# mac_of HOST: made from its address, so that it stays the same for ever.
mac_of() {
    local part
    local -a parts
    IFS=. read -ra parts <<<"$(address_of "$1")"
    printf '02:00'
    for part in "${parts[@]}"; do printf ':%02x' "$part"; done
}

is_head() { [[ $1 == head-? ]]; }

# existing_hosts: the hosts of the lab that is up, DGX nodes last.
existing_hosts() {
    local directory
    for directory in "$nodes_directory"/head-* "$nodes_directory"/mon-* "$nodes_directory"/login-* \
        "$nodes_directory"/dgx-*; do
        [[ -d $directory ]] && printf '%s\n' "${directory##*/}"
    done
    return 0
}

# require_host HOST: ends the script unless the lab has this host.
require_host() {
    [[ $1 =~ ^[a-z]+-[a-z0-9]+$ && -d $nodes_directory/$1 ]] && return 0
    fail "$exit_usage" "the lab has no host '$1'; it has: $(existing_hosts | paste -sd' ')"
}

# hosts_file: the name of every host that the lab can have.
hosts_file() {
    local index
    printf '127.0.0.1 localhost\n::1 localhost\n'
    printf '%s head-a\n%s head-b\n%s mon-01\n' "$head_a_address" "$head_b_address" "$mon_address"
    printf '%s login-01\n%s master\n%s outside\n' "$login_address" "$master_address" "$outside_address"
    for ((index = 1; index <= last_dgx; index++)); do printf '%s.0.%d dgx-%02d\n' "$network" "$index" "$index"; done
}
