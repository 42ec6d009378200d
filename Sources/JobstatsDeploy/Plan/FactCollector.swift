public import CommandExecution
import FoundationEssentials
import ServiceManager

/// Asks a host many things at once: one script that starts a handful of programs, however many queries there are.
package struct FactCollector: Sendable {
    private let files: [String]
    private let contents: [String]
    /// The digests of contents that need not be sent.
    private let expected: [String: String]
    private let links: [String]
    private let units: [String]
    private let users: [String]
    private let packages: [String]
    private let commands: [Command]
    /// Stands after each part of the answer. It is random and on no command line (the script goes to standard input), so
    /// that nothing on the host can put it into a part and answer for another.
    private let marker: String
    private let sums: KnownSums

    /// - Parameters:
    ///   - queries: what to ask.
    ///   - sums: how the digests of large files are remembered on the host; by default they are used and not written.
    ///   - marker: stands between the parts of the answer.
    package init(
        _ queries: some Sequence<Query>, sums: KnownSums = KnownSums(),
        marker: String = FactCollector.randomMarker()
    ) {
        var files = Set<String>(), contents = Set<String>(), expected: [String: String] = [:], links = Set<String>(),
            units = Set<String>()
        var users = Set<String>(), packages = Set<String>(), commands: [Command] = [], seen = Set<Command>()
        for query in queries {
            switch query {
            case .file(let path): files.insert(path)
            case .content(let path): contents.insert(path)
            case .contentUnless(let path, let sha256):
                files.insert(path)
                // Whoever expects something else is sent it.
                if expected.updateValue(sha256, forKey: path) ?? sha256 != sha256 { contents.insert(path) }
            case .link(let path): links.insert(path)
            case .unit(let name): units.insert(name)
            case .user(let name): users.insert(name)
            case .package(let name): packages.insert(name)
            case .command(let command): if seen.insert(command).inserted { commands.append(command) }
            }
        }
        self.files = files.sorted()
        self.contents = contents.union(expected.keys).sorted()
        self.expected = expected.filter { !contents.contains($0.key) }
        self.links = links.sorted()
        self.units = units.sorted()
        self.users = users.sorted()
        self.packages = packages.sorted()
        self.commands = commands
        self.marker = marker
        self.sums = sums
    }

    package static func randomMarker() -> String {
        "=bcm-jobstats-\(UInt64.random(in: .min ... .max))="
    }

    /// Whether there is nothing to ask.
    package var isEmpty: Bool {
        files.isEmpty && contents.isEmpty && links.isEmpty && units.isEmpty && users.isEmpty && packages.isEmpty
            && commands.isEmpty
    }

    /// Asks everything and returns what was answered.
    ///
    /// Guarding each command by a process of its own costs more than most of the answers. So all are asked without that
    /// first; only where this takes too long is each guarded.
    package func collect(with executor: any CommandExecutor) async throws(CommandError) -> Facts {
        do throws(CommandError) {
            return try await glance(with: executor)
        } catch  where error.code == .timedOut {
            return try await guarded(with: executor)
        }
    }

    /// Asks everything, each command with its own time-out.
    package func guarded(with executor: any CommandExecutor) async throws(CommandError) -> Facts {
        try await ask(script, timeout, with: executor)
    }

    /// Asks everything, in the time that the least patient of the commands has, 20 seconds at most.
    package func glance(with executor: any CommandExecutor) async throws(CommandError) -> Facts {
        guard !isEmpty else { return Facts() }
        return try await ask(unguardedScript, patience, with: executor)
    }

    /// How long all together may take when commands are not guarded.
    package var patience: Duration { commands.reduce(Duration.seconds(20)) { min($0, $1.timeout) } }
    /// The script without a time-out for each command.
    package var unguardedScript: String { script(guardsCommands: false) }

    private func ask(
        _ script: String, _ timeout: Duration, with executor: any CommandExecutor
    ) async throws(CommandError) -> Facts {
        let before = Date().timeIntervalSince1970
        let result = try await executor.run(
            Command("sh", ["-s"], input: Array(script.utf8), timeout: timeout, outputLimit: Self.outputLimit))
        var facts = parse(result.standardOutput)
        facts.note(before...max(before, Date().timeIntervalSince1970))
        return facts
    }

    /// How long the script may take.
    package var timeout: Duration { commands.reduce(Duration.seconds(60)) { $0 + $1.timeout } }
    /// How much it may answer.
    package static let outputLimit = 64 << 20

    // MARK: - The script

    /// The script, each command with its own time-out.
    package var script: String { script(guardsCommands: true) }

    /// The script. Every path and name stands in it quoted.
    private func script(guardsCommands: Bool) -> String {
        var text = "LC_ALL=C; export LC_ALL\n"
        func part(_ name: String, _ body: String) {
            text += body + "\nprintf '\\n%s %s %s\\n' \(ShellQuoting.quote(marker)) \(ShellQuoting.quote(name)) $?\n"
        }
        if !files.isEmpty {
            let words = ShellQuoting.quote(files)
            // Identity and times, too: a large file of which they are known is not read again.
            part(
                "files",
                // Where all is there, stat(1) says so by its status, and nothing is looked at twice.
                "m=; t=$(stat --printf '%n\\t%f\\t%U\\t%G\\t%s\\t%.9Z\\t%d:%i:%.9Y\\n' -- \(words) 2>/dev/null) || m=yes; "
                    + "printf '%s\\n' \"$t\"; [ -z \"$m\" ] || (\(Self.missing) \(words))")
            part(
                "sums",
                expected.isEmpty ? "(\n\(sums.script)\n)\n" : "sums=$(\n\(sums.script)\n)\nprintf '%s\\n' \"$sums\"")
        }
        for (index, path) in contents.enumerated() {
            let word = ShellQuoting.quote(path)
            // Of a link, which another host can make on shared storage, no byte is shown. dd(1) refuses one that comes
            // after the test, and takes a large file in one go.
            let bytes =
                "[ -f \(word) ] && [ ! -L \(word) ] && dd if=\(word) bs=131072 count=\(Facts.contentLimit + 1) "
                + "iflag=nofollow,fullblock,count_bytes status=none"
            let known = expected[path].map { ShellQuoting.quote("\n\($0)  \(path)\n") }
            part(
                "content:\(index)", known.map { "case \"\n$sums\n\" in *\($0)*) false ;; *) \(bytes) ;; esac" } ?? bytes
            )
        }
        if !links.isEmpty {
            part(
                "links",
                "l=; for p in \(ShellQuoting.quote(links)); do [ ! -L \"$p\" ] || l=yes; done; [ -z \"$l\" ] || "
                    + "find \(ShellQuoting.quote(links)) -prune -type l -printf '%p\\0%l\\0' 2>/dev/null")
        }
        if !units.isEmpty {
            part(
                "units",
                "\(guardsCommands ? Self.patient : "")systemctl show --no-pager --timestamp=us+utc -p Id,Names,LoadState,ActiveState,UnitFileState,"
                    + "NeedDaemonReload,FragmentPath,ExecMainStartTimestamp,StatusText "
                    + "-- \(ShellQuoting.quote(units)) 2>/dev/null"
            )
        }
        if !users.isEmpty {
            part(
                "users",
                "\(guardsCommands ? Self.patient : "")getent passwd -- \(ShellQuoting.quote(users)) 2>/dev/null")
        }
        if !packages.isEmpty {
            part(
                "packages",
                "dpkg-query -W -f '${Package}\\t${db:Status-Status}\\t${Version}\\n' -- \(ShellQuoting.quote(packages))"
                    + " 2>/dev/null")
        }
        // Commands that run in this shell find no variables of what went before.
        if !commands.isEmpty { text += "unset t l m p sums\n" }
        for (index, command) in commands.enumerated() {
            part("command:\(index)", Self.text(of: command, isGuarded: guardsCommands))
        }
        return text
    }

    /// Before what the system's services answer: one that hangs takes no other answer along.
    private static let patient = "timeout --foreground -k 2 15 "

    /// Names the paths at which nothing stands. Only the system's own "no such file" makes one missing; a path that could
    /// not be looked at stays unknown. All are looked at by one program, those of unusual names again by one each.
    private static let missing = """
        missing() {
            for p; do
                shift
                [ -e "$p" ] || [ -L "$p" ] || set -- "$@" "$p"
            done
            [ $# = 0 ] || all=$(stat -- "$@" 2>&1 >/dev/null)
            for p; do
                case $p in
                    *[!A-Za-z0-9/._-]*) said=$(stat -- "$p" 2>&1 >/dev/null) about=': ' ;;
                    *) said=$all about="'$p': " ;;
                esac
                case $said in
                    *"${about}No such file or directory"* | *"${about}Not a directory"*) printf 'missing\\t%s\\n' "$p" ;;
                esac
            done
        }
        missing
        """

    /// A guarded command runs in the foreground: what ends this script's process group ends the command, too.
    private static func text(of command: Command, isGuarded: Bool) -> String {
        if !isGuarded, command.executable == "sh", command.environment.isEmpty, command.arguments.count > 1,
            command.arguments[0] == "-c"
        {
            // A shell is there already.
            let arguments = ShellQuoting.quote(Array(command.arguments.dropFirst(3)))
            return "(set -- \(arguments); eval \(ShellQuoting.quote(command.arguments[1]))) </dev/null 2>&1"
        }
        let seconds = max(1, command.timeout.components.seconds)
        var words = isGuarded ? ["timeout", "--foreground", "-k", "2", "\(seconds)"] : []
        if !command.environment.isEmpty {
            words += ["env"] + command.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        }
        words += [command.executable] + command.arguments
        return ShellQuoting.quote(words) + " </dev/null 2>&1"
    }

    // MARK: - The answer

    /// Reads the answer. Parts that are missing or damaged leave their queries unanswered.
    package func parse(_ answer: [UInt8]) -> Facts {
        var facts = Facts()
        for (name, status, bytes) in parts(of: answer) {
            let words = name.split(separator: ":", maxSplits: 1)
            let index = words.count > 1 ? Int(words[1]) : nil
            if words.first == "content", let index {
                if status == 0, bytes.count <= Facts.contentLimit { facts.contents[contents[index]] = Array(bytes) }
                continue
            }
            let body = String(decoding: bytes, as: UTF8.self)
            switch (words.first.map(String.init) ?? "", index) {
            case ("files", _): readFiles(body, into: &facts)
            case ("sums", _): readSums(body, into: &facts)
            case ("links", _) where status == 0 || status == 1: readLinks(bytes, into: &facts)
            case ("units", _) where status == 0: readUnits(body, into: &facts)
            case ("users", _) where status == 0 || status == 2: readUsers(body, into: &facts)
            case ("packages", _) where status == 0 || status == 1: readPackages(body, into: &facts)
            case ("command", let index?) where index < commands.count:
                facts.results[commands[index]] = CommandResult(
                    status: status > 128 ? .signalled(status - 128) : .exited(status), standardOutput: Array(body.utf8))
            default: break
            }
        }
        return facts
    }

    /// The parts in the order in which they were asked for. One that is missing, or another one, ends the reading.
    private func parts(of answer: [UInt8]) -> [(name: String, status: Int32, body: ArraySlice<UInt8>)] {
        var parts: [(String, Int32, ArraySlice<UInt8>)] = []
        var rest = answer[...]
        let mark = Array("\n\(marker) ".utf8)
        for expected in partNames {
            guard let found = rest.firstRange(of: mark) else { break }
            let body = rest[..<found.lowerBound]
            let tail = rest[found.upperBound...]
            let end = tail.firstIndex(of: UInt8(ascii: "\n")) ?? tail.endIndex
            let words = String(decoding: tail[..<end], as: UTF8.self).split(separator: " ")
            guard words.count == 2, words[0] == expected, let status = Int32(words[1]) else { break }
            parts.append((expected, status, body))
            rest = end < tail.endIndex ? tail[(end + 1)...] : []
        }
        return parts
    }

    private var partNames: [String] {
        var names: [String] = files.isEmpty ? [] : ["files", "sums"]
        names += contents.indices.map { "content:\($0)" }
        if !links.isEmpty { names.append("links") }
        if !units.isEmpty { names.append("units") }
        if !users.isEmpty { names.append("users") }
        if !packages.isEmpty { names.append("packages") }
        return names + commands.indices.map { "command:\($0)" }
    }

    private func readFiles(_ body: String, into facts: inout Facts) {
        for line in body.split(separator: "\n") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            if fields.count == 2, fields[0] == "missing", files.contains(fields[1]) {
                facts.files[fields[1]] = .missing
                continue
            }
            guard fields.count == 7, let bits = Int(fields[1], radix: 16) else { continue }
            let kind: FileFact.Kind =
                switch bits & 0o170000 {
                case 0o100000: .plain
                case 0o040000: .directory
                case 0o120000: .link
                default: .other
                }
            facts.files[fields[0]] = FileFact(
                kind: kind, mode: bits & 0o7777, owner: fields[2], group: fields[3], size: Int(fields[4]) ?? 0,
                changed: Double(fields[5]) ?? 0, sha256: nil)
        }
    }

    private func readSums(_ body: String, into facts: inout Facts) {
        for line in body.split(separator: "\n") where line.utf8.count > 66 {
            facts.files[String(line.dropFirst(66))]?.sha256 = String(line.prefix(64))
        }
    }

    /// Pairs of path and target, each with a NUL at its end; a path without a pair holds no link.
    private func readLinks(_ body: some Collection<UInt8>, into facts: inout Facts) {
        for link in links { facts.links[link] = .some(nil) }
        let words = body.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        for index in stride(from: 0, to: words.count - 2, by: 2) where links.contains(words[index]) {
            facts.links[words[index]] = words[index + 1]
        }
    }

    private func readUnits(_ body: String, into facts: inout Facts) {
        for block in body.split(separator: "\n\n") {
            var values: [String: String] = [:]
            for line in block.split(separator: "\n") {
                guard let equals = line.firstIndex(of: "=") else { continue }
                values[String(line[..<equals])] = String(line[line.index(after: equals)...])
            }
            guard let load = values["LoadState"], let active = values["ActiveState"] else { continue }
            let fact = UnitFact(
                load: load, active: active, enablement: values["UnitFileState"] ?? "",
                needsReload: values["NeedDaemonReload"] == "yes", path: values["FragmentPath"] ?? "",
                started: values["ExecMainStartTimestamp"].flatMap {
                    Timestamp.parse(Substring($0))?.timeIntervalSince1970
                },
                statusText: values["StatusText"] ?? "")
            let names = (values["Names"] ?? "").split(separator: " ").map(String.init) + [values["Id"] ?? ""]
            for name in names where units.contains(name) { facts.units[name] = fact }
        }
    }

    private func readUsers(_ body: String, into facts: inout Facts) {
        for user in users { facts.users[user] = .some(nil) }
        for line in body.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 7, let id = Int(fields[2]) else { continue }
            facts.users[fields[0]] = UserFact(id: id, home: fields[5], shell: fields[6])
        }
    }

    private func readPackages(_ body: String, into facts: inout Facts) {
        for package in packages { facts.packages[package] = .some(nil) }
        for line in body.split(separator: "\n") {
            let fields = line.split(separator: "\t").map(String.init)
            if fields.count == 3, fields[1] == "installed" { facts.packages[fields[0]] = fields[2] }
        }
    }
}

extension Facts {
    /// Asks a host in one round trip, without a ``PlanRunner``: for tools and tests of their own resources.
    ///
    /// - Parameters:
    ///   - queries: what to ask. What is not answered is absent from the facts.
    ///   - executor: runs commands on the host, which needs a POSIX shell and the GNU tools.
    /// - Throws: `CommandError` when the host cannot be asked, or not in time.
    public static func collect(
        _ queries: [Query], with executor: any CommandExecutor
    ) async throws(CommandError) -> Facts {
        try await FactCollector(queries).collect(with: executor)
    }
}
