#!/usr/bin/env bash
# Measures the guided setup: planning for many nodes, and a deployment to the lab. See usage below.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<'END'
usage: scripts/bench-deploy.sh plan [--nodes N] | lab [--nodes N]

  plan   a dry run for N nodes (2000 unless said otherwise): whole program, configuration to document
  lab    sections 4 and 10 to N nodes of the lab (16): first run, second run, and beside them a bare `ssh HOST true`
         round to the same nodes, 16 at once. Starts the lab and takes it down; needs root

Prints seconds of wall time and of CPU on the deploying side. Builds the programs when they are missing.
END
}

command=${1-}
[[ $command == plan || $command == lab ]] || { usage && exit "$exit_usage"; }
nodes=$([[ $command == plan ]] && echo 2000 || echo 16)
if [[ ${2-} == --nodes ]]; then nodes=${3-}; fi
if [[ ! $nodes =~ ^[0-9]{1,4}$ ]]; then fail "$exit_usage" "--nodes takes a number"; fi

TIMEFORMAT='%3R s wall, %3U + %3S s CPU'
work=$(mktemp -d)
on_exit "rm -rf '$work'"

bench_plan() {
    local round width=${#nodes}
    "$repository/scripts/build.sh" --programs --quiet
    printf '{"systems": {"dgx_nodes": ["dgx-[%0*d-%d]"], "prometheus_server": ["mon-01"]}}\n' "$width" 1 "$nodes" >"$work/config.json"
    for round in 1 2 3 4 5; do
        printf 'dry run for %d nodes, round %d: ' "$nodes" "$round"
        { time "$repository/.build-static/release/guided-setup" --config "$work/config.json" --dry-run --state-dir "$work" \
            >"$work/output" 2>&1; } 2>&1
    done
    printf 'document: %d bytes\n' "$(stat --format=%s "$work/guided_setup_document.md")"
}

bench_lab() {
    local lab=$repository/scripts/lab.sh round
    "$repository/scripts/build.sh" --quiet
    on_exit "'$lab' down"
    "$lab" up --nodes "$nodes" --owner $$
    "$lab" config | "$lab" ssh head-a 'cat > /root/config.json'
    cat >"$work/measure" <<'END'
set -eu
TIMEFORMAT='%3R s wall, %3U + %3S s CPU'
hosts=$(sed -n 's/.*"dgx_nodes": \[\(.*\)\].*/\1/p' /root/config.json | tr -d '",')
round() { printf '%s\n' $hosts | xargs -P 16 -I{} ssh {} true; }
setup() { guided-setup --config /root/config.json --state-dir /root/setup --non-interactive --section 4 10 --parallel 16 --max-failures 0 | grep 'steps:'; }
printf 'first run:  '; time setup
for i in 1 2 3; do printf 'second run: '; time setup; done
for i in 1 2 3; do printf 'bare ssh:   '; time round; done
END
    "$lab" ssh head-a 'bash -s' <"$work/measure" 2>&1
}

"bench_$command"
