#!/usr/bin/env bash
# Measures the guided setup: planning for many nodes, and a deployment to the lab beside others' ways. See usage below.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<'END'
usage: scripts/bench-deploy.sh plan [--nodes N] | lab [--nodes N] [--without-ansible]

  plan   a dry run for N nodes (2000 unless said otherwise): whole program, configuration to document
  lab    sections 2, 3, 4 and 10 to N nodes of the lab (16): first run, second run, one file changed; beside them, to
         the same end on as many fresh nodes, a script written by hand (one connection per node, a tar on its standard
         input) and an Ansible playbook (once with more than 32 nodes, else twice); and a bare `ssh HOST true` round, 32
         at once. Starts the lab and takes it down, three times; needs root, and Debian's ansible-core (installed when
         missing, not needed --without-ansible)

Prints seconds of wall time, of CPU on the deploying side, and of CPU on the nodes. Builds the programs when they are missing.
END
}

command=${1-}
[[ $command == plan || $command == lab ]] || { usage && exit "$exit_usage"; }
nodes=$([[ $command == plan ]] && echo 2000 || echo 16)
with_ansible=yes
shift
while (($#)); do
    case $1 in
        --nodes) nodes=${2-} && shift ;;
        --without-ansible) with_ansible=no ;;
        *) fail "$exit_usage" "unknown option: $1 (see --help)" ;;
    esac
    shift || fail "$exit_usage" "--nodes takes a number"
done
if [[ ! $nodes =~ ^[0-9]{1,4}$ ]]; then fail "$exit_usage" "--nodes takes a number"; fi

TIMEFORMAT='%3R s wall, %3U + %3S s CPU'
work=$(mktemp -d)
on_exit "rm -rf '$work'"
lab=$repository/scripts/lab.sh

