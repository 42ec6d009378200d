extension JobstatsValidation {
    /// Group 6: BCM's settings of Slurm.
    func workloadChecks() throws -> [ValidationCheck] {
        []
    }
}
