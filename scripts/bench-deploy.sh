#!/usr/bin/env bash
# Measures the guided setup: planning for many nodes, and a deployment to the lab beside others' ways. See usage below.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<'END'
usage: scripts/bench-deploy.sh plan [--nodes N] [--json FILE] | lab [--nodes N] [--without-ansible] [--json FILE]

  plan   a dry run for N nodes (2000 unless said otherwise, up to 99999), five times: whole program, configuration to
         document; its most resident memory and threads
  lab    sections 2, 3, 4 and 10 to N nodes of the lab (16): first run, second run, one file changed, with the memory of
         the deploying process and the connections and bytes of its host; beside them, to the same end on as many fresh
         nodes, a script written by hand (one connection per node, a tar on its standard input) and an Ansible playbook
         (once with more than 32 nodes, else twice); and a bare `ssh HOST true` round, 32 at once. Starts the lab and
         takes it down, three times; needs root, and Debian's ansible-core (installed when missing, not needed
         --without-ansible). A lab that is up already is left alone: status 75

Prints seconds of wall time, of CPU on the deploying side, and of CPU on the nodes, then the figures with the goals of the
deployment's contract, which are for 64 nodes: the first run at most 1.5 times as long as by hand and a quarter of
Ansible's time, at most 0.3 s of CPU on the deploying side for each node, the second run at most twice a bare round; and
2 s for the plan of 2000 nodes. With other numbers of nodes there are figures and no goals. --json FILE keeps the figures as
scripts/bench.sh does. Builds the programs when they are missing.

Exit status: 0 the goals are met or there are none, 1 one is not, or something failed, 2 usage, 75 a lab is up already,
77 cannot run here.
END
}

command=${1-}
case $command in
    plan) nodes=2000 ;;
    lab) nodes=16 ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit "$exit_usage" ;;
esac
with_ansible=yes json=''
shift
while (($#)); do
    case $1 in
        --nodes | --json)
            [[ -n ${2-} ]] || fail "$exit_usage" "$1 needs a value (see --help)"
            printf -v "${1#--}" %s "$2"
            shift
            ;;
        --without-ansible) with_ansible=no ;;
        -h | --help) usage && exit 0 ;;
        *) fail "$exit_usage" "unknown option: $1 (see --help)" ;;
    esac
    shift
done
[[ $nodes =~ ^[1-9][0-9]{0,4}$ ]] || fail "$exit_usage" "--nodes takes a number from 1 to 99999, not '$nodes'"
for program in python3 awk jq; do
    command -v "$program" >/dev/null || fail "$exit_cannot_run" "there is no $program on PATH"
done

TIMEFORMAT='%3R s wall, %3U + %3S s CPU'
work=$(mktemp -d)
on_exit "rm -rf '$work'"
lab=$repository/scripts/lab.sh
# shellcheck source=scripts/bench/figures.sh
. "$(dirname "${BASH_SOURCE[0]}")/bench/figures.sh"
# shellcheck source=scripts/bench/deploy.sh
. "$(dirname "${BASH_SOURCE[0]}")/bench/deploy.sh"
[[ -z $json ]] || json_begin "$json"
figures_begin "$work"

