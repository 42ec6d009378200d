#!/bin/bash
# Made by the jobstats deployment: changes here are lost when it runs again.
#
# Stores the summary of a job that ended: `jobstats` computes it from Prometheus, and it goes into the job's AdminComment
# in Slurm's database, where `jobstats` finds it after Prometheus has forgotten the job. slurmctld runs this as SlurmUser
# with next to no environment. It always ends with 0, within a bounded time.
trap 'exit 0' EXIT HUP INT TERM
exec </dev/null >/dev/null 2>&1
PATH=/cm/shared/apps/slurm/current/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
LC_ALL=C
# jobstats writes UTF-8, and Python would otherwise ask the locale.
export PATH LC_ALL PYTHONIOENCODING=utf-8 PYTHONDONTWRITEBYTECODE=1
# Where BCM keeps Slurm's configuration, for sites that leave no link in Slurm's own place.
if [ -z "${SLURM_CONF:-}" ] && [[ ${SLURM_CLUSTER_NAME:-} =~ ^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$ ]]; then
    conf=/cm/shared/apps/slurm/var/etc/$SLURM_CLUSTER_NAME/slurm.conf
    [ ! -r "$conf" ] || export SLURM_CONF=$conf
fi
# Set by tests alone: programs in a folder of their own, and no waiting.
root=${JOBSTATS_TEST_ROOT:-}
pauses=(5 15)
[ -z "$root" ] || { PATH=$root/bin:/usr/bin:/bin pauses=(0 0); }
store=$root/usr/local/bin/store_jobstats.py
time_limit=60

# One line for each job at most, and a short one: a Prometheus that is away must not flood the log of a busy cluster.
log() {
    local text=${2//[^[:print:]]/ }
    logger -t "slurmctldepilog" -p "daemon.$1" -- "job ${job:-?}: ${text:0:300}"
}

number='^[1-9][0-9]{0,18}$'
job=${SLURM_JOB_ID:-}
[[ $job =~ $number ]] || { job='' && log warning "slurmctld gave no job id"; exit; }
# The array task that carries the array's own number can only be told from the whole array by its task.
key=$job
if [ "${SLURM_ARRAY_JOB_ID:-}" = "$job" ] && [[ ${SLURM_ARRAY_TASK_ID:-} =~ ^[0-9]{1,10}$ ]]; then
    key=${job}_$SLURM_ARRAY_TASK_ID
fi

# slurmdbd learns of the end of a job a little later than slurmctld.
summary='' problem=''
for pause in "${pauses[@]}"; do
    sleep "$pause"
    # Python may warn of this and that: the summary is the line that has its form.
    answer=$(timeout -k 5 "$time_limit" jobstats -f -b "$job" 2>&1)
    status=$?
    if [ "$status" = 127 ]; then
        problem="there is no jobstats in $PATH"
        break
    elif [ "$status" = 124 ] || [ "$status" = 137 ]; then
        problem="jobstats gave no answer within $time_limit s"
        break
    elif [ "$status" != 0 ]; then
        problem="jobstats failed with status $status: ${answer##*$'\n'}"
    elif [[ ${#answer} -le 65000 && $'\n'$answer$'\n' =~ $'\n'(Short|None|H4s[A-Za-z0-9+/]+=*)$'\n' ]]; then
        summary=${BASH_REMATCH[1]}
        problem=''
        break
    else
        problem="jobstats gave no summary: ${answer:0:80}"
    fi
done
[ -z "$problem" ] || { log warning "$problem"; exit; }

# A site with an external database has upstream's program for it; its summaries go there alone.
if [ -x "$store" ]; then
    answer=$(timeout -k 5 "$time_limit" "$store" --cluster="${SLURM_CLUSTER_NAME:-unknown}" --jobid="$job" \
        --stats="JS1:$summary" 2>&1)
else
    answer=$(timeout -k 5 "$time_limit" sacctmgr -i update job where "jobid=$key" set "AdminComment=JS1:$summary" 2>&1)
fi
status=$?
if [ "$status" = 0 ]; then
    log debug "summary of ${#summary} bytes stored"
else
    log warning "the summary could not be stored, status $status: ${answer##*$'\n'}"
fi
