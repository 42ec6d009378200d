internal import CLinux
internal import CommandExecution
internal import Glibc
internal import Synchronization

/// A look at one file on shared storage by a process that is forked for it and starts no program: what nearly every check
/// needs, in a tenth of the time that the program takes to start.
enum StorageLook {
    /// What was found.
    enum Finding: Sendable {
        /// The file is there with just these bytes; all may read it, its owner alone may write it.
        case asExpected
        /// It is not, or that could not be told: whoever asks has to look closer.
        case different
        /// An earlier child holds the lock.
        case busy
        /// No answer came in time. The process gets SIGKILL, and holds the lock for as long as that does not end it.
        case hangs
        /// The calling task was cancelled; the process gets SIGKILL.
        case cancelled
    }

    /// Compares a file with what it should hold.
    static func finding(
        lockFile: String, directory: String, file: String, content: [UInt8], timeout: Duration
    ) async -> Finding {
        let finding = Promise<Finding>(), end = Promise<Void>()
        let child = Child()
        let isStarted = DetachedThread.start(named: "storage") {
            defer { end.fulfil(()) }
            var ends: [Int32] = [-1, -1]
            guard !child.isUnwanted, clinux_pipe(&ends) == 0 else { return finding.fulfil(.different) }
            defer { close(ends[0]) }
            let process = clinux_compare_file(lockFile, directory, file, content, UInt(content.count), ends[1])
            close(ends[1])
            guard process > 0 else { return finding.fulfil(.different) }
            child.begins(process)
            let answer = answer(from: ends[0], within: timeout)
            if answer == nil { child.kill() }
            finding.fulfil(answer ?? .hangs)
            // Perhaps for hours: nothing but this thread waits for it.
            child.reap()
        }
        guard isStarted else { return .different }
        if let finding = await finding.value() { return finding }
        child.kill()
        // Who asks next finds the lock free, unless it hangs indeed. This task is cancelled, and would not wait.
        _ = await Task.detached { await end.value(within: graceAfterKill) }.value
        return .cancelled
    }

    /// How long a cancelled look waits for its process to be gone.
    private static let graceAfterKill = Duration.seconds(3)

    /// The process's word; nil when none came in time.
    private static func answer(from end: Int32, within limit: Duration) -> Finding? {
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        var polled = pollfd(fd: end, events: Int16(POLLIN), revents: 0)
        while true {
            let left = (deadline - clock.now).inSeconds * 1000
            let count = poll(&polled, 1, Int32(max(0, min(left.rounded(.up), 1e6))))
            if count < 0, errno == EINTR { continue }
            if count > 0 { break }
            if clock.now >= deadline { return nil }
        }
        var word: UInt8 = 0
        guard read(end, &word, 1) == 1 else { return .different }
        return switch Int(word) {
        case CLINUX_FILE_AS_EXPECTED: .asExpected
        case CLINUX_FILE_BUSY: .busy
        default: .different
        }
    }

    /// The process, which is signalled only until it is waited for: its number may be another one's later.
    private final class Child: Sendable {
        private let process = Mutex<pid_t?>(nil)
        private let wasKilled = Atomic(false)

        var isUnwanted: Bool { wasKilled.load(ordering: .sequentiallyConsistent) }

        func begins(_ number: pid_t) {
            process.withLock { $0 = number }
            if isUnwanted { kill() }
        }

        func kill() {
            wasKilled.store(true, ordering: .sequentiallyConsistent)
            process.withLock { if let number = $0 { _ = Glibc.kill(number, SIGKILL) } }
        }

        func reap() {
            guard let number = process.withLock({ $0 }) else { return }
            // It stays a zombie until the second call, so that the number remains its own meanwhile.
            var information = siginfo_t()
            while waitid(P_PID, id_t(number), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
            process.withLock { $0 = nil }
            while waitpid(number, nil, 0) < 0, errno == EINTR {}
        }
    }
}
