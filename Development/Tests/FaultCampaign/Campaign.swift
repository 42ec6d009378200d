import FoundationEssentials
import Glibc
import Synchronization
import Testing

/// The fault campaign: components against faults, each cell an experiment with invariants.
///
/// `campaign.txt` beside this file is the matrix. Cells that are tests elsewhere are named there and not repeated;
/// `scripts/faults.sh` runs all of them and prints the matrix with results.
enum Campaign {
    /// One row of the matrix.
    struct Cell: Sendable {
        var component: String
        var fault: String
        /// `quick`, `long` or `lab`.
        var part: String
        /// `Module.Suite/function`; of this campaign's own experiments with the cell's name behind a `#`.
        var test: String
        var experiment: String
        var invariant: String
        var name: String { "\(component.lowercased()).\(fault)" }
    }

    static let table = Result { try read(URL(filePath: #filePath).deletingLastPathComponent().path + "/campaign.txt") }

    static func read(_ path: String) throws -> [Cell] {
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        return try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let fields = line.split(separator: "|", omittingEmptySubsequences: false).map { field in
                String(field.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            }
            guard fields.count == 6 else { throw Failure(description: "six fields are expected: \(line)") }
            return Cell(
                component: fields[0], fault: fields[1], part: fields[2], test: fields[3], experiment: fields[4],
                invariant: fields[5])
        }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Whether the experiments that take minutes run too.
    static let isLong = variable("JOBSTATS_LONG") == "1"

    /// How long the soak lasts; none when nothing is said.
    static let soakMinutes = Int(variable("JOBSTATS_SOAK_MINUTES") ?? "") ?? 0

    private static let wanted = variable("JOBSTATS_FAULTS").map { Swift.Set($0.split(separator: " ").map(String.init)) }

    /// Whether a cell was asked for; all are when nothing is said.
    static func wants(_ cell: String) -> Bool { wanted?.contains(cell) ?? true }

    /// Whether this process may do what the experiments need: namespaces, limits of others, mounts.
    static let isAllowed = geteuid() == 0

    /// Where chance begins: all of it follows from this number and the cell's name, so that a failure can be repeated.
    static let seed = variable("JOBSTATS_FAULT_SEED").flatMap { UInt64($0) } ?? .random(in: 0...0xFFFF_FFFF)

    /// The chance of one cell.
    static func chance(_ cell: String) -> Chance {
        Chance(cell.utf8.reduce(seed &+ 0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
    }

    private static let places = Places(Int(variable("JOBSTATS_FAULTS_AT_ONCE") ?? "") ?? 6)

    /// Runs one cell, a few at a time, and keeps what came of it for `scripts/faults.sh`.
    static func run(
        _ cell: String, needsStrace: Bool = false, location: SourceLocation = #_sourceLocation,
        _ body: (Findings) async throws -> Void
    ) async {
        guard wants(cell) else { return }
        if needsStrace, access("/usr/bin/strace", X_OK) != 0 { return skip(cell, "strace is not installed") }
        await places.take()
        let findings = Findings()
        let start = ContinuousClock.now
        do { try await body(findings) } catch { findings.check(false, "it could not be carried out: \(error)") }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        await places.give()
        for violation in findings.violations {
            Issue.record("\(cell): \(violation) (JOBSTATS_FAULT_SEED=\(seed))", sourceLocation: location)
        }
        let result = findings.violations.isEmpty ? "ok" : "FAILED"
        let words = (findings.violations + findings.notes).joined(separator: "; ").filter { $0 != "\n" && $0 != "\t" }
        keep("\(cell)\t\(result)\t\((seconds * 10).rounded() / 10)\t\(words)\n")
    }

    /// Keeps that a cell cannot be run on this machine, and why.
    static func skip(_ cell: String, _ reason: String) {
        if wants(cell) { keep("\(cell)\tskipped\t0.0\t\(reason)\n") }
    }

    private static func keep(_ line: String) {
        guard let path = variable("JOBSTATS_FAULT_RESULTS") else { return }
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else { return }
        defer { close(file) }
        _ = line.withCString { write(file, $0, strlen($0)) }
    }
}

/// Numbers that only look random: SplitMix64.
struct Chance: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// What an experiment found.
final class Findings: Sendable {
    private let kept = Mutex<(violations: [String], notes: [String])>(([], []))
    var violations: [String] { kept.withLock { $0.violations } }
    var notes: [String] { kept.withLock { $0.notes } }

    /// An invariant; said once when it does not hold.
    func check(_ holds: Bool, _ words: @autoclosure () -> String) {
        guard !holds else { return }
        let words = words()
        kept.withLock { if !$0.violations.contains(words) { $0.violations.append(words) } }
    }

    /// A figure for the matrix.
    func note(_ words: String) { kept.withLock { $0.notes.append(words) } }
}

/// Lets so many in at a time.
actor Places {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = max(1, count) }

    func take() async {
        if free > 0 {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func give() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}

/// Asks until the answer is yes; the time it took, or nil when that is over.
func within(_ limit: Duration, _ condition: () async throws -> Bool) async rethrows -> Duration? {
    let start = ContinuousClock.now
    while true {
        if try await condition() { return ContinuousClock.now - start }
        if ContinuousClock.now - start > limit { return nil }
        try? await Task.sleep(for: .milliseconds(10))
    }
}

extension Duration {
    /// `2.3 s`
    var words: String {
        let tenths = Int((self / .milliseconds(100)).rounded())
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
