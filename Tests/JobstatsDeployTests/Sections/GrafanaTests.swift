import CommandExecution
import FoundationEssentials
import Glibc
import Testing

@testable import JobstatsDeploy

@Suite struct GrafanaTests {
    private func grafanaPlan(_ change: (inout DeploymentContext) -> Void = { _ in }) throws -> Plan {
        try makePlan(makeConfiguration { $0.grafanaPort = 13000 }, makeContext(change), sections: [7])
    }

    // MARK: Ownership

    private func facts(
        _ resource: any Resource, file: String? = nil, active: String = "inactive", enablement: String = ""
    ) -> Facts {
        var facts = Facts()
        facts.files[Installed.grafanaDropIn] =
            file == nil
            ? .missing
            : FileFact(kind: .plain, mode: 0o644, owner: "root", group: "root", size: 1, changed: 0, sha256: "other")
        facts.contents[Installed.grafanaDropIn] = file.map { Array($0.utf8) }
        facts.units[Installed.grafanaUnit] = UnitFact(
            load: enablement.isEmpty ? "not-found" : "loaded", active: active, enablement: enablement,
            needsReload: false,
            path: enablement.isEmpty ? "" : "/lib/systemd/system/grafana-server.service", started: nil)
        return facts
    }

    @Test func aGrafanaInUseIsNotTouchedUntilItIsAdopted() throws {
        let dropIn = try #require(try grafanaPlan().step("7.drop-in")?.commonResource)
        for foreign in [
            facts(dropIn, active: "active", enablement: "enabled"), facts(dropIn, enablement: "enabled"),
            facts(dropIn, file: "[Service]\n", active: "active", enablement: "enabled"),
        ] {
            let found = dropIn.assess(foreign)
            #expect(found.state == .blocked)
            for choice in ["use_existing_grafana", "--allow adopt-grafana", "--allow skip-grafana"] {
                #expect(found.remedy?.contains(choice) == true)
            }
        }
        let adopted = try #require(
            try grafanaPlan { $0.consents = ["adopt-grafana"] }.step("7.drop-in")?.commonResource)
        #expect(adopted.assess(facts(dropIn, active: "active", enablement: "enabled")).state == .differs)
        #expect(dropIn.assess(facts(dropIn)).state == .differs)
        #expect(dropIn.assess(facts(dropIn, enablement: "disabled")).state == .differs)
        #expect(
            dropIn.assess(facts(dropIn, file: "# \(Installed.mark)\n", active: "active", enablement: "enabled")).state
                == .differs)
        #expect(dropIn.assess(Facts()).state == .blocked)
    }

    // MARK: The password

    @Test(.enabled(if: getuid() == 0, "needs root"))
    func thePasswordIsMadeOnceAndClosedAgainWhenItWasOpened() async throws {
        let folder = TemporaryFolder()
        let secret = GeneratedSecret("\(folder.path)/a 'b'/$(id)/grafana.env", variable: "GF_SECURITY_ADMIN_PASSWORD")
        #expect(try await settleHere(secret) == .inPlace())
        let path = "a 'b'/$(id)/grafana.env"
        let text = try #require(folder.read(path))
        #expect(try /GF_SECURITY_ADMIN_PASSWORD=[A-Za-z0-9]{32}\n/.wholeMatch(in: text) != nil)
        chmod("\(folder.path)/\(path)", 0o644)
        #expect(secret.assess(try await lookHere(secret)).state == .differs)
        #expect(try await settleHere(secret) == .inPlace())
        #expect(folder.read(path) == text)
        #expect(folder.names == ["a 'b'"])
    }

    @Test func noStepAndNoDocumentHoldsAPassword() throws {
        let plan = try grafanaPlan()
        let document = DeploymentDocument(
            plan: plan, configuration: makeConfiguration(), kind: .dryRun, headNode: "head-a"
        ).markdown
        #expect(!document.contains("GF_SECURITY_ADMIN_PASSWORD=%s\\n' \"admin"))
        for command in try #require(plan.step("7.password")?.commonResource).changes(from: Facts()) {
            #expect(command.input.isEmpty && command.environment.isEmpty)
        }
    }

    // MARK: The package

    @Test func thePackageComesFromAFileOrASourceOrGrafanasRepository() throws {
        let folder = TemporaryFolder()
        folder.write("grafana.deb", "package")
        let bytes = Array("package".utf8)
        let program = DeploymentContext.LocalProgram(
            path: "\(folder.path)/grafana.deb", sha256: SHA256Digest.hex(bytes), size: bytes.count)
        func facts(_ policy: String) -> Facts {
            var facts = Facts()
            facts.packages = ["grafana": String?.none, "grafana-enterprise": String?.none]
            facts.results[Command("uname", ["-m"])] = makeResult("x86_64\n")
            facts.results[Command("apt-cache", ["policy", "grafana"])] = makeResult(policy)
            return facts
        }
        let known = "grafana:\n  Installed: (none)\n  Candidate: 11.2.0\n  Version table:\n"
        let unknown = "grafana:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\n"
        let file = GrafanaPackage([.x86: program])
        #expect(try file.changes(from: facts(known)).map(\.input) == [bytes])
        let other = GrafanaPackage([:])
        #expect(try other.changes(from: facts(known)).map(\.arguments.last) == ["grafana"])
        let repository = try other.changes(from: facts(unknown))
        #expect(repository.count == 2 && repository[0].arguments.contains(GrafanaPackage.fingerprint))
        #expect(try other.changes(from: facts("")).count == 2)
        #expect(other.assess(facts(known)).state == .differs)
        var present = facts(known)
        present.packages["grafana-enterprise"] = "11.2.0"
        #expect(other.assess(present).state == .inPlace)
        #expect(other.assess(Facts()).state == .blocked)
    }

    // MARK: The data source

    private func judge(_ answers: [String: (Int, String)], password: String = "right") async throws -> Assessment {
        let token = Data("admin:right".utf8).base64EncodedString()
        let server = try await StubServer(answers, authorization: "Basic \(token)")
        let folder = TemporaryFolder()
        let secret = folder.write("grafana.env", "GF_SECURITY_ADMIN_PASSWORD=\(password)\n", mode: 0o600)
        let check = GrafanaSourceCheck.resource(port: server.port, secret: secret, source: "jobstats")
        let facts = try await lookHere(check)
        try await server.stop()
        return check.assess(facts)
    }

    @Test func theDataSourceIsTestedByGrafanaItself() async throws {
        let path = "/api/datasources/uid/jobstats/health"
        #expect(
            try await judge([path: (200, #"{"message":"Successfully queried","status":"OK"}"#)])
                == .inPlace("the data source works"))
        let unwell = try await judge([path: (400, #"{"message": "connection refused"}"#)])
        #expect(unwell.isWarning && unwell.detail.contains("HTTP 400") && unwell.detail.contains("connection refused"))
        let denied = try await judge([path: (200, "{}")], password: "wrong")
        #expect(denied.isWarning && denied.detail.contains("does not take the password"))
        #expect(!denied.detail.contains("wrong") && denied.remedy?.contains("wrong") == false)
        let old = try await judge(["/api/datasources": (200, #"[{"uid":"jobstats","name":"jobstats"}]"#)])
        #expect(old.state == .inPlace && !old.isWarning)
        #expect(try await judge(["/api/datasources": (200, "[]")]).state == .blocked)
        let nobody = GrafanaSourceCheck.resource(port: 1, secret: "/dev/null", source: "jobstats")
        #expect(nobody.assess(try await lookHere(nobody)).detail == "Grafana does not answer")
    }

    @Test func healthIsSeenThroughTheInterface() async throws {
        let server = try await StubServer(["/api/health": (200, "{\n  \"database\": \"ok\",\n  \"version\": \"11\"\n}")]
        )
        let wait = HTTPProbe.answer(port: server.port, path: "/api/health", matching: "\"database\": *\"ok\"")
        #expect(try await LocalExecutor().run(wait).succeeded)
        let other = HTTPProbe.answer(port: server.port, path: "/other", matching: "\"database\": *\"ok\"")
        #expect(try await !LocalExecutor().run(other).succeeded)
        try await server.stop()
    }

    // MARK: Files

    @Test func provisioningFilesCarryTheSitesValues() throws {
        let plan = try grafanaPlan()
        func text(_ step: String) -> String {
            plan.step(step)?.commonResource?.instructions.files.first?.text ?? ""
        }
        #expect(text("7.source").contains("    url: \"http://mon-01:9090\"\n"))
        #expect(!text("7.source").contains("isDefault"))
        #expect(text("7.provider").contains("      path: \"\(Installed.grafanaDashboards)\"\n"))
        #expect(text("7.drop-in").contains("Environment=GF_SERVER_HTTP_PORT=13000\n"))
        #expect(text("7.drop-in").contains("EnvironmentFile=/etc/bcm-jobstats/grafana.env\n"))
        #expect(plan.step("7.dashboard.job") != nil && plan.step("7.dashboard.platform") != nil)
    }

    @Test func theDashboardIsJSONWithPanelsThatEveryVersionHas() throws {
        let settings = DashboardSettings(sourceID: "jobstats", cluster: "slurm", nodeExporterPort: 9100)
        let dashboard = try JSONNode.parse(Array(JobDashboard(settings).text.utf8))
        let panels = try #require(dashboard["panels"]?.elements)
        #expect(panels.count == 8)
        #expect(
            panels.allSatisfy { $0["type"]?.string == "timeseries" && $0["datasource"]?["uid"]?.string == "jobstats" })
        let expressions = panels.flatMap { $0["targets"]?.elements ?? [] }.compactMap { $0["expr"]?.string }
        #expect(expressions.allSatisfy { $0.contains("cluster=\"slurm\"") && $0.contains("jobid=\"$JobID\"") })
        #expect(dashboard["templating"]?["list"]?.elements.first?["name"]?.string == "JobID")
    }

    @Test(.enabled(if: access("/usr/bin/promtool", X_OK) == 0, "promtool is not installed"))
    func prometheusUnderstandsTheDashboardsQueries() async throws {
        let settings = DashboardSettings(sourceID: "jobstats", cluster: "slurm", nodeExporterPort: 9100)
        let dashboard = try JSONNode.parse(Array(JobDashboard(settings).text.utf8))
        let expressions = (dashboard["panels"]?.elements ?? []).flatMap { $0["targets"]?.elements ?? [] }
            .compactMap { $0["expr"]?.string }
        var rules = "groups:\n- name: dashboard\n  rules:\n"
        for (index, expression) in expressions.enumerated() {
            let text = String(decoding: JSONNode.text(expression).encoded(), as: UTF8.self).trimmed
            rules += "  - record: dashboard:query\(index)\n    expr: \(text)\n"
        }
        let folder = TemporaryFolder()
        let result = try await LocalExecutor().run(
            Command("/usr/bin/promtool", ["check", "rules", folder.write("rules.yml", rules)]))
        #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
    }

    private let exported = """
        {"__inputs": [{"name": "DS_LOCAL PROM", "type": "datasource", "pluginId": "prometheus"}],
         "__requires": [{"type": "panel", "id": "graph"}], "id": 7, "uid": "abc", "title": "T",
         "annotations": {"list": [{"datasource": "-- Grafana --", "type": "dashboard"}]},
         "templating": {"list": [{"type": "query", "datasource": "${DS_LOCAL PROM}", "query": "x{a=\\"b\\"}"}]},
         "panels": [
          {"type": "row", "collapsed": true, "datasource": "${DS_LOCAL PROM}", "panels": [
            {"type": "graph", "title": "in", "datasource": null, "gridPos": {"h": 8, "w": 12, "x": 0, "y": 1},
             "stack": true, "yaxes": [{"format": "percent", "min": "0", "max": "100"}, {}],
             "targets": [{"expr": "node_load1{instance=\\"$node:9100\\"}", "refId": "A"}]}]},
          {"type": "graph", "title": "out", "datasource": "${DS_LOCAL PROM}", "repeat": "node",
           "yaxes": [{"format": "bytes", "min": null, "max": "1.5"}], "targets": [{"expr": "up", "refId": "A"}]},
          {"type": "stat", "datasource": "other", "targets": []}]}
        """

    @Test func anExportedDashboardIsMadeReady() throws {
        let settings = DashboardSettings(sourceID: "jobstats", cluster: "slurm", nodeExporterPort: 19100)
        let text = try #require(ImportedDashboard(settings).text(of: Array(exported.utf8)))
        #expect(!text.contains("DS_LOCAL") && !text.contains("__"))
        let dashboard = try JSONNode.parse(Array(text.utf8))
        #expect(dashboard["uid"]?.string == "abc")
        if case .null? = dashboard["id"]?.value {} else { Issue.record("the id is kept") }
        #expect(dashboard["annotations"]?["list"]?.elements[0]["datasource"]?.string == "-- Grafana --")
        #expect(dashboard["templating"]?["list"]?.elements[0]["datasource"]?["uid"]?.string == "jobstats")
        let panels = try #require(dashboard["panels"]?.elements)
        let inner = try #require(panels[0]["panels"]?.elements.first)
        #expect(inner["type"]?.string == "timeseries" && inner["datasource"]?["uid"]?.string == "jobstats")
        #expect(inner["targets"]?.elements[0]["expr"]?.string == "node_load1{instance=\"$node:19100\"}")
        let defaults = inner["fieldConfig"]?["defaults"]
        #expect(defaults?["unit"]?.string == "percent" && defaults?["min"] != nil && defaults?["max"] != nil)
        #expect(defaults?["custom"]?["stacking"]?["mode"]?.string == "normal")
        #expect(panels[1]["repeat"]?.string == "node" && panels[1]["fieldConfig"]?["defaults"]?["max"] == nil)
        #expect(panels[2]["type"]?.string == "stat" && panels[2]["datasource"]?.string == "other")
        #expect(ImportedDashboard(settings).text(of: Array("[]".utf8)) == nil)
        #expect(ImportedDashboard(settings).text(of: Array("{".utf8)) == nil)
    }
}
