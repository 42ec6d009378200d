import CommandExecution
import Testing

@testable import BCMClient

/// A cmsh that answers from a table of scripts; everything else is an error, with status 0 as cmsh has it.
private func makeCmsh(_ answers: [String: String], errors: [String: String] = [:]) -> (Cmsh, RecordingExecutor) {
    let executor = RecordingExecutor { command throws(CommandError) in
        let script = command.arguments.last ?? ""
        return CommandResult(
            status: .exited(0), standardOutput: Array((answers[script] ?? "").utf8),
            standardError: Array((errors[script] ?? (answers[script] == nil ? "Error: unexpected" : "")).utf8))
    }
    return (Cmsh(executor: executor, timeout: .seconds(9)), executor)
}

struct CmshTests {
    static let listCommand = "device; list -t headnode -f hostname,type,ip,mac,category,status"
    static let json = """
        [{"hostname (key)": "head-a", "type": "HeadNode", "ip": "10.141.255.254", "mac": "FA:16:3E:00:00:01",
          "category": "", "status": "[   UP   ]"},
         {"hostname (key)": "dgx-01", "type": "PhysicalNode", "ip": "10.141.0.1", "mac": "FA:16:3E:00:00:02",
          "category": "default", "status": "[  DOWN  ] (closed), restart required"}]
        """
    static let padded = """
        hostname (key)   type         ip             mac               category status
        ---------------- ------------ -------------- ----------------- -------- ----------
        head-a           HeadNode     10.141.255.254 FA:16:3E:00:00:01          [   UP   ]
        dgx-01           PhysicalNode 10.141.0.1     FA:16:3E:00:00:02 default  [  DOWN  ]
        """
    static let delimited = """
        hostname (key){}type{}ip{}mac{}category{}status
        head-a{}HeadNode{}10.141.255.254{}FA:16:3E:00:00:01{}{}[   UP   ]
        dgx-01{}PhysicalNode{}10.141.0.1{}FA:16:3E:00:00:02{}default{}[  DOWN  ]
        """
    static let devices = [
        ClusterDevice(
            hostname: "head-a", type: "HeadNode", ip: "10.141.255.254", mac: "FA:16:3E:00:00:01", status: "UP"),
        ClusterDevice(
            hostname: "dgx-01", type: "PhysicalNode", ip: "10.141.0.1", mac: "FA:16:3E:00:00:02", category: "default",
            status: "DOWN"),
    ]

