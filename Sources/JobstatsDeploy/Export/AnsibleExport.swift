import CommandExecution

/// A playbook with an inventory that brings about what the plan says; for ansible-core 2.14 or later.
///
/// Steps in a row that are for the same hosts make a play. Where hosts differ in values alone, these are variables in
/// the inventory, so that the playbook does not grow with the number of nodes.
struct AnsibleExport {
    private let plan: ExportPlan

    init(_ plan: ExportPlan) { self.plan = plan }

    func folder() throws(ResourceError) -> ExportFolder {
        var folder = ExportFolder()
        var variables: [Host: [YAML.Entry]] = [:]
        var groups = HostGroups(plan)
        var plays: [YAML] = []
        for section in plan.sections {
            var rest = section.steps[...]
            while let first = rest.first {
                try ExportFolder.goOn()
                let steps = rest.prefix { $0.hosts == first.hosts }
                rest = rest.dropFirst(steps.count)
                plays.append(
                    play(section, Array(steps), on: groups.name(of: first.hosts), &folder, &variables))
            }
        }
        plays.insert(preparation(hasFiles: !folder.sums.isEmpty), at: 0)
        folder.add("site.yml", header + YAML.list(plays).document)
        folder.add("inventory.yml", header + inventory(groups, variables).document)
        folder.add("group_vars/all.yml", header + commonVariables.document)
        folder.add("SHA256SUMS", folder.sums)
        folder.add("README.md", readme)
        return folder
    }

    private var header: String { "# \(Installed.mark)\n" }

    // MARK: Plays

    /// What is copied is what was exported, what is allowed is something that can be, and every host tells its architecture.
    private func preparation(hasFiles: Bool) -> YAML {
        .object([
            "name": .text("What is allowed is known, the files of this export are whole, and every host answers"),
            "hosts": .text("all"),
            "become": .flag(true), "gather_facts": .flag(true), "gather_subset": .texts(["!all"]),
            "tags": .texts(["always"]),
            "tasks": .list([knownConsents] + (hasFiles ? [wholeFiles] : [])),
        ])
    }

    private var wholeFiles: YAML {
        .object([
            "name": .text("Files are as exported"),
            "ansible.builtin.command": .object([
                "argv": .texts(["sha256sum", "--check", "--quiet", "SHA256SUMS"]),
                "chdir": .template("{{ playbook_dir }}"),
            ]),
            "delegate_to": .text("localhost"), "become": .flag(false), "run_once": .flag(true),
            "changed_when": .flag(false), "check_mode": .flag(false),
        ])
    }

    /// A name that no task knows allows nothing, so it is a mistake.
    private var knownConsents: YAML {
        let asked = Set(plan.sections.flatMap(\.steps).compactMap(\.consent))
        let names = asked.union(Consent.exported.map(\.name)).sorted()
        let known = "[" + names.map { "'\($0)'" }.joined(separator: ", ") + "]"
        // A text would be looked at letter by letter.
        let isList =
            "bcm_jobstats_allow is sequence and bcm_jobstats_allow is not string and bcm_jobstats_allow is not mapping"
        return .object([
            "name": .text("What is allowed is known"),
            "ansible.builtin.assert": .object([
                "that": .texts([isList, "bcm_jobstats_allow | difference(\(known)) == []"]),
                "fail_msg": .template(
                    "bcm_jobstats_allow is {{ bcm_jobstats_allow | to_json }}, and has to be a list of these names: "
                        + names.joined(separator: ", ")),
                "quiet": .flag(true),
            ]),
            "delegate_to": .text("localhost"), "become": .flag(false), "run_once": .flag(true),
        ])
    }

    private func play(
        _ section: ExportPlan.Section, _ steps: [ExportPlan.Step], on group: String, _ folder: inout ExportFolder,
        _ variables: inout [Host: [YAML.Entry]]
    ) -> YAML {
        var tasks: [YAML] = []
        for step in steps { tasks += self.tasks(of: step, &folder, &variables) }
        return .object([
            "name": .text("\(section.number). \(plain(section.title)): \(plain(steps.map(\.title).first ?? ""))"),
            "hosts": .text(group), "become": .flag(true), "gather_facts": .flag(false),
            "tags": .texts(["section_\(section.number)"]), "tasks": .list(tasks),
        ])
    }

