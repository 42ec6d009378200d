import ClusterModel
import ClusterTestSupport
import CommandExecution
import FoundationEssentials
import Testing

/// The programs as they are run by hand and by the lab.
@Suite struct ProgramTests {
    private func run(
        _ program: String, _ arguments: [String], input: String = "", environment: [String: String] = [:]
    ) async throws -> CommandResult {
        try await LocalExecutor().run(
            Command(
                try TestCluster.program(program), arguments, input: Array(input.utf8), environment: environment,
                timeout: .seconds(120)))
    }

    private func cmsh(
        _ cluster: TestCluster, _ arguments: [String], input: String = ""
    ) async throws -> (status: CommandExecution.ExitStatus, output: String, error: String) {
        let result = try await run(
            "simulated-cmsh", ["--color=no", "--hide-events", "-n"] + arguments, input: input,
            environment: [StateStore.directoryVariable: cluster.store.directory, "BCM_SIMULATOR_HOST": "head-a"])
        return (result.status, result.outputText, result.errorText)
    }

    @Test(arguments: ["bcm-simulator", "simulated-cmsh", "exporter-standin"])
    func helpSaysThatNothingIsReal(program: String) async throws {
        let result = try await run(program, ["--help"])
        #expect(result.succeeded)
        #expect(result.outputText.contains("imulator") || result.outputText.contains("stands in"))
    }

    @Test func aClusterIsMadeServedChangedAndShown() async throws {
        let directory = try TestCluster.scratchPath("made")
        let store = StateStore(directory: directory)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let place = ["--directory", directory]
        let made = try await run(
            "bcm-simulator",
            ["init"] + place + [
                "--head", "head-a=10.0.0.1", "--head", "head-b=10.0.0.2", "--node", "dgx-01=10.0.1.1", "--mac",
                "dgx-01=52:54:00:ab:cd:01",
            ])
        #expect(made.succeeded, "\(made.errorText)")
        #expect(try store.read().nodes.map(\.hardwareAddress) == ["52:54:00:AB:CD:01"])
        #expect(try store.read().activeHeadNode == "head-a")
        let again = try await run("bcm-simulator", ["init"] + place + ["--head", "head-a=10.0.0.1"])
        #expect(!again.succeeded && again.errorText.contains("there is a simulated cluster already"))
        let changed = try await run("bcm-simulator", ["set"] + place + ["--host", "head-b", "fault", "hang-tls"])
        #expect(changed.succeeded, "\(changed.errorText)")
        #expect(try store.read().faults == ["head-b": .hangTLS])
        let refused = try await run("bcm-simulator", ["set"] + place + ["fault", "nonsense"])
        #expect(!refused.succeeded && refused.errorText.contains("fault cannot be nonsense; expected none|refuse|"))
        let shown = try await run("bcm-simulator", ["show"] + place)
        #expect(shown.outputText.contains("\"hang-tls\""))
        // The service writes a line when its port is open, and ends with status 0 at SIGTERM.
        let script = """
            "$0" serve --directory "$1" --host-name head-a --listen 127.0.0.1:0 >"$1/out" 2>"$1/log" &
            for i in $(seq 100); do grep -q 'port [1-9]' "$1/out" && break; sleep 0.1; done
            port=$(sed -n 's/.*(port \\([0-9]*\\)).*/\\1/p' "$1/out")
            curl -sS --max-time 20 --cacert "$1/pki/cacert.pem" --cert "$1/pki/admin.pem" --key "$1/pki/admin.key" \
            "https://localhost:$port/rest"
            kill $!; wait $!; echo "status $?"
            """
        let served = try await LocalExecutor().run(
            Command("sh", ["-c", script, try TestCluster.program("bcm-simulator"), directory], timeout: .seconds(60)))
        #expect(served.outputText == "[\"v1\"]\nstatus 0\n", "\(served.errorText)")
    }

    @Test func errorsOfCmshGoToStandardErrorAndCountOnlyWhenAskedTo() async throws {
        try await TestCluster.with { cluster in
            let lenient = try await cmsh(cluster, ["-c", "nonsense; main; versioninfo"])
            #expect(lenient.status == .exited(0))
            #expect(lenient.error == "Error: Command not found: nonsense\n")
            #expect(lenient.output.contains("this is a simulator"))
            let strict = try await cmsh(cluster, ["-q", "-c", "nonsense; main; versioninfo"])
            #expect(strict.status == .exited(1))
            #expect(strict.output.isEmpty)
        }
    }

