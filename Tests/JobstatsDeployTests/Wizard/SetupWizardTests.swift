import BCMClient
import CommandExecution
import Testing

@testable import JobstatsDeploy

struct SetupWizardTests {
    private let folder = TemporaryFolder()

    /// A head node whose cmsh knows four nodes.
    private let executor = RecordingExecutor { command throws(CommandError) in
        func answer(_ text: String) -> CommandResult {
            CommandResult(status: .exited(0), standardOutput: Array(text.utf8))
        }
        switch command.executable {
        case "id": return answer("0\n")
        case "df": return answer("Filesystem 1M-blocks Used Available Capacity Mounted on\n/dev/x 9 1 90000 1% /\n")
        case "test", "ssh": return answer("")
        default: break
        }
        let script = command.arguments.last ?? ""
        if script.contains("cmha") { return answer("head-a* -> head-b\n") }
        if script.contains("broken") { return answer("") }
        let names =
            if script.contains("-l slurmclient") {
                ["dgx-01", "dgx-02", "dgx-03"]
            } else if script.contains("headnode") {
                ["head-a"]
            } else if script.contains("-l hostile") {
                ["dgx-01; reboot"]
            } else if script.contains(" -l ") || script.contains(" -e ") {
                [String]()
            } else {
                ["dgx-01", "dgx-02", "dgx-03", "login-01"]
            }
        let rows = names.map { name in
            let category = name.hasPrefix("dgx") ? "dgx" : name.hasPrefix("login") ? "login" : ""
            return "{\"hostname (key)\": \"\(name)\", \"type\": \"PhysicalNode\", \"category\": \"\(category)\"}"
        }
        return answer("[\(rows.joined(separator: ","))]")
    }

    private func wizard(
        _ answers: [String], settings: [String] = [], isTerminal: Bool = true, columns: Int = 80,
        isNonInteractive: Bool = false, name: String = "config.json"
    ) async -> (ending: SetupWizard.Ending, console: TestConsole) {
        let console = TestConsole(isTerminal: isTerminal, columns: columns, answers: answers)
        var options = SetupWizard.Options(file: "\(folder.path)/\(name)")
        options.isNonInteractive = isNonInteractive
        options.settings = settings
        let ending = await SetupWizard(
            options: options, console: console, cmsh: Cmsh(executor: executor), executor: executor
        ).run()
        return (ending, console)
    }

    /// Enter at each question but these, in the order of the questions.
    private func answers(
        cluster: [String] = [""], dgx: [String] = [""], controller: [String] = [""], login: [String] = [""],
        prometheus: [String] = [""], after: [String]
    ) -> [String] {
        let server = prometheus == [""] ? [""] : prometheus + [""]
        return cluster + dgx + controller + login + ["no"] + server + [""] + ["no"] + server + ["", ""] + after
    }

    private let present = """
        {
          "note": "ours",
          "cluster_name": "alpha",
          "prometheus_server": "mon-01",
          "grafana_server": "mon-01",
          "systems": {
            "slurm_controller": ["ctl-01"],
            "login_nodes": ["login-01"],
            "dgx_nodes": ["dgx-[01-16]"],
            "prometheus_server": ["mon-01"],
            "grafana_server": ["mon-01"]
          }
        }

        """

    @Test func newFileIsMadeFromAnswersAndHostsOfBCM() async throws {
        let (ending, console) = await wizard(
            answers(
                cluster: ["beta"], dgx: ["bcm", "1", ""], controller: ["set ctl-01", ""], login: ["bcm role none", ""],
                prometheus: ["add mon-01"], after: ["no", "a", "write", ""]))
        #expect(ending == .init(status: 0, next: .nothing), "\(console.output)\(console.errors)")
        let reading = DeploymentConfiguration.load(path: "\(folder.path)/config.json")
        let configuration = try reading.get()
        #expect(configuration.clusterName == "beta")
        #expect(configuration.systems.dgxNodes == ["dgx-01", "dgx-02", "dgx-03"])
        #expect(configuration.systems.slurmController == ["ctl-01"])
        // The server's name follows the host that it is installed on.
        #expect(configuration.prometheusServer == "mon-01" && configuration.grafanaServer == "mon-01")
        #expect(console.output.contains("role slurmclient") && console.output.contains("category dgx"))
        #expect(console.output.contains("BCM knows no node of the role \"none\"."))
        #expect(console.output.contains("+  \"cluster_name\": \"beta\""))
    }

