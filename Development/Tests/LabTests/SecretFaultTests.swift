import CommandExecution
import FoundationEssentials
import Glibc
import Testing

extension LabTests.DeploymentFaultTests {
    /// Every call on a node and on the head node that makes a file or sets a mode, while certificates are made and
    /// installed: a look afterwards would miss the instant between making a file and closing it to others.
    @Test(.enabled(if: access("/usr/bin/strace", X_OK) == 0, "there is no strace"))
    func noSecretIsReadableByOthersForAnInstant() async throws {
        let deployment = try await Deployment.blank()
        let lab = deployment.lab
        // Otherwise nodes use the certificate that they have, and none is made.
        try await lab.script("simulator", "set", "node-certificates-may-read", "no")
        var traces: [(host: String, file: String, tracer: Task<CommandResult, any Error>)] = []
        for host in ["head-a", "dgx-02"] {
            let daemon = try await Self.daemon(of: host, lab)
            let file = "/tmp/jobstats-secrets-\(UUID().uuidString)"
            let calls =
                "openat,open,creat,umask,mkdir,mkdirat,chmod,fchmod,fchmodat,rename,renameat,renameat2,link,linkat,symlink"
            let command = Command(
                "strace", ["-f", "-qq", "-y", "-s", "400", "-o", file, "-e", "trace=\(calls)", "-p", "\(daemon)"],
                timeout: .seconds(300))
            traces.append((host, file, Task { try await LocalExecutor().run(command) }))
            try await eventually("the calls of \(host) are watched") {
                FileManager.default.contents(atPath: "/proc/\(daemon)/status").map {
                    !String(decoding: $0, as: UTF8.self).contains("TracerPid:\t0\n")
                } ?? false
            }
        }
        let result = try await deployment.guidedSetup()
        #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
        try await lab.script("simulator", "set", "node-certificates-may-read", "yes")
        for trace in traces {
            trace.tracer.cancel()
            _ = try? await trace.tracer.value
            let text = FileManager.default.contents(atPath: trace.file) ?? Data()
            unlink(trace.file)
            let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
            let secret = lines.filter(Self.isSecret)
            if trace.host != "head-a" {
                #expect(secret.contains { $0.contains("rename") && $0.contains("monitor.key") }, "no key was installed")
            }
            for line in Self.opened(lines) { Issue.record("\(trace.host): open to others for an instant: \(line)") }
        }
    }

    private static func isSecret(_ line: String) -> Bool {
        line.contains("/etc/bcm-role-monitor") || line.contains("monitor.key")
    }

    /// The lines after which somebody else could open a secret file: one that is made with a mode for others, or given one.
    private static func opened(_ lines: [String]) -> [String] {
        var closed: Set<String> = []
        // What each process takes from the modes that it asks for; of one that did not say, nothing is presumed.
        var masks: [Substring: Int] = [:]
        return lines.filter { line in
            let process = line.prefix { $0 != " " }
            if let mask = line.split(separator: "umask(").dropFirst().first {
                masks[process] = Int(mask.prefix { $0.isNumber }, radix: 8)
            }
            guard Self.isSecret(line) else { return false }
            let mask = line.contains("chmod") ? 0 : masks[process, default: 0]
            guard line.contains("O_CREAT") || line.contains("mkdir") || line.contains("chmod") else { return false }
            // Calls that another one interrupted stand in two lines, the first of which has the path and mode.
            let path = line.split(separator: "\"").dropFirst().first.map(String.init) ?? ""
            let digits = line.split(whereSeparator: { ", )".contains($0) }).filter { $0.hasPrefix("0") }
            let modes = digits.compactMap { Int($0, radix: 8) }.filter { $0 > 0o77 }.map { $0 & ~mask }
            if modes.allSatisfy({ $0 & 0o077 == 0 }) {
                if line.contains("O_EXCL") { closed.insert(path) }
                return false
            }
            // A shell's redirection to a file that mktemp has made: its mode stays.
            return !(line.contains("O_CREAT") && closed.contains(path))
        }
    }

    /// The process that answers SSH on a host, as this machine sees it.
    private static func daemon(of host: String, _ lab: Lab) async throws -> pid_t {
        let space = try await lab.output(host, "readlink /proc/self/ns/pid")
        let found = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.first {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0)/ns/pid")) == space
                && FileManager.default.contents(atPath: "/proc/\($0)/cmdline").map {
                    String(decoding: $0, as: UTF8.self).contains("[listener]")
                } == true
        }
        return try #require(found, "no sshd on \(host)")
    }
}
