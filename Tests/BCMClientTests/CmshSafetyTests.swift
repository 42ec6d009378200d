import CommandExecution
import Testing

@testable import BCMClient

struct CmshSafetyTests {
    static let hostile = [
        "a;b", "a; quit", "a\"b", "a'b", "a\nb", "a\rb", "a\0b", "a\tb", "a\\b", "a`id`", "$(id)", "a|sh", "a>f", "a<f",
        "!id", "a&b", "a\u{7f}", "a\u{85}b", "a\u{2028}b", "\u{1b}[2J",
    ]

    @Test(arguments: hostile)
    func hostileValuesNeverReachCmsh(_ value: String) async throws {
        let executor = RecordingExecutor()
        let cmsh = Cmsh(executor: executor)
        let calls: [() async throws -> Void] = [
            { _ = try await cmsh.roles(of: value) }, { try await cmsh.assignRole(value, to: .node("a")) },
            { try await cmsh.assignRole("r", to: .overlay(value)) }, { try await cmsh.addProfile(value, tokens: []) },
            { try await cmsh.addProfile("p", tokens: [value]) }, { _ = try await cmsh.devices(.category(value)) },
            { try await cmsh.set("prolog", to: value, ofWorkloadManager: "slurm") },
            { _ = try await cmsh.setting(value, ofWorkloadManager: "slurm") },
            { _ = try await cmsh.property("x", of: .category(value)) },
            { _ = try await cmsh.run([["device", value]]) },
            { try await cmsh.revokeCertificate(serial: value) },
        ]
        for call in calls {
            let error = await failure(call)
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.remedy != nil)
        }
        #expect(executor.commands.isEmpty)
    }

    @Test(arguments: ["", "-t", "--all", "  "])
    func valuesThatAreNoNamesAreRefused(_ value: String) async throws {
        let executor = RecordingExecutor()
        let cmsh = Cmsh(executor: executor)
        #expect(await failure { _ = try await cmsh.roles(of: value) }?.code == .invalidConfiguration)
        #expect(await failure { _ = try await cmsh.devices(.role(value)) }?.code == .invalidConfiguration)
        #expect(executor.commands.isEmpty)
    }

    @Test func theErrorNamesTheCharacter() async throws {
        let cmsh = Cmsh(executor: RecordingExecutor())
        let semicolon = await failure { try await cmsh.assignRole("r", to: .node("dgx-01;reboot")) }
        #expect(semicolon?.reason == #"the value "dgx-01;reboot" holds ;, which cmsh cannot be given"#)
        let newline = await failure { try await cmsh.assignRole("r", to: .node("dgx-01\nreboot")) }
        #expect(newline?.reason == #"the value "dgx-01 reboot" holds the character U+000A, which cmsh cannot be given"#)
    }

    @Test func harmlessValuesAreBareAndOthersQuoted() throws {
        #expect(
            try CmshScript([["a", "b-1_x.y:z,/=@+{}", "", "two words", "#x", "ü"]]).text
                == ##"a b-1_x.y:z,/=@+{} "" "two words" "#x" "ü""##)
    }

    struct Report: Sendable {
        var output = ""
        var error = ""
        var status: Int32 = 0
        var code: BCMError.Code?
    }

    @Test(arguments: [
        Report(error: "Error: Device does not exist: 'x'\n", code: .notFound),
        Report(error: "Error: no such role: 'x'\n", code: .notFound),
        Report(output: "Error: Command not found: frobnicate\n", code: .refused),
        Report(output: "No such category\n", code: .notFound),
        Report(error: "cannot connect to cmdaemon\n", status: 1, code: .notReachable),
        Report(error: "Error: could not connect to head node\n", code: .notReachable),
        Report(error: "Permission denied\n", code: .notAuthorised),
        Report(error: "Error: access denied, insufficient rights\n", code: .notAuthorised),
        Report(error: "Error: role is already assigned: 'x'\n", code: .refused),
        Report(output: "Failed to commit device dgx-01\n", code: .refused), Report(status: 3, code: .refused),
        Report(error: "segmentation fault\n", status: 139, code: .refused),
        Report(error: "Warning: 1 uncommitted change(s)\n", code: nil), Report(output: "", code: nil),
        Report(output: "Successfully committed 1 device\n", code: nil),
    ])
    func errorsAreRecognisedThoughTheStatusIsZero(_ report: Report) async throws {
        let executor = RecordingExecutor { _ throws(CommandError) in
            CommandResult(
                status: .exited(report.status), standardOutput: Array(report.output.utf8),
                standardError: Array(report.error.utf8))
        }
        let cmsh = Cmsh(executor: executor)
        if let code = report.code {
            let error = await failure { try await cmsh.assignRole("x", to: .node("dgx-01")) }
            #expect(error?.code == code)
            #expect(error?.reason.hasPrefix(#"cmsh -c "device; use dgx-01; roles; assign x; commit": "#) == true)
        } else {
            try await cmsh.assignRole("x", to: .node("dgx-01"))
        }
    }

    @Test(arguments: [
        (CommandError.Code.notFound, BCMError.Code.notFound), (.timedOut, .timedOut), (.cancelled, .cancelled),
        (.connectionLost, .notReachable), (.notStarted, .notReachable), (.outputTooLarge, .tooLarge),
    ])
    func commandsThatDoNotRunAreReported(_ cause: CommandError.Code, _ code: BCMError.Code) async throws {
        let executor = RecordingExecutor { command throws(CommandError) in
            throw CommandError(cause, executable: command.executable, host: "head-a", reason: "because")
        }
        let error = await failure { _ = try await Cmsh(executor: executor).profiles() }
        #expect(error?.code == code)
        #expect(error?.reason == "head-a: /cm/local/apps/cmd/bin/cmsh: \(cause): because")
    }
}
