internal import Glibc

/// One moment on two clocks.
package struct Moment: Sendable, Hashable {
    /// Seconds since 1970. It may jump, but means the same after a reboot.
    package var wall: Double
    /// Seconds since this boot, time asleep included. It never jumps, and means nothing after a reboot.
    package var sinceBoot: Double

    package init(wall: Double, sinceBoot: Double) {
        self.wall = wall
        self.sinceBoot = sinceBoot
    }
}

/// Time, as far as the monitor sees it.
package protocol MonitorClock: Sendable {
    /// The present moment.
    func now() -> Moment
    /// Waits; throws when the task is cancelled.
    func sleep(for duration: Duration) async throws
}

/// The machine's own clocks.
package struct SystemClock: MonitorClock {
    package init() {}

    package func now() -> Moment {
        Moment(wall: Self.seconds(CLOCK_REALTIME), sinceBoot: Self.seconds(CLOCK_BOOTTIME))
    }

    package func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

extension Duration {
    /// The duration in seconds.
    var inSeconds: Double { self / .seconds(1) }
}
