import CommandExecution

/// Grafana's Debian package: from a file of the deployment, from an apt source that the host has already, or from
/// Grafana's own repository, which is added with its key then.
struct GrafanaPackage: Resource {
    /// The primary key that signs Grafana's repository since August 2023 (apt.grafana.com).
    static let fingerprint = "B53AE77BADB630A683046005963FA27710458545"
    private static let keyURL = "https://apt.grafana.com/gpg-full.key"
    private static let keyring = "/etc/apt/keyrings/bcm-jobstats-grafana.gpg"
    private static let list = "/etc/apt/sources.list.d/bcm-jobstats-grafana.sources"

    private let packages: [ArtifactSource.Architecture: DeploymentContext.LocalProgram]

    init(_ packages: [ArtifactSource.Architecture: DeploymentContext.LocalProgram]) { self.packages = packages }

    private static let architecture = Command("uname", ["-m"])
    private static let candidate = Command("apt-cache", ["policy", "grafana"])
    private static let names = ["grafana", "grafana-enterprise"]

    var summary: String {
        let files = packages.sorted { $0.key.description < $1.key.description }
            .map { "\($0.key), sha256 \($0.value.sha256.prefix(12))…" }
        return files.isEmpty
            ? "package grafana, from an apt source of the host or from apt.grafana.com"
            : "package grafana, from a file: " + files.joined(separator: "; ")
    }

    var queries: [Query] {
        Self.names.map { .package($0) } + [.command(Self.architecture), .command(Self.candidate)]
    }

    func assess(_ facts: Facts) -> Assessment {
        for name in Self.names {
            guard let version = facts.package(name) else { return .unknown("package \(name)") }
            if let version { return .inPlace("\(name) \(version)") }
        }
        return .differs(["package grafana is not installed"])
    }

    /// The file for the host's architecture.
    private func file(_ facts: Facts) -> DeploymentContext.LocalProgram? {
        let name = facts.result(Self.architecture)?.outputText.trimmed ?? ""
        return packages.first { $0.key.description == name }?.value
    }

    static func hasCandidate(_ result: CommandResult?) -> Bool {
        (result?.outputText ?? "").split(separator: "\n").contains { line in
            let words = line.split(separator: " ")
            return words.count == 2 && words[0] == "Candidate:" && words[1] != "(none)"
        }
    }

    func changes(from facts: Facts) throws(ResourceError) -> [Command] {
        let environment = ["DEBIAN_FRONTEND": "noninteractive"]
        if let file = file(facts) {
            return [
                Command(
                    "sh", ["-c", Self.installFile, "sh"], input: try file.content.bytes(), environment: environment,
                    timeout: .seconds(900))
            ]
        }
        let install = AptCommands.install(["grafana"], timeout: .seconds(1200))
        guard !Self.hasCandidate(facts.result(Self.candidate)) else { return [install] }
        return [
            Command(
                "sh", ["-c", Self.addRepository, "sh", Self.keyURL, Self.fingerprint, Self.keyring, Self.list],
                environment: environment, timeout: .seconds(600)),
            install,
        ]
    }

    /// The package comes on standard input.
    private static let installFile = """
        set -eu
        folder=$(mktemp -d)
        trap 'rm -rf -- "$folder"' EXIT
        trap 'exit 1' HUP INT TERM
        cat >"$folder/grafana.deb"
        chmod 0755 -- "$folder"
        install() { apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=60 -- "$folder/grafana.deb"; }
        # What apt knows of the repositories may be too old for what the package depends on.
        install >/dev/null 2>&1 && exit 0
        apt-get update -o DPkg::Lock::Timeout=60 >/dev/null || :
        install >&2
        """

