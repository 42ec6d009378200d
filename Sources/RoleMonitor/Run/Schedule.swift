/// When checks happen, so that thousands of nodes do not arrive at the head node together.
///
/// Each host has a phase of its own within the interval, derived from its name, and every check strays from it by
/// chance. The phase counts from the boot, so an outage of the head node, which delays the checks of all hosts alike,
/// does not bring them in step.
package struct Schedule: Sendable {
    /// How long after a boot the first check waits for the host's phase, since all hosts may have booted together.
    package static let bootTime = Duration.seconds(300)

    /// The time between two checks.
    package var interval: Duration
    /// The host's name.
    package var hostName: String

    package init(interval: Duration, hostName: String) {
        self.interval = interval
        self.hostName = hostName
    }

    /// How long to wait before the first check: not at all, except just after boot, and then five minutes at most.
    package func delayOfFirst(sinceBoot: Double) -> Duration {
        sinceBoot >= Self.bootTime.inSeconds ? .zero : .seconds(fraction * min(interval, Self.bootTime).inSeconds)
    }

    /// How long to wait before the next check.
    ///
    /// - Parameters:
    ///   - sinceBoot: the present, in seconds since boot.
    ///   - chance: a number from -1 to 1 that moves the check by up to a twentieth of the interval.
    package func delayOfNext(sinceBoot: Double, chance: Double) -> Duration {
        let length = interval.inSeconds
        let position = (sinceBoot - phase).truncatingRemainder(dividingBy: length)
        var delay = length - (position < 0 ? position + length : position)
        // The first check stands outside of the phase: no second one right behind it.
        if delay < length / 2 { delay += length }
        return .seconds(max(delay + chance * length / 20, length / 4))
    }

    /// The host's place within the interval, in seconds.
    private var phase: Double { fraction * interval.inSeconds }

    /// The host's place within any interval, from 0 to 1.
    private var fraction: Double {
        let hash = UInt64(ContentDigest.of(Array(hostName.lowercased().utf8)), radix: 16) ?? 0
        // The upper bits of this hash hardly differ between names that differ in their last digit.
        var mixed = hash ^ (hash >> 33)
        mixed = mixed &* 0xff51_afd7_ed55_8ccd
        mixed ^= mixed >> 33
        return Double(mixed >> 11) / Double(1 << 53 as UInt64)
    }
}
