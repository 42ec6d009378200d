import Glibc
import RoleMonitor

// Measures the role monitor's own code; scripts/bench.sh runs it.
//
// usage: monitor-benchmark fleet HEAD-NODE CA CERTIFICATE KEY FOLDER COUNT INTERVAL PREFIX
//        monitor-benchmark passes HEAD-NODE[,HEAD-NODE] CA CERTIFICATE KEY FOLDER NODE PASSES EVERY [flips]
//
// fleet: COUNT monitors in this process, as on so many nodes that have just booted, until FOLDER/end exists. Each has its own state,
// schedule and connection; systemd, shared storage and metrics are stand-ins. Then it prints the requests that were sent,
// the connections that were opened, and the most that were open at once per monitor.
// passes: one monitor makes PASSES checks without a pause, at a clock that runs a hundred times faster, and prints memory
// each time that EVERY were made. `systemctl` is what PATH has; target files are in FOLDER/targets. With "flips" the role
// is taken out of BCM's answer at every tenth check.

if let status = MonitorService.storageChildStatus(arguments: CommandLine.arguments) { _exit(status) }

func complain(_ text: String) -> Never {
    let line = "monitor-benchmark: \(text)\n"
    _ = write(2, line, line.utf8.count)
    _exit(1)
}

let words = CommandLine.arguments
do {
    switch words.count > 1 ? words[1] : "" {
    case "fleet" where words.count == 10:
        guard let count = Int(words[7]), count > 0, let interval = Int(words[8]), interval > 0 else {
            complain("COUNT and INTERVAL are numbers above 0")
        }
        try await Fleet(count: count, interval: .seconds(interval), prefix: words[9], folder: words[6])
            .run(configuration(words[2...5], folder: words[6]))
    case "passes" where words.count == 10 || words.count == 11:
        guard let passes = Int(words[8]), passes > 0, let every = Int(words[9]), every > 0 else {
            complain("PASSES and EVERY are numbers above 0")
        }
        var passing = Passes(node: words[7], count: passes, every: every)
        passing.flips = words.count == 11
        try await passing.run(configuration(words[2...5], folder: words[6]), folder: words[6])
    default: complain("see the first lines of its main.swift for how to use it")
    }
} catch {
    complain("\(error)")
}
// Threads of requests that are under way must not delay the end.
_exit(0)

/// The settings that both have in common: head nodes, authority, certificate, key.
func configuration(_ words: ArraySlice<String>, folder: String) -> MonitorConfiguration {
    let words = Array(words)
    var configuration = MonitorConfiguration(headNodes: words[0].split(separator: ",").map(String.init))
    configuration.authorityFile = words[1]
    configuration.certificateFile = words[2]
    configuration.keyFile = words[3]
    configuration.areRolesVisible = true
    configuration.metricsTextfile = nil
    return configuration
}
