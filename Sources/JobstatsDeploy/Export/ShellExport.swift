import CommandExecution

/// One script for each host, in POSIX sh with GNU coreutils, that brings about what the plan says.
///
/// A script may be run again at any time: it looks first, says what it changes, and changes only that.
struct ShellExport {
    private let plan: ExportPlan

    init(_ plan: ExportPlan) { self.plan = plan }

    func folder() throws(ResourceError) -> ExportFolder {
        var folder = ExportFolder()
        for host in plan.hosts {
            try ExportFolder.goOn()
            folder.add("hosts/\(host.name).sh", script(for: host, &folder), isExecutable: true)
        }
        let stages = plan.stages.enumerated().flatMap { stage, hosts in hosts.map { "\(stage + 1) \($0.name)\n" } }
        folder.add("stages", stages.joined())
        folder.add("run.sh", ShellStages.script, isExecutable: true)
        folder.add("SHA256SUMS", folder.sums)
        folder.add("README.md", readme)
        return folder
    }

    /// What its steps may wait for.
    private var consents: [String] { Set(plan.sections.flatMap(\.steps).compactMap(\.consent)).sorted() }

    private func script(for host: Host, _ folder: inout ExportFolder) -> String {
        let shortName = ValueRules.isIPv4(host.name) ? "" : JobstatsPlan.shortName(host)
        let steps = plan.sections.flatMap(\.steps)
        var text = ShellPrelude.text(
            host: host.name, shortName: shortName, record: plan.record, stages: plan.stages.count,
            consents: Set(consents),
            scripts: ExportPlan.scripts(of: steps.flatMap { $0.actions(on: host) ?? [] }))
        for section in plan.sections {
            var body = ""
            for step in section.steps {
                guard let actions = step.actions(on: host) else { continue }
                let lines = actions.map { render($0, &folder) }.joined()
                guard let consent = step.consent else {
                    body += lines
                    continue
                }
                body += "consent=\(ShellQuoting.quote(consent))\n\(lines)consent=''\n"
            }
            if !body.isEmpty {
                text += "\nif stage \(section.stages[host] ?? 1); then\n"
                text += "echo \(ShellQuoting.quote("\(section.number). \(section.title)"))\n\(body)fi\n"
            }
        }
        return text + "\nfinish\n"
    }

    // MARK: Actions

    private func render(_ action: ExportAction, _ folder: inout ExportFolder) -> String {
        if let script = action.script { return render(script, &folder) }
        switch action {
        case .file(let file): return render(file, &folder)
        case .owned(let path, let mark, let adoption, let unit):
            return call("owned", [path, mark, adoption, unit ?? ""])
        case .directory(let path, let mode, let owner, let group):
            return call("directory", [path, Mode.octal(mode), owner, group])
        case .link(let path, let target): return call("link", [path, target])
        case .absent(let path): return call("absent", [path])
        case .user(let name, let home): return call("user", [name, home])
        case .packages, .script: return ""
        case .unit(let unit): return call("unit", unit.arguments)
        case .check(let title, let command):
            return "check \(ShellQuoting.quote(title)) \(line(command, &folder))\n"
        case .byHand(let title, let instructions): return call("by_hand", [title] + instructions.commands)
        case .command(let command): return render(command, &folder)
        }
    }

    private func call(_ name: String, _ words: [String]) -> String {
        ([name] + words.map { ShellQuoting.quote($0) }).joined(separator: " ") + "\n"
    }

    private func render(_ file: ExportFile, _ folder: inout ExportFolder) -> String {
        let access = [file.path, Mode.octal(file.mode), "\(file.owner):\(file.group)"]
        if file.isSecret { return call("secret", access) }
        let copy = file.keepsBackup ? "yes" : "no"
        let check = file.validation.map { [$0.executable] + $0.arguments } ?? []
        // Texts stand in the script, where they can be read.
        if file.contents.count == 1, file.contents[0].architecture == nil, let text = file.contents[0].content.text,
            text.hasSuffix("\n"), !text.utf8.contains(0)
        {
            var end = "END_OF_FILE"
            while text.contains(end) { end += "_" }
            let words = ([file.contents[0].content.sha256, copy] + check)
            return call("put", access + words).dropLast() + " <<'\(end)'\n\(text)\(end)\n"
        }
        var words = access + [copy]
        for variant in file.contents {
            words += [
                variant.architecture ?? "any", variant.content.sha256, folder.add(variant.content, named: file.name),
            ]
        }
        return call("copy", words + ["--"] + check)
    }

