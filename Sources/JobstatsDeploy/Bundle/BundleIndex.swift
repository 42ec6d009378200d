/// What a bundle holds: `index.json` in it. Everything else in a bundle is verified against it.
struct BundleIndex: Sendable, Hashable {
    /// One package of the distribution.
    struct Package: Sendable, Hashable {
        var name: String
        var version: String
        var sha256: String
    }

    /// A program of this project that is run from the bundle.
    struct Tool: Sendable, Hashable {
        var name: String
        var sha256: String
    }

    /// One program, in words for people.
    struct Origin: Sendable, Hashable {
        var name: String
        var architecture: String
        var source: String
    }

    /// Sizes by SHA-256 of the files in `objects/`.
    var objects: [String: Int] = [:]
    /// SHA-256 of what was built or unpacked, by the cache's key.
    var made: [String: String] = [:]
    /// What the packages are for: `ubuntu 24.04 amd64`; empty when there are none.
    var platform = ""
    var packages: [Package] = []
    /// What each package that was asked for needs.
    var closures: [String: [String]] = [:]
    var tools: [Tool] = []
    var origins: [Origin] = []

    static let fileName = "index.json"
    static let sizeLimit = 4 << 20

    /// The files of the bundle beside the index.
    var files: Set<String> {
        Set(objects.keys.map { "objects/\($0)" }).union(tools.map { "setup/\($0.name)" })
    }

    // MARK: Writing

    func encoded() -> [UInt8] {
        func text(_ text: String) -> JSONNode { JSONNode(.string(text)) }
        func list<Element>(_ elements: [Element], _ node: (Element) -> JSONNode) -> JSONNode {
            JSONNode(.array(elements.map(node)))
        }
        return JSONNode.object([
            ("format", JSONNode(.number("1"))),
            (
                "programs",
                list(origins) {
                    .object([
                        ("name", text($0.name)), ("architecture", text($0.architecture)), ("source", text($0.source)),
                    ])
                }
            ),
            ("objects", .object(objects.sorted { $0.key < $1.key }.map { ($0.key, JSONNode(.number("\($0.value)"))) })),
            ("made", .object(made.sorted { $0.key < $1.key }.map { ($0.key, text($0.value)) })),
            ("platform", text(platform)),
            (
                "packages",
                list(packages.sorted { $0.name < $1.name }) {
                    .object([
                        ("name", text($0.name)), ("version", text($0.version)), ("sha256", text($0.sha256)),
                    ])
                }
            ),
            (
                "closures",
                .object(closures.sorted { $0.key < $1.key }.map { ($0.key, JSONNode.strings($0.value.sorted())) })
            ),
            ("setup", .object(tools.sorted { $0.name < $1.name }.map { ($0.name, text($0.sha256)) })),
        ]).encoded()
    }

    // MARK: Reading

    /// Reads an index and refuses whatever could not have been written by ``encoded()``.
    static func decode(_ bytes: [UInt8]) throws(ProgramProblem) -> BundleIndex {
        let document: JSONNode
        do {
            document = try JSONNode.parse(bytes)
        } catch {
            throw damage(error.message)
        }
        let members = try object(document, "the index")
        func member(_ name: String) throws(ProgramProblem) -> JSONNode {
            guard let node = members[name] else { throw damage("it has no \(Quoted(name))") }
            return node
        }
        guard case .number("1") = try member("format").value else {
            throw damage("it has another format than 1: use the program from the bundle's folder setup")
        }
        var index = BundleIndex()
        for (sum, node) in try object(try member("objects"), "objects") {
            guard case .number(let literal) = node.value, let size = Int(literal), size > 0 else {
                throw damage("a size is no number")
            }
            index.objects[try checked(sum, ValueRules.sha256)] = size
        }
        for (key, node) in try object(try member("made"), "made") {
            guard key.utf8.count <= 4096, !key.isEmpty, !key.utf8.contains(UInt8(ascii: "\n")) else {
                throw damage("a key is not one line")
            }
            let sum = try text(node, ValueRules.sha256)
            guard index.objects[sum] != nil else { throw damage("it names an object that it does not list") }
            index.made[key] = sum
        }
        index.platform = try text(try member("platform"), isPlatform)
        for node in try list(try member("packages")) {
            let values = try object(node, "a package")
            let package = Package(
                name: try text(values["name"], ValueRules.packageName), version: try text(values["version"], isVersion),
                sha256: try text(values["sha256"], ValueRules.sha256))
            guard index.objects[package.sha256] != nil else {
                throw damage("it names an object that it does not list")
            }
            index.packages.append(package)
        }
        for (name, node) in try object(try member("closures"), "closures") {
            var names: [String] = []
            for name in try list(node) { names.append(try text(name, ValueRules.packageName)) }
            index.closures[try checked(name, ValueRules.packageName)] = names
        }
        for (name, node) in try object(try member("setup"), "setup") {
            index.tools.append(
                Tool(name: try checked(name, ValueRules.packageName), sha256: try text(node, ValueRules.sha256)))
        }
        return index
    }

    private static func damage(_ reason: String) -> ProgramProblem {
        ProgramProblem("the bundle's index is damaged: \(reason)")
    }

    private static func checked(_ text: String, _ rule: ValueRules.Rule) throws(ProgramProblem) -> String {
        if let problem = rule(text) { throw damage("\(Quoted(text)) \(problem)") }
        return text
    }

    private static func text(_ node: JSONNode?, _ rule: ValueRules.Rule) throws(ProgramProblem) -> String {
        guard case .string(let text)? = node?.value else { throw damage("a text is missing") }
        return try checked(text, rule)
    }

    private static func list(_ node: JSONNode) throws(ProgramProblem) -> [JSONNode] {
        guard case .array(let nodes) = node.value else { throw damage("a list is missing") }
        return nodes
    }

    private static func object(_ node: JSONNode, _ what: String) throws(ProgramProblem) -> [String: JSONNode] {
        guard case .object(let members) = node.value else { throw damage("\(what) is no object") }
        var found: [String: JSONNode] = [:]
        for member in members where found.updateValue(member.node, forKey: member.name) != nil {
            throw damage("\(Quoted(member.name)) stands twice")
        }
        return found
    }

    private static func isPlatform(_ text: String) -> String? {
        let isGood =
            text.utf8.count <= 100
            && text.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || " .-_0123456789".unicodeScalars.contains($0))
            }
        return isGood ? nil : "is not the name of a distribution"
    }

    /// A version of a Debian package (Debian Policy, 5.6.12).
    private static func isVersion(_ text: String) -> String? {
        let isGood =
            !text.isEmpty && text.utf8.count <= 200
            && text.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || ".+-:~0123456789".unicodeScalars.contains($0))
            }
        return isGood ? nil : "is not a package's version"
    }
}
