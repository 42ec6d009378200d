/// One setting that the wizard asks for.
struct WizardQuestion: Sendable {
    /// What a value is, and so how an answer is read.
    enum Kind: Sendable {
        case text
        /// Text that may be left away with `none`.
        case optionalText
        case number
        case flag
        case hosts
    }

    /// Where the value stands in the file.
    let keyPath: String
    /// What it is, in a few words.
    let subject: String
    let kind: Kind
    /// Whether it is asked of everyone, and not only of those who look at the details.
    let isBasic: Bool
    /// Whether it matters, given the other answers.
    let applies: @Sendable (DeploymentConfiguration) -> Bool

    init(
        _ keyPath: String, _ subject: String, _ kind: Kind, isBasic: Bool = true,
        when applies: @escaping @Sendable (DeploymentConfiguration) -> Bool = { _ in true }
    ) {
        self.keyPath = keyPath
        self.subject = subject
        self.kind = kind
        self.isBasic = isBasic
        self.applies = applies
    }

    static let all = [
        WizardQuestion("cluster_name", "Slurm's ClusterName, the label of all metrics", .text),
        WizardQuestion("systems.dgx_nodes", "the compute nodes", .hosts),
        WizardQuestion("systems.slurm_controller", "where slurmctld runs", .hosts),
        WizardQuestion("systems.login_nodes", "where users type jobstats", .hosts),
        WizardQuestion("use_existing_prometheus", "whether Prometheus exists and is not ours to touch", .flag),
        WizardQuestion("systems.prometheus_server", "where Prometheus is installed", .hosts) {
            !$0.usesExistingPrometheus
        },
        WizardQuestion("prometheus_server", "the host under which clients reach Prometheus", .text),
        WizardQuestion("use_existing_grafana", "whether Grafana exists and is not ours to touch", .flag),
        WizardQuestion("systems.grafana_server", "where Grafana is installed", .hosts) { !$0.usesExistingGrafana },
        WizardQuestion("grafana_server", "the host under which clients reach Grafana", .text),
        WizardQuestion("deploy_bcm_role_monitor", "whether exporters follow the BCM role of their node", .flag),
        WizardQuestion("wlm_instance", "BCM's name of the workload manager", .optionalText, isBasic: false),
        WizardQuestion("prometheus_port", "Prometheus's port", .number, isBasic: false),
        WizardQuestion("grafana_port", "Grafana's port", .number, isBasic: false),
        WizardQuestion("node_exporter_port", "the port of node_exporter", .number, isBasic: false),
        WizardQuestion("cgroup_exporter_port", "the port of cgroup_exporter", .number, isBasic: false),
        WizardQuestion("nvidia_gpu_exporter_port", "the port of the GPU exporter", .number, isBasic: false),
        WizardQuestion(
            "prometheus_retention_days", "how many days Prometheus keeps samples", .number, isBasic: false),
        WizardQuestion(
            "use_custom_prometheus_targets_dir", "whether target files go to a directory of your choice", .flag,
            isBasic: false),
        WizardQuestion(
            "prometheus_targets_dir", "the directory of target files, on shared storage", .text, isBasic: false
        ) { $0.usesCustomTargetsDirectory },
        WizardQuestion(
            "target_domain", "the domain appended to target addresses", .optionalText, isBasic: false),
    ]

    /// The setting of a key as it was typed; the lists of hosts are known without `systems.`, too.
    static func find(_ key: String) -> WizardQuestion? {
        all.first { $0.keyPath == key }
            ?? all.first { if case .hosts = $0.kind { $0.keyPath == "systems.\(key)" } else { false } }
    }

    /// The value that an answer stands for; nil for none. The rules of the file judge it.
    func node(for answer: String) -> JSONNode? {
        switch kind {
        case .text: JSONNode(.string(answer))
        case .optionalText: answer.lowercased() == "none" || answer.isEmpty ? nil : JSONNode(.string(answer))
        case .number: Int(answer).map { JSONNode(.number(String($0))) } ?? JSONNode(.string(answer))
        case .flag:
            switch answer.lowercased() {
            case "y", "yes", "true": JSONNode(.bool(true))
            case "n", "no", "false": JSONNode(.bool(false))
            default: JSONNode(.string(answer))
            }
        case .hosts: .strings(HostListEditor.entries(answer))
        }
    }

    /// The value as it stands, in words; the default where the file has none.
    func present(in draft: ConfigurationDraft) -> String {
        let written = Setting.all.first { $0.key == keyPath }?.write(DeploymentConfiguration())
        guard let node = draft[keyPath] ?? written else { return kind.isOptional ? "none" : "" }
        switch node.value {
        case .string(let text): return text.isEmpty ? "none" : text
        case .number(let literal): return literal
        case .bool(let flag): return flag ? "yes" : "no"
        case .null: return "none"
        case .array, .object: return node.inWords
        }
    }
}

extension WizardQuestion.Kind {
    var isOptional: Bool { if case .optionalText = self { true } else { false } }
}
