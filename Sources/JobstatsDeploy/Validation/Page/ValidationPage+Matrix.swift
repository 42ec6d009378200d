extension ValidationPage {
    /// With more hosts than this, the rows of those without a problem are drawn thin, so that all can be seen at once.
    private static let fewHosts = 40
    /// With more hosts than this, all rows are lower.
    private static let manyHosts = 100

    /// Hosts against checks. Without JavaScript it is a plain table; cells hold a letter each, and are as short as HTML
    /// lets them be.
    var table: String {
        """
        <section aria-labelledby="matrix-title">
        <h2 id="matrix-title">Hosts and checks</h2>
        \(tools)
        <div class="scroller" id="scroller">
        <table id="matrix" class="\(classes)">
        <caption class="unseen-text">Hosts against checks, the worst first</caption>
        <thead>
        <tr class="groups"><td></td>\(groupHeads)</tr>
        <tr class="titles"><th scope="col">Host</th>\(columnHeads)</tr>
        </thead>
        <tbody>
        \(rows)</tbody>
        </table>
        </div>
        \(legend)
        </section>
        </main>
        """
    }

    private var classes: String {
        let count = matrix.hosts.count
        return count > Self.manyHosts ? "thin many" : count > Self.fewHosts ? "thin" : ""
    }

    private var tools: String {
        let boxes = ValidationState.allCases.map { state in
            "<label class=\"box\"><input type=\"checkbox\" value=\"\(state.rank)\"> \(HTML.mark(state)) \(state.words)"
                + " <span class=\"number\">\(matrix.count(state))</span></label>"
        }.joined(separator: "\n")
        return """
            <form id="tools" class="tools" role="search" aria-label="Filter of hosts and checks" hidden>
            <label class="find">Filter <input type="search" id="filter" autocomplete="off" spellcheck="false" \
            aria-keyshortcuts="/" placeholder="host, check or text  ( / )"></label>
            <fieldset><legend>Only</legend>
            \(boxes)
            </fieldset>
            <label class="box"><input type="checkbox" id="thin"\(matrix.hosts.count > Self.fewHosts ? " checked" : "")> \
            thin rows for hosts without a problem</label>
            <p id="hits" role="status" aria-live="polite"></p>
            </form>
            """
    }

    private var legend: String {
        let states = ValidationState.allCases.map { "<span>\(HTML.mark($0)) \($0.words)</span>" }.joined(separator: " ")
        return """
            <p class="legend">\(states) <span>empty: does not apply</span></p>
            <p class="legend keys" id="keys" hidden><kbd>/</kbd> filter, <kbd>arrows</kbd> <kbd>Home</kbd> \
            <kbd>End</kbd> move, <kbd>n</kbd> <kbd>p</kbd> next and previous problem, <kbd>Enter</kbd> details, \
            <kbd>Esc</kbd> back</p>
            <noscript><p class="legend">What was seen by the checks that passed is shown with JavaScript only.</p></noscript>
            """
    }

    private var groupHeads: String {
        matrix.groups.map { group in
            "<th scope=\"colgroup\" colspan=\"\(group.checks.count)\" title=\"\(HTML.text(group.title))\"><span>\(group.number)"
                + "\(group.checks.count > 2 && !group.title.isEmpty ? ". " + HTML.text(group.title) : "")</span></th>"
        }.joined()
    }

    private var columnHeads: String {
        var text = ""
        var column = 0
        for group in matrix.groups {
            for (index, check) in group.checks.enumerated() {
                let worst = matrix.cells.compactMap { $0[column]?.state }.min() ?? .skipped
                let classes = (index == 0 ? ["g"] : []) + (worst.isTrouble ? [worst.pageClass] : [])
                text += "<th scope=\"col\"\(classes.isEmpty ? "" : " class=\"\(classes.joined(separator: " "))\"")>"
                text += "<span>\(HTML.text(check.title))</span></th>"
                column += 1
            }
        }
        return text
    }

    private var rows: String {
        var text = ""
        for (row, host) in matrix.hosts.enumerated() {
            text += "<tr\(matrix.isTroubled(row) ? "" : " class=q")><th scope=row>\(HTML.text(host.name))"
            for (column, verdict) in matrix.cells[row].enumerated() {
                guard let state = verdict?.state else {
                    // The line end must not become the content of the last cell.
                    text += column + 1 < matrix.cells[row].count ? "<td>" : "<td></td>"
                    continue
                }
                text += state == .passed ? "<td>+" : "<td class=\(state.pageClass)>\(state.letter)"
            }
            text += "\n"
        }
        return text
    }
}
