import Testing

@testable import JobstatsDeploy

@Suite struct FactsTests {
    private let path = "/etc/x"

    private func facts(_ sha256: String?, _ content: String?) -> Facts {
        var facts = Facts()
        facts.files[path] = FileFact(
            kind: .plain, mode: 0o644, owner: "root", group: "root", size: 1, changed: 5, sha256: sha256)
        facts.contents[path] = content.map { Array($0.utf8) }
        return facts
    }

    /// What is known of the content after a newer look by somebody who knows what content has the digest "a".
    private func merged(_ known: Facts, _ newer: Facts, _ queries: [Query]) -> String? {
        var facts = known
        facts.merge(newer, answering: queries)
        return facts.content(path).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func contentThatSomebodyAskedForStaysAfterALookByWhoeverKnewIt() {
        let query = Query.contentUnless(path, sha256: "a"), file = Query.file(path)
        for queries in [[query], [file, query], [query, file]] {
            #expect(merged(facts("a", "old"), facts("a", nil), queries) == "old", "\(queries)")
        }
    }

    @Test func contentThatMayBeAnotherOneByNowIsForgotten() {
        let query = Query.contentUnless(path, sha256: "a"), file = Query.file(path)
        for queries in [[query], [file, query], [query, file]] {
            #expect(merged(facts("b", "old"), facts("a", nil), queries) == nil)
            #expect(merged(facts(nil, "old"), facts(nil, nil), queries) == nil, "two digests that are unknown")
            #expect(merged(facts("a", "old"), Facts(), queries) == nil, "no answer")
            #expect(merged(facts("a", "old"), facts("b", "new"), queries) == "new")
        }
        #expect(merged(facts("a", "old"), facts("a", nil), [.content(path)]) == nil)
    }
}