    @Test func commandsMayComeOnStandardInput() async throws {
        try await TestCluster.with { cluster in
            let result = try await cmsh(cluster, [], input: "wlm\nuse slurm\nget version\n")
            #expect(result.output == "23.02\n")
        }
    }

    @Test func certificatesOfTheClusterAloneOpenASession() async throws {
        try await TestCluster.with { cluster in
            let authority = cluster.authority
            let known = try await cmsh(
                cluster,
                ["-i", authority.adminCertificate, "-k", authority.adminKey, "-c", "wlm; use slurm; get version"])
            #expect(known.output == "23.02\n")
            let stranger = try await cmsh(
                cluster,
                [
                    "-i", authority.file("wrong-ca.pem", ofHead: "head-a"), "-k",
                    authority.file("stranger.key", ofHead: "head-a"), "-c", "main; versioninfo",
                ])
            #expect(stranger.status == .exited(1))
            #expect(stranger.error.contains("unknown certificate"))
        }
    }

    @Test func theStandInsServeTheDocumentedFamilies() async throws {
        let directory = try TestCluster.scratchPath("gpustat")
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Data("4711 1001\n".utf8).write(to: URL(filePath: directory + "/1"))
        // A port that was free a moment ago; another is tried when someone took it.
        let script = """
            for port in $(shuf -i 20000-32000 -n 20); do
              "$0" "$@" --web.listen-address=127.0.0.1:$port >/dev/null 2>&1 & child=$!
              for i in $(seq 50); do curl -sf --max-time 5 "http://127.0.0.1:$port/metrics" && break 2
                kill -0 $child 2>/dev/null || break; sleep 0.1; done
            done
            kill $child
            """
        func metrics(_ arguments: [String]) async throws -> String {
            let program = try TestCluster.program("exporter-standin")
            let own = ["--gpustat-directory", directory, "--gpus", "2"]
            return try await LocalExecutor().run(
                Command("bash", ["-c", script, program] + own + arguments, timeout: .seconds(60))
            ).outputText
        }
        let gpu = try await metrics(["--kind", "gpu", "-disable.gpm"])
        #expect(gpu.hasPrefix("# This is a stand-in for nvidia_gpu_prometheus_exporter"))
        #expect(gpu.contains("\nnvidia_gpu_num_devices 2\n"))
        let labels =
            #"ordinal="1",minor_number="1",uuid="GPU-00000000-0000-0000-0000-000000000001",name="Stand-in GPU""#
        #expect(gpu.contains("\nnvidia_gpu_jobId{\(labels),GPU_I_ID=\"\",jobid=\"4711\",userid=\"1001\"} 4711\n"))
        let families = ["memory_total_bytes", "memory_used_bytes", "duty_cycle", "power_usage_milliwatts", "jobUid"]
        for family in families { #expect(gpu.contains("\nnvidia_gpu_\(family){"), "\(family)") }
        for job in ["memory/slurm_dgx-01/uid_1002/job_4712", "memory/slurm/uid_x/job_1", "system.slice/a.scope/job_2"] {
            try FileManager.default.createDirectory(
                atPath: "\(directory)/groups/\(job)/step_0", withIntermediateDirectories: true)
        }
        let groups = ["--path.cgroup.root", directory + "/groups"]
        let cgroup = try await metrics(["--kind", "cgroup", "--config.paths", "/slurm"] + groups)
        #expect(cgroup.contains("\ncgroup_cpus{jobid=\"4712\",step=\"\",task=\"\"} 16\n"))
        #expect(cgroup.contains("\ncgroup_uid{jobid=\"4712\"} 1002\n") && !cgroup.contains("jobid=\"1\""))
        #expect(cgroup.contains("\ncgroup_uid{jobid=\"4711\"} 1001\n"))
        #expect(cgroup.contains("\ncgroup_memory_rss_bytes{jobid=\"4711\",step=\"\",task=\"\"} "))
    }

    @Test(arguments: [
        (["--kind", "gpu", "--config.paths", "/slurm"], "a flag that nvidia_gpu_prometheus_exporter does not know"),
        (["--kind", "fpga"], "--kind is cgroup or gpu, not fpga"), ([], "say --kind cgroup or --kind gpu"),
        (["--kind", "cgroup", "--web.listen-address", "9306"], "--web.listen-address takes [HOST]:PORT, not 9306"),
    ])
    func mistakesOfTheStandInAreNamed(arguments: [String], reason: String) async throws {
        let result = try await run("exporter-standin", arguments)
        #expect(result.status == .exited(2))
        #expect(result.errorText == "exporter-standin: \(reason)\n")
    }
}
