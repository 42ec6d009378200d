/// What can be wrong with nodes and their monitors (groups 1, 2, 3, 5 and 10).
enum NodeBreakages {
    private static let monitor = "bcm-role-monitor"
    private static let settings = "/etc/bcm-role-monitor/config.json"
    private static let units = "/etc/systemd/system"
    private static let notes = "/run/gpustat"
    private static let scripts = "/cm/shared/apps/slurm/var/cm"
    private static let targets = Deployment.targets

    private static func cmsh(_ verb: String) -> String {
        "/cm/local/apps/cmd/bin/cmsh -c 'device use dgx-02; roles; \(verb) slurmclient; commit'"
    }

    /// A copy of a file is changed by sed, and put back afterwards.
    private static func edit(_ file: String, _ script: String) -> (breaking: String, undoing: String) {
        let kept = "/root/kept-\(file.split(separator: "/").last ?? "")"
        return ("cp -p \(file) \(kept) && sed -i '\(script)' \(file)", "cp -p \(kept) \(file); rm -f \(kept)")
    }

    static let services: [Breakage] = {
        let unitFile = edit("\(units)/cgroup_exporter.service", "s/^RestartSec=.*/RestartSec=77/")
        return [
            Breakage(
                name: "an exporter that cannot start", host: "dgx-01",
                breaking: "chmod -x /usr/local/bin/node_exporter; systemctl stop node_exporter; sleep 1",
                undoing: "chmod +x /usr/local/bin/node_exporter; bcm-role-monitor --reset; sleep 3",
                check: "1.node_exporter", expected: ["dgx-01"],
                consequences: ["2.node_exporter", "3.node_exporter", "4.", "9.", "10.given-up"]),
            Breakage(
                name: "an exporter and its monitor stopped", host: "dgx-01",
                breaking: "systemctl stop \(monitor) nvidia_gpu_exporter", undoing: "systemctl start \(monitor)",
                check: "1.nvidia_gpu_exporter", expected: ["dgx-01"],
                consequences: ["2.nvidia_gpu_exporter", "3.", "4.", "9.", "10.active"]),
            Breakage(
                name: "an exporter where no role is", host: "dgx-03",
                breaking: "systemctl stop \(monitor); systemctl start node_exporter",
                undoing: "systemctl stop node_exporter; systemctl start \(monitor)", check: "1.node_exporter",
                expected: ["dgx-03"], consequences: ["10.active"]),
            Breakage(
                name: "an exporter enabled at boot", host: "dgx-02", breaking: "systemctl enable cgroup_exporter",
                undoing: "systemctl disable cgroup_exporter", check: "1.cgroup_exporter", expected: ["dgx-02"],
                state: "warning"),
            Breakage(
                name: "a unit file with another line", host: "dgx-01",
                breaking: "\(unitFile.breaking) && systemctl daemon-reload",
                undoing: "\(unitFile.undoing); systemctl daemon-reload", check: "1.cgroup_exporter.unit-file",
                expected: ["dgx-01"]),
            Breakage(
                name: "a unit file that systemd has not read", host: "dgx-02",
                breaking: "touch -d '+1 minute' \(units)/node_exporter.service",
                undoing: "touch \(units)/node_exporter.service; systemctl daemon-reload", check: "1.node_exporter",
                expected: ["dgx-02"], state: "warning"),
            Breakage(
                name: "a program that is gone", host: "dgx-02",
                breaking: "mv /usr/local/bin/cgroup_exporter /root/; systemctl stop cgroup_exporter; sleep 1",
                undoing: "mv /root/cgroup_exporter /usr/local/bin/; bcm-role-monitor --reset; sleep 3",
                check: "1.cgroup_exporter", expected: ["dgx-02"],
                consequences: ["2.cgroup_exporter", "3.cgroup_exporter", "4.", "9.", "10.given-up", "10.image"]),
            Breakage(
                name: "a user whose id collides", host: "dgx-03",
                breaking: "cp -p /etc/passwd /root/; sed -i 's/^\\(prometheus:[^:]*:\\)[0-9]*/\\12000/' /etc/passwd",
                undoing: "cp -p /root/passwd /etc/passwd", check: "1.user", expected: ["dgx-03"]),
            Breakage(
                name: "a clock ten minutes ahead (date that says so)", host: "dgx-03",
                breaking: """
                    printf '#!/bin/sh\\nexec /bin/date -d "+10 minutes" "$@"\\n' >/usr/local/bin/date
                    chmod +x /usr/local/bin/date
                    """, undoing: "rm /usr/local/bin/date", check: "1.clock", expected: ["dgx-03"]),
            Breakage(
                name: "a full disk", host: "dgx-02", breaking: "mount -t tmpfs -o size=64k none /usr/local",
                undoing: "umount -l /usr/local", check: "1.disk", expected: ["dgx-02"], consequences: ["10."]),
            Breakage(
                name: "Grafana stopped", host: "mon-01", breaking: "systemctl stop grafana-server",
                undoing: "systemctl start grafana-server", check: "1.grafana-server", expected: ["mon-01"],
                consequences: ["2.grafana"]),
            Breakage(
                name: "Grafana not enabled", host: "mon-01", breaking: "systemctl disable grafana-server",
                undoing: "systemctl enable grafana-server", check: "1.grafana-server", expected: ["mon-01"]),
        ]
    }()

