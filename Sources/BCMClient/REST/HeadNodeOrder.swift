import Synchronization

/// In which order head nodes are tried: the one that answered last, then those not known to be down, then the rest.
package final class HeadNodeOrder: Sendable {
    private struct State {
        var lastGood: HeadNode?
        var downSince: [HeadNode: ContinuousClock.Instant] = [:]
    }

    private let headNodes: [HeadNode]
    private let memory: Duration
    private let state = Mutex(State())

    /// - Parameter memory: how long a head node that did not answer is tried last.
    package init(_ headNodes: [HeadNode], memory: Duration = .seconds(300)) {
        self.headNodes = headNodes
        self.memory = memory
    }

    /// The head nodes, the most promising first.
    package func candidates(now: ContinuousClock.Instant = .now) -> [HeadNode] {
        let state = state.withLock { $0 }
        func rank(_ headNode: HeadNode) -> Int {
            if headNode == state.lastGood { return 0 }
            if let since = state.downSince[headNode], now - since < memory { return 2 }
            return 1
        }
        return headNodes.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }
            .map(\.element)
    }

    /// Notes that a head node gave an answer that was asked for.
    package func succeeded(_ headNode: HeadNode) {
        state.withLock { state in
            state.lastGood = headNode
            state.downSince[headNode] = nil
        }
    }

    /// Notes that a head node did not.
    package func failed(_ headNode: HeadNode, now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            if state.lastGood == headNode { state.lastGood = nil }
            state.downSince[headNode] = now
        }
    }
}
