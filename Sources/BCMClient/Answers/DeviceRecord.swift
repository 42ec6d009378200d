/// A device with everything that BCM said of it.
public struct DeviceRecord: Sendable, Hashable {
    /// The members that are known here.
    public var device: Device
    /// The whole device as BCM wrote it.
    public var raw: JSONValue

    /// Creates a record; tests and fakes need this.
    public init(device: Device, raw: JSONValue) {
        self.device = device
        self.raw = raw
    }
}

extension DeviceRecord {
    init(_ place: JSONPlace) throws(JSONError) {
        device = Device(
            hostname: try place.member("hostname").text(), category: try place.optional("category")?.text(),
            cluster: try place.optional("cluster")?.text(), ip: try place.optional("ip")?.text(),
            mac: try place.optional("mac")?.text(), network: try place.optional("network")?.text(),
            type: try place.optional("type")?.text(), roles: try place.optional("roles")?.texts())
        raw = place.value
    }
}
