extension BCMVersion {
    init(_ place: JSONPlace, from headNode: HeadNode) throws(JSONError) {
        _ = try place.members()
        self.init(
            clusterManager: try place.optional("cm_version")?.text(),
            cmdaemon: try place.optional("cmd_version")?.text(),
            buildIndex: try place.optional("build_index")?.integer(),
            buildHash: try place.optional("build_hash")?.text(),
            databaseVersion: try place.optional("database_version")?.integer(), headNode: headNode, raw: place.value)
    }
}
