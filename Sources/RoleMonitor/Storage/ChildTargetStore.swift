package import CommandExecution
internal import FoundationEssentials
internal import Glibc

/// Target files on shared storage, touched by a short-lived child process alone.
///
/// A child that storage keeps hanging is abandoned at its time-out. It holds a lock for as long as it lives, and while
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
    ///   - timeout: how long the child may take.
    package init(
        executor: any CommandExecutor, program: [String] = ["/proc/self/exe", StorageWorker.argument],
        lockFile: String?, timeout: Duration = .seconds(15)
    ) {
        self.executor = executor
        self.program = program
        self.lockFile = lockFile
        self.timeout = timeout
    }

    // SIGTERM, SIGKILL and giving up take some seconds after the time-out.
    package var limit: Duration { timeout + .seconds(10) }

    package func perform(_ operations: [StorageOperation]) async -> [StorageOutcome] {
        func all(_ failure: StorageFailure) -> [StorageOutcome] { operations.map { _ in .failed(failure) } }
        let place = Set(operations.map(\.directory)).sorted().joined(separator: ", ")
        let hanging = StorageFailure(
            StorageFailure.hangs,
            "\(place): the file system hangs: an earlier attempt has not come back yet; check the file server")
        guard !operations.isEmpty else { return [] }
        guard !isBusy() else { return all(hanging) }
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
            case .timedOut:
                return all(
                    StorageFailure(
                        StorageFailure.hangs,
                        "\(place): the file system hangs: no answer within \(timeout.inSeconds.wholeWords) s; check "
                            + "the file server"))
            case .cancelled: return all(StorageFailure("cancelled", "\(place): interrupted"))
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

    /// Whether an earlier child still lives.
    private func isBusy() -> Bool {
        guard let lockFile else { return false }
        let descriptor = open(lockFile, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}

extension Double {
    /// The number without a fraction of zero.
    var wholeWords: String { Int(exactly: self).map { "\($0)" } ?? "\(self)" }
}
