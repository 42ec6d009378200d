import BCMClient
import CommandExecution
import RoleMonitor

extension JobstatsValidation {
    /// Group 10: the role monitor on each node, and what it leaves on shared storage.
    func monitorChecks() throws -> [ValidationCheck] {
        let files = try targetFileChecks()
        guard configuration.deploysRoleMonitor else { return files }
        return [unitCheck, unitFileCheck, settingsCheck, recentCheck, roleCheck, certificateCheck, givenUpCheck]
            + files + [fleetCheck, imageCheck]
    }

    private static let unit = MonitorPaths.unitName
    private static let connectivity =
        "on the node: bcm-role-monitor --check-connectivity; journalctl -u bcm-role-monitor"

    private var unitCheck: ValidationCheck {
        let unit = Self.unit
        return ValidationCheck(
            "10.active", "The role monitor runs", expected: "\(unit) is active, and enabled at boot",
            byHand: ["systemctl status bcm-role-monitor"], on: dgxNodes, asking: { _ in [.unit(unit)] }
        ) { host, facts, _ in
            guard let known = facts.unit(unit) else { return .unseen("it was not told", advice: "look there") }
            let look = "on the node: systemctl status bcm-role-monitor; journalctl -u bcm-role-monitor"
            if known.isMissing { return .failed("there is no \(unit)", advice: Self.repair(10, host)) }
            if known.isMasked { return .failed("it is masked", advice: "on the node: systemctl unmask \(unit)") }
            guard known.active == "active" else {
                return .failed(
                    known.active == "activating" ? "it starts again and again" : "it is \(known.active)",
                    advice: "\(look); then \(Self.repair(10, host))")
            }
            guard known.enablement == "enabled" else {
                return .failed("it runs, and is not enabled at boot", advice: "on the node: systemctl enable \(unit)")
            }
            return known.needsReload
                ? .warning("systemd has an older unit file", advice: "on the node: systemctl daemon-reload")
                : .passed(known.statusText.isEmpty ? "active" : known.statusText)
        }
    }

    private var unitFileCheck: ValidationCheck {
        let path = MonitorPaths.unitFile
        let form = MonitorUnit.rendered(targetsDirectory: configuration.targetsDirectory)
        return ValidationCheck(
            "10.unit-file", "Unit file of the role monitor", expected: "as the deployment writes it",
            byHand: ["systemctl cat bcm-role-monitor"], on: dgxNodes, asking: { _ in [.file(path), .content(path)] }
        ) { host, facts, _ in
            guard let content = facts.content(path) else {
                return .failed("\(path) is missing", advice: Self.repair(10, host))
            }
            let text = String(decoding: content, as: UTF8.self)
            if text == form { return .passed(path) }
            let wanted = Set(form.split(separator: "\n"))
            let odd = text.split(separator: "\n").first { !wanted.contains($0) }
            return .failed(
                "it is not as deployed" + (odd.map { ": \(Words.cut(String($0), 120))" } ?? ", lines are missing"),
                advice: Self.repair(10, host))
        }
    }

    /// What the monitor is told: whom to ask, whom to trust, where to write, which ports.
    private var settingsCheck: ValidationCheck {
        let path = MonitorPaths.configurationFile
        let wanted = MonitorSettings(configuration, nil).monitor
        return ValidationCheck(
            "10.settings", "The role monitor's configuration",
            expected: "it verifies the head nodes, and has this site's cluster, ports and directory",
            byHand: ["cat \(path)"], on: dgxNodes, asking: { _ in [.file(path), .content(path)] }
        ) { host, facts, evidence in
            guard let content = facts.content(path) else {
                return .failed("\(path) is missing", advice: Self.repair(10, host))
            }
            let found: MonitorConfiguration
            do throws(MonitorConfigurationError) {
                found = try MonitorConfiguration.parse(content).configuration
            } catch {
                return .failed("it cannot be read: \(Words.cut("\(error)", 200))", advice: Self.repair(10, host))
            }
            let problems = Self.differences(found, wanted, evidence)
            return problems.isEmpty
                ? .passed(found.pinnedKeys.isEmpty ? "verified by the cluster's CA" : "verified by pinned keys")
                : .failed(problems.joined(separator: "; "), advice: Self.repair(10, host))
        }
    }

