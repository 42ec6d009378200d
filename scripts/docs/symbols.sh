# shellcheck shell=bash
# The libraries of this package and their symbol graphs, for docs.sh and api.sh. Source it after lib.sh.
: "${repository:?}"

# The names of the library products, in the manifest's order.
library_names() {
    swift package --package-path "$repository" describe --type json | jq -r '.products[] | select(.type.library) | .name'
}

# make_symbol_graphs LIBRARY...: builds the package and sets symbol_graphs to the folder of the libraries' public symbols.
#
# They are taken from the modules that `swift build` leaves, since `swift package dump-symbol-graph` builds all anew.
make_symbol_graphs() {
    local log bin library path includes=() target
    log=$(mktemp)
    # The flags of scripts/test.sh, so that neither builds anew what the other has built.
    if ! JOBSTATS_WARNINGS=error swift build --package-path "$repository" >"$log" 2>&1 </dev/null; then
        tail -n 40 "$log" >&2
        rm -f "$log"
        fail 1 "building the libraries failed (the compiler's last lines are above)"
    fi
    bin=$(swift build --package-path "$repository" --show-bin-path)
    target=$(swift -print-target-info | jq --raw-output .target.triple)
    # The C modules: system libraries, those of other packages, and those that SwiftPM describes itself.
    while read -r path; do includes+=(-I "${path%/*}"); done < <(
        find "$repository/Sources" "$repository"/.build/checkouts/*/Sources -name module.modulemap
        find "$bin" -maxdepth 2 -path '*.build/module.modulemap'
    )
    symbol_graphs=$repository/.build/symbol-graphs
    rm -rf "$symbol_graphs"
    mkdir -p "$symbol_graphs"
    for library; do
        swift-symbolgraph-extract -module-name "$library" -target "$target" -sdk / -I "$bin/Modules" "${includes[@]}" \
            -minimum-access-level public -skip-synthesized-members -output-dir "$symbol_graphs" >"$log" 2>&1 || {
            cat "$log" >&2
            rm -f "$log"
            fail 1 "the symbols of $library could not be extracted"
        }
    done
    rm -f "$log"
}

# graphs_of LIBRARY: the files with its symbols, those that it adds to other modules included.
graphs_of() {
    local file
    for file in "$symbol_graphs/$1.symbols.json" "$symbol_graphs/$1"@*.symbols.json; do
        [[ ! -f $file ]] || printf '%s\n' "$file"
    done
}
