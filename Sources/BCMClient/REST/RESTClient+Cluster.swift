extension RESTClient {
    /// The versions of the interface, such as `v1`.
    ///
    /// - Parameter headNode: the only head node to ask; nil asks the one that answered last, then the others. So it is in every call.
    public func interfaceVersions(at headNode: HeadNode? = nil) async throws(BCMError) -> [String] {
        try await json(Request(path: "/rest"), at: headNode) { place, _ throws(JSONError) in try place.texts() }
    }

    /// The names of what there is below `/rest/v1`.
    public func resources(at headNode: HeadNode? = nil) async throws(BCMError) -> [String] {
        try await json(Request(path: "/rest/v1"), at: headNode) { place, _ throws(JSONError) in try place.texts() }
    }

    /// Every device with everything that BCM says of it. ``devices(at:)`` and ``lookUp(_:at:)`` take less memory.
    public func deviceRecords(at headNode: HeadNode? = nil) async throws(BCMError) -> [DeviceRecord] {
        try await rows("/rest/v1/device", at: headNode) { place throws(JSONError) in try DeviceRecord(place) }
    }

    /// The status of nodes.
    ///
    /// - Parameters:
    ///   - nodes: which nodes; nil for all. Nodes that BCM does not know are absent from the answer.
    ///   - verbose: whether to ask for the four flags of ``NodeStatus`` as well.
    ///   - headNode: the only head node to ask; nil asks the one that answered last, then the others.
    public func status(
        of nodes: NodeRange? = nil, verbose: Bool = false, at headNode: HeadNode? = nil
    ) async throws(BCMError) -> [NodeStatus] {
        var query: [(String, String)] = []
        // A name or a range is documented; for several of them all are asked for.
        if let nodes, nodes.isSingle { query.append(("name", nodes.description)) }
        if verbose { query.append(("verbose", "1")) }
        let statuses = try await rows("/rest/v1/status", query, at: headNode) { place throws(JSONError) in
            try NodeStatus(place)
        }
        guard let nodes else { return statuses }
        let wanted = Set(nodes.names.map { firstLabel($0.lowercased()) })
        return statuses.filter { wanted.contains(firstLabel($0.hostname.lowercased())) }
    }

    /// Sets texts of nodes' statuses.
    ///
    /// - Returns: for each update how many of its texts were changed, 0 to 3.
    public func post(_ updates: [StatusUpdate], at headNode: HeadNode? = nil) async throws(BCMError) -> [Int] {
        try await json(.post("/rest/v1/status", .array(updates.map(\.json))), at: headNode) {
            place, _ throws(JSONError) in
            let counts = try place.elements()
            guard counts.count == updates.count else {
                throw place.error("expected \(updates.count) numbers, found \(counts.count)")
            }
            return try counts.map { count throws(JSONError) in try count.count() }
        }
    }

    /// BCM's versions.
    public func version(at headNode: HeadNode? = nil) async throws(BCMError) -> BCMVersion {
        try await json(Request(path: "/rest/v1/version"), at: headNode) { place, headNode throws(JSONError) in
            try BCMVersion(place, from: headNode)
        }
    }

    /// BCM's licence.
    public func license(at headNode: HeadNode? = nil) async throws(BCMError) -> BCMLicense {
        try await json(Request(path: "/rest/v1/license"), at: headNode) { place, _ throws(JSONError) in
            try BCMLicense(place)
        }
    }

    /// Who is connected to CMDaemon.
    public func sessions(at headNode: HeadNode? = nil) async throws(BCMError) -> [BCMSession] {
        try await rows("/rest/v1/session", at: headNode) { place throws(JSONError) in try BCMSession(place) }
    }

    /// What the hosts are made of, in BCM's order.
    public func systemInformation(at headNode: HeadNode? = nil) async throws(BCMError) -> [HostInformation] {
        try await json(Request(path: "/rest/v1/sysinfo"), at: headNode) { place, _ throws(JSONError) in
            try place.members().map { name, place throws(JSONError) in try HostInformation(name, place) }
        }
    }

    /// The jobs that the workload managers run or have queued.
    public func jobs(at headNode: HeadNode? = nil) async throws(BCMError) -> [WorkloadJob] {
        try await rows("/rest/v1/workload/jobs", at: headNode) { place throws(JSONError) in try WorkloadJob(place) }
    }

    /// Adds an event to BCM's log.
    ///
    /// It is not repeated at another head node when it may have been done; ``BCMError/mayHaveBeenDone`` tells.
    public func post(_ event: ClusterEvent, at headNode: HeadNode? = nil) async throws(BCMError) {
        let body: JSONValue = [
            "message": .text(event.message), "details": .text(event.details), "severity": .text(event.severity),
        ]
        let taken = try await json(.post("/rest/v1/event", body), at: headNode, isRepeatable: false) {
            place, _ throws(JSONError) in try place.boolean()
        }
        guard taken else { throw BCMError(.refused, at: headNode, reason: "BCM did not take the event") }
    }

    /// BCM's answer for testing, as it is.
    public func check(at headNode: HeadNode? = nil) async throws(BCMError) -> JSONValue {
        try await value("/rest/v1/check", at: headNode)
    }

    /// The data for charging back, as they are: the manual does not describe them.
    public func chargeback(at headNode: HeadNode? = nil) async throws(BCMError) -> JSONValue {
        try await value("/rest/v1/chargeback", at: headNode)
    }

    /// The answer to a GET of any path, as it is: for what this client does not know.
    ///
    /// - Parameters:
    ///   - path: such as `/rest/v1/device`.
    ///   - query: the parameters by name, not encoded.
    ///   - headNode: the only head node to ask; nil asks the one that answered last, then the others.
    public func value(
        _ path: String, query: [(name: String, value: String)] = [], at headNode: HeadNode? = nil
    ) async throws(BCMError) -> JSONValue {
        let isFit = path.hasPrefix("/") && path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x23 && $0 != 0x3f }
        guard isFit else {
            throw BCMError(
                .invalidConfiguration, reason: "\(quoted(path)) is no path",
                remedy: "begin with a slash, encode what is not ASCII, and give parameters apart")
        }
        return try await json(Request(path: path, query: query), at: headNode) { place, _ in place.value }
    }

    /// An answer that is an array.
    func rows<Row>(
        _ path: String, _ query: [(String, String)] = [], at headNode: HeadNode?,
        read: (JSONPlace) throws(JSONError) -> Row
    ) async throws(BCMError) -> [Row] {
        try await json(Request(path: path, query: query), at: headNode) { place, _ throws(JSONError) in
            try place.elements().map(read)
        }
    }
}
