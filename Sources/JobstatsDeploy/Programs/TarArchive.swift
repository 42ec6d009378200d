import FoundationEssentials

/// The plain files of a tar archive (POSIX.1-2017, pax, "ustar Interchange Format"; and GNU's long names).
///
/// An archive from elsewhere is not trusted: a name that leads out of its directory, holds anything but letters, digits
/// and `. _ + -`, or stands twice, a link, a device or a damaged header refuses the whole archive.
struct TarArchive: Sendable, Hashable {
    /// One plain file.
    struct File: Sendable, Hashable {
        /// Relative, without `.` and `..`.
        var path: String
        var bytes: [UInt8]
        var isExecutable: Bool
    }

    /// In the order of the archive.
    let files: [File]
    /// The revision that `git archive` noted; nil without one.
    let revision: String?

    /// What an archive may hold.
    private static let countLimit = 10_000
    private static let block = 512

    init(files: [File], revision: String? = nil) {
        self.files = files
        self.revision = revision
    }

    /// Reads an archive that is not compressed.
    init(_ bytes: [UInt8]) throws(ResourceError) {
        var files: [File] = []
        var names = Set<String>()
        var revision: String?
        var longName: String?
        var position = 0
        while position + Self.block <= bytes.count {
            let header = bytes[position..<(position + Self.block)]
            if header.allSatisfy({ $0 == 0 }) { break }
            let entry = try Entry(header)
            let start = position + Self.block
            guard entry.size <= bytes.count - start else { throw Self.damaged("it ends within \(Quoted(entry.name))") }
            let body = bytes[start..<(start + entry.size)]
            position = start + (entry.size + Self.block - 1) / Self.block * Self.block
            switch entry.type {
            case UInt8(ascii: "g"): revision = Self.records(body)["comment"] ?? revision
            case UInt8(ascii: "x"):
                let records = Self.records(body)
                guard records["size"] == nil, records["linkpath"] == nil else {
                    throw Self.damaged("it holds a header that is not understood")
                }
                longName = records["path"] ?? longName
            case UInt8(ascii: "L"): longName = Self.text(body)
            case UInt8(ascii: "5"): longName = nil
            case UInt8(ascii: "0"), 0:
                let path = try Self.checked(longName ?? entry.name)
                longName = nil
                guard names.insert(path).inserted else { throw Self.damaged("it holds \(path) twice") }
                guard files.count < Self.countLimit else {
                    throw Self.damaged("it holds more than \(Self.countLimit) files")
                }
                files.append(File(path: path, bytes: Array(body), isExecutable: entry.mode & 0o111 != 0))
            default:
                throw Self.damaged("\(Quoted(longName ?? entry.name)) is neither a plain file nor a directory")
            }
        }
        guard !files.isEmpty else {
            throw Self.damaged("it holds no file; a compressed archive must be unpacked first")
        }
        self.init(files: files, revision: revision)
    }

    // MARK: Reading

    private struct Entry {
        let name: String
        let mode: Int
        let size: Int
        let type: UInt8

        init(_ header: ArraySlice<UInt8>) throws(ResourceError) {
            let bytes = Array(header)
            // The sum of all bytes, with the sum's own field taken as spaces.
            var sum = 8 * 0x20
            for (index, byte) in bytes.enumerated() where !(148..<156).contains(index) { sum += Int(byte) }
            guard TarArchive.number(bytes[148..<156]) == sum, let mode = TarArchive.number(bytes[100..<108]),
                let size = TarArchive.number(bytes[124..<136])
            else { throw TarArchive.damaged("a header is damaged, or it is compressed") }
            let prefix =
                bytes[257..<262].elementsEqual("ustar".utf8) && bytes[262] == 0
                ? TarArchive.text(bytes[345..<500]) : ""
            name = (prefix.isEmpty ? "" : prefix + "/") + TarArchive.text(bytes[0..<100])
            self.mode = mode
            self.size = size
            type = bytes[156]
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// An octal number; nil for anything else, GNU's binary form of huge sizes among it.
    private static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
        let digits = text(bytes).split(separator: " ").first ?? ""
        return digits.utf8.count <= 12 ? Int(digits, radix: 8).flatMap { $0 < 0 ? nil : $0 } : nil
    }

    /// The records of an extended header: `LENGTH KEY=VALUE\n`.
    private static func records(_ bytes: ArraySlice<UInt8>) -> [String: String] {
        var records: [String: String] = [:]
        var rest = bytes
        while let space = rest.firstIndex(of: UInt8(ascii: " ")),
            let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > space - rest.startIndex + 1,
            length <= rest.count
        {
            let record = String(decoding: rest[(space + 1)..<(rest.startIndex + length - 1)], as: UTF8.self)
            if let equals = record.firstIndex(of: "=") {
                records[String(record[..<equals])] = String(record[record.index(after: equals)...])
            }
            rest = rest[(rest.startIndex + length)...]
        }
        return records
    }

    private static func checked(_ name: String) throws(ResourceError) -> String {
        var parts = name.split(separator: "/", omittingEmptySubsequences: false)
        while parts.first == "." { parts.removeFirst() }
        let isGood =
            !parts.isEmpty && name.utf8.count <= 200
            && parts.allSatisfy { part in
                !part.isEmpty && part != "." && part != ".." && !part.hasPrefix("-")
                    && part.utf8.allSatisfy { isNameByte($0) }
            }
        guard isGood else { throw damaged("it holds the name \(Quoted(name))") }
        return parts.joined(separator: "/")
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "._+-".utf8.contains(byte)
        }
    }

    private static func damaged(_ what: String) -> ResourceError {
        ResourceError("the archive is refused: \(what)", remedy: "make it anew, from the pinned revision")
    }

    // MARK: Writing

    /// An archive of these files alone, all of root's and of the same age; names have at most 200 bytes.
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for file in files {
            bytes += Self.header(file)
            bytes += file.bytes
            bytes += [UInt8](repeating: 0, count: (Self.block - file.bytes.count % Self.block) % Self.block)
        }
        return bytes + [UInt8](repeating: 0, count: 2 * Self.block)
    }

    private static func header(_ file: File) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: block)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
        }
        func octal(_ number: Int, _ width: Int) -> String {
            let digits = String(number, radix: 8)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        var (name, prefix) = (file.path, "")
        while name.utf8.count > 100, let slash = name.firstIndex(of: "/") {
            prefix += (prefix.isEmpty ? "" : "/") + name[..<slash]
            name = String(name[name.index(after: slash)...])
        }
        put(String(decoding: name.utf8.prefix(100), as: UTF8.self), at: 0)
        put(octal(file.isExecutable ? 0o755 : 0o644, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(file.bytes.count, 11), at: 124)
        put(octal(0, 11), at: 136)
        put("        ", at: 148)
        put("0", at: 156)
        put("ustar", at: 257)
        put("00", at: 263)
        put(String(decoding: prefix.utf8.prefix(155), as: UTF8.self), at: 345)
        put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0", at: 148)
        return header
    }
}
