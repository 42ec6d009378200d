public import CommandExecution

/// Packages of the distribution (Debian and Ubuntu) that are installed, in any version.
///
/// On a site without internet they come from files: these are copied into a folder of root's on the host, verified
/// there, and given to apt-get(8) together, which installs all of them or, when something is missing, none. A package
/// that the host has in some version is left alone.
public struct PackageResource: Resource {
    /// The packages' names.
    public var names: [String]
    /// Where they come from.
    public var source: PackageSource

    /// Creates the resource for one package.
    public init(_ name: String, from source: PackageSource = .repository) { self.init([name], from: source) }

    /// Creates the resource for several packages, which are installed together.
    public init(_ names: [String], from source: PackageSource = .repository) {
        self.names = names
        self.source = source
    }

    /// Where the files lie while they are installed; private to root.
    static let folder = Installed.stateDirectory + "/packages"

    /// What the host is, in the words of ``PackageFiles/platform``.
    static let platform = Command(
        "sh", ["-c", #". /etc/os-release && printf '%s %s %s\n' "$ID" "$VERSION_ID" "$(dpkg --print-architecture)""#])

    private var list: String { names.joined(separator: " ") }
    private var closure: [PackageFiles.File]? {
        if case .files(let files) = source { files.closure(of: names) } else { nil }
    }

    public var summary: String { "\(names.count == 1 ? "package" : "packages") \(list)" }

    public var queries: [Query] {
        let needed = names + (closure ?? []).map(\.name).filter { !names.contains($0) }
        var queries = needed.map { Query.package($0) }
        if case .files = source { queries.append(.command(Self.platform)) }
        return queries
    }

    public func assess(_ facts: Facts) -> Assessment {
        var versions: [String] = []
        var missing: [String] = []
        for name in names {
            guard let version = facts.package(name) else { return .unknown("package \(name)") }
            if let version { versions.append("\(name) \(version)") } else { missing.append(name) }
        }
        guard !missing.isEmpty else { return .inPlace(versions.joined(separator: ", ")) }
        let words = "\(missing.count == 1 ? "package" : "packages") \(missing.joined(separator: " "))"
        if case .files(let files) = source {
            guard !files.platform.isEmpty else {
                return .blocked(
                    "\(words) must be installed, and nothing is fetched (--offline)",
                    remedy: "install \(missing.joined(separator: " ")) on this host, or use a bundle (--bundle)")
            }
            guard let result = facts.result(Self.platform), result.succeeded else {
                return .unknown("the distribution")
            }
            guard result.outputText.trimmed == files.platform else {
                return .blocked(
                    "\(words) must be installed, and the bundle's packages are for \(files.platform), not for "
                        + "\(ForeignText.printable(result.outputText.trimmed))",
                    remedy: "install \(missing.joined(separator: " ")) on this host from the site's own mirror")
            }
            guard closure != nil else {
                return .blocked(
                    "\(words) must be installed, and the bundle does not hold all of it",
                    remedy: "make the bundle again, or install it from the site's own mirror")
            }
        }
        return .differs(["\(words) \(missing.count == 1 ? "is" : "are") not installed"])
    }

    public func changes(from facts: Facts) throws(ResourceError) -> [Command] {
        guard case .files = source else {
            return [AptCommands.install(names)]
        }
        guard let closure else {
            throw ResourceError(
                "the bundle does not hold all of \(list)", remedy: "make it again, or use the site's own mirror")
        }
        let files = closure.filter { file in
            if let version = facts.package(file.name), version != nil { return false }
            return true
        }
        var commands = [Command("sh", ["-c", Self.folderScript, "sh", Self.folder])]
        for file in files {
            commands.append(
                Command(
                    "sh", ["-c", Self.copyScript, "sh", "\(Self.folder)/\(file.name).deb", file.content.sha256],
                    input: try file.content.bytes(), timeout: .seconds(300)))
        }
        commands.append(
            Command(
                "sh", ["-c", Self.installScript, "sh", Self.folder] + files.map { "./\($0.name).deb" },
                environment: ["DEBIAN_FRONTEND": "noninteractive"], timeout: .seconds(600)))
        return commands
    }

    private static let folderScript = """
        set -eu
        mkdir -p -- "${1%/*}"
        rm -rf -- "$1"
        umask 077
        mkdir -- "$1"
        """

    private static let copyScript = """
        set -eu
        umask 077
        cat >"$1"
        printf '%s  %s\\n' "$2" "$1" | sha256sum --check --status -- - || { echo "$1 did not arrive whole" >&2; exit 1; }
        """

    /// apt is shown none of the host's repositories: it would otherwise take a package from there that it knows in the
    /// same version, and `--no-download` makes it refuse local files, too. What is missing then ends it before anything
    /// is installed. The folder is root's alone, so apt must read it as root and not as its own user.
    private static let installScript = """
        set -eu
        folder=$1
        shift
        cd -- "$folder"
        trap 'rm -rf -- "$folder"' EXIT
        trap 'exit 1' HUP INT TERM
        mkdir lists sources
        apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=60 -o APT::Sandbox::User=root \
            -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$folder/sources" \
            -o "Dir::State::Lists=$folder/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -- "$@"
        """

    /// Arguments: the folder and the packages' names; a tar archive with all that they need and its SHA-256 sums on
    /// standard input, from which goes to apt-get(8) what the host does not have.
    private static let exported = ScriptText(
        "package_files",
        """
        set -eu
        mode=$1 folder=$2
        shift 2
        is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' -- "$1" 2>/dev/null)" = installed ]; }
        missing=''
        for package; do
            is_installed "$package" || missing="$missing $package"
        done
        [ -n "$missing" ] || exit 0
        echo "not installed:$missing"
        [ "$mode" = -y ] || exit 0
        sh -c "$folder_script" sh "$folder"
        trap 'rm -rf -- "$folder"' EXIT
        trap 'exit 1' HUP INT TERM
        tar -xf - -C "$folder" --no-same-owner
        (cd -- "$folder" && sha256sum --check --strict --quiet SHA256SUMS) >&2
        set --
        for file in "$folder"/*.deb; do
            name=${file##*/}
            is_installed "${name%.deb}" || set -- "$@" "./$name"
        done
        DEBIAN_FRONTEND=noninteractive sh -c "$install_script" sh "$folder" "$@" >&2
        """, running: ["folder_script": folderScript, "install_script": installScript])

    public var exportActions: [ExportAction] {
        guard case .files = source else { return [.packages(names)] }
        guard let closure, let archive = try? Self.archive(of: closure) else { return [.byHand(summary, instructions)] }
        return [
            .script(
                ExportScript(
                    summary, Self.exported, [Self.folder] + names, input: [.init(nil, .data(archive))],
                    timeout: .seconds(900)))
        ]
    }

    private static func archive(of packages: [PackageFiles.File]) throws(ResourceError) -> [UInt8] {
        var files: [TarArchive.File] = []
        var sums = ""
        for package in packages {
            let name = "\(package.name).deb"
            files.append(.init(path: name, bytes: try package.content.bytes(), isExecutable: false))
            sums += "\(package.content.sha256)  \(name)\n"
        }
        files.append(.init(path: "SHA256SUMS", bytes: Array(sums.utf8), isExecutable: false))
        return TarArchive(files: files).encoded
    }

    public var instructions: Instructions {
        let words = ShellQuoting.quote(names)
        let verification = ["dpkg-query -W \(words)"]
        guard let closure else {
            return Instructions(
                commands: ["apt-get install --no-install-recommends \(words)"], verification: verification)
        }
        return Instructions(
            commands: [
                "# copy from the bundle what is not installed of: " + closure.map(\.name).joined(separator: " "),
                "apt-get install --no-install-recommends -o Dir::Etc::SourceList=/dev/null "
                    + "-o Dir::Etc::SourceParts=/dev/null ./*.deb",
            ], verification: verification)
    }
}
