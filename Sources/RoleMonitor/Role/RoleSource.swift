package import BCMClient

/// Where roles are looked up.
package protocol RoleSource: Sendable {
    /// The head nodes that can be asked.
    var headNodes: [HeadNode] { get }
    /// Looks hosts up, at one head node or at the first that answers.
    func lookUp(_ hostNames: [String], at headNode: HeadNode?) async throws(BCMError) -> DeviceLookup
    /// With trust on first use: the keys to keep.
    var seenKeys: [HeadNode: PublicKeyPin] { get }
    /// How far one head node can be used.
    func checkConnectivity(of headNode: HeadNode) async -> ConnectivityReport
}

extension RESTClient: RoleSource {
    package var headNodes: [HeadNode] { configuration.headNodes }
}
