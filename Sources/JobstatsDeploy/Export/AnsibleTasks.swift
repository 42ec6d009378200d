import CommandExecution

/// Writes the tasks that stand for a step's actions.
struct AnsibleTasks {
    private let step: ExportPlan.Step
    private(set) var tasks: [YAML] = []

    init(step: ExportPlan.Step) { self.step = step }

    /// A name that Ansible takes as it is: it fills in templates in names, too.
    static func plain(_ text: String) -> String {
        text.replacing("{", with: "(").replacing("}", with: ")")
    }

    /// - Parameter isLook: whether it changes nothing, and so happens in a dry run of Ansible, too.
    private mutating func task(
        _ title: String, _ module: String, _ arguments: YAML, isLook: Bool = false, register: String? = nil,
        failedWhen: YAML? = nil, changedWhen: YAML? = nil, when: String? = nil, further: [YAML.Entry] = []
    ) {
        var conditions: [String] = []
        if let consent = step.consent, !isLook { conditions.append("'\(consent)' in bcm_jobstats_allow") }
        if let when { conditions.append(when) }
        let entries = YAML.object([
            "name": .text(Self.plain("\(step.title): \(title)")), "ansible.builtin.\(module)": arguments,
            "register": register.map { .text($0) }, "failed_when": failedWhen,
            "changed_when": isLook ? .flag(false) : changedWhen, "check_mode": isLook ? .flag(false) : nil,
            "when": conditions.isEmpty ? nil : .texts(conditions),
        ])
        guard case .map(let members) = entries else { return }
        tasks.append(.map(members + further))
    }

    /// A script of `group_vars`, with arguments.
    private func script(_ name: String, _ arguments: [YAML]) -> YAML {
        .object(["argv": .list([.text("sh"), .text("-c"), .template("{{ \(name) }}"), .text("sh")] + arguments)])
    }

    private static let record = YAML.template("{{ bcm_jobstats_record }}")

    mutating func add(_ action: ExportAction, _ folder: inout ExportFolder) {
        if let script = action.script { return add(script, &folder) }
        switch action {
        case .file(let file): add(file, &folder)
        case .owned(let path, let mark, let adoption, let unit):
            let adopted = YAML.template("{{ 'yes' if 'adopt-\(adoption)' in bcm_jobstats_allow else 'no' }}")
            task(
                "\(path) is free or ours", "command",
                script(
                    "bcm_jobstats_owned",
                    [.text(path), .text(mark), .text(adoption), .text(unit ?? ""), Self.record, adopted]), isLook: true)
        case .directory(let path, let mode, let owner, let group):
            // Made by a script that remembers it; what is there already is put right by the module.
            task(
                "made", "command",
                {
                    let arguments = [path, Mode.octal(mode), owner, group].map { YAML.text($0) } + [Self.record]
                    guard case .map(let entries) = script("bcm_jobstats_directory", arguments) else { return .map([]) }
                    return .map(entries + [.init(key: "creates", value: .text(path))])
                }())
            task(
                path, "file",
                .object([
                    "path": .text(path), "state": .text("directory"), "mode": .text(Mode.octal(mode)),
                    "owner": .text(owner), "group": .text(group),
                ]))
        case .link(let path, let target):
            let isSo =
                #"if [ -L "$1" ]; then [ "$(readlink -- "$1")" = "$2" ]; elif [ -e "$1" ]; then exit 2; else exit 1; fi"#
            look(Command("sh", ["-c", isSo, "sh", path, target]), failsAt: 2)
            task(
                path, "command", script("bcm_jobstats_link", [.text(target), .text(path)]),
                when: "bcm_jobstats_look.rc != 0")
        case .absent(let path): task(path, "file", .object(["path": .text(path), "state": .text("absent")]))
        case .user(let name, let home):
            look(Command("getent", ["passwd", "--", name]))
            task(
                name, "command", script("bcm_jobstats_user", [.text(name), .text(home), Self.record]),
                when: "bcm_jobstats_look.rc != 0")
        case .packages, .script: break
        case .unit(let unit):
            task(
                unit.name, "command", script("bcm_jobstats_unit", (["-y"] + unit.arguments).map { .text($0) }),
                register: "bcm_jobstats_unit_result",
                changedWhen: .text("bcm_jobstats_unit_result.stdout | default('') | length > 0"))
        case .command(let command): add(command, &folder)
        case .check(let title, let command):
            task(title, "command", Self.arguments(command), changedWhen: .flag(false), further: Self.limits(command))
        case .byHand(let title, let instructions):
            task(
                "by hand", "debug",
                .object(["msg": .texts(["By hand: \(title)"] + instructions.commands)]))
        }
    }

