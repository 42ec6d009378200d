internal import CommandExecution
internal import Glibc

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
        // The work begins when signals are heeded, so that none ends it halfway.
        let task = Task { await work() }
        let signals = pipe.read
        _ = DetachedThread.start(named: "interrupts") {
            var byte: UInt8 = 0
            guard read(signals, &byte, 1) == 1 else { return }
            task.cancel()
            if read(signals, &byte, 1) == 1 { _exit(130) }
        }
        return await task.value
    }

    private static func isIgnored(_ action: sigaction) -> Bool {
        unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }
}
