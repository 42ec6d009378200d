package import DurableFiles
internal import FoundationEssentials
internal import Glibc

/// The state's file: `HOSTNAME_state.json` in the state directory.
package struct StateStore: Sendable {
    package var directory: String

    package init(directory: String) { self.directory = directory }

    /// A state, and what an operator should know about where it came from.
    package struct Loaded: Sendable {
        package var state: MonitorState
        package var notes: [String] = []
        /// The name of the host whose file it was, where that is another name of this machine.
        package var formerHostName: String?
    }

    /// The path of a host's state file.
    package func path(hostName: String) -> String { "\(directory)/\(Self.fileName(hostName))" }

    /// Loads the state of this machine.
    ///
    /// A damaged state is set aside as `.damaged`, one that another machine wrote as `.foreign`. Where the host was
    /// renamed while the monitor did not run, the state under its former name is taken over.
    ///
    /// - Parameter setsAside: false leaves all files as they are, for a dry run.
    package func load(for host: HostIdentity, setsAside: Bool = true) -> Loaded {
        var loaded = Loaded(state: MonitorState(host: host))
        let own = path(hostName: host.hostName)
        switch read(own) {
        case .none: break
        case .some(.failure(let error)):
            loaded.notes.append("\(own): \(error.reason); going on without it")
            if error.isDamaged, setsAside { setAside(own, as: "damaged", &loaded.notes) }
        case .some(.success(let state)):
            guard state.belongs(to: host) else {
                loaded.notes.append(
                    "\(own): another machine wrote it (\(state.machineAddresses.joined(separator: ", "))), probably an "
                        + "image brought it; going on without it")
                if setsAside { setAside(own, as: "foreign", &loaded.notes) }
                break
            }
            loaded.state = state
            loaded.state.adopt(host)
            return loaded
        }
        if let former = formerState(of: host) {
            loaded.notes.append("this host was called \(former.hostName) before; its state is taken over")
            loaded.formerHostName = former.hostName
            loaded.state = former
            loaded.state.adopt(host)
        }
        return loaded
    }

    /// Replaces the state file of the state's host.
    package func save(_ state: MonitorState) throws(DurableFileError) {
        guard let bytes = Self.encode(state) else { return }
        if mkdir(directory, 0o700) != 0, errno != EEXIST {
            throw DurableFileError("make the directory", directory, errno)
        }
        try DurableFile.write(bytes, to: path(hostName: state.hostName), mode: 0o600)
    }

    /// A state as the bytes of its file.
    static func encode(_ state: MonitorState) -> [UInt8]? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(state)).map { Array($0) + [UInt8(ascii: "\n")] }
    }

    /// Reads the bytes of a state file.
    static func decode(_ bytes: [UInt8]) throws -> MonitorState {
        try JSONDecoder().decode(MonitorState.self, from: Data(bytes))
    }

    /// Removes the state file of a host; one that is not there is fine.
    package func remove(hostName: String) { unlink(path(hostName: hostName)) }

    // MARK: Reading

    private struct ReadError: Error {
        var reason: String
        var isDamaged: Bool
    }

    private static let suffix = "_state.json"
    private static let limit = 1 << 20

    /// A host name comes from the kernel, which takes any bytes: what cannot stand in a file's name is replaced.
    private static func fileName(_ hostName: String) -> String {
        let safe = hostName.unicodeScalars.map { $0 == "/" || $0.value < 0x20 ? "_" : String($0) }.joined()
        return (safe.hasPrefix(".") ? "_" + safe.dropFirst() : safe) + suffix
    }

    private func read(_ path: String) -> Result<MonitorState, ReadError>? {
        do throws(DurableFileError) {
            guard let bytes = try DurableFile.read(path, limit: Self.limit) else { return nil }
            do {
                return .success(try Self.decode(bytes))
            } catch {
                return .failure(ReadError(reason: "it is damaged (\(Self.cause(error)))", isDamaged: true))
            }
        } catch {
            return .failure(ReadError(reason: error.description, isDamaged: error.errorNumber == EFBIG))
        }
    }

    private static func cause(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "\"\(key.stringValue)\" is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "\"\(context.codingPath.map(\.stringValue).joined(separator: "."))\" is of another type"
        case DecodingError.dataCorrupted(let context): context.debugDescription
        default: "\(error)"
        }
    }

    private func setAside(_ path: String, as suffix: String, _ notes: inout [String]) {
        guard rename(path, "\(path).\(suffix)") != 0 else { return }
        notes.append("\(path) cannot be renamed: \(String(cString: strerror(errno)))")
    }

    /// The newest state of this machine under another name.
    private func formerState(of host: HostIdentity) -> MonitorState? {
        guard !host.machineAddresses.isEmpty else { return nil }
        var newest: (state: MonitorState, written: Int)?
        for name in DirectoryEntries.names(in: directory) {
            guard name.hasSuffix(Self.suffix), !name.hasPrefix("."), name != Self.fileName(host.hostName) else {
                continue
            }
            var status = stat()
            guard lstat("\(directory)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                case .success(let state) = read("\(directory)/\(name)"), state.belongs(to: host),
                Self.fileName(state.hostName) == name
            else { continue }
            if newest.map({ status.st_mtim.tv_sec > $0.written }) ?? true { newest = (state, status.st_mtim.tv_sec) }
        }
        return newest?.state
    }
}
