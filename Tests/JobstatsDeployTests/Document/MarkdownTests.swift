import Testing

@testable import JobstatsDeploy

@Suite struct MarkdownTests {
    @Test(arguments: [
        ("plain-text 1.2", "plain-text 1.2"), ("a|b", "a\\|b"), ("<script>", "\\<script\\>"),
        ("a_b*c`d", "a\\_b\\*c\\`d"),
        ("[x](y)", "\\[x\\](y)"), ("a\nb", "a b"), ("\u{1b}[2J", "\\\\u\\{1b\\}\\[2J"), ("a&amp;b", "a\\&amp;b"),
    ])
    func valuesStayValues(_ text: String, _ expected: String) { #expect(Markdown.escape(text) == expected) }

    @Test(arguments: [
        ("abc", "`abc`"), ("a`b", "``a`b``"), ("`a", "`` `a ``"), ("a``b", "```a``b```"), ("a\nb", "`a b`"),
    ])
    func codeSpansHoldBackquotes(_ text: String, _ expected: String) { #expect(Markdown.code(text) == expected) }

    @Test func fencesAreLongerThanAnyInside() {
        #expect(Markdown.block("a\n```\nb") == "````\na\n```\nb\n````\n")
        #expect(Markdown.block("x\n", language: "sh") == "```sh\nx\n```\n")
        #expect(Markdown.block("`````").hasPrefix("``````\n"))
        #expect(Markdown.block("a\u{1b}b\tc") == "```\na\\u{1b}b\tc\n```\n")
    }
}
