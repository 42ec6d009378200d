import CommandExecution
import FoundationEssentials
import Glibc
import Testing

@testable import JobstatsDeploy

/// The scripts that Slurm runs, as real programs in a root of their own, with stand-ins for what they call.
private final class ScriptRoot: Sendable {
    let folder = TemporaryFolder()

    init() {
        mkdir("\(folder.path)/run", 0o755)
        mkdir("\(folder.path)/bin", 0o755)
        folder.write("prolog", SlurmScript.prolog, mode: 0o755)
        folder.write("epilog", SlurmScript.epilog, mode: 0o755)
        folder.write("controller", SlurmScript.controllerEpilog, mode: 0o755)
        standIn("logger", "printf '%s\\n' \"$*\" >>'\(folder.path)/log'")
    }

    func standIn(_ name: String, _ body: String) {
        folder.write("bin/\(name)", "#!/bin/bash\n\(body)\n", mode: 0o755)
    }

    /// nvidia-smi for eight whole GPUs.
    func standInForEightGPUs() {
        standIn("nvidia-smi", "for i in {0..7}; do echo \"$i, GPU-0000000$i-1111-2222-3333-444455556666\"; done")
    }

    /// Runs a script with next to no environment, as Slurm does.
    func run(_ script: String, _ environment: [String: String]) async throws -> CommandResult {
        let variables = environment.merging(["JOBSTATS_TEST_ROOT": folder.path]) { $1 }.map { "\($0)=\($1)" }
        return try await LocalExecutor().run(
            Command("/usr/bin/env", ["-i"] + variables.sorted() + ["\(folder.path)/\(script)"], timeout: .seconds(60)))
    }

    func prolog(_ devices: String, job: String = "77", user: String = "1000") async throws -> CommandResult {
        try await run("prolog", ["SLURM_JOB_ID": job, "SLURM_JOB_UID": user, "CUDA_VISIBLE_DEVICES": devices])
    }

    var notes: [String: String] {
        let folder = "\(folder.path)/run/gpustat"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return Dictionary(
            names.map { name in
                (
                    name,
                    (try? Data(contentsOf: URL(filePath: "\(folder)/\(name)"))).map {
                        String(decoding: $0, as: UTF8.self)
                    } ?? ""
                )
            }
        ) { $1 }
    }

    var log: [String] { (folder.read("log") ?? "").split(separator: "\n").map { String($0) } }

    func mode(_ name: String) -> mode_t {
        var found = stat()
        lstat("\(folder.path)/\(name)", &found)
        return found.st_mode & 0o7777
    }
}

@Suite struct PrologTests {
    private let root = ScriptRoot()

    private func isSilent(_ result: CommandResult) -> Bool {
        result.succeeded && result.standardOutput.isEmpty && result.standardError.isEmpty
    }

    @Test func eachGPUIsNotedByIndexAndIdentifier() async throws {
        root.standInForEightGPUs()
        let result = try await root.run(
            "prolog",
            ["SLURM_JOB_ID": "77", "SLURM_JOB_UID": "1000", "GPU_DEVICE_ORDINAL": "0,3", "CUDA_VISIBLE_DEVICES": "0,3"])
        #expect(isSilent(result))
        let expected = ["0", "3"] + ["0", "3"].map { "GPU-0000000\($0)-1111-2222-3333-444455556666" }
        #expect(root.notes == Dictionary(expected.map { ($0, "77 1000\n") }) { $1 })
        #expect(root.mode("run/gpustat") == 0o755)
        #expect(expected.allSatisfy { root.mode("run/gpustat/\($0)") == 0o644 })
        #expect(root.log.isEmpty)
    }

    @Test func slicesOfGPUsAreUsedAsTheyAre() async throws {
        root.standIn("nvidia-smi", "touch '\(root.folder.path)/called'")
        let slice = "MIG-265a219d-a49f-578a-825d-222c72699c16"
        #expect(isSilent(try await root.prolog("\(slice),GPU-aaaa")))
        #expect(root.notes == [slice: "77 1000\n", "GPU-aaaa": "77 1000\n"])
        #expect(!root.folder.names.contains("called"))
    }

    @Test(arguments: [
        ("fails", "exit 9"), ("says rubbish", "head -c 4096 /dev/urandom"), ("says nothing", "true"),
        ("names others", "echo '5, GPU-5'; echo '6, ../../../etc/x'; echo '0, ../../x'; echo '0, '"),
    ])
    func aBadDriverLeavesTheIndices(_ name: String, _ body: String) async throws {
        root.standIn("nvidia-smi", body)
        #expect(isSilent(try await root.prolog("0")))
        #expect(root.notes == ["0": "77 1000\n"])
        #expect(root.log.count == 1)
        #expect(root.log.first?.contains("known by their indices alone") == true)
    }

    @Test func aDriverThatHangsIsNotWaitedFor() async throws {
        root.standIn("nvidia-smi", "trap '' TERM; exec sleep 300")
        // The stand-in sleeps for longer than this test waits.
        #expect(isSilent(try await root.prolog("1")))
        #expect(root.notes == ["1": "77 1000\n"])
    }

