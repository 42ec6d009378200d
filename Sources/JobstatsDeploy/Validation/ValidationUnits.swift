import DurableFiles
public import ServiceManager

/// The systemd units that validate regularly and leave metrics, so that Prometheus can raise an alert on what was found,
/// and on validations that stopped (`JobstatsValidation...` among the alert rules).
public struct ValidationUnits: Sendable {
    /// The service's name.
    public static let service = "jobstats-validation.service"
    /// The timer's name.
    public static let timer = "jobstats-validation.timer"
    /// Where node_exporter of the head node finds the metrics unless another file is named.
    public static let textfile = "\(Installed.textfileDirectory)/jobstats_validation.prom"

    private let program: String
    private let configurationFile: String
    /// Where metrics go.
    public let textfile: String
    private let further: [String]
    private let htmlFile: String?
    private let calendar: String

    /// Creates units.
    ///
    /// - Parameters:
    ///   - program: the program, `validate-deployment`, with its folder.
    ///   - configurationFile: the deployment's configuration.
    ///   - textfile: where metrics go.
    ///   - htmlFile: where a page goes each time; nil for nowhere.
    ///   - further: further arguments of the program.
    ///   - calendar: when, as systemd.time(7) writes calendar events.
    public init(
        program: String, configurationFile: String, textfile: String = Self.textfile, htmlFile: String? = nil,
        calendar: String = "*-*-* 06:00", further: [String] = []
    ) {
        self.further = further
        self.program = program
        self.configurationFile = configurationFile
        self.textfile = textfile
        self.htmlFile = htmlFile
        self.calendar = calendar
    }

    /// The units' files by name.
    ///
    /// - Throws: `ServiceError` for a value that cannot stand in a unit.
    public func files() throws(ServiceError) -> [(name: String, text: String)] {
        var arguments = [program, "--config", configurationFile, "--textfile", textfile]
        if let htmlFile { arguments += ["--html", htmlFile] }
        arguments += further
        let service = UnitFile.marked([
            .init(
                "Unit",
                [
                    try .init("Description", "Looks whether the jobstats deployment works"),
                    try .init("Wants", "network-online.target"),
                    try .init("After", "network-online.target remote-fs.target"),
                ]),
            .init(
                "Service",
                [
                    try .init("Type", "oneshot"), try .init("ExecStart", arguments: arguments),
                    try .init(
                        "SuccessExitStatus", "1",
                        comment: "What was found stands in the metrics; it is no failure of this unit."),
                    try .init("TimeoutStartSec", "1800"), try .init("Nice", "10"), try .init("UMask", "0077"),
                ]),
        ])
        let timer = UnitFile.marked([
            .init("Unit", [try .init("Description", "Validates the jobstats deployment regularly")]),
            .init(
                "Timer",
                [
                    try .init("OnCalendar", calendar), try .init("RandomizedDelaySec", "10min"),
                    try .init("Persistent", "yes"),
                ]),
            .init("Install", [try .init("WantedBy", "timers.target")]),
        ])
        return [(Self.service, service.rendered), (Self.timer, timer.rendered)]
    }

    /// Writes the units; those that are as wanted are left alone, and a file of somebody else is never replaced.
    ///
    /// - Returns: the paths that were written.
    /// - Throws: ``ResourceError`` for a foreign file or one that cannot be written, and `ServiceError`.
    public func install(in directory: String = "/etc/systemd/system") throws -> [String] {
        var written: [String] = []
        for (name, text) in try files() {
            let path = "\(directory)/\(name)"
            do {
                let present = try DurableFile.read(path, limit: 1 << 20)
                if let present, present == Array(text.utf8) { continue }
                if let present, !String(decoding: present, as: UTF8.self).contains(Installed.mark) {
                    throw ResourceError(
                        "\(path) was not written by this program",
                        remedy: "move it away, or keep changes in a drop-in: systemctl edit \(name)")
                }
                try DurableFile.write(Array(text.utf8), to: path)
            } catch let error as DurableFileError {
                throw ResourceError("\(error)", remedy: "run this as root")
            }
            written.append(path)
        }
        return written
    }
}
