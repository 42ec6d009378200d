import CLinux
import FoundationEssentials
import Glibc

/// What this program would rather have where neither the user's nor the system's `ssh_config` says anything.
///
/// In ssh_config(5) the first value counts, so the preferences stand behind both files in one that includes them. It
/// lies in memory, and `ssh` reads it by the path of this process's descriptor.
enum SSHPreferences {
    /// AES-GCM first among the ciphers that `ssh` accepts: where processors have instructions for it, as those that run
    /// BCM have, it takes little more than half the CPU time of OpenSSH's own first choice, and a run sends the same
    /// programs to every host.
    static let text = """
        Include ~/.ssh/config
        Include /etc/ssh/ssh_config
        Host *
            Ciphers ^aes128-gcm@openssh.com

        """

    /// Whether the system's file can be included: what that includes by a relative path, `ssh` would seek in the user's
    /// folder.
    static func canInclude(_ systemFile: String) -> Bool {
        !systemFile.split(whereSeparator: \.isNewline).contains { line in
            let words = line.split { $0 == " " || $0 == "\t" || $0 == "=" || $0 == "\"" }
            return words.first?.lowercased() == "include" && words.dropFirst().contains { !$0.hasPrefix("/") }
        }
    }

    /// The file for `ssh -F`; nil when it could not be made or would not be read as meant, and `ssh` then reads its usual
    /// files.
    static let path: String? = {
        let system = FileManager.default.contents(atPath: "/etc/ssh/ssh_config") ?? Data()
        guard canInclude(String(decoding: system, as: UTF8.self)) else { return nil }
        let file = clinux_memory_file("ssh-preferences")
        guard file >= 0 else { return nil }
        let bytes = Array(text.utf8)
        let path = "/proc/\(getpid())/fd/\(file)"
        guard write(file, bytes, bytes.count) == bytes.count, access(path, R_OK) == 0 else {
            close(file)
            return nil
        }
        return path
    }()
}
