# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# What target files cost. Sourced by scripts/bench.sh.

build_files() { build "$repository/Development" target-file-benchmark; }

# on_disk: the name, inode and moment of the last change, as the kernel has them, of each file and of the folder itself, which
# a file that came and went has changed.
on_disk() { find "$folder" -printf '%P %i %C@\n' | sort; }

# write_targets: one program that writes 2,000 files; sets `each` and `written`, the latter by the writer's own word.
write_targets() {
    local said
    said=$("$scratch/target-file-benchmark" "$folder" 2000 2>&1) || fail 1 "target files could not be measured: $said"
    read -r each written <<<"$said"
}

bench_files() {
    local new=() same=() copies=() touched=() words=() folder=$workspace/targets each written value
    for ((round = 0; round < rounds; round++)); do
        rm -rf "$workspace/targets" "$workspace/copies"
        mkdir "$workspace/targets" "$workspace/copies"
        write_targets
        ((written == 2000)) || fail 1 "$written of 2000 target files were written"
        new+=("$each")
        on_disk >"$workspace/before"
        write_targets
        same+=("$each") words+=("$written")
        on_disk >"$workspace/after"
        touched+=("$(diff "$workspace/before" "$workspace/after" | grep -c '^[<>]' || :)")
        value=$(python3 "$repository/Development/bench/copy_floor.py" "$folder" "$workspace/copies" 2>"$workspace/errors") ||
            fail 1 "the floor for target files could not be measured: $(tail -n 3 "$workspace/errors")"
        copies+=("$value")
    done
    part "2000 target files"
    figure "  floor: copied and flushed, each" ms '' '' "${copies[@]}"
    figure "  written anew, each" ms '' "$(middle "${copies[@]}")" "${new[@]}"
    figure "  written anew in a second" '' '' '' "$(awk -v each="$(middle "${new[@]}")" 'BEGIN { print int(1000 / each) }')"
    figure "  written again without a change, each" ms '' '' "${same[@]}"
    figure "  of these written by the writer's own word" '' 0 '' "${words[@]}"
    figure "  of these new or changed on disk (name, inode, time of change)" '' 0 '' "${touched[@]}"
}
