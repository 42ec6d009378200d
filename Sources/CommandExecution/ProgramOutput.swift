import CLinux
import Glibc
import Synchronization
import SystemPackage

/// What a program writes to its standard output and standard error, read on a thread of its own while the program runs,
/// which also keeps its time.
///
/// The thread ends when ``programEnded()`` is called (what is in the pipes by then is still read; a child that the program
/// left behind may hold them open for longer), or when the program is given up.
///
/// swift-subprocess could read them itself; version 1.0.2 then keeps an entry for each process for as long as this
/// process lives, which a service that starts programs all day cannot have. A task that sleeps until the time-out, and is
/// cancelled, would keep its memory until then.
final class ProgramOutput: Sendable {
    /// What was read.
    struct Bytes: Sendable {
        var output: [UInt8] = []
        var error: [UInt8] = []
    }

    /// When a program is stopped, and how long after that, or after too much output, it is given up.
    struct Times: Sendable {
        var timeout: Duration
        var abandonDelay: Duration
    }

    /// What the thread says, each at most once.
    enum Event: Sendable {
        /// A pipe carried more than the limit. Nothing more is read.
        case excess
        /// The program took too long.
        case timeout
        /// It did not end after one of these either: nothing more is waited for.
        case abandoned
    }

    /// The ends for the program; whoever starts it closes them.
    let outputEnd: FileDescriptor
    let errorEnd: FileDescriptor

    private let outputSource: Int32
    private let errorSource: Int32
    /// Closing the one end wakes the thread, which waits at the other.
    private let wakingEnd: Int32
    private let wakeSource: Int32
    private let limit: Int
    private let times: Times
    private let bytes = Promise<Bytes>()
    private let hasEnded = Atomic(false)

    /// Makes the pipes.
    ///
    /// - Parameter limit: how many bytes each of the two may carry.
    /// - Throws: `Errno`, in a process that is out of file descriptors.
    init(limit: Int, _ times: Times) throws {
        self.limit = limit
        self.times = times
        var ends: [Int32] = []
        for _ in 0..<3 {
            var pipe: [Int32] = [-1, -1]
            guard clinux_pipe(&pipe) == 0 else {
                let error = Errno(rawValue: errno)
                for end in ends { close(end) }
                throw error
            }
            ends += pipe
        }
        (outputSource, errorSource, wakeSource) = (ends[0], ends[2], ends[4])
        (outputEnd, errorEnd) = (FileDescriptor(rawValue: ends[1]), FileDescriptor(rawValue: ends[3]))
        wakingEnd = ends[5]
    }

    /// Closes the pipes of a program that is never started, and of which nothing is read.
    func discard() {
        for end in [outputEnd.rawValue, errorEnd.rawValue, outputSource, errorSource, wakingEnd, wakeSource] {
            close(end)
        }
    }

    /// Begins to read, and the program's time.
    ///
    /// - Parameter tell: called on the thread.
    /// - Returns: whether the system gave a thread. ``programEnded()`` is called after a start, ``discard()`` after a
    ///   failure.
    func start(tell: @escaping @Sendable (Event) -> Void) -> Bool {
        DetachedThread.start(named: "output") { [self] in bytes.fulfil(read(tell)) }
    }

    /// The program was not started after all, has ended, or is given up: nothing more is waited for.
    func programEnded() {
        if !hasEnded.exchange(true, ordering: .acquiringAndReleasing) { close(wakingEnd) }
    }

    /// What was read, once reading has ended.
    func allBytes() async -> Bytes { await bytes.value() ?? Bytes() }

    private func read(_ tell: (Event) -> Void) -> Bytes {
        defer { close(wakeSource) }
        var all = Bytes()
        var polled = [outputSource, errorSource, wakeSource].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        func closeSources() {
            for source in [outputSource, errorSource] { close(source) }
            (polled[0].fd, polled[1].fd) = (-1, -1)
        }
        let clock = ContinuousClock()
        var deadline = clock.now + times.timeout, isLate = false, isTooMuch = false
        while true {
            let count = poll(&polled, nfds_t(polled.count), Self.milliseconds(until: deadline, clock))
            if count < 0 { continue }
            let isLast = polled[2].revents != 0 || hasEnded.load(ordering: .acquiring)
            if !isLast, clock.now >= deadline {
                tell(isLate ? .abandoned : .timeout)
                if isLate {
                    programEnded()
                    break
                }
                (isLate, deadline) = (true, clock.now + times.abandonDelay)
            }
            if polled[0].revents != 0 || isLast { take(from: &polled[0], into: &all.output, isLast) }
            if polled[1].revents != 0 || isLast { take(from: &polled[1], into: &all.error, isLast) }
            if !isTooMuch, all.output.count > limit || all.error.count > limit {
                (isTooMuch, all) = (true, Bytes())
                closeSources()
                if !isLate { (isLate, deadline) = (true, clock.now + times.abandonDelay) }
                tell(.excess)
            }
            if isLast { break }
        }
        if !isTooMuch { closeSources() }
        return all
    }

    /// What poll(2) waits for at most; rounded up, and no more than a day.
    private static func milliseconds(until deadline: ContinuousClock.Instant, _ clock: ContinuousClock) -> Int32 {
        let (seconds, attoseconds) = max(deadline - clock.now, .zero).components
        return Int32(min(seconds, 86_400) * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
    }

    /// Reads what is there, at most a chunk. At the end of the pipe it is polled no more.
    ///
    /// - Parameter isLast: whether the program has ended. Whatever it wrote is in the pipe by then; what comes while that
    ///   is read comes from others, who may go on for ever.
    private func take(from source: inout pollfd, into bytes: inout [UInt8], _ isLast: Bool) {
        guard source.fd >= 0 else { return }
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { chunk in
            var left = isLast ? Int(clinux_held_by_pipe(source.fd)) : chunk.count
            while bytes.count <= limit, left > 0 {
                let count = Glibc.read(source.fd, chunk.baseAddress, min(chunk.count, left))
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else {
                    if count == 0 || errno != EAGAIN { source.fd = -1 }
                    return
                }
                bytes.append(contentsOf: chunk[..<count])
                left -= count
            }
        }
    }
}
