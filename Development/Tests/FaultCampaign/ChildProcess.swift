import FoundationEssentials
import Glibc
import Synchronization

/// A program that runs until it is told to end.
final class ChildProcess: Sendable {
    let identifier: pid_t
    private let ended = Mutex<Int32?>(nil)

    /// Starts a program in a process group of its own.
    init(
        _ words: [String], log: String, output: String? = nil, environment: [String: String] = [:]
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output ?? log, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, log, flags, 0o600)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Tests' runners ignore or block signals, which programs would inherit.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        let inherited = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var variables: [UnsafeMutablePointer<CChar>?] = inherited.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        var child = pid_t()
        let status = posix_spawn(&child, words[0], &actions, &attributes, &arguments, &variables)
        guard status == 0 else {
            throw Campaign.Failure(description: "\(words[0]) cannot be started: \(String(cString: strerror(status)))")
        }
        identifier = child
    }

    deinit { kill() }

    func signal(_ number: Int32) { if isAlive { Glibc.kill(identifier, number) } }

    /// Whether it has not ended.
    var isAlive: Bool { waitStatus == nil }

    /// How it ended, as waitpid(2) has it; nil while it runs.
    var waitStatus: Int32? {
        ended.withLock { ended in
            var status: Int32 = 0
            if ended == nil, waitpid(identifier, &status, WNOHANG) == identifier { ended = status }
            return ended
        }
    }

    /// Ends it and all its descendants at once, whatever process group they are in.
    ///
    /// - Returns: the command lines of the descendants.
    @discardableResult
    func killTree() -> [String] {
        let lines = isAlive ? Processes.killTree(identifier) : []
        kill()
        return lines
    }

    /// Ends it at once if it still runs.
    func kill() {
        ended.withLock { ended in
            guard ended == nil else { return }
            Glibc.kill(identifier, SIGKILL)
            var status: Int32 = 0
            if waitpid(identifier, &status, 0) == identifier { ended = status }
        }
    }
}

/// What happens to the names in a folder, all of it and in order, as the kernel tells.
final class FolderWatch: Sendable {
    struct Event: Sendable {
        var name: String
        var mask: UInt32
        func has(_ flag: Int32) -> Bool { mask & UInt32(bitPattern: flag) != 0 }
    }

    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        let kinds = IN_CREATE | IN_DELETE | IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO
        guard descriptor >= 0, inotify_add_watch(descriptor, path, UInt32(kinds)) >= 0 else {
            throw Campaign.Failure(description: "\(path) cannot be watched: \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// What happened since the last call.
    func drain() -> [Event] {
        var events: [Event] = []
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &bytes, bytes.count)
            guard count > 0 else { return events }
            var place = 0
            // wd, mask, cookie, length, then the name.
            while place + 16 <= count {
                let (mask, length) = bytes.withUnsafeBytes {
                    (
                        $0.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self),
                        Int($0.loadUnaligned(fromByteOffset: place + 12, as: UInt32.self))
                    )
                }
                let name = bytes[(place + 16)..<(place + 16 + length)].prefix { $0 != 0 }
                events.append(Event(name: String(decoding: name, as: UTF8.self), mask: mask))
                place += 16 + length
            }
        }
    }
}
