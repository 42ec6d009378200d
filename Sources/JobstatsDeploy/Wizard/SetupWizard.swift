public import BCMClient
public import CommandExecution

/// Asks for a configuration, shows what would change in the file, and writes it at once or not at all.
///
/// Each answer is judged by the rules of the file as soon as it is given. Nothing that was typed reaches a shell. The end
/// of input and an interrupt leave the file untouched.
///
/// ```swift
/// let ending = await SetupWizard(options: .init(file: "config.json"), console: console).run()
/// ```
public struct SetupWizard: Sendable {
    /// What the command line says.
    public struct Options: Sendable {
        /// The configuration file.
        public var file: String
        /// Whether nobody is asked; ``settings`` then say everything.
        public var isNonInteractive = false
        /// Settings as `KEY=VALUE`, with keys as in the file; hosts are separated by spaces or commas, and
        /// `bcm:role:NAME`, `bcm:category:NAME` and `bcm:overlay:NAME` stand for the nodes that BCM names.
        public var settings: [String] = []

        /// Creates options.
        public init(file: String) { self.file = file }
    }

    /// How it ended.
    public struct Ending: Sendable, Hashable {
        /// What the person wants to do with the configuration.
        public enum Next: Sendable, Hashable {
            /// Nothing now.
            case nothing
            /// See the plan.
            case dryRun
            /// Carry it out.
            case guidedSetup
        }
        /// 0 written or nothing to write, 1 not written, or not complete yet when nobody is asked, 2 a wrong setting or
        /// file, 130 interrupted.
        public var status: Int32
        /// What is to follow.
        public var next = Next.nothing
    }

    /// Ends the wizard early.
    struct Stop: Error {
        let status: Int32
        let message: String
    }

    let options: Options
    let console: any Console
    let hosts: BCMHosts
    let executor: any CommandExecutor
    let style: Style

    /// Creates a wizard.
    ///
    /// - Parameters:
    ///   - options: which file is written, and how.
    ///   - console: where people read and answer.
    ///   - cmsh: BCM's shell on this machine.
    ///   - executor: runs the programs that tell about this machine.
    public init(
        options: Options, console: any Console, cmsh: Cmsh = Cmsh(executor: LocalExecutor()),
        executor: any CommandExecutor = LocalExecutor()
    ) {
        self.options = options
        self.console = console
        self.executor = executor
        hosts = BCMHosts(cmsh: cmsh)
        style = Style(usesColour: console.usesColour)
    }

    /// Asks to the end.
    public func run() async -> Ending {
        do throws(Stop) {
            guard options.isNonInteractive || console.isTerminal else {
                throw Stop(
                    status: 2,
                    message: "There is no terminal to ask on. Add --non-interactive, and --set KEY=VALUE for each "
                        + "setting to change.")
            }
            let file = try WizardFile(options.file)
            var draft = try draft(of: file)
            try await apply(options.settings, to: &draft)
            if options.isNonInteractive {
                try write(draft, to: file)
                return Ending(status: tellIssues(draft) ? 0 : 1)
            }
            return try await converse(&draft, file)
        } catch {
            console.writeError(error.message + "\n")
            return Ending(status: error.status)
        }
    }

    private func draft(of file: WizardFile) throws(Stop) -> ConfigurationDraft {
        guard let bytes = file.bytes else {
            console.write("\(file.path) does not exist yet; the defaults are offered.\n")
            return ConfigurationDraft()
        }
        do throws(ConfigurationDraft.Unusable) {
            return try ConfigurationDraft(bytes)
        } catch {
            throw Stop(
                status: 2,
                message: "\(file.path) cannot be changed here: \(error). Mend it, or move it away to begin anew.")
        }
    }

    // MARK: - Settings of the command line

    /// Applies all settings, or says everything that is wrong with them.
    private func apply(_ settings: [String], to draft: inout ConfigurationDraft) async throws(Stop) {
        var problems: [String] = []
        var changed: [String] = []
        for setting in settings {
            guard let equals = setting.firstIndex(of: "=") else {
                problems.append("--set \(Quoted(setting)): write KEY=VALUE")
                continue
            }
            let key = String(setting[..<equals]), value = String(setting[setting.index(after: equals)...])
            guard let question = WizardQuestion.find(key) else {
                let near = NearestName.find(key, in: WizardQuestion.all.map(\.keyPath))
                let hint = near.map { "; did you mean \($0)?" } ?? ""
                problems.append("--set: there is no setting \(Quoted(key))\(hint)")
                continue
            }
            do throws(Stop) {
                draft[question.keyPath] = try await node(value, question)
                changed.append(question.keyPath)
            } catch {
                problems.append("\(question.keyPath): \(error.message)")
            }
        }
        for key in changed {
            problems += draft.issues(about: key).filter { $0.severity == .error }.map { "\($0.keyPath): \($0.message)" }
        }
        guard problems.isEmpty else {
            throw Stop(status: 2, message: problems.joined(separator: "\n") + "\nNothing was written.")
        }
    }

    private func node(_ value: String, _ question: WizardQuestion) async throws(Stop) -> JSONNode? {
        guard case .hosts = question.kind, value.hasPrefix("bcm:") else { return question.node(for: value) }
        let parts = value.split(separator: ":", maxSplits: 2).map(String.init)
        guard parts.count == 3, ["role", "category", "overlay"].contains(parts[1]) else {
            throw Stop(
                status: 2, message: "\(Quoted(value)): write bcm:role:NAME, bcm:category:NAME or bcm:overlay:NAME")
        }
        do throws(BCMError) {
            let names = try await hosts.hosts(of: parts[1], parts[2])
            guard !names.isEmpty else {
                throw BCMError(.notFound, reason: "BCM knows no node of the \(parts[1]) \(Quoted(parts[2]))")
            }
            return .strings(BCMHosts.entries(names))
        } catch {
            throw Stop(status: 2, message: ForeignText.printable("\(error)"))
        }
    }

    // MARK: - The end

    /// Says what is left to mend or worth a look, and whether the configuration is complete. One that is not may be saved
    /// and added to later, so what it lacks is a warning here.
    private func tellIssues(_ draft: ConfigurationDraft) -> Bool {
        let issues = draft.reading(sections: JobstatsPlan.availableSections).issues
        for var issue in issues {
            issue.severity = .warning
            console.writeError("\(issue)\n")
        }
        guard issues.contains(where: { $0.severity == .error }) else { return true }
        console.writeError(
            "The configuration is not complete yet; guided-setup refuses it until what the warnings name is there.\n")
        return false
    }

    /// Shows the difference and writes the file, when there is one.
    func write(_ draft: ConfigurationDraft, to file: WizardFile) throws(Stop) {
        guard let difference = difference(draft, file) else {
            console.write("\(file.path) stays as it is.\n")
            return
        }
        if options.isNonInteractive { console.write(difference) }
        try file.replace(with: draft.encoded)
        console.write("Written: \(file.path)\n")
    }

    /// What would change in the file; nil when nothing does.
    func difference(_ draft: ConfigurationDraft, _ file: WizardFile) -> String? {
        let new = String(decoding: draft.encoded, as: UTF8.self)
        guard let text = UnifiedDifference.text(from: file.text ?? "", to: new, path: file.path) else { return nil }
        return text.split(separator: "\n").map { style.difference(ForeignText.printable(String($0))) + "\n" }.joined()
    }
}
