import CLinux

/// A thread of its own for work that blocks.
package enum DetachedThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a thread. It takes no signals, so that they reach the program's own handlers, and so that a write to a
    /// connection that the peer closed (which libcurl leaves to its caller) cannot end the process.
    ///
    /// - Parameter name: what debuggers and `ps` call it; at most 15 bytes.
    /// - Returns: whether the system gave a thread.
    package static func start(named name: String, _ run: @escaping @Sendable () -> Void) -> Bool {
        let body = Unmanaged.passRetained(Body(run))
        let status = clinux_start_thread(
            name,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
            }, body.toOpaque(), 1 << 20)
        if status != 0 { body.release() }
        return status == 0
    }
}
