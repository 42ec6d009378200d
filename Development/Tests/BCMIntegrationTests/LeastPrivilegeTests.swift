import BCMClient
import BCMSimulator
import ClusterModel
import ClusterTestSupport
import Testing

/// What a monitor's certificate can do: read devices, and learn who it is. Everything else is refused, by REST and JSON.
@Suite struct LeastPrivilegeTests {
    /// The profile as `deploy-role-monitor` has BCM make it.
    private static let profile = "bcm-role-monitor"

    /// A cluster with a monitor's certificate, made by cmsh.
    private func withMonitor(
        _ body: (TestCluster, SimulatorServer, TestCluster.Identity, RESTClient) async throws -> Void
    ) async throws {
        try await TestCluster.served { cluster, server in
            let files = (
                certificate: cluster.store.directory + "/monitor.pem", key: cluster.store.directory + "/monitor.key"
            )
            let shell = try cluster.shell()
            try await shell.addProfile(Self.profile, tokens: ["GET_DEVICE_TOKEN"])
            try await shell.createCertificate(
                CertificateRequest(
                    commonName: Self.profile, profile: Self.profile, keyFile: files.key,
                    certificateFile: files.certificate, days: 3650))
            try await body(
                cluster, server, .files(certificate: files.certificate, key: files.key),
                try cluster.client(server, certificate: files.certificate, key: files.key))
        }
    }

    @Test func theMonitorsCertificateReadsDevicesWithWhatTheMonitorAsks() async throws {
        try await withMonitor { cluster, server, identity, client in
            let found = try await client.lookUp(["dgx-01"]).matches
            #expect(found.map(\.hostname) == ["dgx-01"])
            #expect(try await client.devices().count == 5)
            #expect(try await cluster.curl(server, "/rest/v1/device", as: identity).status == 200)
        }
    }

    /// Every other path that the documentation of BCM's REST interface names, and those for pushing values.
    @Test func everyOtherPathIsRefused() async throws {
        try await withMonitor { cluster, server, identity, _ in
            for path in [
                "status", "license", "session", "sysinfo", "workload", "workload/jobs", "chargeback",
                "monitoring/entity", "monitoring/measurable", "monitoring/latest", "monitoring/dump",
                "monitoring/usage",
            ] {
                let answer = try await cluster.curl(server, "/rest/v1/\(path)", as: identity)
                #expect(answer.status == 403, "GET \(path): \(answer.status)")
                // The same path serves the administrator, so the profile alone is what stands in the way.
                #expect(try await cluster.curl(server, "/rest/v1/\(path)", as: .admin).status != 403, "\(path)")
            }
            for (path, body) in [
                ("/rest/v1/status", #"{"device":"dgx-01","status":"CLOSED"}"#),
                ("/rest/v1/event", #"{"message":"x","details":"","severity":"notice"}"#),
                ("/monitoring/initialize", "[]"), ("/monitoring/push", "[]"), ("/monitoring/push/load", "{}"),
            ] {
                let answer = try await cluster.curl(
                    server, path, as: identity, options: ["--data-binary", body])
                #expect(answer.status == 403, "POST \(path): \(answer.status)")
            }
            #expect(try cluster.store.read().events.isEmpty)
        }
    }

    /// What any certificate that the cluster's authority gave may see: names of paths, BCM's version, that it answers.
    @Test func whatNeedsNoRightTellsNothingOfTheCluster() async throws {
        try await withMonitor { cluster, server, identity, _ in
            for path in ["/rest", "/rest/v1", "/rest/v1/version", "/rest/v1/check", "/rest/v1/monitoring"] {
                let answer = try await cluster.curl(server, path, as: identity)
                #expect(answer.status == 200, "\(path): \(answer.status)")
                #expect(!answer.body.contains("dgx-") && !answer.body.contains("head-"), "\(path)")
            }
        }
    }

    @Test func theJSONInterfaceGivesDevicesAlone() async throws {
        try await withMonitor { cluster, server, identity, _ in
            func call(_ service: String, _ name: String) async throws -> Int {
                let body = #"{"service":"\#(service)","call":"\#(name)"}"#
                return try await cluster.curl(server, "/json/", as: identity, options: ["--data-binary", body]).status
            }
            #expect(try await call("cmdevice", "getDevices") == 200)
            #expect(try await call("cmmain", "getProfile") == 200)
            for (service, name) in [
                ("cmdevice", "updateDevice"), ("cmdevice", "removeDevice"), ("cmdevice", "powerOperation"),
                ("cmcert", "createCertificate"), ("cmuser", "getUsers"), ("cmproc", "pexec"),
                ("cmmain", "updateProfile"), ("cmjob", "getJobs"), ("cmpart", "updatePartition"),
            ] {
                let status = try await call(service, name)
                #expect(status == 403, "\(service) \(name): \(status)")
            }
        }
    }

    @Test func aRevokedCertificateReadsNothing() async throws {
        try await withMonitor { cluster, _, _, client in
            let shell = try cluster.shell()
            let own = try #require(try await shell.certificates().first { $0.name == Self.profile })
            try await shell.revokeCertificate(serial: own.serial)
            #expect(await code { () async throws(BCMError) in try await client.devices() } == .notAuthorised)
        }
    }
}
