import Testing

@testable import JobstatsDeploy

struct WordsTests {
    @Test(arguments: [
        (["dgx-01", "dgx-02", "dgx-03", "dgx-07"], "dgx-[01-03,07]"),
        (["mon-01"], "mon-01"),
        (["head", "dgx-9", "dgx-10", "dgx-11"], "head, dgx-9, dgx-[10-11]"),
        (["a1.example", "a2.example"], "a[1-2].example"),
        ([], ""),
    ]) func hostNamesAreFolded(_ names: [String], _ folded: String) {
        #expect(Words.hosts(names) == folded)
    }

    @Test func foldedNamesExpandToTheSameHosts() throws {
        let names = (1...2000).map { "dgx-" + String(repeating: "0", count: 4 - String($0).count) + String($0) }
        #expect(Words.hosts(names) == "dgx-[0001-2000]")
        #expect(try HostRange.expand(Words.hosts(names), limit: 10_000) == names)
    }

    @Test func timesAreShort() {
        #expect(Words.time(.milliseconds(420)) == "0.4 s")
        #expect(Words.time(.seconds(75)) == "75 s")
        #expect(Words.time(.seconds(200)) == "3 min 20 s")
    }

    @Test func textFitsItsColumns() {
        #expect(Words.fit("abc", 5) == "abc  ")
        #expect(Words.fit("abcdef", 4) == "abc…")
        let wrapped = Words.wrap("one two three four", 10, indent: "  ")
        #expect(wrapped == "  one two\n  three\n  four")
    }

    @Test func aLongListOfNumbersIsBrokenAfterCommas() {
        let names = Words.hosts((1...60).map { "n\($0 * 3 + 100)-gpu" })
        let text = Words.wrap("on \(names) (60 hosts):", 40, indent: "   ")
        for line in text.split(separator: "\n") { #expect(line.count <= 40, "\(line)") }
        #expect(text.replacing("\n", with: "").replacing(" ", with: "").contains(names))
    }
}
