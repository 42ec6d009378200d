extension Plan {
    /// The part of the plan that belongs into a software image, instead of onto the nodes that boot from it: files,
    /// links, users, packages and what starts at boot, and nothing that only a running node has.
    ///
    /// - Parameters:
    ///   - image: the image.
    ///   - nodes: the nodes that boot from it; steps for other hosts are left out.
    ///   - sharedFolders: absolute paths of shared storage, which is no part of an image.
    ///   - head: the host that puts things on shared storage in the nodes' place; nil leaves them out.
    func within(
        _ image: SoftwareImage, for nodes: Set<Host>, sharedFolders: [String], head: Host? = nil
    ) -> Plan {
        Plan(
            sections: sections.compactMap { section in
                var section = section
                section.onlyLooks = false
                section.notes = ""
                section.steps = section.steps.compactMap { step in
                    guard let resource = step.commonResource?.imageForm, step.consent == nil else { return nil }
                    let isShared = resource.changedPaths.contains { path in
                        sharedFolders.contains { path == $0 || path.hasPrefix("\($0)/") }
                    }
                    if isShared {
                        guard let head, step.hosts == [head] || !nodes.isDisjoint(with: step.hosts) else { return nil }
                        return Step(step.id, step.title, on: [head], resource)
                    }
                    guard !nodes.isDisjoint(with: step.hosts) else { return nil }
                    return Step(step.id, step.title, on: [image.host], resource)
                }
                return section.steps.isEmpty ? nil : section
            })
    }
}

extension Resource {
    /// The paths that it stands for.
    fileprivate var changedPaths: [String] {
        switch self {
        case let file as FileResource: [file.path]
        case let directory as DirectoryResource: [directory.path]
        case let link as LinkResource: [link.path]
        default:
            queries.compactMap { query in
                if case .file(let path) = query { path } else { nil }
            }
        }
    }
}
