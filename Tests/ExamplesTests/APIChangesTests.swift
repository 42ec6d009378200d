import FoundationEssentials
import Testing

/// What scripts/api.sh tells of two lists of declarations.
struct APIChangesTests {
    private static let earlier = [
        "member P\tprotocol P", "member E\tenum E", "case E.a\tcase a", "member f(_:)\tfunc f(_ x: Int)",
        "conformance E\tSwift.Sendable",
    ]

    @Test func whatIsAsRecordedIsNoChange() throws {
        #expect(try changes(Self.earlier) == ([], 0))
    }

    @Test func additionsAloneBreakNobody() throws {
        let now = [
            "member S\tstruct S", "conformance S\tSwift.Sendable", "requirement-with-default P.y()\tfunc y()",
            "member f(_:)\tfunc f(_ x: String)", "member Q\tprotocol Q", "requirement Q.z(a:)\tfunc z(a: A.B)",
            "deprecation f(_:)\tuse g()",
        ]
        #expect(
            try changes(Self.earlier + now) == (
                [
                    "adds: P.y(): func y()", "adds: Q.z(a:): func z(a: A.B)", "adds: Q: protocol Q",
                    "adds: S is Swift.Sendable",
                    "adds: S: struct S", "adds: f(_:): func f(_ x: String)", "deprecates: f(_:): use g()",
                ], 3
            ))
    }

    @Test func whatGoesOrIsOtherwiseBreaksUsers() throws {
        let now = ["member P\tprotocol P", "member E\tenum E", "member f(_:)\tfunc f(_ x: Int = 1) throws"]
        #expect(
            try changes(now) == (
                [
                    "breaks: E is no Swift.Sendable any more",
                    "breaks: changed: f(_:): func f(_ x: Int)  ->  func f(_ x: Int = 1) throws",
                    "breaks: removed: E.a: case a",
                ], 1
            ))
    }

    @Test func requirementsAndCasesOfKnownTypesBreakUsersAlthoughTheyAreAdded() throws {
        let now = ["requirement P.x\tvar x: Int { get }", "case E.b(_:)\tcase b(Int)"]
        #expect(
            try changes(Self.earlier + now) == (
                [
                    "breaks: added to what users may switch over: E.b(_:)",
                    "breaks: added without a default: P.x: var x: Int { get }",
                ], 1
            ))
    }

    private func changes(_ now: [String]) throws -> (lines: [String], status: Int32) {
        let folder = try Folder()
        for (name, lines) in [("earlier", Self.earlier), ("now", now)] {
            try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: "\(folder.path)/\(name)"))
        }
        let answer = try run(
            "/usr/bin/awk",
            ["-f", "\(repository)/scripts/docs/api-changes.awk", "\(folder.path)/earlier", "\(folder.path)/now"])
        return (answer.output.split(separator: "\n").map { String($0) }.sorted(), answer.status)
    }
}
