import DurableFiles

/// Finds the programs that are to be copied, and makes sure that they are what the configuration says.
struct ProgramLocator {
    let configuration: DeploymentConfiguration
    /// The folder of this project's own programs.
    let programFolder: String

    /// The programs that some sections need.
    static func names(for sections: Set<Int>, _ configuration: DeploymentConfiguration) -> [ArtifactSource.Name] {
        var names: [ArtifactSource.Name] = []
        if sections.contains(4) { names.append(.nodeExporter) }
        if sections.contains(6), !configuration.usesExistingPrometheus { names += [.prometheus, .promtool] }
        if sections.contains(10), configuration.deploysRoleMonitor { names.append(.roleMonitor) }
        return names
    }

    /// What was found, and what is wrong with the rest, in words.
    struct Findings {
        var programs: [ArtifactSource.Name: [ArtifactSource.Architecture: DeploymentContext.LocalProgram]] = [:]
        var problems: [String] = []
    }

    func find(_ names: [ArtifactSource.Name]) -> Findings {
        var findings = Findings()
        for name in names {
            for architecture in [ArtifactSource.Architecture.x86, .arm] {
                switch configuration.artifacts[name]?[architecture]?.location {
                case .file(let path, let sha256):
                    add(path, expected: sha256, "artifacts.\(name)", name, architecture, &findings)
                case .package(_, let binary):
                    // The package is installed on this machine; its program is copied like any other file.
                    guard architecture == Self.own else { continue }
                    add(binary, expected: nil, "artifacts.\(name).binary", name, architecture, &findings)
                case nil:
                    guard name == .roleMonitor, architecture == Self.own else { continue }
                    add(
                        "\(programFolder)/bcm-role-monitor", expected: nil, "the program beside this one", name,
                        architecture, &findings)
                }
            }
        }
        return findings
    }

    #if arch(arm64)
        private static let own = ArtifactSource.Architecture.arm
    #else
        private static let own = ArtifactSource.Architecture.x86
    #endif

    private func add(
        _ path: String, expected: String?, _ origin: String, _ name: ArtifactSource.Name,
        _ architecture: ArtifactSource.Architecture, _ findings: inout Findings
    ) {
        let bytes: [UInt8]?
        do {
            bytes = try DurableFile.read(path, limit: 1 << 30)
        } catch {
            findings.problems.append("\(origin): \(error)")
            return
        }
        guard let bytes else {
            findings.problems.append("\(origin): there is no file \(path)")
            return
        }
        let sha256 = SHA256Digest.hex(bytes)
        if let expected, expected != sha256 {
            findings.problems.append(
                "\(origin): \(path) has the SHA-256 \(sha256), not \(expected): it is another file than the one meant")
            return
        }
        findings.programs[name, default: [:]][architecture] = DeploymentContext.LocalProgram(
            path: path, sha256: sha256, size: bytes.count)
    }
}
