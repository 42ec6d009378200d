# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# From a change of the role in BCM until a real Prometheus has the node's exporters. Sourced by scripts/bench.sh.

# free_ports COUNT: ports of the loopback address that nobody has now.
free_ports() {
    python3 -c 'import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in sockets))' "$1"
}

# make_exporters PORT...: the stand-in for systemctl starts and ends a process for each unit, a stand-in for its exporter.
make_exporters() {
    local unit
    mkdir -p "$node/ports" "$node/pids"
    for unit in "${units[@]}"; do
        echo "$1" >"$node/ports/$unit"
        shift
    done
    printf '#!/bin/bash\nprogram=%q\n' "$scratch/exporter-standin" >"$node/exporter"
    cat >>"$node/exporter" <<'END_OF_SCRIPT'
# exporter start|stop UNIT: run by the stand-in for systemctl, in the node's folder.
read -r port <"ports/$2"
if [[ $1 == start ]]; then
    setsid "$program" --kind cgroup --web.listen-address "127.0.0.1:$port" </dev/null >/dev/null 2>&1 &
    echo $! >"pids/$2"
elif [[ -s pids/$2 ]]; then
    read -r process <"pids/$2"
    kill "$process" 2>/dev/null
    : >"pids/$2"
fi
END_OF_SCRIPT
    chmod 755 "$node/exporter"
}

end_exporters() {
    local file process
    for file in "$workspace/node/pids"/*; do
        if [[ -s $file ]] && read -r process <"$file"; then kill "$process" 2>/dev/null || :; fi
    done
}

all_answer() {
    local file port
    for file in "$node"/ports/*; do
        read -r port <"$file"
        { : <>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
    done
}

# up_is TEXT: whether Prometheus' answer to count(up == 1) has this in it.
up_is() {
    curl --noproxy '*' -sf --max-time 5 --data-urlencode 'query=count(up == 1)' "http://127.0.0.1:$prometheus_port/api/v1/query" |
        grep -qF "$1"
}
all_up() { up_is '"3"]'; }
none_known() {
    curl --noproxy '*' -sf --max-time 5 --data-urlencode 'query=count(up)' "http://127.0.0.1:$prometheus_port/api/v1/query" |
        grep -qF '"result":[]'
}

start_prometheus() {
    mkdir -p "$workspace/prometheus"
    cat >"$workspace/prometheus/prometheus.yml" <<END
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: nodes
    file_sd_configs: [{files: ['$node/targets/*.json']}]
    relabel_configs: # the node's name need not resolve here
      - {source_labels: [__address__], regex: '.*:([0-9]+)', target_label: __address__, replacement: '127.0.0.1:\$1'}
END
    prometheus --config.file="$workspace/prometheus/prometheus.yml" --storage.tsdb.path="$workspace/prometheus/data" \
        --web.listen-address="127.0.0.1:$prometheus_port" >"$workspace/prometheus.log" 2>&1 &
    prometheus_process=$!
    on_exit "end_process $prometheus_process"
    wait_until 60 curl --noproxy '*' -sf --max-time 5 -o /dev/null "http://127.0.0.1:$prometheus_port/-/ready" ||
        fail 1 "Prometheus did not get ready: $(tail -n 2 "$workspace/prometheus.log")"
}

bench_up() {
    local round from begin ports prometheus_port prometheus_process active=() files=() ups=() gone=()
    local name="role change to exporters that answer and to Prometheus' up"
    command -v prometheus >/dev/null || { skipped "$name" "there is no prometheus on PATH (Debian's package prometheus)"; return 0; }
    command -v curl >/dev/null || { skipped "$name" "there is no curl on PATH"; return 0; }
    role "$bcm" "$host" unassign
    ports=$(free_ports 4) || fail 1 "no free ports were found"
    read -ra ports <<<"$ports"
    prometheus_port=${ports[3]}
    make_node "$node" inactive
    make_exporters "${ports[@]:0:3}"
    on_exit end_exporters
    configure_node "$node" "$bcm" "$bcm_port" '"check_interval": 1' '"role_loss_delay": 1' \
        "\"node_exporter_port\": ${ports[0]}" "\"cgroup_exporter_port\": ${ports[1]}" "\"nvidia_gpu_exporter_port\": ${ports[2]}"
    start_prometheus
    : >"$bcm/access"
    start_monitor
    wait_until 20 has_asked 1 || fail 1 "the monitor did not ask: $(tail -n 3 "$workspace/monitor.log")"
    for ((round = 0; round < rounds; round++)); do
        sleep "1.$((RANDOM % 10))" # at any moment of its interval
        from=$(wc -l <"$node/calls") begin=$EPOCHREALTIME
        role "$bcm" "$host" assign
        wait_until 30 all_answer || fail 1 "the exporters do not answer after the role was given"
        active+=("$(seconds_between "$begin" "$EPOCHREALTIME")")
        wait_until 30 is_started "$from" || fail 1 "there is no target file after the role was given"
        files+=("$(seconds_between "$begin" "$(target_time)")")
        wait_until 30 all_up || fail 1 "Prometheus does not see the exporters: $(tail -n 2 "$workspace/prometheus.log")"
        ups+=("$(seconds_between "$begin" "$EPOCHREALTIME")")
        sleep "1.$((RANDOM % 10))"
        from=$(wc -l <"$node/calls") begin=$EPOCHREALTIME
        role "$bcm" "$host" unassign
        wait_until 30 is_stopped "$from" || fail 1 "the monitor did not stop the exporters"
        wait_until 30 none_known || fail 1 "Prometheus still has the node after the role was taken"
        gone+=("$(seconds_between "$begin" "$EPOCHREALTIME")")
    done
    end_process "$process"
    end_process "$prometheus_process"
    end_exporters
    role "$bcm" "$host" assign
    part "$(prometheus --version 2>&1 | head -n 1 | sed 's/ (.*//'): a check each second, scraped each second, target files found by inotify; stand-ins for systemd and exporters"
    figure "  role gained to all exporters' ports answering" s '' '' "${active[@]}"
    figure "  role gained to the target file" s '' '' "${files[@]}"
    figure "  role gained to up = 1 for all exporters in Prometheus" s '' '' "${ups[@]}"
    figure "  role lost to no such target in Prometheus" s '' '' "${gone[@]}"
}
