#!/bin/bash
# Made by the jobstats deployment: changes here are lost when it runs again.
#
# Takes away what the prolog noted in /run/gpustat for the job that ends. It goes by the job's number and not by the
# devices, so it needs no nvidia-smi, and what belongs to another job stays. slurmd runs it as root at the end of every
# job on the node; it always ends with 0: anything else drains the node.
trap 'exit 0' EXIT HUP INT TERM
exec </dev/null >/dev/null 2>&1
PATH=/usr/bin:/bin:/usr/sbin:/sbin
LC_ALL=C
# Set by tests alone; users cannot set variables of an epilog, save SPANK_*.
root=${JOBSTATS_TEST_ROOT:-}
[ -z "$root" ] || PATH=$root/bin:$PATH
export PATH LC_ALL
directory=$root/run/gpustat

[[ ${SLURM_JOB_ID:-} =~ ^(0|[1-9][0-9]{0,18})$ ]] || exit 0
[ -d "$directory" ] || exit 0
mine=()
for file in "$directory"/*; do
    [ -f "$file" ] || continue
    job=
    read -r job _ <"$file"
    [ "$job" != "$SLURM_JOB_ID" ] || mine+=("$file")
done
((${#mine[@]})) || exit 0
rm -f -- "${mine[@]}" || logger -t jobstats-epilog -p daemon.warning -- "job $SLURM_JOB_ID: $directory cannot be cleaned"
