import Testing

@testable import JobstatsDeploy

/// What somebody else installed is never taken over without consent.
@Suite struct OwnershipTests {
    private func unitFile(consents: Set<String> = []) throws -> any Resource {
        try #require(
            try makePlan(makeConfiguration(), makeContext { $0.consents = consents }, sections: [4])
                .step("4.unit-file")?.commonResource)
    }

    private let path = "/etc/systemd/system/node_exporter.service"

    private func facts(content: String?, unitPath: String = "", active: String = "inactive", _ enablement: String = "")
        -> Facts
    {
        var facts = Facts()
        facts.files[path] =
            content == nil
            ? .missing
            : FileFact(
                kind: .plain, mode: 0o644, owner: "root", group: "root", size: 1, changed: 0, sha256: "other")
        facts.contents[path] = content.map { Array($0.utf8) }
        facts.units["node_exporter.service"] = UnitFact(
            load: unitPath.isEmpty ? "not-found" : "loaded", active: active, enablement: enablement, needsReload: false,
            path: unitPath, started: nil)
        return facts
    }

    @Test func aForeignUnitFileBlocksUntilItIsAdopted() throws {
        let foreign = facts(content: "[Service]\nExecStart=/opt/node_exporter\n", unitPath: path)
        let assessment = try unitFile().assess(foreign)
        #expect(assessment.state == .blocked)
        #expect(assessment.detail == "\(path) was not installed by this deployment")
        #expect(assessment.remedy?.contains("--allow adopt-node_exporter") == true)
        #expect(try unitFile(consents: ["adopt-node_exporter"]).assess(foreign).state == .differs)
    }

    @Test func aFileOfOursIsReplaced() throws {
        let ours = facts(content: "# \(Installed.mark)\n[Service]\n", unitPath: path)
        #expect(try unitFile().assess(ours).state == .differs)
        #expect(try unitFile().assess(facts(content: nil)).state == .differs)
    }

    @Test func aDistributionsUnitOfTheSameNameBlocksWhileItIsInUse() throws {
        let library = "/lib/systemd/system/node_exporter.service"
        #expect(try unitFile().assess(facts(content: nil, unitPath: library, active: "active")).state == .blocked)
        #expect(
            try unitFile().assess(facts(content: nil, unitPath: library, "enabled")).state == .blocked)
        #expect(
            try unitFile().assess(facts(content: nil, unitPath: library, "disabled")).state == .differs)
    }

    @Test func aForeignPrometheusConfigurationBlocks() throws {
        let file = try #require(try makePlan(sections: [6]).step("6.configuration")?.commonResource)
        var facts = Facts()
        facts.files[Installed.prometheusConfiguration] = FileFact(
            kind: .plain, mode: 0o644, owner: "root", group: "root", size: 1, changed: 0, sha256: "other")
        facts.contents[Installed.prometheusConfiguration] = Array("global: {}\n".utf8)
        #expect(file.assess(facts).state == .blocked)
        facts.contents[Installed.prometheusConfiguration] = Array("# \(Installed.mark)\n".utf8)
        #expect(file.assess(facts).state == .differs)
    }

    @Test func aProgramIsChosenByArchitecture() throws {
        let program = try #require(try makePlan(sections: [4]).step("4.program")?.commonResource)
        let architecture = try #require(
            program.queries.compactMap { if case .command(let command) = $0 { command } else { nil } }.first)
        var facts = Facts()
        facts.files["/usr/local/bin/node_exporter"] = .missing
        #expect(program.assess(facts).state == .blocked)
        facts.results[architecture] = makeResult("x86_64\n")
        #expect(program.assess(facts).state == .differs)
        facts.results[architecture] = makeResult("aarch64\n")
        #expect(program.assess(facts).detail == "there is no node_exporter for aarch64")
    }
}
