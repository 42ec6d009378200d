import CommandExecution
import FoundationEssentials
import Testing

@testable import JobstatsDeploy

/// The configuration of the jobstats command, read by Python itself.
@Suite struct JobstatsConfigurationTests {
    /// What Python sees in the file: the names and values of a module.
    private func values(_ text: String) async throws -> JSONNode {
        let folder = TemporaryFolder()
        folder.write("config.py", text)
        let program = """
            import sys, json, py_compile
            sys.dont_write_bytecode = True
            path = sys.argv[1] + "/config.py"
            py_compile.compile(path, cfile=sys.argv[1] + "/config.pyc", doraise=True)
            names = {}
            exec(compile(open(path, encoding="utf-8").read(), path, "exec"), names)
            print(json.dumps({k: v for k, v in names.items() if not k.startswith("__")}))
            """
        let result = try await LocalExecutor().run(Command("python3", ["-c", program, folder.path]))
        #expect(result.succeeded, "\(result.errorText)")
        return try JSONNode.parse(result.standardOutput)
    }

    @Test func pythonReadsWhatTheCommandNeeds() async throws {
        let text = try JobstatsPlan(
            configuration: makeConfiguration { $0.prometheusRetentionDays = 42 }, context: makeContext()
        )
        .jobstatsConfiguration().text
        let values = try await values(text)
        #expect(values["PROM_SERVER"]?.string == "http://mon-01:9090")
        func number(_ name: String) -> String? {
            if case .number(let literal)? = values[name]?.value { literal } else { nil }
        }
        #expect(number("PROM_RETENTION_DAYS") == "42")
        #expect(number("SAMPLING_PERIOD") == "30")
        #expect(number("MIN_RUNTIME_SECONDS") == "300")
        for name in [
            "GPU_UTIL_RED", "GPU_UTIL_BLACK", "CPU_UTIL_RED", "CPU_UTIL_BLACK", "TIME_EFFICIENCY_RED",
            "TIME_EFFICIENCY_BLACK", "MIN_MEMORY_USAGE", "MAX_JOBNAME_LEN",
        ] {
            #expect(number(name) != nil, "\(name)")
        }
        if case .bool(true)? = values["GPU_EXPORTER_JOBID"]?.value {} else { Issue.record("GPU_EXPORTER_JOBID") }
        if case .bool(false)? = values["EXTERNAL_DB_CONFIG"]?["enabled"]?.value {} else { Issue.record("database") }
        #expect(values["NOTES"]?.elements.isEmpty == true)
        #expect(values["CLUSTER_TRANS"] != nil && values["CLUSTER_TRANS_INV"] != nil)
    }

    @Test(arguments: [
        #"http://a" + __import__("os").system("id") + ""#, "http://a\\", "a\nPROM_SERVER = 1\n", "'''\"\"\"",
        "\u{0}\u{1b}[31m",
        "http://mon\u{2028}\u{202e}ä😀", "$(id);`id`", "{__import__('os')}", String(repeating: "x\"", count: 300),
    ])
    func noValueBreaksOutOfItsLiteral(_ value: String) async throws {
        let text = JobstatsConfiguration(server: value, retentionDays: 1, samplingPeriod: 30).text
        #expect(try await values(text)["PROM_SERVER"]?.string == value)
        #expect(text.utf8.allSatisfy { $0 == 10 || (0x20...0x7e).contains($0) })
    }

    @Test func anUnchangedFileIsKnownAgainAndAnEditedOneIsNot() {
        let text = JobstatsConfiguration(server: "http://a", retentionDays: 1, samplingPeriod: 30).text
        #expect(JobstatsConfiguration.marks.areTrue(of: text))
        for edited in [
            text + "\n", text.replacing("http://a", with: "http://b"), "#!/usr/bin/python3\n" + text, "", "\n\n",
            JobstatsConfiguration.mark + "\n", text.replacing("\n", with: "\r\n"),
        ] {
            #expect(!JobstatsConfiguration.marks.areTrue(of: edited))
        }
    }

    // MARK: On a host

    private func resource(_ folder: TemporaryFolder, _ text: String, isAdopted: Bool = false) -> KeptConfiguration {
        KeptConfiguration(
            FileResource(
                "\(folder.path)/config.py", .text(text), record: OwnershipRecord(directory: "\(folder.path)/state")),
            consent: "jobstats-config", isAdopted: isAdopted,
            marks: JobstatsConfiguration.marks)
    }

    private func text(_ server: String) -> String {
        JobstatsConfiguration(server: server, retentionDays: 1, samplingPeriod: 30).text
    }

    @Test func oursFollowsTheConfiguration() async throws {
        let folder = TemporaryFolder()
        #expect(try await settleHere(resource(folder, text("http://a"))) == .inPlace())
        #expect(try await settleHere(resource(folder, text("http://b"))) == .inPlace())
        #expect(folder.read("config.py") == text("http://b"))
        #expect(folder.names == ["config.py", "state"])
    }

    @Test func oursIsTakenAwayAndTheSitesOwnStaysAndIsNamed() async throws {
        let folder = TemporaryFolder()
        let resource = resource(folder, text("http://a"))
        try await settleHere(resource)
        try await settleHere(try #require(resource.absence))
        #expect(folder.read("config.py") == nil)
        try await settleHere(resource)
        folder.write("config.py", text("http://a") + "NOTES.append(1)\n")
        let found = try await settleHere(try #require(resource.absence))
        #expect(Assessment.whatWasLeft(found.detail)?.contains("was changed here since it was deployed") == true)
        #expect(folder.read("config.py")?.hasSuffix("NOTES.append(1)\n") == true)
    }

    @Test func theSitesOwnIsKeptAndShown() async throws {
        let folder = TemporaryFolder()
        let own = text("http://a") + "NOTES.append(1)\n"
        folder.write("config.py", own)
        let resource = resource(folder, text("http://b"))
        let facts = try await lookHere(resource)
        #expect(resource.assess(facts).isWarning)
        #expect(resource.assess(facts).detail == "\(folder.path)/config.py is the site's own and is kept")
        #expect(resource.difference(facts)?.contains("-NOTES.append(1)\n") == true)
        #expect(folder.read("config.py") == own)

        #expect(try await settleHere(self.resource(folder, text("http://b"), isAdopted: true)) == .inPlace())
        #expect(folder.read("config.py") == text("http://b"))
        let backups = try await LocalExecutor().run(
            Command("find", ["\(folder.path)/state/backups", "-name", "config.py", "-type", "f"]))
        let kept = backups.outputText.trimmed
        #expect(kept.dropFirst(folder.path.count + 1).split(separator: "\n").count == 1, "\(kept)")
        #expect(folder.read(String(kept.dropFirst(folder.path.count + 1))) == own)
    }

    @Test func aLinkInItsPlaceIsKept() async throws {
        let folder = TemporaryFolder()
        folder.write("own.py", "x = 1\n")
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/config.py", withDestinationPath: "\(folder.path)/own.py")
        #expect(try await settleHere(resource(folder, text("http://b"))).isWarning)
        #expect(folder.read("config.py") == "x = 1\n")
    }
}
