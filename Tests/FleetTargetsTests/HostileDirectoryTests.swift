import BCMClient
import ServiceManager
import Testing

@testable import FleetTargets

/// What somebody put among the target files to harm who looks at them.
struct HostileDirectoryTests {
    @Test func aTableHasNoLineOfUnboundedLength() async throws {
        let site = try Site(FakeHeadNodes([.head(), .node("dgx-01")]))
        let addresses = (0..<2500).map { "\"host-\($0).example:9100\"" }.joined(separator: ",")
        try site.put("many.json", "[{\"targets\": [\(addresses)], \"labels\": {\"job\": \"x\"}}]")
        let label = String(repeating: "c", count: 60_000)
        let long =
            "[\n  {\"targets\": [\"long:9100\"], \"labels\": {\"cluster\": \"\(label)\", \"hostname\": \"long\", "
            + "\"job\": \"node_exporter\"}}\n]\n"
        try site.put("long.json", long)
        let report = try await site.fleet.list()
        let lines = report.table(showsCurrent: true).split(separator: "\n")
        for line in lines { #expect(line.utf8.count < 1000, "\(line.utf8.count): \(line.prefix(80))") }
        #expect(lines.contains { $0.contains("host-0.example:9100") && $0.contains("2495 more") })
        for file in report.files { #expect(file.reason.utf8.count < 500, "\(file.fileName)") }
    }

    @Test func filesOfNearlyAMegabyteAreNotRead() async throws {
        let site = try Site(FakeHeadNodes([.head(), .node("dgx-01")]))
        try site.monitorsWrite("dgx-01")
        let group = #"{"targets": ["a:1"], "labels": {"b": "c"}}"#
        let content = "[" + Array(repeating: group, count: 20_000).joined(separator: ",") + "]"
        for number in 0..<20 { try site.put("junk-\(number).json", content) }
        let report = try await site.fleet.check()
        #expect(report.files.filter { $0.state == .foreign }.count == 20)
        #expect(report.files.filter { $0.state == .foreign }.allSatisfy { $0.targets.isEmpty })
        #expect(report.files.contains { $0.fileName == "dgx-01.json" && $0.state == .current })
    }

    @Test func moreThanAFleetHasEndsACheckWithTheDirectoryTheNumberAndWhatToDo() async throws {
        let site = try Site(FakeHeadNodes([.head(), .node("dgx-01")]))
        for number in 0...20_000 { try site.put("n-\(number).json", "") }
        let error = await #expect(throws: FleetError.self) { try await site.fleet.check() }
        let text = error?.description ?? ""
        for part in [site.path, "20000", "move"] { #expect(text.contains(part), "\(text)") }
    }

    @Test func unitsBoundTheMemoryOfTheProgram() throws {
        let units = FleetUnits(configurationFile: "/etc/c.json", targetsDirectory: "/t")
        for text in [try units.forPruning()[0].file.rendered, try units.forSyncing().file.rendered] {
            #expect(text.contains("\nMemoryMax=512M\n"))
        }
    }
}
