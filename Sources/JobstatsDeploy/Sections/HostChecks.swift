import BCMClient
import CommandExecution
import FoundationEssentials

/// What is looked at on a host before anything is changed there. Each check is a command and a judgement of its answer.
enum HostChecks {
    // MARK: Name

    static func name(of host: Host) -> CheckResource {
        let expected = JobstatsPlan.shortName(host)
        return CheckResource("the host answers, and calls itself \(expected)", Command("hostname", ["-s"])) { result in
            let name = result.outputText.trimmed
            guard result.succeeded, !name.isEmpty else {
                return .blocked("the host does not tell its name", remedy: "look at: hostname -s")
            }
            guard name.lowercased() == expected.lowercased() || ValueRules.isIPv4(host.name) else {
                return .warning(
                    "it calls itself \(Quoted(name))",
                    remedy: "is it the right machine? Metrics will carry its own name, not \(expected)")
            }
            return .inPlace(name)
        }
    }

    // MARK: Clock

    static let clock = ClockCheck()

    /// - Parameters:
    ///   - difference: how far the clock is at least from this machine's.
    ///   - uncertainty: how long the question was on its way: so much further it may be.
    static func judgeClock(difference: Double, uncertainty: Double = 0) -> Assessment {
        let seconds = Int(within: abs(difference))
        let words = "the clock is \(seconds) s \(difference < 0 ? "behind" : "ahead")"
        // Prometheus takes samples by its own clock; certificates and job times suffer first.
        switch seconds {
        case ..<5: return .inPlace("within \(max(seconds + Int(within: uncertainty.rounded(.up)), 1)) s")
        case ..<300: return .warning(words, remedy: "look at: timedatectl; chronyc tracking")
        default: return .blocked(words, remedy: "set it right first: timedatectl; chronyc tracking")
        }
    }

    // MARK: System

    static let system = CheckResource(
        "a supported system: systemd 249 or later, x86_64 or aarch64",
        Command(
            "sh",
            [
                "-c",
                """
                uname -m
                systemctl --version | head -n 1
                stat -fc %T /sys/fs/cgroup
                . /etc/os-release && printf '%s %s\\n' "$ID" "$VERSION_ID"
                """,
            ]), judge: judgeSystem)

    static func judgeSystem(_ result: CommandResult) -> Assessment {
        let lines = result.outputText.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        guard lines.count >= 4, let systemd = lines[1].split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return .blocked("the host does not tell what it is", remedy: "is it a Linux with systemd?") }
        let cgroup = lines[2] == "cgroup2fs" ? "cgroup v2" : "cgroup v1"
        let words = "\(lines[3]), \(lines[0]), systemd \(systemd), \(cgroup)"
        guard ArtifactSource.Architecture.all.contains(where: { $0.description == lines[0] }) else {
            return .blocked(
                "\(words): no programs for this architecture", remedy: "leave the host out of the configuration")
        }
        guard systemd >= 249 else {
            return .blocked("\(words): systemd is too old", remedy: "systemd 249 or later is needed (Ubuntu 22.04)")
        }
        let supported = ["ubuntu 22.04", "ubuntu 24.04", "debian 12"]
        guard supported.contains(lines[3]) else {
            return .warning(words, remedy: "tested on Ubuntu 22.04 and 24.04 and on Debian 12 alone")
        }
        return .inPlace(words)
    }

    // MARK: Disk

    static let disk = CheckResource(
        "300 MiB are free where programs and state go",
        Command("df", ["-Pk", "/usr/local", "/etc", "/var/lib"]), judge: judgeDisk)

    static func judgeDisk(_ result: CommandResult) -> Assessment {
        let rows = result.outputText.split(separator: "\n").dropFirst().map { $0.split(separator: " ") }
        let free = rows.compactMap { row -> (place: String, kilobytes: Int)? in
            guard row.count >= 6, let kilobytes = Int(row[3]) else { return nil }
            return (String(row[5]), kilobytes)
        }
        guard !free.isEmpty, let least = free.min(by: { $0.kilobytes < $1.kilobytes }) else {
            return .blocked("the host does not tell its free space", remedy: "look at: df /usr/local /etc /var/lib")
        }
        let words = "\(least.kilobytes >> 10) MiB free on \(least.place)"
        return least.kilobytes < 300 << 10
            ? .blocked(words, remedy: "make room: 300 MiB are needed") : .inPlace(words)
    }

    // MARK: Ports

    /// Gives `PID UNIT PROGRAM` for each listener on a port; `-` where that cannot be told.
    private static let listeners = """
        command -v ss >/dev/null || exit 127
        found=$(ss -Hltnp "sport = :$1")
        [ -n "$found" ] || exit 0
        pids=$(printf '%s\\n' "$found" | grep -o 'pid=[0-9]*' | cut -d = -f 2 | sort -u)
        [ -n "$pids" ] || echo "- - -"
        for pid in $pids; do
            unit=$(sed -n 's,.*:/system\\.slice/\\([^/]*\\.service\\)$,\\1,p' "/proc/$pid/cgroup" | head -n 1)
            printf '%s %s %s\\n' "$pid" "${unit:--}" "$(cat "/proc/$pid/comm")"
        done
        """

    static func port(_ port: Int, for unit: String, of name: String) -> CheckResource {
        CheckResource(
            "port \(port) is free, or \(unit) has it", Command("sh", ["-c", listeners, "sh", String(port)])
        ) { judgePort($0, port, unit, name) }
    }

    static func judgePort(_ result: CommandResult, _ port: Int, _ unit: String, _ name: String) -> Assessment {
        guard result.succeeded else {
            return .warning(
                "who listens on port \(port) cannot be told", remedy: "install iproute2, which has ss, to see it")
        }
        let others = result.outputText.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 2) }
            .filter { $0.count == 3 && $0[1] != unit }
        guard let other = others.first else {
            return .inPlace(result.outputText.isEmpty ? "port \(port) is free" : "\(unit) has it")
        }
        let owner = other[1] == "-" ? "process \(other[0]) (\(other[2]))" : "\(other[1]) (\(other[2]))"
        return .blocked(
            "port \(port) is taken by \(owner), which this deployment did not install",
            remedy:
                "stop and disable that yourself if it is not needed, or choose another port in the configuration, or "
                + "leave \(name) out with --allow skip-\(name)")
    }

    // MARK: Names

    static func resolves(_ names: [String]) -> CheckResource {
        CheckResource(
            "the names of \(names.count) nodes resolve",
            Command(
                "sh",
                ["-c", "for name; do getent ahosts \"$name\" >/dev/null || echo \"$name\"; done", "sh"] + names,
                timeout: .seconds(90)),
            judge: { judgeNames($0, of: names.count) })
    }

    /// A few missing names are those nodes' trouble; without any, the server can scrape nothing.
    static func judgeNames(_ result: CommandResult, of count: Int) -> Assessment {
        let missing = result.outputText.split(separator: "\n").map { String($0) }
        let remedy = "add the names to this server's DNS or /etc/hosts, or set target_domain"
        guard result.succeeded else {
            return .blocked("names cannot be looked up: \(result.errorText.trimmed)", remedy: remedy)
        }
        if missing.isEmpty { return .inPlace() }
        let words = "does not resolve: \(HostRange.compress(missing))"
        return missing.count < count
            ? .warning(words, remedy: remedy) : .blocked(words, remedy: remedy)
    }

    // MARK: Shared storage

    static func mounted(_ directory: String) -> CheckResource {
        CheckResource(
            "\(directory) is on shared storage",
            Command(
                "sh",
                [
                    "-c",
                    """
                    path=$1
                    while [ ! -e "$path" ]; do path=${path%/*}; [ -n "$path" ] || path=/; done
                    findmnt -n -o TARGET,SOURCE,FSTYPE -T "$path"
                    """, "sh", directory,
                ], timeout: .seconds(20))
        ) { judgeMount($0, directory) }
    }

    static func judgeMount(_ result: CommandResult, _ directory: String) -> Assessment {
        let words = result.outputText.split(whereSeparator: \.isWhitespace).map { String($0) }
        guard let target = words.first else {
            return .warning(
                "it cannot be told what is mounted at \(directory)", remedy: "look at: findmnt -T \(directory)")
        }
        guard target != "/" else {
            return .warning(
                "\(directory) is on the root file system",
                remedy: "is the shared storage mounted? look at: findmnt -T \(directory)")
        }
        return .inPlace(words.joined(separator: " "))
    }
}