    /// Arguments: the key's URL, its fingerprint, the keyring, the sources file. Only the key of this fingerprint gets
    /// into the keyring, whatever the server sends.
    private static let addRepository = """
        set -eu
        url=$1 fingerprint=$2 keyring=$3 list=$4
        for tool in curl gpg; do
            command -v "$tool" >/dev/null && continue
            apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=60 ca-certificates curl gnupg >&2
        done
        folder=$(mktemp -d)
        trap 'rm -rf -- "$folder"' EXIT
        trap 'exit 1' HUP INT TERM
        curl --fail --silent --show-error --location --proto '=https' --max-time 120 -o "$folder/key" -- "$url"
        gpg --homedir "$folder" --batch --quiet --import "$folder/key" 2>/dev/null || :
        gpg --homedir "$folder" --batch --quiet --export "$fingerprint" >"$folder/ring"
        if ! [ -s "$folder/ring" ]; then
            echo "$url holds no key $fingerprint: give Grafana's package as artifacts.grafana, or add an apt source" >&2
            exit 1
        fi
        mkdir -p -m 0755 -- "$(dirname -- "$keyring")"
        install -m 0644 -- "$folder/ring" "$keyring.new"
        mv -fT -- "$keyring.new" "$keyring"
        cat >"$list.new" <<END
        Types: deb
        URIs: https://apt.grafana.com
        Suites: stable
        Components: main
        Signed-By: $keyring
        END
        chmod 0644 -- "$list.new"
        mv -fT -- "$list.new" "$list"
        apt-get update -o DPkg::Lock::Timeout=60 -o "Dir::Etc::sourcelist=$list" -o Dir::Etc::sourceparts=- \
            -o APT::Get::List-Cleanup=0 >&2
        """

    /// Arguments: the URL of the key, its fingerprint, the keyring, the sources file, and the architectures of which the
    /// package comes on standard input.
    private static let exported = ScriptText(
        "grafana_package",
        """
        set -eu
        mode=$1 url=$2 fingerprint=$3 keyring=$4 list=$5
        shift 5
        is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' -- "$1" 2>/dev/null)" = installed ]; }
        if is_installed grafana || is_installed grafana-enterprise; then exit 0; fi
        echo "package grafana is not installed"
        [ "$mode" = -y ] || exit 0
        DEBIAN_FRONTEND=noninteractive
        export DEBIAN_FRONTEND
        machine=$(uname -m)
        for architecture; do
            [ "$architecture" != "$machine" ] || { sh -c "$file_script" sh; exit; }
        done
        candidate=$(apt-cache policy grafana 2>/dev/null | sed -n 's/^ *Candidate: *//p')
        case $candidate in
            '' | '(none)') sh -c "$repository_script" sh "$url" "$fingerprint" "$keyring" "$list" ;;
        esac
        sh -c "$install_script" sh grafana
        """,
        running: [
            "file_script": installFile, "repository_script": addRepository, "install_script": AptCommands.script,
        ])

    var exportActions: [ExportAction] {
        let files = packages.sorted { $0.key.description < $1.key.description }
        return [
            .script(
                ExportScript(
                    "package grafana", Self.exported,
                    [Self.keyURL, Self.fingerprint, Self.keyring, Self.list] + files.map(\.key.description),
                    input: files.map { .init($0.key.description, $0.value.content) }, timeout: .seconds(1800)))
        ]
    }

    var instructions: Instructions {
        let undo = ["apt-get remove grafana", "rm -f \(Self.keyring) \(Self.list)"]
        guard packages.isEmpty else {
            let commands = packages.sorted { $0.key.description < $1.key.description }.map {
                "scp \(ShellQuoting.quote($0.value.path)) root@HOST:/tmp/grafana.deb  # on the head node, for \($0.key)"
            }
            return Instructions(
                commands: commands + ["apt-get install --no-install-recommends /tmp/grafana.deb"],
                verification: ["dpkg-query -W grafana"], undo: undo)
        }
        return Instructions(
            commands: [
                "apt-cache policy grafana  # when it shows a candidate, the next three are not needed",
                "curl -fsSL \(Self.keyURL) | gpg --dearmor >\(Self.keyring)  # its fingerprint must be \(Self.fingerprint)",
                "printf '%s\\n' 'Types: deb' 'URIs: https://apt.grafana.com' 'Suites: stable' 'Components: main' "
                    + "'Signed-By: \(Self.keyring)' >\(Self.list)", "apt-get update",
                "apt-get install --no-install-recommends grafana",
            ], verification: ["dpkg-query -W grafana", "gpg --show-keys \(Self.keyring)"], undo: undo)
    }
}
