import FoundationEssentials
import Testing

/// The corpus of the fuzzer, without the fuzzer: every input that libFuzzer found to be of interest, and every one that once
/// was a finding.
struct CorpusTests {
    static let folder: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/") + "/Corpus"
    }()

    static func inputs(of parser: Parser) throws -> [(name: String, bytes: [UInt8])] {
        let directory = "\(folder)/\(parser.name)"
        return try FileManager.default.contentsOfDirectory(atPath: directory).sorted().map { name in
            (name, Array(try Data(contentsOf: URL(filePath: "\(directory)/\(name)"))))
        }
    }

    @Test(arguments: Parser.all)
    func everyInputOfTheCorpusKeepsThePromisesOfItsParser(_ parser: Parser) throws {
        let inputs = try Self.inputs(of: parser)
        #expect(inputs.count >= 5)
        var accepted = 0
        for input in inputs {
            do {
                if try parser.check(input.bytes) { accepted += 1 }
            } catch {
                Issue.record("\(parser.name)/\(input.name): \(error)")
            }
        }
        // A corpus of which everything is refused, or nothing, would test half of the parser.
        #expect(accepted > 0 && accepted < inputs.count, "\(accepted) of \(inputs.count) inputs are accepted")
    }

    @Test(arguments: Parser.all)
    func inputsThatAreCutAnywhereKeepThePromises(_ parser: Parser) throws {
        // Those that people named; the others are made by the fuzzer, cut off in all ways.
        for input in try Self.inputs(of: parser) where input.name.utf8.count < 40 {
            // About forty places, so that the whole corpus takes seconds.
            for end in stride(from: 0, to: input.bytes.count, by: max(1, input.bytes.count / 40)) {
                do {
                    _ = try parser.check(Array(input.bytes[..<end]))
                } catch {
                    Issue.record("\(parser.name)/\(input.name), the first \(end) bytes: \(error)")
                }
            }
        }
    }

    @Test func theCorpusIsSmallAndOfTheseParsers() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder)
        let folders = Set(names.filter { !$0.hasSuffix(".dict") })
        #expect(folders == Set(Parser.all.map(\.name)))
        #expect(names.filter { $0.hasSuffix(".dict") }.allSatisfy { folders.contains(String($0.dropLast(5))) })
        let bytes = try Parser.all.reduce(0) { sum, parser in
            try Self.inputs(of: parser).reduce(sum) { $0 + $1.bytes.count }
        }
        #expect(bytes < 2_000_000, "\(bytes) bytes: run scripts/fuzz.sh --merge")
    }
}

extension Parser: CustomTestStringConvertible {
    var testDescription: String { name }
}
