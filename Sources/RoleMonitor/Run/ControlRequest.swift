/// What an operator asks of the running monitor.
public enum ControlRequest: Sendable, Hashable, Codable {
    /// Stop the exporters and remove the target file for this many seconds.
    case pause(seconds: Double)
    /// End the pause.
    case resume
    /// Forget failed starts, so that units that were given up are tried at once, and keys trusted on first use.
    case reset
}

/// The monitor's answer.
struct ControlAnswer: Sendable, Codable {
    /// Whether it was done.
    var isDone: Bool
    /// What was done, or why it was not, in words.
    var message: String
}
