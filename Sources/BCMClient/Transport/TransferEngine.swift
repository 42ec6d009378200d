import CCurl
import CommandExecution
import Glibc
import Synchronization

/// Runs transfers on one thread of its own, over connections that are kept.
///
/// The thread waits in `curl_multi_poll` while transfers are on their way, and for a semaphore while there are none; it is
/// woken for new transfers, cancellations and the end. No thread of the cooperative pool ever waits for the network.
final class TransferEngine: Sendable {
    /// How many transfers to one head node are on their way at once; others wait their turn.
    static let transfersAtOnce = 8

    private struct Multi: @unchecked Sendable {
        // Used by the engine's thread alone, but for curl_multi_wakeup, which any thread may call while it exists.
        let handle: UnsafeMutableRawPointer
        /// What the thread waits for while it has nothing to do: cheaper than the socket that wakes curl_multi_poll.
        let work: UnsafeMutablePointer<sem_t>

        init?() {
            guard let handle = curl_multi_init() else { return nil }
            self.handle = handle
            work = .allocate(capacity: 1)
            sem_init(work, 0, 0)
        }

        func free() {
            curl_multi_cleanup(handle)
            sem_destroy(work)
            work.deallocate()
        }
    }

    private struct Inbox {
        var submitted: [Transfer] = []
        var cancelled: [Transfer] = []
        var isShutDown = false
        /// Whether the thread waits for the semaphore.
        var isIdle = false
        /// Nil once the thread has ended.
        var multi: Multi?

        /// Has the thread look here, if it lives.
        mutating func wake() {
            guard let multi else { return }
            if isIdle {
                isIdle = false
                sem_post(multi.work)
            } else {
                curl_multi_wakeup(multi.handle)
            }
        }

        var isEmpty: Bool { submitted.isEmpty && cancelled.isEmpty && !isShutDown }
    }

    private let inbox: Mutex<Inbox>
    private let opened = Atomic<Int>(0)
    private let started = Atomic<Int>(0)

    /// How many connections were opened so far.
    var connectionsOpened: Int { opened.load(ordering: .relaxed) }
    /// How many requests were given to libcurl so far.
    var requestsSent: Int { started.load(ordering: .relaxed) }

    /// Starts the thread.
    init() throws(BCMError) {
        try CurlLibrary.status.get()
        guard let multi = Multi() else {
            throw BCMError(.invalidConfiguration, reason: "libcurl has no memory for a client")
        }
        inbox = Mutex(Inbox(multi: multi))
        let hasThread = DetachedThread.start(named: "bcm-transfers") { [self] in
            Loop(engine: self, multi).run()
        }
        guard hasThread else {
            multi.free()
            throw BCMError(.invalidConfiguration, reason: "the system gives no thread for a client")
        }
    }

    /// Runs a transfer to its end. Ends it when the task is cancelled.
    func perform(_ transfer: Transfer) async -> TransferOutcome {
        let accepted = inbox.withLock { inbox -> Bool in
            guard !inbox.isShutDown, inbox.multi != nil else { return false }
            inbox.submitted.append(transfer)
            inbox.wake()
            return true
        }
        guard accepted else { return TransferOutcome(stop: .shutDown) }
        if let outcome = await transfer.promise.value() { return outcome }
        inbox.withLock { inbox in
            guard inbox.multi != nil else { return }
            inbox.cancelled.append(transfer)
            inbox.wake()
        }
        return TransferOutcome(stop: .cancelled)
    }

    /// Ends all transfers, closes all connections and ends the thread. Returns at once.
    func shutDown() {
        inbox.withLock { inbox in
            inbox.isShutDown = true
            inbox.wake()
        }
    }

    /// The state that only the thread sees.
    private struct Loop: ~Copyable {
        let engine: TransferEngine
        let owned: Multi
        var multi: UnsafeMutableRawPointer { owned.handle }
        /// The transfers that libcurl has, by easy handle.
        var active: [UnsafeMutableRawPointer: Transfer] = [:]
        /// How many of them go to each head node.
        var load: [HeadNode: Int] = [:]
        /// Those that wait their turn, in their order.
        var waiting: [Transfer] = []
        /// The handle of each head node's last request that went well.
        var spare: [HeadNode: TransferHandle] = [:]
        /// Every gate that a connection's TLS context may point to.
        var gates: [ObjectIdentifier: PeerGate] = [:]

        init(engine: TransferEngine, _ multi: Multi) {
            self.engine = engine
            owned = multi
        }

        consuming func run() {
            ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 2 * TransferEngine.transfersAtOnce)
            while takeInbox() {
                admit()
                var running: Int32 = 0
                curl_multi_perform(multi, &running)
                if collect() { continue }
                if active.isEmpty, waiting.isEmpty {
                    awaitWork()
                } else {
                    curl_multi_poll(multi, nil, 0, patience(), nil)
                }
            }
            end()
        }

