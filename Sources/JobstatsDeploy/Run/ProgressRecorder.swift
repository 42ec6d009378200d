/// Keeps what was reached, so that an interrupted run can be resumed.
public protocol ProgressRecorder: Sendable {
    /// Saves results that were reached together. Returns a problem in words when they could not be saved, otherwise nil.
    func record(_ results: [StepResult]) async -> String?
}
