import ClusterTestSupport
import FoundationEssentials
import Glibc
import Synchronization
import Testing

extension FaultCampaign {
    /// What the cells look for is found: each invariant is broken here on purpose, without a monitor or by a script in its
    /// place, and must be told.
    @Suite struct Invariants {
        /// What is told of a bench whose monitor is a script of the shell, and of what is done to it.
        private func violations(
            monitor: String? = nil, _ body: (Bench) async throws -> Void = { _ in }
        ) async throws -> [String] {
            let findings = Findings()
            try await Bench.with(findings, .init(headNodes: [])) { bench in
                if let monitor {
                    try bench.start(prefix: ["/bin/sh", "-c", "PATH=/usr/bin:/bin; \(monitor)", "monitor"])
                }
                try await body(bench)
            }
            return findings.violations
        }

        private func has(_ violations: [String], _ words: String) -> Bool { violations.contains { $0.contains(words) } }

        @Test func whereNothingIsBrokenNothingIsTold() async throws {
            #expect(
                try await violations { try Bench.Freeze($0, startsLater: true).check("now", endedIsFine: true) } == [])
        }

        // MARK: Files

        @Test(arguments: ["rewritten", "removed", "opened to others", "replaced by the same"])
        func anotherNodesTargetFile(_ how: String) async throws {
            let told = try await violations { bench in
                let file = bench.path("targets/gpu-99.json")
                switch how {
                case "rewritten": try bench.write("targets/gpu-99.json", "[]\n")
                case "removed": unlink(file)
                case "opened to others": chmod(file, 0o666)
                default:
                    try Bench.targetText("gpu-99").write(to: URL(filePath: file + ".x"))
                    rename(file + ".x", file)
                }
            }
            #expect(has(told, "another node's target file"), "\(told)")
        }

        @Test func aTargetFileOfAnotherName() async throws {
            let told = try await violations {
                try Bench.targetText("gpu-03").write(to: URL(filePath: $0.path("targets/gpu-03.json")))
            }
            #expect(has(told, "gpu-03.json is not this node's"), "\(told)")
        }

        @Test(arguments: [",", "\n]", "9306", "["])
        func aTargetFileThatLacksSomething(_ part: String) async throws {
            let told = try await violations { bench in
                let text = String(decoding: Bench.targetText(Bench.node), as: UTF8.self)
                try bench.write("targets/gpu-01.json", text.replacing(part, with: ""))
            }
            #expect(has(told, "gpu-01.json holds"), "\(told)")
        }

        @Test(arguments: [
            ("gpu-01_state.json", "{\"version\": 1, \"hostName\": \"gpu-05\"}", "is gpu-05's"),
            ("gpu-05_state.json", "{\"version\": 1, \"hostName\": \"gpu-05\"}", "is gpu-05's"),
            ("gpu-01_state.json", "{\"version\": 1, \"hostNa", "cannot be read"),
            ("gpu-01_state.json.damaged", "{", "was set aside"),
        ])
        func aStateThatIsNotThisNodes(_ name: String, _ text: String, _ words: String) async throws {
            let told = try await violations { try $0.write("state/\(name)", text) }
            #expect(has(told, words), "\(told)")
        }

        @Test(arguments: ["targets/.prom-targets-1.tmp", "state/.x.1.new", "metrics/.m.prom.1.new"])
        func aTemporaryFile(_ name: String) async throws {
            #expect(has(try await violations { try $0.write(name, "") }, "temporary files are left"))
        }

        // MARK: Calls

        /// Whatever goes wrong with systemctl, what was asked of it is known.
        @Test(arguments: ["", "fail", "garbage", "other", "die", "hang", "lie"])
        func callsOfSystemctl(_ fault: String) async throws {
            let told = try await violations { bench in
                let freeze = try Bench.Freeze(bench, startsLater: true)
                if !fault.isEmpty { try bench.write("systemctl-fault", "\(fault)\n") }
                for words in [["show", "a.service"], ["restart", "--no-block", "--", "a.service"], ["daemon-reload"]] {
                    let call = try ChildProcess(
                        ["/bin/sh", bench.path("bin/systemctl")] + words, log: bench.path("log"))
                    _ = await within(.seconds(10)) {
                        !call.isAlive
                            || (fault == "hang"
                                && (words[0] == "show" || bench.calls.contains { $0.hasPrefix(words[0]) }))
                    }
                    call.kill()
                }
                #expect(bench.calls == ["restart a.service", "daemon-reload"])
                freeze.check("frozen", endedIsFine: true)
            }
            #expect(has(told, "frozen: restart a.service, daemon-reload"), "\(told)")
        }

        // MARK: The monitor

        @Test func aMonitorThatEnded() async throws {
            let told = try await violations(monitor: "exit 7") { bench in
                let freeze = try Bench.Freeze(bench)
                try await bench.expectPasses(1, limit: .seconds(20))
                freeze.check("frozen")
            }
            #expect(has(told, "the monitor ended with 1792") && has(told, "only 0 of 1 checks"), "\(told)")
            #expect(has(told, "frozen: the monitor ended"), "\(told)")
        }

