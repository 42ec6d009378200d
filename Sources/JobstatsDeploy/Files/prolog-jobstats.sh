#!/bin/bash
# Made by the jobstats deployment: changes here are lost when it runs again.
#
# Notes which job has which GPU: /run/gpustat/INDEX and /run/gpustat/UUID hold "JOBID UID", and nvidia_gpu_exporter labels
# the metrics of the GPU with them. slurmd runs this as root at the start of every job on the node, so it must be quick,
# say nothing, and end with 0 whatever happens: anything else drains the node.
trap 'exit 0' EXIT HUP INT TERM
exec </dev/null >/dev/null 2>&1
PATH=/usr/bin:/bin:/usr/sbin:/sbin
LC_ALL=C
umask 022
set -f
# Set by tests alone; users cannot set variables of a prolog, save SPANK_*.
root=${JOBSTATS_TEST_ROOT:-}
[ -z "$root" ] || PATH=$root/bin:$PATH
export PATH LC_ALL
directory=$root/run/gpustat
most_entries=256
patience=5

note() { logger -t jobstats-prolog -p daemon.warning -- "job ${SLURM_JOB_ID:0:32}: $1"; }

devices=${GPU_DEVICE_ORDINAL:-},${CUDA_VISIBLE_DEVICES:-}
[ "$devices" != , ] || exit 0
# Leading zeros and longer numbers are not Slurm's.
number='^(0|[1-9][0-9]{0,18})$'
if ! [[ ${SLURM_JOB_ID:-} =~ $number && ${SLURM_JOB_UID:-} =~ $number ]]; then
    note "no job id or user id: nothing is noted"
    exit
fi

# Only what Slurm and the driver hand out becomes the name of a file: an index, GPU-... or MIG-...
index='^(0|[1-9][0-9]{0,3})$'
identifier='^(GPU|MIG)-[0-9A-Za-z-]{1,80}$'
declare -A names=() indices=()
entries=()
IFS=$', \t\n' read -r -d '' -a entries <<<"${devices:0:16384}"
for entry in "${entries[@]:0:most_entries}"; do
    if [[ $entry =~ $index ]]; then
        names[$entry]=1
        indices[$entry]=1
    elif [[ $entry =~ $identifier ]]; then
        names[$entry]=1
    fi
done
((${#names[@]})) || exit 0

# Another job's prolog may be making it at this moment.
[ -d "$directory" ] || mkdir -m 755 -- "$directory" || [ -d "$directory" ] || {
    note "$directory cannot be made"
    exit
}

# All files of a job appear under their names at once, complete: a reader never sees half of one.
publish() {
    local new=$directory/.new.$$ name
    rm -rf -- "$new"
    mkdir -m 700 -- "$new" || return
    for name; do printf '%s %s\n' "$SLURM_JOB_ID" "$SLURM_JOB_UID" >"$new/$name"; done
    set +f
    mv -f -- "$new"/* "$directory/" || note "$directory cannot be written"
    set -f
    rm -rf -- "$new"
}
publish "${!names[@]}"
((${#indices[@]})) || exit 0

# nvidia-smi hangs when the driver does, and then no signal ends it: it is waited for, but never longer than this.
uuids=()
found=0
limit=$((SECONDS + patience + 1))
exec 3< <(exec timeout -k 1 "$patience" nvidia-smi --query-gpu=index,uuid --format=csv,noheader)
while ((SECONDS < limit)) && IFS=$', \t' read -r -t "$((limit - SECONDS))" -u 3 gpu uuid _; do
    [[ $gpu =~ $index && -n ${indices[$gpu]:-} && $uuid =~ $identifier ]] || continue
    uuids+=("$uuid")
    ((++found < most_entries)) || break
done
((found)) || {
    note "nvidia-smi named none of the GPUs in time; they are known by their indices alone"
    exit
}
publish "${uuids[@]}"
