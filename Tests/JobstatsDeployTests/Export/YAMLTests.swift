import Testing

@testable import JobstatsDeploy

struct YAMLTests {
    @Test(arguments: [
        ("plain", "\"plain\""), ("yes", "\"yes\""), ("a: b # c", "\"a: b # c\""), ("it's \"x\"", "\"it's \\\"x\\\"\""),
        ("\\n\n\t", "\"\\\\n\\n\\t\""), ("\u{1B}[2J", "\"\\x1B[2J\""), ("\u{2028}ü", "\"\\u2028\\xFC\""),
        ("\u{1F600}", "\"\\U0001F600\""), ("{{ x }}", "!unsafe \"{{ x }}\""), ("{% x %}", "!unsafe \"{% x %}\""),
        ("{# x #}", "!unsafe \"{# x #}\""), ("", "\"\""),
    ])
    func everyTextStaysThisText(_ text: String, _ expected: String) {
        #expect(YAML.object(["k": .text(text)]).document == "---\nk: \(expected)\n")
    }

    @Test func listsAndMapsStandOnLinesOfTheirOwn() {
        let tree = YAML.list([
            .object(["a": .texts(["x", "y"]), "b": .object(["c": .flag(true), "d": .number(3)])]), .list([]),
            .text("z"),
        ])
        #expect(
            tree.document == """
                ---
                - a:
                    - "x"
                    - "y"
                  b:
                    c: true
                    d: 3
                - []
                - "z"

                """)
    }

    @Test func treesThatDifferInTextsAloneBecomeOne() throws {
        func tree(_ name: String) -> YAML { .list([.text("same"), .object(["k": .text(name), "l": .text(name)])]) }
        let one = try #require(YAML.unified([tree("a"), tree("b")]) { .template("{{ v[\($0)] }}") })
        #expect(one.values == [[.text("a"), .text("a")], [.text("b"), .text("b")]])
        #expect(one.tree.document.contains("k: \"{{ v[0] }}\"\n  l: \"{{ v[1] }}\""))
        #expect(YAML.unified([tree("a"), .list([.text("same")])]) { _ in .text("") } == nil)
    }
}
