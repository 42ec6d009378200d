import CommandExecution
import BCMClient

// The conversation.
extension SetupWizard {
    /// Goes through all questions, then offers what to do with the answers.
    func converse(_ draft: inout ConfigurationDraft, _ file: WizardFile) async throws(Stop) -> Ending {
        await tellPrerequisites()
        say("Each question shows the present value in brackets; Enter keeps it. Ctrl-C leaves the file as it is.")
        repeat {
            try await askAll(&draft)
            guard try await mend(&draft) else { throw Stop(status: 1, message: "Nothing was written.") }
        } while try await !isSettled(draft, file)
        // What happens from here on leaves the file as it is now.
        do throws(Stop) {
            switch try await choose("What next?", ["nothing", "dry-run", "setup"]) {
            case "dry-run": return Ending(status: 0, next: .dryRun)
            case "setup": return Ending(status: 0, next: .guidedSetup)
            default: return Ending(status: 0)
            }
        } catch {
            return Ending(status: error.status == 130 ? 130 : 0)
        }
    }

    /// Shows what would change and writes it if the person wants it; false when all is to be asked again.
    private func isSettled(_ draft: ConfigurationDraft, _ file: WizardFile) async throws(Stop) -> Bool {
        guard let difference = difference(draft, file) else {
            try write(draft, to: file)
            return true
        }
        console.write("\n")
        await Pager(console: console).show(difference)
        switch try await choose("Write this to \(file.path)?", ["write", "again", "quit"]) {
        case "quit": throw Stop(status: 1, message: "Nothing was written.")
        case "again": return false
        default:
            try write(draft, to: file)
            return true
        }
    }

    private func tellPrerequisites() async {
        console.write(style.bold("This machine") + "\n")
        for finding in await Prerequisites(executor: executor, localHost: SetupRun.hostName).findings() {
            let mark = finding.remedy == nil ? style.good("ok") : style.warn("no")
            let text = "\(Words.fit(finding.subject, 16)) \(finding.detail)"
            console.write("   \(mark)  \(Words.cut(text, console.columns - 8))\n")
            if let remedy = finding.remedy {
                console.write(Words.wrap("-> \(remedy)", console.columns, indent: "       ") + "\n")
            }
        }
        console.write("\n")
    }

    private func askAll(_ draft: inout ConfigurationDraft) async throws(Stop) {
        for question in WizardQuestion.all where question.isBasic { try await ask(question, &draft) }
        let details = WizardQuestion.all.filter { !$0.isBasic }
        console.write("\nPorts, times and paths:\n")
        for question in details where question.applies(values(draft)) {
            console.write("   \(Words.fit(question.keyPath, 34)) \(shown(question.present(in: draft)))\n")
        }
        guard try await choose("Change any of these?", ["no", "yes"]) == "yes" else { return }
        for question in details { try await ask(question, &draft) }
    }

    /// The settings so far, as far as they can be read.
    private func values(_ draft: ConfigurationDraft) -> DeploymentConfiguration {
        var reader = ConfigurationReader()
        guard let node = try? JSONNode.parse(draft.encoded) else { return DeploymentConfiguration() }
        return reader.read(node)
    }

    private func ask(_ question: WizardQuestion, _ draft: inout ConfigurationDraft) async throws(Stop) {
        guard question.applies(values(draft)) else { return }
        console.write("\n" + Words.wrap("\(question.subject.capitalisedFirst).", console.columns) + "\n")
        if case .hosts = question.kind { return try await askHosts(question, &draft) }
        while true {
            let offered = suggestion(question, draft) ?? question.present(in: draft)
            let answer = try await line("   \(question.keyPath) [\(shown(offered))]: ")
            if answer == "?" {
                say(Self.help(question.kind))
                continue
            }
            var changed = draft
            if !answer.isEmpty {
                changed[question.keyPath] = question.node(for: answer)
            } else if let suggested = suggestion(question, draft) {
                changed[question.keyPath] = question.node(for: suggested)
            }
            if accept(changed, question) {
                draft = changed
                return
            }
        }
    }

    private static func help(_ kind: WizardQuestion.Kind) -> String {
        switch kind {
        case .text: "Type the value as it is, without quotes, or Enter for the one in brackets."
        case .optionalText: "Type the value as it is, none for none, or Enter for the one in brackets."
        case .number: "Type a whole number, or Enter for the one in brackets."
        case .flag: "Type yes or no, or Enter for the one in brackets."
        case .hosts: "Type what to do with the list."
        }
    }

    /// A server's name goes with the host that it is installed on, while it was not chosen otherwise.
    private func suggestion(_ question: WizardQuestion, _ draft: ConfigurationDraft) -> String? {
        guard case .text = question.kind, question.keyPath.hasSuffix("_server") else { return nil }
        let standard = WizardQuestion.find(question.keyPath)?.present(in: ConfigurationDraft())
        guard question.present(in: draft) == standard else { return nil }
        return Self.entries(draft, "systems.\(question.keyPath)").first.flatMap { HostListEditor.names([$0])?.first }
    }

    /// Whether the changed draft is good where the question is concerned; says what is not.
    private func accept(_ changed: ConfigurationDraft, _ question: WizardQuestion) -> Bool {
        let issues = changed.issues(about: question.keyPath)
        let errors = issues.filter { $0.severity == .error }
        for issue in errors.isEmpty ? issues : errors {
            let text = Words.wrap(issue.message, console.columns, indent: "   ")
            console.write((issue.severity == .error ? style.bad(text) : style.warn(text)) + "\n")
        }
        return errors.isEmpty
    }

    // MARK: Hosts