    @Test func enterEverywhereLeavesAPresentFileAsItIs() async {
        folder.write("config.json", present)
        let (ending, console) = await wizard([String](repeating: "", count: 13))
        #expect(ending.status == 0 && console.output.contains("stays as it is"), "\(console.output)")
        #expect(folder.read("config.json") == present)
    }

    @Test func presentValuesAreOfferedAndOnlyWhatChangedIsInTheDifference() async throws {
        folder.write("config.json", present)
        let (ending, console) = await wizard(
            ["", "remove dgx-03", "", "", "", "", "", "", "", "", "", "", "no", "write", "dry-run"])
        #expect(ending == .init(status: 0, next: .dryRun), "\(console.output)\(console.errors)")
        #expect(console.output.contains("cluster_name [alpha]: "))
        #expect(console.output.contains("now: dgx-[01-16] (16 hosts)"))
        #expect(console.output.contains("-    \"dgx_nodes\": [\"dgx-[01-16]\"],\n"))
        #expect(console.output.contains("+    \"dgx_nodes\": [\"dgx-[01-02,04-16]\"],\n"))
        #expect(folder.read("config.json") == present.replacing("dgx-[01-16]", with: "dgx-[01-02,04-16]"))
    }

    @Test(arguments: [0, 1, 2, 5, 9, 12, 13]) func endOfInputAnywhereLeavesTheFileUntouched(_ count: Int) async {
        folder.write("config.json", present)
        let all = ["gamma"] + [String](repeating: "", count: 11) + ["no"]
        let (ending, console) = await wizard(Array(all.prefix(count)))
        #expect(ending.status == 1 && console.errors.contains("Nothing was written."))
        #expect(folder.read("config.json") == present && folder.names == ["config.json"])
    }

    @Test func interruptLeavesTheFileUntouched() async {
        folder.write("config.json", present)
        let task = Task { await wizard(["gamma"]) }
        task.cancel()
        let (ending, console) = await task.value
        #expect(ending.status == 130 && console.errors.contains("Interrupted. Nothing was written."))
        #expect(folder.read("config.json") == present)
    }

