import Testing

@testable import JobstatsDeploy

struct ConsentTests {
    @Test func everyConsentIsKnown() {
        #expect(Consent.problem(with: Set(Consent.all.map(\.name))) == nil)
        #expect(Set(Consent.all.map(\.name)).count == Consent.all.count)
    }

    @Test func unknownNameIsNamedWithTheNearestAndAllOthers() throws {
        let problem = try #require(Consent.problem(with: ["slurm_restart", "foo", "skip-grafana"]))
        #expect(problem.hasPrefix("--allow: there is no consent foo\n"))
        #expect(problem.contains("there is no consent slurm_restart; did you mean slurm-restart?\n"))
        #expect(!problem.contains("no consent skip-grafana"))
        for consent in Consent.all where !consent.name.contains("adopt-") && !consent.name.contains("skip-") {
            #expect(problem.contains(consent.name))
        }
    }

    @Test func hostileNameIsShownWithoutEffectOnTheTerminal() throws {
        let problem = try #require(Consent.problem(with: ["\u{1B}[31m" + String(repeating: "x", count: 300)]))
        #expect(!problem.contains("\u{1B}"))
        #expect(problem.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }

    @Test func theOverviewNamesEachOnLinesThatFitAnOrdinaryTerminal() {
        for line in Consent.overview.split(separator: "\n") { #expect(line.count <= 70, "\(line)") }
        for name in Consent.adoptable + Consent.skippable { #expect(Consent.overview.contains(name)) }
    }

    @Test(arguments: [DeploymentConfiguration.example, .example { $0.usesExistingPrometheus = true }])
    func everyStepNeedsAConsentThatCanBeGiven(_ configuration: DeploymentConfiguration) throws {
        let known = Set(Consent.all.map(\.name))
        for step in try makePlan(configuration).sections.flatMap(\.steps) {
            if let consent = step.consent { #expect(known.contains(consent), "\(step.id)") }
        }
    }

    /// Names are words in the sections' sources: those must be in the list, too.
    @Test func everyNameThatTheSourcesAskForCanBeGiven() async throws {
        let known = Set(Consent.all.map(\.name))
        let asked = try await SourceTree.matches(
            of: #"(adopts|skips)\("[a-z_-]+"\)|--allow [a-z][a-z_-]+[a-z]"#, in: "Sources/JobstatsDeploy")
        #expect(asked.count >= 10)
        for match in asked {
            let name =
                match.hasPrefix("--allow ")
                ? String(match.dropFirst("--allow ".count))
                : match.replacing("adopts(\"", with: "adopt-").replacing("skips(\"", with: "skip-")
                    .replacing("\")", with: "")
            if ["adopt", "skip", "takes"].contains(name) { continue }
            #expect(known.contains(name), "\(match)")
        }
    }
}

extension DeploymentConfiguration {
    fileprivate static var example: DeploymentConfiguration { makeConfiguration() }
    fileprivate static func example(_ change: (inout DeploymentConfiguration) -> Void) -> DeploymentConfiguration {
        makeConfiguration(change)
    }
}
