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

        init(_ bench: Bench) throws {
            self.bench = bench
            calls = bench.calls.count
            targets = try FolderWatch(bench.path("targets"))
            monitor = bench.monitor?.identifier
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
                findings.check(
                    bench.monitor?.isAlive == true && bench.monitor?.identifier == monitor, "\(when): the monitor ended"
                )
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

/// Programs in the place of what cannot be here.
enum StandIn {
    /// A `systemctl` for the units in a folder. What goes wrong is the word in `systemctl-fault`.
    static func systemctl(_ folder: String) -> String {
        """
        #!/bin/sh
        # Stands in for systemctl: units are files that hold their state, and "calls" is what was asked for.
        PATH=/usr/bin:/bin
        cd '\(folder)' || exit 1
        fault=; [ ! -e systemctl-fault ] || read -r fault <systemctl-fault
        case $fault in
        hang) exec sleep 3600 ;;
        fail) echo 'Failed to connect to bus: Connection refused' >&2; exit 1 ;;
        garbage) exec head -c 20000 /dev/urandom ;;
        die) kill -9 $$ ;;
        esac
        verb=; units=
        for word; do
            case $word in
            -*) ;;
            *) if [ -z "$verb" ]; then verb=$word; else units="$units $word"; fi ;;
            esac
        done
        become() { echo "$2" >"units/.$1.$$"; mv "units/.$1.$$" "units/$1"; }
        for unit in $units; do
            state=inactive; read -r state <"units/$unit"
            load=loaded; [ ! -e "units/$unit.load" ] || read -r load <"units/$unit.load"
            case $verb in
            show)
                [ "$load" = loaded ] || state=inactive
                sub=dead; [ "$state" != active ] || sub=running
                [ "$fault" != other ] || unit=other.service
                printf 'Id=%s\\nNames=%s\\nLoadState=%s\\nActiveState=%s\\nSubState=%s\\nResult=success\\nNRestarts=0\\n\\n' \\
                    "$unit" "$unit" "$load" "$state" "$sub" ;;
            start)
                echo "start $unit" >>calls
                if [ -e "units/$unit.breaks" ]; then become "$unit" failed
                elif [ "$fault" != lie ]; then become "$unit" active; fi ;;
            stop) echo "stop $unit" >>calls; [ "$fault" = lie ] || become "$unit" inactive ;;
            esac
        done

        """
    }
}
