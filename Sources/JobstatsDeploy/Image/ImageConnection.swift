import CommandExecution

/// Runs commands within a software image on this machine, without booting it.
///
/// Each command has a mount namespace of its own in which the image's `/proc`, `/dev` and `/run` are there, so nothing
/// stays mounted whatever ends it. systemctl knows that it works offline (`SYSTEMD_OFFLINE`, systemctl(1)), and package
/// scripts find no systemd to start daemons with.
struct ImageConnection: HostConnection {
    let image: SoftwareImage

    var attempts: Int { 0 }

    func run(_ command: Command) async throws(CommandError) -> CommandResult {
        var environment = command.environment
        environment["SYSTEMD_OFFLINE"] = "1"
        let inner = ["env"] + environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let result = try await LocalExecutor().run(
            Command(
                "unshare",
                ["--mount", "--propagation", "private", "--", "sh", "-c", Self.script, "sh", image.path] + inner
                    + [command.executable] + command.arguments,
                input: command.input, timeout: command.timeout, outputLimit: command.outputLimit))
        if result.status == .exited(Self.unusable) {
            throw CommandError(
                .notStarted, executable: command.executable, host: image.host.name,
                reason: result.errorText.trimmed)
        }
        return result
    }

    func close() async {}

    /// No command of ours ends with this status.
    private static let unusable: Int32 = 96

    private static let script = """
        root=$1
        shift
        fail() { echo "$1" >&2; exit \(unusable); }
        [ -d "$root" ] || fail "there is no folder $root"
        [ -x "$root/bin/sh" ] && [ -d "$root/etc" ] || fail "$root is not the root of a Linux system"
        for part in proc dev; do
            [ -d "$root/$part" ] || fail "$root/$part is missing: an image has it"
            mount --rbind "/$part" "$root/$part" || fail "$root/$part cannot be mounted"
        done
        mount -t tmpfs -o mode=755 tmpfs "$root/run" || fail "$root/run cannot be mounted"
        chroot "$root" /bin/true || fail "programs of $root do not run here: is it for another architecture?"
        cd /
        umask 022
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        export PATH
        exec chroot "$root" "$@"
        """
}

/// Reaches software images in their folders, and every other host as it is otherwise reached.
struct ImageConnector: HostConnector {
    let images: [Host: SoftwareImage]
    let others: any HostConnector

    init(_ images: [SoftwareImage], others: any HostConnector) {
        self.images = Dictionary(images.map { ($0.host, $0) }) { first, _ in first }
        self.others = others
    }

    func connect(to host: Host) async -> any HostConnection {
        if let image = images[host] { return ImageConnection(image: image) }
        return await others.connect(to: host)
    }
}
