/// What a value of each kind may be. A rule gives nil for a good value, and otherwise what is wrong and what to write.
enum ValueRules {
    typealias Rule = @Sendable (String) -> String?

    // MARK: Hosts

    /// A host name by RFC 1123, 2.1, or an IPv4 address.
    static func host(_ text: String) -> String? {
        if isIPv4(text) { return nil }
        if text.contains("://") {
            return "is a URL: write the host alone here; the port has a key of its own"
        }
        if text.filter({ $0 == ":" }).count > 1, text.allSatisfy({ $0.isHexDigit || ":.[]%".contains($0) }) {
            return "is an IPv6 address: give the host a name and write that"
        }
        if let colon = text.firstIndex(of: ":"), host(String(text[..<colon])) == nil, !text[..<colon].isEmpty {
            return "carries a port: write the host alone here; the port has a key of its own"
        }
        if text.contains("@") { return "is not a host name (RFC 1123): write the host without a user" }
        if let problem = labels(text) { return "is not a host name (RFC 1123): \(problem)" }
        if text.split(separator: ".").last?.allSatisfy(\.isNumber) == true, text.contains(".") {
            return "is neither a host name (RFC 1123: the last part is not a number) nor an IPv4 address"
        }
        return nil
    }

    /// Names that mean something else to Ansible or on every host, and so cannot name one host of several.
    static func reserved(_ name: String) -> String? {
        switch name.lowercased() {
        case "all", "ungrouped": "is a group in every Ansible inventory: name the host as BCM does"
        case "localhost": "is another machine on each host: name the host as the others reach it"
        default: nil
        }
    }

    /// A DNS domain that is appended to host names.
    static func domain(_ text: String) -> String? {
        if text.hasPrefix(".") { return "is not a domain: write it without the dot in front" }
        return labels(text).map { "is not a domain (RFC 1123): \($0)" }
    }

    /// Whether the text is an IPv4 address in its usual form.
    static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.count) && part.utf8.allSatisfy(isDigit) && (Int(part).map { $0 < 256 } ?? false)
                    && (part.count == 1 || !part.hasPrefix("0"))
            }
    }

    private static func labels(_ text: String) -> String? {
        if text.isEmpty { return "it is empty" }
        for scalar in text.unicodeScalars where !isNameScalar(scalar) && scalar != "-" && scalar != "." {
            return "letters, digits, hyphens and dots only, not \(Quoted(String(Character(scalar))))"
        }
        if text.utf8.count > 253 { return "at most 253 characters" }
        for label in text.split(separator: ".", omittingEmptySubsequences: false) {
            if label.isEmpty { return "a part between two dots is empty" }
            if label.utf8.count > 63 { return "each part between dots has at most 63 characters" }
            if label.hasPrefix("-") || label.hasSuffix("-") { return "no part begins or ends with a hyphen" }
        }
        return nil
    }

    // MARK: Names

    /// A Slurm ClusterName: at most 40 characters (slurm.conf(5)); letters, digits, hyphen and underscore.
    static func clusterName(_ text: String) -> String? { name(text, limit: 40, what: "a cluster name") }

    /// BCM's name of a workload manager instance.
    static func instanceName(_ text: String) -> String? { name(text, limit: 64, what: "an instance name") }

    private static func name(_ text: String, limit: Int, what: String) -> String? {
        if text.isEmpty { return "is not \(what): it is empty" }
        if text.utf8.count > limit { return "is not \(what): at most \(limit) characters" }
        for scalar in text.unicodeScalars where !isNameScalar(scalar) && scalar != "-" && scalar != "_" {
            return "is not \(what): letters, digits, - and _ only, not \(Quoted(String(Character(scalar))))"
        }
        if text.hasPrefix("-") || text.hasPrefix("_") { return "is not \(what): it begins with a letter or a digit" }
        return nil
    }

    // MARK: Files

    /// An absolute path that can stand in unit files, scrape configurations and globs as it is.
    static func path(_ text: String) -> String? {
        guard text.hasPrefix("/") else { return "is not an absolute path: it must begin with /" }
        if text.utf8.count > 1024 { return "is not a usable path: at most 1024 characters" }
        for scalar in text.unicodeScalars where !isNameScalar(scalar) && !"/._-+@=,:~".unicodeScalars.contains(scalar) {
            return "is not a usable path: letters, digits and / . _ - + @ = , : ~ only, not "
                + "\(Quoted(String(Character(scalar))))"
        }
        for part in text.split(separator: "/") {
            if part == ".." || part == "." { return "is not a usable path: it holds \(Quoted(String(part))) as a part" }
            if part.utf8.count > 255 { return "is not a usable path: each part has at most 255 characters" }
        }
        if normalized(text) == "/" { return "is not a usable path: it is the root of the file system" }
        return nil
    }

    /// A path of a directory that many hosts share.
    static func sharedDirectory(_ text: String) -> String? {
        if let problem = path(text) { return problem }
        let first = text.split(separator: "/").first ?? ""
        return ["proc", "sys", "dev"].contains(first) ? "cannot be on shared storage: it is under /\(first)" : nil
    }

    /// The path without doubled slashes and without one at the end.
    static func normalized(_ path: String) -> String { "/" + path.split(separator: "/").joined(separator: "/") }

    /// A SHA-256 in hexadecimal.
    static func sha256(_ text: String) -> String? {
        text.utf8.count == 64 && text.utf8.allSatisfy(isHexDigit)
            ? nil : "is not a SHA-256: 64 hexadecimal digits, as sha256sum prints them"
    }

    /// A Debian package's name (Debian Policy, 5.6.1).
    static func packageName(_ text: String) -> String? {
        let isName =
            text.utf8.count >= 2 && text.utf8.count <= 128
            && text.utf8.first.map { isLowerCase($0) || isDigit($0) } == true
            && text.utf8.allSatisfy { isLowerCase($0) || isDigit($0) || "+-.".utf8.contains($0) }
        return isName ? nil : "is not a package's name: small letters, digits and + - . only"
    }

    /// Whether a key can stand in a key path without quotes.
    static func isPlainKey(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { isNameScalar($0) || $0 == "_" || $0 == "-" }
    }

    private static func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isLowerCase(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            || (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte)
    }
}
