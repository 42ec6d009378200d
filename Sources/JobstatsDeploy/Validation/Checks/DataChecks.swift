extension JobstatsValidation {
    /// Group 9: labels and data.
    func dataChecks() throws -> [ValidationCheck] {
        []
    }
}
