internal import CommandExecution
internal import PromTargets
internal import Synchronization

/// Work on shared storage, which may hang for hours in a way that no signal ends: each piece runs in a thread of its
/// own that is abandoned at a time-out, and none begins while an earlier one hangs.
final class BoundedStorage: Sendable {
    private let directory: String
    private let timeout: Duration
    private let isBusy = Mutex(false)

    init(directory: String, timeout: Duration) {
        self.directory = directory
        self.timeout = timeout
    }

    /// Runs the work.
    ///
    /// - Throws: ``FleetError`` with the code `hangs` or `directory`.
    func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws(PromTargetsError) -> Value
    ) async throws(FleetError) -> Value {
        let isFree = isBusy.withLock { busy in
            defer { busy = true }
            return !busy
        }
        guard isFree else {
            throw FleetError(
                .hangs,
                "\(directory): the file system hangs: an earlier attempt has not come back yet; check the file server")
        }
        let promise = Promise<Result<Value, PromTargetsError>?>()
        let hasThread = DetachedThread.start(named: "storage") { [self] in
            let result = Result { () throws(PromTargetsError) in try work() }
            isBusy.withLock { $0 = false }
            promise.fulfil(result)
        }
        guard hasThread else {
            isBusy.withLock { $0 = false }
            throw FleetError(.directory, "\(directory): the system gives no thread; end other processes")
        }
        let timer = Task { [timeout] in
            if (try? await Task.sleep(for: timeout)) != nil { promise.fulfil(nil) }
        }
        defer { timer.cancel() }
        switch await promise.value() {
        case .success(let value): return value
        case .failure(let error): throw FleetError(error)
        case nil:
            throw FleetError(
                .hangs,
                "\(directory): the file system hangs: no answer within \(timeout); check the file server")
        }
    }
}

/// A value that comes once, from whoever is first, for one reader.
private final class Promise<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case awaited(CheckedContinuation<Value, Never>)
        case fulfilled(Value)
        case done
    }
    private let state = Mutex(State.empty)

    func fulfil(_ value: Value) {
        let reader = state.withLock { state -> CheckedContinuation<Value, Never>? in
            switch state {
            case .empty: state = .fulfilled(value)
            case .awaited(let continuation):
                state = .done
                return continuation
            case .fulfilled, .done: break
            }
            return nil
        }
        reader?.resume(returning: value)
    }

    func value() async -> Value {
        await withCheckedContinuation { continuation in
            let value = state.withLock { state -> Value? in
                guard case .fulfilled(let value) = state else {
                    state = .awaited(continuation)
                    return nil
                }
                state = .done
                return value
            }
            if let value { continuation.resume(returning: value) }
        }
    }
}
