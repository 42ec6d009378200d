import CommandExecution

extension Systemd {
    static func missing(_ unit: UnitName) -> ServiceError {
        ServiceError(.notFound, unit: unit, reason: "there is no such unit", remedy: "install it")
    }

    static func masked(_ unit: UnitName) -> ServiceError {
        ServiceError(
            .masked, unit: unit, reason: "it is masked, someone forbade it to be started",
            remedy: "run systemctl unmask \(unit) if it is to run")
    }

    /// The error for a program that ended with a failure, told by what it printed.
    func refusal(_ result: CommandResult, of verb: String, unit: UnitName?) -> ServiceError {
        let text = result.errorText
        func says(_ parts: String...) -> Bool { parts.contains { text.contains($0) } }
        if says("has not been booted with systemd", "Failed to connect to bus", "Failed to get D-Bus connection") {
            return ServiceError(
                .managerUnavailable, unit: unit, reason: "\(verb): \(Self.firstLine(text))",
                remedy: "use a host that systemd booted")
        }
        if says("Access denied", "Interactive authentication required", "Permission denied", "Operation not permitted")
        {
            return ServiceError(
                .notPermitted, unit: unit, reason: "\(verb): \(Self.firstLine(text))", remedy: "run as root")
        }
        if let unit, !says("search paths for root directory") {
            if says(" is masked") { return Self.masked(unit) }
            if says("not found", "not loaded", "does not exist", "No such file or directory") {
                return Self.missing(unit)
            }
        }
        if case .signalled = result.status {
            return ServiceError(
                .managerUnavailable, unit: unit, reason: "\(verb) was ended by \(result.status)", remedy: "try again")
        }
        return ServiceError(
            .refused, unit: unit,
            reason: "\(verb) ended with \(result.status)\(text.isEmpty ? "" : ": \(Self.firstLine(text))")",
            remedy: "run systemctl \(verb) by hand and look at it")
    }

    private static func firstLine(_ text: String) -> String {
        shown(text.split(separator: "\n").first ?? "it said nothing")
    }

    static func shown(_ line: Substring) -> String {
        let scalars = line.unicodeScalars
        let shown = scalars.prefix(500).map {
            $0.value < 0x20 || $0.value == 0x7f ? $0.escaped(asASCII: true) : "\($0)"
        }
        return shown.joined() + (scalars.count > 500 ? "..." : "")
    }
}
