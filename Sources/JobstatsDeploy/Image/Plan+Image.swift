extension Plan {
    /// The part of the plan that belongs into a software image, instead of onto the nodes that boot from it: files,
    /// links, users, packages and what starts at boot, and nothing that only a running node has.
    ///
    /// - Parameters:
    ///   - image: the image.
    ///   - nodes: the nodes that boot from it; steps for other hosts are left out.
    ///   - sharedFolders: absolute paths of shared storage, which is no part of an image.
    func within(_ image: SoftwareImage, for nodes: Set<Host>, sharedFolders: [String]) -> Plan {
        Plan(
            sections: sections.compactMap { section in
                var section = section
                section.onlyLooks = false
                section.notes = ""
                section.steps = section.steps.compactMap { step in
                    guard !nodes.isDisjoint(with: step.hosts), let resource = step.commonResource?.imageForm else {
                        return nil
                    }
                    let isShared = resource.paths.contains { path in
                        sharedFolders.contains { path == $0 || path.hasPrefix("\($0)/") }
                    }
                    return isShared ? nil : Step(step.id, step.title, on: [image.host], resource)
                }
                return section.steps.isEmpty ? nil : section
            })
    }
}

extension Resource {
    /// The paths that its queries name.
    fileprivate var paths: [String] {
        queries.compactMap { query in
            switch query {
            case .file(let path), .content(let path), .link(let path): path
            default: nil
            }
        }
    }
}
