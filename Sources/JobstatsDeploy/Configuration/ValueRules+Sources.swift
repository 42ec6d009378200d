extension ValueRules {
    // MARK: Where programs come from

    /// An address that a file is fetched from: HTTPS or HTTP, with no password in it.
    static func url(_ text: String) -> String? {
        let scheme = ["https://", "http://"].first { text.hasPrefix($0) }
        guard let scheme else { return "is not a usable address: it must begin with https:// or http://" }
        if text.utf8.count > 2048 { return "is not a usable address: at most 2048 characters" }
        for scalar in text.unicodeScalars
        where !isLetterOrDigit(scalar) && !"/._-+=,:~%?&@".unicodeScalars.contains(scalar) {
            return "is not a usable address: letters, digits and / . _ - + = , : ~ % ? & only, not "
                + "\(Quoted(String(Character(scalar))))"
        }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        if authority.contains("@") {
            return "is not a usable address: it names a user, and what stands here is shown in documents"
        }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count > 2 || parts.count == 2 && Int(parts[1]).map({ (1...65535).contains($0) }) != true {
            return "is not a usable address: its port is not a number from 1 to 65535"
        }
        if let problem = host(String(parts.first ?? "")) { return "is not a usable address: its host \(problem)" }
        if rest.count == authority.count { return "is not a usable address: it names a host and no file" }
        return nil
    }

    /// A git repository: an address, or a directory of this machine.
    static func repository(_ text: String) -> String? {
        text.hasPrefix("/") ? path(text) : url(text)
    }

    /// The full id of a commit, in hexadecimal.
    static func revision(_ text: String) -> String? {
        let isHexadecimal = text.unicodeScalars.allSatisfy { ("0"..."9").contains($0) || ("a"..."f").contains($0) }
        return isHexadecimal && text.utf8.count == 40
            ? nil : "is not the full id of a commit: 40 hexadecimal digits; names of branches and tags can move"
    }

    /// A path inside an archive or a repository.
    static func relativePath(_ text: String) -> String? {
        if text.hasPrefix("/") || text.isEmpty { return "is not a path inside an archive: it must not begin with /" }
        if text.hasPrefix("-") { return "is not a usable path: it begins with a hyphen" }
        return path("/" + text)
    }

    /// The directory of a Go program in its repository.
    static func buildDirectory(_ text: String) -> String? { text == "." ? nil : relativePath(text) }

    private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
    }
}
