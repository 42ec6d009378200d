import CommandExecution
import FoundationEssentials
import Glibc
import ServiceManager
import Testing

struct UnitFileTests {
    private func service(_ directives: UnitFile.Directive...) -> UnitFile {
        UnitFile(sections: [.init("Service", directives)])
    }

    @Test func sectionsDirectivesAndCommentsAreRenderedInTheirOrder() throws {
        let unit = UnitFile(
            comment: "Made by a test.\n\nSecond paragraph.",
            sections: [
                .init("Unit", [try .init("Description", "Node exporter"), try .init("After", "network.target")]),
                .init(
                    "Service",
                    [
                        try .init(
                            "ExecStart", arguments: ["/usr/local/bin/node_exporter", "--web.listen-address=:9100"]),
                        try .init("ProtectHostname", "no", comment: "A rename of the host\nmust be seen."),
                        try .init("ExecStartPost", ""),
                    ]),
                .init("Install", [try .init("WantedBy", "multi-user.target")]),
            ])
        let expected = """
            # Made by a test.
            #
            # Second paragraph.

            [Unit]
            Description=Node exporter
            After=network.target

            [Service]
            ExecStart=/usr/local/bin/node_exporter --web.listen-address=:9100
            # A rename of the host
            # must be seen.
            ProtectHostname=no
            ExecStartPost=

            [Install]
            WantedBy=multi-user.target

            """
        #expect(unit.rendered == expected)
    }

    @Test(arguments: [
        (["/bin/a", "plain", "--x=y:z,@/"], "/bin/a plain --x=y:z,@/"),
        (["/bin/a", "", "a b", "tab"], #"/bin/a "" "a b" tab"#),
        (["/bin/a b", "x"], #""/bin/a b" x"#),
        (["/bin/a", "100%", "%i", "%%"], "/bin/a 100%% %%i %%%%"),
        (["/bin/a", "$HOME", "${X}", "$$"], "/bin/a $$HOME $${X} $$$$"),
        (["/bin/a", #"say "hi""#, "it's", #"back\slash"#], #"/bin/a "say \"hi\"" "it's" "back\\slash""#),
        (["/bin/a", ";", "a;b", "#x"], #"/bin/a ";" "a;b" #x"#),
        (["/bin/a", "\u{e4}", "a\u{a0}b"], "/bin/a \u{e4} \"a\u{a0}b\""),
    ])
    func argumentsAreEscaped(arguments: [String], expected: String) throws {
        #expect(try UnitFile.Directive("ExecStart", arguments: arguments).value == expected)
    }

    @Test func prefixesStandBeforeTheProgramAndAColonKeepsDollarSigns() throws {
        #expect(try UnitFile.Directive("ExecStart", arguments: ["/bin/a", "$x"], prefix: "-").value == "-/bin/a $$x")
        #expect(try UnitFile.Directive("ExecStart", arguments: ["/bin/a", "$x"], prefix: "+:").value == "+:/bin/a $x")
        #expect(throws: ServiceError(.invalidValue, reason: "", remedy: "")) {
            try UnitFile.Directive("ExecStart", arguments: ["/bin/a"], prefix: "/bin/b ")
        }
    }

    @Test func wordsAreQuotedAndPercentSignsStandForThemselves() throws {
        #expect(
            try UnitFile.Directive("Environment", words: ["A=b c", "B=$x", "C=50%"]).value == #""A=b c" B=$x C=50%%"#)
        #expect(UnitFile.escapingSpecifiers("%h/100%") == "%%h/100%%")
        #expect(UnitFile.escapingSpecifiers("%") == "%%")
        #expect(UnitFile.escapingSpecifiers("") == "")
    }

    @Test(arguments: ["a\nb", "a\rb", "a\0b", "a\tb", "\u{7f}", "a\\", " a", "a "])
    func valuesThatWouldNotBeReadAsWrittenAreRefused(value: String) throws {
        let error = #expect(throws: ServiceError.self) { try UnitFile.Directive("Description", value) }
        #expect(error?.code == .invalidValue)
    }

    @Test(arguments: ["a\nExecStart=/bin/evil", "a\0", "a\r\nb"])
    func argumentsWithLineBreaksAreRefused(argument: String) throws {
        #expect(throws: ServiceError(.invalidValue, reason: "", remedy: "")) {
            try UnitFile.Directive("ExecStart", arguments: ["/bin/a", argument])
        }
        #expect(throws: ServiceError(.invalidValue, reason: "", remedy: "")) {
            try UnitFile.Directive("Environment", words: [argument])
        }
    }

    @Test(arguments: [[], [""], ["relative"], ["-/bin/a"], ["/bin/$x"], ["/bin/"], ["/bin/a\n"]] as [[String]])
    func aProgramMustBeAnAbsolutePath(arguments: [String]) throws {
        #expect(throws: ServiceError(.invalidValue, reason: "", remedy: "")) {
            try UnitFile.Directive("ExecStart", arguments: arguments)
        }
    }

    @Test(arguments: ["", "A=b", "[Unit]", "# x", "A b", "A\n"])
    func namesThatAreNoDirectivesAreRefused(name: String) throws {
        #expect(throws: ServiceError(.invalidValue, reason: "", remedy: "")) { try UnitFile.Directive(name, "x") }
    }

    @Test(arguments: ["a\n[Service]\nExecStart=/bin/evil", "a\rExecStart=/bin/evil", "a\u{85}b\u{2028}ExecStart=x\\"])
    func noCommentEndsEarly(comment: String) throws {
        let unit = UnitFile(
            comment: comment, sections: [.init("Service", [try .init("Type", "simple", comment: comment)])])
        let lines = unit.rendered.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines == ["[Service]", "Type=simple"])
    }

