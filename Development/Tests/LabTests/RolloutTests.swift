import CommandExecution
import Testing

extension LabTests {
    /// A deployment to 64 nodes of which some fail, on a lab of its own.
    @Suite(.enabled(if: Lab.isPatient, "64 nodes: scripts/test.sh --long")) struct RolloutTests {
        private static let nodes = 64
        private static let isTouched = "test -e /etc/systemd/system/node_exporter.service || getent passwd prometheus"

        @Test func theFirstNodeGoesAloneThenATwentiethAndTooManyFailuresLeaveTheRestUntouched() async throws {
            try await Lab.with("rollout", "--nodes", "\(Self.nodes)") { lab in
                let configuration = try await lab.script("config", "--without-slurm")
                _ = try await lab.shell("head-a", "cat > /root/config.json", input: Array(configuration.utf8))

                // The first node fails: nobody else is begun.
                try await Self.breakNodes(1...1, lab)
                var result = try await Self.setup(lab, failures: 0)
                #expect(result.status == .exited(1), "\(result.outputText)\(result.errorText)")
                #expect(try await Self.touched(lab) == [1], "\(result.outputText)")
                try await Self.mendNodes(1...1, lab)

                // Two of the twentieth fail: the first and these four were begun.
                try await Self.breakNodes(3...4, lab)
                result = try await Self.setup(lab, failures: 1)
                #expect(result.status == .exited(1), "\(result.outputText)\(result.errorText)")
                #expect(try await Self.touched(lab) == Array(1...5), "\(result.outputText)")
                for host in ["dgx-03", "dgx-04"] { #expect(result.outputText.contains(host)) }
                try await Self.mendNodes(3...4, lab)

                // Many of the rest fail: at most eight are at work when the sixth failure stops it.
                try await Self.breakNodes(10...40, lab)
                result = try await Self.setup(lab, failures: 5, parallel: 8)
                #expect(result.status == .exited(1), "\(result.outputText)\(result.errorText)")
                let begun = try await Self.touched(lab)
                #expect(begun.contains(10) && begun.count < 32 && !begun.contains(64), "\(begun)")
                #expect(result.outputText.contains("not begun"), "\(result.outputText)")
                try await Self.mendNodes(10...40, lab)

                // Mended, the same command completes all.
                result = try await Self.setup(lab, failures: 0)
                #expect(result.succeeded, "\(result.outputText)\(result.errorText)")
                #expect(try await Self.touched(lab) == Array(1...Self.nodes))
                result = try await Self.setup(lab, failures: 0)
                #expect(result.succeeded && !result.outputText.contains(": changed"), "\(result.outputText)")
            }
        }

        private static func setup(_ lab: Lab, failures: Int, parallel: Int = 32) async throws -> CommandResult {
            try await lab.run(
                "head-a",
                [
                    "guided-setup", "--config", "/root/config.json", "--state-dir", Deployment.state,
                    "--non-interactive", "--section", "4", "--max-failures", "\(failures)", "--parallel", "\(parallel)",
                ], timeout: .seconds(300))
        }

        private static func name(_ index: Int) -> String { (index < 10 ? "dgx-0" : "dgx-") + "\(index)" }

        /// Programs cannot be written on these nodes.
        private static func breakNodes(_ indices: ClosedRange<Int>, _ lab: Lab) async throws {
            for index in indices { try await lab.output(name(index), "mount -t tmpfs -o ro none /usr/local/bin") }
        }

        private static func mendNodes(_ indices: ClosedRange<Int>, _ lab: Lab) async throws {
            for index in indices { try await lab.output(name(index), "umount /usr/local/bin") }
        }

        /// The nodes on which anything was done.
        private static func touched(_ lab: Lab) async throws -> [Int] {
            var found: [Int] = []
            for index in 1...nodes where try await lab.succeeds(name(index), "\(isTouched) >/dev/null") {
                found.append(index)
            }
            return found
        }
    }
}
