/// A parser of foreign bytes, and what it promises for every input.
struct Parser: Sendable {
    /// The name, which is that of its folder in Tests/Corpus.
    let name: String
    /// Parses bytes and holds the result to the promises; says whether the parser accepts the bytes.
    ///
    /// - Throws: ``BrokenPromise``.
    let check: @Sendable ([UInt8]) throws -> Bool

    static let all = [
        Parser(name: "device-stream", check: DeviceStreamCheck.check),
        Parser(name: "json-answer", check: JSONAnswerCheck.check),
        Parser(name: "cmsh-table", check: CmshTableCheck.check),
        Parser(name: "systemctl-show", check: SystemctlShowCheck.check),
        Parser(name: "monitor-configuration", check: ConfigurationChecks.monitor),
        Parser(name: "deployment-configuration", check: ConfigurationChecks.deployment),
        Parser(name: "monitor-state", check: SavedFileChecks.state),
        Parser(name: "progress", check: SavedFileChecks.progress),
        Parser(name: "target-file", check: SavedFileChecks.targets),
        Parser(name: "slurm-conf", check: SlurmConfCheck.check),
        Parser(name: "host-range", check: HostRangeCheck.check),
        Parser(name: "pem", check: PEMCheck.check),
    ]
}

/// What a parser did that it must not do.
struct BrokenPromise: Error, CustomStringConvertible {
    let description: String
}

/// Throws unless a promise is kept.
func promise(_ isKept: Bool, _ words: @autoclosure () -> String) throws(BrokenPromise) {
    if !isKept { throw BrokenPromise(description: words()) }
}

/// Whether two texts have the same bytes; `==` takes a letter with an accent and the same in two parts for equal.
func haveSameBytes(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }

/// Numbers that follow from the input alone, so that an input does the same each time it is run (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 }

    init(_ bytes: [UInt8]) {
        state = bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    mutating func number(below bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}
