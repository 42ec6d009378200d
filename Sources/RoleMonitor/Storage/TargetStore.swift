/// Where target files are kept.
package protocol TargetStore: Sendable {
    /// The longest time that ``perform(_:)`` takes.
    var limit: Duration { get }
    /// Does these operations in their order, and tells what became of each.
    func perform(_ operations: [StorageOperation]) async -> [StorageOutcome]
}
