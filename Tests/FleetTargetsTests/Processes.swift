import FoundationEssentials
import Glibc

/// The path of a program that was built beside the tests.
func builtProgram(_ name: String) -> String? {
    let bundle = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return bundle.map { "\($0.split(separator: "/").dropLast().map { "/" + $0 }.joined())/\(name)" }
}

/// Starts a program whose streams go to these files.
func start(
    _ program: String, _ arguments: [String], output: String = "/dev/null", errors: String = "/dev/null"
) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process = pid_t()
    let status = posix_spawn(&process, program, &actions, nil, &words, environ)
    guard status == 0 else { throw POSIXError(POSIXErrorCode(rawValue: status) ?? .EIO) }
    return process
}

/// Runs a program to its end.
func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
    let base = "/tmp/fleet-tests-run-\(UInt64.random(in: .min ... .max))"
    defer {
        unlink("\(base).out")
        unlink("\(base).err")
    }
    let process = try start(program, arguments, output: "\(base).out", errors: "\(base).err")
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: name) ?? Data(), as: UTF8.self)
    }
    return (status & 0x7f == 0 ? status >> 8 & 0xff : -1, text("\(base).out"), text("\(base).err"))
}
