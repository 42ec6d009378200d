/// The hosts for which a step reads the same.
struct StepGroup {
    /// Stands for the host's name where that is the only difference.
    static let placeholder = "HOST"

    let hosts: [Host]
    let summary: String
    let instructions: Instructions
    /// Whether the texts hold the placeholder.
    let usesPlaceholder: Bool

    /// The groups of a step: one where all hosts share a resource, or differ by their names alone.
    static func groups(of step: Step) -> [StepGroup] {
        guard !step.hosts.isEmpty else { return [] }
        if let common = step.commonResource {
            return [
                StepGroup(
                    hosts: step.hosts, summary: common.summary, instructions: common.instructions,
                    usesPlaceholder: false)
            ]
        }
        let texts = step.hosts.compactMap { host in step.resource(on: host).map { (host, Text($0)) } }
        var general = Set<Text>()
        for (host, text) in texts {
            general.insert(text.generalised(for: host))
            if general.count > 1 { break }
        }
        if texts.count > 1, general.count == 1, let text = general.first {
            return [
                StepGroup(
                    hosts: texts.map(\.0), summary: text.summary, instructions: text.instructions,
                    usesPlaceholder: text != texts[0].1)
            ]
        }
        var order: [Text] = []
        var members: [Text: [Host]] = [:]
        for (host, text) in texts {
            if members[text] == nil { order.append(text) }
            members[text, default: []].append(host)
        }
        return order.map {
            StepGroup(
                hosts: members[$0] ?? [], summary: $0.summary, instructions: $0.instructions, usesPlaceholder: false)
        }
    }

    private struct Text: Hashable {
        var summary: String
        var instructions: Instructions

        init(_ resource: any Resource) {
            summary = resource.summary
            instructions = resource.instructions
        }

        /// The same with the placeholder for the host's name. Digests of texts that hold the name differ, too, and are
        /// left out.
        func generalised(for host: Host) -> Text {
            let names = Set([host.name, JobstatsPlan.shortName(host)]).sorted { $0.utf8.count > $1.utf8.count }
                .map { Array($0.utf8) }
            func general(_ text: String) -> String {
                names.reduce(text) { StepGroup.replacing($1, in: $0, with: StepGroup.placeholder.utf8) }
            }
            var copy = self
            copy.summary = StepGroup.withoutDigests(general(summary))
            copy.instructions.commands = instructions.commands.map(general)
            copy.instructions.files = instructions.files.map { .init(path: general($0.path), text: general($0.text)) }
            copy.instructions.verification = instructions.verification.map { StepGroup.withoutDigests(general($0)) }
            copy.instructions.undo = instructions.undo.map(general)
            return copy
        }
    }

    /// Plans for thousands of nodes pass here: bytes are searched, and texts without a match are given back as they are.
    private static func replacing(_ name: [UInt8], in text: String, with placeholder: some Sequence<UInt8>) -> String {
        guard let first = name.first else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var copied = 0
        var position = 0
        while position + name.count <= bytes.count {
            if bytes[position] == first, bytes[position..<(position + name.count)].elementsEqual(name) {
                result += bytes[copied..<position]
                result += placeholder
                position += name.count
                copied = position
            } else {
                position += 1
            }
        }
        return copied == 0 ? text : String(decoding: result + bytes[copied...], as: UTF8.self)
    }

    /// A text without what differs with a content: digests, and the numbers of bytes.
    private static func withoutDigests(_ text: String) -> String {
        guard text.utf8.count > 64 || text.contains("sha256") else { return text }
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        let kept = words.enumerated().filter { index, word in
            let isDigest = word.utf8.count >= 12 && word.utf8.prefix(12).allSatisfy { isHexDigit($0) }
            let isSize =
                word.utf8.allSatisfy { isHexDigit($0) } && index + 1 < words.count
                && words[index + 1].hasPrefix("bytes")
            return !isDigest && !isSize
        }
        return kept.map(\.element).joined(separator: " ")
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
