import Testing

@testable import BCMClient

/// One document and what must come of it: the host names, or nil when it must be refused.
struct ScannerCase: Sendable, CustomTestStringConvertible {
    var text: [UInt8]
    var names: [String]?
    var showingRoles: Int

    init(_ text: String, _ names: [String]?, showingRoles: Int = 0) {
        self.text = Array(text.utf8)
        self.names = names
        self.showingRoles = showingRoles
    }

    init(bytes: [UInt8], _ names: [String]?) {
        text = bytes
        self.names = names
        showingRoles = 0
    }

    var testDescription: String { String(decoding: text, as: UTF8.self) }

    static let accepted = [
        ScannerCase("[]", []), ScannerCase(" [ ] ", []), ScannerCase("\t[\r\n]\n", []),
        ScannerCase(#"[{"hostname":"a"}]"#, ["a"]), ScannerCase(#"[ { "hostname" : "a" } ]"#, ["a"]),
        ScannerCase("[\n  {\n    \"hostname\": \"a\",\n    \"ip\": \"1\"\n  }\n]\n", ["a"]),
        ScannerCase("[{\"hostname\"\t:\r\n\"a\"\t}\n,\r{\"hostname\":\"b\"}]", ["a", "b"]),
        ScannerCase(#"[{"hostname":"a"},{"hostname":"b"}]"#, ["a", "b"]),
        ScannerCase(#"[{"hostname":""}]"#, [""]), ScannerCase(#"[{"":"","hostname":"a"}]"#, ["a"]),
        ScannerCase(#"[{"hostname":"a","x":0}]"#, ["a"]), ScannerCase(#"[{"x":-0.0e-0,"hostname":"a"}]"#, ["a"]),
        ScannerCase(#"[{"x":1E+10,"hostname":"a","y":1e5}]"#, ["a"]),
        ScannerCase(#"[{"x":123.456e78,"hostname":"a"}]"#, ["a"]),
        ScannerCase(#"[{"x":10,"y":[1,2.5,-3],"hostname":"a"}]"#, ["a"]),
        ScannerCase(#"[{"x":true,"y":false,"z":null,"hostname":"a"}]"#, ["a"]),
        ScannerCase(#"[{"x":{},"y":[],"hostname":"a"}]"#, ["a"]),
        ScannerCase(#"[{"x":{"y":{"z":[[[{}]]]}},"hostname":"a"}]"#, ["a"]),
        ScannerCase(#"[{"x":[[],{},"",0,true],"hostname":"a"}]"#, ["a"]),
        ScannerCase(#"[{"hostname":"a","roles":["r"]}]"#, ["a"], showingRoles: 1),
        ScannerCase(#"[{"roles":["r","s"],"hostname":"a"}]"#, ["a"], showingRoles: 1),
        ScannerCase(#"[{"roles":[ ],"hostname":"a"}]"#, ["a"]),
        ScannerCase(#"[{"roles":[ "r" ],"hostname":"a"},{"hostname":"b"}]"#, ["a", "b"], showingRoles: 1),
        ScannerCase(#"[{"hostname":"a\"b"}]"#, ["a\"b"]), ScannerCase(#"[{"hostname":"a\\"}]"#, ["a\\"]),
        ScannerCase(#"[{"hostname":"\u0041"}]"#, ["A"]), ScannerCase(#"[{"hostname":"\uD834\uDD1E"}]"#, ["𝄞"]),
        ScannerCase(#"[{"hostname":"\uffff"}]"#, ["\u{ffff}"]), ScannerCase(#"[{"hostname":"\u0000"}]"#, ["\0"]),
        ScannerCase(#"[{"hostname":"é–😀"}]"#, ["é–😀"]),
        ScannerCase("[{\"hostname\":\"\u{7f}\"}]", ["\u{7f}"]),
        ScannerCase(
            "[{\"hostname\":\"\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}\"}]",
            ["\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}"]),
        ScannerCase(#"[{"hostname":"no","hostname":"a"}]"#, ["a"]),
        ScannerCase(#"[{"hostname":3,"hostname":"a"}]"#, ["a"]),
        ScannerCase(#"[{"hostnam":"x","hostnamee":"y","Hostname":"z","hostname":"a"}]"#, ["a"]),
        ScannerCase(#"[{"hostname\u0000":"x","hostname":"a"}]"#, ["a"]),
        ScannerCase(#"[{"x":"]}{[,:\"","hostname":"a"}]"#, ["a"]),
        ScannerCase(
            "[" + String(repeating: #"{"hostname":"a"},"#, count: 99) + #"{"hostname":"a"}]"#,
            Array(repeating: "a", count: 100)),
        ScannerCase(
            #"[{"hostname":"a","x":"# + String(repeating: "[", count: 62) + String(repeating: "]", count: 62)
                + "}]", ["a"]),
    ]

    static let refused = [
        "", " ", "{}", "null", "3", "\"a\"", "true", "[", "]", "[]]", "[][]", "[],", "[] x", "[,]", "[null]", "[3]",
        "[\"a\"]", "[[]]", "[{}]", "[{\"hostname\":\"a\"}", "[{\"hostname\":\"a\"},]", "[{\"hostname\":\"a\"} {}]",
        "[{\"hostname\":\"a\",}]", "[{,\"hostname\":\"a\"}]", "[{\"hostname\" \"a\"}]", "[{\"hostname\":}]",
        "[{hostname:\"a\"}]", "[{'hostname':'a'}]", "[{\"hostname\":\"a\"]", "[{\"hostname\":\"a\"}}",
        "[{\"hostname\":\"a\",\"x\":[}]}]", "[{\"hostname\":\"a\",\"x\":{]}]", "[{\"hostname\":\"a\",\"x\":[1,]}]",
        "[{\"hostname\":\"a\",\"x\":01}]", "[{\"hostname\":\"a\",\"x\":1.}]", "[{\"hostname\":\"a\",\"x\":.5}]",
        "[{\"hostname\":\"a\",\"x\":-}]", "[{\"hostname\":\"a\",\"x\":+1}]", "[{\"hostname\":\"a\",\"x\":1e}]",
        "[{\"hostname\":\"a\",\"x\":1e+}]", "[{\"hostname\":\"a\",\"x\":0x1}]", "[{\"hostname\":\"a\",\"x\":1 2}]",
        "[{\"hostname\":\"a\",\"x\":NaN}]", "[{\"hostname\":\"a\",\"x\":tru}]", "[{\"hostname\":\"a\",\"x\":trues}]",
        "[{\"hostname\":\"a\",\"x\":nul}]", "[{\"hostname\":\"a\",\"x\":True}]", "[{\"hostname\":\"a\nb\"}]",
        "[{\"hostname\":\"a\tb\"}]", "[{\"hostname\":\"\\x\"}]", "[{\"hostname\":\"\\u12\"}]",
        "[{\"hostname\":\"\\u12g4\"}]", "[{\"hostname\":\"\\ud800\"}]", "[{\"hostname\":\"\\udc00\"}]",
        "[{\"hostname\":\"\\ud800x\"}]", "[{\"hostname\":\"\\ud800\\n\"}]", "[{\"hostname\":\"\\ud800\\ud800\"}]",
        "[{\"hostname\":\"a}]", "[{\"hostname\":null}]", "[{\"hostname\":3}]", "[{\"hostname\":[\"a\"]}]",
        "[{\"ip\":\"1\"}]", "[{\"hostname\":\"a\",\"hostname\":null}]", "[{\"hostname\":\"a\",\"roles\":\"r\"}]",
        "[{\"hostname\":\"a\",\"roles\":[3]}]", "[{\"hostname\":\"a\",\"roles\":[[\"r\"]]}]",
        "[{\"hostname\":\"a\",\"roles\":{}}]", "[{\"hostname\":\"a\",\"ip\":3}]", "[{\"hostname\":\"a\"}]\0",
        "\u{feff}[]", "[{\"hostname\":\"a\"}]//", "[{\"hostname\":\"a\"\u{a0}}]", "[\u{b}]",
        "[{\"x\":" + String(repeating: "[", count: 63) + String(repeating: "]", count: 63) + ",\"hostname\":\"a\"}]",
    ].map { ScannerCase($0, nil) }

    static let badEncodings: [[UInt8]] = [
        [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc3], [0xc3, 0x41], [0xe0, 0x9f, 0x80], [0xe2, 0x82],
        [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xf0, 0x8f, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80],
        [0xf5, 0x80, 0x80, 0x80], [0xff], [0xfe], [0xf0, 0x9f, 0x98], [0xe2, 0x28, 0xa1],
    ]

    static let all =
        accepted + refused
        + badEncodings.map { ScannerCase(bytes: Array(#"[{"hostname":"a"#.utf8) + $0 + Array(#""}]"#.utf8), nil) }
        + badEncodings.map {
            ScannerCase(bytes: Array(#"[{"hostname":"a","x":""#.utf8) + $0 + Array(#""}]"#.utf8), nil)
        }
}

struct DeviceScannerTableTests {
    @Test(arguments: ScannerCase.all)
    func documentIsReadOrRefusedHoweverItIsSplit(_ document: ScannerCase) {
        var expected = Scan.refused
        if let names = document.names {
            expected = Scan(deviceCount: names.count, devicesShowingRoles: document.showingRoles)
        }
        func check(_ places: [Int]) {
            var result = scan(document.text, splitAt: places)
            if let names = document.names { #expect(result.matches.map(\.hostname) == names, "split at \(places)") }
            result.matches = []
            #expect(result == expected, "split at \(places)")
        }
        check([])
        for place in 0...document.text.count { check([place]) }
        check(Array(0..<document.text.count))
    }

    @Test func everyPairOfSplitsOfTheDocumentedListGivesTheSame() {
        let text = Array(
            #"[{"hostname":"n\u00f6de","x":[1,{"roles":[]}],"roles":["a","é"],"ip":"1"}, {"hostname":"b"}]"#.utf8)
        let whole = scan(text)
        #expect(whole.deviceCount == 2)
        for first in 0..<text.count {
            for second in first..<text.count where scan(text, splitAt: [first, second]) != whole {
                Issue.record("split at \(first) and \(second)")
            }
        }
    }

    @Test func everyPrefixOfADocumentIsRefused() {
        let text = Array(DeviceScannerTests.documented.utf8)
        for count in 0..<text.count { #expect(scan(Array(text[..<count])) == .refused, "\(count) bytes") }
    }
}
