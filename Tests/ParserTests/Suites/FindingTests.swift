import FoundationEssentials
import Testing

@testable import BCMClient
@testable import JobstatsDeploy
@testable import ServiceManager

/// What fuzzing and the large inputs of ``GrowthTests`` found, each as small as it can be.
struct FindingTests {
    @Test(arguments: [
        ["a9223372036854775807", "a9223372036854775808"], ["a1234567890", "a1234567891"],
        ["a999999999", "a1000000000"], ["99999999999999999999", "99999999999999999998"],
    ])
    func namesWithNumbersOfMoreThanNineDigitsAreWrittenSuchThatTheyAreReadBack(_ names: [String]) throws {
        let again = try HostRange.expand(HostRange.compress(names), limit: 10)
        #expect(Set(again) == Set(names))
    }

    @Test(arguments: ["@nan", "@inf", "@-inf", "@1e400", "@1e13", "@-1e13"])
    func timesThatNothingCanBeComputedWithAreNone(_ text: String) {
        #expect(Timestamp.parse(text[...]) == nil)
    }

    @Test func aHostNameThatNoHostCanHaveIsRefusedBeforeTenThousandAreMadeOfIt() {
        let name = String(repeating: "a", count: 4_000_000)
        for entry in ["\(name)[1-10000]", "\(name)1..\(name)9999", String(repeating: "[1]", count: 300)] {
            #expect(throws: HostRange.Problem.self) { try HostRange.expand(entry, limit: 10_000) }
        }
        #expect(throws: BCMError.self) { try NodeRange("\(name)1..\(name)99999") }
    }

    @Test func anEntryOnAContinuedLineKnowsItsLine() {
        let conf = SlurmConf(text: "A=1 \\\n B=2 C=3 \\\n\\\nD=4\nE=5\n")
        #expect(conf.entries.map(\.line) == [1, 2, 2, 4, 5])
    }

    @Test func ofManyIncludedFilesTheFirstSixtyFourAreLookedAt() {
        let conf = SlurmConf(
            Array(String(repeating: "Include x\n", count: 65).utf8), included: ["x": Array("A=1\n".utf8)])
        #expect(conf.entries.count == 64)
        #expect(conf.includes.count == 65 && !conf.isComplete)
    }

    @Test func aTableHasEachHeadingOnceAndNoValueWithoutOne() throws {
        let table = try #require(CmshTable("a (key) (key){}b\nx{}y\n"))
        #expect(table.rows.allSatisfy { $0.keys.allSatisfy(table.headings.contains) })
    }

    @Test func aTableOfMoreColumnsThanCmshCanShowIsNone() {
        #expect(CmshTable("a\n" + String(repeating: "- ", count: 300) + "\nx\n") == nil)
    }
}
