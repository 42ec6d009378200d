import Testing

@testable import JobstatsDeploy

@Suite struct SlurmSettingTests {
    private let task = SlurmSetting.needed[2]
    private let accounting = SlurmSetting.needed[3]

    @Test(arguments: [
        ("affinity,cgroup", true), ("task/affinity,task/cgroup", true), ("task/cgroup,affinity", true),
        ("TASK/Cgroup , task/Affinity", true), ("cgroup,affinity,none", true), ("task/affinity", false),
        ("task/none", false), ("(null)", false), ("", false), ("affinity/cgroup", false), ("xaffinity,cgroup", false),
    ])
    func pluginListsAreComparedAsSets(_ value: String, _ isSatisfied: Bool) {
        #expect(task.isSatisfied(by: value) == isSatisfied)
        #expect(task.isSatisfied(by: task.wanted(insteadOf: value)))
    }

    @Test(arguments: [
        ("task/affinity", "task/affinity,task/cgroup"), ("affinity", "affinity,cgroup"),
        ("task/none", "task/affinity,task/cgroup"), ("", "task/affinity,task/cgroup"),
        ("cray_aries,cgroup", "cray_aries,cgroup,affinity"),
    ])
    func whatIsThereStaysInItsForm(_ value: String, _ wanted: String) {
        #expect(task.wanted(insteadOf: value) == wanted)
    }

    @Test(arguments: [
        ("cpu,mem,energy,node,billing,fs/disk,vmem,pages,gres/gpu", true), ("GRES/GPU", true), ("gres/gpu:a100", false),
        ("gres/gpumem", false), ("gres/craynetwork", false),
    ])
    func gpusMustBeAmongWhatIsAccounted(_ value: String, _ isSatisfied: Bool) {
        #expect(accounting.isSatisfied(by: value) == isSatisfied)
    }

    @Test func accountedResourcesStay() {
        #expect(accounting.wanted(insteadOf: "gres/gpu:a100,license/x") == "gres/gpu:a100,license/x,gres/gpu")
        #expect(accounting.wanted(insteadOf: nil) == "gres/gpu")
    }

    @Test func aPluginIsTakenWithAndWithoutItsKind() {
        let gather = SlurmSetting.needed[0]
        #expect(gather.isSatisfied(by: "jobacct_gather/cgroup"))
        #expect(gather.isSatisfied(by: "cgroup"))
        #expect(!gather.isSatisfied(by: "jobacct_gather/linux"))
        #expect(!gather.isSatisfied(by: nil))
        #expect(gather.wanted(insteadOf: "jobacct_gather/linux") == "jobacct_gather/cgroup")
    }
}
