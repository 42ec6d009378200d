import FoundationEssentials
import Glibc

/// A process, and no other that gets its number later.
struct RunningProcess: Hashable, Sendable {
    let identifier: pid_t
    /// When it was started, in the kernel's ticks since boot.
    let start: UInt64

    /// Whether it still runs; one that has ended and was not waited for does not.
    var isAlive: Bool { Processes.read(identifier)?.process == self }
}

/// Processes as /proc shows them.
enum Processes {
    /// All that run now, each with its parent.
    static func all() -> [(process: RunningProcess, parent: pid_t)] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0).flatMap(read) }
    }

    /// One process; nil when it is not there or has ended.
    static func read(_ identifier: pid_t) -> (process: RunningProcess, parent: pid_t)? {
        let file = open("/proc/\(identifier)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = Glibc.read(file, &bytes, bytes.count)
        // The name, in brackets, may hold anything.
        guard count > 0, let name = bytes[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = String(decoding: bytes[(name + 1)..<count], as: UTF8.self).split(separator: " ")
        guard fields.count > 19, !["Z", "X"].contains(fields[0]), let parent = pid_t(fields[1]),
            let start = UInt64(fields[19])
        else { return nil }
        return (RunningProcess(identifier: identifier, start: start), parent)
    }

    /// A process's children, and theirs.
    static func descendants(of identifier: pid_t) -> Set<RunningProcess> {
        let children = Dictionary(grouping: all()) { $0.parent }
        var found: Set<RunningProcess> = []
        var open = [identifier]
        while let parent = open.popLast() {
            for child in children[parent] ?? [] where found.insert(child.process).inserted {
                open.append(child.process.identifier)
            }
        }
        return found
    }

    /// Ends a process and all its descendants with SIGKILL, as when power fails: whatever process group they are in, each is
    /// stopped once it is found, until none is new, and only then are they killed. So none writes on after another's end,
    /// and none starts a child that is missed.
    ///
    /// - Returns: the command lines of the descendants.
    @discardableResult
    static func killTree(_ identifier: pid_t) -> [String] {
        guard identifier > 1 else { return [] }
        kill(identifier, SIGSTOP)
        var found: Set<RunningProcess> = []
        while true {
            let new = descendants(of: identifier).subtracting(found)
            guard !new.isEmpty else { break }
            for process in new { kill(process.identifier, SIGSTOP) }
            found.formUnion(new)
        }
        let lines = found.map { words($0.identifier, "cmdline") }
        kill(identifier, SIGKILL)
        for process in found { kill(process.identifier, SIGKILL) }
        return lines
    }

    /// The processes that have to do with a folder: by their command line, their environment or where they are.
    static func naming(_ folder: String) -> [String] {
        all().compactMap { entry in
            let identifier = entry.process.identifier
            guard identifier != getpid() else { return nil }
            let line = words(identifier, "cmdline")
            let isOfIt =
                line.contains(folder) || (link(identifier, "cwd") ?? "").hasPrefix(folder)
                || words(identifier, "environ").contains(folder)
            return isOfIt ? "\(identifier) \(line)" : nil
        }
    }

    /// `cmdline` or `environ`, with spaces between the words.
    static func words(_ identifier: pid_t, _ file: String) -> String {
        let bytes = FileManager.default.contents(atPath: "/proc/\(identifier)/\(file)") ?? Data()
        return String(decoding: bytes.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
    }

    /// Where a link leads: `cwd`, or `ns/mnt`.
    static func link(_ identifier: pid_t, _ name: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/\(identifier)/\(name)", &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// What the monitor of a bench left traces of while it ran: to be looked for when it has ended.
struct Traces: ~Copyable {
    private var descendants: Set<RunningProcess> = []
    /// Mount namespaces, held open: the number of one that is gone would be given to another.
    private var namespaces: [(name: String, descriptor: Int32)] = []
    private var last: ContinuousClock.Instant?

    /// Notes a running monitor's children and its mount namespace, three times a second at most.
    mutating func note(_ monitor: pid_t) {
        if let last, ContinuousClock.now - last < .milliseconds(300) { return }
        last = .now
        descendants.formUnion(Processes.descendants(of: monitor))
        descendants = descendants.filter(\.isAlive)
        guard let name = Processes.link(monitor, "ns/mnt"), name != Processes.link(getpid(), "ns/mnt"),
            !namespaces.contains(where: { $0.name == name })
        else { return }
        let descriptor = open("/proc/\(monitor)/ns/mnt", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        namespaces.append((name, descriptor))
        if namespaces.count > 32 { close(namespaces.removeFirst().descriptor) }
    }

    /// How many mount namespaces were seen.
    var namespaceCount: Int { namespaces.count }

    /// The processes that are left.
    var left: [String] {
        let children = descendants.filter(\.isAlive).map {
            "\($0.identifier) \(Processes.words($0.identifier, "cmdline"))(a child of the monitor)"
        }
        let names = Set(namespaces.map(\.name))
        guard !names.isEmpty else { return children }
        return children
            + Processes.all().map(\.process.identifier).filter {
                Processes.link($0, "ns/mnt").map(names.contains) == true
            }
            .map { "\($0) \(Processes.words($0, "cmdline"))(in its mount namespace)" }
    }

    deinit { for namespace in namespaces { close(namespace.descriptor) } }
}
