import CLinux
import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// Runs commands on this machine.
///
/// Every program runs in a process group of its own, reads its input from memory (so a program that ends without
/// reading it does no harm), and is ended with SIGTERM and then SIGKILL when it takes too long, writes too much, or the
/// calling task is cancelled. A program that not even SIGKILL ends (it waits for a dead network file system, say) is
/// abandoned ``abandonDelay`` after it was to end: the call returns and the process is left to the kernel.
public struct LocalExecutor: CommandExecutor {
    /// How long after SIGTERM a program gets SIGKILL.
    public var terminationDelay: Duration
    /// How long after its time-out, too much output or a cancellation a program that does not die is left alone.
    public var abandonDelay: Duration

    /// Creates an executor.
    public init(terminationDelay: Duration = .seconds(1), abandonDelay: Duration = .seconds(3)) {
        self.terminationDelay = terminationDelay
        self.abandonDelay = abandonDelay
    }

    /// Runs a command on this machine.
    public func run(_ command: Command) async throws(CommandError) -> CommandResult {
        if command.executable.contains("\0") || command.arguments.contains(where: { $0.contains("\0") }) {
            throw CommandError(.notStarted, executable: command.executable, reason: "an argument holds a NUL character")
        }
        let race = Race()
        let (delay, abandonDelay) = (terminationDelay, abandonDelay)
        let output: ProgramOutput
        do {
            output = try ProgramOutput(
                limit: command.outputLimit, .init(timeout: command.timeout, abandonDelay: abandonDelay))
        } catch {
            throw Self.failure(error, of: "pipes", for: command.executable)
        }
        let reads = output.start { event in
            switch event {
            case .excess:
                race.stop(
                    CommandError(
                        .outputTooLarge, executable: command.executable,
                        reason: "more than \(command.outputLimit) bytes of output"))
            case .timeout:
                race.stop(
                    CommandError(.timedOut, executable: command.executable, reason: "no end after \(command.timeout)"))
            case .abandoned: race.giveUp()
            }
        }
        guard reads else {
            output.discard()
            throw CommandError(.notStarted, executable: command.executable, reason: "the system gives no thread")
        }
        race.begin(Task.detached { race.finish(await Self.execute(command, output, terminationDelay: delay)) })
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { race.wait($0) }
        } onCancel: {
            race.stop(CommandError(.cancelled, executable: command.executable, reason: "the task was cancelled"))
            Task.detached {
                try? await Task.sleep(for: abandonDelay)
                output.programEnded()
                race.giveUp()
            }
        }
        return try outcome.get()
    }

    private static func execute(
        _ command: Command, _ output: ProgramOutput, terminationDelay: Duration
    ) async -> Result<CommandResult, CommandError> {
        let ended = await runToEnd(command, output, terminationDelay: terminationDelay)
        output.programEnded()
        switch ended {
        case .success(let status):
            let bytes = await output.allBytes()
            return .success(
                CommandResult(status: status, standardOutput: bytes.output, standardError: bytes.error))
        case .failure(let error): return .failure(error)
        }
    }

    private static func runToEnd(
        _ command: Command, _ output: ProgramOutput, terminationDelay: Duration
    ) async -> Result<ExitStatus, CommandError> {
        let name = command.executable
        let input: FileDescriptor
        do {
            input = try inputDescriptor(command.input)
        } catch {
            try? output.outputEnd.close()
            try? output.errorEnd.close()
            return .failure(failure(error, of: "input", for: name))
        }
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
            .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: terminationDelay),
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .zero),
        ]
        var changes: [Environment.Key: String?] = [:]
        for (key, value) in command.environment { changes[Environment.Key(stringLiteral: key)] = value }
        let file = name.contains("/") ? name : ExecutableSearch.file(name, path: command.environment["PATH"])
        do {
            let outcome = try await Subprocess.run(
                file.map { .path(FilePath($0)) } ?? .name(name), arguments: Arguments(command.arguments),
                environment: .inherit.updating(changes), platformOptions: options,
                input: .fileDescriptor(input, closeAfterSpawningProcess: true),
                output: .fileDescriptor(output.outputEnd, closeAfterSpawningProcess: true),
                error: .fileDescriptor(output.errorEnd, closeAfterSpawningProcess: true))
            return .success(ExitStatus(outcome.terminationStatus))
        } catch let error as SubprocessError where error.code == .executableNotFound {
            return .failure(CommandError(.notFound, executable: name, reason: "there is no such program"))
        } catch is CancellationError {
            return .failure(CommandError(.cancelled, executable: name, reason: "the task was cancelled"))
        } catch {
            return .failure(CommandError(.notStarted, executable: name, reason: "\(error)"))
        }
    }

    /// Why a program was not started for want of something that this process needs first.
    static func failure(_ error: any Error, of part: String, for executable: String) -> CommandError {
        let advice =
            switch error as? Errno {
            case .tooManyOpenFiles: "; raise this process's limit of open files (ulimit -n, LimitNOFILE= of a unit)"
            case .tooManyOpenFilesInSystem: "; raise this machine's limit of open files (sysctl fs.file-max)"
            default: ""
            }
        return CommandError(.notStarted, executable: executable, reason: "\(part): \(error)\(advice)")
    }

    /// The input as an anonymous file, so that no pipe can break and no secret reaches a disk.
    private static func inputDescriptor(_ bytes: [UInt8]) throws -> FileDescriptor {
        guard !bytes.isEmpty else { return try FileDescriptor.open("/dev/null", .readOnly) }
        let raw = clinux_memory_file("command-input")
        guard raw >= 0 else { throw Errno(rawValue: errno) }
        let descriptor = FileDescriptor(rawValue: raw)
        do {
            try descriptor.writeAll(bytes)
            try descriptor.seek(offset: 0, from: FileDescriptor.SeekOrigin.start)
        } catch {
            try? descriptor.close()
            throw error
        }
        return descriptor
    }
}

