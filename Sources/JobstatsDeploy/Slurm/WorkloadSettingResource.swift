import BCMClient
import CommandExecution

/// A setting of BCM's workload manager instance, read and set through cmsh on the head node.
struct WorkloadSettingResource: Resource {
    /// What a value means.
    enum Verdict: Sendable, Hashable {
        /// As needed.
        case good
        /// To be set to this.
        case set(String)
        /// A person must decide.
        case blocked(String, remedy: String)
    }

    let summary: String
    private let setting: WorkloadSetting
    private let read: Command
    private let proposal: String
    /// The file whose age tells daemons that are older than the setting; nil where none need be restarted.
    private let mark: String?
    private let judge: @Sendable (String) -> Verdict
    /// The same as an export's script knows it.
    private let rule: WorkloadRule?

    /// One by a rule that exports know, too.
    ///
    /// - Throws: ``BCMError`` for a name that cmsh cannot be given.
    init(_ setting: WorkloadSetting, _ summary: String, rule: WorkloadRule, mark: String? = nil) throws {
        try self.init(setting, summary, rule.proposal, mark, rule) { rule.judge($0) }
    }

    /// - Parameters:
    ///   - setting: which one.
    ///   - summary: what shall be so, in words.
    ///   - proposal: the value a person would set.
    ///   - judge: judges the present value, empty where nothing is set; a pure function.
    /// - Throws: ``BCMError`` for a name that cmsh cannot be given.
    init(
        _ setting: WorkloadSetting, _ summary: String, proposal: String, mark: String? = nil,
        judge: @escaping @Sendable (String) -> Verdict
    ) throws {
        try self.init(setting, summary, proposal, mark, nil, judge)
    }

    private init(
        _ setting: WorkloadSetting, _ summary: String, _ proposal: String, _ mark: String?, _ rule: WorkloadRule?,
        _ judge: @escaping @Sendable (String) -> Verdict
    ) throws {
        self.setting = setting
        self.summary = summary
        self.proposal = proposal
        self.mark = mark
        self.judge = judge
        self.rule = rule
        read = try setting.reading()
    }

    var queries: [Query] { [.command(read)] }

    func assess(_ facts: Facts) -> Assessment {
        guard let result = facts.result(read) else { return .unknown(summary) }
        do throws(BCMError) {
            let value = try setting.value(result)
            switch judge(value) {
            case .good: return .inPlace("\(setting.name) is \(value.isEmpty ? "not set" : value)")
            case .set(let wanted):
                return .differs([
                    "\(setting.name) is \(value.isEmpty ? "not set" : value), not \(wanted.isEmpty ? "empty" : wanted)"
                ])
            case .blocked(let reason, let remedy): return .blocked(reason, remedy: remedy)
            }
        } catch {
            return .blocked(
                error.reason,
                remedy: "is wlm_instance (\(setting.instance)) the name that BCM has? look at: cmsh -c 'wlm; list'")
        }
    }

    func changes(from facts: Facts) throws(ResourceError) -> [Command] {
        guard let result = facts.result(read) else { return [] }
        do throws(BCMError) {
            guard case .set(let wanted) = judge(try setting.value(result)) else { return [] }
            return [carryingOut(try setting.writing(wanted))]
        } catch {
            throw ResourceError(error.reason, remedy: error.remedy ?? "set it by hand with cmsh")
        }
    }

    private func carryingOut(_ command: Command) -> Command {
        Command(
            "sh",
            ["-c", Self.script, "sh", mark ?? "", command.executable] + command.arguments,
            timeout: command.timeout + .seconds(10))
    }

    /// Arguments: the mark or nothing, cmsh and its arguments. cmsh reports errors in text and ends with 0 all the same.
    static let script = """
        mark=$1
        shift
        said=$("$@" 2>&1 </dev/null)
        status=$?
        errors='^[[:space:]]*(error|fatal|fail|unknown|no such|invalid|usage|unable|can.?t |cannot|could ?n|permission|access denied|not auth|connection refused)'
        if [ "$status" != 0 ] || printf '%s\\n' "$said" | grep -qiE "$errors"; then
            printf 'cmsh: %s\\n' "$said" >&2
            exit 1
        fi
        [ -z "$mark" ] || { mkdir -p -m 0755 -- "${mark%/*}" && touch -- "$mark"; }
        """

    /// A setting without a rule is left to the person who runs the export.
    var exportActions: [ExportAction] {
        guard let rule,
            let action = try? ExportSlurm.setting(
                "\(setting.name) of \(setting.instance) in BCM", setting, rule: rule, mark: mark)
        else { return [.byHand(summary, instructions)] }
        return [action]
    }

    var instructions: Instructions {
        let place = ["wlm", "use \(setting.instance)"] + (setting.submode.map { [$0] } ?? [])
        func typed(_ words: [String]) -> String {
            "cmsh -c " + ShellQuoting.quote((place + words).joined(separator: "; "))
        }
        return Instructions(
            commands: [typed(["set \(setting.name) \(proposal)", "commit"])],
            verification: [typed(["get \(setting.name)"])],
            undo: [
                "# BCM's \(setting.name) stays; to go back to an earlier value: "
                    + typed(["set \(setting.name) VALUE", "commit"])
            ])
    }
}
