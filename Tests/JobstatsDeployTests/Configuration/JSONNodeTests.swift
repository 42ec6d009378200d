import Testing

@testable import JobstatsDeploy

@Suite struct JSONNodeTests {
    @Test(arguments: [
        ("", "the file is empty", 1, 1),
        ("  \n ", "the file is empty", 2, 2),
        ("{\"a\": 1,\n}", "a comma after the last entry is not allowed in JSON: remove it", 1, 8),
        ("{\"a\": [1,\n2,]}", "a comma after the last entry is not allowed in JSON: remove it", 2, 2),
        ("{\"a\": 1\n\"b\": 2}", "a comma or } after the value of \"a\" is expected here, not \"\\\"\"", 2, 1),
        ("{\"a\" 1}", "a colon after the key \"a\" is expected here, not \"1\"", 1, 6),
        ("{a: 1}", "a key in double quotes is expected here, not \"a\"", 1, 2),
        ("{\"a\": 'x'}", "JSON strings stand in double quotes, not in single ones", 1, 7),
        ("{\"a\": True}", "write true or false in small letters", 1, 7),
        ("{\"a\": tru}", "a value is expected here, not \"t\"", 1, 7),
        ("{\n  # hosts\n}", "JSON has no comments: remove this one", 2, 3),
        ("{\"a\": 1 // no\n}", "JSON has no comments: remove this one", 1, 9),
        ("{\"a\": 01}", "a number has no leading zeros in JSON", 1, 9),
        ("{\"a\": -}", "a digit is expected here, not \"}\"", 1, 8),
        ("{\"a\": 1.}", "a digit is expected here, not \"}\"", 1, 9),
        ("{\"é\": 1 x}", "a comma or } after the value of \"é\" is expected here, not \"x\"", 1, 9),
        ("{\"a\": \"x\n\"}", "the string that begins on this line has no closing quote", 1, 9),
        ("{\"a\": \"x", "this string has no closing quote: the file seems to be cut off", 1, 7),
        ("{\"a\": \"\\ud800\"}", "an escape that is half of a character (a lone surrogate)", 1, 8),
        ("{\"a\": \"\\q\"}", "an unknown escape in a string", 1, 8),
        ("{\"a\": \"\\u12\"}", "an unknown escape in a string", 1, 8),
        ("{\"a\": ", "the file ends where a value is expected: it seems to be cut off", 1, 7),
        (
            "{\"a\": 1",
            "the file ends where a comma or } after the value of \"a\" is expected: it seems to be cut off", 1, 8
        ),
        ("{} {}", "more text after the end of the outermost value: \"{\"", 1, 4),
        (String(repeating: "[", count: 100000), "more than 32 levels", 1, 34),
    ])
    func damageIsToldWithItsPlace(_ text: String, _ message: String, _ line: Int, _ column: Int) {
        let error = #expect(throws: JSONDamage.self) { try JSONNode.parse(Array(text.utf8)) }
        #expect(error?.message == message)
        #expect(error?.location == .init(line: line, column: column))
    }

    @Test func textThatIsNotUTF8IsRefusedWithItsLine() {
        let error = #expect(throws: JSONDamage.self) {
            try JSONNode.parse(Array("{\n\"a\": \"".utf8) + [0xFF] + Array("\"}".utf8))
        }
        #expect(error?.message == "the file is not UTF-8 text")
        #expect(error?.location.line == 2)
    }

    @Test func escapesByteOrderMarksAndSpaceAreUnderstood() throws {
        let text = "\u{FEFF}\r\n{ \"\\u0061\" : \"\\ud83d\\ude00\\n\\/\\\"\\\\\" }\n"
        guard case .object(let members) = try JSONNode.parse(Array(text.utf8)).value,
            case .string(let value) = members[0].node.value
        else { return #expect(Bool(false)) }
        #expect(members[0].name == "a")
        #expect(value == "😀\n/\"\\")
    }

    /// No prefix and no changed byte of a good file may trap, and what is still read must be judged.
    @Test func noDamagedFileTraps() {
        let good = makeFile(["cluster_name": #""a\u0062\ud83d\ude00""#, "target_domain": "null"])
        for length in 0..<good.count { _ = DeploymentConfiguration.parse(Array(good[..<length])) }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var bytes = good
            for _ in 0...Int.random(in: 0...2, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            _ = DeploymentConfiguration.parse(bytes)
        }
    }
}
