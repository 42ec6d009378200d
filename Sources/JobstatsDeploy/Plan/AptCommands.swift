import CommandExecution

/// Commands for apt-get(8), for a host that a deployment works on: nothing is asked, other installations are waited for.
enum AptCommands {
    /// Installs packages from the host's own repositories, or files when the names are paths. What apt knows of the
    /// repositories may be old or empty, so a failure is followed by a look at them and a second attempt.
    static func install(_ names: [String], timeout: Duration = .seconds(900)) -> Command {
        Command(
            "sh", ["-c", script, "sh"] + names, environment: ["DEBIAN_FRONTEND": "noninteractive"], timeout: timeout)
    }

    static let script = """
        install() { apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=60 -- "$@"; }
        install "$@" >/dev/null 2>&1 && exit 0
        apt-get update -o DPkg::Lock::Timeout=60 >/dev/null || :
        install "$@"
        """
}
