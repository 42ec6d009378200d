/// What a host is made of, as `/rest/v1/sysinfo` shows it. What a version of BCM does not show is nil or empty.
public struct HostInformation: Sendable, Hashable {
    /// A processor.
    public struct Processor: Sendable, Hashable {
        /// The model.
        public var model: String?
        /// How many cores it has.
        public var cores: Int?
        /// Its speed in the unit that BCM uses, which the manual does not name.
        public var speed: Double?
        /// The whole entry as BCM wrote it.
        public var raw: JSONValue
    }

    /// BCM's name of the host.
    public var hostname: String
    /// The version of its firmware.
    public var biosVersion: String?
    /// Its memory.
    public var memory: ByteCount?
    /// How many disks it has.
    public var diskCount: Int?
    /// Its disks, as BCM wrote them.
    public var disks: [JSONValue]
    /// Its processors.
    public var processors: [Processor]
    /// Its GPUs, as BCM wrote them.
    public var gpus: [JSONValue]
    /// The distribution.
    public var osFlavor: String?
    /// The distribution's version.
    public var osVersion: String?
    /// When this was collected.
    public var collected: BCMTime?
    /// The whole entry as BCM wrote it.
    public var raw: JSONValue

    init(_ hostname: String, _ place: JSONPlace) throws(JSONError) {
        self.hostname = hostname
        biosVersion = try place.optional("biosVersion")?.textOrNumber()
        memory = try place.optional("memoryTotal")?.byteCount()
        diskCount = try place.optional("diskCount")?.count()
        disks = try place.optional("disks")?.elements().map(\.value) ?? []
        gpus = try place.optional("gpus")?.elements().map(\.value) ?? []
        osFlavor = try place.optional("osFlavor")?.text()
        osVersion = try place.optional("osVersion")?.textOrNumber()
        collected = try place.optional("timestamp")?.time()
        raw = place.value
        processors = []
        for processor in try place.optional("processors")?.elements() ?? [] {
            processors.append(
                Processor(
                    model: try processor.optional("model")?.text(), cores: try processor.optional("cores")?.count(),
                    speed: try processor.optional("speed")?.double(), raw: processor.value))
        }
    }
}