    @Test func aSectionsNameHoldsNothingElse() throws {
        #expect(UnitFile.Section("Ser]\nvice[", []).name == "Service")
    }

    @Test(.enabled(if: Analyzer.exists, "systemd-analyze is not installed"))
    func systemdReadsTheArgumentsBackAsTheyWereGiven() async throws {
        let arguments = [
            "/bin/echo", "plain", "", "a b", "100%", "%i", "$HOME", "${X}", "it's", #"say "hi""#, #"back\slash"#, ";",
            "#x", "\u{e4}\u{1f600}",
        ]
        let unit = UnitFile(
            comment: "A comment with \\",
            sections: [
                .init("Unit", [try .init("Description", "50%% of it", comment: "ends with \\")]),
                .init(
                    "Service",
                    [
                        try .init("Type", "oneshot"), try .init("ExecStart", arguments: arguments),
                        try .init("Environment", words: ["A=b c", "P=50%", #"Q="q""#]),
                        try .init("ReadWritePaths", words: ["-/srv/with space"]),
                    ]),
            ])
        let result = try await Analyzer.verify(unit)
        #expect(result.succeeded && result.standardError.isEmpty, "\(result.errorText)\n\(unit.rendered)")
    }

    /// The check above would be worth nothing if it took anything.
    @Test(.enabled(if: Analyzer.exists, "systemd-analyze is not installed"))
    func systemdRefusesADirectiveThatDoesNotExist() async throws {
        let unit = service(
            try .init("ExecStart", arguments: ["/bin/true"]), try .init("Type", "oneshot"), try .init("NoSuch", "x"))
        #expect(try await Analyzer.verify(unit).errorText.contains("NoSuch"))
    }
}

/// systemd's own checker of unit files.
enum Analyzer {
    static let exists = FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze")

    static func verify(_ unit: UnitFile) async throws -> CommandResult {
        var template = Array("/tmp/service-manager-tests-XXXXXX".utf8CString)
        let directory = try #require(
            template.withUnsafeMutableBufferPointer {
                $0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
            }
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = "\(directory)/service-manager-test.service"
        try Data(unit.rendered.utf8).write(to: URL(filePath: path))
        return try await LocalExecutor().run(
            Command("systemd-analyze", ["verify", "--man=no", "--generators=no", path]))
    }
}
