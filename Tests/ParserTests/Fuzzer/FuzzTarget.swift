import Glibc

/// The parser that JOBSTATS_FUZZ_PARSER names.
let chosenParser: Parser = {
    let name = getenv("JOBSTATS_FUZZ_PARSER").map { String(cString: $0) } ?? ""
    guard let parser = Parser.all.first(where: { $0.name == name }) else {
        fatalError("JOBSTATS_FUZZ_PARSER is one of: \(Parser.all.map(\.name).joined(separator: ", "))")
    }
    return parser
}()

/// What libFuzzer calls with each input. A broken promise ends the process, as a crash in a parser does, and libFuzzer keeps
/// the input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        _ = try chosenParser.check(Array(UnsafeBufferPointer(start: data, count: count)))
    } catch {
        fatalError("\(chosenParser.name): \(error)")
    }
    return 0
}
