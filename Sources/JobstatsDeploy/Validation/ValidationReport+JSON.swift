public import BCMClient
import FoundationEssentials

extension ValidationReport {
    /// The report as JSON, schema 1:
    ///
    /// ```json
    /// {"schema": 1, "cluster": "slurm", "version": "1.0.0", "began": "2026-11-24T06:00:00Z", "seconds": 3.1,
    ///  "status": "failed", "counts": {"failed": 1, "unseen": 0, "warning": 0, "skipped": 2, "passed": 410},
    ///  "checks": [{"id": "1.node_exporter", "group": 1, "group_title": "Services", "title": "...", "expected": "...",
    ///              "by_hand": ["systemctl status node_exporter"]}],
    ///  "hosts": [{"name": "dgx-01", "kinds": ["DGX node"]}],
    ///  "findings": [{"check": "1.node_exporter", "host": "dgx-01", "state": "failed", "seen": "...", "advice": "..."}],
    ///  "notices": []}
    /// ```
    ///
    /// `status` is the worst state of all findings. `advice` is null where nothing is to be done. Members may be added
    /// within a schema; none is taken away or changes its meaning.
    public var json: JSONValue {
        let worst = findings.map(\.verdict.state).min() ?? .unseen
        return [
            "schema": 1, "cluster": .text(cluster), "version": .text(version),
            "began": .text(beganText), "seconds": .number(seconds),
            "status": .text(worst.rawValue),
            "counts": .object(
                JSONObject(
                    ValidationState.allCases.map { .init($0.rawValue, .number(JSONNumber(count($0)))) })),
            "checks": .array(
                checks.map { check in
                    [
                        "id": .text(check.id), "group": .number(JSONNumber(check.group)),
                        "group_title": .text(ValidationGroup.title(check.group)), "title": .text(check.title),
                        "expected": .text(check.expected), "by_hand": .array(check.byHand.map { .text($0) }),
                    ]
                }),
            "hosts": .array(
                hosts.map { ["name": .text($0.name), "kinds": .array($0.kinds.map { .text($0) })] }),
            "findings": .array(
                findings.map { finding in
                    [
                        "check": .text(finding.check), "host": .text(finding.host),
                        "state": .text(finding.verdict.state.rawValue), "seen": .text(finding.verdict.seen),
                        "advice": finding.verdict.advice.map { .text($0) } ?? .null,
                    ]
                }),
            "notices": .array(notices.map { .text($0) }),
        ]
    }

    /// When it began, as RFC 3339 in UTC: `2026-11-24T06:00:00Z`.
    package var beganText: String { Date(timeIntervalSince1970: began.rounded()).formatted(.iso8601) }

    private var seconds: JSONNumber {
        JSONNumber((duration / .milliseconds(100)).rounded() / 10) ?? JSONNumber(0)
    }
}
