/// A job of a workload manager, as `/rest/v1/workload/jobs` shows it. What is not shown is nil or empty.
public struct WorkloadJob: Sendable, Hashable {
    /// The job's number, with whatever the workload manager adds for arrays.
    public var id: String
    /// The job's name.
    public var name: String?
    /// Its owner.
    public var user: String?
    /// The owner's group.
    public var group: String?
    /// The account it is charged to.
    public var account: String?
    /// The queue, or partition.
    public var queue: String?
    /// The state in the workload manager's words, such as `RUNNING`.
    public var state: String?
    /// The nodes it runs on.
    public var nodes: [String]
    /// When it was submitted. BCM's own spelling of this member is `sumbit_time`; the right one is read as well.
    public var submitted: BCMTime?
    /// When it began.
    public var started: BCMTime?
    /// How long it has run, as BCM writes it.
    public var runTimeText: String?
    /// The whole job as BCM wrote it.
    public var raw: JSONValue

    /// How long it has run; nil when that is not shown as seconds or as `[DAYS-]HOURS:MINUTES:SECONDS`.
    public var runTime: Duration? { runTimeText.flatMap { Duration(jobTime: $0) } }

    init(_ place: JSONPlace) throws(JSONError) {
        id = try place.member("job_id").textOrNumber()
        name = try place.optional("job_name")?.textOrNumber()
        user = try place.optional("user")?.textOrNumber()
        group = try place.optional("group")?.textOrNumber()
        account = try place.optional("account")?.text()
        queue = try place.optional("queue")?.text()
        state = try place.optional("state")?.text()
        nodes = try place.optional("nodes")?.texts() ?? []
        let misspelled = try place.optional("sumbit_time")
        submitted = try (misspelled == nil ? place.optional("submit_time") : misspelled)?.time()
        started = try place.optional("start_time")?.time()
        runTimeText = try place.optional("run_time")?.textOrNumber()
        raw = place.value
    }
}

extension Duration {
    /// Reads `3600`, `90.5`, `01:00:00`, `12:30` (minutes and seconds) or `2-01:00:00`.
    init?(jobTime text: String) {
        if let number = JSONNumber(text) {
            guard let seconds = number.double, (0..<1e12).contains(seconds) else { return nil }
            self = .seconds(seconds)
            return
        }
        var rest = Substring(text)
        var days = 0
        if let dash = rest.firstIndex(of: "-") {
            guard let number = Self.digits(rest[..<dash]) else { return nil }
            days = number
            rest = rest[rest.index(after: dash)...]
        }
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count) else { return nil }
        var seconds = days * 24
        for (index, part) in ([Substring("0")] + parts).suffix(3).enumerated() {
            guard let number = Self.digits(part), index == 0 || number < 60 else { return nil }
            seconds = index == 0 ? seconds + number : seconds * 60 + number
        }
        self = .seconds(seconds)
    }

    private static func digits(_ text: Substring) -> Int? {
        guard (1...6).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}
