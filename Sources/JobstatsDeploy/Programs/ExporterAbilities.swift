package import CommandExecution

/// Which flags the exporters that are to be installed know, found by asking them: their versions differ, one of them
/// cannot tell its version, and a program that gets an unknown flag does not start.
public struct ExporterAbilities: Sendable, Hashable {
    /// Whether cgroup_exporter wants to be told where Slurm's cgroups are: versions before 0.3.1, which know
    /// `--config.paths`. Later ones find cgroups of either version by themselves.
    public var cgroupPathsAreGiven = false
    /// Whether nvidia_gpu_exporter can read GPU Performance Monitoring, and knows `-disable.gpm`: revisions from
    /// October 2025 on. Before July 2026 that code can stop the kernel when two clients scrape at once, and no revision
    /// tells its age, so it is switched off wherever it is.
    public var gpmCanBeDisabled = false

    /// What the present revisions know.
    public init() {}

    /// Asks the programs for their help texts. One that does not answer counts as a present revision without GPM.
    ///
    /// - Parameters:
    ///   - cgroup: cgroup_exporter's path on this machine; nil when there is none for its architecture.
    ///   - gpu: nvidia_gpu_exporter's.
    package static func ask(
        cgroup: String?, gpu: String?, with executor: any CommandExecutor
    ) async -> ExporterAbilities {
        var abilities = ExporterAbilities()
        abilities.cgroupPathsAreGiven = await help(cgroup, executor).contains("--config.paths")
        abilities.gpmCanBeDisabled = await help(gpu, executor).contains("-disable.gpm")
        return abilities
    }

    private static func help(_ path: String?, _ executor: any CommandExecutor) async -> String {
        guard let path else { return "" }
        let command = Command(path, ["--help"], timeout: .seconds(10), outputLimit: 1 << 20)
        guard let result = try? await executor.run(command) else { return "" }
        return result.outputText + result.errorText
    }
}
