/// Something that is measured, such as a node, or that can be measured: a metric, a health check or an enumeration.
public struct MonitoringObject: Sendable, Hashable {
    /// BCM's number of it.
    public var key: JSONNumber
    /// Its name.
    public var name: String
    /// Its type, such as `PhysicalNode` or `Metric`; nil when not shown.
    public var type: String?
    /// The whole entry as BCM wrote it.
    public var raw: JSONValue

    init(_ place: JSONPlace) throws(JSONError) {
        key = try place.member("key").number()
        name = try place.member("name").text()
        type = try place.optional("type")?.text()
        raw = place.value
    }
}

/// Which measurable is measured of which entity.
public struct MonitoringUse: Sendable, Hashable {
    /// The entity's name.
    public var entity: String
    /// The measurable's name, with its parameter.
    public var measurable: String
    /// The whole entry as BCM wrote it.
    public var raw: JSONValue

    init(_ place: JSONPlace) throws(JSONError) {
        entity = try place.member("entity").text()
        measurable = try place.member("measurable").text()
        raw = place.value
    }
}

/// A measured value.
public struct MonitoringValue: Sendable, Hashable {
    /// The entity's name.
    public var entity: String
    /// The measurable's name, with its parameter.
    public var measurable: String
    /// When it was measured.
    public var time: BCMTime
    /// The value as BCM shows it to people, such as `13.2 MiB/s` or `PASS`.
    public var value: String
    /// The value as a number; nil when BCM gave none.
    public var number: Double?
    /// How old it was when BCM answered; nil in a series.
    public var age: Duration?
    /// More about it; nil usually.
    public var info: String?
    /// The whole entry as BCM wrote it.
    public var raw: JSONValue

    init(_ place: JSONPlace) throws(JSONError) {
        entity = try place.member("entity").text()
        measurable = try place.member("measurable").text()
        time = try place.member("time").time()
        value = try place.member("value").textOrNumber()
        number = try Self.number(place.optional("raw"))
        info = try place.optional("info")?.text()
        raw = place.value
        if let age = try place.optional("age") {
            let seconds = try age.double()
            guard abs(seconds) < 1e12 else { throw age.error("expected seconds, found \(age.value.excerpt)") }
            self.age = .seconds(seconds)
        }
    }

    /// A number, or a text that holds one or says that there is none.
    private static func number(_ place: JSONPlace?) throws(JSONError) -> Double? {
        guard let place else { return nil }
        guard case .text(let text) = place.value else { return try place.double() }
        return JSONNumber(text)?.double
    }
}

/// How far back a series goes, or until when. BCM is given times relative to its own clock, since the zone of absolute ones is not
/// stated.
public struct MonitoringMoment: Sendable, Hashable, CustomStringConvertible {
    /// BCM's notation: `now`, `-1h`.
    public let description: String

    /// The present.
    public static let now = MonitoringMoment(notation: "now")

    /// So long ago, in whole seconds.
    public static func ago(_ duration: Duration) -> MonitoringMoment {
        let seconds = max(0, duration.components.seconds)
        for (unit, size) in [("d", Int64(86_400)), ("h", 3600), ("m", 60)] where seconds > 0 && seconds % size == 0 {
            return MonitoringMoment(notation: "-\(seconds / size)\(unit)")
        }
        return MonitoringMoment(notation: "-\(seconds)s")
    }

    /// What BCM's manual allows and this type does not know.
    public init(notation: String) { description = notation }
}

/// A metric or health check that is about to be pushed, declared by `/monitoring/initialize`.
public struct PushedMetric: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// Its class, such as `Push/Single`: where BCM files it.
    public var metricClass: String

    /// Creates a declaration.
    public init(_ name: String, class metricClass: String = "Push/Single") {
        self.name = name
        self.metricClass = metricClass
    }
}

/// A value to be pushed.
public struct PushedValue: Sendable, Hashable {
    /// The metric's or health check's name.
    public var name: String
    /// The value: a number, or a word such as `PASS` or `FAIL` for health checks.
    public var value: JSONValue
    /// More about it; nil for nothing.
    public var info: String?

    /// Creates a value.
    public init(_ name: String, _ value: JSONValue, info: String? = nil) {
        self.name = name
        self.value = value
        self.info = info
    }

    /// The value as the body of a request.
    var text: String { value.string ?? value.text() }

    var json: JSONValue {
        .object(
            JSONObject(
                [JSONObject.Member("metric", .text(name)), JSONObject.Member("value", value)]
                    + (info.map { [JSONObject.Member("info", .text($0))] } ?? [])))
    }
}

/// What BCM made of values that were pushed.
public struct PushResult: Sendable, Hashable {
    /// How many values it took.
    public var added: Int
    /// How many it was given.
    public var provided: Int
    /// The whole answer as BCM wrote it.
    public var raw: JSONValue

    init(_ place: JSONPlace) throws(JSONError) {
        let values = try place.member("values")
        added = try values.member("added").count()
        provided = try values.member("provided").count()
        raw = place.value
    }
}
