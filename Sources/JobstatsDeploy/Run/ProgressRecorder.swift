/// Keeps what was reached, so that an interrupted run can be resumed.
public protocol ProgressRecorder: Sendable {
    /// Saves one result. Returns a problem in words when it could not be saved, otherwise nil.
    func record(_ result: StepResult) async -> String?
}
