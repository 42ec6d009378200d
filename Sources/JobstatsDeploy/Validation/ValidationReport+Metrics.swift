extension ValidationReport {
    /// How many failures get a series of their own.
    package static let metricsLimit = 500

    /// The report in Prometheus's text format, for node_exporter's textfile collector.
    ///
    /// Checks are counted by group and state. Each failure, and each check that could not be made, has a series of its own
    /// up to ``metricsLimit``; how many were left out is a series, too. The time is that of the run's begin, so that an
    /// alert can see that no run came.
    package var metrics: String {
        let matrix = ValidationMatrix(self)
        var text = ""
        func family(_ name: String, _ help: String, _ samples: [(labels: String, value: String)]) {
            text += "# HELP jobstats_validation_\(name) \(help)\n# TYPE jobstats_validation_\(name) gauge\n"
            for (labels, value) in samples { text += "jobstats_validation_\(name)\(labels) \(value)\n" }
        }
        let groups = Set(ValidationGroup.all.map(\.number) + matrix.groups.map(\.number)).sorted()
        family(
            "checks", "Checks on hosts by group and state.",
            groups.flatMap { group in
                ValidationState.allCases.map {
                    ("{group=\"\(group)\",state=\"\($0)\"}", "\(matrix.count($0, group: group))")
                }
            })
        family("last_run_timestamp_seconds", "When the last validation began.", [("", Self.number(began))])
        family(
            "duration_seconds", "How long the last validation took.", [("", Self.number(duration / .seconds(1)))])
        var failures: [(labels: String, value: String)] = []
        for (row, host) in matrix.hosts.enumerated() {
            for (check, verdict) in zip(matrix.checks, matrix.cells[row]) where verdict?.state.isFailure == true {
                failures.append(("{check=\"\(Self.label(check.id))\",host=\"\(Self.label(host.name))\"}", "1"))
            }
        }
        family(
            "check_failed", "1 for each check that failed on a host, or could not be made.",
            Array(failures.prefix(Self.metricsLimit)))
        family(
            "check_failed_omitted", "Failures that have no series of their own, since there are too many.",
            [("", "\(max(0, failures.count - Self.metricsLimit))")])
        return text
    }

    /// In milliseconds, without a fraction where it is whole.
    private static func number(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf" }
        let rounded = (value * 1000).rounded() / 1000
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }

    /// The value of a label, escaped as the format wants it.
    private static func label(_ text: String) -> String {
        Markdown.visible(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
