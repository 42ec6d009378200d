# shellcheck shell=bash
# The libraries of this package and their symbol graphs, for docs.sh and api.sh. Source it after lib.sh.
: "${repository:?}"

# The names of the library products, in the manifest's order.
library_names() {
    swift package --package-path "$repository" describe --type json | jq -r '.products[] | select(.type.library) | .name'
}

# make_symbol_graphs: builds the libraries and sets symbol_graphs to the folder of their symbol graphs of public symbols.
make_symbol_graphs() {
    local log
    log=$(mktemp)
    # The flags of scripts/test.sh, so that neither builds anew what the other has built.
    JOBSTATS_WARNINGS=error swift package --package-path "$repository" dump-symbol-graph \
        --minimum-access-level public --skip-synthesized-members >"$log" 2>&1 </dev/null || {
        tail -n 40 "$log" >&2
        rm -f "$log"
        fail 1 "the symbol graphs could not be made (the compiler's last lines are above)"
    }
    # shellcheck disable=SC2034 # for those who source this file
    symbol_graphs=$(sed -n 's/^Files written to //p' "$log")
    rm -f "$log"
    [[ -d $symbol_graphs ]] || fail 1 "swift package dump-symbol-graph does not say where it wrote them"
}

# graphs_of LIBRARY: the files with its symbols, those that it adds to other modules included.
graphs_of() {
    local file
    for file in "$symbol_graphs/$1.symbols.json" "$symbol_graphs/$1"@*.symbols.json; do
        [[ ! -f $file ]] || printf '%s\n' "$file"
    done
}
