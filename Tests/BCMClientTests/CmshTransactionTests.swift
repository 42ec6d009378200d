import CommandExecution
import Testing

@testable import BCMClient

/// A cmsh that answers from a table of scripts; everything else is an error.
private func makeCmsh(_ answers: [String: String], errors: [String: String] = [:]) -> (Cmsh, RecordingExecutor) {
    let executor = RecordingExecutor { command throws(CommandError) in
        let script = command.arguments.last ?? ""
        let known = errors[script] ?? (answers[script] == nil ? "Error: unexpected" : "")
        return CommandResult(
            status: .exited(0), standardOutput: Array((answers[script] ?? "").utf8), standardError: Array(known.utf8))
    }
    return (Cmsh(executor: executor), executor)
}

struct CmshTransactionTests {
    private static func transaction() -> CmshTransaction {
        var transaction = CmshTransaction()
        transaction.set("category", to: "dgx", of: .device("dgx-01"))
        transaction.assign("slurmclient", to: .node("dgx-01"))
        transaction.set("mac", to: "FA:16:3E:00:00:01", of: .device("dgx-01"))
        transaction.append("dgx-01", to: "nodes", of: .overlay("slurm client"))
        return transaction
    }
    private static let script =
        "device; use dgx-01; set category dgx; roles; assign slurmclient; device; use dgx-01; "
        + "set mac FA:16:3E:00:00:01; commit; configurationoverlay; use \"slurm client\"; append nodes dgx-01; commit"
    private static let shown = [
        "device; use dgx-01; get category": "dgx\n", "device; use dgx-01; get mac": "FA:16:3E:00:00:01\n",
        "device; use dgx-01; roles; list -p -d {}": #"[{"Name (key)": "[750] slurmclient"}]"#,
        "configurationoverlay; use \"slurm client\"; get nodes": "dgx-07\ndgx-01\n",
    ]

    @Test func everyObjectIsCommittedAndEveryChangeReadBack() async throws {
        let (cmsh, executor) = makeCmsh(Self.shown.merging([Self.script: ""]) { $1 })
        try await cmsh.commit(Self.transaction())
        #expect(executor.commands.count == 5)
        let (silent, none) = makeCmsh([:])
        try await silent.commit(CmshTransaction())
        #expect(none.commands.isEmpty)
    }

