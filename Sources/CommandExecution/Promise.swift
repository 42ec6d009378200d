import Synchronization

/// A value that comes once and that any number of tasks can wait for, each with a time limit of its own.
package final class Promise<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [Int: CheckedContinuation<Value?, Never>] = [:]
        var abandoned: Set<Int> = []
        var nextWaiter = 0
    }
    private let state = Mutex(State())

    package init() {}

    /// Whether the value has come.
    package var isFulfilled: Bool { state.withLock { $0.value != nil } }

    /// Gives the value; only the first one counts.
    package func fulfil(_ value: Value) {
        let waiters = state.withLock { state -> [CheckedContinuation<Value?, Never>] in
            guard state.value == nil else { return [] }
            state.value = value
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume(returning: value) }
    }

    /// The value, or nil when the time is over or the task is cancelled before it comes.
    package func value(within limit: Duration? = nil) async -> Value? {
        let waiter = state.withLock { state -> Int in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let clock = limit.map { limit in
            Task {
                guard (try? await Task.sleep(for: limit)) != nil else { return }
                abandon(waiter)
            }
        }
        defer { clock?.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state -> Value?? in
                    if let value = state.value { return .some(value) }
                    if state.abandoned.remove(waiter) != nil { return .some(nil) }
                    state.waiters[waiter] = continuation
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            abandon(waiter)
        }
    }

    private func abandon(_ waiter: Int) {
        let continuation = state.withLock { state -> CheckedContinuation<Value?, Never>? in
            if let continuation = state.waiters.removeValue(forKey: waiter) { return continuation }
            if state.value == nil { state.abandoned.insert(waiter) }
            return nil
        }
        continuation?.resume(returning: nil)
    }
}