bench_plan() {
    local round width=${#nodes}
    "$repository/scripts/build.sh" --programs --quiet
    printf '{"systems": {"dgx_nodes": ["dgx-[%0*d-%d]"], "prometheus_server": ["mon-01"], "grafana_server": ["mon-01"], "slurm_controller": ["head-a"]}}\n' "$width" 1 "$nodes" >"$work/config.json"
    for round in 1 2 3 4 5; do
        printf 'dry run for %d nodes, round %d: ' "$nodes" "$round"
        { time "$repository/.build-static/release/guided-setup" --config "$work/config.json" --dry-run --state-dir "$work" \
            >"$work/output" 2>&1; } 2>&1
    done
    printf 'document: %d bytes\n' "$(stat --format=%s "$work/guided_setup_document.md")"
}

# What a deployment leaves on a node, for the others to bring about.
end_state=(
    usr/local/bin/{node_exporter,cgroup_exporter,nvidia_gpu_exporter,bcm-role-monitor}
    etc/systemd/system/{node_exporter,cgroup_exporter,nvidia_gpu_exporter,bcm-role-monitor}.service
    etc/bcm-role-monitor
)

# fresh_lab: N nodes on which nothing was deployed, and their names on the head node.
fresh_lab() {
    "$lab" down >/dev/null
    "$lab" up --nodes "$nodes" --owner $$
    "$lab" config | sed 's/"slurm_controller": \[[^]]*\]/"slurm_controller": []/; s/"login_nodes": \[[^]]*\]/"login_nodes": []/' |
        "$lab" ssh head-a 'cat > /root/config.json; sed -n "s/.*\"dgx_nodes\": \[\(.*\)\].*/\1/p" /root/config.json | tr -d "\"," >/root/nodes'
}

# nodes_cpu: seconds of CPU that the DGX nodes have used since they were switched on, kernel and systemd included.
nodes_cpu() {
    local mount
    mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    find "$mount" -path "*/${JOBSTATS_LAB_NAME:-jobstats-lab}/dgx-*/cpu.stat" -not -path '*/dgx-*/*/*' -exec awk '/^usage_usec/ { print $2 }' {} + |
        awk '{ sum += $1 } END { printf "%.2f\n", sum / 1e6 }'
}

# phase NAME: runs the script on standard input on the head node, which prints its own time, and adds the nodes' CPU.
phase() {
    local before said
    before=$(nodes_cpu)
    said=$("$lab" ssh head-a "cat >/root/phase; bash -c 'exec 2>&1; set -eu; TIMEFORMAT=\"$TIMEFORMAT\"; . /root/functions; . /root/phase'") || {
        printf '%s\n' "$said" | tail -n 20
        return 1
    }
    printf '%-18s %s; nodes: %s s CPU\n' "$1:" "$said" "$(awk -v a="$before" -v b="$(nodes_cpu)" 'BEGIN { printf "%.1f", b - a }')"
}

bench_own() {
    "$lab" ssh head-a 'cat >/root/functions' <<'END'
hosts=$(cat /root/nodes)
round() { printf '%s\n' $hosts | xargs -P 32 -I{} ssh {} true; }
setup() {
    guided-setup --config /root/config.json --state-dir /root/setup --non-interactive --section 2 3 4 10 --max-failures 0 \
        >/root/output 2>&1 || { tail -n 20 /root/output; exit 1; }
}
one() { ssh "$1" "$(cat /root/install)" </root/state.tar; }
export -f one
all() { printf '%s\n' $hosts | xargs -P 32 -I{} bash -c 'one {}'; }
END
    phase 'first run' <<<'time setup'
    "$lab" ssh head-a "grep 'steps:' /root/output"
    for _ in 1 2 3; do phase 'second run' <<<'time setup'; done
    # shellcheck disable=SC2016 # the head node's shell
    phase 'a line added' >/dev/null <<<'for host in $hosts; do ssh -n "$host" "echo \# changed >>/etc/systemd/system/node_exporter.service"; done'
    phase 'one file changed' <<<'time setup'
    for _ in 1 2 3; do phase 'bare ssh' <<<'time round'; done
    "$lab" ssh dgx-01 "tar -C / -cf - ${end_state[*]}" >"$work/state.tar"
    "$lab" ssh head-a 'cat /root/functions' >"$work/functions"
}

# bench_script: what an experienced administrator types for the same end.
bench_script() {
    "$lab" ssh head-a 'cat >/root/state.tar' <"$work/state.tar"
    "$lab" ssh head-a 'cat >/root/functions' <"$work/functions"
    "$lab" ssh head-a 'cat >/root/install' <<'END'
set -e
getent passwd prometheus >/dev/null || useradd --system --no-create-home --home-dir / --shell /usr/sbin/nologin prometheus
tar -xf - -C / --no-same-owner
mkdir -p /var/lib/node_exporter/textfile_collector /cm/shared/apps/jobstats/prometheus-targets
systemctl daemon-reload
systemctl enable --quiet bcm-role-monitor
systemctl restart bcm-role-monitor
systemctl is-active --quiet bcm-role-monitor
END
    phase 'by hand, first' <<<'time all'
    phase 'by hand, second' <<<'time all'
}

# give_python: Ansible's modules need Python on the nodes, which lack it: this machine's, of the same Debian.
give_python() {
    local host name path
    name=$(basename "$(readlink -f /usr/bin/python3)")
    dpkg -L python3-minimal "$name" "$name-minimal" "lib$name-minimal" "lib$name-stdlib" libexpat1 libffi8 |
        while read -r path; do [[ -d $path && ! -L $path ]] || printf '%s\n' "${path#/}"; done >"$work/python"
    tar -C / -cf "$work/python.tar" --files-from="$work/python"
    for host in $("$lab" ssh head-a 'cat /root/nodes'); do
        "$lab" ssh "$host" 'tar -C / -xf - && python3 -c "import json, ctypes, zipfile, hashlib"' <"$work/python.tar"
    done
}

bench_ansible() {
    local files=$work/ansible/files path
    require_packages ansible-core
    give_python
    mkdir -p "$files"
    tar -C "$files" -xf "$work/state.tar"
    {
        printf -- '- hosts: all\n  gather_facts: false\n  tasks:\n'
        printf -- '    - user: {name: prometheus, system: true, create_home: false, shell: /usr/sbin/nologin}\n'
        printf -- '    - file: {path: "{{ item }}", state: directory}\n      loop: [/var/lib/node_exporter/textfile_collector, /etc/bcm-role-monitor]\n'
        while read -r path; do
            printf -- '    - copy: {src: files/%s, dest: /%s, mode: preserve}\n' "$path" "$path"
        done < <(cd "$files" && find . -type f -printf '%P\n' | sort)
        printf -- '    - systemd: {name: bcm-role-monitor, enabled: true, state: started, daemon_reload: true}\n'
    } >"$work/ansible/site.yml"
    "$lab" ssh head-a 'tr " " "\n" </root/nodes' >"$work/ansible/inventory"
    export ANSIBLE_PIPELINING=1 ANSIBLE_FORKS=64 ANSIBLE_SSH_ARGS ANSIBLE_LOCAL_TEMP=$work/ansible/tmp
    export ANSIBLE_STDOUT_CALLBACK=default ANSIBLE_PYTHON_INTERPRETER=/usr/bin/python3
    ANSIBLE_SSH_ARGS="-F $("$lab" env | sed -n 's/^JOBSTATS_LAB_SSH_CONFIG=//p') -o ControlMaster=auto -o ControlPersist=60s"
    local before
    for path in first second; do
        [[ $path == first ]] || ((nodes <= 32)) || break # it takes as long again
        printf '%-18s ' "ansible, $path:"
        before=$(nodes_cpu)
        { time "$lab" run ansible-playbook -i "$work/ansible/inventory" "$work/ansible/site.yml" >"$work/output" 2>&1; } 2>&1 ||
            tail -n 20 "$work/output"
        printf '%s nodes done; nodes: %s s CPU\n' "$(grep -c 'failed=0' "$work/output")" \
            "$(awk -v a="$before" -v b="$(nodes_cpu)" 'BEGIN { printf "%.1f", b - a }')"
    done
}

bench_lab() {
    local program
    for program in "$programs_directory"/{bcm-role-monitor,guided-setup} "$development_directory"/{bcm-simulator,simulated-cmsh} \
        "$stand_in_directory/exporter-standin"; do
        [[ -x $program ]] || { "$repository/scripts/build.sh" --quiet && break; }
    done
    on_exit "'$lab' down"
    fresh_lab
    bench_own
    fresh_lab
    bench_script
    [[ $with_ansible == yes ]] || return 0
    fresh_lab
    bench_ansible
}

"bench_$command"