    @Test(arguments: [
        "", ",", ",,,", "NoDevFiles", "../../etc/passwd", "/etc/passwd", "..", ".", "-1", "01", "1e3", "99999",
        "GPU-../x",
        "MIG-a/b/c", "GPU-", "$(touch x)", "`touch x`", "a b", "*", "\u{0661}",
        "GPU-" + String(repeating: "a", count: 300),
    ])
    func whatIsNoDeviceMakesNoFile(_ devices: String) async throws {
        root.standInForEightGPUs()
        #expect(isSilent(try await root.prolog(devices)))
        #expect(root.notes.isEmpty)
        #expect(root.folder.names == ["bin", "controller", "epilog", "prolog", "run"])
    }

    @Test func goodEntriesAmongBadOnesCount() async throws {
        root.standInForEightGPUs()
        #expect(isSilent(try await root.prolog("../../x, 2 ,\n3,;rm -rf /,MIG-a/1/2,2")))
        #expect(root.notes.keys.sorted().filter { $0.count == 1 } == ["2", "3"])
        #expect(root.notes.count == 4)
    }

    @Test func tenThousandEntriesAreCutShort() async throws {
        root.standInForEightGPUs()
        #expect(isSilent(try await root.prolog((0..<10_000).map { String($0) }.joined(separator: ","))))
        // The first of the 256 entries is the empty GPU_DEVICE_ORDINAL.
        #expect(root.notes.count == 255 + 8)
    }

    @Test(arguments: ["", "abc", "1 2", "-1", "../x", "1;id", "99999999999999999999", "1\n2"])
    func aBadJobOrUserIsNotNoted(_ word: String) async throws {
        root.standInForEightGPUs()
        #expect(isSilent(try await root.prolog("0", job: word)))
        #expect(isSilent(try await root.prolog("0", user: word)))
        #expect(root.notes.isEmpty)
        #expect(root.log.count >= 2)
    }

    @Test func aPlaceThatCannotBeWrittenDrainsNoNode() async throws {
        root.standInForEightGPUs()
        root.folder.write("run/gpustat", "a file")
        #expect(isSilent(try await root.prolog("0")))
        #expect(root.folder.read("run/gpustat") == "a file")
        #expect(root.log.count == 1)
    }

    @Test func theNextJobTakesTheGPUOver() async throws {
        root.standInForEightGPUs()
        #expect(isSilent(try await root.prolog("0", job: "1")))
        #expect(isSilent(try await root.prolog("0", job: "2")))
        #expect(Set(root.notes.values) == ["2 1000\n"])
    }

    @Test func manyJobsAtOnceDoNotHinderEachOther() async throws {
        root.standInForEightGPUs()
        await withTaskGroup(of: Bool.self) { group in
            for gpu in 0..<8 {
                group.addTask { (try? await root.prolog("\(gpu)", job: "\(100 + gpu)"))?.succeeded == true }
            }
            for await isGood in group { #expect(isGood) }
        }
        #expect((0..<8).allSatisfy { root.notes["\($0)"] == "\(100 + $0) 1000\n" })
        #expect(root.notes.count == 16)
    }

    // MARK: The epilog

    @Test func theEpilogTakesAwayWhatIsItsJobsAlone() async throws {
        root.standInForEightGPUs()
        #expect(isSilent(try await root.prolog("0,1", job: "1")))
        #expect(isSilent(try await root.prolog("2", job: "12")))
        root.standIn("nvidia-smi", "exec sleep 300")
        root.folder.write("run/gpustat/rubbish", "\u{0}\u{1} $(touch x)\n")
        root.folder.write("run/gpustat/empty", "")
        #expect(isSilent(try await root.run("epilog", ["SLURM_JOB_ID": "1", "CUDA_VISIBLE_DEVICES": "2"])))
        #expect(root.notes.keys.sorted() == ["2", "GPU-00000002-1111-2222-3333-444455556666", "empty", "rubbish"])
    }

    @Test(arguments: ["", "*", "../x", "1 2", "0x1", "1\n"]) func anEpilogWithoutAJobDoesNothing(_ job: String)
        async throws
    {
        root.standInForEightGPUs()
        #expect(isSilent(try await root.prolog("0", job: "1")))
        #expect(isSilent(try await root.run("epilog", ["SLURM_JOB_ID": job])))
        #expect(root.notes.count == 2)
    }

    @Test func anEpilogWithoutNotesDoesNothing() async throws {
        #expect(isSilent(try await root.run("epilog", ["SLURM_JOB_ID": "1"])))
    }
}

@Suite struct ControllerEpilogTests {
    private let root = ScriptRoot()
    private let summary = "H4sIAAAAAAAC/6tWKkktLlGyUlAqSy0qzszPAwCu5A6zEgAAAA=="

    private func run(_ environment: [String: String] = [:]) async throws {
        let result = try await root.run("controller", ["SLURM_JOB_ID": "77"].merging(environment) { $1 })
        #expect(result.succeeded && result.standardOutput.isEmpty && result.standardError.isEmpty)
    }

