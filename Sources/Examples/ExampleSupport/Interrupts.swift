internal import Glibc
internal import Synchronization

/// Turns SIGINT, SIGTERM and SIGHUP into the cancellation of a task, so that a run ends in an orderly way.
public enum Interrupts {
    /// The pipe between the signal handler, which may do next to nothing, and the thread that acts.
    private static let pipe: (read: Int32, write: Int32) = {
        var ends: [Int32] = [-1, -1]
        _ = Glibc.pipe(&ends)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }()

    /// Runs the work; the first signal cancels it. A second one ends the process at once with status 130.
    public static func cancelling<Result: Sendable>(
        _ work: @escaping @Sendable () async -> Result
    ) async -> Result {
        let task = Task { await work() }
        _ = pipe
        for number in [SIGINT, SIGTERM, SIGHUP] {
            // What was ignored from the start, as SIGHUP under nohup(1), stays ignored.
            var before = sigaction()
            if sigaction(number, nil, &before) == 0, isIgnored(before) { continue }
            signal(number) { _ in
                var byte: UInt8 = 1
                _ = Glibc.write(Interrupts.pipe.write, &byte, 1)
            }
        }
        let thread = InterruptThread { first in
            if first { task.cancel() } else { _exit(130) }
        }
        thread.start(reading: pipe.read)
        return await task.value
    }

    private static func isIgnored(_ action: sigaction) -> Bool {
        unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }
}

/// A thread that waits for bytes from the signal handler.
private final class InterruptThread: Sendable {
    private let act: @Sendable (Bool) -> Void

    init(_ act: @escaping @Sendable (Bool) -> Void) { self.act = act }

    func start(reading descriptor: Int32) {
        let box = Unmanaged.passRetained(Work(act: act, descriptor: descriptor))
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                var byte: UInt8 = 0
                var isFirst = true
                while read(work.descriptor, &byte, 1) == 1 {
                    work.act(isFirst)
                    isFirst = false
                }
                return nil
            }, box.toOpaque())
        pthread_detach(thread)
    }

    private final class Work: Sendable {
        let act: @Sendable (Bool) -> Void
        let descriptor: Int32
        init(act: @escaping @Sendable (Bool) -> Void, descriptor: Int32) {
            self.act = act
            self.descriptor = descriptor
        }
    }
}