    /// The variable of `group_vars` that holds a script.
    static func variable(of script: ScriptText) -> String { "bcm_jobstats_script_\(script.name)" }

    private mutating func add(_ script: ExportScript, _ folder: inout ExportFolder) {
        func call(_ mode: String) -> YAML {
            let adopted = script.adoption.map {
                [YAML.template("{{ 'yes' if 'adopt-\($0)' in bcm_jobstats_allow else 'no' }}")]
            }
            return self.script(
                Self.variable(of: script.script), [.text(mode)] + (adopted ?? []) + script.arguments.map { .text($0) })
        }
        let limit = [YAML.Entry(key: "timeout", value: .number(script.seconds))]
        let says = "(bcm_jobstats_said.stdout | default('')) | length > 0"
        guard step.consent != nil || !script.input.isEmpty else {
            task(
                script.title, "command", call("-y"), register: "bcm_jobstats_said", changedWhen: .text(says),
                further: limit)
            return
        }
        task(
            "\(script.title): as wanted?", "command", call("-n"), isLook: true, register: "bcm_jobstats_said",
            further: limit)
        if let consent = step.consent {
            tasks.append(
                .object([
                    "name": .text(Self.plain("\(step.title): needs consent (\(consent))")),
                    "ansible.builtin.debug": .object(["var": .text("bcm_jobstats_said.stdout_lines")]),
                    "when": .texts(["'\(consent)' not in bcm_jobstats_allow", says]),
                ]))
        }
        guard !script.input.isEmpty else {
            task(script.title, "command", call("-y"), when: says, further: limit)
            return
        }
        // The bytes go as a file that is root's, and away again.
        let chosen = choice(script.input, named: "input", &folder)
        let place = YAML.template(Self.inputPlace), owner = YAML.text("root")
        var condition = says
        if script.input.allSatisfy({ $0.architecture != nil }) {
            let names = script.input.compactMap(\.architecture).map { "'\($0)'" }.joined(separator: ", ")
            condition = "\(says) and ansible_facts['architecture'] in [\(names)]"
        }
        task(
            "\(script.title): input", "copy",
            .object([
                "src": chosen.source, "dest": place, "owner": owner, "group": owner, "mode": .text("0600"),
            ]), when: condition)
        guard case .map(let entries) = call("-y"), case .list(let words)? = entries.first?.value else { return }
        let reading = #"if [ -f "$0" ]; then "$@" <"$0"; else "$@" </dev/null; fi"#
        task(
            script.title, "command",
            .object(["argv": .list([.text("sh"), .text("-c"), .text(reading), place] + words)]), when: says,
            further: limit)
        task(
            "\(script.title): input removed", "file", .object(["path": place, "state": .text("absent")]),
            when: condition)
    }

    private static let inputPlace = "/root/.bcm-jobstats-input"

    private mutating func look(_ command: Command, failsAt status: Int? = nil) {
        task(
            "as wanted?", "command", Self.arguments(command), isLook: true, register: "bcm_jobstats_look",
            failedWhen: status.map { .text("bcm_jobstats_look.rc == \($0)") } ?? .flag(false),
            further: Self.limits(command))
    }

