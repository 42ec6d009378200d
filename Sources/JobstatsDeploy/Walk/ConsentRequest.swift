import CommandExecution

/// Something that disturbs running work, or takes over what is somebody else's: asked on its own, for these hosts, once.
struct ConsentRequest: Sendable, Hashable {
    /// One thing that would happen.
    struct Item: Sendable, Hashable {
        /// The step's title.
        let title: String
        let hosts: [Host]
        /// Why it is to be done, as it was found.
        let reason: String
        /// What would be run, as typed in a shell.
        let commands: [String]
    }

    /// The consent's name, as `--allow` takes it.
    let name: String
    let items: [Item]

    /// The hosts on which something would happen.
    var hosts: [Host] { Set(items.flatMap(\.hosts)).sorted() }

    /// What a run left undone for want of consent, by its name.
    static func requests(in results: [StepResult], of plan: Plan) -> [ConsentRequest] {
        let steps = Dictionary(plan.sections.flatMap(\.steps).map { ($0.id, $0) }) { first, _ in first }
        var order: [String] = []
        var groups: [String: [(key: Key, hosts: [Host])]] = [:]
        for result in results {
            guard let name = result.missingConsent else { continue }
            if groups[name] == nil { order.append(name) }
            let key = Key(step: result.step, title: result.title, reason: result.detail)
            if let index = groups[name]?.firstIndex(where: { $0.key == key }) {
                groups[name]?[index].hosts.append(result.host)
            } else {
                groups[name, default: []].append((key, [result.host]))
            }
        }
        return order.map { name in
            ConsentRequest(
                name: name,
                items: (groups[name] ?? []).map { key, hosts in
                    let hosts = hosts.sorted()
                    let commands = hosts.first.flatMap { steps[key.step]?.resource(on: $0) }?.instructions.commands
                    return Item(title: key.title, hosts: hosts, reason: key.reason, commands: commands ?? [])
                })
        }
    }

    private struct Key: Hashable {
        let step: String
        let title: String
        let reason: String
    }

    /// Whether somebody else's work would be taken over, in place of running work disturbed.
    private var isAdoption: Bool { name.hasPrefix("adopt-") }

    /// What would happen where, before the question.
    func text(columns: Int, style: Style) -> String {
        let what =
            isAdoption
            ? "This takes over what somebody else installed, so it is asked on its own:"
            : "This disturbs running work, so it is asked on its own:"
        var text = "\n" + style.warn(Words.wrap(what, columns)) + "\n\n"
        for item in items {
            let names = Words.hosts(item.hosts.map(\.name))
            text += Words.wrap("\(name): \(item.title), on \(names)", columns, indent: "   ") + "\n"
            if !item.reason.isEmpty { text += Words.wrap(item.reason, columns, indent: "      ") + "\n" }
            for command in item.commands {
                for line in command.split(separator: "\n") {
                    text += "      $ \(ForeignText.printable(String(line)))\n"
                }
            }
        }
        return text + "\n"
    }
}

extension StepResult {
    /// The consent that would let the step go on: the remedy of whatever needs one names it, as in `--allow NAME`.
    /// A failure is no question of consent, unless somebody else's work stands there and could be taken over.
    var missingConsent: String? {
        guard outcome == .needsConsent || outcome == .failed, let remedy else { return nil }
        let words = remedy.split { $0.isWhitespace || ",;()".contains($0) }
        let names = zip(words, words.dropFirst()).filter { $0.0 == "--allow" }.map { String($0.1) }
        return outcome == .needsConsent ? names.first : names.first { $0.hasPrefix("adopt-") }
    }
}
