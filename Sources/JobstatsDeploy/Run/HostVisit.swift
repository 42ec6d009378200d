import CommandExecution

/// The work on one host in one section.
final class HostVisit {
    private let host: Host
    private let connection: any HostConnection
    private let mode: PlanRunner.Mode
    private let consents: Set<String>
    private var facts: Facts?
    /// Whether something was changed since the facts were asked.
    private var isStale = false
    /// Whether the host cannot be asked any more.
    private(set) var isLost = false

    init(host: Host, connection: any HostConnection, mode: PlanRunner.Mode, consents: Set<String>) {
        self.host = host
        self.connection = connection
        self.mode = mode
        self.consents = consents
    }

    /// Looks, changes where needed, looks again, and writes the outcome into the result.
    func perform(
        _ step: Step, _ resource: any Resource, among all: [any Resource], into result: inout StepResult
    ) async {
        do {
            var known = try await known(of: resource, among: all)
            var found = resource.assess(known)
            result.take(found)
            guard found.state == .differs else {
                result.outcome = found.state == .inPlace ? .inPlace : .failed
                return
            }
            if mode == .check {
                known.merge(try await ask(resource.differenceQueries))
                result.outcome = .wouldChange
                result.difference = resource.difference(known)
                return
            }
            if let consent = step.consent, !consents.contains(consent) {
                result.outcome = .needsConsent
                result.remedy = "it disturbs running work; to allow it: --allow \(consent)"
                return
            }
            let reasons = found.detail
            isStale = true
            for command in try resource.changes(from: known) {
                let outcome = try await connection.run(command)
                guard outcome.succeeded else {
                    result.fail(Self.words(of: outcome, command), remedy: "look at the output, mend it, then run again")
                    return
                }
            }
            facts?.merge(try await ask(resource.queries))
            found = resource.assess(facts ?? Facts())
            if found.state == .inPlace {
                result.take(found)
                result.outcome = .changed
                result.detail = reasons
            } else {
                result.fail("still not so after the change: \(found.detail)", remedy: found.remedy)
            }
        } catch let error as CommandError {
            result.fail("\(error)", remedy: nil)
            isLost = error.code == .connectionLost || error.code == .cancelled || error.executable == "ssh"
        } catch let error as ResourceError {
            result.fail(error.reason, remedy: error.remedy)
        } catch {
            result.fail("\(error)", remedy: nil)
        }
    }

    private func known(of resource: any Resource, among all: [any Resource]) async throws(CommandError) -> Facts {
        guard let facts else {
            let first = try await ask(all.flatMap(\.queries))
            facts = first
            return first
        }
        guard isStale else { return facts }
        var newer = facts
        newer.merge(try await ask(resource.queries))
        self.facts = newer
        return newer
    }

    private func ask(_ queries: [Query]) async throws(CommandError) -> Facts {
        try await FactCollector(queries).collect(with: connection)
    }

    private static func words(of result: CommandResult, _ command: Command) -> String {
        let said = result.errorText.isEmpty ? result.outputText : result.errorText
        let lines = said.split(whereSeparator: \.isNewline).suffix(12).joined(separator: "\n")
        let name = command.executable == "sh" ? "" : "\(command.executable): "
        return "\(name)\(result.status)" + (lines.isEmpty ? "" : ": \(lines.prefix(2000))")
    }
}

extension StepResult {
    fileprivate mutating func take(_ assessment: Assessment) {
        detail = assessment.detail
        remedy = assessment.remedy
        isWarning = assessment.isWarning
    }

    fileprivate mutating func fail(_ detail: String, remedy: String?) {
        outcome = .failed
        self.detail = detail
        self.remedy = remedy
        isWarning = false
    }
}
