import FoundationEssentials
import Testing

@testable import ServiceManager

struct ServiceMemoryTests {
    private func residentFileKilobytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssFile:") })
        return try #require(Int(line.split(whereSeparator: { !$0.isNumber }).first ?? ""))
    }

    @Test func pagesOfTheProgramAreGivenBackAndMappedAgainWhenNeeded() throws {
        // Other tests run at the same time and map pages again, so a few tries.
        var ratios: [Double] = []
        for _ in 0..<5 where !ratios.contains(where: { $0 < 0.9 }) {
            let before = try residentFileKilobytes()
            ServiceMemory.release()
            ratios.append(Double(try residentFileKilobytes()) / Double(before))
        }
        #expect(ratios.contains { $0 < 0.9 }, "\(ratios)")
    }
}