    static let ports: [Breakage] = {
        func dropIn(_ command: String) -> (breaking: String, undoing: String) {
            let folder = "\(units)/cgroup_exporter.service.d"
            return (
                """
                mkdir -p \(folder)
                printf '[Service]\\nExecStart=\\nExecStart=\(command)\\n' >\(folder)/x.conf
                systemctl daemon-reload; systemctl restart cgroup_exporter; sleep 1
                """, "rm -r \(folder); systemctl daemon-reload; systemctl restart cgroup_exporter"
            )
        }
        let other = dropIn("/usr/local/bin/node_exporter --web.listen-address=:9306")
        let port = dropIn("/usr/local/bin/cgroup_exporter --web.listen-address=:9999")
        return [
            Breakage(
                name: "an exporter on another port", host: "dgx-01", breaking: port.breaking, undoing: port.undoing,
                check: "2.cgroup_exporter", expected: ["dgx-01"], consequences: ["3.cgroup_exporter", "4.", "9."]),
            Breakage(
                name: "something else on an exporter's port", host: "dgx-03",
                breaking:
                    "systemd-run --unit=squatter /usr/local/bin/node_exporter --web.listen-address=:9306; sleep 1",
                undoing: "systemctl stop squatter", check: "2.cgroup_exporter", expected: ["dgx-03"],
                consequences: ["3.cgroup_exporter"]),
            Breakage(
                name: "another exporter on the port", host: "dgx-01", breaking: other.breaking, undoing: other.undoing,
                check: "3.cgroup_exporter", expected: ["dgx-01"], consequences: ["4.", "9."]),
            Breakage(
                name: "a metrics file that is none", host: "dgx-02",
                breaking: "echo 'not a metric' >/var/lib/node_exporter/textfile_collector/broken.prom",
                undoing: "rm /var/lib/node_exporter/textfile_collector/broken.prom", check: "3.node_exporter",
                expected: ["dgx-02"], consequences: ["4.", "9."]),
            Breakage(
                name: "Prometheus not reached from a login node", host: "login-01",
                breaking: "cp -p /etc/hosts /root/; sed -i 's/^[^#]*\\(mon-01\\)/127.0.0.1 \\1/' /etc/hosts",
                undoing: "cat /root/hosts >/etc/hosts", check: "2.reach-prometheus", expected: ["login-01"],
                consequences: ["7."]),
        ]
    }()

