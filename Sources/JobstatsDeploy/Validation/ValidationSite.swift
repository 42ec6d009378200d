public import BCMClient

/// What BCM says about the site, each part with its own failure: a check that needs one cannot look when it is missing.
public struct ValidationSite: Sendable {
    /// The roles of each node; nodes that BCM does not know are absent.
    public var rolesByNode: Result<[String: Set<String>], BCMError> = .failure(Self.notAsked)
    /// Each node's software image.
    public var imageByNode: Result<[String: String], BCMError> = .failure(Self.notAsked)
    /// The head nodes.
    public var headNodes: Result<[String], BCMError> = .failure(Self.notAsked)
    /// The role that exporters follow.
    public var role = "slurmclient"

    /// Creates one that knows nothing.
    public init() {}

    private static let notAsked = BCMError(.notFound, reason: "BCM was not asked", remedy: nil)

    /// Asks cmsh for everything at once.
    static func ask(_ cmsh: Cmsh, role: String) async -> ValidationSite {
        async let nodes = result { () async throws(BCMError) in try await cmsh.devices(.physicalNodes) }
        async let holders = result { () async throws(BCMError) in try await cmsh.devices(.role(role)) }
        async let images = result { () async throws(BCMError) in try await cmsh.softwareImagesByNode() }
        async let heads = result { () async throws(BCMError) in try await cmsh.headNodes().map(\.hostname) }
        var site = ValidationSite()
        site.role = role
        site.imageByNode = await images
        site.headNodes = await heads
        switch (await nodes, await holders) {
        case (.success(let nodes), .success(let holders)):
            var roles = Dictionary(nodes.map { ($0.hostname, Set<String>()) }) { first, _ in first }
            for holder in holders { roles[holder.hostname, default: []].insert(role) }
            site.rolesByNode = .success(roles)
        case (.failure(let error), _), (_, .failure(let error)): site.rolesByNode = .failure(error)
        }
        return site
    }

    private static func result<Value: Sendable>(
        _ ask: @Sendable () async throws(BCMError) -> Value
    ) async -> Result<Value, BCMError> {
        do throws(BCMError) {
            return .success(try await ask())
        } catch {
            return .failure(error)
        }
    }

    /// Whether a node has the role by BCM's account; nil when BCM does not know the node or was not heard.
    public func hasRole(_ host: Host) -> Bool? {
        guard case .success(let roles) = rolesByNode else { return nil }
        return (roles[host.name] ?? roles[JobstatsPlan.shortName(host)]).map { $0.contains(role) }
    }

    /// Why it is not known whether a node has the role.
    func roleProblem(_ host: Host) -> ValidationVerdict {
        switch rolesByNode {
        case .failure(let error):
            .unseen(
                "BCM does not tell who has the role \(role): \(error.reason)",
                advice: error.remedy ?? "look at: cmsh -c 'device; list'")
        case .success:
            .failed(
                "BCM lists no node of this name",
                advice: "compare dgx_nodes of the configuration with: cmsh -c 'device; list'")
        }
    }
}