bench_plan() {
    local round width=${#nodes} wall user kernel memory threads times=() cpus=() memories=() most=() goal=''
    "$repository/scripts/build.sh" --programs --quiet
    printf '{"systems": {"dgx_nodes": ["dgx-[%0*d-%d]"], "prometheus_server": ["mon-01"], "grafana_server": ["mon-01"], "slurm_controller": ["head-a"]}}\n' "$width" 1 "$nodes" >"$work/config.json"
    for round in 1 2 3 4 5; do
        python3 "$repository/Development/bench/meter.py" "$work/meter" "$programs_directory/guided-setup" \
            --config "$work/config.json" --dry-run --state-dir "$work" >"$work/output" 2>&1 || {
            tail -n 20 "$work/output" >&2
            fail 1 "the dry run for $nodes nodes failed (its last lines are above)"
        }
        read -r wall user kernel memory threads <"$work/meter"
        times+=("$wall") cpus+=("$(plus "$user" "$kernel")") memories+=("$memory") most+=("$threads")
        printf 'dry run for %d nodes, round %d: %s s wall, %s + %s s CPU, %d kB resident at most, %d threads\n' \
            "$nodes" "$round" "$wall" "$user" "$kernel" "$memory" "$threads"
    done
    [[ -s $work/guided_setup_document.md ]] || fail 1 "the dry run for $nodes nodes left no document"
    printf 'document: %d bytes\n' "$(stat --format=%s "$work/guided_setup_document.md")"
    [[ $nodes != 2000 ]] || goal=2
    part "dry run for $nodes nodes"
    figure "  wall time" s "$goal" '' "${times[@]}"
    figure "  CPU" s '' '' "${cpus[@]}"
    figure "  most resident memory of the control process" kB '' '' "${memories[@]}"
    figure "  its threads, at most" '' '' '' "${most[@]}"
    figure "  document" bytes '' '' "$(stat --format=%s "$work/guided_setup_document.md")"
}

# What a deployment leaves on a node, for the others to bring about.
end_state=(
    usr/local/bin/{node_exporter,cgroup_exporter,nvidia_gpu_exporter,bcm-role-monitor}
    etc/systemd/system/{node_exporter,cgroup_exporter,nvidia_gpu_exporter,bcm-role-monitor}.service
    etc/bcm-role-monitor
)

ours=no
lab_down() {
    [[ $ours == yes ]] || return 0
    ours=no
    "$lab" down >/dev/null
}

# fresh_lab: N nodes on which nothing was deployed, and their names on the head node. A lab that was not started here is not
# touched: lab.sh says that it is there.
fresh_lab() {
    lab_down
    "$lab" up --nodes "$nodes" --owner $$ || exit $?
    ours=yes
    "$lab" config | sed 's/"slurm_controller": \[[^]]*\]/"slurm_controller": []/; s/"login_nodes": \[[^]]*\]/"login_nodes": []/' |
        "$lab" ssh head-a 'cat > /root/config.json; sed -n "s/.*\"dgx_nodes\": \[\(.*\)\].*/\1/p" /root/config.json | tr -d "\"," >/root/nodes'
}

bench_own() {
    { meter_functions && cat <<'END'; } | "$lab" ssh head-a 'cat >/root/functions'
hosts=$(cat /root/nodes)
round() { printf '%s\n' $hosts | xargs -P 32 -I{} ssh {} true; }
setup() {
    meter guided-setup --config /root/config.json --state-dir /root/setup --non-interactive --section 2 3 4 10 --max-failures 0 \
        >/root/output 2>&1 || { tail -n 20 /root/output; exit 1; }
}
one() { ssh "$1" "$(cat /root/install)" </root/state.tar; }
export -f one
all() { printf '%s\n' $hosts | xargs -P 32 -I{} bash -c 'one {}'; }
END
    phase 'first run' <<<'time setup'
    metered 'first run'
    "$lab" ssh head-a "grep 'steps:' /root/output"
    for _ in 1 2 3; do phase 'second run' <<<'time setup'; done
    metered 'second run'
    # shellcheck disable=SC2016 # the head node's shell
    phase 'a line added' >/dev/null <<<'for host in $hosts; do ssh -n "$host" "echo \# changed >>/etc/systemd/system/node_exporter.service"; done'
    phase 'one file changed' <<<'time setup'
    metered 'one file changed'
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
    local before said reached used
    for path in first second; do
        [[ $path == first ]] || ((nodes <= 32)) || break # it takes as long again
        before=$(nodes_cpu)
        said=$({ time "$lab" run ansible-playbook -i "$work/ansible/inventory" "$work/ansible/site.yml" >"$work/output" 2>&1; } 2>&1) || {
            tail -n 20 "$work/output" >&2
            fail 1 "ansible, $path: failed (its last lines are above)"
        }
        used=$(awk -v a="$before" -v b="$(nodes_cpu)" 'BEGIN { printf "%.1f", b - a }')
        reached=$(grep -cE 'ok=[1-9][0-9]* .*unreachable=0 +failed=0 ' "$work/output" || :)
        printf '%-18s %s\n%s nodes done; nodes: %s s CPU\n' "ansible, $path:" "$said" "$reached" "$used"
        ((reached == nodes)) || fail 1 "ansible, $path: $reached of $nodes nodes are done"
        keep "ansible, $path" "$said" "$used"
    done
}

bench_lab() {
    local program
    for program in "$programs_directory"/{bcm-role-monitor,guided-setup} "$development_directory"/{bcm-simulator,simulated-cmsh} \
        "$stand_in_directory/exporter-standin"; do
        [[ -x $program ]] || { "$repository/scripts/build.sh" --quiet && break; }
    done
    on_exit lab_down
    fresh_lab
    bench_own
    fresh_lab
    bench_script
    if [[ $with_ansible == yes ]]; then
        fresh_lab
        bench_ansible
    else
        skipped "Ansible" "--without-ansible"
    fi
    lab_down
    summary
}

"bench_$command"
verdict
