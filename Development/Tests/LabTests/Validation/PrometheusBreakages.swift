/// Shell text for breakages of the monitoring node.
private enum Shell {
    static let file = "/etc/prometheus/prometheus.yml"
    static let unit = "/etc/systemd/system/prometheus.service"
    static let reload = "systemctl reload prometheus"

    /// Edits Prometheus's configuration and has it loaded.
    static func edit(_ script: String) -> String {
        "cp -p \(file) /root/kept && sed -i '\(script)' \(file) && \(reload)"
    }
    static let back = "cp -p /root/kept \(file) && \(reload)"

    /// Starts Prometheus with other flags, its unit file as it was.
    static func flags(_ script: String) -> String {
        """
        mkdir -p \(unit).d
        { echo '[Service]'; echo ExecStart=; grep '^ExecStart=' \(unit) | sed '\(script)'; } >\(unit).d/other.conf
        systemctl daemon-reload && systemctl restart prometheus
        """
    }
    static let flagsBack = "rm -r \(unit).d && systemctl daemon-reload && systemctl restart prometheus"

    /// Runs an exporter with another command line.
    static func exporter(_ name: String, _ line: String) -> String {
        """
        unit=/etc/systemd/system/\(name).service
        mkdir -p $unit.d && printf '[Service]\\nExecStart=\\nExecStart=\(line)\\n' >$unit.d/other.conf
        systemctl daemon-reload && systemctl restart \(name)
        """
    }
    static func exporterBack(_ name: String) -> String {
        "rm -r /etc/systemd/system/\(name).service.d && systemctl daemon-reload && systemctl restart \(name)"
    }
}

extension Breakage {
    private static let targets = "/cm/shared/apps/jobstats/prometheus-targets"
    /// What waits for the next scrape after a restart.
    private static let afterRestart = ["3.nvidia", "4.targets", "9."]

