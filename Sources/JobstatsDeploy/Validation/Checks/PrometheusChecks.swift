extension JobstatsValidation {
    /// Group 4: what Prometheus knows.
    func prometheusChecks() throws -> [ValidationCheck] {
        []
    }
}