    private mutating func add(_ command: ExportCommand, _ folder: inout ExportFolder) {
        if let unless = command.unless { look(unless) }
        for one in command.commands {
            let condition = command.unless == nil ? nil : "bcm_jobstats_look.rc != 0"
            guard ExportCommand.isFile(one.input) else {
                task(command.title, "command", Self.arguments(one), when: condition, further: Self.limits(one))
                continue
            }
            // A playbook's standard input is text: the bytes go as a file that is root's, and away again.
            let source = YAML.template("{{ playbook_dir }}/" + folder.add(.data(one.input), named: "input"))
            let place = YAML.template(Self.inputPlace)
            let owner = YAML.text("root"), mode = YAML.text("0600")
            task(
                "\(command.title): input", "copy",
                .object(["src": source, "dest": place, "owner": owner, "group": owner, "mode": mode]), when: condition)
            let script = YAML.text("\"$@\" <\"$0\"")
            let words =
                [.text("sh"), .text("-c"), script, place] + ([one.executable] + one.arguments).map { YAML.text($0) }
            task(command.title, "command", .object(["argv": .list(words)]), when: condition, further: Self.limits(one))
            task(
                "\(command.title): input removed", "file", .object(["path": place, "state": .text("absent")]),
                when: condition)
        }
    }

    private static func arguments(_ command: Command) -> YAML {
        let input = command.input.isEmpty ? nil : String(decoding: command.input, as: UTF8.self)
        return .object([
            "argv": .texts([command.executable] + command.arguments), "stdin": input.map { .text($0) },
            "stdin_add_newline": input == nil ? nil : .flag(false),
        ])
    }

    private static func limits(_ command: Command) -> [YAML.Entry] {
        var entries = [YAML.Entry(key: "timeout", value: .number(Int(max(1, command.timeout.components.seconds))))]
        if !command.environment.isEmpty {
            let variables = command.environment.sorted { $0.key < $1.key }.map {
                YAML.Entry(key: $0.key, value: .text($0.value))
            }
            entries.append(.init(key: "environment", value: .map(variables)))
        }
        return entries
    }

    // MARK: Files

    private struct Exported {
        let architecture: String?
        let sha256: String
        let path: String
    }

    private mutating func add(_ file: ExportFile, _ folder: inout ExportFolder) {
        guard !file.isSecret else {
            task(
                "the secret \(file.path) was put there from the head node; it is not exported", "command",
                .object(["argv": .texts(["test", "-f", file.path])]), isLook: true)
            return
        }
        let (digest, source) = choice(file.contents, named: file.name, &folder)
        let pair = [digest, YAML.text(file.path)]
        func remember(_ action: String, _ title: String) {
            task(
                title, "command", script("bcm_jobstats_remember", [.text(action), Self.record] + pair),
                register: "bcm_jobstats_memory",
                changedWhen: .text("bcm_jobstats_memory.stdout | default('') | length > 0"))
        }
        remember("keep", "what was changed here is kept")
        task(
            file.path, "copy",
            .object([
                "src": source, "dest": .text(file.path), "owner": .text(file.owner), "group": .text(file.group),
                "mode": .text(Mode.octal(file.mode)), "validate": file.validation.map { .text(Self.validation($0)) },
            ]))
        remember("remember", "the host remembers it")
    }

    /// The SHA-256 and the place in the export of the bytes for a host's architecture.
    private func choice(
        _ contents: [ExportFile.Variant], named name: String, _ folder: inout ExportFolder
    ) -> (digest: YAML, source: YAML) {
        let variants = contents.map { variant in
            Exported(
                architecture: variant.architecture, sha256: variant.content.sha256,
                path: folder.add(variant.content, named: name))
        }
        if variants.count == 1, let only = variants.first, only.architecture == nil {
            return (.text(only.sha256), .template("{{ playbook_dir }}/\(only.path)"))
        }
        func choice(_ value: (Exported) -> String) -> String {
            let pairs = variants.map { "'\($0.architecture ?? "")': '\(value($0))'" }.joined(separator: ", ")
            return "{{ {\(pairs)}[ansible_facts['architecture']] }}"
        }
        return (.template(choice { $0.sha256 }), .template("{{ playbook_dir }}/" + choice { $0.path }))
    }

    /// Ansible splits this as a shell would and puts the new file in the place of `%s`.
    private static func validation(_ command: Command) -> String {
        ([command.executable] + command.arguments).map { word in
            word == "{}" ? "%s" : ShellQuoting.quote(word.replacing("%", with: "%%"))
        }.joined(separator: " ")
    }
}
