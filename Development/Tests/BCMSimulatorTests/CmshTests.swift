import ClusterModel
import ClusterTestSupport
import FoundationEssentials
import Glibc
import Testing

@Suite struct CmshTests {
    @Test func devicesAreListedAsJSONWithAKeyColumn() async throws {
        try await TestCluster.with { cluster in
            let answer = try cluster.cmsh("device; list -n dgx-01 -f hostname,ip,status -d {}")
            #expect(answer.errors.isEmpty)
            #expect(
                answer.output == """
                    [
                      {
                        "hostname (key)": "dgx-01",
                        "ip": "10.141.0.1",
                        "status": "[   UP   ]"
                      }
                    ]

                    """)
        }
    }

    @Test func olderVersionsKnowOnlyThePaddedTable() async throws {
        try await TestCluster.with { cluster in
            try cluster.set("json-tables", "off")
            let answer = try cluster.cmsh("device; list -n dgx-01 -f hostname,ip -d {}")
            #expect(
                answer.output == """
                    hostname (key) ip        
                    -------------- ----------
                    dgx-01         10.141.0.1

                    """)
            try cluster.set("json-tables", "error")
            #expect(try cluster.cmsh("device; list -d {}").errors == ["Error: invalid delimiter: {}"])
        }
    }

    @Test(arguments: [
        ("-t headnode", ["head-a", "head-b"]), ("-t physicalnode", ["dgx-01", "dgx-02", "dgx-03"]),
        ("-n dgx-01..dgx-02", ["dgx-01", "dgx-02"]), ("-n dgx-03,head-b", ["head-b", "dgx-03"]),
        ("-c default", ["dgx-01", "dgx-02", "dgx-03"]), ("-l slurmclient", ["dgx-01", "dgx-03"]),
        ("-e slurm-client", ["dgx-03"]), ("-t physicalnode -l slurmserver", []),
    ])
    func selectorsChooseDevices(selector: String, names: [String]) async throws {
        try await TestCluster.with { cluster in
            _ = try cluster.cmsh("device use dgx-01; roles; assign slurmclient; commit")
            _ = try cluster.cmsh("configurationoverlay; use slurm-client; append nodes dgx-03; commit")
            let answer = try cluster.cmsh("device; list \(selector) -f hostname -d ,")
            #expect(answer.output.split(separator: "\n").dropFirst().map(String.init) == names)
            #expect(answer.errors.isEmpty)
        }
    }

    @Test func changesWithoutCommitAreLostWithAWarning() async throws {
        try await TestCluster.with { cluster in
            let answer = try cluster.cmsh("device use dgx-01; roles; assign slurmclient; list")
            #expect(answer.output.contains("slurmclient"))
            #expect(answer.errors == ["Warning: 1 uncommitted change(s) are discarded"])
            let later = try cluster.cmsh("device use dgx-01; roles; list").output
            #expect(!later.contains("slurmclient"))
        }
    }

    @Test func rolesShowTheirOriginAndTheHighestPriorityWins() async throws {
        try await TestCluster.with { cluster in
            func rows() throws -> [String] {
                try cluster.cmsh("device use dgx-01; roles; list -p").output.split(separator: "\n").dropFirst(2)
                    .map { String($0.reversed().drop { $0 == " " }.reversed()) }
            }
            #expect(try rows() == [])
            _ = try cluster.cmsh("category; use default; roles; assign slurmclient; commit")
            #expect(try rows() == ["[category:default:250] slurmclient"])
            _ = try cluster.cmsh("configurationoverlay; use slurm-client; append nodes dgx-01; commit")
            #expect(try rows() == ["[overlay:slurm-client:500] slurmclient"])
            _ = try cluster.cmsh("device use dgx-01; roles; assign slurmclient; commit")
            #expect(try rows() == ["[750] slurmclient"])
            _ = try cluster.cmsh("device use dgx-01; roles; unassign slurmclient; commit")
            _ = try cluster.cmsh("configurationoverlay; use slurm-client; set priority -1; commit")
            #expect(try rows() == ["[category:default:250] slurmclient"])
        }
    }

    @Test func concurrentCommitsBothLast() async throws {
        try await TestCluster.with { cluster in
            var first = try CmshSession(store: cluster.store, localHost: "head-a")
            first.run("device use dgx-01; roles; assign slurmclient")
            _ = try cluster.cmsh("device use dgx-02; roles; assign slurmclient; commit", on: "head-b")
            first.run("commit")
            #expect(first.errors.isEmpty)
            let holders = try cluster.cmsh("device; list -l slurmclient -f hostname -d ,").output
            #expect(holders == "hostname (key)\ndgx-01\ndgx-02\n")
        }
    }

    @Test func workloadManagerSettingsAreReadAndSet() async throws {
        try await TestCluster.with { cluster in
            let answer = try cluster.cmsh(
                "wlm; use slurm; get prolog; set selecttypeparameters CR_CPU; get selecttypeparameters; cgroups; "
                    + "set constrainramspace no; commit; get constrainramspace; set nonsense 1")
            #expect(answer.output == "/cm/local/apps/cmd/scripts/prolog\nCR_CPU\nno\n")
            #expect(answer.errors == ["Error: no such property: nonsense"])
        }
    }

    @Test func theHookIsCalledForEachSettingThatACommitChangedAndForImages() async throws {
        try await TestCluster.with { cluster in
            let log = cluster.store.directory + "/calls"
            let program = cluster.store.directory + "/hook"
            let text = "#!/bin/sh\nprintf '%s|' \"$@\" >>'\(log)'; echo >>'\(log)'\n[ \"$2\" != dgx-02 ] || exit 3\n"
            try Data(text.utf8).write(to: URL(filePath: program))
            chmod(program, 0o755)
            var session = try CmshSession(
                store: cluster.store, localHost: "head-a", hook: CommitHook(program: program))
            session.run(
                """
                wlm; use slurm; set epilogslurmctld "/a b;c"; set prolog /cm/local/apps/cmd/scripts/prolog; cgroups
                set constraincores no; commit; commit; main; device; use dgx-01; imageupdate; imageupdate -w
                grabimage; grabimage -i default-image -w; use dgx-02; imageupdate -w
                softwareimage; clone default-image other; commit
                """)
            #expect(
                try String(contentsOf: URL(filePath: log), encoding: .utf8) == """
                    wlm|slurm|epilogslurmctld|/a b;c|
                    wlm|slurm|cgroups.constraincores|no|
                    imageupdate|dgx-01|
                    grabimage|dgx-01|default-image|
                    imageupdate|dgx-02|
                    softwareimage|/cm/images/other|/cm/images/default-image|

                    """)
            #expect(session.errors == ["Error: imageupdate dgx-02: \(program): status 3: "])
        }
    }

    @Test func theActiveHeadNodeCarriesAnAsterisk() async throws {
        try await TestCluster.with { cluster in
            try cluster.set("active-head", "head-b")
            let passive = try cluster.cmsh("cmha status", on: "head-a").output
            #expect(passive.hasPrefix("Node Status: running in passive mode\n"))
            #expect(passive.contains("head-a -> head-b*\n"))
            #expect(passive.contains("head-b* -> head-a\n"))
            let active = try cluster.cmsh("cmha; status", on: "head-b").output
            #expect(active.hasPrefix("Node Status: running in active mode\n"))
        }
    }

    @Test func certificatesBelongToAProfileAndAreListed() async throws {
        try await TestCluster.with { cluster in
            let files = (cluster.store.directory + "/m.key", cluster.store.directory + "/m.pem")
            func create(_ profile: String) throws -> (output: String, errors: [String]) {
                try cluster.cmsh(
                    #"cert; createcertificate 2048 "role monitor" "" "" "" "" "" \#(profile) "" 30 \#(files.0) \#(files.1)"#
                )
            }
            #expect(try create("jobstats").errors == ["Error: no such profile: 'jobstats'"])
            _ = try cluster.cmsh("profile; add jobstats; append tokens GET_DEVICE_TOKEN; set nonuser yes; commit")
            #expect(try create("jobstats").errors == [])
            #expect(try create("jobstats").errors == ["Error: file already exists: \(files.0)"])
            let serial = try #require(CertificateAuthority.serial(ofFile: files.1))
            let row = try cluster.cmsh("cert; listcertificates -d ,").output.split(separator: "\n").last
            #expect(row == "\(serial),30,role monitor,jobstats,No")
        }
    }

    @Test(arguments: [
        ("nonsense", "Error: Command not found: nonsense"),
        ("device use dgx-09", "Error: Device does not exist: 'dgx-09'"),
        ("device use dgx-01; roles; assign slurmclinet", "Error: no such role: 'slurmclinet'"),
        ("device use dgx-01; set hostname x", "Error: property is read only: hostname"),
        ("device; list -x", "Error: unknown option: -x"), ("device use \"dgx-01", "Error: unterminated quote"),
        ("device; list -n dgx-01..abc", "Error: invalid node range: dgx-01..abc"),
    ])
    func mistakesAreNamed(commands: String, error: String) async throws {
        try await TestCluster.with { cluster in
            let answer = try cluster.cmsh(commands)
            #expect(answer.errors == [error])
        }
    }

    @Test func whatBelongsToAnObjectIsReachedFromItsMode() async throws {
        try await TestCluster.with { cluster in
            let answer = try cluster.cmsh(
                "device; roles dgx-01; assign slurmclient; commit; device; roles dgx-01; list")
            #expect(answer.errors.isEmpty)
            #expect(answer.output.contains("slurmclient"))
        }
    }

    @Test func servicesAreAddedToCategories() async throws {
        try await TestCluster.with { cluster in
            let answer = try cluster.cmsh(
                "category; use default; services; add chronyd; set monitored on; commit; get monitored; get autostart")
            #expect(answer.output == "yes\nno\n")
            #expect(answer.errors.isEmpty)
            #expect(try cluster.store.read().categories[0].services.map(\.name) == ["chronyd"])
        }
    }
}
