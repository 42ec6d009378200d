import CommandExecution
import FoundationEssentials
import Testing

extension LabTests {
    /// What scripts/package.sh makes, on a host that never had Swift.
    @Suite struct PackageTests {
        private static let node = "dgx-01"
        private static let programs = [
            "bcm-role-monitor", "bcmctl", "capacity-planner", "deploy-role-monitor", "guided-setup", "prom-targets",
            "setup-wizard", "validate-deployment",
        ]
        /// dpkg in the lab leaves manual pages and documents out, as its root file system is to be small.
        private static let install =
            "DEBIAN_FRONTEND=noninteractive dpkg --path-include='/usr/share/man/*' --path-include='/usr/share/doc/*' -i"
        /// Everything on the host that a package could leave behind, without what dpkg and systemd write for themselves.
        private static let listing = """
            find /etc /usr /opt /root /srv /var -xdev \\( -path /var/lib/dpkg -o -path /var/cache -o -path /var/log \
            -o -path /var/lib/systemd -o -path /var/tmp \\) -prune -o -print | LC_ALL=C sort
            """

        /// The packages: those of scripts/test.sh, or made now of the programs that the lab has.
        private func packages() async throws -> (tarball: [UInt8], deb: [UInt8]) {
            var folder = Lab.repository + "/.build-packages"
            let made = FileManager.default.temporaryDirectory.appending(path: "packages-\(UUID().uuidString)").path
            defer { try? FileManager.default.removeItem(atPath: made) }
            if !FileManager.default.fileExists(atPath: folder + "/SHA256SUMS") {
                folder = made
                let result = try await LocalExecutor().run(
                    Command(
                        Lab.repository + "/scripts/package.sh",
                        ["--programs", Lab.repository + "/.build-static/release", "--output", folder],
                        timeout: .seconds(300)))
                guard result.succeeded else { throw Lab.Failure(description: "package.sh: \(result.errorText)") }
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            func bytes(_ suffix: String) throws -> [UInt8] {
                let name = try #require(names.first { $0.hasSuffix(suffix) })
                return Array(try Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
            }
            return (try bytes(".tar.gz"), try bytes(".deb"))
        }

        @Test func packagesInstallRunUpgradeAndGoWithoutATrace() async throws {
            let (tarball, deb) = try await packages()
            try await Lab.with("packages", "--nodes", "1", "--no-monitoring") { lab in
                let node = Self.node
                #expect(try await !lab.succeeds(node, "command -v swift || ls /usr/lib/swift /opt/swift"))
                _ = try await lab.shell(node, "cat >/tmp/p.deb", input: deb, timeout: .seconds(120))
                _ = try await lab.shell(node, "cat >/tmp/p.tar.gz", input: tarball, timeout: .seconds(120))
                try await tarballRuns(lab, node)
                let before = try await lab.output(node, Self.listing)
                try await debianPackageRuns(lab, node)
                try await settingsSurvive(lab, node)
                try await purgeLeavesNothing(lab, node, before)
                try await purgeLeavesWhatWasDeployed(lab, node)
            }
        }

        /// From a folder whose name has a space, with nothing installed.
        private func tarballRuns(_ lab: Lab, _ node: String) async throws {
            let top = try await lab.output(
                node, "mkdir '/srv/a place' && cd '/srv/a place' && tar -xzf /tmp/p.tar.gz && echo \"$PWD\"/*")
            let place = ShellQuoting.quote([top])
            for program in Self.programs {
                #expect(try await lab.succeeds(node, "cd / && \(place)/bin/\(program) --version"), "\(program)")
            }
            try await lab.output(
                node,
                """
                cd '/srv/a place' && \(place)/bin/guided-setup --dry-run --state-dir /srv/state \
                --config \(place)/share/bcm-jobstats/configs/config.json.template
                """)
            #expect(try await lab.succeeds(node, "grep -q '^# ' /srv/state/guided_setup_document.md"))
            #expect(try await lab.succeeds(node, "cd / && \(place)/share/bcm-jobstats/scripts/bcmctl.sh --help"))
            // A unit's ExecStart is quoted where the program's place has a space.
            let unit = try await lab.output(
                node, "cd / && \(place)/bin/prom-targets unit sync --prometheus-targets-dir /t")
            #expect(unit.contains("\nExecStart=\"\(top)/bin/prom-targets\" sync "))
            try await lab.output(node, "rm -rf '/srv/a place' /srv/state")
        }

        private func debianPackageRuns(_ lab: Lab, _ node: String) async throws {
            let running = "systemctl list-units --state=running --plain --no-legend '*.service' | awk '{ print $1 }'"
            let before = try await lab.output(node, running)
            try await lab.output(node, Self.install + " /tmp/p.deb", timeout: .seconds(120))
            #expect(try await lab.output(node, running) == before, "something was started or stopped")
            #expect(try await lab.output(node, "dpkg --verify bcm-jobstats; dpkg --audit").isEmpty)
            for program in Self.programs {
                #expect(try await lab.output(node, "command -v \(program)") == "/usr/bin/\(program)")
                #expect(try await lab.succeeds(node, "cd / && \(program) --version && \(program) --help"))
                #expect(try await lab.succeeds(node, "gzip -t /usr/share/man/man[18]/\(program).[18].gz"))
                #expect(
                    try await lab.succeeds(
                        node,
                        """
                        bash -c '. /usr/share/bash-completion/completions/\(program) && complete -p \(program)' &&
                            test -s /usr/share/zsh/vendor-completions/_\(program) &&
                            test -s /usr/share/fish/vendor_completions.d/\(program).fish
                        """), "\(program)")
            }
            #expect(try await lab.succeeds(node, "/usr/share/bcm-jobstats/scripts/guided-setup.sh --version"))
            // A configuration from the template, and one from the wizard.
            try await lab.output(
                node,
                """
                cd / && cp /etc/bcm-jobstats/config.json.template /etc/bcm-jobstats/config.json && guided-setup --dry-run
                setup-wizard --non-interactive --set cluster_name=other >/dev/null
                grep -q '"other"' /etc/bcm-jobstats/config.json
                test -s /var/lib/bcm-jobstats/guided_setup_document.md
                """)
            // Units are known, sound, off, and find their programs: 2 is the monitor's word on its configuration.
            #expect(
                try await lab.output(
                    node,
                    """
                    systemctl list-unit-files --no-legend 'prom-targets*' 'jobstats*' 'bcm-role*' |
                        awk '{ print $1, $2 }'
                    """
                ) == """
                    bcm-role-monitor.service disabled
                    jobstats-validation.service static
                    prom-targets-prune.service static
                    prom-targets-sync.service disabled
                    jobstats-validation.timer disabled
                    prom-targets-prune.timer disabled
                    """)
            #expect(
                try await lab.output(
                    node,
                    "cd /lib/systemd/system && systemd-analyze verify --man=no bcm-role* prom-targets* jobstats* 2>&1"
                ).isEmpty)
            for unit in ["bcm-role-monitor", "prom-targets-sync"] {
                #expect(try await !lab.succeeds(node, "systemctl start \(unit)"))
                let status = "systemctl show -P ExecMainStatus \(unit); systemctl stop \(unit)"
                #expect(try await lab.output(node, status) == "2")
            }
            let own = try await lab.output(
                node,
                """
                prom-targets install-timer --unit-dir /tmp --prometheus-targets-dir /t >/dev/null
                cat /tmp/prom-targets-prune.service
                """)
            #expect(own.contains("\nExecStart=/usr/bin/prom-targets prune "))
        }

