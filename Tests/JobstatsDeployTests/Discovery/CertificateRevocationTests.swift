import BCMClient
import CommandExecution
import Testing

@testable import JobstatsDeploy

struct CertificateRevocationTests {
    private let folder = TemporaryFolder()
    private static let rows = """
        [{"Serial num": "4", "Days left": "900", "Common name": "bcm-role-monitor", "Profile": "bcm-role-monitor",
          "Revoked": "No"},
         {"Serial num": "5", "Days left": "900", "Common name": "bcm-role-monitor", "Profile": "admin", "Revoked": "No"},
         {"Serial num": "6", "Days left": "900", "Common name": "root", "Profile": "bcm-role-monitor", "Revoked": "No"},
         {"Serial num": "7", "Days left": "9", "Common name": "bcm-role-monitor", "Profile": "bcm-role-monitor",
          "Revoked": "Yes"}]
        """

    private func run(
        _ console: TestConsole, profile: String = "bcm-role-monitor", assumesYes: Bool = false,
        status: String = "head-a* -> head-b\n"
    ) async -> (status: Int32, revoked: [String]) {
        folder.write("bcm-role-monitor.pem", "x")
        let executor = RecordingExecutor { command throws(CommandError) in
            let script = command.arguments.last ?? ""
            let text =
                script.hasPrefix("cmha") ? status : script.contains("listcertificates") ? Self.rows : ""
            return CommandResult(status: .exited(0), standardOutput: Array(text.utf8))
        }
        var paths = SiteDiscovery.Paths()
        paths.madeCertificates = folder.path
        let revocation = CertificateRevocation(cmsh: Cmsh(executor: executor), paths: paths, localHost: "head-a")
        let ending = await revocation.run(profile: profile, console: console, assumesYes: assumesYes)
        let scripts = executor.commands.compactMap { $0.arguments.last }.filter { $0.contains("revokecertificate") }
        return (ending, scripts.map { String($0.split(separator: " ").last ?? "") })
    }

    @Test func onlyCertificatesOfNameAndProfileAreRevokedAfterAYes() async {
        let console = TestConsole(isTerminal: true, answers: ["y"])
        let (status, revoked) = await run(console)
        #expect(status == 0 && revoked == ["4"], "\(console.output)\(console.errors)")
        #expect(console.output.contains("serial number 4, valid for 900 days") && folder.names.isEmpty)
    }

    @Test(arguments: [["n"], [""], []])
    func withoutAYesNothingIsRevoked(_ answers: [String]) async {
        let console = TestConsole(isTerminal: true, answers: answers)
        let (status, revoked) = await run(console)
        #expect(status == 1 && revoked.isEmpty && folder.names == ["bcm-role-monitor.pem"])
    }

    @Test func withoutATerminalItNeedsYes() async {
        let console = TestConsole()
        let (status, revoked) = await run(console)
        #expect(status == 2 && revoked.isEmpty && console.errors.contains("--yes"))
        #expect(await run(TestConsole(), assumesYes: true) == (0, ["4"]))
    }

    @Test func aNameThatIsNoProfileOfTheirsRevokesNothing() async {
        let console = TestConsole()
        let (status, revoked) = await run(console, profile: "root", assumesYes: true)
        #expect(status == 0 && revoked.isEmpty && console.output.contains("none to revoke"))
    }

    @Test(arguments: ["head-a -> head-b*\n", "running in passive mode\n"])
    func thePassiveHeadNodeRevokesNothing(_ status: String) async {
        let console = TestConsole()
        let (ending, revoked) = await run(console, assumesYes: true, status: status)
        #expect(ending == 1 && revoked.isEmpty && console.errors.contains("head-"))
    }
}
