import Synchronization

/// Shows a run while it happens: painted lines on a terminal, plain lines elsewhere.
///
/// Elsewhere a line comes for each failure and for the end of each section, not for what is in place. Changes have a line
/// each on up to ``fewHosts`` hosts and one line for each host beyond that, so that a log of 2,000 hosts stays readable.
/// A section that goes to all its hosts at once only looks: what it found is told at its end, in the order of steps and
/// hosts, with hosts of which the same is to be said together.
package final class RunDisplay: Sendable {
    private static let fewHosts = 8

    private struct Section {
        var number = 0
        var title = ""
        var total = 0
        var ended = Set<Host>()
        var troubled = Set<Host>()
        var changed = Set<Host>()
        var changes: [Host: Int] = [:]
        var looks = false
        /// Of a section that only looks, what is to be told, and each one's place among its host's steps.
        var findings: [(place: Int, result: StepResult)] = []
        var places: [Host: Int] = [:]
        var active: [Host: (step: String, since: ContinuousClock.Instant)] = [:]
        var began = ContinuousClock.now
    }
    private let state = Mutex(Section())
    /// When lines were painted last; nil while none are there.
    private let painting = Mutex<ContinuousClock.Instant?>(nil)
    private let console: any Console
    private let style: Style
    private let showsResults: Bool

    /// Creates a display.
    ///
    /// - Parameter showsResults: whether results are told as they come; otherwise only that work is under way.
    package init(console: any Console, showsResults: Bool = true) {
        self.console = console
        self.showsResults = showsResults
        style = Style(usesColour: console.usesColour)
    }

    package func show(_ event: RunEvent) {
        state.withLock { section in
            switch event {
            case .sectionBegan(let number, let title, let hosts, let waves):
                section = Section(number: number, title: title, total: hosts.count)
                section.looks = waves.count == 1 && hosts.count > 1
                clear()
                guard showsResults else { break }
                let order = waves.count > 1 ? ", \(waves.map(String.init).joined(separator: ", then ")) at a time" : ""
                console.write("\(style.bold("\(number). \(title)"))  \(Words.count(hosts.count, "host"))\(order)\n")
            case .hostBegan(let host, _): section.active[host] = ("", ContinuousClock.now)
            case .stepBegan(let host, _, let title): section.active[host] = (title, ContinuousClock.now)
            case .stepEnded(let result): if showsResults { line(result, &section) }
            case .hostEnded(let host, _):
                section.active[host] = nil
                if showsResults, section.total > Self.fewHosts, let count = section.changes[host] {
                    clear()
                    console.write("   \(host): \(Words.count(count, "step")) \(style.good("changed"))\n")
                }
                section.ended.insert(host)
            case .sectionEnded:
                clear()
                if showsResults {
                    tell(section.findings)
                    console.write("   \(summary(section))\n")
                }
                return
            case .notice(let text):
                clear()
                console.writeError(Words.wrap("warning: \(text)", console.columns) + "\n")
            }
            paint(section)
        }
    }

    /// Paints, at most twenty times a second: hundreds of hosts make more events than a terminal can show.
    private func paint(_ section: Section) {
        guard console.isTerminal else { return }
        painting.withLock { last in
            let now = ContinuousClock.now
            if let last, now - last < .milliseconds(50) { return }
            last = now
            console.paint(painted(section))
        }
    }

    private func clear() {
        painting.withLock { last in
            console.paint([])
            last = nil
        }
    }

    /// Takes away what is painted.
    package func end() { state.withLock { _ in clear() } }

    private func line(_ result: StepResult, _ section: inout Section) {
        let label: String
        section.places[result.host, default: 0] += 1
        switch result.outcome {
        case .changed:
            section.changed.insert(result.host)
            section.changes[result.host, default: 0] += 1
            if section.total > Self.fewHosts { return }
            label = "changed"
        case .wouldChange:
            section.changed.insert(result.host)
            label = "would change"
        case .failed:
            section.troubled.insert(result.host)
            label = "failed"
        case .needsConsent:
            section.troubled.insert(result.host)
            label = "needs consent"
        case .notBegun:
            section.troubled.insert(result.host)
            return
        default:
            guard result.isWarning else { return }
            label = "look at this"
        }
        if section.looks, result.outcome != .changed {
            section.findings.append((section.places[result.host] ?? 0, result))
            return
        }
        clear()
        write(result, label, on: result.host.name)
    }

    /// What a section found that only looked.
    private func tell(_ findings: [(place: Int, result: StepResult)]) {
        struct Key: Hashable {
            let step: String
            let outcome: StepOutcome
            let detail: String
            let remedy: String?
            let difference: String?
        }
        var groups: [Key: (place: Int, results: [StepResult])] = [:]
        for (place, result) in findings {
            // Hosts that differ in nothing but their names say the same.
            let key = Key(
                step: result.step, outcome: result.outcome,
                detail: result.detail.replacing(result.host.name, with: StepGroup.placeholder),
                remedy: result.remedy?.replacing(result.host.name, with: StepGroup.placeholder),
                difference: result.difference)
            var group = groups[key] ?? (place, [])
            group.place = min(group.place, place)
            group.results.append(result)
            groups[key] = group
        }
        let ordered = groups.map {
            (key: $0.key, place: $0.value.place, results: $0.value.results.sorted { $0.host < $1.host })
        }
        .sorted { ($0.place, $0.results[0].host) < ($1.place, $1.results[0].host) }
        for (key, _, results) in ordered {
            var result = results[0]
            if results.count > 1 { (result.detail, result.remedy) = (key.detail, key.remedy) }
            let label = result.outcome == .inPlace ? "look at this" : result.outcome.rawValue
            write(result, label, on: Words.hosts(results.map(\.host.name)))
        }
    }

    private func write(_ result: StepResult, _ label: String, on hosts: String) {
        let mark: (String) -> String =
            switch result.outcome {
            case .changed: style.good
            case .failed: style.bad
            default: style.warn
            }
        // The word is coloured after the line is broken, since a terminal shows nothing of the codes.
        let text = self.text(of: result, label, hosts)
            .replacing(": \(label)", with: ": " + mark(label), maxReplacements: 1)
        console.write(text + "\n")
        if let difference = result.difference {
            console.write(difference.split(separator: "\n").map { "      \(style.difference($0))\n" }.joined())
        }
    }

    /// A result in words: lines as wide as the terminal; a log keeps each whole.
    private func text(of result: StepResult, _ label: String, _ hosts: String) -> String {
        var lines = ["\(hosts): \(result.title): \(label)"]
        if result.outcome != .changed || !console.isTerminal {
            let detail = result.detail.split(whereSeparator: \.isNewline)
            if let first = detail.first { lines[0] += ": \(first)" }
            lines += detail.dropFirst().map(String.init)
        }
        if let remedy = result.remedy { lines.append("-> \(remedy)") }
        let indented = lines.enumerated().map { index, line in
            guard console.isTerminal else { return (index == 0 ? "   " : "      ") + line }
            let wrapped = Words.wrap(line, console.columns, indent: "      ")
            return index == 0 ? String(wrapped.dropFirst(3)) : wrapped
        }
        return indented.joined(separator: "\n")
    }

    private func summary(_ section: Section) -> String {
        var parts = ["\(section.ended.count) of \(section.total) visited"]
        if !section.changed.isEmpty { parts.append("\(section.changed.count) with changes") }
        if !section.troubled.isEmpty { parts.append(style.bad("\(section.troubled.count) with trouble")) }
        if section.changed.isEmpty && section.troubled.isEmpty { parts.append("all in place") }
        return parts.joined(separator: ", ") + ", \(Words.time(ContinuousClock.now - section.began))"
    }

    /// A bar, and the hosts that are being worked on, longest first.
    private func painted(_ section: Section) -> [String] {
        let columns = console.columns - 1
        let width = 24
        let filled = section.total == 0 ? width : width * section.ended.count / section.total
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        var lines = [Words.cut("   [\(bar)] \(section.ended.count)/\(section.total)", columns)]
        let active = section.active.sorted { $0.value.since < $1.value.since }
        for (host, work) in active.prefix(8) {
            let time = Words.time(ContinuousClock.now - work.since)
            lines.append(Words.cut("   \(Words.fit(host.name, 16)) \(Words.fit(work.step, 40)) \(time)", columns))
        }
        if active.count > 8 { lines.append("   and \(active.count - 8) more") }
        return lines
    }
}

/// Emphasis for terminals; plain text without colours.
package struct Style: Sendable {
    let usesColour: Bool

    package init(usesColour: Bool) { self.usesColour = usesColour }

    package func bold(_ text: String) -> String { paint(text, "1") }
    package func good(_ text: String) -> String { paint(text, "32") }
    package func warn(_ text: String) -> String { paint(text, "33") }
    package func bad(_ text: String) -> String { paint(text, "31") }

    package func difference(_ line: some StringProtocol) -> String {
        switch line.first {
        case "+": good(String(line))
        case "-": bad(String(line))
        default: String(line)
        }
    }

    private func paint(_ text: String, _ code: String) -> String {
        usesColour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
