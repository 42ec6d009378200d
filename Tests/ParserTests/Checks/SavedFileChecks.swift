@testable import JobstatsDeploy
@testable import PromTargets
@testable import RoleMonitor

/// Files that these programs write and read again, and that anybody may have changed meanwhile.
enum SavedFileChecks {
    static func state(_ bytes: [UInt8]) throws -> Bool {
        guard let state = try? StateStore.decode(bytes) else { return false }
        // Numbers that JSON cannot hold are no state.
        guard let written = StateStore.encode(state) else { throw BrokenPromise(description: "it cannot be written") }
        let again = try? StateStore.decode(written)
        try promise(again == state, "written, it is read back otherwise")
        let host = HostIdentity(hostName: "dgx-01", addresses: ["02:00:00:00:00:01"], bootID: "boot")
        _ = state.belongs(to: host)
        var adopted = state
        adopted.adopt(host)
        try promise(adopted.belongs(to: host), "a state that was taken over belongs to another machine")
        _ = adopted.isAbsenceSettled(role: "slurmclient", node: "dgx-01")
        return true
    }

    static func progress(_ bytes: [UInt8]) throws -> Bool {
        let progress: Progress
        do throws(ProgressError) {
            progress = try ProgressFile.decode(bytes, "progress.json")
        } catch {
            try promise(!error.description.isEmpty, "refused without a reason")
            return false
        }
        var hosts: [String: [UInt8]] = [:]
        let written = try ProgressFile.encode(progress, &hosts)
        let again = try? ProgressFile.decode(written, "progress.json")
        try promise(again == progress, "written, it is read back otherwise")
        try promise(try ProgressFile.encode(progress, &hosts) == written, "from what is encoded already it differs")
        return true
    }

    static func targets(_ bytes: [UInt8]) throws -> Bool {
        let groups: [TargetGroup]
        do throws(PromTargetsError) {
            groups = try TargetGroup.decode(bytes)
        } catch {
            try promise(!error.reason.isEmpty, "refused without a reason")
            return false
        }
        let written = TargetGroup.encode(groups)
        let again = try? TargetGroup.decode(written)
        try promise(again == groups, "written, it is read back otherwise")
        try promise(again.map { TargetGroup.encode($0) } == written, "written twice it differs")
        return true
    }
}
