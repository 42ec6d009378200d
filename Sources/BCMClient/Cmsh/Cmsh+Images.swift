extension Cmsh {
    /// The folder of a software image on the head node, such as `/cm/images/default-image`.
    public func softwareImagePath(_ name: String) async throws(BCMError) -> String {
        let path = try await run(
            [["softwareimage"], ["use", try CmshScript.name(name, "software image")], ["get", "path"]],
            expectsOutput: true
        ).trimmed
        guard path.hasPrefix("/"), path != "/", !path.contains("/../"), !path.contains(where: \.isNewline) else {
            throw BCMError(
                .notUnderstood, reason: "cmsh gives no folder of the software image \(name): \(quoted(path))",
                remedy: "look at: cmsh -c 'softwareimage; use \(name); get path'")
        }
        return path
    }

    /// The software image of each physical node, by the node's name; nodes that have none are absent.
    public func softwareImagesByNode() async throws(BCMError) -> [String: String] {
        let table = try await table([
            ["device"], ["list"] + Selection.physicalNodes.arguments + ["-f", "hostname,softwareimage"],
        ])
        var images: [String: String] = [:]
        for row in table.rows {
            // A value that a category gives is followed by that: `default-image (category:dgx)`.
            guard let node = row["hostname"], let value = row["softwareimage"] ?? row["software image"] else {
                continue
            }
            let image = value.prefix { $0 != " " }
            if !node.isEmpty, !image.isEmpty { images[node] = String(image) }
        }
        return images
    }
}
