public import CommandExecution

/// A setting of a workload manager instance, as commands and answers: for those who do not run cmsh themselves but plan
/// what is to be run.
public struct WorkloadSetting: Sendable, Hashable {
    /// The instance's name.
    public let instance: String
    /// Such as `cgroups`; nil for the instance itself.
    public let submode: String?
    /// Such as `constraincores` or `epilogslurmctld`.
    public let name: String
    /// Where cmsh lies on the head node.
    public let executable: String

    /// Names a setting.
    public init(
        _ name: String, in submode: String? = nil, ofWorkloadManager instance: String,
        executable: String = Cmsh.standardExecutable
    ) {
        self.name = name
        self.submode = submode
        self.instance = instance
        self.executable = executable
    }

    /// The command that asks for the value.
    ///
    /// - Throws: ``BCMError`` with the code ``BCMError/Code/invalidConfiguration`` for a name that cmsh cannot be given.
    public func reading() throws(BCMError) -> Command {
        try command([["get", try CmshScript.name(name, "setting")]])
    }

    /// The command that sets and commits a value.
    ///
    /// - Throws: ``BCMError`` with the code ``BCMError/Code/invalidConfiguration`` for a name or value that cmsh cannot be
    ///   given.
    public func writing(_ value: String) throws(BCMError) -> Command {
        try command([["set", try CmshScript.name(name, "setting"), value], ["commit"]])
    }

    /// The value in the answer to ``reading()``; empty where nothing is set.
    ///
    /// - Throws: the error that cmsh reported, which it does in text; see ``Cmsh/run(_:)``.
    public func value(_ result: CommandResult) throws(BCMError) -> String {
        // A value that is not set is an empty line or nothing at all, which is no error here.
        if result.succeeded, result.outputText.trimmed.isEmpty, result.errorText.trimmed.isEmpty { return "" }
        if let failure = CmshFailure.find(
            in: result, command: (try? reading().arguments.last) ?? name, expectsOutput: true)
        {
            throw failure
        }
        return result.outputText.trimmed
    }

    private func command(_ last: [[String]]) throws(BCMError) -> Command {
        let script = try CmshScript(try Cmsh.place(instance, submode) + last)
        return Command(executable, Cmsh.options + [script.text], timeout: .seconds(60))
    }
}
