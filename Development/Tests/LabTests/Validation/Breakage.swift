import BCMClient
import CommandExecution
import FoundationEssentials
import Testing

/// Something that is broken on purpose, and which check must see it where.
struct Breakage: Sendable, CustomTestStringConvertible {
    let name: String
    /// Where it is broken.
    let host: String
    /// Shell text that breaks it.
    let breaking: String
    /// Shell text that makes it well again.
    let undoing: String
    /// The check that must see it.
    let check: String
    /// The hosts that this check must name; no other may be named by it.
    let expected: [String]
    /// What the check must say: `failed` unless said otherwise.
    var state = "failed"
    /// Checks, or beginnings of their ids, that see it as well since they depend on what is broken.
    var consequences: [String] = []
    /// How long it may take until it can be seen, and until it is well again: Prometheus asks every 30 seconds.
    var patience = Duration.seconds(20)

    var testDescription: String { name }
}

/// What `validate-deployment --json` tells.
struct ValidationAnswer: Sendable {
    struct Finding: Sendable, Hashable, CustomStringConvertible {
        let check: String
        let host: String
        let state: String
        let seen: String
        let advice: String?

        var isBad: Bool { !["passed", "skipped"].contains(state) }
        var description: String { "\(check) on \(host) \(state): \(seen) (\(advice ?? "-"))" }
    }

    let findings: [Finding]
    let status: CommandExecution.ExitStatus

    /// What is not well, in the order of the report.
    var bad: [Finding] { findings.filter(\.isBad) }

    /// Reads the program's answer.
    init(_ result: CommandResult) throws {
        guard let json = try? JSONValue(parsing: result.standardOutput), let list = json["findings"]?.elements else {
            throw Lab.Failure(description: "validate-deployment: \(result.outputText.suffix(400))\(result.errorText)")
        }
        findings = list.map { node in
            Finding(
                check: node["check"]?.string ?? "", host: node["host"]?.string ?? "",
                state: node["state"]?.string ?? "", seen: node["seen"]?.string ?? "",
                advice: node["advice"]?.string)
        }
        status = result.status
    }
}

extension SlurmSite {
    /// Runs the validation on the active head node; it must be able to tell something.
    func validate(_ arguments: String...) async throws -> ValidationAnswer {
        try ValidationAnswer(
            await deployment.lab.run(
                "head-a", ["validate-deployment", "--config", "/root/full.json", "--json"] + arguments,
                timeout: .seconds(400)))
    }

    /// Waits until the validation finds nothing that is not well, save what was so before.
    func expectHealthy(
        within patience: Duration = .seconds(90), besides known: Set<String> = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        var left: [ValidationAnswer.Finding] = []
        let end = ContinuousClock.now + patience
        repeat {
            left = try await validate().bad.filter { !known.contains("\($0.check) \($0.host)") }
            if left.isEmpty { return }
            try await Task.sleep(for: .seconds(1))
        } while ContinuousClock.now < end
        Issue.record(
            "not well: \(left.map(\.description).joined(separator: "\n"))", sourceLocation: sourceLocation)
    }

    /// Breaks something, expects exactly its check on exactly its hosts to say so with advice, and makes it well again.
    ///
    /// - Parameter known: pairs `CHECK HOST` that were not well before.
    func expectSeen(_ breakage: Breakage, besides known: Set<String> = []) async throws {
        let lab = deployment.lab
        try await lab.output(breakage.host, breakage.breaking, timeout: .seconds(120))
        var answer = try await validate()
        let end = ContinuousClock.now + breakage.patience
        func seen() -> Set<String> {
            Set(answer.bad.filter { $0.check == breakage.check && $0.state == breakage.state }.map(\.host))
        }
        while seen() != Set(breakage.expected), ContinuousClock.now < end {
            try await Task.sleep(for: .seconds(1))
            answer = try await validate()
        }
        let bad = answer.bad.filter { !known.contains("\($0.check) \($0.host)") }
        #expect(seen() == Set(breakage.expected), "\(breakage.name): \(bad)")
        for finding in bad where finding.check == breakage.check {
            #expect(finding.advice?.isEmpty == false, "\(breakage.name): no advice: \(finding)")
        }
        let others = bad.filter { finding in
            finding.check != breakage.check && !breakage.consequences.contains { finding.check.hasPrefix($0) }
        }
        #expect(others.isEmpty, "\(breakage.name): also \(others)")
        if ["failed", "unseen"].contains(breakage.state) { #expect(answer.status == .exited(1)) }
        try await lab.output(breakage.host, breakage.undoing, timeout: .seconds(120))
        try await expectHealthy(within: .seconds(180), besides: known)
    }
}
