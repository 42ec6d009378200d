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

    /// The names of the software images.
    public func softwareImages() async throws(BCMError) -> [String] {
        try await table([["softwareimage"], ["list"]]).rows.compactMap { $0["name"] }.filter { !$0.isEmpty }
    }

    /// The names of the categories.
    public func categories() async throws(BCMError) -> [String] {
        try await table([["category"], ["list"]]).rows.compactMap { $0["name"] }.filter { !$0.isEmpty }
    }

    /// Clones a software image and commits. Copying its folder can take minutes, which go on after this returns.
    public func cloneSoftwareImage(_ source: String, as name: String) async throws(BCMError) {
        try await clone("softwareimage", "software image", source, name)
    }

    /// Clones a category and commits, to try an image on some nodes first.
    public func cloneCategory(_ source: String, as name: String) async throws(BCMError) {
        try await clone("category", "category", source, name)
    }

    private func clone(_ mode: String, _ what: String, _ source: String, _ name: String) async throws(BCMError) {
        let words = ["clone", try CmshScript.name(source, what), try CmshScript.name(name, what)]
        _ = try await run([[mode], words, ["commit"]])
    }

    /// Takes what a node has on its disks into a software image. BCM's manual says to clone the image first.
    ///
    /// - Parameters:
    ///   - node: the node.
    ///   - image: the image that is written. There is no default: BCM's own is the image that the node and its like boot from.
    ///   - isDryRun: whether nothing is written.
    /// - Returns: what cmsh said.
    public func grabImage(of node: String, into image: String, isDryRun: Bool) async throws(BCMError) -> String {
        let words = ["grabimage", "-i", try CmshScript.name(image, "software image")] + (isDryRun ? [] : ["-w"])
        return try await run([["device"], ["use", try CmshScript.name(node, "device")], words])
    }

    /// Brings running nodes in line with their software image.
    ///
    /// - Parameters:
    ///   - nodes: the nodes.
    ///   - isDryRun: whether nothing is written.
    /// - Returns: what cmsh said.
    public func updateFromImage(_ nodes: NodeRange, isDryRun: Bool) async throws(BCMError) -> String {
        try await run([["device"], ["imageupdate", "-n", nodes.description] + (isDryRun ? [] : ["-w"])])
    }
}
