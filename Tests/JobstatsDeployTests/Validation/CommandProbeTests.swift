import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

/// The look at the jobstats command, by its own script, as root: what lies on shared storage must not run as root.
@Suite(.enabled(if: geteuid() == 0 && getpwnam("nobody") != nil, "not root, or there is no user nobody"))
struct CommandProbeTests {
    private let folder = TemporaryFolder()
    private let nobody = getpwnam("nobody")?.pointee.pw_uid ?? 0

    init() {
        chmod(folder.path, 0o755)
        folder.write(
            "jobstats",
            """
            #!/bin/sh
            echo "uid $(id -u) groups $(id -G) $(grep -i NoNewPrivs /proc/self/status | tr -d '\\t') secret ${SECRET-none}"
            """, mode: 0o755)
        folder.write("config.py", "import os\nPROM_SERVER = 'http://%d:9090' % os.getuid()\n")
        symlink("\(folder.path)/jobstats", "\(folder.path)/link")
    }

    private func look(environment: [String: String] = [:]) async throws -> CommandProbe.Answer {
        var probe = CommandProbe()
        probe.link = "\(folder.path)/link"
        probe.directory = folder.path
        var command = probe.command
        command.environment = environment
        let result = try await LocalExecutor().run(command)
        var facts = Facts()
        facts.results[probe.command] = result
        return try #require(probe.answer(facts), "\(result.outputText) \(result.errorText)")
    }

    @Test func theCommandIsStartedAsNobodyWithoutAWayBack() async throws {
        let answer = try await look(environment: ["SECRET": "of root"])
        #expect(answer.said("starts") == "uid \(nobody) groups \(nobody) NoNewPrivs:1 secret none")
        #expect(answer.succeeded("link") && answer.succeeded("executable") && answer.succeeded("python3"))
    }

    @Test func theConfigurationIsReadAsNobody() async throws {
        #expect(try await look().settings?.server == "http://\(nobody):9090")
    }

    @Test func aConfigurationThatUsersCannotReadIsToldSo() async throws {
        chmod("\(folder.path)/config.py", 0o600)
        let answer = try await look()
        let wanted = JobstatsConfiguration(server: "http://mon-01:9090", retentionDays: 365, samplingPeriod: 30)
        let verdict = JobstatsValidation.judgeSettings(answer, wanted, "\(folder.path)/config.py")
        #expect(verdict.state == .failed)
        #expect(verdict.seen.contains("users cannot read"), "\(verdict)")
        #expect(verdict.advice?.contains("chmod 644") == true, "\(verdict)")
    }

    /// A folder of programs without these.
    private func programs(without missing: Set<String>) -> String {
        let path = "\(folder.path)/bin"
        mkdir(path, 0o755)
        for directory in ["/usr/bin", "/bin", "/usr/sbin", "/sbin"] {
            guard let stream = opendir(directory) else { continue }
            defer { closedir(stream) }
            while let entry = readdir(stream) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if !name.hasPrefix("."), !missing.contains(name) { symlink("\(directory)/\(name)", "\(path)/\(name)") }
            }
        }
        return path
    }

    @Test func withoutSetprivRunuserServes() async throws {
        let answer = try await look(environment: ["PATH": programs(without: ["setpriv"])])
        #expect(answer.said("starts").hasPrefix("uid \(nobody) groups \(nobody) "))
    }

    @Test func withoutAnyOfThemNothingIsRunAndNothingIsTaken() async throws {
        let answer = try await look(environment: ["PATH": programs(without: ["setpriv", "runuser"])])
        #expect(answer.parts["starts"] == nil && answer.parts["settings"] == nil)
        let host = Host("login-01")
        let wanted = JobstatsConfiguration(server: "x", retentionDays: 1, samplingPeriod: 1)
        for verdict in [
            JobstatsValidation.judgeLink(host, answer), JobstatsValidation.judgeStart(host, answer),
            JobstatsValidation.judgeModules(host, answer), JobstatsValidation.judgeBare(host, answer, "x"),
            JobstatsValidation.judgeSettings(answer, wanted, "x"), JobstatsValidation.judgeRevision(answer, "x"),
        ] {
            #expect(verdict.state == .unseen)
            #expect(verdict.seen.contains("nobody"), "\(verdict)")
        }
    }

    @Test func aCommandWithoutEndTakesNoMemory() async throws {
        folder.write("jobstats", "#!/bin/sh\nyes | head -c 300000000\n", mode: 0o755)
        let answer = try await look()
        #expect(answer.succeeded("starts"))
        #expect((answer.parts["starts"]?.text.utf8.count ?? 0) < 3000)
    }

    // MARK: Section 9

    @Test func aDeploymentStartsTheCommandAsNobody() async throws {
        let command = UnprivilegedShell.command("\(folder.path)/link", ["--help"], seconds: 20)
        let result = try await LocalExecutor().run(command)
        #expect(result.succeeded)
        #expect(result.outputText.contains("uid \(nobody) groups \(nobody) NoNewPrivs:1 "), "\(result.outputText)")
        #expect(
            try await LocalExecutor().run(UnprivilegedShell.command("/bin/false", [], seconds: 20)).succeeded == false)
    }

    @Test func theStepOfSectionNineDoesSo() throws {
        let plan = try JobstatsPlan(
            configuration: EvidenceFixture.configuration(), context: DeploymentContext(localHost: EvidenceFixture.head)
        ).commandSections()
        let step = try #require(plan.flatMap(\.steps).first { $0.id == "9.starts" })
        let queries = try #require(step.commonResource).queries
        #expect(queries == [.command(UnprivilegedShell.command(Installed.jobstatsLink, ["--help"], seconds: 20))])
        guard case .command(let command)? = queries.first else { return }
        #expect(command.executable == "bash")
    }

    @Test func whereNothingMakesItNobodyADeploymentRunsNothing() async throws {
        var command = UnprivilegedShell.command("\(folder.path)/link", ["--help"], seconds: 20)
        command.environment = ["PATH": programs(without: ["setpriv", "runuser"])]
        let result = try await LocalExecutor().run(command)
        #expect(!result.succeeded && !result.outputText.contains("uid 0"))
        #expect((result.outputText + result.errorText).contains("nobody"))
    }
}