/// What `cmha status` says about this machine.
enum HeadNodeStatus {
    static func judge(_ result: CommandResult, localHost: String) -> Assessment {
        let text = result.outputText
        // timeout(1) ends so when there is nothing to run.
        if result.status == .exited(127) || result.status == .exited(126) {
            return .blocked(
                "there is no cmsh at \(BCMPaths.cmsh), so this machine is no BCM head node",
                remedy: "run this on the active BCM head node; --dry-run and bundle need none")
        }
        if text.contains("running in active mode") { return .inPlace("\(localHost) is active") }
        if text.contains("running in passive mode") {
            return .blocked("\(localHost) is the passive head node", remedy: "run it on the other: ssh master")
        }
        let said = (text + result.errorText).lowercased()
        let alone = ["no failover", "not configured", "no secondary", "not set up", "failover is not", "not defined"]
        if alone.contains(where: { said.contains($0) }) { return .inPlace("the only head node") }
        guard result.succeeded else {
            return .blocked(
                "cmsh does not answer: \((result.errorText + text).trimmed.prefix(300))",
                remedy: "run this on a BCM head node; look at: \(BCMPaths.cmsh) -c \"cmha status\"")
        }
        // The active head node carries an asterisk; without high availability there is none.
        guard let star = text.firstIndex(of: "*") else {
            // Noise must not pass for a site with one head node.
            guard text.unicodeScalars.allSatisfy({ $0 == "\n" || $0 == "\t" || (0x20..<0x7F).contains($0.value) })
            else {
                return .blocked(
                    "what cmsh answers cannot be understood: \(Quoted(String(text.prefix(60))))",
                    remedy: "look at: \(BCMPaths.cmsh) -c \"cmha status\"")
            }
            return .inPlace("the only head node")
        }
        let before = text[..<star]
        let name = before.split(whereSeparator: \.isWhitespace).last.map { String($0) } ?? ""
        let short = localHost.prefix { $0 != "." }.lowercased()
        guard name.lowercased() == short || name.isEmpty else {
            return .blocked(
                "the active head node is \(Quoted(name)), this is \(localHost)",
                remedy: "run it there: ssh \(ShellQuoting.quote(name))")
        }
        return .inPlace("\(localHost) is active")
    }
}
