import CommandExecution
import Glibc
import Logging
import Testing

@testable import JobstatsDeploy

/// Fails the test when anything is contacted.
private struct NoHosts: HostConnector {
    func connect(to host: Host) async -> any HostConnection {
        Issue.record("\(host) was contacted")
        return LocalConnection()
    }
}

struct SetupRunTests {
    private let folder = TemporaryFolder()

    private func run(_ json: String, _ change: (inout SetupOptions) -> Void = { _ in }) async -> (Int32, TestConsole) {
        let file = folder.write("config.json", json)
        var options = SetupOptions(
            configurationFile: file, stateDirectory: "\(folder.path)/state", programFolder: "/nonexistent")
        change(&options)
        let console = TestConsole()
        let setup = SetupRun(
            options: options, console: console, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            connector: NoHosts())
        return (await setup.run(), console)
    }

    private let small = """
        {"systems": {"dgx_nodes": ["dgx-[01-03]"], "prometheus_server": ["mon-01"], "grafana_server": ["mon-01"],
                     "slurm_controller": ["ctl-01"]}}
        """

    @Test func dryRunContactsNothingAndWritesTheDocumentAlone() async {
        let (status, console) = await run(small) { $0.mode = .dryRun }
        #expect(status == 0)
        #expect(console.output.contains("Nothing was contacted and nothing was changed."))
        #expect(folder.read("state/guided_setup_document.md")?.isEmpty == false)
        #expect(folder.read("state/guided_setup_progress.json") == nil)
    }

    @Test func everyErrorOfTheConfigurationIsShownAtOnceAndNothingIsTouched() async {
        let (status, console) = await run(
            """
            {"prometheus_port": 99999, "systems": {"dgx_nodes": ["dgx-01;reboot", "$(x)"], "prometheus_server": ["m"]}}
            """)
        #expect(status == 2)
        for key in ["prometheus_port", "systems.dgx_nodes[0]", "systems.dgx_nodes[1]"] {
            #expect(console.errors.contains(key))
        }
        #expect(folder.names == ["config.json"])
    }

    @Test func withoutATerminalItNeedsToBeToldThatNobodyAnswers() async {
        let (status, console) = await run(small) { $0.canResume = true }
        #expect(status == 2)
        #expect(console.errors.contains("--non-interactive"))
        #expect(folder.names == ["config.json"])
    }

    @Test func hostOutsideTheConfigurationIsAnErrorAndNotNothingToDo() async {
        let (status, console) = await run(small) {
            $0.mode = .dryRun
            $0.limit = ["dgx-[02-05]"]
        }
        #expect(status == 2)
        #expect(console.errors.contains("dgx-[04-05]"))
    }

    @Test func resumeWithoutProgressSaysSo() async {
        let (status, console) = await run(small) {
            $0.isNonInteractive = true
            $0.resumes = true
        }
        #expect(status == 2)
        #expect(console.errors.contains("nothing to resume") || getuid() != 0)
    }

    @Test func dryRunSaysWhichMachineItTakesForTheHeadNode() async {
        let (_, console) = await run(small) { $0.mode = .dryRun }
        let name = SetupRun.hostName
        #expect(
            console.output.replacing("\n", with: " ").contains(
                "This machine, \(name), is taken for the active head node"))
        let document = folder.read("state/guided_setup_document.md") ?? ""
        #expect(document.contains("`\(name)` is taken for the active BCM head node: nobody asked whether it is."))
    }

    @Test func anImageNeedsOnlyTheProgramsThatGoIntoIt() async {
        let (status, console) = await run(small) {
            $0.mode = .dryRun
            $0.image = "dgx-image"
        }
        #expect(status == 0, "\(console.errors)")
        for name in ["prometheus", "promtool", "jobstats", "grafana"] {
            #expect(!console.errors.contains("artifacts.\(name)"), "\(console.errors)")
        }
    }

    @Test func whatIsLeftOutIsNotLookedFor() async {
        let (_, console) = await run(small) {
            $0.mode = .dryRun
            $0.consents = ["skip-prometheus", "skip-node_exporter"]
        }
        for name in ["prometheus", "promtool", "node_exporter"] {
            #expect(!console.errors.contains("artifacts.\(name)"), "\(console.errors)")
        }
    }

    @Test(arguments: ["/dev/full", "/dev/full/state"])
    func aStateDirectoryThatCannotBeOneSaysWhy(_ path: String) async {
        let (status, console) = await run(small) {
            $0.mode = .dryRun
            $0.stateDirectory = path
        }
        #expect(status == 2 && console.errors.contains("/dev/full is not a directory"), "\(console.errors)")
    }

    private func export(_ json: String) async -> (Int32, TestConsole) {
        await run(json) {
            $0.mode = .dryRun
            $0.isOffline = true
            $0.export = .shell
            $0.exportDirectory = "\(folder.path)/export"
        }
    }

    @Test func anExportThatLacksPartsOfThePlanIsNoSuccess() async {
        let (status, console) = await export(small)
        #expect(status == 1 && console.errors.contains("not exported: Section 10"), "\(console.errors)")
        #expect(folder.read("export/README.md")?.contains("Not part of this export") == true)
    }

    @Test func anInterruptedExportLeavesNothing() async {
        let work = Task { () -> (Int32, TestConsole) in
            withUnsafeCurrentTask { $0?.cancel() }
            return await export(small)
        }
        let (status, console) = await work.value
        #expect(status == 130 && console.errors.contains("Interrupted"), "\(console.errors)")
        #expect(folder.names.allSatisfy { !$0.hasPrefix("export") }, "\(folder.names)")
    }

    @Test(arguments: ["all", "Ungrouped", "localhost"])
    func aNameThatMeansSomethingElseIsNoHost(_ name: String) async {
        let (status, console) = await run(small.replacing("dgx-[01-03]", with: name)) { $0.mode = .dryRun }
        #expect(status == 2 && console.errors.contains("systems.dgx_nodes[0]"), "\(console.errors)")
    }

    @Test func consentThatDoesNotExistIsRefusedBeforeAnything() async {
        let (status, console) = await run(small) { $0.consents = ["slurm-restrat"] }
        #expect(status == 2)
        #expect(console.errors.contains("no consent slurm-restrat; did you mean slurm-restart?"))
        #expect(folder.names == ["config.json"])
    }

    @Test func takingTheMonitorOffAsksWhatBecomesOfTheExporters() async {
        let (status, console) = await run(small) {
            $0.removesMonitor = true
            $0.sections = [10]
        }
        #expect(status == 2)
        #expect(console.errors.contains("--allow remove-exporters") && console.errors.contains("keep-exporters"))
    }

    @Test func sectionThatDoesNotExistIsRefused() async {
        let (status, console) = await run(small) { $0.sections = [4, 77] }
        #expect(status == 2)
        #expect(console.errors.contains("there is no section 77"))
    }
}
