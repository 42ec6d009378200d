/// The scripts that Slurm runs for jobstats: files of this project with tests of their own.
enum SlurmScript {
    /// Notes which job has which GPU.
    static let prolog = text(PackageResources.prolog_jobstats_sh)
    /// Takes the notes away.
    static let epilog = text(PackageResources.epilog_jobstats_sh)
    /// Stores a job's summary.
    static let controllerEpilog = text(PackageResources.slurmctldepilog_sh)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
