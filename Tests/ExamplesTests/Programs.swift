import FoundationEssentials
import Glibc
import Testing

/// A folder that goes with its test.
final class Folder {
    let path: String

    init() throws {
        var template = Array("/tmp/examples-tests-XXXXXX".utf8CString)
        path = try template.withUnsafeMutableBufferPointer { buffer in
            guard let made = buffer.baseAddress.flatMap({ mkdtemp($0) }) else { throw CocoaError(.fileWriteUnknown) }
            return String(cString: made)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func read(_ name: String) throws -> String {
        try String(contentsOf: URL(filePath: "\(path)/\(name)"), encoding: .utf8)
    }

    /// Makes a program that works in this folder.
    func script(_ name: String, _ text: String) throws {
        let file = "\(path)/\(name)"
        try Data("#!/bin/sh\ncd '\(path)' || exit 9\n\(text)\n".utf8).write(to: URL(filePath: file))
        chmod(file, 0o755)
    }
}

/// The root of the checkout.
let repository = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

/// Runs a program that was built beside the tests, or one by its absolute path.
///
/// - Parameter path: a folder whose programs go before those of `PATH`.
func run(_ name: String, _ arguments: [String], path: String? = nil) throws -> (status: Int32, output: String) {
    let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let folder = bundle.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    let program = name.hasPrefix("/") ? name : "\(folder)/\(name)"
    let output = "/tmp/examples-tests-\(UInt64.random(in: .min ... .max))"
    defer { unlink(output) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    var environment = ProcessInfo.processInfo.environment
    if let path { environment["PATH"] = "\(path):\(environment["PATH"] ?? "/usr/bin:/bin")" }
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for word in words + variables { free(word) } }
    var process = pid_t()
    let started = posix_spawn(&process, program, &actions, nil, &words, &variables)
    guard started == 0 else { throw POSIXError(POSIXErrorCode(rawValue: started) ?? .EIO) }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    let text = String(decoding: FileManager.default.contents(atPath: output) ?? Data(), as: UTF8.self)
    return (status & 0x7f == 0 ? status >> 8 & 0xff : -1, text)
}