extension ExitStatus {
    init(_ status: TerminationStatus) {
        switch status {
        case .exited(let code): self = .exited(Int32(code))
        case .signaled(let code): self = .signalled(Int32(code))
        }
    }
}

/// One outcome, set once; why the work was stopped before it (timed out, cancelled) is why a failure came about.
private final class Race: Sendable {
    typealias Outcome = Result<CommandResult, CommandError>
    private struct State {
        var outcome: Outcome?
        var reason: CommandError?
        var work: Task<Void, Never>?
        var waiter: CheckedContinuation<Outcome, Never>?
    }
    private let state = Mutex(State())

    /// Takes the work that can be stopped; it is at once if its stop was asked for before.
    func begin(_ work: Task<Void, Never>) {
        let isStopped = state.withLock { state -> Bool in
            if state.outcome == nil { state.work = work }
            return state.reason != nil
        }
        if isStopped { work.cancel() }
    }

    /// Stops the work; the first reason counts.
    func stop(_ reason: CommandError) {
        let work = state.withLock { state -> Task<Void, Never>? in
            if state.outcome == nil && state.reason == nil { state.reason = reason }
            return state.work
        }
        work?.cancel()
    }

    func finish(_ outcome: Outcome) {
        // A program that was ended on purpose did not fail: the reason tells why it was ended.
        settle { reason in reason.map { .failure($0) } ?? outcome }
    }

    /// Waits no longer for work whose stop was asked for, and says so.
    func giveUp() {
        settle { reason in
            reason.map {
                .failure(
                    CommandError($0.code, executable: $0.executable, reason: "\($0.reason), and it cannot be ended"))
            }
        }
    }

    /// Sets the outcome, if there is none, to what comes of the reason for a stop.
    private func settle(_ outcome: (CommandError?) -> Outcome?) {
        let waiting = state.withLock { state -> (CheckedContinuation<Outcome, Never>?, Outcome)? in
            guard state.outcome == nil, let final = outcome(state.reason) else { return nil }
            state.outcome = final
            defer { (state.waiter, state.work) = (nil, nil) }
            return (state.waiter, final)
        }
        if let (waiter, final) = waiting { waiter?.resume(returning: final) }
    }

    func wait(_ continuation: CheckedContinuation<Outcome, Never>) {
        let ready = state.withLock { state -> Outcome? in
            if state.outcome == nil { state.waiter = continuation }
            return state.outcome
        }
        if let ready { continuation.resume(returning: ready) }
    }
}