    @Test func aFailureSaysWhatWasCommittedAndWhatWasNot() async throws {
        var shown = Self.shown
        shown["configurationoverlay; use \"slurm client\"; get nodes"] = "dgx-07\n"
        shown["device; use dgx-01; get mac"] = nil
        let (cmsh, _) = makeCmsh(shown, errors: [Self.script: "Error: Overlay is locked"])
        let error = await #expect(throws: CmshTransactionError.self) { try await cmsh.commit(Self.transaction()) }
        #expect(error?.cause.code == .refused)
        #expect(
            error?.committed.map { "\($0)" } == [
                "device dgx-01: set category dgx", "device dgx-01: assign slurmclient",
            ])
        #expect(error?.uncommitted.map { "\($0)" } == ["configuration overlay slurm client: append nodes dgx-01"])
        #expect(error?.unknown.map { "\($0)" } == ["device dgx-01: set mac FA:16:3E:00:00:01"])
        let text = error.map { "\($0)" } ?? ""
        #expect(
            text.contains("Overlay is locked | not committed: configuration overlay slurm client: append nodes dgx-01"))
        #expect(
            text.contains(" | committed: ") && text.hasSuffix(" | unknown: device dgx-01: set mac FA:16:3E:00:00:01"))
    }

    @Test func aChangeThatCannotBeSeenAfterwardsIsAFailure() async throws {
        let (cmsh, _) = makeCmsh([
            "device; use dgx-01; set category dgx; commit": "", "device; use dgx-01; get category": "default\n",
        ])
        let error = await failure { try await cmsh.set("category", to: "dgx", of: .device("dgx-01")) }
        #expect(error?.code == .refused)
        #expect(error?.reason.contains("device dgx-01: set category dgx") == true)
    }

    @Test func valuesThatCmshCannotBeGivenAreRefusedBeforeItRuns() async throws {
        let (cmsh, executor) = makeCmsh([:])
        for value in ["a;b", "a\"b", "`a`"] {
            let error = await failure { try await cmsh.set("category", to: value, of: .device("dgx-01")) }
            #expect(error?.code == .invalidConfiguration)
        }
        for object in [CmshObject.device("-t"), .device(""), .device("a;quit"), .profile("a").submode("-x")] {
            #expect(await failure { try await cmsh.set("a", to: "b", of: object) }?.code == .invalidConfiguration)
            #expect(await failure { _ = try await cmsh.value(of: "a", of: object) }?.code == .invalidConfiguration)
        }
        #expect(executor.commands.isEmpty)
    }

    @Test func ofTwoChangesOfOnePropertyTheLastCounts() async throws {
        var transaction = CmshTransaction()
        transaction.set("a", to: "1", of: .category("dgx"))
        transaction.set("a", to: "2", of: .category("dgx"))
        let (cmsh, _) = makeCmsh([
            "category; use dgx; set a 1; set a 2; commit": "", "category; use dgx; get a": "2\n",
        ])
        try await cmsh.commit(transaction)
    }

    @Test func selectionsOfDevicesAreChangedTogether() async throws {
        let list = "device; list -n dgx-01..dgx-02,dgx-07 -t physicalnode -f hostname,softwareimage -d {}"
        let (cmsh, executor) = makeCmsh([
            "device; foreach -n dgx-01..dgx-02,dgx-07 -t physicalnode (set softwareimage \"new image\"); commit": "",
            list: #"[{"hostname (key)": "dgx-01", "Software image": "new image"}]"#,
        ])
        let selection = try Cmsh.Selection.nodes(NodeRange("dgx-01..dgx-02,dgx-07")).and(.physicalNodes)
        let values = try await cmsh.set("softwareimage", to: "new image", ofEach: selection)
        #expect(values == ["dgx-01": "new image"])
        #expect(executor.commands.count == 3)
        let all = await failure { try await cmsh.set("softwareimage", to: "x", ofEach: .all) }
        #expect(all?.code == .invalidConfiguration)
        let other = await failure { try await cmsh.set("softwareimage", to: "other;x", ofEach: selection) }
        #expect(other?.code == .invalidConfiguration)
        #expect(executor.commands.count == 3)
    }

    @Test func tablesKeepTheirHeadings() throws {
        let table = try #require(
            CmshTable(#"[{"Name (key)": "a", "Nodes": ["x", 1, null], "Big": 12345678901234567890, "Flag": true}]"#))
        #expect(table.headings == ["name", "nodes", "big", "flag"])
        #expect(table.rows == [["name": "a", "nodes": "x,1,", "big": "12345678901234567890", "flag": "yes"]])
        #expect(CmshTable("[1]") == nil)
        #expect(CmshTable(#"{"a": 1}"#) == nil)
    }

    @Test func imagesAreGrabbedDryUnlessToldOtherwise() async throws {
        let (cmsh, executor) = makeCmsh([
            "device; use dgx-01; grabimage -i dgx-new": "dry\n", "device; use dgx-01; grabimage -i dgx-new -w": "wet\n",
            "device; imageupdate -n dgx-01..dgx-04": "dry\n", "device; imageupdate -n dgx-01..dgx-04 -w": "wet\n",
        ])
        #expect(try await cmsh.grabImage(of: "dgx-01", into: "dgx-new", isDryRun: true) == "dry\n")
        #expect(try await cmsh.grabImage(of: "dgx-01", into: "dgx-new", isDryRun: false) == "wet\n")
        let nodes = try NodeRange("dgx-01..dgx-04")
        #expect(try await cmsh.updateFromImage(nodes, isDryRun: true) == "dry\n")
        #expect(try await cmsh.updateFromImage(nodes, isDryRun: false) == "wet\n")
        #expect(executor.commands.count == 4)
    }
}