    private static func differences(
        _ found: MonitorConfiguration, _ wanted: MonitorConfiguration, _ evidence: ValidationEvidence
    ) -> [String] {
        var problems: [String] = []
        if found.isInsecure { problems.append("insecure is true: whoever answers as a head node is believed") }
        if !found.isInsecure, found.authorityFile == nil, found.pinnedKeys.isEmpty {
            problems.append("neither ca_path nor pinned_keys: the first key seen is believed")
        }
        func compare<Value: Equatable>(_ key: String, _ path: KeyPath<MonitorConfiguration, Value>) {
            if found[keyPath: path] != wanted[keyPath: path] {
                problems.append("\(key) is \(found[keyPath: path]), not \(wanted[keyPath: path])")
            }
        }
        compare("cluster_name", \.clusterName)
        compare("prometheus_targets_dir", \.targetsDirectory)
        compare("node_exporter_port", \.nodeExporterPort)
        compare("cgroup_exporter_port", \.cgroupExporterPort)
        compare("nvidia_gpu_exporter_port", \.gpuExporterPort)
        compare("role", \.role)
        compare("manage_services", \.managesServices)
        compare("manage_targets", \.managesTargets)
        compare("check_interval", \.checkInterval)
        if found.targetDomain != wanted.targetDomain {
            problems.append("target_domain is \(found.targetDomain ?? "none")")
        }
        if case .success(let heads) = evidence.site.headNodes {
            let named = Set(found.headNodes.map { String($0.split(separator: ":").first ?? "") })
            let missing = heads.filter { !named.contains($0) }
            if !missing.isEmpty { problems.append("it does not know the head node \(missing.joined(separator: ", "))") }
        }
        return problems
    }

    private var recentCheck: ValidationCheck {
        let interval = Double(configuration.monitorTimes.checkInterval)
        let limit = max(180, 3 * interval)
        return ValidationCheck(
            "10.recent", "The role monitor's last check", expected: "it succeeded, less than \(Int(limit)) s ago",
            byHand: ["systemctl status bcm-role-monitor", "cat \(MonitorReading.path)"], on: dgxNodes,
            asking: { _ in [.unit(Self.unit), .content(MonitorReading.path)] }
        ) { host, facts, evidence in
            guard let reading = MonitorReading(facts), let last = reading.lastCheck else {
                return .failed("it has left no metrics", advice: Self.connectivity)
            }
            // By the host's clock, which 1.clock compares with this one.
            let age = evidence.now - last
            if age < -60 {
                return .unseen(
                    "the last check is said to be in the future", advice: "look at the clocks: 1.clock; timedatectl")
            }
            if age > limit {
                return .failed("the last check was \(Words.time(.seconds(age))) ago", advice: Self.connectivity)
            }
            if reading.isPaused(at: evidence.now) { return .skipped("paused") }
            if evidence.site.hasRole(host) == false, reading.state(of: evidence.site.role) == "unknown" {
                return .passed("\(Words.time(.seconds(max(0, age)))) ago; the role was never shown here")
            }
            guard let success = reading.lastSuccess else {
                return .failed("BCM has given no certain answer yet", advice: Self.connectivity)
            }
            let silence = evidence.now - success
            return silence > limit
                ? .failed(
                    "BCM gave no certain answer for \(Words.time(.seconds(silence))); nothing is changed meanwhile",
                    advice: Self.connectivity)
                : .passed("\(Words.time(.seconds(max(0, age)))) ago")
        }
    }

    private var roleCheck: ValidationCheck {
        ValidationCheck(
            "10.role", "The role as the monitor sees it", expected: "what cmsh says",
            byHand: ["systemctl status bcm-role-monitor", "cmsh -c 'device; roles NODE'"], on: dgxNodes,
            asking: { _ in [.content(MonitorReading.path)] }
        ) { host, facts, evidence in
            guard let hasRole = evidence.site.hasRole(host) else { return evidence.site.roleProblem(host) }
            let role = evidence.site.role, expected = hasRole ? "present" : "absent"
            guard let reading = MonitorReading(facts), let state = reading.state(of: role) else {
                return .failed("it has left no metrics about the role", advice: Self.connectivity)
            }
            if reading.isPaused(at: evidence.now) {
                return .warning("paused", advice: "on the node: bcm-role-monitor --resume, when the work there is done")
            }
            if state == expected { return .passed(state) }
            if state == "unknown" {
                return hasRole
                    ? .failed("cmsh says present, and the monitor cannot tell", advice: Self.connectivity)
                    : .passed(
                        "absent; the monitor, which never saw the role here, calls it unknown and changes nothing")
            }
            return .failed(
                "cmsh says \(expected), the monitor says \(state)",
                advice: "the role may just have changed: look again in a minute; then \(Self.connectivity)")
        }
    }

