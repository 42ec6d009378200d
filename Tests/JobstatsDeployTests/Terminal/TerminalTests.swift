import CommandExecution
import FoundationEssentials
import Glibc
import Testing

@testable import JobstatsDeploy

/// The walk and the wizard as programs on a real (pseudo) terminal.
@Suite(.enabled(if: Terminal.isThere, "needs python3, and the programs that are built with these tests"))
struct TerminalTests {
    private let folder = TemporaryFolder()
    private let memory = TemporaryFolder()

    private func walk(
        _ script: [String], columns: Int = 80, environment: [String: String] = [:], before: [String] = []
    ) async throws -> Terminal.Session {
        try await Terminal.run(
            "walk-stand-in", [folder.path, memory.path], script, columns: columns, environment: environment,
            before: before)
    }

    private let question = "expect ? [run]: "

    @Test func aWalkFromTheFirstSectionToTheLast() async throws {
        let session = try await walk([
            "expect 4. Node statistics", "expect on dgx-01:", question, "type check",
            "expect first file: would change on dgx-01", question, "type", "expect 6. Prometheus", question, "type r",
            "expect slurm-restart: second file, on dgx-01", "expect anything else is no [no]: ", "type yes",
        ])
        #expect(session.status == 0, "\(session.text)")
        #expect(session.text.contains("reached 3, status 0"), "\(session.text)")
        #expect(folder.names == ["first", "progress.json", "second"])
    }

    @Test func enterAndTypingAheadAgreeToNothingThatDisturbs() async throws {
        let session = try await walk([
            question, "type", question, "type run", "expect anything else is no [no]: ", "type",
        ])
        #expect(session.status == 1, "\(session.text)")
        #expect(folder.names == ["first", "progress.json"])
    }

    @Test(arguments: [[], ["expect ? [run]: ", "type"]]) func controlDQuits(_ first: [String]) async throws {
        let session = try await walk(first + [question, "press ^D"])
        #expect(session.status == 1, "\(session.text)")
        #expect(!folder.names.contains("second"))
    }

    @Test func controlDAtAConsentDoesNotAgree() async throws {
        let session = try await walk([
            question, "type skip", question, "type", "expect anything else is no [no]: ", "press ^D",
        ])
        #expect(session.status == 1, "\(session.text)")
        #expect(!folder.names.contains("second"))
    }

    @Test func interruptAtAQuestionEndsWith130() async throws {
        let session = try await walk([question, "type", question, "press ^C"])
        #expect(session.status == 130, "\(session.text)")
        #expect(folder.names == ["first", "progress.json"])
    }

    @Test func interruptInASectionEndsWith130AndKeepsProgress() async throws {
        folder.write("slow", "")
        let session = try await walk([question, "type", question, "type", "file \(folder.path)/begun", "press ^C"])
        #expect(session.status == 130, "\(session.text)")
        let progress = try ProgressFile.load("\(folder.path)/progress.json")
        #expect(progress.hosts["dgx-01"]?["4.file"]?.outcome == "changed")
        #expect(progress.hosts["dgx-01"]?["6.file"] == nil)
    }

    @Test(arguments: ["dumb", "vt100"]) func withoutColourNoEscapeSequenceIsWrittenToADumbTerminal(_ kind: String)
        async throws
    {
        let session = try await walk(
            [question, "type diff", question, "type", question, "type quit"],
            environment: ["TERM": kind, "NO_COLOR": "1"])
        #expect(session.status == 1, "\(session.text)")
        #expect(session.text.contains("\u{1B}") == (kind != "dumb"))
        #expect(!session.text.contains("\u{1B}[3") && !session.text.contains("\u{1B}[1m"))
    }

    @Test func linesOfAnOrdinaryTerminalAreNotBroken() async throws {
        let session = try await walk(
            [question, "type ?", question, "type commands", question, "type quit"], environment: ["TERM": "dumb"])
        // Commands are for copying, and stay whole.
        for line in session.text.split(whereSeparator: \.isNewline) where !line.hasPrefix("   $ ") {
            #expect(line.count <= 80, "\(line)")
        }
    }

    @Test func lostTerminalEndsTheWalkUnlessHangUpsAreIgnored() async throws {
        folder.write("slow", "")
        let script = [question, "type", question, "type", "file \(folder.path)/begun", "hang up"]
        #expect(try await walk(script).status == 130)
    }

    @Test func hangUpThatIsIgnoredLetsTheSectionGoOnAndNothingElseIsAgreedTo() async throws {
        let session = try await walk([question, "type", question, "hang up"], before: ["nohup-like"])
        #expect(session.status == 1, "\(session.text)")
        #expect(!folder.names.contains("second"))
    }

    // MARK: The wizard

    private func wizard(_ script: [String], environment: [String: String] = [:]) async throws -> Terminal.Session {
        try await Terminal.run(
            "setup-wizard", ["--config", "\(folder.path)/config.json"], script, environment: environment)
    }

    private let present = """
        {
          "cluster_name": "alpha",
          "systems": {
            "dgx_nodes": ["dgx-[01-16]"],
            "prometheus_server": ["mon-01"]
          }
        }

        """

