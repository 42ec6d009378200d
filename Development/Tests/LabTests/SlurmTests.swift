import CommandExecution
import Testing

extension LabTests {
    /// The lab's Slurm is a real one, laid out as BCM lays it out.
    @Suite struct SlurmTests {
        static let configuration = "/cm/shared/apps/slurm/var/etc/slurm/slurm.conf"
        static let settings = "wlm; use slurm"

        /// The lab, every node idle.
        private static func ready() async throws -> Lab {
            let lab = try await Lab.ready()
            try #require(lab.hasSlurm, "the lab that is up has no Slurm: scripts/lab.sh up --slurm")
            try await lab.nodesAreIdle()
            return lab
        }

        @Test func aJobOfAUserWithAnAccountGetsItsGPUsAndIsAccounted() async throws {
            let lab = try await Self.ready()
            let said = try await lab.asUser("srun --gpus=2 sh -c 'echo $SLURM_JOB_ID $CUDA_VISIBLE_DEVICES $(id -un)'")
            let words = said.split(separator: " ")
            #expect(words.count == 3 && words[1] == "0,1" && words[2] == "alice", "\(said)")
            let job = try #require(words.first)
            try await eventually("slurmdbd knows the end of job \(job)") {
                try await lab.output("head-b", "sacct -X -n -P -j \(job) -o account,state") == "research|COMPLETED"
            }
            let path = "/cm/shared/apps/slurm/current/bin/sacct -X -n -P -j \(job) -o user"
            #expect(try await lab.output("login-01", path) == "alice")
        }

        @Test func settingsOfBCMReachItsOwnSectionAloneAndSlurm() async throws {
            let lab = try await Self.ready()
            let original = try await lab.output("head-a", "cat \(Self.configuration); echo .")
            let process = try await lab.output("head-a", "systemctl show --value -p MainPID slurmctld")
            try await lab.cmsh("\(Self.settings); set prologslurmctld /usr/local/sbin/x.sh; commit")
            let changed = try await lab.output("head-a", "cat \(Self.configuration); echo .")
            #expect(changed.contains("\nPrologSlurmctld=/usr/local/sbin/x.sh\n"))
            #expect(changed.replacing("PrologSlurmctld=/usr/local/sbin/x.sh\n", with: "") == original)
            #expect(
                try await lab.output("head-a", "scontrol show config | grep '^PrologSlurmctld '").hasSuffix("x.sh"))
            try await lab.cmsh("\(Self.settings); cgroups; set constrainswapspace yes; commit")
            let groups = "/cm/shared/apps/slurm/var/etc/slurm/cgroup.conf"
            #expect(try await lab.output("dgx-01", "cat \(groups)").contains("\nConstrainSwapSpace=yes\n"))
            try await lab.cmsh(
                "\(Self.settings); clear prologslurmctld; cgroups; set constrainswapspace no; commit")
            #expect(try await lab.output("head-a", "cat \(Self.configuration); echo .") == original)
            #expect(
                try await lab.output("head-a", "systemctl show --value -p MainPID slurmctld") == process, "no restart")
        }

        @Test func aChangedSelectTypeRestartsSlurmEverywhere() async throws {
            let lab = try await Self.ready()
            let look = "systemctl show --value -p MainPID"
            let before = try await (lab.output("head-a", "\(look) slurmctld"), lab.output("dgx-03", "\(look) slurmd"))
            try await lab.cmsh("\(Self.settings); set selecttypeparameters CR_CPU_Memory; commit")
            let after = try await (lab.output("head-a", "\(look) slurmctld"), lab.output("dgx-03", "\(look) slurmd"))
            #expect(before.0 != after.0 && before.1 != after.1)
            #expect(try await lab.succeeds("head-a", "scontrol show config | grep -q 'CR_CPU_MEMORY'"))
            try await lab.cmsh("\(Self.settings); set selecttypeparameters CR_Core; commit")
            try await lab.nodesAreIdle()
        }

        @Test func theGenericPrologRunsItsScriptsInOrderAndAFailureStopsTheLaterOnesAndDrainsTheNode() async throws {
            let lab = try await Self.ready()
            try await lab.output(
                "dgx-02",
                """
                cd /cm/local/apps/slurm/var/prologs
                for name in 20-second 10-first 30-third; do
                    printf '#!/bin/sh\\necho %s $SLURM_JOB_ID $CUDA_VISIBLE_DEVICES >> /run/prologs\\n[ %s != 20-second ] || exit $(cat /run/verdict)\\n' \
                        $name $name > $name
                    chmod 755 $name
                done
                echo 0 > /run/verdict
                """)
            let job = try await lab.asUser("srun -w dgx-02 --gpus=1 printenv SLURM_JOB_ID")
            let lines = ["10-first", "20-second", "30-third"].map { "\($0) \(job) 0" }
            #expect(try await lab.output("dgx-02", "cat /run/prologs") == lines.joined(separator: "\n"))
            try await lab.output("dgx-02", "rm /run/prologs; echo 1 > /run/verdict")
            _ = try await lab.asUser("sbatch -w dgx-02 --wrap 'exit 0'")
            try await eventually("the node is drained") {
                try await lab.output("head-a", "sinfo -h -n dgx-02 -o %T").hasPrefix("drain")
            }
            #expect(try await !lab.succeeds("dgx-02", "grep -q third /run/prologs"))
            try await lab.output("dgx-02", "rm /cm/local/apps/slurm/var/prologs/[123]0-* /run/prologs /run/verdict")
            try await lab.output("head-a", "scancel -u alice; scontrol update nodename=dgx-02 state=resume")
            try await lab.nodesAreIdle()
        }

        @Test func theStandInForTheDriverListsWhatTheNodeHas() async throws {
            let lab = try await Self.ready()
            let rows = try await lab.output("dgx-01", "nvidia-smi --query-gpu=index,uuid --format=csv,noheader")
            #expect(rows.split(separator: "\n").count == 8)
            #expect(rows.hasPrefix("0, GPU-00000000-0000-0000-0000-000000000000\n"))
            try await lab.output("dgx-01", "printf '0 1g.10gb\\n0 1g.10gb\\n' > /etc/stand-in-mig")
            let list = try await lab.output("dgx-01", "nvidia-smi -L; rm /etc/stand-in-mig")
            #expect(list.split(separator: "\n").filter { $0.contains("(UUID: MIG-") }.count == 2, "\(list)")
            #expect(try await !lab.succeeds("dgx-01", "nvidia-smi --query-gpu=nonsense --format=csv"))
        }
    }
}

extension Lab {
    /// Whether the lab was started with `--slurm`.
    var hasSlurm: Bool { variable("SLURM") == "yes" }

    /// Waits until every DGX node is idle.
    func nodesAreIdle() async throws {
        try await eventually(within: .seconds(60), "every node is idle") {
            try await output("head-a", "timeout 5 sinfo -h -t idle -o %D || true") == "\(hosts("dgx").count)"
        }
    }

    /// Runs shell text on the login node as the user who has an account.
    func asUser(_ text: String) async throws -> String {
        try await output("login-01", ShellQuoting.quote(["su", "-", "alice", "-c", text]))
    }
}
