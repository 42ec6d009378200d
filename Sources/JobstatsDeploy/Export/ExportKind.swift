/// The engines that a plan can be written for.
public enum ExportKind: String, Sendable, Hashable, CaseIterable {
    /// A playbook with an inventory, for ansible-core 2.14 or later.
    case ansible
    /// One POSIX shell script for each host.
    case shell

    /// What an export in this form is made of.
    func folder(_ plan: ExportPlan) throws(ResourceError) -> ExportFolder {
        switch self {
        case .ansible: try AnsibleExport(plan).folder()
        case .shell: try ShellExport(plan).folder()
        }
    }
}