    private func tasks(
        of step: ExportPlan.Step, _ folder: inout ExportFolder, _ variables: inout [Host: [YAML.Entry]]
    ) -> [YAML] {
        var trees: [[YAML]] = []
        for group in step.groups {
            var writer = AnsibleTasks(step: step)
            for action in group.actions { writer.add(action, &folder) }
            trees.append(writer.tasks)
        }
        guard trees.count > 1 else { return trees.first ?? [] }
        let name = "bcm_jobstats_step_" + String(step.id.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        if let (tree, values) = YAML.unified(trees.map { .list($0) }, { .template("{{ \(name)[\($0)] }}") }),
            case .list(let tasks) = tree
        {
            for (group, values) in zip(step.groups, values) where !values.isEmpty {
                for host in group.hosts { variables[host, default: []].append(.init(key: name, value: .list(values))) }
            }
            return tasks
        }
        return zip(step.groups, trees).map { group, tasks in
            .object([
                "name": .text(plain(step.title)),
                "when": .text(
                    "inventory_hostname in [" + group.hosts.map { "'\($0.name)'" }.joined(separator: ", ") + "]"),
                "block": .list(tasks),
            ])
        }
    }

    private func plain(_ text: String) -> String { AnsibleTasks.plain(text) }

    // MARK: Inventory

    /// Names for sets of hosts: what they are in the configuration, or a number.
    private struct HostGroups {
        private(set) var groups: [(name: String, hosts: [Host])] = []
        private let roles: [(name: String, hosts: Set<Host>)]
        let all: [Host]

        init(_ plan: ExportPlan) {
            roles = plan.roles
            all = plan.hosts
        }

        mutating func name(of hosts: [Host]) -> String {
            if let known = groups.first(where: { $0.hosts == hosts }) { return known.name }
            let members = Set(hosts)
            let role = roles.first { role in role.hosts == members && !groups.contains { $0.name == role.name } }?.name
            let name = role ?? "group_\(groups.count + 1)"
            groups.append((name, hosts))
            return name
        }
    }

    private func inventory(_ groups: HostGroups, _ variables: [Host: [YAML.Entry]]) -> YAML {
        let hosts = plan.hosts.map { host in
            let local = host.isLocal ? [YAML.Entry(key: "ansible_connection", value: .text("local"))] : []
            return YAML.Entry(key: "\"\(host.name)\"", value: .map(local + (variables[host] ?? [])))
        }
        let children = groups.groups.map { group in
            YAML.Entry(
                key: group.name,
                value: .object(["hosts": .map(group.hosts.map { .init(key: "\"\($0.name)\"", value: .map([])) })]))
        }
        return .object(["all": .object(["hosts": .map(hosts), "children": .map(children)])])
    }

    private var commonVariables: YAML {
        let scripts = ExportPlan.scripts(of: plan.sections.flatMap(\.steps).flatMap(\.groups).flatMap(\.actions))
        let more = scripts.map { YAML.Entry(key: AnsibleTasks.variable(of: $0), value: .script($0.text)) }
        guard case .map(let entries) = fixedVariables else { return .map(more) }
        return .map(entries + more)
    }

    private var fixedVariables: YAML {
        .object([
            "bcm_jobstats_allow": .list([]), "bcm_jobstats_record": .text(plan.record.path),
            "bcm_jobstats_directory": .script(OwnershipScripts.makeDirectory),
            "bcm_jobstats_user": .script(OwnershipScripts.makeUser),
            "bcm_jobstats_link": .script(OwnershipScripts.makeLink), "bcm_jobstats_owned": .script(ExportScripts.owned),
            "bcm_jobstats_remember": .script(ExportScripts.record), "bcm_jobstats_unit": .script(ExportScripts.unit),
        ])
    }

    private var readme: String {
        var text = """
            # Jobstats deployment of \(Markdown.code(plan.clusterName)) as an Ansible playbook

            Brings about what `guided-setup` would, with ansible-core 2.14 or later, SSH to the hosts, and python3 on each \
            of them. It becomes root through sudo; on hosts without sudo, to which SSH goes as root, add \
            `-e ansible_become=false`. The host with `ansible_connection: "local"` in `inventory.yml` is the one \
            that this was exported on; elsewhere take that line out.

                ansible-playbook -i inventory.yml site.yml

            `--limit HOST` takes some hosts, `--tags section_4` some sections, `--forks 50` more hosts at once. Running it \
            again changes nothing that is in place. What disturbs running work is done only when allowed, as in \
            `-e '{"bcm_jobstats_allow": ["slurm-restart", "select-type"]}'`; without it a task says what waits for it. \
            What was changed on a host since it was deployed is kept \
            below \(Markdown.code(plan.record.backups)) before it is replaced.

            The playbook does not check prerequisites. `guided-setup --check` on the head node does, and afterwards finds \
            everything in place.

            """
        if !plan.missing.isEmpty {
            text += "\nNot part of this export:\n\n"
            text += plan.missing.map { "* \(Markdown.escape($0))\n" }.joined()
        }
        return text
    }
}