        /// Waits for something in the inbox. Kept connections need nobody meanwhile: libcurl looks at one before it uses it.
        private func awaitWork() {
            let waits = engine.inbox.withLock { inbox in
                inbox.isIdle = inbox.isEmpty
                return inbox.isIdle
            }
            // Ended early by a signal; whoever gives work says that the thread is not idle any more, once.
            while waits, sem_wait(owned.work) != 0 {}
        }

        /// Takes what other threads left. False when the client is shut down.
        private mutating func takeInbox() -> Bool {
            let (submitted, cancelled, goesOn) = engine.inbox.withLock { inbox in
                defer {
                    inbox.submitted = []
                    inbox.cancelled = []
                }
                return (inbox.submitted, inbox.cancelled, !inbox.isShutDown)
            }
            waiting += submitted
            for transfer in cancelled {
                if let easy = transfer.easy, active[easy] === transfer {
                    remove(transfer, easy)
                } else {
                    waiting.removeAll { $0 === transfer }
                }
            }
            return goesOn
        }

        /// Gives waiting transfers to libcurl, as far as there is room.
        private mutating func admit() {
            guard !waiting.isEmpty else { return }
            var left: [Transfer] = []
            for transfer in waiting {
                let headNode = transfer.request.headNode
                let room = transfer.gate.awaitsFirstKey ? 1 : TransferEngine.transfersAtOnce
                if transfer.request.deadline <= .now {
                    transfer.promise.fulfil(TransferOutcome(code: .timedOut, stop: .neverBegan))
                } else if load[headNode, default: 0] >= room {
                    left.append(transfer)
                } else if let easy = transfer.prepare(reusing: spare.removeValue(forKey: headNode)),
                    curl_multi_add_handle(multi, easy) == CURLM_OK
                {
                    active[easy] = transfer
                    gates[ObjectIdentifier(transfer.gate)] = transfer.gate
                    load[headNode, default: 0] += 1
                    engine.started.add(1, ordering: .relaxed)
                } else {
                    let outcome = transfer.finishUnprepared()
                    transfer.release()
                    transfer.promise.fulfil(outcome)
                }
            }
            waiting = left
        }

        /// Hands out what is finished. True when something was.
        private mutating func collect() -> Bool {
            var any = false
            var result = CURLE_OK
            while let easy = ccurl_next_finished(multi, &result) {
                any = true
                guard let transfer = active[easy] else { continue }
                let outcome = transfer.finish(CurlCode(result))
                if outcome.openedConnection { engine.opened.add(1, ordering: .relaxed) }
                remove(transfer, easy)
                // Those that wait for the same head node need not find out again that it is unreachable.
                let wasUnreachable =
                    outcome.code == .couldNotConnect
                    || outcome.code == .timedOut && !outcome.wasConnected && transfer.request.deadline > .now
                if wasUnreachable { giveUp(transfer.request.headNode, outcome) }
                transfer.promise.fulfil(outcome)
            }
            return any
        }

        /// Ends all that wait for a head node in the same way.
        private mutating func giveUp(_ headNode: HeadNode, _ outcome: TransferOutcome) {
            var same = outcome
            same.openedConnection = false
            for transfer in waiting where transfer.request.headNode == headNode { transfer.promise.fulfil(same) }
            waiting.removeAll { $0.request.headNode == headNode }
        }

        private mutating func remove(_ transfer: Transfer, _ easy: UnsafeMutableRawPointer) {
            curl_multi_remove_handle(multi, easy)
            active[easy] = nil
            let headNode = transfer.request.headNode
            if let handle = transfer.release() { spare[headNode] = handle }
            load[headNode] = load[headNode].flatMap { $0 > 1 ? $0 - 1 : nil }
        }

        /// How long to wait, in milliseconds, when nothing happens; libcurl shortens it for its own time-outs.
        private func patience() -> Int32 {
            let idle: Duration = .seconds(600)
            let next = waiting.map { $0.request.deadline - .now }.min() ?? idle
            return Int32(min(next, idle).wholeMilliseconds)
        }

        private consuming func end() {
            let left = engine.inbox.withLock { inbox in
                inbox.multi = nil
                defer { inbox.submitted = [] }
                return inbox.submitted
            }
            for (easy, transfer) in active {
                curl_multi_remove_handle(multi, easy)
                transfer.release()
                transfer.promise.fulfil(TransferOutcome(stop: .shutDown))
            }
            for transfer in waiting + left { transfer.promise.fulfil(TransferOutcome(stop: .shutDown)) }
            spare = [:]
            owned.free()
        }
    }
}
