#!/bin/sh
# What an export does to Slurm's settings and daemons. With -n it says what it would change, with -y it changes that and
# says so; it says nothing where all is as wanted, and ends with another status than 0 where a person must act.
#
#   conf FILE MARK PATH SETTING...            the settings of slurm.conf
#   restart UNIT FILE MARK PATH SETTING...    a daemon that is older than the mark, or runs with other settings
#   epilog-runs FILE PATH                     slurmctld runs the epilog that slurm.conf names
#   bcm RULE FILE PATH MARK READ WRITE CMSH OPTION...   a setting of BCM's workload manager; WRITE holds PLACEHOLDER
#
# A SETTING is KEY:KIND:PREFIX:MEMBERS, see slurm-setting.awk. The names setting_program, replace_script, restart_script
# and set_script are set before this text.
# shellcheck disable=SC2154
set -eu
LC_ALL=C
export LC_ALL
mode=$1 action=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM

stop() {
    printf '%s\n' "$1" >&2
    exit 1
}

# Copies slurm.conf, with what it includes and what slurmctld runs with, and sets real, digest, folder and known.
look_at() {
    conf=$1
    real=$(readlink -f -- "$conf") || real=''
    if ! [ -f "$real" ] || ! [ -r "$real" ]; then
        stop "there is no $conf: is wlm_instance the name that cmsh lists with \"wlm; list\", and is /cm/shared mounted?"
    fi
    cat <"$real" >"$work/conf"
    digest=$(sha256sum <"$work/conf" | cut -c 1-64)
    [ "$(tr -d '\000' <"$work/conf" | wc -c)" = "$(wc -c <"$work/conf")" ] ||
        stop "$conf holds bytes that no text has: look at it"
    folder=${real%/*}
    known=$(sed -n 's/\r$//; s/[[:space:]]*#.*//; s/[[:space:]]*$//; s/^[[:space:]]*[Ii][Nn][Cc][Ll][Uu][Dd][Ee][[:space:]][[:space:]]*//p' "$work/conf" |
        head -n 64 | while IFS= read -r name; do
        case $name in
            /*) file=$name ;;
            *) file=$folder/$name ;;
        esac
        if [ -f "$file" ] && [ -r "$file" ]; then printf '%s\n' "$name"; fi
    done)
    SLURM_CONF=$conf
    export folder known SLURM_CONF
    answers=yes
    if ! timeout 15 scontrol show config >"$work/running" 2>&1; then
        answers=no
        silence=$(tail -n 3 "$work/running")
        : >"$work/running"
    fi
}

# running KEY: what slurmctld runs with; nothing when it did not tell.
running() {
    key=$1 awk '
        (equals = index($0, "=")) {
            name = substr($0, 1, equals - 1)
            sub(/[ \t]+$/, "", name)
            if (tolower(name) != tolower(ENVIRON["key"])) next
            found = substr($0, equals + 1)
            sub(/^[ \t]+/, "", found)
            sub(/[ \t\r]+$/, "", found)
        }
        END { if (found != "(null)") print found }' "$work/running"
}

# examine SETTING FILE OUT: sets verdict, reason, in_file and runs; values are left in $work/found.
examine() {
    setting=$1
    key=${setting%%:*} rest=${setting#*:}
    kind=${rest%%:*} rest=${rest#*:}
    prefix=${rest%%:*} members=${rest#*:}
    running=$(running "$key") out=$3
    final=no
    [ "$(tail -c 1 <"$2" | od -A n -t u1 | tr -d ' ')" != 10 ] || final=yes
    export key kind prefix members running final out
    awk "$setting_program" <"$2" >"$work/found" || stop "awk could not read $conf"
    {
        read -r verdict reason
        read -r in_file
        read -r runs
    } <"$work/found"
}

# values KEY: the lines of examine for each value of a key.
values() {
    examine "$1:list::" "$work/conf" /dev/null
    sed 1,3d "$work/found"
}

set_conf() {
    file=$1 mark=$2 PATH=$3
    shift 3
    export PATH
    look_at "$file"
    cp -- "$work/conf" "$work/now"
    refused='' changed=''
    for setting; do
        examine "$setting" "$work/now" "$work/next"
        case $verdict in
            refused) refused="${refused:+$refused; }$reason" ;;
            changed)
                changed="${changed:+$changed; }$reason"
                mv -f -- "$work/next" "$work/now"
                ;;
        esac
    done
    # Half of the settings are no use: all of them are written, or none.
    [ -z "$refused" ] || stop "$file: $refused"
    [ -n "$changed" ] || exit 0
    [ "$(stat -c %h -- "$real")" = 1 ] ||
        stop "$file has several hard links, which a replacement would part; make the edit by hand: $changed"
    printf '%s: %s\n' "$file" "$changed"
    [ "$mode" = -y ] || exit 0
    sh -c "$replace_script" sh "$file" "$digest" "$mark" "$(sha256sum <"$work/now" | cut -c 1-64)" <"$work/now"
}

microseconds() {
    case $1 in
        '' | n/a) echo 0 ;;
        *) date -u -d "$1" +%s%6N ;;
    esac
}

restart() {
    unit=$1 file=$2 mark=$3 PATH=$4
    shift 4
    export PATH
    case $(systemctl show --no-pager -p ActiveState --value -- "$unit") in
        active | activating | reloading) ;;
        *) exit 0 ;;
    esac
    reasons='' sets=yes
    if [ -e "$mark" ]; then
        started=$(microseconds "$(systemctl show --no-pager --timestamp=us+utc -p ExecMainStartTimestamp --value -- "$unit")")
        [ "$started" -gt 0 ] || stop "when $unit was started could not be determined"
        if [ "$started" -lt "$(stat -c %.6Z -- "$mark" | tr -d .,)" ]; then
            reasons="$unit was started before the settings changed" sets=no
        fi
    fi
    if [ "$unit" = slurmctld.service ]; then
        look_at "$file"
        stale='' missing=''
        for setting; do
            examine "$setting" "$work/conf" /dev/null
            if [ "$answers" = yes ] && [ "$runs" = no ]; then
                [ "$in_file" = yes ] || missing="$missing $key"
                stale="${stale:+$stale; }slurmctld runs with $key=${running:-(null)}"
            fi
        done
        if [ -n "$missing" ] && [ -z "$reasons" ]; then
            stop "slurm.conf is not as needed in$missing: bring the step on slurm.conf about first"
        fi
        [ -z "$stale" ] || reasons="${reasons:+$reasons; }$stale"
        [ -n "$reasons" ] || [ "$answers" = yes ] || stop "slurmctld gives no answer ($silence): look at: scontrol ping"
    fi
    [ -n "$reasons" ] || exit 0
    printf '%s\n' "$reasons"
    [ "$mode" = -y ] || exit 0
    sh -c "$restart_script" sh "$unit" "$mark" "$sets" "$file" "$PATH" >&2
}

# Sets written and in_use to what slurm.conf and slurmctld say of the epilog.
compare_epilogs() {
    look_at "$1"
    [ "$answers" = yes ] || stop "slurmctld gives no answer ($silence): look at: scontrol ping"
    written=$(values EpilogSlurmctld | tail -n 1 | cut -d ' ' -f 4-)
    in_use=$(running EpilogSlurmctld)
    # Later versions number the values.
    [ -n "$in_use" ] || in_use=$(running 'EpilogSlurmctld[0]')
}

epilog_runs() {
    PATH=$2
    export PATH
    compare_epilogs "$1"
    [ -n "$written" ] && [ "$in_use" != "$written" ] || exit 0
    printf 'slurmctld runs with EpilogSlurmctld=%s, slurm.conf says %s\n' "${in_use:-(null)}" "$written"
    [ "$mode" = -y ] || exit 0
    timeout 60 scontrol reconfigure >&2
    tries=0
    while [ "$tries" -lt 20 ]; do
        compare_epilogs "$1"
        [ "$in_use" != "$written" ] || exit 0
        tries=$((tries + 1))
        sleep 0.5
    done
    stop "slurmctld does not run with EpilogSlurmctld=$written after scontrol reconfigure"
}

# What cmsh says; it reports errors in text and ends with 0 all the same.
ask() {
    said=$(timeout 60 "$@" 2>&1 </dev/null) || stop "cmsh: $said"
    if printf '%s\n' "$said" | grep -qiE '^[[:space:]]*(error|fatal|fail|unknown|no such|invalid|usage|unable|can.?t |cannot|could ?n|permission|access denied|not auth|connection refused|command not found|insufficient)|(does not exist|not found|is not running)[.]?$'; then
        stop "cmsh: $said"
    fi
    printf '%s\n' "$said" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//'
}

# The select type with memory among what is consumed.
with_memory() {
    printf '%s\n' "$1" | awk -F , '{
        whole = $0
        for (i = 1; i <= NF; i++) {
            gsub(/^[ \t]+|[ \t]+$/, "", $i)
            if ($i == "") continue
            if (tolower($i) ~ /_memory$/) good = 1
            part[++n] = $i
        }
        if (good) { print whole; exit }
        for (i = 1; i <= n; i++) {
            low = tolower(part[i])
            if (low == "cr_core" || low == "cr_cpu" || low == "cr_socket") {
                part[i] = low == "cr_core" ? "CR_Core_Memory" : low == "cr_cpu" ? "CR_CPU_Memory" : "CR_Socket_Memory"
                for (i = 1; i <= n; i++) all = all (i > 1 ? "," : "") part[i]
                print all
                exit
            }
        }
        all = "CR_Core_Memory"
        for (i = 1; i <= n; i++) if (tolower(part[i]) != "none") all = all "," part[i]
        print all
    }'
}

# other_epilog FILE: sets others to what slurm.conf names outside BCM's section.
other_epilog() {
    others=''
    [ -f "$1" ] || return 0
    look_at "$1"
    others=$(values EpilogSlurmctld | grep -m 1 '^[0-9]* site ' | cut -d ' ' -f 4-) || others=''
}

set_bcm() {
    rule=$1 file=$2 PATH=$3 mark=$4 read=$5 write=$6
    shift 6
    export PATH
    case $rule in
        epilog=*)
            ours=${rule#*=}
            other_epilog "$file"
            [ "$others" != "$ours" ] || exit 0
            [ -z "$others" ] || stop "slurm.conf has EpilogSlurmctld=$others outside the section of BCM, and it is left alone: have it run $ours, too"
            ;;
    esac
    value=$(ask "$@" "$read")
    wanted=$value
    case $rule in
        yes)
            case $(printf '%s' "$value" | tr '[:upper:]' '[:lower:]') in
                yes | true | 1) ;;
                *) wanted=yes ;;
            esac
            ;;
        select-type) wanted=$(with_memory "$value") ;;
        epilog=*)
            if [ -z "$value" ] || [ "$value" = none ]; then
                wanted=$ours
            elif [ "$value" != "$ours" ]; then
                # Another epilog that runs ours as well is as good.
                if [ -f "$value" ] && grep -vE '^[[:space:]]*#' -- "$value" | grep -qF -- "$ours"; then exit 0; fi
                stop "epilogslurmctld is $value, which is not made by this deployment and is left alone: have it run $ours, too"
            fi
            ;;
        *) stop "unknown rule: $rule" ;;
    esac
    [ "$value" != "$wanted" ] || exit 0
    case $wanted in
        *[!A-Za-z0-9_,./:=@+-]*) stop "cmsh cannot be given the value $wanted: set it by hand" ;;
    esac
    printf '%s, not %s\n' "${value:-not set}" "$wanted"
    [ "$mode" = -y ] || exit 0
    sh -c "$set_script" sh "$mark" "$@" "${write%PLACEHOLDER*}$wanted${write##*PLACEHOLDER}"
    case $rule in epilog=*) ;; *) exit 0 ;; esac
    # BCM writes slurm.conf a little later, and what comes next reads it.
    tries=0
    while [ -f "$file" ] && [ "$tries" -lt 60 ]; do
        look_at "$file"
        [ "$(values EpilogSlurmctld | tail -n 1 | cut -d ' ' -f 4-)" != "$wanted" ] || break
        tries=$((tries + 1))
        sleep 0.5
    done
}

case $action in
    conf) set_conf "$@" ;;
    restart) restart "$@" ;;
    epilog-runs) epilog_runs "$@" ;;
    bcm) set_bcm "$@" ;;
    *) stop "unknown action: $action" ;;
esac