    private static func entries(_ draft: ConfigurationDraft, _ keyPath: String) -> [String] {
        guard case .array(let nodes)? = draft[keyPath]?.value else { return [] }
        return nodes.compactMap { if case .string(let text) = $0.value { text } else { nil } }
    }

    private func askHosts(_ question: WizardQuestion, _ draft: inout ConfigurationDraft) async throws(Stop) {
        while true {
            let entries = Self.entries(draft, question.keyPath)
            let count = HostListEditor.names(entries).map { " (\(Words.count($0.count, "host")))" } ?? ""
            let list = entries.isEmpty ? "none" : shown(entries.joined(separator: " ")) + count
            console.write(Words.wrap("now: \(list)", console.columns, indent: "   ") + "\n")
            let typed = try await line("   \(question.keyPath): add, remove, set, clear, bcm, ? [keep]: ")
            var wanted: [String]?
            switch HostListEditor.request(typed, on: entries) {
            case .keep:
                if accept(draft, question) { return }
            case .change(let entries): wanted = entries
            case .bcm(let kind, let name): wanted = try await askBCM(question, kind, name)
            case .explain:
                for (words, text) in HostListEditor.explanation {
                    let lines = Words.wrap(text, console.columns - 20).split(separator: "\n")
                    for (index, line) in lines.enumerated() {
                        console.write("   \(Words.fit(index == 0 ? words : "", 16)) \(line)\n")
                    }
                }
            case .refuse(let reason): say(reason)
            }
            guard let wanted else { continue }
            var changed = draft
            changed[question.keyPath] = .strings(wanted)
            if accept(changed, question) { draft = changed }
        }
    }

    /// Hosts that BCM names; nil when there are none, or none was chosen.
    private func askBCM(
        _ question: WizardQuestion, _ kind: String?, _ name: String?
    ) async throws(Stop) -> [String]? {
        let offers: [BCMHosts.Offer]
        do throws(BCMError) {
            if let kind, let name {
                let found = try await hosts.hosts(of: kind, name)
                if found.isEmpty { say("BCM knows no node of the \(kind) \(Quoted(name)).") }
                return found.isEmpty ? nil : BCMHosts.entries(found)
            }
            offers = try await hosts.offers(for: question.keyPath)
        } catch {
            say(ForeignText.printable("\(error)"))
            return nil
        }
        guard !offers.isEmpty else {
            say("BCM offers nothing for this list.")
            return nil
        }
        for (index, offer) in offers.enumerated() {
            let number = Words.fit(String(index + 1), 3)
            let count = Words.fit(Words.count(offer.hosts.count, "host"), 10)
            let names = Words.hosts(offer.hosts.sorted(by: HostOrder.precedes))
            let text = "   \(number) \(Words.fit(shown(offer.origin), 24)) \(count) \(shown(names))"
            console.write(Words.cut(text, console.columns) + "\n")
        }
        return try await pick(offers)
    }

    private func pick(_ offers: [BCMHosts.Offer]) async throws(Stop) -> [String]? {
        while true {
            let answer = try await line("   Which of them? A number, or Enter for none: ")
            if answer.isEmpty { return nil }
            if let number = Int(answer), offers.indices.contains(number - 1) {
                return BCMHosts.entries(offers[number - 1].hosts)
            }
            say("\(Quoted(answer)) is not a number from 1 to \(offers.count).")
        }
    }

    // MARK: Mending

    /// Asks again for what is still wrong, until nothing is or the person wants it so.
    private func mend(_ draft: inout ConfigurationDraft) async throws(Stop) -> Bool {
        while true {
            let errors = draft.reading(sections: JobstatsPlan.availableSections).errors
            guard !errors.isEmpty else { return true }
            console.write("\n")
            for error in errors {
                console.write(style.bad(Words.wrap("\(error)", console.columns, indent: "   ")) + "\n")
            }
            let questions = WizardQuestion.all.filter { question in
                errors.contains { $0.keyPath.hasPrefix(question.keyPath) }
            }
            if questions.isEmpty { say("This can only be mended in the file itself.") }
            switch try await choose(
                "guided-setup would refuse this.", (questions.isEmpty ? [] : ["mend"]) + ["quit", "keep"])
            {
            case "mend": for question in questions { try await ask(question, &draft) }
            case "keep": return true
            default: return false
            }
        }
    }

    // MARK: Asking

    /// A line as it was typed, without spaces around it.
    private func line(_ prompt: String) async throws(Stop) -> String {
        let answer = await console.ask(prompt)
        if answer == nil { console.write("\n") }
        if Task.isCancelled { throw Stop(status: 130, message: "Interrupted. Nothing was written.") }
        guard let answer else { throw Stop(status: 1, message: "End of input. Nothing was written.") }
        return answer.trimmed
    }

    /// One of some words, the first by default; the beginning of a word will do.
    private func choose(_ question: String, _ words: [String]) async throws(Stop) -> String {
        while true {
            let typed = try await line("\(question) \(words.joined(separator: ", ")) [\(words[0])]: ").lowercased()
            if typed.isEmpty { return words[0] }
            if let word = words.first(where: { $0.hasPrefix(typed) }) { return word }
            say("\(Quoted(typed)) is none of \(words.joined(separator: ", ")).")
        }
    }

    private func say(_ text: String) { console.write(Words.wrap(text, console.columns, indent: "   ") + "\n") }

    private func shown(_ text: String) -> String { Words.cut(ForeignText.printable(text), 200) }
}

extension String {
    fileprivate var capitalisedFirst: String { prefix(1).uppercased() + dropFirst() }
}
