extension JobstatsValidation {
    /// Group 8: slurm.conf and the running Slurm.
    func slurmChecks() -> [ValidationCheck] {
        []
    }
}
