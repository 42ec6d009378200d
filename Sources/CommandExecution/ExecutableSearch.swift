import Glibc

/// Finds programs as execvp(3) does.
package enum ExecutableSearch {
    /// The file that a name stands for; nil when no folder holds such a program.
    ///
    /// Whoever starts a program by its name alone may have to try each folder with a process of its own.
    ///
    /// - Parameters:
    ///   - name: a name without a slash.
    ///   - path: folders with colons between them; `PATH` of this process when nil.
    package static func file(_ name: String, path: String? = nil) -> String? {
        guard let folders = path ?? getenv("PATH").map({ String(cString: $0) }) else { return nil }
        for folder in folders.split(separator: ":") where folder.hasPrefix("/") {
            let file = "\(folder)/\(name)"
            var status = stat()
            if stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, access(file, X_OK) == 0 { return file }
        }
        return nil
    }
}
