# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# What target files cost. Sourced by scripts/bench.sh.

build_files() { build "$repository/Development" target-file-benchmark; }

bench_files() {
    local new=() same=() copies=() touched folder=$workspace/targets a b
    for ((round = 0; round < rounds; round++)); do
        rm -rf "$folder"
        mkdir "$folder"
        read -r a b touched < <("$scratch/target-file-benchmark" "$folder" 2000) || fail 1 "target files could not be measured"
        new+=("$a") same+=("$b")
        mkdir -p "$workspace/copies"
        copies+=("$(python3 "$repository/Development/bench/copy_floor.py" "$folder" "$workspace/copies")")
        rm -rf "$workspace/copies"
    done
    part "2000 target files"
    figure "  floor: copied and flushed, each" ms '' '' "${copies[@]}"
    figure "  written anew, each" ms '' "$(middle "${copies[@]}")" "${new[@]}"
    figure "  written anew in a second" '' '' '' "$(awk -v each="$(middle "${new[@]}")" 'BEGIN { print int(1000 / each) }')"
    figure "  written again without a change, each" ms '' '' "${same[@]}"
    figure "  of these that reached the disk" '' 0 '' "$touched"
}