        @Test func theRoleTheClockAndTheChecks() async throws {
            let told = try await violations { bench in
                func metrics(_ checks: Int) throws {
                    try bench.write(
                        "metrics/m.prom",
                        """
                        bcm_role_monitor_role_state{role="slurmclient",state="present"} 1
                        bcm_role_monitor_role_state{role="slurmclient",state="unknown"} 0
                        bcm_role_monitor_checks_total \(checks)
                        bcm_role_monitor_last_check_timestamp_seconds \(Date().timeIntervalSince1970)

                        """)
                }
                try metrics(5)
                try Bench.Freeze(bench, startsLater: true).check("frozen", role: "unknown", endedIsFine: true)
                bench.checkClock(40 * 86_400)
                var checks = 5
                await bench.expect("six checks later", .seconds(10), checks: 5) {
                    checks += 1
                    try? metrics(checks)
                    return checks == 11
                }
            }
            #expect(has(told, "frozen: the role is present, not unknown"), "\(told)")
            #expect(has(told, "s ahead, not 3456000.0"), "\(told)")
            #expect(has(told, "six checks later: it took 6 checks, not 5 at most"), "\(told)")
        }

        // MARK: What is left

        @Test func aLockThatIsHeld() async throws {
            var file: Int32 = -1
            let told = try await violations { bench in
                file = open(bench.path("state/lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
                flock(file, LOCK_EX)
            }
            close(file)
            #expect(has(told, "the lock lock is held"), "\(told)")
        }

        /// A child that a broken monitor leaves: with its environment or none, in a group of its own.
        @Test(arguments: ["", "env -i "])
        func aProcessThatIsLeft(_ environment: String) async throws {
            let told = try await violations(monitor: "\(environment)setsid sleep 61 & exec sleep 60") { bench in
                _ = await within(.seconds(10)) {
                    bench.sample()
                    return Processes.descendants(of: bench.monitor?.identifier ?? 0).contains {
                        Processes.words($0.identifier, "cmdline").hasPrefix("sleep 61")
                    }
                }
                try await Task.sleep(for: .milliseconds(400))
                bench.sample()
                #expect(bench.traces.withLock { $0.namespaceCount } == 1)
            }
            let words = told.first { $0.hasPrefix("processes are left") } ?? ""
            #expect(words.contains("sleep 61") && words.contains("(in its mount namespace)"), "\(told)")
            #expect(words.contains("(a child of the monitor)"), "\(told)")
            let number = words.split { !$0.isNumber }.first.flatMap { pid_t($0) }
            if let number, Processes.words(number, "cmdline").hasPrefix("sleep 61") { kill(number, SIGKILL) }
        }

        /// A kill of the monitor's process group leaves a child with a group of its own, as its children have; a kill of all
        /// descendants does not.
        @Test func aChildWithAGroupOfItsOwnIsKilledToo() async throws {
            let script = "setsid sh -c 'while :; do echo >>\"$0\"; sleep 0.01; done' \"$OUT\" & exec sleep 60"
            _ = try await violations { bench in
                for kind in ["group", "tree"] {
                    let file = bench.path("written-\(kind)")
                    let parent = try ChildProcess(
                        ["/bin/sh", "-c", script], log: bench.path("log"), environment: ["OUT": file])
                    #expect(await within(.seconds(10)) { (bench.read("written-\(kind)") ?? "").count > 2 } != nil)
                    let children = Processes.descendants(of: parent.identifier)
                    if kind == "group" { kill(-parent.identifier, SIGKILL) } else { parent.killTree() }
                    parent.kill()
                    let size = bench.read("written-\(kind)")?.count
                    try await Task.sleep(for: .milliseconds(200))
                    #expect((bench.read("written-\(kind)")?.count == size) == (kind == "tree"))
                    for child in children where child.isAlive { kill(child.identifier, SIGKILL) }
                }
            }
        }

        // MARK: Figures

        /// Memory in waves: flat memory passes, a leak of 1 KiB a check does not.
        @Test(arguments: [(0.0, true), (64, true), (1024, false)])
        func aLineThroughMemory(_ leak: Double, _ isFine: Bool) throws {
            var chance = Chance(7)
            let points = (0..<400).map { number in
                let x = Double(number * 2)
                let wave = Double((number * 2) % 60) * 2000 + Double.random(in: -200_000...200_000, using: &chance)
                return (x, 4e6 + wave + leak * x)
            }
            let line = try #require(Line(through: points))
            #expect(abs(line.slope - leak) < 150 && line.error < 400, "\(line)")
            #expect((line.slope <= 64 + 2 * line.error) == isFine, "\(line)")
            #expect(Line(through: Array(points.prefix(50))) == nil)
        }

        @Test func chanceIsTheSameForASeedAndACell() {
            var (first, second, other) = (Campaign.chance("a"), Campaign.chance("a"), Campaign.chance("b"))
            let numbers = (0..<4).map { _ in first.next() }
            #expect(numbers == (0..<4).map { _ in second.next() } && numbers != (0..<4).map { _ in other.next() })
        }
    }
}
