/// Keeps systemd's watchdog fed during steps that are bounded, and only for as long as they are allowed to take.
package struct Heartbeat: Sendable {
    private let feed: @Sendable () -> Void
    private let interval: Duration?

    /// Creates a heartbeat that calls `feed` at this interval during steps, and after each.
    package init(every interval: Duration, feed: @escaping @Sendable () -> Void) {
        self.feed = feed
        self.interval = interval
    }

    private init() {
        feed = {}
        interval = nil
    }

    /// A heartbeat that nobody listens to.
    package static let none = Heartbeat()

    /// Tells that the program is alive.
    package func beat() { feed() }

    /// Runs a step. Once it takes longer than its limit, nothing is fed any more, and systemd ends the program.
    package func during<Result: Sendable, Failure: Error>(
        limit: Duration, isolation: isolated (any Actor)? = #isolation, _ step: () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        // A cancelled sleep keeps its memory until its time would have come, so nobody sleeps in vain.
        guard let interval else { return try await step() }
        let feeder = Task { [feed] in
            let end = ContinuousClock.now + limit
            while ContinuousClock.now < end, (try? await Task.sleep(for: interval)) != nil { feed() }
        }
        defer {
            feeder.cancel()
            feed()
        }
        return try await step()
    }
}
