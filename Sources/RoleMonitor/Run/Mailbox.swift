internal import Synchronization

/// Messages for one reader, which waits for the next until a time-out.
final class Mailbox<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var waiter: (number: Int, continuation: CheckedContinuation<Message?, Never>)?
        var number = 0
    }
    private let state = Mutex(State())

    /// Puts a message in.
    func put(_ message: Message) {
        let continuation = state.withLock { state -> CheckedContinuation<Message?, Never>? in
            guard let waiter = state.waiter else {
                state.messages.append(message)
                return nil
            }
            state.waiter = nil
            return waiter.continuation
        }
        continuation?.resume(returning: message)
    }

    /// Takes the oldest message out, waiting for one if there is none; nil after the time-out.
    func next(within timeout: Duration) async -> Message? {
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        let timer = Task { [self] in
            guard (try? await Task.sleep(for: timeout)) != nil else { return }
            giveUp(number)
        }
        defer { timer.cancel() }
        return await withCheckedContinuation { continuation in
            let ready = state.withLock { state -> Message? in
                guard state.messages.isEmpty else { return state.messages.removeFirst() }
                state.waiter = (number, continuation)
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }

    private func giveUp(_ number: Int) {
        let continuation = state.withLock { state -> CheckedContinuation<Message?, Never>? in
            guard let waiter = state.waiter, waiter.number == number else { return nil }
            state.waiter = nil
            return waiter.continuation
        }
        continuation?.resume(returning: nil)
    }
}
