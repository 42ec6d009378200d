public import CommandExecution
import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// One SSH connection to a host, for as many commands as a run needs.
///
/// Commands run one after the other. Each has its own time-out on the host; when even the host's `timeout` does not
/// answer, the connection is given up. Cancelling a caller ends the connection, since a command may be in flight.
/// The process must ignore SIGPIPE, which ``init(host:options:)`` arranges.
public final class SSHConnection: CommandExecutor {
    /// The host.
    public let host: String
    private let queue: RequestQueue
    private let work: Task<Void, Never>
    private let opened: Counter

    /// Starts to connect; the first command waits for it.
    public init(host: String, options: SSHOptions) {
        signal(SIGPIPE, SIG_IGN)
        self.host = host
        let queue = RequestQueue()
        let opened = Counter()
        self.queue = queue
        self.opened = opened
        work = Task.detached { await Self.serve(queue, host: host, options: options, opened: opened) }
    }

    deinit {
        queue.finish()
        work.cancel()
    }

    /// How many times `ssh` was started: one, and one more for each refused attempt.
    public var attempts: Int { opened.count.withLock { $0 } }

    /// Runs a command on the host.
    public func run(_ command: Command) async throws(CommandError) -> CommandResult {
        try await run(command, followedBy: [])
    }

    /// Runs a command whose input goes on with these pieces.
    func run(_ command: Command, followedBy pieces: [[UInt8]]) async throws(CommandError) -> CommandResult {
        if ([command.executable] + command.arguments).contains(where: { $0.contains("\0") }) {
            throw CommandError(
                .notStarted, executable: command.executable, host: host, reason: "an argument holds a NUL character")
        }
        let request = Request(command, pieces)
        guard queue.push(request) else {
            throw CommandError(.connectionLost, executable: command.executable, host: host, reason: "it was closed")
        }
        let work = work
        let outcome = await withTaskCancellationHandler {
            await request.answer()
        } onCancel: {
            work.cancel()
            request.finish(
                .failure(CommandError(.cancelled, executable: command.executable, host: host, reason: "run stopped")))
        }
        return try outcome.get()
    }

    /// Ends the connection after the commands already asked for.
    public func close() async {
        queue.finish()
        await work.value
    }

    private static func serve(
        _ queue: RequestQueue, host: String, options: SSHOptions, opened: Counter
    ) async {
        let program = options.program.contains("/") ? options.program : ExecutableSearch.file(options.program)
        var attempt = 0
        while true {
            attempt += 1
            opened.count.withLock { $0 += 1 }
            let diagnosis = SSHDiagnosis(host: host, options: options)
            let arguments = options.arguments(
                host: host,
                remoteCommand: RemoteAgent.remoteCommand(usesSudo: options.usesSudo, locks: options.locksHosts))
            var platform = PlatformOptions()
            platform.processGroupID = 0
            platform.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .milliseconds(500))]
            do {
                _ = try await Subprocess.run(
                    program.map { .path(FilePath($0)) } ?? .name(options.program),
                    arguments: Arguments(arguments), platformOptions: platform, input: .inputWriter,
                    output: .sequence, error: .sequence
                ) { execution in
                    let writer = execution.standardInputWriter
                    let endProcess: @Sendable () -> Void = { try? execution.send(signal: .kill) }
                    async let errors: Void = diagnosis.collect(execution.standardError)
                    var reader = FrameReader(execution.standardOutput)
                    // The connect time-out of ssh covers TCP only; a host may also hang later.
                    let guardian = diagnosis.endAfter(options.connectTimeout + .seconds(10), endProcess)
                    try await reader.skip(through: RemoteAgent.greeting)
                    guardian.cancel()
                    diagnosis.noteGreeting()
                    var id = 0
                    while let request = await queue.next() {
                        id += 1
                        let guardian = diagnosis.endAfter(request.command.timeout + .seconds(15), endProcess)
                        defer { guardian.cancel() }
                        for part in RemoteAgent.request(id: id, request.command, followedBy: request.pieces) {
                            _ = try await writer.write(part)
                        }
                        let outcome = try await reader.answer(to: request.command, id: id, host: host)
                        request.finish(outcome)
                    }
                    try? await writer.finish()
                    await errors
                }
                return
            } catch {
                let failure = diagnosis.explain(error)
                if failure.mayRetry, attempt <= options.retries, !Task.isCancelled {
                    try? await Task.sleep(for: .milliseconds(200 * attempt + Int.random(in: 0..<300)))
                    if !Task.isCancelled { continue }
                }
                queue.current?.finish(.failure(failure.error))
                while let request = await queue.next() { request.finish(.failure(failure.error)) }
                return
            }
        }
    }

    private final class Counter: Sendable {
        let count = Mutex(0)
    }
}

/// A command and, once, its outcome.
private final class Request: Sendable {
    typealias Outcome = Result<CommandResult, CommandError>
    private struct State {
        var outcome: Outcome?
        var waiter: CheckedContinuation<Outcome, Never>?
    }
    let command: Command
    let pieces: [[UInt8]]
    private let state = Mutex(State())

    init(_ command: Command, _ pieces: [[UInt8]]) {
        self.command = command
        self.pieces = pieces
    }

    func finish(_ outcome: Outcome) {
        let waiter = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
            guard state.outcome == nil else { return nil }
            state.outcome = outcome
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: outcome)
    }

    func answer() async -> Outcome {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state -> Outcome? in
                if state.outcome == nil { state.waiter = continuation }
                return state.outcome
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }
}

/// Requests in their order, for one reader. The reader's last request stays known until it asks for the next.
private final class RequestQueue: Sendable {
    private struct State {
        var waiting: [Request] = []
        var current: Request?
        var finished = false
        var reader: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())

    var current: Request? { state.withLock { $0.current } }

    func push(_ request: Request) -> Bool {
        let (accepted, reader) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard !state.finished else { return (false, nil) }
            state.waiting.append(request)
            defer { state.reader = nil }
            return (true, state.reader)
        }
        reader?.resume()
        return accepted
    }

    func finish() {
        let reader = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.finished = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }

    /// The next request; nil when there will be none, or the reading task is cancelled and none is waiting.
    func next() async -> Request? {
        while true {
            let (request, ended) = state.withLock { state -> (Request?, Bool) in
                state.current = state.waiting.isEmpty ? nil : state.waiting.removeFirst()
                return (state.current, state.finished)
            }
            if request != nil || ended { return request }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let wake = state.withLock { state -> Bool in
                        if state.finished || !state.waiting.isEmpty || Task.isCancelled { return true }
                        state.reader = continuation
                        return false
                    }
                    if wake { continuation.resume() }
                }
            } onCancel: {
                finish()
            }
            if Task.isCancelled { finish() }
        }
    }
}
