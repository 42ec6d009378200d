import Testing

@testable import JobstatsDeploy

struct ConfigurationDraftTests {
    private let present = """
        {
          "// note": "ours, since 2019",
          "cluster_name": "alpha",
          "systems": {
            "dgx_nodes": ["dgx-[01-16]"],
            "spare": ["x"],
            "slurm_controller": []
          },
          "local": {"deep": [1, 2.5e3, null, "\\u00e9"]}
        }

        """

    private func draft() throws -> ConfigurationDraft { try ConfigurationDraft(Array(present.utf8)) }

    private func text(_ draft: ConfigurationDraft) -> String { String(decoding: draft.encoded, as: UTF8.self) }

    @Test func unknownKeysAndTheOrderOfAllStay() throws {
        var draft = try draft()
        draft["cluster_name"] = JSONNode(.string("beta"))
        draft["systems.slurm_controller"] = .strings(["ctl-01"])
        draft["prometheus_port"] = JSONNode(.number("9091"))
        let text = text(draft)
        let keys = ["// note", "cluster_name", "prometheus_port", "dgx_nodes", "spare", "slurm_controller", "local"]
        let places = keys.compactMap { text.firstRange(of: "\"\($0)\"")?.lowerBound }
        #expect(places.count == keys.count && places == places.sorted())
        #expect(text.contains("\"cluster_name\": \"beta\"") && text.contains("2.5e3"))
    }

    @Test func fileOfTheTemplateIsWrittenAsItWas() throws {
        let template = """
            {
              "cluster_name": "slurm",
              "prometheus_port": 9090,
              "systems": {
                "slurm_controller": ["slurm-controller-01", "slurm-controller-02"],
                "login_nodes": ["login-[01-02]"],
                "dgx_nodes": []
              }
            }

            """
        #expect(text(try ConfigurationDraft(Array(template.utf8))) == template)
    }

    @Test func settingASettingToWhatItIsChangesNothing() throws {
        var draft = try draft()
        let before = text(draft)
        draft["cluster_name"] = JSONNode(.string("alpha"))
        draft["systems.dgx_nodes"] = .strings(["dgx-[01-16]"])
        #expect(text(draft) == before)
    }

    @Test func noneTakesAKeyAway() throws {
        var draft = try draft()
        draft["cluster_name"] = nil
        #expect(draft["cluster_name"] == nil && !text(draft).contains("cluster_name"))
    }

    @Test(arguments: [
        ("", "empty"), ("[1]", "not a JSON object"), ("{\"a\": 1, \"a\": 2}", "twice"), ("{\"a\": }", "line 1"),
        ("{\"systems\": {\"dgx_nodes\": [], \"dgx_nodes\": []}}", "twice"),
    ]) func fileThatWouldLoseSomethingIsRefused(_ text: String, _ reason: String) {
        let error = #expect(throws: ConfigurationDraft.Unusable.self) { try ConfigurationDraft(Array(text.utf8)) }
        #expect(error?.description.contains(reason) == true)
    }

    @Test func issuesAreThoseOfTheOneKey() throws {
        var draft = try draft()
        draft["systems.dgx_nodes"] = .strings(["dgx-01", "dgx 02;x"])
        draft["prometheus_port"] = JSONNode(.number("99999"))
        #expect(draft.issues(about: "systems.dgx_nodes").map(\.keyPath) == ["systems.dgx_nodes[1]"])
        #expect(draft.issues(about: "prometheus_port").count == 1)
        #expect(draft.issues(about: "cluster_name").isEmpty)
    }
}