    static let hooks: [Breakage] = {
        let prolog = edit("\(scripts)/prolog-jobstats.sh", "2i sleep 60")
        let link = "/cm/local/apps/slurm/var/prologs/60-prolog-jobstats.sh"
        let epilogLink = "/cm/local/apps/slurm/var/epilogs/60-epilog-jobstats.sh"
        let controllerEpilog = "/usr/local/sbin/slurmctldepilog.sh"
        return [
            Breakage(
                name: "a prolog's link that leads nowhere", host: "dgx-01",
                breaking: "ln -sfn /nonexistent \(link)", undoing: "ln -sfn \(scripts)/prolog-jobstats.sh \(link)",
                check: "5.prolog", expected: ["dgx-01"]),
            Breakage(
                name: "no epilog's link", host: "dgx-02", breaking: "rm \(epilogLink)",
                undoing: "ln -sfn \(scripts)/epilog-jobstats.sh \(epilogLink)", check: "5.epilog",
                expected: ["dgx-02"]),
            Breakage(
                name: "a prolog that cannot be run", host: "head-a", breaking: "chmod -x \(scripts)/prolog-jobstats.sh",
                undoing: "chmod +x \(scripts)/prolog-jobstats.sh", check: "5.prolog-script", expected: ["head-a"],
                consequences: ["5.prolog"]),
            Breakage(
                name: "a prolog that sleeps", host: "head-a", breaking: prolog.breaking, undoing: prolog.undoing,
                check: "5.prolog-script", expected: ["head-a"]),
            Breakage(
                name: "no epilog's script", host: "head-a", breaking: "mv \(scripts)/epilog-jobstats.sh /root/",
                undoing: "mv /root/epilog-jobstats.sh \(scripts)/", check: "5.epilog-script", expected: ["head-a"],
                consequences: ["5.epilog"]),
            Breakage(
                name: "no epilog of slurmctld", host: "head-a", breaking: "mv \(controllerEpilog) /root/",
                undoing: "mv /root/slurmctldepilog.sh \(controllerEpilog)", check: "5.slurmctld-epilog",
                expected: ["head-a"], consequences: ["7.", "8."]),
            Breakage(
                name: "the note of a prolog that found no device", host: "dgx-01",
                breaking: "mkdir -p \(notes); echo 1 1 >\(notes)/Nodeviceswerefound",
                undoing: "rm \(notes)/Nodeviceswerefound", check: "5.notes", expected: ["dgx-01"],
                consequences: ["9."]),
            Breakage(
                name: "a note without a job", host: "dgx-02", breaking: "mkdir -p \(notes); echo none >\(notes)/99",
                undoing: "rm \(notes)/99", check: "5.notes", expected: ["dgx-02"], state: "warning"),
        ]
    }()

    static let monitors: [Breakage] = {
        let unitFile = edit("\(units)/\(monitor).service", "s/^RestartSec=.*/RestartSec=99/")
        func setting(_ name: String, _ script: String) -> Breakage {
            let change = edit(settings, script)
            return Breakage(
                name: name, host: "dgx-01", breaking: change.breaking, undoing: change.undoing, check: "10.settings",
                expected: ["dgx-01"])
        }
        /// A certificate that BCM's authority did not sign, in the place of the monitor's.
        func certificate(days: Int) -> String {
            """
            cert=$(sed -n 's/.*"cert_path": "\\(.*\\)".*/\\1/p' \(settings))
            key=$(sed -n 's/.*"key_path": "\\(.*\\)".*/\\1/p' \(settings))
            mkdir -p /root/own && cp -p "$cert" /root/own/cert && cp -p "$key" /root/own/key
            openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -days \(days) -out /root/own/c -keyout /root/own/k
            cat /root/own/c >"$cert"; cat /root/own/k >"$key"
            systemctl restart \(monitor)
            """
        }
        let restore = """
            cert=$(sed -n 's/.*"cert_path": "\\(.*\\)".*/\\1/p' \(settings))
            key=$(sed -n 's/.*"key_path": "\\(.*\\)".*/\\1/p' \(settings))
            cat /root/own/cert >"$cert"; cat /root/own/key >"$key"; rm -r /root/own
            systemctl restart \(monitor)
            """
        return [
            Breakage(
                name: "a monitor stopped", host: "dgx-01", breaking: "systemctl stop \(monitor)",
                undoing: "systemctl start \(monitor)", check: "10.active", expected: ["dgx-01"]),
            Breakage(
                name: "a monitor not enabled", host: "dgx-02", breaking: "systemctl disable \(monitor)",
                undoing: "systemctl enable \(monitor)", check: "10.active", expected: ["dgx-02"]),
            Breakage(
                name: "a monitor's unit file changed", host: "dgx-03",
                breaking: "\(unitFile.breaking) && systemctl daemon-reload",
                undoing: "\(unitFile.undoing); systemctl daemon-reload", check: "10.unit-file", expected: ["dgx-03"]),
            setting("a monitor that believes anybody", "s/\"insecure\": false/\"insecure\": true/"),
            setting(
                "a monitor with another cluster's name", "s/\"cluster_name\": \"[^\"]*\"/\"cluster_name\": \"other\"/"),
            setting("a monitor with another port", "s/\"node_exporter_port\": 9100/\"node_exporter_port\": 9101/"),
            setting("a monitor's configuration that is cut off", "$d"),
            setting("a monitor that does not know a head node", "s/\"head-b[^\"]*\"/\"head-z\"/"),
            Breakage(
                name: "a certificate of another CA", host: "dgx-01", breaking: certificate(days: 200),
                undoing: restore, check: "10.role", expected: ["dgx-01"], consequences: ["10."],
                patience: .seconds(60)),
            Breakage(
                name: "a certificate with five days left", host: "dgx-02", breaking: certificate(days: 5),
                undoing: restore, check: "10.certificate", expected: ["dgx-02"], consequences: ["10."],
                patience: .seconds(60)),
            Breakage(
                name: "a monitor without metrics", host: "dgx-01",
                breaking:
                    "systemctl stop \(monitor); rm /var/lib/node_exporter/textfile_collector/bcm_role_monitor.prom",
                undoing: "systemctl start \(monitor)", check: "10.recent", expected: ["dgx-01"],
                consequences: ["10."]),
            Breakage(
                name: "a paused monitor", host: "dgx-02", breaking: "bcm-role-monitor --pause 10m; sleep 3",
                undoing: "bcm-role-monitor --resume; sleep 3", check: "10.role", expected: ["dgx-02"], state: "warning",
                consequences: ["1.", "4.", "9.", "10.target-file"]),
        ]
    }()

