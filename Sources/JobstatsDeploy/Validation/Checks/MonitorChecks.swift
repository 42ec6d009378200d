extension JobstatsValidation {
    /// Group 10: the role monitor.
    func monitorChecks() -> [ValidationCheck] { [] }
}