        /// A later version of the package, whose template is another one.
        private func settingsSurvive(_ lab: Lab, _ node: String) async throws {
            try await lab.output(
                node,
                """
                echo '# ours' >>/etc/bcm-jobstats/config.json.template
                dpkg-deb -R /tmp/p.deb /tmp/later && cd /tmp/later
                sed -i 's/^Version: .*/&+later/' DEBIAN/control
                echo '{}' >etc/bcm-jobstats/config.json.template
                dpkg-deb -Znone -b . /tmp/later.deb >/dev/null
                systemctl enable --quiet --now prom-targets-prune.timer
                \(Self.install) --force-confdef --force-confold /tmp/later.deb
                """, timeout: .seconds(180))
            #expect(try await lab.output(node, "dpkg-query -W -f '${Version}' bcm-jobstats").hasSuffix("+later"))
            #expect(try await lab.output(node, "tail -n 1 /etc/bcm-jobstats/config.json.template") == "# ours")
            #expect(try await lab.succeeds(node, "grep -q '\"other\"' /etc/bcm-jobstats/config.json"))
            #expect(try await lab.succeeds(node, "systemctl is-active prom-targets-prune.timer"))
        }

        private func purgeLeavesNothing(_ lab: Lab, _ node: String, _ before: String) async throws {
            try await lab.output(node, "dpkg -r bcm-jobstats", timeout: .seconds(120))
            #expect(try await !lab.succeeds(node, "command -v guided-setup"))
            #expect(try await !lab.succeeds(node, "systemctl is-active prom-targets-prune.timer"))
            #expect(
                try await lab.succeeds(
                    node,
                    "cd /etc/bcm-jobstats && test -s config.json && tail -n 1 config.json.template | grep -q ours"))
            #expect(try await lab.succeeds(node, "test -s /var/lib/bcm-jobstats/guided_setup_document.md"))
            try await lab.output(node, "dpkg -P bcm-jobstats")
            let after = try await lab.output(node, Self.listing)
            let left = Set(after.split(separator: "\n")).subtracting(before.split(separator: "\n"))
            #expect(left.isEmpty, "\(left.sorted())")
            let units = try await lab.shell(node, "systemctl list-unit-files --no-legend 'prom-targets*' 'jobstats*'")
            #expect(units.outputText.isEmpty)
        }

        /// What guided-setup put on the machine is taken away by guided-setup --uninstall.
        private func purgeLeavesWhatWasDeployed(_ lab: Lab, _ node: String) async throws {
            try await lab.output(
                node,
                """
                \(Self.install) /tmp/p.deb
                echo 'user  prometheus' >/var/lib/bcm-jobstats/installed
                echo X=1 >/etc/bcm-jobstats/grafana.env
                dpkg -P bcm-jobstats
                """, timeout: .seconds(120))
            #expect(try await lab.output(node, "cat /var/lib/bcm-jobstats/installed") == "user  prometheus")
            #expect(try await lab.output(node, "ls /etc/bcm-jobstats") == "grafana.env")
        }
    }
}