    /// Of Prometheus (group 4), and of what is judged through it.
    static let prometheus: [Breakage] = [
        Breakage(
            name: "Prometheus is stopped", host: "mon-01", breaking: "systemctl stop prometheus",
            undoing: "systemctl start prometheus", check: "4.ready", expected: ["mon-01"],
            consequences: ["1.prometheus", "2.prometheus", "2.reach", "3.nvidia", "4.", "9."]),
        Breakage(
            name: "the configuration is no YAML", host: "mon-01",
            breaking: "cp -p \(Shell.file) /root/kept && echo 'broken: [' >>\(Shell.file)", undoing: Shell.back,
            check: "4.configuration", expected: ["mon-01"], consequences: ["1.prometheus", "4.loaded"]),
        Breakage(
            name: "the configuration was changed and not loaded", host: "mon-01",
            breaking: "cp -p \(Shell.file) /root/kept && echo '# changed' >>\(Shell.file)", undoing: Shell.back,
            check: "4.loaded", expected: ["mon-01"], consequences: ["1.prometheus"]),
        Breakage(
            name: "the last reload failed", host: "mon-01",
            breaking: "cp -p \(Shell.file) /root/kept && echo 'broken: [' >>\(Shell.file) && \(Shell.reload)",
            undoing: Shell.back, check: "4.loaded", expected: ["mon-01"],
            consequences: ["1.prometheus", "4.configuration"]),
        Breakage(
            name: "the target files are not read", host: "mon-01",
            breaking: Shell.edit("s,\(targets)/,/srv/other/,"), undoing: Shell.back, check: "4.directory",
            expected: ["mon-01"], consequences: ["3.nvidia", "4.targets", "9."], patience: .seconds(30)),
        Breakage(
            name: "the target files are read too seldom", host: "mon-01",
            breaking: Shell.edit("s,refresh_interval: .*,refresh_interval: 5m,"), undoing: Shell.back,
            check: "4.directory", expected: ["mon-01"], state: "warning",
            consequences: ["3.nvidia", "4.targets", "9."]),
        Breakage(
            name: "another scrape interval", host: "mon-01", breaking: Shell.edit("s,30s,60s,"), undoing: Shell.back,
            check: "4.interval", expected: ["mon-01"], consequences: ["3.nvidia", "4.targets", "9."]),
        Breakage(
            name: "no retention flag", host: "mon-01",
            breaking: Shell.flags("s, --storage.tsdb.retention.time=[0-9]*d,,"), undoing: Shell.flagsBack,
            check: "4.retention", expected: ["mon-01"], consequences: ["1.prometheus"] + afterRestart),
        Breakage(
            name: "samples are kept for a shorter time", host: "mon-01",
            breaking: Shell.flags("s,retention.time=[0-9]*d,retention.time=30d,"), undoing: Shell.flagsBack,
            check: "4.retention", expected: ["mon-01"], consequences: ["1.prometheus"] + afterRestart),
        Breakage(
            name: "the rules are not loaded", host: "mon-01", breaking: Shell.edit("/^rule_files:/,+1d"),
            undoing: Shell.back, check: "4.rules", expected: ["mon-01"]),
        Breakage(
            name: "the rules are gone", host: "mon-01",
            breaking: "f=/etc/prometheus/jobstats-rules.yml; cp -p $f /root/rules && echo 'groups: []' >$f && "
                + Shell.reload,
            undoing: "cp -p /root/rules /etc/prometheus/jobstats-rules.yml && \(Shell.reload)", check: "4.rules",
            expected: ["mon-01"]),
        Breakage(
            name: "one exporter listens elsewhere", host: "dgx-02",
            breaking: Shell.exporter("cgroup_exporter", "/usr/local/bin/cgroup_exporter --web.listen-address=:9399"),
            undoing: Shell.exporterBack("cgroup_exporter"), check: "4.targets", expected: ["dgx-02"],
            consequences: ["1.cgroup_exporter", "2.cgroup_exporter", "3.cgroup_exporter", "9."], patience: .seconds(60)),
        Breakage(
            name: "something else answers on the port of the GPU exporter", host: "dgx-01",
            breaking: Shell.exporter("nvidia_gpu_exporter", "/usr/local/bin/node_exporter --web.listen-address=:9445"),
            undoing: Shell.exporterBack("nvidia_gpu_exporter"), check: "3.nvidia_gpu_exporter", expected: ["dgx-01"],
            consequences: ["1.nvidia_gpu_exporter"], patience: .seconds(150)),
        Breakage(
            name: "a node is not reached by Prometheus", host: "mon-01",
            breaking: "ip route add unreachable \"$(getent ahostsv4 dgx-01 | awk '{ print $1; exit }')\"/32",
            undoing: "ip route del unreachable \"$(getent ahostsv4 dgx-01 | awk '{ print $1; exit }')\"/32",
            check: "4.targets", expected: ["dgx-01"], consequences: ["3.nvidia"], patience: .seconds(75)),
        Breakage(
            name: "a target file of a node that nobody knows", host: "head-a",
            breaking: "cd \(targets) && sed 's/dgx-01/dgx-77/g' dgx-01.json >dgx-77.json",
            undoing: "rm \(targets)/dgx-77.json", check: "4.surplus", expected: ["mon-01"],
            consequences: ["10.orphans", "10.foreign"], patience: .seconds(75)),
        Breakage(
            name: "another label cluster", host: "mon-01",
            breaking: Shell.edit("s,replacement: \"\\{0\\,1\\}slurm\"\\{0\\,1\\}$,replacement: debug,"),
            undoing: Shell.back, check: "4.labels", expected: ["dgx-01", "dgx-02"],
            consequences: ["4.targets", "4.surplus", "9.labels"], patience: .seconds(60)),
        Breakage(
            name: "instance without its port", host: "mon-01", breaking: Shell.edit("s,\\${1}:9100,\\${1},"),
            undoing: Shell.back, check: "4.targets", expected: ["dgx-01", "dgx-02"],
            consequences: ["3.nvidia", "4.labels", "4.surplus", "9."], patience: .seconds(60)),
    ]
}
