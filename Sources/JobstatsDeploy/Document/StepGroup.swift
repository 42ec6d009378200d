/// The hosts for which a step reads the same.
struct StepGroup {
    /// Stands for the host's name where that is the only difference.
    static let placeholder = "HOST"

    let hosts: [Host]
    let summary: String
    let instructions: Instructions
    /// Whether the texts hold the placeholder.
    let usesPlaceholder: Bool

    /// The groups of a step: one where all hosts share a resource, or differ by their names alone.
    static func groups(of step: Step) -> [StepGroup] {
        guard !step.hosts.isEmpty else { return [] }
        if let common = step.commonResource {
            return [
                StepGroup(
                    hosts: step.hosts, summary: common.summary, instructions: common.instructions,
                    usesPlaceholder: false)
            ]
        }
        let texts = step.hosts.compactMap { host in step.resource(on: host).map { (host, Text($0)) } }
        var general = Set<Text>()
        for (host, text) in texts {
            general.insert(text.generalised(for: host))
            if general.count > 1 { break }
        }
        if texts.count > 1, general.count == 1, let text = general.first {
            return [
                StepGroup(
                    hosts: texts.map(\.0), summary: text.summary, instructions: text.instructions,
                    usesPlaceholder: text != texts[0].1)
            ]
        }
        var order: [Text] = []
        var members: [Text: [Host]] = [:]
        for (host, text) in texts {
            if members[text] == nil { order.append(text) }
            members[text, default: []].append(host)
        }
        return order.map {
            StepGroup(
                hosts: members[$0] ?? [], summary: $0.summary, instructions: $0.instructions, usesPlaceholder: false)
        }
    }

    private struct Text: Hashable {
        var summary: String
        var instructions: Instructions

        init(_ resource: any Resource) {
            summary = resource.summary
            instructions = resource.instructions
        }

        /// The same with the placeholder for the host's name. Digests of texts that hold the name differ, too, and are
        /// left out.
        func generalised(for host: Host) -> Text {
            let names = [host.name, JobstatsPlan.shortName(host)]
            func general(_ text: String) -> String {
                names.reduce(text) { $0.replacing($1, with: StepGroup.placeholder) }
            }
            func withoutDigest(_ text: String) -> String {
                text.replacing(/[0-9a-f]{64}|, [0-9]+ bytes|, sha256 [0-9a-f]{12}…/, with: "")
            }
            var copy = self
            copy.summary = withoutDigest(general(summary))
            copy.instructions.commands = instructions.commands.map(general)
            copy.instructions.files = instructions.files.map { .init(path: general($0.path), text: general($0.text)) }
            copy.instructions.verification = instructions.verification.map { withoutDigest(general($0)) }
            copy.instructions.undo = instructions.undo.map(general)
            return copy
        }
    }
}
