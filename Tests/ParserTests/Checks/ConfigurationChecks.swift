@testable import JobstatsDeploy
@testable import RoleMonitor

/// A configuration that is accepted is written such that it is read back the same; one that is refused has a reason.
enum ConfigurationChecks {
    static func monitor(_ bytes: [UInt8]) throws -> Bool {
        let configuration: MonitorConfiguration
        do throws(MonitorConfigurationError) {
            configuration = try MonitorConfiguration.parse(bytes).configuration
        } catch {
            try promise(!error.description.isEmpty, "refused without a reason")
            return false
        }
        let written = configuration.encoded()
        let again = try? MonitorConfiguration.parse(written)
        try promise(again?.configuration == configuration, "written, it is read back otherwise")
        try promise(again?.configuration.encoded() == written, "written twice it differs")
        return true
    }

    static func deployment(_ bytes: [UInt8]) throws -> Bool {
        let reading = DeploymentConfiguration.parse(bytes)
        let lines = bytes.count { $0 == UInt8(ascii: "\n") } + 1
        for issue in reading.issues {
            try promise(!issue.message.isEmpty, "an issue without words")
            let line = issue.location?.line ?? 1
            try promise((1...lines).contains(line), "an issue on line \(line) of \(lines)")
        }
        guard let configuration = reading.configuration else {
            try promise(!reading.errors.isEmpty, "refused without a reason")
            return false
        }
        let written = configuration.encoded()
        let again = DeploymentConfiguration.parse(written)
        try promise(again.configuration == configuration, "written, it is read back otherwise: \(again.errors)")
        try promise(again.configuration?.encoded() == written, "written twice it differs")
        return true
    }
}
