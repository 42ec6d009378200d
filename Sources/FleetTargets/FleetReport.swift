internal import CommandExecution
internal import FoundationEssentials
internal import RoleMonitor

/// What was seen of a fleet's target files, and what was done.
public struct FleetReport: Sendable, Hashable {
    /// How it came out; more may be added.
    public struct Outcome: Sendable, Hashable, CustomStringConvertible {
        /// The kind in words.
        public let description: String
        /// The exit status of a program that says so.
        public let exitStatus: Int32

        /// All is well.
        public static let fine = Outcome(description: "all well", exitStatus: 0)
        /// Something is not as it should be, or failed.
        public static let wrong = Outcome(description: "something is wrong", exitStatus: 1)
        /// BCM gave no answer to go by, about some node or any.
        public static let unknown = Outcome(description: "unknown", exitStatus: 3)
        /// No head node is trusted, or none authorises this client.
        public static let notAuthorised = Outcome(description: "not trusted or not authorised", exitStatus: 4)
    }

    /// What was asked for: `list`, `check`, `prune`, `sync` or `write`.
    public let command: String
    /// The targets directory.
    public let directory: String
    /// Each file, and each that is missing, sorted by name.
    public internal(set) var files: [FleetFile]
    /// How it came out.
    public internal(set) var outcome = Outcome.fine
    /// What went wrong, in words, with what to do.
    public internal(set) var problems: [String] = []
    /// What an operator should know beside that.
    public internal(set) var notes: [String] = []
    /// Whether an interruption left changes undone.
    var isInterrupted = false

    init(_ command: String, directory: String, files: [FleetFile] = []) {
        self.command = command
        self.directory = directory
        self.files = files
    }

    /// `200 files: 197 current, 2 orphaned, 1 foreign; 2 removed`.
    public var summary: String {
        let states = FleetFile.State.all.compactMap { state in
            let count = files.count { $0.state == state }
            return count == 0 ? nil : "\(count) \(state)"
        }
        let actions = Dictionary(grouping: files.filter { $0.action != .none }, by: \.action.description)
            .map { "\($0.value.count) \($0.key)" }.sorted()
        let present = files.count { $0.state != .missing }
        let head = "\(present) \(present == 1 ? "file" : "files") in \(directory)"
        return head + (states.isEmpty ? "" : ": " + states.joined(separator: ", "))
            + (actions.isEmpty ? "" : "; " + actions.joined(separator: ", "))
    }

    /// A table of the files, and below it problems, notes and the summary. Names of files and what else comes from shared
    /// storage hold no control character and are cut after some words; ``json`` has all of it.
    ///
    /// - Parameter showsCurrent: whether files that are as they should be stand in it, too.
    public func table(showsCurrent: Bool = false) -> String {
        let shown = files.filter { showsCurrent || $0.state != .current || $0.action != .none }
        var text = ""
        if !shown.isEmpty {
            text += TextTable.aligned(
                [["FILE", "STATE", "ACTION", "TARGETS", "REASON"]]
                    + shown.map {
                        [
                            Self.printable($0.fileName), "\($0.state)", $0.action == .none ? "-" : "\($0.action)",
                            Self.few($0.targets), $0.reason.isEmpty ? "-" : Self.printable($0.reason),
                        ]
                    })
        }
        for problem in problems { text += "\(ForeignText.printable(problem))\n" }
        for note in notes { text += "note: \(ForeignText.printable(note))\n" }
        return text + ForeignText.printable(summary) + "\n"
    }

    /// The report as one JSON object, ended by a newline; its schema stands in `docs/prom-targets.md`.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let counts = Dictionary(
            uniqueKeysWithValues: FleetFile.State.all.map { state in
                (state.description, files.count { $0.state == state })
            })
        let document = Document(
            command: command, directory: directory,
            files: files.map {
                .init(
                    action: $0.action.description, name: $0.fileName, reason: $0.reason.isEmpty ? nil : $0.reason,
                    state: $0.state.description, targets: $0.targets)
            }, counts: counts, notes: notes, outcome: outcome.description, problems: problems,
            status: outcome.exitStatus)
        guard let data = try? encoder.encode(document) else { return "{}\n" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    private struct Document: Encodable {
        struct File: Encodable {
            var action: String
            var name: String
            var reason: String?
            var state: String
            var targets: [String]
        }
        var version = 1
        var command: String
        var directory: String
        var files: [File]
        var counts: [String: Int]
        var notes: [String]
        var outcome: String
        var problems: [String]
        var status: Int32
    }

    /// For a cell of the table: names of files come from anyone who may write there.
    private static func printable(_ text: String) -> String {
        let cell = ForeignText.printable(String(text.prefix(260))).replacing("\n", with: "?").replacing("\t", with: "?")
        return cell.count > 260 ? cell.prefix(259) + "…" : cell
    }

    /// The first targets, and how many there are besides.
    private static func few(_ targets: [String]) -> String {
        guard !targets.isEmpty else { return "-" }
        let shown = printable(targets.prefix(shownTargets).joined(separator: ","))
        return targets.count > shownTargets ? "\(shown) and \(targets.count - shownTargets) more" : shown
    }

    private static let shownTargets = 5
}

extension FleetReport {
    /// Notes why nothing can be told, or that some of it cannot.
    mutating func conclude(_ unknown: UnknownFleet?) {
        if let unknown {
            problems.insert("BCM cannot be asked, so nothing is removed: \(unknown.message)", at: 0)
            outcome = unknown.isRefusal ? .notAuthorised : .unknown
        } else if outcome == .fine, files.contains(where: { $0.state == .undecided }) {
            outcome = .unknown
        }
    }

    /// The error for a run that was interrupted between its changes.
    func endIfInterrupted() throws(FleetError) {
        guard isInterrupted else { return }
        throw FleetError(
            .cancelled, path: directory,
            reason: "interrupted after \(files.count { $0.action == .written || $0.action == .removed }) changes",
            remedy: "the other files are as they were; run it again")
    }

    mutating func fail(_ problem: String) {
        problems.append(problem)
        outcome = .wrong
    }
}
