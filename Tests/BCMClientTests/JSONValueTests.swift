import Testing

@testable import BCMClient

struct JSONValueTests {
    /// A text and what is said of it.
    struct Damaged: Sendable, CustomTestStringConvertible {
        var bytes: [UInt8]
        var message: String
        init(_ text: String, _ message: String) { (bytes, self.message) = (Array(text.utf8), message) }
        init(_ bytes: [UInt8], _ message: String) { (self.bytes, self.message) = (bytes, message) }
        var testDescription: String { message }
    }

    @Test(arguments: [
        Damaged("", "the outermost value: the text is empty (line 1, column 1)"),
        Damaged("  \n ", "the outermost value: the text is empty (line 1, column 1)"),
        Damaged("<html>", "the outermost value: expected a value, found < (line 1, column 1)"),
        Damaged("[1] x", "the outermost value: expected nothing after the value, found x (line 1, column 5)"),
        Damaged("[1,\n2,]", "[2]: expected a value, found ] (line 2, column 3)"),
        Damaged("[1 2]", "the outermost value: expected a comma or a closing bracket, found 2 (line 1, column 4)"),
        Damaged(
            "[1",
            "the outermost value: expected a comma or a closing bracket, found the end of the text (line 1, column 3)"),
        Damaged(#"[{"a": }]"#, "[0].a: expected a value, found } (line 1, column 8)"),
        Damaged(#"{"a" 1}"#, "a: expected a colon after the name, found 1 (line 1, column 6)"),
        Damaged("{a: 1}", "the outermost value: expected a name in double quotes, found a (line 1, column 2)"),
        Damaged(#"{"a": 1,}"#, "the outermost value: expected a name in double quotes, found } (line 1, column 9)"),
        Damaged(
            #"{"a": 1 "b": 2}"#, "the outermost value: expected a comma or a closing brace, found \" (line 1, column 9)"
        ),
        Damaged(#"{"a": {"b c": tru}}"#, "a[\"b c\"]: expected a value, found t (line 1, column 15)"),
        Damaged("[NaN]", "[0]: expected a value, found N (line 1, column 2)"),
        Damaged("[Infinity]", "[0]: expected a value, found I (line 1, column 2)"),
        Damaged("[01]", "[0]: a number that is not one (line 1, column 2)"),
        Damaged("[-]", "[0]: a number that is not one (line 1, column 2)"),
        Damaged("[1.]", "[0]: a number that is not one (line 1, column 2)"),
        Damaged("[1e+]", "[0]: a number that is not one (line 1, column 2)"),
        Damaged("[+1]", "[0]: expected a value, found + (line 1, column 2)"),
        Damaged("['a']", "[0]: expected a value, found ' (line 1, column 2)"),
        Damaged(#"["a"#, "[0]: a string without a closing quote (line 1, column 2)"),
        Damaged("[\"a\nb\"]", "[0]: a control character in a string (line 1, column 4)"),
        Damaged(#"["\x"]"#, "[0]: an unknown escape in a string (line 1, column 4)"),
        Damaged(#"["\u12g4"]"#, "[0]: a \\u escape without four hexadecimal digits (line 1, column 7)"),
        Damaged(#"["\ud83d"]"#, "[0]: half of a surrogate pair in a string (line 1, column 9)"),
        Damaged(#"["\ud83dA"]"#, "[0]: half of a surrogate pair in a string (line 1, column 9)"),
        Damaged(#"["\ud83d\ud83d"]"#, "[0]: half of a surrogate pair in a string (line 1, column 14)"),
        Damaged(#"{"a": "\udc00"}"#, "a: half of a surrogate pair in a string (line 1, column 13)"),
        Damaged(Array("[\"".utf8) + [0xff] + Array("\"]".utf8), "[0]: a string that is not UTF-8 (line 1, column 3)"),
        Damaged(Array("[\"é".utf8) + [0xc3] + Array("\"]".utf8), "[0]: a string that is not UTF-8 (line 1, column 5)"),
        Damaged([0x5b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x5d], "[0]: a string that is not UTF-8 (line 1, column 4)"),
        Damaged([0x5b, 0x00, 0x5d], "[0]: expected a value, found the byte 0x0 (line 1, column 2)"),
        Damaged(
            [0xff, 0xfe, 0x5b, 0x00], "the outermost value: expected a value, found the byte 0xff (line 1, column 1)"),
    ])
    func damageIsNamedWithItsPathAndPlace(_ damaged: Damaged) {
        do throws(JSONError) {
            let value = try JSONValue(parsing: damaged.bytes)
            Issue.record("it was read as \(value)")
        } catch {
            #expect("\(error)" == damaged.message)
        }
    }

    @Test func everyPrefixOfATextIsAnErrorAndNoCrash() throws {
        let text = #" {"a": [1, -2.5e+3, "x\u00e9\ud83d\ude00", true, null], "b": {"c": {}}, "é": false} "#
        let whole = Array(text.utf8)
        let end = try #require(whole.lastIndex(of: UInt8(ascii: "}")))
        _ = try JSONValue(parsing: whole)
        for count in 0...end { #expect(throws: JSONError.self) { try JSONValue(parsing: Array(whole[..<count])) } }
        for index in whole.indices {
            for byte: UInt8 in [0, 0x22, 0x5c, 0x7b, 0x7d, 0x80, 0xff] {
                var changed = whole
                changed[index] = byte
                // Read or refused: what comes back is JSON again.
                if let value = try? JSONValue(parsing: changed) {
                    #expect(try JSONValue(parsing: value.text()) == value)
                }
            }
        }
    }

    @Test(arguments: [
        "0", "-0", "281474976710657", "9223372036854775807", "18446744073709551615", "1.10", "5.0", "5e3", "1e999",
        "-1E-7", "123456789012345678901234567890",
    ])
    func numbersAreKeptAsTheyWereWritten(_ text: String) throws {
        let value = try JSONValue(parsing: "[\(text)]")
        #expect(value[0]?.number?.text == text)
        #expect(value.text() == "[\(text)]")
    }

    @Test func numbersAreCalculatedWithOnlyWhereTheyFit() {
        func number(_ text: String) -> JSONNumber? { JSONNumber(text) }
        #expect(number("9223372036854775807")?.integer == .max)
        #expect(number("9223372036854775808")?.integer == nil)
        #expect(number("18446744073709551615")?.unsigned == .max)
        #expect(number("-1")?.unsigned == nil)
        #expect(number("5.0")?.integer == 5 && number("5e3")?.integer == 5000)
        #expect(number("5.5")?.integer == nil && number("1e30")?.integer == nil)
        #expect(number("1e999")?.double == nil && number("0.1")?.double == 0.1)
        for text in ["", "+1", "01", "1.", ".5", "0x1", "1 ", "nan", "١"] { #expect(JSONNumber(text) == nil) }
        #expect(JSONNumber(Double.infinity) == nil && JSONNumber(1.5)?.text == "1.5")
    }

    @Test func textsAreDecodedAndWrittenAgain() throws {
        let value = try JSONValue(parsing: #"["a\"\\\/\b\f\n\r\tA\u00e9\ud83d\ude00", "é😀", "\u007f\u009b"]"#)
        #expect(value[0]?.string == "a\"\\/\u{8}\u{c}\n\r\tAé😀")
        #expect(value[1]?.string == "é😀")
        // What a terminal would act upon is escaped.
        #expect(value[2]?.text() == #""\u007f\u009b""#)
        #expect(try JSONValue(parsing: value.text()) == value)
        #expect(try JSONValue(parsing: value.text(indent: 2)) == value)
    }

    @Test func aByteOrderMarkIsPassedOver() throws {
        #expect(try JSONValue(parsing: [0xef, 0xbb, 0xbf, 0x31]) == 1)
    }

    @Test func membersKeepTheirOrderAndTheirDuplicates() throws {
        let value = try JSONValue(parsing: #"{"b": 1, "a": 2, "b": 3}"#)
        #expect(value.object?.members.map(\.name) == ["b", "a", "b"])
        #expect(value["b"] == 3, "the last one, as most readers have it")
        #expect(value.object?.members(besides: ["b"]).map(\.name) == ["a"])
        #expect(value.text() == #"{"b": 1, "a": 2, "b": 3}"#)
        let place = JSONPlace(value)
        #expect(throws: JSONError(JSONPath([.member("b")]), "the name stands twice")) { try place.member("b") }
        #expect(throws: JSONError.self) { try place.members() }
        #expect(try place.member("a").integer() == 2)
    }

    @Test func depthAndSizeAreBounded() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try JSONValue(parsing: nested(64))
        #expect(throws: JSONError.self) { try JSONValue(parsing: nested(65)) }
        // Far deeper than any stack.
        #expect(throws: JSONError.self) { try JSONValue(parsing: nested(1_000_000)) }
        #expect(throws: JSONError.self) {
            try JSONValue(parsing: String(repeating: #"{"a":"#, count: 1_000_000))
        }
        _ = try JSONValue(parsing: nested(500), limits: .init(depth: 100_000))
        #expect(throws: JSONError.self) { try JSONValue(parsing: nested(501), limits: .init(depth: 100_000)) }
        _ = try JSONValue(parsing: "[1,2]", limits: .init(values: 3))
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[1,2,3]", limits: .init(values: 3)) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[1,2,3]", limits: .init(bytes: 6)) }
    }

    @Test func aPathLeadsBackToItsPlaceInTheText() throws {
        let text = Array("{\"é\": 1,\n \"a\": [true,\n  {\"b\": null, \"b\": 2}]}".utf8)
        func place(_ steps: JSONPath.Step...) -> String? {
            JSONValue.location(of: JSONPath(steps), in: text).map { "\($0)" }
        }
        #expect(place() == "line 1, column 1")
        #expect(place(.member("é")) == "line 1, column 7")
        #expect(place(.member("a"), .element(1)) == "line 3, column 3")
        #expect(place(.member("a"), .element(1), .member("b")) == "line 3, column 20")
        #expect(place(.member("c")) == nil)
    }

    @Test func pathsNameOddMembersInQuotes() {
        let path = JSONPath([.element(3), .member("roles"), .member("a b"), .member(""), .element(0)])
        #expect("\(path)" == #"[3].roles["a b"][""][0]"#)
        #expect("\(JSONPath([.member("a\u{1b}[2J")]))" == #"["a [2J"]"#)
    }
}
