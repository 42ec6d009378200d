import DurableFiles
import FoundationEssentials

/// What a run has reached, as it is kept on disk: which step ended how on which host.
///
/// It names the configuration and the plan it belongs to, so that a resume with another one can say what differs.
public struct Progress: Sendable, Hashable, Codable {
    /// The version of this format.
    public static let currentFormat = 1

    /// One step on one host.
    public struct Entry: Sendable, Hashable, Codable {
        /// How it ended, in words: see ``StepOutcome``.
        public var outcome: String
        /// When it ended, in whole seconds since 1970.
        public var at: Int
        /// How long it took, in seconds.
        public var seconds: Double
        /// What was done or wrong.
        public var detail: String
    }

    /// The version of the format.
    public var format = currentFormat
    /// The configuration, with every setting written out.
    public var configuration: String
    /// SHA-256 of the plan in words.
    public var plan: String
    /// When the first run began, in whole seconds since 1970.
    public var began: Int
    /// Host, then step id, then what came of it.
    public var hosts: [String: [String: Entry]] = [:]

    /// Creates progress that has reached nothing.
    public init(configuration: String, plan: String, began: Int) {
        self.configuration = configuration
        self.plan = plan
        self.began = began
    }
}

/// Why saved progress cannot be used.
public struct ProgressError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of trouble; more may be added.
    public struct Code: Sendable, Hashable {
        private let name: String
        /// There is none.
        public static let missing = Code(name: "missing")
        /// It cannot be read or understood.
        public static let damaged = Code(name: "damaged")
        /// It was written by another version of this program.
        public static let otherFormat = Code(name: "other format")
        /// It belongs to another configuration or plan.
        public static let otherPlan = Code(name: "other plan")
    }
    /// The kind.
    public let code: Code
    /// The file, the reason and the remedy.
    public let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
    /// Whether both are of the same kind.
    public static func == (left: ProgressError, right: ProgressError) -> Bool { left.code == right.code }
}

/// The progress file: written whole after each step on each host, steps that end together in one write.
public actor ProgressFile: ProgressRecorder {
    private let path: String
    private var progress: Progress
    private var written = 0
    private var recorded = 0
    private var isWriting = false
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private var problem: String?
    /// What is written of each host, as JSON: of thousands, few change between one write and the next.
    private var encodedHosts: [String: [UInt8]] = [:]

    /// Takes over what was reached before; nothing is written until a step ends.
    public init(path: String, continuing progress: Progress) {
        self.path = path
        self.progress = progress
    }

    /// Reads saved progress.
    ///
    /// - Throws: ``ProgressError`` when there is none or it is damaged or of another version. Nothing is changed.
    public static func load(_ path: String) throws(ProgressError) -> Progress {
        let bytes: [UInt8]?
        do {
            bytes = try DurableFile.read(path)
        } catch {
            throw ProgressError(.damaged, "\(error). Without it, run again without --resume: what is in place is found")
        }
        guard let bytes else {
            throw ProgressError(.missing, "there is no progress at \(path): nothing to resume; run without --resume")
        }
        return try decode(bytes, path)
    }

    /// Reads the bytes of a progress file.
    static func decode(_ bytes: [UInt8], _ path: String) throws(ProgressError) -> Progress {
        struct Header: Decodable { var format: Int }
        let remedy = "Move it away and run again without --resume: what is in place is found and left alone"
        guard let header = try? JSONDecoder().decode(Header.self, from: Data(bytes)) else {
            throw ProgressError(.damaged, "\(path) is damaged. \(remedy)")
        }
        guard header.format == Progress.currentFormat else {
            throw ProgressError(
                .otherFormat,
                "\(path) has format \(header.format), this program knows \(Progress.currentFormat). \(remedy)")
        }
        guard let progress = try? JSONDecoder().decode(Progress.self, from: Data(bytes)) else {
            throw ProgressError(.damaged, "\(path) is damaged. \(remedy)")
        }
        return progress
    }

    /// Names the plan that this run carries out; saved with the next result.
    ///
    /// - Returns: whether progress of another plan is continued.
    public func begin(planDigest: String) -> Bool {
        defer { progress.plan = planDigest }
        return !progress.plan.isEmpty && progress.plan != planDigest
    }

    /// Saves results; returns when they are on disk.
    public func record(_ results: [StepResult]) async -> String? {
        for result in results {
            encodedHosts[result.host.name] = nil
            let seconds =
                Double(result.duration.components.seconds) + Double(result.duration.components.attoseconds) * 1e-18
            progress.hosts[result.host.name, default: [:]][result.step] = Progress.Entry(
                outcome: result.outcome.rawValue, at: Int(Date().timeIntervalSince1970),
                seconds: (seconds * 1000).rounded() / 1000, detail: result.detail)
        }
        recorded += 1
        let mine = recorded
        while written < mine {
            if isWriting {
                await withCheckedContinuation { waiters.append($0) }
                continue
            }
            isWriting = true
            let covered = recorded
            do {
                let bytes = try Self.encode(progress, &encodedHosts)
                problem = await Task.detached { [path] in Self.write(bytes, to: path) }.value
            } catch {
                problem = "progress was not saved: \(error)"
            }
            written = covered
            isWriting = false
            let woken = waiters
            waiters = []
            for waiter in woken { waiter.resume() }
        }
        return problem
    }

    /// The whole of it, as ``Progress`` is decoded.
    ///
    /// - Parameter encodedHosts: what is encoded already of hosts that have not changed since; the others are added.
    static func encode(_ progress: Progress, _ encodedHosts: inout [String: [UInt8]]) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        for (name, steps) in progress.hosts where encodedHosts[name] == nil {
            encodedHosts[name] = try Array(encoder.encode(name)) + Array(":".utf8) + Array(encoder.encode(steps))
        }
        let hosts = encodedHosts.sorted { $0.key < $1.key }.map(\.value)
        var header = progress
        header.hosts = [:]
        // A string's own quotation marks have a backslash before them, so this is the key.
        let bytes = try Array(encoder.encode(header)), key = Array("\"hosts\":{".utf8)
        guard let start = bytes.firstRange(of: key)?.upperBound else { return try Array(encoder.encode(progress)) }
        var whole = Array(bytes[..<start])
        whole.reserveCapacity(hosts.reduce(bytes.count) { $0 + $1.count + 1 })
        whole += hosts.joined(separator: [UInt8(ascii: ",")])
        return whole + bytes[start...]
    }

    private static func write(_ bytes: [UInt8], to path: String) -> String? {
        do {
            try DurableFile.write(bytes, to: path, mode: 0o600)
            return nil
        } catch {
            return "progress was not saved: \(error)"
        }
    }
}
