import CommandExecution
import FoundationEssentials
import Testing

extension LabTests {
    /// Runs that are interrupted, wherever they are, and completed later. Takes a quarter of an hour: `--long`.
    @Suite(.enabled(if: Lab.isPatient, "minutes: scripts/test.sh --long")) struct InterruptTests {
        enum Interruption: String {
            case interrupt = "SIGINT"
            case kill = "SIGKILL"
            case cable = "a cable that is pulled"
        }

        @Test func aRunThatIsInterruptedAtAnyTenthIsResumedToTheSameEnd() async throws {
            try await Self.resume(.interrupt)
        }

        @Test func aRunThatIsKilledAtAnyTenthIsResumedToTheSameEnd() async throws { try await Self.resume(.kill) }

        @Test func aRunThatLosesANodeAtAnyTenthIsResumedToTheSameEnd() async throws { try await Self.resume(.cable) }

        /// Resumes to the same end, and finds in place what progress said was reached.
        private static func resume(_ interruption: Interruption) async throws {
            let deployment = try await Deployment.blank()
            #expect(try await deployment.guidedSetup().succeeded)
            let wanted = try await GuidedSetupTests.inventories(deployment)
            let total = try await Self.progress(deployment).values.reduce(0) { $0 + $1.count }
            var cut = 0
            for tenth in 1...9 {
                let deployment = try await Deployment.blank()
                let place = "\(interruption.rawValue) after \(tenth) tenths"
                async let run = deployment.guidedSetup()
                try await eventually(every: .milliseconds(20), "\(place) of \(total) steps") {
                    try await Self.reached(deployment) >= total * tenth / 10
                }
                try await Self.cause(interruption, deployment)
                let interrupted = try await run
                // One that succeeded was at its last step, or was not met.
                if !interrupted.succeeded { cut += 1 }
                if interruption == .interrupt, !interrupted.succeeded {
                    #expect(interrupted.status == .exited(130), "\(place): \(interrupted)")
                }
                try await deployment.lab.script("join", "dgx-02")
                let before = try await Self.progress(deployment)
                let result = try await deployment.guidedSetup("--resume")
                #expect(result.succeeded, "\(place): \(result.outputText)\(result.errorText)")
                #expect(try await GuidedSetupTests.inventories(deployment) == wanted, "\(place)")
                let after = try await Self.progress(deployment)
                for (host, steps) in before {
                    for (step, entry) in steps where ["changed", "in place"].contains(entry.outcome) {
                        let now = after[host]?[step]?.outcome
                        #expect(
                            now == "in place", "\(place): \(host) \(step) was said to be \(entry.outcome): \(now ?? "")"
                        )
                    }
                }
            }
            #expect(cut >= 7, "only \(cut) of 9 runs were cut by \(interruption.rawValue)")
        }

        private static func cause(_ interruption: Interruption, _ deployment: Deployment) async throws {
            switch interruption {
            case .interrupt: try await deployment.lab.output("head-a", "pkill -INT -x guided-setup || true")
            case .kill: try await deployment.lab.output("head-a", "pkill -KILL -x guided-setup || true")
            case .cable: try await deployment.lab.script("isolate", "dgx-02")
            }
        }

        private static let file = "\(Deployment.state)/guided_setup_progress.json"

        /// How many steps the progress file names.
        private static func reached(_ deployment: Deployment) async throws -> Int {
            let lines = try await deployment.lab.output("head-a", "grep -o '\"outcome\"' \(file) 2>/dev/null | wc -l")
            return Int(lines) ?? 0
        }

        private struct Progress: Decodable {
            struct Entry: Decodable { var outcome: String }
            var hosts: [String: [String: Entry]]
        }

        private static func progress(_ deployment: Deployment) async throws -> [String: [String: Progress.Entry]] {
            let text = try await deployment.lab.output("head-a", "cat \(file)")
            return try JSONDecoder().decode(Progress.self, from: Data(text.utf8)).hosts
        }
    }
}
