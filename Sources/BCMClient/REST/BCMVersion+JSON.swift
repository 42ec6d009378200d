import FoundationEssentials

extension BCMVersion {
    private struct Wire: Decodable {
        var build_hash: String?
        var build_index: Int?
        var cm_version: String?
        var cmd_version: String?
        var database_version: Int?
    }

    /// Reads the answer of `/rest/v1/version`.
    init(json: [UInt8], from headNode: HeadNode) throws(BCMError) {
        guard let wire = try? JSONDecoder().decode(Wire.self, from: Data(json)) else {
            throw BCMError(
                .notUnderstood, at: headNode,
                reason: "the answer about versions is not the documented object: "
                    + quoted(String(decoding: json.prefix(100), as: UTF8.self)),
                remedy: "check that CMDaemon is what listens there")
        }
        self.init(
            clusterManager: wire.cm_version, cmdaemon: wire.cmd_version, buildIndex: wire.build_index,
            buildHash: wire.build_hash, databaseVersion: wire.database_version, headNode: headNode)
    }
}
