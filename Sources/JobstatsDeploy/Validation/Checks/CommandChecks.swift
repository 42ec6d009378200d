extension JobstatsValidation {
    /// Group 7: the jobstats command.
    func commandChecks() throws -> [ValidationCheck] {
        []
    }
}
