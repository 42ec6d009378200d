import CommandExecution
import FoundationEssentials
import Glibc
import Testing

extension LabTests.DeploymentFaultTests {
    /// Every call on a node and on the head node that makes a file or sets a mode, while certificates are made and
    /// installed: a look afterwards would miss the instant between making a file and closing it to others.
    @Test(hasTracer) func noSecretIsReadableByOthersForAnInstant() async throws {
        let deployment = try await Deployment.blank()
        let lab = deployment.lab
        // Otherwise nodes use the certificate that they have, and none is made.
        try await lab.script("simulator", "set", "node-certificates-may-read", "no")
        let head = try await Trace(of: "head-a", lab)
        let node = try await Trace(of: "dgx-02", lab)
        let outcome = await Task { try await deployment.guidedSetup() }.result
        let traces = [("head-a", await head.end()), ("dgx-02", await node.end())]
        let result = try outcome.get()
        #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
        try await lab.script("simulator", "set", "node-certificates-may-read", "yes")
        let isSecret: (String) -> Bool = { $0.contains("/etc/bcm-role-monitor") || $0.contains("monitor.key") }
        for (host, lines) in traces {
            let wasInstalled = lines.contains { $0.contains("rename") && $0.contains("monitor.key") }
            if host != "head-a" { #expect(wasInstalled, "no key was installed") }
            for line in Self.opened(lines, isSecret) { Issue.record("\(host): open to others for an instant: \(line)") }
        }
    }

    /// The administrator's password of Grafana is made on the server: it is never in a file that others can read, and
    /// never a word of a command.
    @Test(hasTracer, takesMinutes) func thePasswordOfGrafanaIsNeverOpenToOthers() async throws {
        let site = SlurmSite(deployment: try await .blank())
        let lab = site.deployment.lab
        try #require(lab.hasSlurm, "Grafana's stand-in comes with Slurm: scripts/lab.sh up --slurm")
        // What is only in the way of the password, and slow while every call is watched: packages.
        let before = try await site.guidedSetup("--section", "1", "6")
        #expect(before.succeeded, "\(before.outputText)\(before.errorText)")
        try await lab.output(
            "mon-01", "apt-get update -qq && apt-get install -qq -y --no-install-recommends python3",
            timeout: .seconds(200))
        let trace = try await Trace(of: "mon-01", lab, "execve", "write")
        let outcome = await Task { try await site.guidedSetup("--section", "1", "7") }.result
        let lines = await trace.end()
        let result = try outcome.get()
        #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
        let file = "/etc/bcm-jobstats/grafana.env"
        #expect(lines.contains { $0.contains("link") && $0.contains(file) }, "no password was made")
        // A script is shown with the command that runs it; its calls have lines of their own.
        for line in Self.opened(lines, { $0.contains("/etc/bcm-jobstats/") && !$0.contains("execve(") }) {
            Issue.record("open to others for an instant: \(line)")
        }
        let password = try await lab.output("mon-01", "sed -n 's/^GF_SECURITY_ADMIN_PASSWORD=//p' \(file)")
        #expect(password.count == 32)
        let forms = [password, Data("admin:\(password)".utf8).base64EncodedString()]
        let showing = lines.filter { line in forms.contains { line.contains($0) } }
        #expect(showing.contains { $0.contains("write(") && $0.contains("/etc/bcm-jobstats/") }, "nobody wrote it")
        for line in showing {
            #expect(!line.contains("execve("), "on a command line: \(line)")
            // write(1<PLACE>, ...: the file itself, a pipe to the next command, or the connection to Grafana.
            let place = line.split(separator: "<").dropFirst().first ?? ""
            let isClosed = ["/etc/bcm-jobstats/", "pipe:", "socket:", "TCP"].contains { place.hasPrefix($0) }
            #expect(isClosed, "open to others: \(line)")
        }
        let shown = "grep -lF -e \(forms[0]) -e \(forms[1])"
        // Looked at here, since a search there would find itself.
        let commands = try await lab.output("mon-01", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
        #expect(forms.allSatisfy { !commands.contains($0) })
        #expect(try await lab.output("mon-01", "journalctl --no-pager | \(shown) || true").isEmpty)
        let everywhere = "\(shown) -r \(Deployment.state) /cm/shared/apps/jobstats || true"
        #expect(try await lab.output("head-a", everywhere).isEmpty)
        #expect(forms.allSatisfy { !result.outputText.contains($0) && !result.errorText.contains($0) })
    }

    private static var hasTracer: ConditionTrait {
        .enabled(if: access("/usr/bin/strace", X_OK) == 0, "there is no strace")
    }

    /// The calls of whatever a host's sshd starts.
    private struct Trace {
        private let file = "/tmp/jobstats-secrets-\(UUID().uuidString)"
        private let tracer: Task<CommandResult, any Error>

        /// Begins; every call that makes a file or sets a mode is kept, and those that are named.
        init(of host: String, _ lab: Lab, _ others: String...) async throws {
            let daemon = try #require(
                try await LabTests.DeploymentFaultTests.processes(of: host, saying: "[listener]", lab).first,
                "no sshd on \(host)")
            let usual =
                "openat,open,creat,umask,mkdir,mkdirat,chmod,fchmod,fchmodat,rename,renameat,renameat2,link,linkat,symlink"
            let calls = ([usual] + others).joined(separator: ",")
            let command = Command(
                "strace", ["-f", "-qq", "-y", "-s", "400", "-o", file, "-e", "trace=\(calls)", "-p", "\(daemon)"],
                timeout: .seconds(500))
            tracer = Task { try await LocalExecutor().run(command) }
            try await eventually("the calls of \(host) are watched") {
                FileManager.default.contents(atPath: "/proc/\(daemon)/status").map {
                    !String(decoding: $0, as: UTF8.self).contains("TracerPid:\t0\n")
                } ?? false
            }
        }

        /// Ends, and gives the calls, each on a line.
        func end() async -> [String] {
            tracer.cancel()
            _ = try? await tracer.value
            let text = FileManager.default.contents(atPath: file) ?? Data()
            unlink(file)
            return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    /// The lines after which somebody else could open a secret file: one that is made with a mode for others, or given one.
    private static func opened(_ lines: [String], _ isSecret: (String) -> Bool) -> [String] {
        var closed: Set<String> = []
        // What each process takes from the modes that it asks for; of one that did not say, nothing is presumed.
        var masks: [Substring: Int] = [:]
        return lines.filter { line in
            let process = line.prefix { $0 != " " }
            if let mask = line.split(separator: "umask(").dropFirst().first {
                masks[process] = Int(mask.prefix { $0.isNumber }, radix: 8)
            }
            guard isSecret(line) else { return false }
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

    /// The processes of a host, as this machine numbers them, whose command line has this in it.
    static func processes(of host: String, saying words: String, _ lab: Lab) async throws -> [pid_t] {
        let space = try await lab.output(host, "readlink /proc/self/ns/pid")
        return try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.filter {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0)/ns/pid")) == space
                && FileManager.default.contents(atPath: "/proc/\($0)/cmdline").map {
                    String(decoding: $0, as: UTF8.self).contains(words)
                } == true
        }
    }
}
