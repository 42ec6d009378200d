# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# A simulated BCM (Development/), and stand-ins for what a node has beside the monitor. Sourced by scripts/bench.sh.

# make_bcm FOLDER NODE...: a simulated cluster with the head node head-a.
make_bcm() {
    local folder=$1 number=0 arguments=() node
    shift
    for node in "$@"; do arguments+=(--node "$node=10.141.0.$((++number))"); done
    "$simulator" init --directory "$folder" --head head-a=127.0.0.1 "${arguments[@]}" >/dev/null ||
        fail 1 "the simulated cluster could not be made"
}

# serve_bcm FOLDER: serves it on a free port of the loopback address; sets bcm_port and bcm_process.
serve_bcm() {
    local folder=$1
    "$simulator" serve --directory "$folder" --host-name head-a --listen 127.0.0.1:0 --access-log "$folder/access" \
        >"$folder/output" 2>"$folder/errors" &
    bcm_process=$!
    on_exit "end_process $bcm_process"
    wait_until 30 grep -q '(port ' "$folder/output" || fail 1 "the simulated BCM did not start: $(tail -n 3 "$folder/errors")"
    bcm_port=$(sed -n 's/.*(port \([0-9]*\)).*/\1/p' "$folder/output")
}

# end_process PID: ends a process that was started here, and waits for it.
end_process() {
    kill "$1" 2>/dev/null || return 0
    wait_until 5 is_gone "$1" || kill -9 "$1" 2>/dev/null || :
    wait "$1" 2>/dev/null || :
}

units=(node_exporter.service cgroup_exporter.service nvidia_gpu_exporter.service)

# make_node FOLDER STATE: a new node as the monitor finds it: a stand-in for systemctl, whose units are in this state.
make_node() {
    local folder=$1 unit
    rm -rf "$folder"
    mkdir -p "$folder"/{bin,units,targets,state}
    for unit in "${units[@]}"; do printf '%s\n' "$2" >"$folder/units/$unit"; done
    : >"$folder/calls"
    cat >"$folder/bin/systemctl" <<END
#!/bin/bash
# Stands in for systemctl: units are files that hold their state; "calls" is what was asked for, and when.
PATH=/usr/bin:/bin
cd '$folder' || exit 1
END
    cat >>"$folder/bin/systemctl" <<'END'
fault=; [[ ! -e fault ]] || read -r fault <fault
case $fault in
    fail) echo 'Failed to connect to bus: Connection refused' >&2; exit 1 ;;
    garbage) exec head -c 20000 /dev/urandom ;;
    die) kill -9 $$ ;;
esac
verb='' units=()
for word; do
    [[ $word != -* ]] || continue
    if [[ -z $verb ]]; then verb=$word; else units+=("$word"); fi
done
for unit in "${units[@]}"; do
    unit=${unit%.service}.service state=inactive
    [[ ! -e units/$unit ]] || read -r state <"units/$unit"
    case $verb in
        is-active)
            echo "$state"
            [[ $state == active ]] || exit 3 ;;
        show)
            sub=dead
            [[ $state != active ]] || sub=running
            printf 'Id=%s\nNames=%s\nLoadState=loaded\nActiveState=%s\nSubState=%s\nResult=success\nNRestarts=0\n\n' \
                "$unit" "$unit" "$state" "$sub" ;;
        start | stop)
            echo "$EPOCHREALTIME $verb $unit" >>calls
            state=active
            [[ $verb == start ]] || state=inactive
            [[ $fault == lie ]] || echo "$state" >"units/$unit"
            [[ ! -e exporter ]] || ./exporter "$verb" "$unit" ;;
    esac
done
END
    printf '#!/bin/sh\n' >"$folder/bin/journalctl"
    chmod 755 "$folder"/bin/*
}

# configure_node FOLDER BCM-FOLDER PORT [SETTING...]: the monitor's configuration; a setting is a "KEY": VALUE.
configure_node() {
    local folder=$1 pki=$2/pki port=$3 setting
    shift 3
    {
        printf '{"bcm_headnodes": ["127.0.0.1:%s"], "ca_path": "%s", "cert_path": "%s", "key_path": "%s",\n' \
            "$port" "$pki/cacert.pem" "$pki/admin.pem" "$pki/admin.key"
        printf ' "roles_visible": true, "prometheus_targets_dir": "%s", "state_dir": "%s",\n' "$folder/targets" "$folder/state"
        for setting in "$@"; do printf ' %s,\n' "$setting"; done
        printf ' "metrics_textfile": "%s"}\n' "$folder/metrics.prom"
    } >"$folder/config.json"
}

# role FOLDER NODE assign|unassign: gives the role to a node, or takes it, as an administrator does with cmsh.
role() { BCM_SIMULATOR_DIRECTORY=$1 "$cmsh" -c "device use $2; roles; $3 slurmclient; commit" >/dev/null; }
