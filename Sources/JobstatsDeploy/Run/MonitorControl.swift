internal import CommandExecution
internal import Synchronization

/// Hands a request to the role monitors of many nodes, each through its own command on the node.
package struct MonitorControl: Sendable {
    /// What is asked of the monitors.
    package enum Request: Sendable, Hashable {
        /// Stop the exporters and remove the target file for so many seconds.
        case pause(seconds: Int)
        /// End the pause.
        case resume

        var arguments: [String] {
            switch self {
            case .pause(let seconds): ["--pause", "\(seconds)s"]
            case .resume: ["--resume"]
            }
        }
    }

    /// How it came out on one node.
    package struct Result: Sendable, Hashable {
        /// The kinds of outcome, worst first.
        package enum Outcome: String, Sendable, CaseIterable {
            /// The node was not reached: nothing is known.
            case notReached = "not reached"
            /// The request was sent, and the answer did not come: it may have been done.
            case unknown
            /// No monitor runs there, or it refused.
            case failed
            /// It was done.
            case done
        }
        package let host: Host
        package let outcome: Outcome
        /// The monitor's own words, or the reason.
        package let message: String
    }

    private let connector: any HostConnector
    private let parallel: Int

    /// - Parameters:
    ///   - connector: how hosts are reached.
    ///   - parallel: how many at once.
    package init(connector: any HostConnector, parallel: Int = 32) {
        self.connector = connector
        self.parallel = parallel
    }

    /// Sends the request to each host once. One that fails stops no other.
    ///
    /// - Returns: a result for each host, the worst first, then by name.
    package func send(_ request: Request, to hosts: [Host]) async -> [Result] {
        // The monitor answers when exporters are stopped, each of which has half a minute.
        let command = Command(Installed.program(.roleMonitor), request.arguments, timeout: .seconds(180))
        let results = Mutex<[Result]>([])
        await Bounded.forEach(hosts, atOnce: parallel) { host in
            let connection = await connector.connect(to: host)
            let result = await Self.send(command, to: host, over: connection)
            await connection.close()
            results.withLock { $0.append(result) }
        }
        let order = Result.Outcome.allCases
        func rank(_ result: Result) -> Int { order.firstIndex(of: result.outcome) ?? 0 }
        return results.withLock { $0 }.sorted { (rank($0), $0.host) < (rank($1), $1.host) }
    }

    private static func send(_ command: Command, to host: Host, over connection: any HostConnection) async -> Result {
        // A harmless command first: what fails here has certainly done nothing.
        do throws(CommandError) {
            let present = try await connection.run(Command("test", ["-x", command.executable]))
            guard present.succeeded else {
                return Result(
                    host: host, outcome: .failed,
                    message: "there is no role monitor (\(command.executable)) on this host")
            }
        } catch {
            return Result(host: host, outcome: .notReached, message: error.description)
        }
        do throws(CommandError) {
            let result = try await connection.run(command)
            if result.succeeded {
                return Result(host: host, outcome: .done, message: words(result.outputText))
            }
            let reason = words(result.errorText)
            return Result(
                host: host, outcome: .failed, message: reason.isEmpty ? "ended with \(result.status)" : reason)
        } catch {
            return Result(host: host, outcome: .unknown, message: "it may have been done: \(error.description)")
        }
    }

    /// The lines without the decoration of a log, on one line.
    private static func words(_ text: String) -> String {
        ForeignText.printable(text).split(separator: "\n").map { line in
            line.hasPrefix("bcm-role-monitor: ") ? String(line.dropFirst(18)) : String(line)
        }.joined(separator: "; ").trimmed
    }

    /// The hosts that entries such as `dgx-[01-04]` name, each once.
    ///
    /// - Throws: ``HostListProblem`` that names the entry.
    package static func hosts(_ entries: [String], localHost: String) throws(HostListProblem) -> [Host] {
        var hosts: [Host] = []
        for entry in entries {
            let names: [String]
            do {
                names = try HostRange.expand(entry, limit: Setting.hostLimit)
            } catch {
                throw HostListProblem(description: "\(Quoted(entry)) \(error.message)")
            }
            for name in names {
                if let problem = ValueRules.host(name) ?? ValueRules.reserved(name) {
                    throw HostListProblem(description: "\(Quoted(name)) \(problem)")
                }
                hosts.append(Host(name, isLocal: name.lowercased() == localHost.lowercased()))
            }
        }
        return JobstatsPlan.unique(hosts)
    }

    /// The results as a table, and the counts below it.
    package static func table(_ results: [Result]) -> String {
        let rows = [["HOST", "RESULT", "WHAT"]] + results.map { [$0.host.name, $0.outcome.rawValue, $0.message] }
        let widths = (0..<2).map { column in rows.map { $0[column].count }.max() ?? 0 }
        var text = ""
        for row in rows {
            for column in 0..<2 {
                text += row[column] + String(repeating: " ", count: widths[column] - row[column].count + 2)
            }
            text += row[2] + "\n"
        }
        let counts = Result.Outcome.allCases.compactMap { outcome in
            let count = results.count { $0.outcome == outcome }
            return count == 0 ? nil : "\(count) \(outcome.rawValue)"
        }
        return text + "\(results.count) \(results.count == 1 ? "host" : "hosts"): \(counts.joined(separator: ", "))\n"
    }
}

/// Why a list of hosts names none.
package struct HostListProblem: Error, CustomStringConvertible {
    package let description: String
}