    /// Stand-ins that record how they were called, an argument each line.
    private func standIns(jobstats: String, sacctmgr: String = "true") {
        for (name, body) in [("jobstats", jobstats), ("sacctmgr", sacctmgr)] {
            root.standIn(name, "printf '%s\\n' \(name) \"$@\" >>'\(root.folder.path)/calls'\n\(body)")
        }
    }

    private var calls: String { (root.folder.read("calls") ?? "").replacing("\n", with: " ") }

    @Test(arguments: ["Short", "None", "H4sIAAAAAAAC/6tWKkktLlGyUlAqSy0qzszPAwCu5A6zEgAAAA=="])
    func theSummaryGoesIntoTheJobsComment(_ summary: String) async throws {
        standIns(jobstats: "echo '\(summary)'")
        try await run()
        #expect(calls == "jobstats -f -b 77 sacctmgr -i update job where jobid=77 set AdminComment=JS1:\(summary) ")
        #expect(root.log.count == 1)
        #expect(root.log.first?.hasPrefix("-t slurmctldepilog -p daemon.debug") == true)
    }

    @Test func anArraysLastTaskIsNamedByItsIndex() async throws {
        standIns(jobstats: "echo None")
        try await run(["SLURM_ARRAY_JOB_ID": "77", "SLURM_ARRAY_TASK_ID": "5"])
        #expect(calls.contains(" jobid=77_5 "))
        try await run(["SLURM_ARRAY_JOB_ID": "70", "SLURM_ARRAY_TASK_ID": "6"])
        #expect(calls.contains(" jobid=77 "))
        try await run(["SLURM_ARRAY_JOB_ID": "77", "SLURM_ARRAY_TASK_ID": "5 set x=y"])
        #expect(!calls.contains("x=y"))
    }

    @Test func warningsOfPythonDoNotHideTheSummary() async throws {
        standIns(jobstats: "echo 'x.py:1: DeprecationWarning: old' >&2; echo '\(summary)'; echo '  warn()' >&2")
        try await run()
        #expect(calls.contains("AdminComment=JS1:\(summary) "))
    }

    @Test func slurmdbdThatIsLateGetsASecondChance() async throws {
        standIns(
            jobstats:
                "[ -e '\(root.folder.path)/again' ] || { touch '\(root.folder.path)/again'; echo 'no such job'; exit 1; }; echo None"
        )
        try await run()
        #expect(calls.contains("AdminComment=JS1:None"))
        #expect(root.log.count == 1)
    }

    @Test(arguments: [
        ("exit 3", "jobstats failed with status 3"),
        ("echo 'no data found'", "jobstats gave no summary: no data found"),
        ("echo 'H4s$(id)'", "jobstats gave no summary"), ("echo 'Shortly'", "jobstats gave no summary"),
        ("head -c 70000 /dev/zero | tr '\\0' a", "jobstats gave no summary"), ("true", "jobstats gave no summary"),
    ])
    func whatIsNoSummaryIsLoggedOnceAndNotStored(_ body: String, _ words: String) async throws {
        standIns(jobstats: body)
        try await run()
        #expect(!calls.contains("sacctmgr"))
        #expect(root.log.count == 1)
        #expect(root.log.first?.contains("daemon.warning -- job 77: \(words)") == true)
        #expect((root.log.first?.utf8.count ?? 0) < 400)
    }

    @Test func aStoreThatFailsIsLogged() async throws {
        standIns(jobstats: "echo None", sacctmgr: "echo 'sacctmgr: error: refused'; exit 1")
        try await run()
        #expect(root.log.first?.hasSuffix("could not be stored, status 1: sacctmgr: error: refused") == true)
    }

    @Test func anExternalDatabaseGetsTheSummaryInstead() async throws {
        standIns(jobstats: "echo None")
        for part in ["usr", "usr/local", "usr/local/bin"] { mkdir("\(root.folder.path)/\(part)", 0o755) }
        root.folder.write(
            "usr/local/bin/store_jobstats.py",
            "#!/bin/bash\nprintf '%s\\n' store \"$@\" >>'\(root.folder.path)/calls'\n", mode: 0o755)
        try await run(["SLURM_CLUSTER_NAME": "a b;c"])
        #expect(calls == "jobstats -f -b 77 store --cluster=a b;c --jobid=77 --stats=JS1:None ")
    }

    @Test(arguments: ["", "abc", "1 2", "-f", "1;id", "0"]) func aBadJobIsNotLookedUp(_ job: String) async throws {
        standIns(jobstats: "echo None")
        try await run(["SLURM_JOB_ID": job])
        #expect(calls.isEmpty)
        #expect(root.log.count == 1)
    }

    @Test func withoutJobstatsNothingBreaks() async throws {
        root.standIn("sacctmgr", "touch '\(root.folder.path)/stored'")
        root.standIn("sleep", "echo \"$1\" >>'\(root.folder.path)/slept'")
        try await run()
        #expect(root.log.count == 1)
        #expect(root.log.first?.contains("there is no jobstats in ") == true)
        #expect(root.folder.read("slept") == "0\n", "it is not tried again")
        #expect(!root.folder.names.contains("stored"))
    }
}
