import BCMClient
import Glibc
import Logging
import ServiceManager

// What a check costs: BCMClient looks for one device over one kept connection. The twin of bench/check_floor.c.
//
// usage: check-benchmark HOST PORT REQUESTS CA CERTIFICATE KEY NAME [TIMES]
// TIMES is how often NAME is in the list, once when nothing is said. With the name * all devices are decoded and kept, of which
// there are TIMES.
// Prints the CPU time of one look-up in milliseconds, the number of connections, the most resident memory in kB, and the
// resident memory at the end. As the role monitor does, it gives back what start-up used.

func cpuMilliseconds() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func milliseconds(_ time: timeval) -> Double { Double(time.tv_sec) * 1e3 + Double(time.tv_usec) / 1e3 }
    return milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime)
}

/// The second number of /proc/self/statm, which counts pages.
func residentKilobytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    guard fgets(&line, 128, file) != nil else { return 0 }
    let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(
        separator: " ")
    return (words.count > 1 ? Int(words[1]) ?? 0 : 0) * sysconf(CInt(_SC_PAGESIZE)) / 1024
}

func complain(_ text: String) {
    let line = "check-benchmark: \(text)\n"
    _ = write(2, line, line.utf8.count)
}

/// The CPU time of one look-up. Not on the main thread, as in the monitor: a hop to it would be measured with each.
@concurrent func measure(_ client: RESTClient, _ requests: Int, _ name: String, _ times: Int) async throws -> Double {
    var start = 0.0
    for request in -3..<requests {
        if request == 0 {
            ServiceMemory.release()
            start = cpuMilliseconds()
        }
        let found = name == "*" ? try await client.devices().count : try await client.lookUp([name]).matches.count
        guard found == times else {
            complain("\(name) was found \(found) times and not \(times)")
            exit(1)
        }
    }
    return (cpuMilliseconds() - start) / Double(requests)
}

let arguments = CommandLine.arguments
guard (8...9).contains(arguments.count), let port = Int(arguments[2]), let requests = Int(arguments[3]), requests > 0,
    let times = arguments.count == 9 ? Int(arguments[8]) : 1
else {
    complain("usage: check-benchmark HOST PORT REQUESTS CA CERTIFICATE KEY NAME [TIMES]")
    exit(2)
}
do {
    let client = try RESTClient(
        configuration: RESTClient.Configuration(
            headNodes: [HeadNode(host: arguments[1], port: port)], certificateFile: arguments[5], keyFile: arguments[6],
            trust: .authority(file: arguments[4])),
        logger: Logger(label: "check-benchmark") { _ in SwiftLogNoOpLogHandler() })
    let each = try await measure(client, requests, arguments[7], times)
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let thousandths = Int((each * 1000).rounded())
    let fraction = String(thousandths % 1000 + 1000).dropFirst()
    print("\(thousandths / 1000).\(fraction) \(client.connectionsOpened) \(usage.ru_maxrss) \(residentKilobytes())")
} catch {
    complain("\(error)")
    exit(1)
}