    @Test(arguments: [("press ^C", Int32(130)), ("press ^D", 1)])
    func leavingTheWizardLeavesTheFile(_ key: String, _ status: Int32) async throws {
        folder.write("config.json", present)
        let session = try await wizard([
            "expect cluster_name [alpha]: ", "type a b", "expect is not a cluster name",
            "expect cluster_name [alpha]: ", "type beta", "expect ? [keep]: ", key,
        ])
        #expect(session.status == status, "\(session.text)")
        #expect(session.text.contains("Nothing was written."))
        #expect(folder.read("config.json") == present && folder.names == ["config.json"])
    }

    @Test func aWholeConversationWritesTheFile() async throws {
        let keep = ["expect ? [keep]: ", "type"]
        let session = try await wizard(
            ["expect cluster_name [slurm]: ", "type beta", "expect ? [keep]: ", "type add dgx-[01-04]"] + keep
                + ["expect ? [keep]: ", "type add ctl-01"] + keep + keep
                + ["expect use_existing_prometheus [no]: ", "type", "expect ? [keep]: ", "type set mon-01"] + keep
                + ["expect prometheus_server [mon-01]: ", "type", "expect use_existing_grafana [no]: ", "type yes"]
                + ["expect grafana_server [grafana-server]: ", "type graf.example.com"]
                + [
                    "expect deploy_bcm_role_monitor [yes]: ", "type", "expect Change any of these? no, yes [no]: ",
                    "type",
                ]
                + ["expect +  \"cluster_name\": \"beta\"", "expect q stops: ", "type a"]
                + ["expect write, again, quit [write]: ", "type"]
                + ["expect nothing, dry-run, setup [nothing]: ", "type"],
            environment: ["TERM": "dumb"])
        #expect(session.status == 0, "\(session.text)")
        let configuration = try DeploymentConfiguration.load(path: "\(folder.path)/config.json").get()
        #expect(configuration.clusterName == "beta" && configuration.prometheusServer == "mon-01")
        #expect(configuration.usesExistingGrafana && configuration.grafanaServer == "graf.example.com")
        #expect(configuration.systems.dgxNodes.count == 4)
        #expect(!session.text.contains("\u{1B}"))
    }

    private static let hostile = [
        "x;reboot", "$(reboot)", "`id`", "a'b", "a\"b", "clu\u{0455}ter", "a\u{202E}b", "<b>", "{{ x }}", "../x",
        String(repeating: "n", count: 300),
    ]

    /// Each question asks again, says why, and shows nothing that the terminal would obey.
    @Test func hostileAnswersAreRefusedAtEachKindOfQuestion() async throws {
        var script: [String] = []
        for value in Self.hostile {
            script += ["expect cluster_name [slurm]: ", "type \(value)", "expect is not a cluster name"]
        }
        script += ["expect cluster_name [slurm]: ", "type beta"]
        for value in Self.hostile { script += ["expect ? [keep]: ", "type add \(value)", "expect is no"] }
        script += ["expect ? [keep]: ", "type \u{1B}[31m", "expect is not understood"]
        script += ["expect ? [keep]: ", "type set dgx-01", "expect ? [keep]: ", "type"]
        script += ["expect ? [keep]: ", "type", "expect ? [keep]: ", "type"]
        for value in Self.hostile {
            script += ["expect use_existing_prometheus [no]: ", "type \(value)", "expect true or false"]
        }
        script += ["expect use_existing_prometheus [no]: ", "press ^D"]
        let session = try await wizard(script, environment: ["TERM": "dumb"])
        #expect(session.status == 1, "\(session.text)")
        #expect(folder.names.isEmpty)
    }
}

/// Programs on terminals of their own.
enum Terminal {
    struct Session {
        /// What the terminal showed.
        let text: String
        let status: Int32
    }

    static var isThere: Bool {
        guard let programs = BuiltPrograms.folder else { return false }
        return access("/usr/bin/python3", X_OK) == 0 && access("\(programs)/walk-stand-in", X_OK) == 0
            && access("\(programs)/setup-wizard", X_OK) == 0
    }

    static func run(
        _ program: String, _ arguments: [String], _ script: [String], columns: Int = 80,
        environment: [String: String] = [:], before: [String] = []
    ) async throws -> Session {
        let path = "\(try #require(BuiltPrograms.folder))/\(program)"
        let driver = String(#filePath.prefix(through: #filePath.lastIndex(of: "/") ?? #filePath.startIndex))
        let ignoring = before.isEmpty ? [] : ["/bin/sh", "-c", "trap '' HUP; exec \"$@\"", "sh"]
        let result = try await LocalExecutor().run(
            Command(
                "/usr/bin/python3", ["\(driver)on-terminal.py", String(columns)] + ignoring + [path] + arguments,
                input: Array(script.map { "\($0)\n" }.joined().utf8),
                environment: ["TERM": "xterm"].merging(environment) { $1 }, timeout: .seconds(150)))
        let text = result.outputText
        guard result.succeeded, let end = text.split(separator: "\n").last, end.hasPrefix("ended with "),
            let status = Int32(end.dropFirst("ended with ".count))
        else {
            Issue.record("\(result.status): \(result.errorText)\n\(text)")
            return Session(text: text, status: -1)
        }
        return Session(text: text, status: status)
    }
}
