import ServiceManager

/// Prints a unit file, and says why a unit that does not exist cannot be started.
let file = UnitFile(
    comment: "Made by a program.",
    sections: [
        .init(
            "Service",
            [
                try .init("Type", "notify"),
                try .init("ExecStart", arguments: ["/usr/local/bin/agent", "--text=100% $HOME"]),
                try .init("ProtectHostname", "no", comment: "A rename of the host must be seen."),
            ])
    ])
print(file.rendered)

let unit = try UnitName("agent-that-does-not-exist.service")
do {
    try await Systemd(timeout: .seconds(10)).start(unit)
} catch {
    // Where no systemd runs it is not available, elsewhere there is no such unit.
    print(unit, [.notFound, .managerUnavailable].contains(error.code) ? "was not started" : "\(error)")
}

let notifier = ServiceNotifier(environment: [:])
print("told systemd:", notifier.ready(status: "up"))
