import BCMClient
import CommandExecution

/// Whether this machine is one to deploy from. Nothing of it is needed merely to write a configuration.
struct Prerequisites: Sendable {
    /// What was found about one of them.
    struct Finding: Sendable, Equatable {
        let subject: String
        let detail: String
        /// What to do before deploying; nil when all is well.
        let remedy: String?
    }

    let executor: any CommandExecutor
    let localHost: String

    /// Looks at each of them, for at most a minute.
    func findings() async -> [Finding] {
        var findings: [Finding] = []
        let user = await run("id", ["-u"])
        findings.append(
            user?.succeeded == true && user?.outputText.trimmed == "0"
                ? Finding(subject: "root", detail: "yes", remedy: nil)
                : Finding(subject: "root", detail: "no", remedy: "to deploy, run it as root or with sudo"))
        findings += await headNode()
        // ssh -V writes to standard error.
        let ssh = await run("ssh", ["-V"])
        let version = ssh.map { $0.errorText.isEmpty ? $0.outputText : $0.errorText } ?? ""
        findings.append(
            ssh?.succeeded == true
                ? Finding(subject: "ssh", detail: String(version.trimmed.prefix(60)), remedy: nil)
                : Finding(subject: "ssh", detail: "not found", remedy: "apt-get install openssh-client"))
        for (path, least) in [("/var", 2048), ("/cm/shared", 1024)] {
            if let finding = await disk(path, least: least) { findings.append(finding) }
        }
        return findings.map {
            Finding(
                subject: $0.subject, detail: ForeignText.printable($0.detail),
                remedy: $0.remedy.map(ForeignText.printable))
        }
    }

    private func headNode() async -> [Finding] {
        guard await run("test", ["-x", BCMPaths.cmsh])?.succeeded == true else {
            return [
                Finding(
                    subject: "head node", detail: "there is no \(BCMPaths.cmsh)",
                    remedy: "to deploy, run it on the active BCM head node")
            ]
        }
        guard
            let status = await run(
                BCMPaths.cmsh, ["--color=no", "--hide-events", "-n", "-q", "-c", "cmha status"],
                timeout: .seconds(60))
        else {
            return [
                Finding(
                    subject: "head node", detail: "cmsh does not answer",
                    remedy: "look at CMDaemon: systemctl status cmd")
            ]
        }
        let assessment = HeadNodeStatus.judge(status, localHost: localHost)
        let isActive = assessment.state == .inPlace
        return [
            Finding(subject: "head node", detail: assessment.detail, remedy: isActive ? nil : assessment.remedy)
        ]
    }

    /// Free space in MiB, as df(1) tells it; a path that is not there says nothing.
    private func disk(_ path: String, least: Int) async -> Finding? {
        guard let result = await run("df", ["-Pm", "--", path]), result.succeeded else { return nil }
        let fields = result.outputText.split(whereSeparator: \.isNewline).last?.split(separator: " ") ?? []
        guard fields.count >= 4, let free = Int(fields[3]) else { return nil }
        let detail = "\(free) MiB free"
        return free >= least
            ? Finding(subject: "disk \(path)", detail: detail, remedy: nil)
            : Finding(subject: "disk \(path)", detail: detail, remedy: "at least \(least) MiB are wanted there")
    }

    private func run(_ program: String, _ arguments: [String], timeout: Duration = .seconds(10)) async -> CommandResult?
    {
        try? await executor.run(Command(program, arguments, timeout: timeout))
    }
}
