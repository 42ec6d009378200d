# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# Thousands of monitors against one head node. Sourced by scripts/bench.sh.

build_fleet() {
    build "$repository" monitor-benchmark
    build "$repository/Development" bcm-simulator
}

# rates FROM SECONDS: of the requests that the simulated head node got from then on: how many, the mean and the most in a
# second, and the most in a second per mean.
rates() {
    awk -v from="$1" -v seconds="$2" '$5 == "/rest/v1/device" && $1 >= from && $1 < from + seconds { n++; s[int($1 - from)]++ }
        END {
            for (second in s) if (s[second] > most) most = s[second]
            mean = n / seconds
            printf "%d %.1f %d %.2f\n", n, mean, most, (mean > 0 ? most / mean : 0)
        }' "$workspace/fleet/bcm/access"
}

# open_connections: those to the simulated head node, as the kernel lists them at the server's end.
open_connections() {
    awk -v port="$(printf ':%04X' "$bcm_port")" '$2 ~ port "$" && $4 == "01" { n++ } END { print n + 0 }' /proc/net/tcp
}

fault() { "$simulator" set --directory "$workspace/fleet/bcm" fault "$1" >/dev/null; }

bench_fleet() {
    local folder=$workspace/fleet needed=$((5 * monitors + 500)) process start back i lasting=() all mean most ratio
    (($(ulimit -Sn) >= needed)) || ulimit -Sn "$needed" 2>/dev/null ||
        fail "$exit_cannot_run" "$monitors monitors need $needed descriptors: raise the limit (ulimit -n), or give fewer --monitors"
    mkdir -p "$folder/states"
    make_bcm "$folder/bcm" vm
    "$simulator" set --directory "$folder/bcm" generate-devices "$monitors" >/dev/null
    serve_bcm "$folder/bcm"
    "$programs_directory/monitor-benchmark" fleet "127.0.0.1:$bcm_port" "$folder/bcm/pki/cacert.pem" "$folder/bcm/pki/admin.pem" \
        "$folder/bcm/pki/admin.key" "$folder/states" "$monitors" "$interval" generated-gpu-node- \
        >"$folder/output" 2>"$folder/errors" &
    process=$!
    on_exit "end_process $process"
    wait_until 120 grep -qx running "$folder/output" || fail 1 "the monitors did not start: $(tail -n 3 "$folder/errors")"
    start=$EPOCHREALTIME
    part "$monitors monitors that booted together, an interval of $interval s, one head node (about $((7 * interval + 10)) s)"
    sleep "$interval" # each has made its first check
    for ((i = 0; i < 2; i++)); do
        sleep "$interval"
        lasting+=("$(open_connections)")
    done
    read -r all mean most ratio < <(rates "$(plus "$start" 0)" "$interval")
    figure "  requests in the first interval, beside the number of monitors" '' 0.9: "$monitors" "$all"
    figure "  most requests in a second of it, beside their mean" '' 2 "$mean" "$most"
    read -r all mean most ratio < <(rates "$(plus "$start" "$interval")" $((2 * interval)))
    figure "  requests in each of the next two intervals" '' 0.9:1.1 "$monitors" "$(ratio_of "$all" 2)"
    figure "  most requests in a second of these, beside their mean" '' 2 "$mean" "$most"
    figure "  connections that stay open" '' 0.9:1 "$monitors" "${lasting[@]}"
    figure "  CPU of a check in this fleet" ms '' '' "$(cpu_of "$process" | awk -v n="$(grep -c /rest/v1/device "$folder/bcm/access")" '{ printf "%.2f\n", $1 / n }')"
    figure "  anonymous memory of the process, each monitor's part" kB '' '' $(($(memory_of "$process" | cut -d ' ' -f 3) / monitors))

    fault refuse
    sleep $((2 * interval))
    figure "  outage: connections after two intervals" '' '' '' "$(open_connections)"
    back=$EPOCHREALTIME
    fault none
    sleep "$interval"
    read -r all mean most ratio < <(rates "$back" 5)
    figure "  back: most requests in one of the first 5 seconds" '' 0.2:2 "$(awk -v n="$monitors" -v i="$interval" 'BEGIN { print n / i }')" "$most"
    read -r all mean most ratio < <(rates "$back" "$interval")
    figure "  back: requests in the first interval, beside the number of monitors" '' 0.9: "$monitors" "$all"
    figure "  back: most requests in a second of it, beside their mean" '' 2 "$mean" "$most"
    sleep "$interval"
    read -r all mean most ratio < <(rates "$(plus "$back" "$interval")" "$interval")
    figure "  back: requests in the interval after it" '' 0.9: "$monitors" "$all"
    figure "  back: most requests in a second of that" '' 2 "$mean" "$most"
    figure "  back: connections then" '' 0.9:1 "$monitors" "$(open_connections)"
    : >"$folder/states/end"
    wait_until 30 is_gone "$process" || fail 1 "the monitors did not end"
    read -r all mean most < <(tail -n 1 "$folder/output")
    figure "  connections that one monitor opened, the most" '' 1:2 '' "$most"
}