    private var certificateCheck: ValidationCheck {
        ValidationCheck(
            "10.certificate", "The client certificate", expected: "it is valid for 30 days or more",
            byHand: ["openssl x509 -enddate -noout -in CERT_PATH"], on: dgxNodes,
            asking: { _ in [.content(MonitorReading.path)] }
        ) { _, facts, _ in
            guard let days = MonitorReading(facts)?.certificateDays else {
                return .failed("the monitor does not say when it ends", advice: Self.connectivity)
            }
            let renewal = "on the head node: deploy-role-monitor --renew (a node's own certificate is renewed by BCM)"
            if days < 0 { return .failed("it ended \(Int(-days)) days ago", advice: renewal) }
            if days < 7 { return .failed("it ends in \(Int(days)) days", advice: renewal) }
            return days < 30
                ? .warning("it ends in \(Int(days)) days", advice: renewal) : .passed("\(Int(days)) days left")
        }
    }

    private var givenUpCheck: ValidationCheck {
        ValidationCheck(
            "10.given-up", "Units that the monitor gave up", expected: "none",
            byHand: ["systemctl status bcm-role-monitor"], on: dgxNodes,
            asking: { _ in [.content(MonitorReading.path)] }
        ) { _, facts, _ in
            guard let reading = MonitorReading(facts) else {
                return .failed("it has left no metrics", advice: Self.connectivity)
            }
            let units = reading.givenUp
            return units.isEmpty
                ? .passed("none")
                : .failed(
                    "given up: \(units.joined(separator: ", "))",
                    advice: "on the node: journalctl -u \(units[0]); mend it, then bcm-role-monitor --reset")
        }
    }

    /// Whether a node's image holds what would be lost otherwise when it boots next.
    private var imageCheck: ValidationCheck {
        let look = Command(
            "sh",
            [
                "-c",
                """
                for image in /cm/images/*/; do
                    [ -d "$image" ] || continue
                    for path; do [ -e "$image$path" ] || [ -L "$image$path" ] || printf '%s %s\\n' "$image" "$path"; done
                    printf '%s -\\n' "$image"
                done
                """, "sh", MonitorPaths.program, MonitorPaths.unitFile, MonitorPaths.configurationFile,
            ] + exporters.map { Installed.unitFile($0.unit) } + exporters.map { Installed.program($0.name) }
                + [SlurmPaths.prologLink, SlurmPaths.epilogLink], timeout: .seconds(20))
        return ValidationCheck(
            "10.image", "The node's software image",
            expected: "the deployed files are there (guided-setup --check compares them), so that a boot keeps them",
            byHand: ["ls -l /cm/images/IMAGE\(MonitorPaths.program)", "guided-setup --check --image IMAGE"],
            about: dgxNodes, asking: localHost, [.command(look)]
        ) { [dgxNodes] facts, evidence in
            Self.judgeImages(facts.result(look)?.outputText ?? "", dgxNodes, evidence)
        }
    }

    static func judgeImages(
        _ text: String, _ nodes: [Host], _ evidence: ValidationEvidence
    ) -> [Host: ValidationVerdict] {
        var missing: [String: [String]] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard words.count == 2, let name = words[0].split(separator: "/").last.map(String.init) else { continue }
            missing[name, default: []] += words[1] == "-" ? [] : [words[1]]
        }
        var verdicts: [Host: ValidationVerdict] = [:]
        for node in nodes {
            switch evidence.site.imageByNode {
            case .failure(let error):
                verdicts[node] = .unseen(
                    "BCM does not tell the nodes' images: \(error.reason)", advice: error.remedy ?? "look at: cmsh")
            case .success(let images):
                guard let name = images[node.name] ?? images[JobstatsPlan.shortName(node)] else {
                    verdicts[node] = .skipped("BCM names no image for it")
                    continue
                }
                guard let lacks = missing[name] else {
                    verdicts[node] = .skipped("the image \(name) does not lie under /cm/images on this head node")
                    continue
                }
                verdicts[node] =
                    lacks.isEmpty
                    ? .passed("the image \(name) holds it")
                    : .warning(
                        "the image \(name) lacks \(lacks[0])" + (lacks.count > 1 ? " and \(lacks.count - 1) more" : ""),
                        advice: "what is deployed is lost at the next boot: guided-setup --image \(name), or grabimage")
            }
        }
        return verdicts
    }
}