    @Test func commandsAreRunWithoutColourEventsAndStartFile() async throws {
        let (cmsh, executor) = makeCmsh([Self.listCommand + " -d {}": Self.json])
        _ = try await cmsh.headNodes()
        #expect(
            executor.commands == [
                Command(
                    "/cm/local/apps/cmd/bin/cmsh",
                    ["--color=no", "--hide-events", "-n", "-q", "-c", Self.listCommand + " -d {}"],
                    timeout: .seconds(9))
            ])
    }

    @Test(arguments: [json, padded, delimited])
    func everyFormOfTableIsRead(_ output: String) async throws {
        let (cmsh, _) = makeCmsh([Self.listCommand + " -d {}": output])
        #expect(try await cmsh.headNodes() == Self.devices)
    }

    @Test func versionsThatRefuseJSONAreAskedForText() async throws {
        let (cmsh, executor) = makeCmsh(
            [Self.listCommand: Self.padded], errors: [Self.listCommand + " -d {}": "Error: invalid delimiter: {}\n"])
        #expect(try await cmsh.headNodes() == Self.devices)
        #expect(executor.commands.count == 2)
    }

    @Test func emptyTablesAreEmpty() async throws {
        for output in ["", "[]", "\n", "hostname (key)\n--------------\n"] {
            let (cmsh, _) = makeCmsh([
                "device; list -l slurmclient -f hostname,type,ip,mac,category,status -d {}": output
            ])
            #expect(try await cmsh.devices(.role("slurmclient")).isEmpty)
        }
    }

    @Test func outputThatIsNoTableIsNotUnderstood() async throws {
        let (cmsh, _) = makeCmsh(["wlm; list -d {}": "hello", "wlm; list": "hello"])
        let error = await failure { _ = try await cmsh.workloadManagers() }
        #expect(error?.code == .notUnderstood)
        #expect(error?.reason == #"cmsh -c "wlm; list" printed no table: "hello""#)
    }

    @Test func selectionsBecomeOptions() async throws {
        let selections: [(Cmsh.Selection, String)] = [
            (.all, ""), (.physicalNodes, " -t physicalnode"), (.category("dgx"), " -c dgx"),
            (.overlay("slurm client"), " -e \"slurm client\""), (.role("slurmclient"), " -l slurmclient"),
        ]
        for (selection, options) in selections {
            let (cmsh, executor) = makeCmsh([:])
            _ = await failure { _ = try await cmsh.devices(selection) }
            #expect(
                executor.commands.first?.arguments.last
                    == "device; list\(options) -f hostname,type,ip,mac,category,status -d {}")
        }
    }

    @Test func rolesShowTheirOriginAndPriority() async throws {
        let script = "device; use dgx-01; roles; list -p"
        let expected = [
            RoleAssignment(name: "boot", origin: .node, priority: 750),
            RoleAssignment(name: "storage", origin: .category(nil), priority: 250),
            RoleAssignment(name: "login", origin: .category("default"), priority: 250),
            RoleAssignment(name: "slurmclient", origin: .overlay("slurm-client"), priority: 500),
            RoleAssignment(name: "generic", origin: .overlay("off"), priority: -1),
        ]
        let json = """
            [{"Name (key)": "[750] boot"}, {"Name (key)": "[250] storage"}, {"Name (key)": "[category:default:250] login"},
            {"Name (key)": "[overlay:slurm-client:500] slurmclient"}, {"Name (key)": "[overlay:off:-1] generic"}]
            """
        let text = """
            Name (key)
            --------------------------------------
            [750] boot
            [250] storage
            [category:default:250] login
            [overlay:slurm-client:500] slurmclient
            [overlay:off:-1] generic
            """
        for output in [json, text] {
            let (cmsh, _) = makeCmsh([script + " -d {}": output])
            #expect(try await cmsh.roles(of: "dgx-01") == expected)
        }
    }

    @Test func changesAreCommitted() async throws {
        let (cmsh, executor) = makeCmsh([
            "device; use dgx-01; roles; assign slurmclient; commit": "",
            "configurationoverlay; use \"slurm client\"; roles; unassign slurmclient; commit": "",
            "category; use default; roles; assign slurmclient; commit": "",
            "wlm; use slurm; set epilogslurmctld /usr/local/sbin/e.sh; commit": "",
            "wlm; use slurm; get epilogslurmctld": "/usr/local/sbin/e.sh\n",
            "wlm; use slurm; cgroups; set constraincores on; commit": "",
            "wlm; use slurm; cgroups; get constraincores": "yes\n",
            "profile; add reader; append tokens A_TOKEN; append tokens B_TOKEN; set nonuser yes; commit": "",
        ])
        try await cmsh.assignRole("slurmclient", to: .node("dgx-01"))
        try await cmsh.unassignRole("slurmclient", from: .overlay("slurm client"))
        try await cmsh.assignRole("slurmclient", to: .category("default"))
        try await cmsh.set("epilogslurmctld", to: "/usr/local/sbin/e.sh", ofWorkloadManager: "slurm")
        try await cmsh.set("constraincores", to: "on", in: "cgroups", ofWorkloadManager: "slurm")
        try await cmsh.addProfile("reader", tokens: ["A_TOKEN", "B_TOKEN"])
        #expect(executor.commands.count == 8)
    }

    @Test func settingsAndPropertiesAreRead() async throws {
        let (cmsh, _) = makeCmsh([
            "wlm; use slurm; get prolog": "/cm/local/apps/cmd/scripts/prolog\n", "wlm; use slurm; get epilog": "",
            "wlm; use slurm; cgroups; get constraincores": "yes\n",
            "device; use dgx-01; get softwareimage": "dgx-os6\n",
        ])
        #expect(try await cmsh.setting("prolog", ofWorkloadManager: "slurm") == "/cm/local/apps/cmd/scripts/prolog")
        #expect(try await cmsh.setting("epilog", ofWorkloadManager: "slurm") == "")
        #expect(try await cmsh.setting("constraincores", in: "cgroups", ofWorkloadManager: "slurm") == "yes")
        #expect(try await cmsh.property("softwareimage", of: .node("dgx-01")) == "dgx-os6")
    }

    @Test func plannedSettingsAreTheSameCommands() throws {
        let setting = WorkloadSetting("constraincores", in: "cgroups", ofWorkloadManager: "slurm")
        let options = ["--color=no", "--hide-events", "-n", "-q", "-c"]
        #expect(setting.executable == Cmsh.standardExecutable)
        #expect(try setting.reading().arguments == options + ["wlm; use slurm; cgroups; get constraincores"])
        #expect(
            try setting.writing("yes").arguments == options + [
                "wlm; use slurm; cgroups; set constraincores yes; commit"
            ])
        let plain = WorkloadSetting("epilogslurmctld", ofWorkloadManager: "my slurm")
        #expect(try plain.writing("/x").arguments.last == "wlm; use \"my slurm\"; set epilogslurmctld /x; commit")
        #expect(throws: BCMError.self) { try WorkloadSetting("a;b", ofWorkloadManager: "slurm").reading() }
        #expect(throws: BCMError.self) { try plain.writing("a`b`") }
    }

    @Test func answersToPlannedSettingsAreValuesOrErrors() throws {
        func value(_ output: String, _ errors: String = "", _ status: Int32 = 0) throws -> String {
            try WorkloadSetting("prolog", ofWorkloadManager: "slurm").value(
                CommandResult(
                    status: .exited(status), standardOutput: Array(output.utf8), standardError: Array(errors.utf8)))
        }
        #expect(try value("/cm/x\n") == "/cm/x")
        #expect(try value("\n") == "")
        #expect(try value("") == "")
        #expect(throws: BCMError.self) { try value("Error: no such wlm\n") }
        #expect(throws: BCMError.self) { try value("", "Error: cannot connect to CMDaemon\n") }
        #expect(throws: BCMError.self) { try value("", "", 1) }
    }

    @Test func certificatesAreMadeListedAndRevoked() async throws {
        let create =
            "cert; createcertificate 2048 monitor Org \"\" \"\" \"\" \"\" reader \"\" 365 /root/.cm/m.key /root/.cm/m.pem"
        let (cmsh, executor) = makeCmsh([
            create: "Certificate key written to file: /root/.cm/m.key\n", "cert; revokecertificate 7": "",
            "cert; listcertificates -d {}": """
            Serial num Days left Common name Profile Revoked
            ---------- --------- ----------- ------- -------
            7          364       monitor     reader  No
            8          -1        old one     admin   Yes
            """,
        ])
        try await cmsh.createCertificate(
            CertificateRequest(
                commonName: "monitor", profile: "reader", keyFile: "/root/.cm/m.key",
                certificateFile: "/root/.cm/m.pem", days: 365, organisation: ["Org", "", "", "", ""]))
        try await cmsh.revokeCertificate(serial: "7")
        let listed = try await cmsh.certificates()
        #expect(listed.map(\.serial) == ["7", "8"])
        #expect(listed.map(\.name) == ["monitor", "old one"])
        #expect(listed.map(\.profile) == ["reader", "admin"])
        #expect(listed.map(\.daysLeft) == [364, -1])
        #expect(listed.map(\.isRevoked) == [false, true])
        #expect(executor.commands.count == 3)
    }

    @Test func impossibleCertificatesAreRefusedBeforeCmshRuns() async throws {
        let (cmsh, executor) = makeCmsh([:])
        let good = CertificateRequest(
            commonName: "m", profile: "p", keyFile: "/k", certificateFile: "/c")
        let changes: [(inout CertificateRequest) -> Void] = [
            { $0.keyFile = "k" }, { $0.certificateFile = "" }, { $0.days = 0 }, { $0.bits = 3 }, { $0.commonName = "" },
            { $0.profile = "-t" }, { $0.organisation = [] }, { $0.commonName = "a;b" },
        ]
        for change in changes {
            var request = good
            change(&request)
            let error = await failure { try await cmsh.createCertificate(request) }
            #expect(error?.code == .invalidConfiguration)
        }
        #expect(executor.commands.isEmpty)
    }

    @Test func theActiveHeadNodeIsTheOneWithTheAsterisk() async throws {
        let output = """
            Node Status: running in active mode

            Failover status:
            head-a* -> head-b
              mysql       [  OK  ]
              ping        [  OK  ]
              status      [FAILED]
            head-b -> head-a*
              mysql       [  OK  ]
            """
        let (cmsh, _) = makeCmsh(["cmha status": output])
        let status = try await cmsh.highAvailability()
        #expect(status == HighAvailability(headNodes: ["head-a", "head-b"], activeHost: "head-a"))
        #expect(status.isConfigured)
        #expect(status.isActive("HEAD-A.cm.cluster"))
        #expect(!status.isActive("head-b"))
    }

    @Test func oneHeadNodeIsNoError() async throws {
        let (cmsh, _) = makeCmsh([:], errors: ["cmha status": "Error: no failover head node is configured\n"])
        let status = try await cmsh.highAvailability()
        #expect(status == HighAvailability(headNodes: [], activeHost: nil))
        #expect(!status.isConfigured)
        #expect(!status.isActive("head-a"))
    }
}
