internal import FoundationEssentials

/// Moments as text.
enum WallTime {
    /// `2026-11-22T20:30:00Z`.
    static func text(_ seconds: Double) -> String {
        Date(timeIntervalSince1970: seconds.rounded()).formatted(.iso8601)
    }
}
