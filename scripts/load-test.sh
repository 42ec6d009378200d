#!/usr/bin/env bash
# Makes CPU load for a known time at a known level, to look at in jobstats. Stands alone, so that Slurm can copy it.
#SBATCH --job-name=jobstats-load
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
set -u

usage() {
    cat <<'END_OF_USAGE'
usage: load-test.sh [--seconds N] [--level PERCENT] [--cpus N]
       sbatch [SBATCH-OPTION ...] load-test.sh [--seconds N] [--level PERCENT] [--cpus N]

Makes CPU load on the CPUs that this process may use (a job's own), and says at the end how much CPU time it took.

  --seconds N      how long, 1 to 86400 (300)
  --level PERCENT  of each CPU, 1 to 100 (70)
  --cpus N         how many of the CPUs (all that are allotted)

Exit status: 0 done, 1 the machine gave too little CPU time, 2 usage, 143 ended by SIGTERM, 130 by SIGINT.
END_OF_USAGE
}

refuse() {
    printf 'load-test.sh: %s (see --help)\n' "$1" >&2
    exit 2
}

# number NAME VALUE LEAST MOST: refuses what is no whole number between both.
number() {
    if [[ ! $2 =~ ^[0-9]{1,6}$ ]] || ((10#$2 < $3 || 10#$2 > $4)); then
        refuse "$1 takes a number from $3 to $4, not '$2'"
    fi
}

# Under Slurm the affinity is that of the job's CPUs. Variables of OpenMP would change what nproc says.
allotted=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc) || refuse "nproc does not tell the number of CPUs"
seconds=300 level=70 cpus=$allotted
while (($#)); do
    case $1 in
        --seconds | --level | --cpus)
            [[ -n ${2-} ]] || refuse "$1 needs a number"
            case $1 in
                --seconds) number "$1" "$2" 1 86400 && seconds=$((10#$2)) ;;
                --level) number "$1" "$2" 1 100 && level=$((10#$2)) ;;
                --cpus) number "$1" "$2" 1 "$allotted" && cpus=$((10#$2)) ;;
            esac
            shift
            ;;
        -h | --help) usage && exit 0 ;;
        *) refuse "unknown option: $1" ;;
    esac
    shift
done
[[ -r /proc/self/schedstat ]] || refuse "/proc/self/schedstat is missing, so CPU time cannot be measured"

# microseconds: the present time, without starting a program.
microseconds() { now=${EPOCHREALTIME//[!0-9]/}; }

# work PARENT: load on one CPU. It spins while it is behind its share of CPU time and sleeps while it is ahead.
work() {
    local parent=$1 self=$BASHPID now start end used rest i limit
    exec {idle}<> <(:)
    microseconds
    start=$now end=$((now + seconds * 1000000))
    while ((now < end)); do
        read -r used rest </proc/"$self"/schedstat
        limit=$(((now - start) * level / 100))
        if ((used / 1000 < limit)); then
            for ((i = 0; i < 400; i++)); do :; done
        else
            read -r -t 0.01 -u "$idle" rest
            # Nobody is left to end this one.
            kill -0 "$parent" 2>/dev/null || exit 1
        fi
        microseconds
    done
    read -r used rest </proc/"$self"/schedstat
    printf '%s\n' "$((used / 1000000))"
}

workers=()
# stop STATUS: ends the workers and this script.
stop() {
    trap '' TERM INT
    # One that was just started is in this list before it is in `workers`.
    mapfile -t workers < <(jobs -p)
    ((${#workers[@]} == 0)) || kill "${workers[@]}" 2>/dev/null
    wait
    printf 'ended early\n'
    exit "$1"
}
trap 'stop 143' TERM
trap 'stop 130' INT

results=$(mktemp) || exit 1
# shellcheck disable=SC2094 # workers write there, and this script reads when they are done
exec {report}>"$results" {readable}<"$results"
rm -f "$results"
job=${SLURM_JOB_ID-}
printf 'load of %d %% on %d of %d CPUs for %d s%s\n' "$level" "$cpus" "$allotted" "$seconds" \
    "${job:+, job $job on $(hostname); look with: jobstats $job}"
for ((n = 0; n < cpus; n++)); do
    (
        trap - TERM INT
        work $$
    ) >&"$report" &
    workers+=($!)
done
wait "${workers[@]}"

total=0
while read -r milliseconds <&"$readable"; do total=$((total + milliseconds)); done
wanted=$((seconds * level * cpus * 10))
printf 'CPU time: %d.%03d s of %d.%03d s\n' $((total / 1000)) $((total % 1000)) $((wanted / 1000)) $((wanted % 1000))
if ((total * 10 < wanted * 9)); then
    printf 'load-test.sh: less than nine tenths of it: others use these CPUs, or a limit of the job is lower\n' >&2
    exit 1
fi
