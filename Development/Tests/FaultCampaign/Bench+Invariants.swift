import FoundationEssentials
import Glibc

extension Bench {
    /// The calls of systemctl that change something, since the start.
    var calls: [String] { (read("calls") ?? "").split(separator: "\n").map(String.init) }

    func exporters(are state: String) -> Bool { Self.exporters.allSatisfy { read("units/\($0)") == "\(state)\n" } }

    /// Everything as the role says.
    var isRunning: Bool { exporters(are: "active") && target() == Self.target() }
    var isAtRest: Bool { exporters(are: "inactive") && names("targets").filter { $0.hasSuffix(".json") }.isEmpty }

    /// Holds while nothing may change: no stop, no start, no event on any target file, and a state that can be read.
    final class Freeze: Sendable {
        private let bench: Bench
        private let calls: Int
        private let targets: FolderWatch
        private let monitor: pid_t?

        /// - Parameter startsLater: whether the monitor is started after this.
        init(_ bench: Bench, startsLater: Bool = false) throws {
            self.bench = bench
            calls = bench.calls.count
            targets = try FolderWatch(bench.path("targets"))
            monitor = startsLater ? nil : bench.monitor?.identifier
        }

        /// Looks at all that happened since the start.
        func check(_ when: String, endedIsFine: Bool = false) {
            let findings = bench.findings
            let new = bench.calls.dropFirst(calls)
            findings.check(new.isEmpty, "\(when): \(new.joined(separator: ", "))")
            let events = targets.drain().filter { $0.name.hasSuffix(".json") }
            findings.check(
                events.isEmpty, "\(when): \(events.map { "\($0.name) event \($0.mask)" }.joined(separator: ", "))")
            bench.checkFiles(when)
            if !endedIsFine {
                let process = bench.monitor?.identifier
                findings.check(
                    bench.monitor?.isAlive == true && (monitor ?? process) == process, "\(when): the monitor ended")
            }
        }
    }

    private struct State: Decodable {
        var version: Int
        var hostName: String
    }

    /// Files are whole and this node's, at any instant.
    func checkFiles(_ when: String, mayBeAbsent: Bool = true) {
        for name in names("targets") where name.hasSuffix(".json") {
            let node = String(name.dropLast(5))
            let content = target(node)
            findings.check(
                content == nil || content == Self.target(node), "\(when): \(name) holds \(content?.prefix(300) ?? "")")
        }
        for name in names("state") where name.hasSuffix("_state.json") {
            guard let text = read("state/\(name)") else { continue }
            findings.check(
                (try? JSONDecoder().decode(State.self, from: Data(text.utf8))) != nil,
                "\(when): \(name) cannot be read: \(text.prefix(200))")
        }
    }

    /// Waits for an end state, checking files all the while; notes how long it took.
    @discardableResult
    func expect(_ what: String, _ limit: Duration, _ condition: () -> Bool) async -> Duration? {
        let time = await within(limit) {
            checkFiles(what)
            return condition()
        }
        findings.check(time != nil, "\(what): not within \(limit.words): calls \(calls), targets \(names("targets"))")
        if let time { findings.note("\(what) after \(time.words)") }
        return time
    }

    /// The longest that the contract allows for the end state: a check that is under way, the interval with its spread,
    /// the second look, and the units' settling; and as much again for a machine with two cores that runs six
    /// experiments at once.
    static let bound = Duration.seconds(14)

    /// No process, no temporary file, no mount.
    func checkLeftovers() async {
        let time = await within(.seconds(5)) { Self.processes(naming: folder).isEmpty }
        findings.check(time != nil, "processes are left: \(Self.processes(naming: folder))")
        for place in ["targets", "state", "metrics"] {
            let left = names(place).filter { $0.hasSuffix(".new") || $0.hasSuffix(".tmp") }
            findings.check(left.isEmpty, "\(place): temporary files are left: \(left)")
        }
        let mounts = (try? String(contentsOf: URL(filePath: "/proc/self/mounts"), encoding: .utf8)) ?? ""
        findings.check(!mounts.contains(folder), "a mount is left")
    }

    /// The processes whose command line names a folder.
    static func processes(naming folder: String) -> [String] {
        let own = getpid()
        return ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { name in
            guard let process = pid_t(name), process != own,
                let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline")
            else { return nil }
            let words = String(decoding: line.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
            return words.contains(folder) ? "\(process) \(words)" : nil
        }
    }
}