    private func render(_ script: ExportScript, _ folder: inout ExportFolder) -> String {
        var text = ""
        if !script.input.isEmpty {
            text = call(
                "input",
                script.input.flatMap {
                    [$0.architecture ?? "any", $0.content.sha256, folder.add($0.content, named: "input")]
                })
        }
        let adoption = script.adoption.map { "adopt-\($0)" } ?? ""
        text += "script \(ShellQuoting.quote(script.title)) \(script.seconds) \"$\(script.script.name)_text\" "
        return text + ShellQuoting.quote([adoption] + script.arguments) + "\n"
    }

    private func render(_ command: ExportCommand, _ folder: inout ExportFolder) -> String {
        let title = ShellQuoting.quote(command.title)
        let commands = command.commands.map { "        \(line($0, &folder)) || failed \(title)\n" }.joined()
        let change = "    if would \(title); then\n\(commands)    fi\n"
        guard let unless = command.unless else { return "if true; then\n\(change)fi\n" }
        return "if ! quietly \(line(unless, &folder)); then\n\(change)fi\n"
    }

    /// A command with its time limit, environment and input.
    private func line(_ command: Command, _ folder: inout ExportFolder) -> String {
        var words = ["timeout", String(max(1, command.timeout.components.seconds))]
        if !command.environment.isEmpty {
            words += ["env"] + command.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        }
        let text = ShellQuoting.quote(words + [command.executable] + command.arguments)
        guard !command.input.isEmpty else { return text }
        if ExportCommand.isFile(command.input) {
            let content = FileContent.data(command.input)
            return "with_file \(content.sha256) \(folder.add(content, named: "input")) \(text)"
        }
        return "with_input \(ShellQuoting.quote(Base64.encode(command.input))) \(text)"
    }

    private var readme: String {
        var text = """
            # Jobstats deployment of \(Markdown.code(plan.clusterName)) as shell scripts

            `hosts/NAME.sh` brings about on the host NAME what `guided-setup` would. Put a copy of this folder on every \
            host, at the same place, where root alone can write, such as below `/root`. The scripts run as root: whoever \
            can change them on the way is root on every host. Storage that the root of a compute node can write, which \
            `/cm/shared` is on many sites, is no place for them; storage that only the head node's root can write is. Each \
            host's script runs there as root:

                sh hosts/NAME.sh --check    # says what would change
                sh hosts/NAME.sh            # changes it, and says what

            Some steps need what other hosts did before: the script of a job's prolog on shared storage, a setting before \
            a daemon's restart. So there \(plan.stages.count == 1 ? "is one stage" : "are \(plan.stages.count) stages"), \
            which the file `stages` lists with their hosts: all hosts of a stage must be done before the next one begins; \
            within a stage the order is free. From a machine that reaches all hosts as root with ssh, with this folder at \
            the same place on each, `run.sh` does that, 16 hosts at once or as many as `--parallel` says:

                sh run.sh --check
                sh run.sh\(consents.isEmpty ? "" : " --allow " + consents.joined(separator: ","))

            It stops at the first stage in which a host failed and names the host. What disturbs running work is done only \
            when allowed with `--allow NAME,...`\(consents.isEmpty ? "" : ", so leave out what may not be done now"); \
            without it, a script says what waits and goes on, as it does for what is left to a person. Then it ends with \
            status 3, and so does `run.sh`, which goes on with the other hosts and stages. Other statuses: 0 all is done, \
            1 something failed, 2 wrong usage.

            Without `--stage` a script does all of its host's stages. A script looks before it changes anything, so it may \
            be run again at any time, and the second time all of them say `0 changed`. Files below `files` are used only \
            when their SHA-256 is the one in the script. What a script replaces and this deployment did not put there is \
            kept below \(Markdown.code(plan.record.backups)).

            The scripts do not check prerequisites. `guided-setup --check` on the head node does, and afterwards finds \
            everything in place.

            """
        if !plan.missing.isEmpty {
            text += "\nNot part of this export:\n\n"
            text += plan.missing.map { "* \(Markdown.escape($0))\n" }.joined()
        }
        return text
    }
}
