internal import BCMClient

/// One key of the configuration file: its name, how a value is taken over and how it is given back.
struct ConfigurationKey: Sendable {
    typealias Problem = MonitorConfigurationError.Problem
    typealias Path<Value> = any WritableKeyPath<MonitorConfiguration, Value> & Sendable

    let name: String
    /// Takes a value over, or says what is wrong with it.
    let take: @Sendable (JSONValue, inout MonitorConfiguration) -> [Problem]
    /// The configuration's value; nil when it is not written because there is none.
    let give: @Sendable (MonitorConfiguration) -> JSONValue?

    static let headNodes = "bcm_headnodes"

    /// Every key, in the order of the documentation.
    static let all: [ConfigurationKey] = [
        list(
            headNodes, \.headNodes, expected: "a list of head nodes, as in [\"head-a\", \"head-b:8081\"]",
            element: "a name or an address, with or without a port, as in \"head-a\" or \"head-a:8081\"",
            ConfigurationSyntax.isHeadNode),
        whole("bcm_port", \.port, 1...65535),
        text("cert_path", \.certificateFile, .absolutePath),
        text("key_path", \.keyFile, .absolutePath),
        optionalText("ca_path", \.authorityFile, .absolutePath),
        list(
            "pinned_keys", \.pinnedKeys, expected: "a list of public-key pins, as in [\"sha256//BASE64\"]",
            element: "a public-key pin, sha256// and the 44 characters of a SHA-256 digest in base 64",
            ConfigurationSyntax.isPublicKeyPin),
        flag("verify_hostname", \.verifiesHostname),
        flag("insecure", \.isInsecure),
        seconds("check_interval", \.checkInterval, 1...86_400),
        seconds("retry_interval", \.retryInterval, 1...604_800),
        whole("max_retries", \.maximumRetries, 1...1000),
        seconds("give_up_interval", \.giveUpInterval, 1...604_800),
        text("role", \.role, .word),
        flag("roles_visible", \.areRolesVisible),
        seconds("role_loss_delay", \.roleLossDelay, 0...3600),
        seconds("request_timeout", \.requestTimeout, 1...300),
        flag("manage_services", \.managesServices),
        flag("manage_targets", \.managesTargets),
        text("prometheus_targets_dir", \.targetsDirectory, .absolutePath),
        whole("node_exporter_port", \.nodeExporterPort, 1...65535),
        whole("cgroup_exporter_port", \.cgroupExporterPort, 1...65535),
        whole("nvidia_gpu_exporter_port", \.gpuExporterPort, 1...65535),
        text("cluster_name", \.clusterName, .line),
        optionalText("target_domain", \.targetDomain, .domain),
        text("state_dir", \.stateDirectory, .absolutePath),
        nullableText("metrics_textfile", \.metricsTextfile, .absolutePath),
        Self(RuleSyntax.key, takeAll: RuleSyntax.take) { RuleSyntax.give($0.additionalRules) },
    ]

    private init(
        _ name: String, expected: String, take: @escaping @Sendable (JSONValue, inout MonitorConfiguration) -> Bool,
        give: @escaping @Sendable (MonitorConfiguration) -> JSONValue?
    ) {
        self.name = name
        self.take = { value, configuration in
            take(value, &configuration) ? [] : [Problem(key: name, "found \(value.excerpt), expected \(expected)")]
        }
        self.give = give
    }

    private init(
        _ name: String, takeAll: @escaping @Sendable (JSONValue, inout MonitorConfiguration) -> [Problem],
        give: @escaping @Sendable (MonitorConfiguration) -> JSONValue?
    ) {
        self.name = name
        self.take = takeAll
        self.give = give
    }

    private static func whole(_ name: String, _ path: Path<Int>, _ range: ClosedRange<Int>) -> Self {
        Self(name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)") { value, configuration in
            guard let whole = value.number?.integer, range.contains(whole) else { return false }
            configuration[keyPath: path] = whole
            return true
        } give: {
            .number(JSONNumber($0[keyPath: path]))
        }
    }

    private static func seconds(_ name: String, _ path: Path<Duration>, _ range: ClosedRange<Int>) -> Self {
        Self(name, expected: "a number of seconds from \(range.lowerBound) to \(range.upperBound)") {
            value, configuration in
            guard let number = value.number?.double,
                (Double(range.lowerBound)...Double(range.upperBound)).contains(number)
            else { return false }
            configuration[keyPath: path] = .milliseconds(Int((number * 1000).rounded()))
            return true
        } give: {
            let milliseconds = Int($0[keyPath: path] / .milliseconds(1))
            let whole = JSONNumber(milliseconds / 1000)
            return .number(milliseconds % 1000 == 0 ? whole : JSONNumber(Double(milliseconds) / 1000) ?? whole)
        }
    }

    private static func flag(_ name: String, _ path: Path<Bool>) -> Self {
        Self(name, expected: "true or false") { value, configuration in
            guard case .boolean(let flag) = value else { return false }
            configuration[keyPath: path] = flag
            return true
        } give: {
            .boolean($0[keyPath: path])
        }
    }

    private static func text(_ name: String, _ path: Path<String>, _ syntax: ConfigurationSyntax) -> Self {
        Self(name, expected: syntax.expected) { value, configuration in
            guard case .text(let text) = value, syntax.accepts(text) else { return false }
            configuration[keyPath: path] = text
            return true
        } give: {
            .text($0[keyPath: path])
        }
    }

    /// A text that may be absent or null; both mean none, which is also the default.
    private static func optionalText(_ name: String, _ path: Path<String?>, _ syntax: ConfigurationSyntax) -> Self {
        Self(name, expected: syntax.expected + ", or null") { value, configuration in
            if case .null = value {
                configuration[keyPath: path] = nil
                return true
            }
            guard case .text(let text) = value, syntax.accepts(text) else { return false }
            configuration[keyPath: path] = text
            return true
        } give: {
            $0[keyPath: path].map { .text($0) }
        }
    }

    /// A text with a default, where null means none.
    private static func nullableText(_ name: String, _ path: Path<String?>, _ syntax: ConfigurationSyntax) -> Self {
        let key = optionalText(name, path, syntax)
        return Self(name, takeAll: key.take) { key.give($0) ?? .null }
    }

    private static func list(
        _ name: String, _ path: Path<[String]>, expected: String, element: String,
        _ accepts: @escaping @Sendable (String) -> Bool
    ) -> Self {
        Self(name) { value, configuration in
            guard case .array(let values) = value else {
                return [Problem(key: name, "found \(value.excerpt), expected \(expected)")]
            }
            var taken: [String] = []
            var problems: [Problem] = []
            for (index, value) in values.enumerated() {
                if case .text(let text) = value, accepts(text) {
                    taken.append(text)
                } else {
                    problems.append(Problem(key: "\(name)[\(index)]", "found \(value.excerpt), expected \(element)"))
                }
            }
            configuration[keyPath: path] = taken
            return problems
        } give: {
            .array($0[keyPath: path].map { .text($0) })
        }
    }
}
