package import BCMClient

/// Where the list of all devices comes from.
package protocol DeviceSource: Sendable {
    /// The head nodes that can be asked.
    var headNodes: [HeadNode] { get }
    /// The same in the order in which they should be tried.
    var candidates: [HeadNode] { get }
    /// Every device, as one head node lists them.
    func devices(of headNode: HeadNode) async throws(BCMError) -> [Device]
    /// The state of each node by its name, as one head node shows it.
    func states(at headNode: HeadNode) async throws(BCMError) -> [String: String]
}

extension DeviceSource {
    /// None: not every source can tell.
    package func states(at headNode: HeadNode) async throws(BCMError) -> [String: String] { [:] }
}

/// Makes a source, when BCM is asked first.
package typealias DeviceSourceMaker = @Sendable () throws(BCMError) -> any DeviceSource

extension RESTClient: DeviceSource {
    package var headNodes: [HeadNode] { configuration.headNodes }
    package var candidates: [HeadNode] { order.candidates() }
    package func devices(of headNode: HeadNode) async throws(BCMError) -> [Device] { try await devices(at: headNode) }
    package func states(at headNode: HeadNode) async throws(BCMError) -> [String: String] {
        Dictionary(try await status(at: headNode).map { ($0.hostname, $0.state.name) }) { first, _ in first }
    }
}