    @Test(arguments: [
        "", "a b", "x;reboot", "$(reboot)", "`id`", "a\"b", "a'b", "clu\u{455}ter", "a\u{202E}b", "\u{1B}[2J",
        "../x", "-rf", String(repeating: "n", count: 300), "a\\nb", "{{ x }}", "<b>", "|", "&",
    ]) func hostileAnswerIsRefusedWithTheReasonAndAskedAgain(_ value: String) async {
        folder.write("config.json", present)
        for key in ["cluster_name", "prometheus_server", "systems.dgx_nodes", "prometheus_targets_dir"] {
            if value.isEmpty, key != "cluster_name" { continue }
            let (ending, console) = await wizard([], settings: ["\(key)=\(value)"], isNonInteractive: true)
            let isWord = key == "systems.dgx_nodes" && value == "a b"
            #expect(ending.status == (isWord ? 0 : 2), "\(key) \(value): \(console.errors)")
            #expect(!console.errors.contains("\u{1B}") && !console.errors.contains("\u{202E}"))
            if !isWord { #expect(console.errors.contains(key)) }
        }
        let (_, console) = await wizard([value.isEmpty ? "a b" : value, "good"])
        #expect(console.output.contains("is not a cluster name"))
        #expect(!console.output.contains("\u{1B}[2J"))
    }

    @Test(arguments: ["abc", "0", "70000", "-1", "9.5", "9100x", "1e3"])
    func numberThatIsNoneIsRefused(_ value: String) async {
        let (ending, console) = await wizard([], settings: ["prometheus_port=\(value)"], isNonInteractive: true)
        #expect(ending.status == 2 && console.errors.contains("a whole number from 1 to 65535"), "\(console.errors)")
        #expect(folder.names.isEmpty)
    }

    @Test func settingsWithoutQuestionsAreAllJudgedBeforeAnythingIsWritten() async {
        folder.write("config.json", present)
        let (ending, console) = await wizard(
            [], settings: ["cluster_nam=x", "prometheus_port=0", "note", "cluster_name=good"], isTerminal: false,
            isNonInteractive: true)
        #expect(ending.status == 2)
        for text in ["did you mean cluster_name?", "prometheus_port", "write KEY=VALUE"] {
            #expect(console.errors.contains(text), "\(text)")
        }
        #expect(folder.read("config.json") == present)
    }

    @Test func anIncompleteConfigurationIsSavedAndSaidToBeSo() async {
        let (ending, console) = await wizard(
            [], settings: ["cluster_name=abc"], isTerminal: false, isNonInteractive: true)
        #expect(ending.status == 1 && folder.read("config.json")?.contains("\"abc\"") == true)
        #expect(console.errors.contains("warning: systems.dgx_nodes"), "\(console.errors)")
        #expect(console.errors.contains("not complete yet") && !console.errors.contains("error:"))
    }

    @Test func settingsWithoutQuestionsAreWrittenWithTheDifference() async throws {
        folder.write("config.json", present)
        let (ending, console) = await wizard(
            [], settings: ["dgx_nodes=bcm:role:slurmclient", "use_existing_grafana=yes", "target_domain=example.com"],
            isTerminal: false, isNonInteractive: true)
        #expect(ending.status == 0, "\(console.errors)")
        let configuration = try DeploymentConfiguration.load(path: "\(folder.path)/config.json").get()
        #expect(configuration.systems.dgxNodes == ["dgx-01", "dgx-02", "dgx-03"])
        #expect(configuration.usesExistingGrafana && configuration.targetDomain == "example.com")
        #expect(console.output.contains("+    \"dgx_nodes\": [\"dgx-[01-03]\"],"))
    }

    @Test(arguments: ["bcm:role:hostile", "bcm:role:a;b", "bcm:rack:r1", "bcm:role:none", "bcm:overlay:$(x)"])
    func hostsThatBCMCannotGiveAreAnErrorAndNoEmptyList(_ value: String) async {
        folder.write("config.json", present)
        let (ending, _) = await wizard([], settings: ["dgx_nodes=\(value)"], isNonInteractive: true)
        #expect(ending.status == 2)
        #expect(folder.read("config.json") == present)
    }

    @Test func withoutATerminalItSaysHowToGoWithout() async {
        let (ending, console) = await wizard([], isTerminal: false)
        #expect(ending.status == 2 && console.errors.contains("--non-interactive"))
    }

    @Test func damagedFileIsNotReplaced() async {
        folder.write("config.json", "{\"cluster_name\": ")
        let (ending, console) = await wizard([])
        #expect(ending.status == 2 && console.errors.contains("cannot be changed here: it is not JSON"))
        #expect(folder.read("config.json") == "{\"cluster_name\": ")
    }

    @Test func fileThatSomebodyChangedMeanwhileIsNotReplaced() throws {
        folder.write("config.json", present)
        let file = try WizardFile("\(folder.path)/config.json")
        folder.write("config.json", "{}\n")
        #expect(throws: SetupWizard.Stop.self) { try file.replace(with: Array("{\"a\": 1}\n".utf8)) }
        #expect(folder.read("config.json") == "{}\n")
    }

    @Test func whatIsMissingAsAWholeIsNamedAndAskedAgain() async {
        let (ending, console) = await wizard(
            answers(dgx: ["set dgx-01", ""], after: ["no", "mend"]) + ["add mon-01", "", "quit"])
        #expect(ending.status == 1)
        #expect(console.output.contains("systems.prometheus_server: is empty, and section 6 (Prometheus) needs"))
        #expect(folder.names.isEmpty)
    }

    @Test func machineIsJudgedAndNothingOfItIsNeededToWrite() async {
        let poor = RecordingExecutor { command throws(CommandError) in
            switch command.executable {
            case "id": return CommandResult(status: .exited(0), standardOutput: Array("1000\n".utf8))
            case "df":
                return CommandResult(
                    status: .exited(0), standardOutput: Array("h\n/dev/x 9 1 12 99% /\n".utf8))
            default: throw CommandError(.notFound, executable: command.executable, reason: "no such program")
            }
        }
        let findings = await Prerequisites(executor: poor, localHost: "head-a").findings()
        #expect(findings.map(\.subject) == ["root", "head node", "ssh", "disk /var", "disk /cm/shared"])
        #expect(findings.allSatisfy { $0.remedy != nil })
        let good = await Prerequisites(executor: executor, localHost: "head-a").findings()
        #expect(good.allSatisfy { $0.remedy == nil }, "\(good)")
    }

    @Test(arguments: [60, 80]) func linesFitTheTerminal(_ columns: Int) async {
        folder.write("config.json", present)
        let (_, console) = await wizard(
            ["?", "", "bcm", "", "?", "", "", "", "", "", "", "", "", "", "", "yes"], columns: columns)
        for line in console.output.split(separator: "\n") where !line.contains("[keep]: ") {
            #expect(line.count <= columns, "\(line)")
        }
    }
}
