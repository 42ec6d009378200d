import CommandExecution

/// Prometheus enabled, running with its present files, and ready.
///
/// It is restarted for a new program or unit and told to reload for new configuration. When it does not get ready, the
/// files that worked last are put back and it is restarted with these.
struct PrometheusService: Resource {
    let port: Int
    /// Program and unit file.
    let restartFiles: [String]
    /// Configuration and rules.
    let reloadFiles: [String]
    private var unit: String { Installed.prometheusUnit }

    init(port: Int, restartedFor restartFiles: [String], reloadedFor reloadFiles: [String]) {
        self.port = port
        self.restartFiles = restartFiles
        self.reloadFiles = reloadFiles
    }

    var summary: String { "unit \(unit): enabled, running with its present files, ready on port \(port)" }

    /// Says whether it is ready, and when it loaded its configuration last.
    private var probe: Command {
        Command("bash", ["-c", Self.functions + "\nstate", "bash", String(port)], timeout: .seconds(30))
    }

    var queries: [Query] { [.unit(unit), .command(probe)] + (restartFiles + reloadFiles).map { .file($0) } }

    // MARK: Judging

    private struct State {
        var isReady = false
        var loaded = 0.0
        var loadedWell = false

        init(_ result: CommandResult?) {
            for line in (result?.outputText ?? "").split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count == 2 else { continue }
                switch words[0] {
                case "ready": isReady = words[1] == "yes"
                case "prometheus_config_last_reload_successful": loadedWell = words[1] == "1"
                case "prometheus_config_last_reload_success_timestamp_seconds": loaded = Double(words[1]) ?? 0
                default: break
                }
            }
        }
    }

    func assess(_ facts: Facts) -> Assessment {
        guard let known = facts.unit(unit), facts.result(probe) != nil else { return .unknown("unit \(unit)") }
        if known.isMasked {
            return .blocked("\(unit) is masked", remedy: "somebody forbade it; to allow it: systemctl unmask \(unit)")
        }
        let state = State(facts.result(probe))
        var reasons: [String] = []
        if known.isMissing { reasons.append("the manager does not know it") }
        if known.needsReload { reasons.append("the manager has an older unit file") }
        if known.enablement != "enabled" { reasons.append("not enabled") }
        if !known.isRunning { reasons.append("is \(known.active)") }
        if let file = newer(restartFiles, than: known.started, facts) { reasons.append("runs with an older \(file)") }
        if known.isRunning, !state.isReady { reasons.append("not ready") }
        if known.isRunning, state.isReady {
            if let file = newer(reloadFiles, than: state.loaded, facts) { reasons.append("has an older \(file)") }
            if !state.loadedWell { reasons.append("refused its configuration at the last reload") }
        }
        return reasons.isEmpty
            ? .inPlace("\(unit) is ready on port \(port)") : .differs(reasons.map { "\(unit): \($0)" })
    }

    private func newer(_ files: [String], than time: Double?, _ facts: Facts) -> String? {
        guard let time else { return nil }
        return files.first { (facts.file($0)?.changed ?? 0) > time }
    }

    // MARK: Changing

    func changes(from facts: Facts) -> [Command] {
        guard let known = facts.unit(unit) else { return [] }
        let needsRestart =
            !known.isRunning || known.needsReload || newer(restartFiles, than: known.started, facts) != nil
            || !State(facts.result(probe)).isReady
        return [
            Command("systemctl", ["daemon-reload"], timeout: .seconds(90)),
            Command("systemctl", ["enable", "--quiet", "--", unit]),
            Command(
                "bash",
                [
                    "-c", Self.functions + Self.act, "bash", String(port), needsRestart ? "restart" : "reload", unit,
                ] + restartFiles + reloadFiles, timeout: .seconds(900)),
        ]
    }

    /// bash(1) opens TCP connections by itself, so that no further program is needed on the server.
    private static let functions = """
        set -u
        port=$1
        get() {
            { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
            printf 'GET %s HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' "$1" >&3
            timeout 10 cat <&3
            exec 3>&-
        }
        is_ready() { get /-/ready | head -n 1 | grep -q ' 200 '; }
        loaded() { get /metrics | grep '^prometheus_config_last_reload_success'; }
        state() {
            if is_ready; then echo 'ready yes'; else echo 'ready no'; fi
            loaded
            true
        }
        """

    /// Arguments: port, `restart` or `reload`, the unit, the files. Files that worked are kept as copies; a hard link
    /// would change a file's times, and with them whether it counts as newer than the process.
    private static let act = """

        action=$2 unit=$3
        shift 3
        keep() {
            for file; do
                cmp -s -- "$file" "$file.worked" && continue
                cp -a -- "$file" "$file.worked.new" && mv -fT -- "$file.worked.new" "$file.worked" || return 1
            done
        }
        before=$(loaded)
        well() {
            is_ready || return 1
            [ "$action" = restart ] && return 0
            now=$(loaded)
            [ "$now" != "$before" ] && grep -q '_successful 1$' <<<"$now"
        }
        systemctl reset-failed -- "$unit" 2>/dev/null
        if systemctl "$action" -- "$unit"; then
            # A large store takes minutes to read again after a restart.
            for ((n = 0; n < 1200; n++)); do
                if well; then
                    keep "$@"
                    exit
                fi
                systemctl is-active --quiet -- "$unit" || [ "$n" -lt 20 ] || break
                grep -q '_successful 0$' <<<"$(loaded)" && break
                sleep 0.5
            done
        fi
        echo "$unit does not get ready after its $action" >&2
        journalctl --no-pager -q -n 12 -o cat -u "$unit" >&2
        back=no
        for file; do
            if [ -e "$file.worked" ] && ! cmp -s -- "$file" "$file.worked"; then
                cp -a -- "$file.worked" "$file.back" && mv -fT -- "$file.back" "$file" && back=yes
            fi
        done
        if [ "$back" = yes ]; then
            systemctl daemon-reload
            systemctl restart -- "$unit" && echo "the files that worked last were put back" >&2
        fi
        exit 1
        """

    func removal() -> [Command]? { [Command("systemctl", ["disable", "--now", "--quiet", "--", unit])] }

    var absence: (any Resource)? {
        UnitRemoval(unit, patience: 660, copies: (restartFiles + reloadFiles).map { $0 + ".worked" })
    }

    var exportActions: [ExportAction] {
        [
            .unit(
                ExportUnit(
                    unit, isEnabled: true, activity: .running, restartedFor: restartFiles, reloadedFor: reloadFiles)),
            .check(
                "\(unit) is ready on port \(port)",
                Command(
                    "bash",
                    [
                        "-c",
                        Self.functions
                            + "\nfor ((n = 0; n < 1200; n++)); do is_ready && exit; sleep 0.5; done 2>/dev/null\nexit 1",
                        "bash", String(port),
                    ], timeout: .seconds(660))),
        ]
    }

    var instructions: Instructions {
        Instructions(
            commands: [
                "systemctl daemon-reload", "systemctl enable \(unit)",
                "systemctl restart \(unit)  # systemctl reload does when only configuration or rules changed",
            ],
            verification: [
                "curl -s http://localhost:\(port)/-/ready",
                "curl -s http://localhost:\(port)/api/v1/targets | head -c 1000",
            ], undo: ["systemctl disable --now \(unit)"])
    }
}
