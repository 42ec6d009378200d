package import CommandExecution
internal import FoundationEssentials
internal import Glibc
internal import PromTargets

/// Target files on shared storage, touched by short-lived child processes alone.
///
/// Where one file is to be written, a forked process first looks whether it is as it should be (``StorageLook``), as it nearly
/// always is; all else, and a full look once an hour, is for the program, started as ``StorageWorker``. A child that storage keeps hanging is abandoned at its time-out. It holds a lock for as long as it lives, and while
/// it does no other is started: not after a restart of the monitor either.
package struct ChildTargetStore: TargetStore {
    private let executor: any CommandExecutor
    private let program: [String]
    private let lockFile: String?
    private let timeout: Duration

    /// Creates a store.
    ///
    /// - Parameters:
    ///   - executor: runs the child.
    ///   - program: the program and arguments that lead to ``StorageWorker``; this very program by default.
    ///   - lockFile: a file on a local file system; nil for a store that only inspects.
    ///   - timeout: how long a child may take: the look, and then the program.
    package init(
        executor: any CommandExecutor, program: [String] = ["/proc/self/exe", StorageWorker.argument],
        lockFile: String?, timeout: Duration = .seconds(15)
    ) {
        self.executor = executor
        self.program = program
        self.lockFile = lockFile
        self.timeout = timeout
    }

    // A look, and the program after it; SIGTERM, SIGKILL and giving up take some seconds after the time-out.
    package var limit: Duration { timeout * 2 + .seconds(10) }

    package func perform(_ operations: [StorageOperation]) async -> [StorageOutcome] {
        func all(_ failure: StorageFailure) -> [StorageOutcome] { operations.map { _ in .failed(failure) } }
        let place = Set(operations.map(\.directory)).sorted().joined(separator: ", ")
        let hanging = StorageFailure(
            StorageFailure.hangs,
            "\(place): the file system hangs: an earlier attempt has not come back yet; check the file server")
        let silent = StorageFailure(
            StorageFailure.hangs,
            "\(place): the file system hangs: no answer within \(timeout.inSeconds.wholeWords) s; check the file server"
        )
        let cancelled = StorageFailure("cancelled", "\(place): interrupted")
        guard !operations.isEmpty else { return [] }
        switch lockState() {
        case .busy: return all(hanging)
        case .fresh:
            guard let (file, content) = expectation(operations), let lockFile else { break }
            switch await StorageLook.finding(
                lockFile: lockFile, directory: operations[0].directory, file: file, content: content, timeout: timeout)
            {
            case .asExpected: return [.unchanged]
            case .busy: return all(hanging)
            case .hangs: return all(silent)
            case .cancelled: return all(cancelled)
            case .different: break
            }
        case .due: break
        }
        guard let input = try? JSONEncoder().encode(StorageRequest(operations: operations)), let path = program.first
        else { return all(StorageFailure("internal", "\(place): the request cannot be written")) }
        let command = Command(
            path, program.dropFirst() + [lockFile ?? StorageWorker.noLock], input: Array(input), timeout: timeout,
            outputLimit: 1 << 20)
        let result: CommandResult
        do throws(CommandError) {
            result = try await executor.run(command)
        } catch {
            switch error.code {
            case .timedOut: return all(silent)
            case .cancelled: return all(cancelled)
            default: return all(StorageFailure("internal", "\(place): the child process did not run: \(error)"))
            }
        }
        if result.status == .exited(StorageWorker.busyStatus) { return all(hanging) }
        guard result.succeeded,
            let answer = try? JSONDecoder().decode(StorageAnswer.self, from: Data(result.standardOutput)),
            answer.outcomes.count == operations.count
        else {
            return all(
                StorageFailure(
                    "internal", "\(place): the child process ended with \(result.status) and without an answer"))
        }
        return answer.outcomes
    }

    private enum LockState {
        /// An earlier child still lives.
        case busy
        /// The program has not looked for an hour, or never did: it also clears away what killed writers left.
        case due
        /// A look is enough, as long as nothing is to be changed.
        case fresh
    }

    private func lockState() -> LockState {
        guard let lockFile else { return .due }
        let descriptor = open(lockFile, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return .due }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { return .busy }
        // Closing alone leaves the lock to a program that is just being started elsewhere in this process.
        flock(descriptor, LOCK_UN)
        return StorageWorker.isClearingDue(lock: descriptor) ? .due : .fresh
    }

    /// The file and what it should hold, where one file is all that this is about, whatever it holds now.
    private func expectation(_ operations: [StorageOperation]) -> (file: String, content: [UInt8])? {
        guard operations.count == 1, let operation = operations.first, operation.kind == .write,
            operation.keptOnly?.isEmpty ?? true, let groups = operation.groups
        else { return nil }
        return try? TargetDirectory(path: operation.directory).form(of: groups, named: operation.name)
    }
}

extension Double {
    /// The number without a fraction of zero.
    var wholeWords: String { Int(exactly: self).map { "\($0)" } ?? "\(self)" }
}
