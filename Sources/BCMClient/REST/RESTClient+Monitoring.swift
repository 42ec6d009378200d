extension RESTClient {
    /// What is measured: nodes and others.
    ///
    /// - Parameters:
    ///   - nodes: a name or range; nil for all.
    ///   - type: such as `node`; nil for all.
    ///   - pattern: a regular expression (ECMAScript) that names match; nil for all.
    ///   - headNode: the only head node to ask; nil asks the one that answered last, then the others.
    public func monitoringEntities(
        named nodes: NodeRange? = nil, type: String? = nil, like pattern: String? = nil, at headNode: HeadNode? = nil
    ) async throws(BCMError) -> [MonitoringObject] {
        let query = [("name", nodes?.description), ("type", type), ("like", pattern)]
        return try await list("entity", "entities", query, at: headNode) { place throws(JSONError) in
            try MonitoringObject(place)
        }
    }

    /// What can be measured.
    ///
    /// - Parameters:
    ///   - name: its name; nil for all.
    ///   - pattern: a regular expression (ECMAScript) that names match; nil for all.
    ///   - headNode: the only head node to ask; nil asks the one that answered last, then the others.
    public func measurables(
        named name: String? = nil, like pattern: String? = nil, at headNode: HeadNode? = nil
    ) async throws(BCMError) -> [MonitoringObject] {
        try await list("measurable", "measurables", [("name", name), ("like", pattern)], at: headNode) {
            place throws(JSONError) in try MonitoringObject(place)
        }
    }

    /// Which measurables are measured of which entities.
    public func monitoringUse(
        entity: String? = nil, measurable: String? = nil, at headNode: HeadNode? = nil
    ) async throws(BCMError) -> [MonitoringUse] {
        try await list("usage", "data", [("entity", entity), ("measurable", measurable)], at: headNode) {
            place throws(JSONError) in try MonitoringUse(place)
        }
    }

    /// The newest values.
    ///
    /// - Parameters:
    ///   - entity: a name or range of names; nil for all.
    ///   - measurable: a name; nil for all.
    ///   - headNode: the only head node to ask; nil asks the one that answered last, then the others.
    public func latestValues(
        entity: String? = nil, measurable: String? = nil, at headNode: HeadNode? = nil
    ) async throws(BCMError) -> [MonitoringValue] {
        try await list("latest", "data", [("entity", entity), ("measurable", measurable)], at: headNode) {
            place throws(JSONError) in try MonitoringValue(place)
        }
    }

    /// A series of values. Their times are asked for as Unix time, so that they are moments and not dates without a zone.
    ///
    /// - Parameters:
    ///   - entity: a name; empty for all.
    ///   - measurable: a name; empty for all.
    ///   - start: from when on; an hour ago by default, as BCM has it.
    ///   - end: until when; now by default.
    ///   - intervals: into how many intervals the values are gathered; 0, the default, gives each value that was measured.
    ///   - headNode: the only head node to ask; nil asks the one that answered last, then the others.
    public func series(
        entity: String, measurable: String, from start: MonitoringMoment = .ago(.seconds(3600)),
        until end: MonitoringMoment = .now, intervals: Int = 0, at headNode: HeadNode? = nil
    ) async throws(BCMError) -> [MonitoringValue] {
        guard intervals >= 0 else {
            throw BCMError(.invalidConfiguration, reason: "\(intervals) intervals cannot be", remedy: "give 0 or more")
        }
        let query: [(String, String?)] = [
            ("entity", entity), ("measurable", measurable), ("start", start.description), ("end", end.description),
            ("intervals", "\(intervals)"), ("epoch", "1"),
        ]
        return try await list("dump", "data", query, at: headNode) { place throws(JSONError) in
            try MonitoringValue(place)
        }
    }

    /// Gives BCM a value of a metric or health check.
    ///
    /// - Parameters:
    ///   - value: the value.
    ///   - metricClass: where BCM files it, such as `Push/Single`; nil leaves that to BCM.
    ///   - isHealthCheck: whether it is a health check and not a metric.
    ///   - unit: the unit of a number, such as `s`; nil for none.
    ///   - headNode: the only head node to ask; nil asks the one that answered last, then the others.
    public func push(
        _ value: PushedValue, class metricClass: String? = nil, isHealthCheck: Bool = false, unit: String? = nil,
        at headNode: HeadNode? = nil
    ) async throws(BCMError) -> PushResult {
        guard !value.name.isEmpty, value.name != ".", value.name != ".." else {
            throw BCMError(
                .invalidConfiguration, reason: "\(quoted(value.name)) is no name of a metric",
                remedy: "name the metric or health check")
        }
        let query = [
            ("info", value.info), ("class", metricClass), ("healthcheck", isHealthCheck ? "yes" : nil), ("unit", unit),
        ]
        var request = Request(path: "/monitoring/push/" + Request.encode(value.name), query: Self.present(query))
        request.body = RequestBody(bytes: Array(value.text.utf8), contentType: "text/plain")
        return try await json(request, at: headNode, isRepeatable: false) { place, _ throws(JSONError) in
            try PushResult(place)
        }
    }

    /// Declares the metrics that are going to be pushed together. Once is enough.
    ///
    /// - Returns: BCM's answer, which the manual does not describe.
    @discardableResult
    public func declare(_ metrics: [PushedMetric], at headNode: HeadNode? = nil) async throws(BCMError) -> JSONValue {
        let rows = metrics.map { metric -> JSONValue in
            ["metric": .text(metric.name), "class": .text(metric.metricClass)]
        }
        return try await json(.post("/monitoring/initialize", .array(rows)), at: headNode) { place, _ in place.value }
    }

    /// Gives BCM values of metrics that were declared.
    public func push(_ values: [PushedValue], at headNode: HeadNode? = nil) async throws(BCMError) -> PushResult {
        try await json(
            .post("/monitoring/push", .array(values.map(\.json))), at: headNode, isRepeatable: false
        ) { place, _ throws(JSONError) in try PushResult(place) }
    }

    private func list<Row>(
        _ path: String, _ member: String, _ query: [(String, String?)], at headNode: HeadNode?,
        read: (JSONPlace) throws(JSONError) -> Row
    ) async throws(BCMError) -> [Row] {
        let request = Request(path: "/rest/v1/monitoring/" + path, query: Self.present(query))
        return try await json(request, at: headNode) { place, _ throws(JSONError) in
            try place.member(member).elements().map(read)
        }
    }

    private static func present(_ query: [(String, String?)]) -> [(name: String, value: String)] {
        query.compactMap { name, value in value.map { (name, $0) } }
    }
}