    static let targetFiles: [Breakage] = [
        Breakage(
            name: "no target file", host: "dgx-01", breaking: "systemctl stop \(monitor); rm \(targets)/dgx-01.json",
            undoing: "systemctl start \(monitor)", check: "10.target-file", expected: ["dgx-01"],
            consequences: ["4.", "9.", "10.active"]),
        Breakage(
            name: "the target file of another node", host: "dgx-01",
            breaking: "systemctl stop \(monitor); cat \(targets)/dgx-02.json >\(targets)/dgx-01.json",
            undoing: "systemctl start \(monitor)", check: "10.target-file", expected: ["dgx-01"],
            consequences: ["4.", "9.", "10.active", "10.foreign"]),
        Breakage(
            name: "the target file of a node that is gone", host: "head-a",
            breaking: "sed s/dgx-01/dgx-99/g \(targets)/dgx-01.json >\(targets)/dgx-99.json",
            undoing: "rm \(targets)/dgx-99.json", check: "10.orphans", expected: ["head-a"],
            consequences: ["4.", "9."]),
        Breakage(
            name: "a foreign file", host: "head-a", breaking: "echo '[]' >\(targets)/README",
            undoing: "rm \(targets)/README", check: "10.foreign", expected: ["head-a"], state: "warning"),
        Breakage(
            name: "what a killed write left", host: "head-a", breaking: "touch \(targets)/.dgx-01.json.x.new",
            undoing: "rm \(targets)/.dgx-01.json.x.new", check: "10.foreign", expected: ["head-a"], state: "warning"),
        Breakage(
            name: "a role that went while the monitor was stopped", host: "head-a",
            breaking: "ssh dgx-02 systemctl stop \(monitor) && \(cmsh("unassign"))",
            undoing: "\(cmsh("assign")); ssh dgx-02 systemctl start \(monitor)",
            check: "10.target-file", expected: ["dgx-02"],
            consequences: ["1.", "4.", "9.", "10.active", "10.fleet", "10.role", "10.orphans"]),
    ]

    static let unreachable: [Breakage] = [
        Breakage(
            // It can be reached again only since it was told before to listen again.
            name: "a node that refuses SSH", host: "head-a",
            breaking: """
                ssh dgx-03 'systemd-run --on-active=45 systemctl start ssh.service; systemctl stop ssh.socket ssh.service' || :
                """,
            undoing: "for i in $(seq 90); do ssh -o ConnectTimeout=2 dgx-03 true && exit 0; sleep 1; done; exit 1",
            check: "10.active", expected: ["dgx-03"], state: "unseen",
            consequences: ["1.", "2.", "3.", "5.", "7.", "10."]),
        Breakage(
            name: "no cmsh", host: "head-a", breaking: "chmod -x /cm/local/apps/cmd/bin/cmsh",
            undoing: "chmod +x /cm/local/apps/cmd/bin/cmsh", check: "10.role",
            expected: ["dgx-01", "dgx-02", "dgx-03"], state: "unseen",
            consequences: ["1.", "2.", "3.", "4.", "6.", "9.", "10."]),
    ]
}
