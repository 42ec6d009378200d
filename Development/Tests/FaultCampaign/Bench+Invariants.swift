import FoundationEssentials
import Glibc

extension Bench {
    /// The calls of systemctl since the start, but those that only look.
    var calls: [String] { (read("calls") ?? "").split(separator: "\n").map(String.init) }

    func exporters(are state: String) -> Bool { Self.exporters.allSatisfy { read("units/\($0)") == "\(state)\n" } }

    /// Everything as the role says.
    var isRunning: Bool { exporters(are: "active") && target() == Self.target() }
    var isAtRest: Bool { exporters(are: "inactive") && targetNames.isEmpty }

    /// The target files but the other node's.
    var targetNames: [String] {
        names("targets").filter { $0.hasSuffix(".json") && $0 != "\(Self.foreignNode).json" }
    }

    /// Holds while nothing may change: no call of systemctl but to look, no event on any target file, files that can be read,
    /// and a monitor that lives.
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
        ///
        /// - Parameter role: what the last check must have found, as proof that the fault was met.
        func check(_ when: String, role: String? = nil, endedIsFine: Bool = false) {
            let findings = bench.findings
            if let role {
                findings.check(bench.role == role, "\(when): the role is \(bench.role ?? "not told"), not \(role)")
            }
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

    /// Files are whole and this node's, at any instant, and no other's are touched.
    func checkFiles(_ when: String) {
        let own = [Self.node] + options.furtherNames
        for name in names("targets") where name.hasSuffix(".json") {
            let node = String(name.dropLast(5))
            guard node != Self.foreignNode else { continue }
            findings.check(own.contains(node), "\(when): \(name) is not this node's")
            guard let text = read("targets/\(name)") else { continue }
            findings.check(target(of: text) == Self.target(node), "\(when): \(name) holds \(text.prefix(300))")
        }
        do {
            let now = try FileFacts(path("targets/\(Self.foreignNode).json"))
            findings.check(now == foreign, "\(when): another node's target file was touched: \(now)")
        } catch { findings.check(false, "\(when): another node's target file: \(error)") }
        for name in names("state") {
            // What a monitor sets aside it found damaged, or another machine's.
            let isAside = name.hasSuffix(".damaged") || name.hasSuffix(".foreign")
            findings.check(!isAside, "\(when): \(name) was set aside")
            guard name.hasSuffix("_state.json"), !name.hasPrefix("."), let text = read("state/\(name)") else {
                continue
            }
            guard let state = try? JSONDecoder().decode(State.self, from: Data(text.utf8)) else {
                findings.check(false, "\(when): \(name) cannot be read: \(text.prefix(200))")
                continue
            }
            findings.check(
                own.contains(state.hostName) && name == "\(state.hostName)_state.json",
                "\(when): \(name) is \(state.hostName)'s")
        }
    }

    /// Waits for an end state, checking files all the while; notes how long it took.
    ///
    /// - Parameter checks: how many checks may end until then. Unlike time, they do not depend on the machine's load.
    @discardableResult
    func expect(
        _ what: String, _ limit: Duration, checks: Int? = nil, _ condition: () -> Bool
    ) async -> Duration? {
        let first = self.checks
        let time = await within(limit) {
            sample()
            checkFiles(what)
            return condition()
        }
        // A monitor that was started anew counts anew.
        let used = self.checks >= first ? self.checks - first : self.checks
        findings.check(
            time != nil,
            "\(what): not within \(limit.words), \(used) checks: calls \(calls), targets \(names("targets"))")
        guard let time else { return nil }
        if let checks { findings.check(used <= checks, "\(what): it took \(used) checks, not \(checks) at most") }
        findings.note("\(what) after \(time.words)\(checks == nil ? "" : " and \(used) checks")")
        return time
    }

    /// The longest that the contract allows for the end state: a check that is under way, the interval with its spread,
    /// the second look, and the units' settling; and as much again for a machine with two cores that runs six
    /// experiments at once.
    static let bound = Duration.seconds(14)

    /// How many checks may end between a fault and the end state: one that was under way when the fault ended, and one that
    /// began before BCM's or a client's pause after errors was over. The next one does it.
    static let checkBound = 2

    /// Waits for the end state that the contract says, as long and for as many checks as it allows.
    func settle(_ what: String, checks: Int = checkBound, _ condition: () -> Bool) async {
        await expect(what, Self.bound, checks: checks, condition)
    }
}
