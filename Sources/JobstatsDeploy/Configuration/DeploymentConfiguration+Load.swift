import CommandExecution
import Glibc
import SystemPackage

extension DeploymentConfiguration {
    /// The largest file that is read, in bytes; ten thousand host names need a twentieth of it.
    static let fileLimit = 4 << 20

    /// Reads a configuration from JSON and reports everything that is wrong or doubtful at once.
    ///
    /// - Parameters:
    ///   - bytes: the contents of a file.
    ///   - sections: the sections that are to be carried out, 1 to 10; they decide which hosts are needed.
    public static func parse(_ bytes: [UInt8], sections: Set<Int> = allSections) -> ConfigurationReading {
        let document: JSONNode
        do {
            document = try JSONNode.parse(bytes)
        } catch {
            let issue = ConfigurationIssue(.error, "", "this is not JSON: \(error.message)", location: error.location)
            return ConfigurationReading(configuration: nil, issues: [issue])
        }
        var reader = ConfigurationReader()
        let configuration = reader.read(document)
        if case .object = document.value {
            var checks = CrossChecks(configuration: configuration, sections: sections)
            checks.run(&reader)
        }
        return ConfigurationReading(configuration: configuration, issues: reader.issues)
    }

    /// Reads a configuration file and reports everything that is wrong or doubtful at once.
    ///
    /// A missing file is an error and never becomes defaults. The file is read with plain system calls: call this
    /// before concurrent work begins, not from the middle of it.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - sections: the sections that are to be carried out, 1 to 10; they decide which hosts are needed.
    public static func load(path: String, sections: Set<Int> = allSections) -> ConfigurationReading {
        var warnings: [ConfigurationIssue] = []
        let bytes: [UInt8]
        do {
            bytes = try read(path, warnings: &warnings)
        } catch {
            let issue = ConfigurationIssue(.error, "", error.message)
            return ConfigurationReading(configuration: nil, issues: [issue], file: path, isReadable: false)
        }
        let reading = parse(bytes, sections: sections)
        return ConfigurationReading(
            configuration: reading.configuration, issues: warnings + reading.issues, file: path)
    }

    private struct Unreadable: Error {
        let message: String
    }

    private static func read(_ path: String, warnings: inout [ConfigurationIssue]) throws(Unreadable) -> [UInt8] {
        guard !path.isEmpty, !path.contains("\0") else {
            throw Unreadable(message: "\(Quoted(path)) is not a file's name")
        }
        do {
            // Without O_NONBLOCK, a named pipe would wait for a writer.
            let file = try FileDescriptor.open(
                FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking], retryOnInterrupt: true)
            defer { try? file.close() }
            var status = stat()
            guard fstat(file.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
            guard status.st_mode & S_IFMT == S_IFREG else {
                let isDirectory = status.st_mode & S_IFMT == S_IFDIR
                throw Unreadable(
                    message: "\(path) is \(isDirectory ? "a directory" : "no regular file"): name the file itself")
            }
            if status.st_mode & 0o002 != 0 {
                warnings.append(
                    ConfigurationIssue(
                        .warning, "", "everyone may write \(path), which decides what root does: chmod o-w \(path)"))
            }
            guard status.st_size <= fileLimit else {
                throw Unreadable(message: "\(path) has \(status.st_size) bytes, more than any configuration needs")
            }
            return try contents(of: file)
        } catch let error as Unreadable {
            throw error
        } catch Errno.noSuchFileOrDirectory {
            throw Unreadable(
                message: ForeignText.printable(
                    "there is no file \(path): make one with setup-wizard --config \(path), or name another with "
                        + "--config FILE"))
        } catch {
            throw Unreadable(message: "\(path) cannot be read: \(error)")
        }
    }

    private static func contents(of file: FileDescriptor) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while bytes.count <= fileLimit {
            let count = try chunk.withUnsafeMutableBytes { try file.read(into: $0) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
        throw Unreadable(message: "the file grew beyond what any configuration needs while it was read")
    }
}
