#!/usr/bin/env bash
# Shows the main job on a cluster of real hosts on this machine, from an empty start to an empty end. See usage below.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<'END'
usage: scripts/demo.sh [--nodes N] [--keep]

Builds this project, starts a small cluster on this machine (scripts/lab.sh), deploys jobstats' monitoring to it with
guided-setup over SSH, gives and takes the role with BCM's cmsh (simulated), cuts off the active head node with the
shared storage, and shows what happens. The role monitors ask BCM every two seconds here instead of every minute.
Everything is taken down at the end. Needs root; takes a few minutes, and more for building the first time.

  --nodes N   how many DGX nodes (3 unless said otherwise, at least 3)
  --keep      leave the cluster running at the end, to look around: scripts/lab.sh status

Exit status: 0 everything was seen; 1 something was not; 77 this machine cannot run the cluster (a dry run is shown).
END
}

nodes=3 keep=no
while (($#)); do
    case $1 in
        --nodes) nodes=${2-} && shift ;;
        --keep) keep=yes ;;
        -h | --help) usage && exit 0 ;;
        *) fail "$exit_usage" "unknown option: $1 (see --help)" ;;
    esac
    shift || fail "$exit_usage" "--nodes needs a number"
done
if [[ ! $nodes =~ ^[0-9]{1,2}$ ]] || ((10#$nodes < 3)); then fail "$exit_usage" "--nodes takes a number from 3 to 99"; fi

lab=$repository/scripts/lab.sh
on() { "$lab" ssh "$@"; }
exporters=(node_exporter cgroup_exporter nvidia_gpu_exporter)
targets=/cm/shared/apps/jobstats/prometheus-targets

# --- Steps ------------------------------------------------------------------------------------------------------------

table=()

# step TITLE COMMAND...: does it, and ends the demonstration when it fails.
step() {
    local title=$1 started
    shift
    heading "== $title"
    started=$(now_ms)
    if "$@" </dev/null; then
        table+=("$(printf '%-66s %7s s  seen' "$title" "$(seconds_since "$started")")")
        return 0
    fi
    table+=("$(printf '%-66s %7s s  NOT SEEN' "$title" "$(seconds_since "$started")")")
    print_table
    fail 1 "not seen: $title"
}

# see SECONDS TITLE COMMAND...: a step that waits until the command succeeds, looking twice a second.
see() {
    local seconds=$1 title=$2
    shift 2
    step "$title" look "$seconds" "$@"
}

look() {
    local deadline=$(($(now_ms) + $1 * 1000))
    shift
    until "$@" >/dev/null 2>&1; do
        (($(now_ms) < deadline)) || { "$@" || :; return 1; }
        sleep 0.5
    done
}

print_table() {
    heading "== What happened"
    printf '%s\n' "${table[@]}"
}

# --- What is done and what is looked at -------------------------------------------------------------------------------

deploy() {
    "$lab" config | on head-a 'cat > /root/config.json' || return 1
    on head-a guided-setup --config /root/config.json --state-dir /root/setup --non-interactive --yes \
        --section 1 2 3 4 6 10
}

deploy_again() {
    local log status=0
    log=$(on head-a guided-setup --config /root/config.json --state-dir /root/setup --non-interactive --yes \
        --section 1 2 3 4 6 10 2>&1) || status=$?
    printf '%s\n' "$log"
    ((status == 0)) || return 1
    files_of_hosts >"$work/after"
    cmp "$work/before" "$work/after"
}

remember_files() { files_of_hosts >"$work/before"; }

# files_of_hosts: what was deployed, with times and contents, on every host.
files_of_hosts() {
    local host
    for host in mon-01 "${dgx[@]}"; do
        on "$host" 'find /etc/systemd/system /etc/bcm-role-monitor /etc/prometheus /usr/local/bin \( -type f -o -type l \) \
            -printf "%p %T@ %m %u %s\n" 2>/dev/null | sort; \
            systemctl show --property=Id,ActiveEnterTimestampMonotonic,UnitFileState "*exporter.service" prometheus.service bcm-role-monitor.service'
    done
}

cmsh() { on "$1" /cm/local/apps/cmd/bin/cmsh -q -c "'$2'"; }
give_role() { cmsh "$1" "device use $2; roles; assign slurmclient; commit"; }
take_role() { cmsh "$1" "device use $2; roles; unassign slurmclient; commit"; }

# exporters_are STATE HOST...: every exporter of each host is active, or is not.
exporters_are() {
    local state=$1 host exporter
    shift
    for host in "$@"; do
        for exporter in "${exporters[@]}"; do
            [[ $(on "$host" systemctl is-active "$exporter" || :) == "$state" ]] || return 1
        done
    done
}

# target_files_are HOST...: exactly these hosts have a target file.
target_files_are() { [[ $(on mon-01 "cd $targets && ls" | paste -sd' ') == "$(printf '%s.json ' "$@" | sed 's/ $//')" ]]; }

# up_in_prometheus HOST...: Prometheus scrapes all exporters of exactly these hosts.
up_in_prometheus() {
    local answer wanted
    answer=$("$lab" run curl -sSfG --max-time 5 --data-urlencode 'query=count by (hostname) (up{job!="prometheus"} == 1)' \
        http://mon-01:9090/api/v1/query)
    answer=$(grep -oE '"hostname":"[^"]*"},"value":\[[^]]*' <<<"$answer" | sed -E 's/^"hostname":"([^"]*)".*"([0-9]+)"$/\1 \2/' | sort)
    wanted=$(printf "%s ${#exporters[@]}\n" "$@")
    [[ $answer == "$wanted" ]]
}

fleet_is_well() { on head-a guided-setup status --config /root/config.json; }

validate() { on head-a validate-deployment --config /root/config.json; }

monitors_are_active() {
    local host
    for host in "${dgx[@]}"; do on "$host" systemctl is-active bcm-role-monitor >/dev/null || return 1; done
}

is_down=no
# A cluster that somebody else started stays: then `up` refuses with 75.
start_cluster() {
    local status=0
    "$lab" up --nodes "$nodes" "${owner[@]}" || status=$?
    ((status != exit_busy)) || is_down=yes
    return "$status"
}

take_down() {
    [[ $is_down == yes ]] || "$lab" down
    is_down=yes
}

cut_off_head() {
    "$lab" isolate head-a && "$lab" storage hang "${dgx[@]}" mon-01
}

take_over() {
    "$lab" storage on "${dgx[@]}" mon-01 && "$lab" master head-b
}

# monitors_did_not_restart: the monitors are the processes that they were before the head node was cut off.
remember_monitors() { monitors >"$work/monitors"; }
monitors_did_not_restart() { cmp <(monitors) "$work/monitors"; }
monitors() {
    local host
    for host in "${dgx[@]}"; do on "$host" systemctl show --property=MainPID,NRestarts bcm-role-monitor; done
}

show_dry_run() {
    local state
    state=$(mktemp -d)
    on_exit "rm -rf '$state'"
    "$repository/scripts/guided-setup.sh" --config "$repository/automation/configs/config.json.template" --dry-run \
        --state-dir "$state" || return 1
    heading "== The document of the dry run begins so"
    head -n 40 "$state"/*.md
}

# --- The demonstration ------------------------------------------------------------------------------------------------

work=$(mktemp -d)
on_exit "rm -rf '$work'"
dgx=()
for ((index = 1; index <= 10#$nodes; index++)); do dgx+=("$(printf 'dgx-%02d' "$index")"); done

if ! reason=$("$lab" check 2>&1); then
    warn "${reason#*: }"
    say "So guided-setup's dry run is shown instead of a deployment."
    show_dry_run
    exit "$exit_cannot_run"
fi
[[ $keep == yes ]] || on_exit take_down
owner=(--owner $$)
[[ $keep == no ]] || owner=()

step "The programs are built" "$repository/scripts/build.sh" --quiet
step "A cluster runs: two head nodes, a monitoring node, $nodes DGX nodes" start_cluster
step "dgx-03 has the role slurmclient, as nodes of a running cluster have" give_role head-a dgx-03
step "guided-setup deploys over SSH from the active head node" deploy
see 30 "The role monitors run on every DGX node" monitors_are_active
see 90 "dgx-03 runs its exporters" exporters_are active dgx-03
see 30 "dgx-01 and dgx-02, which have no role, run none" exporters_are inactive dgx-01 dgx-02
step "cmsh gives dgx-01 the role" give_role head-a dgx-01
step "cmsh gives dgx-02 the role" give_role head-a dgx-02
see 120 "The exporters of dgx-01 and dgx-02 run" exporters_are active dgx-01 dgx-02
see 30 "Every node with the role has its target file" target_files_are dgx-01 dgx-02 dgx-03
see 120 "Prometheus scrapes the three exporters of each" up_in_prometheus dgx-01 dgx-02 dgx-03
see 60 "guided-setup status finds the fleet well, without SSH" fleet_is_well
step "validate-deployment finds nothing wrong" validate
step "What is on the hosts is noted" remember_files
step "A second guided-setup run changes nothing" deploy_again
step "cmsh takes the role from dgx-02" take_role head-a dgx-02
see 150 "The exporters of dgx-02 are stopped" exporters_are inactive dgx-02
see 30 "Its target file is gone" target_files_are dgx-01 dgx-03
see 120 "Prometheus scrapes it no more" up_in_prometheus dgx-01 dgx-03
step "The monitors' processes are noted" remember_monitors
step "The active head node is cut off; shared storage hangs everywhere" cut_off_head
step "The other head node's cmsh gives dgx-02 the role again" give_role head-b dgx-02
see 180 "dgx-02 starts its exporters all the same" exporters_are active dgx-02
see 30 "dgx-01 goes on" exporters_are active dgx-01
see 30 "No monitor was restarted" monitors_did_not_restart
step "The other head node takes over; shared storage is back" take_over
see 150 "dgx-02 has its target file" target_files_are dgx-01 dgx-02 dgx-03
see 120 "Prometheus scrapes all three" up_in_prometheus dgx-01 dgx-02 dgx-03
if [[ $keep == no ]]; then step "The cluster is taken down" take_down; fi
print_table
good "Everything was seen."
