internal import CommandExecution
internal import PromTargets
internal import Synchronization

/// Work on shared storage, which may hang for hours in a way that no signal ends: each piece runs in a thread of its
/// own that is abandoned at a time-out or an interruption, and none begins while an earlier one hangs.
final class BoundedStorage: Sendable {
    private let directory: String
    let timeout: Duration
    private let isBusy = Mutex(false)

    /// How long a piece has that is at work when the run is interrupted, so that what it did is known.
    static let grace = Duration.seconds(1)

    init(directory: String, timeout: Duration) {
        self.directory = directory
        self.timeout = timeout
    }

    /// Runs the work.
    ///
    /// - Throws: ``FleetError`` with the code `hangs`, `directory`, `readOnly`, or `cancelled` when the run is
    ///   interrupted and the file system does not answer either.
    func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws(PromTargetsError) -> Value
    ) async throws(FleetError) -> Value {
        let isFree = isBusy.withLock { busy in
            defer { busy = true }
            return !busy
        }
        guard isFree else { throw hangs("an earlier attempt has not come back yet") }
        let promise = Promise<Result<Value, PromTargetsError>>()
        let piece = Piece(work)
        let hasThread = DetachedThread.start(named: "storage") { [self] in
            let result = piece.run()
            isBusy.withLock { $0 = false }
            promise.fulfil(result)
        }
        guard hasThread else {
            isBusy.withLock { $0 = false }
            throw FleetError(
                .directory, path: directory, reason: "the system gives no thread", remedy: "end other processes")
        }
        var result = await promise.value(within: timeout)
        if result == nil, Task.isCancelled {
            // A task of its own, which is not cancelled.
            result = await Task { await promise.value(within: min(timeout, Self.grace)) }.value
            guard result != nil else {
                throw FleetError(
                    .cancelled, path: directory, reason: "interrupted while the file system gave no answer",
                    remedy: "check the file server, and run it again")
            }
        }
        switch result {
        case .success(let value): return value
        case .failure(let error): throw FleetError(error)
        case nil: throw hangs("no answer within \(timeout)")
        }
    }

    /// Work that lets go of what it holds, such as a lock, before anybody learns that it is done.
    private final class Piece<Value: Sendable>: Sendable {
        typealias Work = @Sendable () throws(PromTargetsError) -> Value
        private let work: Mutex<Work?>

        init(_ work: @escaping Work) { self.work = Mutex(work) }

        func run() -> Result<Value, PromTargetsError> {
            let work = work.withLock { work -> Work? in
                defer { work = nil }
                return work
            }
            guard let work else {
                return .failure(PromTargetsError(.system, reason: "it was begun twice", remedy: "run it again"))
            }
            return Result { () throws(PromTargetsError) in try work() }
        }
    }

    private func hangs(_ why: String) -> FleetError {
        FleetError(.hangs, path: directory, reason: "the file system hangs: \(why)", remedy: "check the file server")
    }
}
