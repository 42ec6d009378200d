import Testing

@testable import JobstatsDeploy

struct ImagingInstructionsTests {
    private func text(_ change: (inout DeploymentConfiguration) -> Void = { _ in }) -> String {
        ImagingInstructions(configuration: makeConfiguration(change), facts: nil).text
    }

    @Test func theRecordIsCapturedAndTheRestOfItsFolderIsNot() {
        let text = text()
        #expect(text.contains("Must be captured"))
        let captured = text.split(separator: "\n").first { $0.hasPrefix("Must be captured") } ?? ""
        #expect(captured.contains("`/var/lib/bcm-jobstats/installed`"))
        let excluded = text.split(separator: "\n").first { $0.hasPrefix("Must not be captured") } ?? ""
        #expect(!excluded.contains("`/var/lib/bcm-jobstats`"))
        for name in ["backups", "self-test.*", "sums", "packages"] {
            #expect(excluded.contains("`/var/lib/bcm-jobstats/\(name)`"), "\(name)")
        }
    }

    @Test func everyTypeOfNodeKeepsTheRecord() {
        let lines = text().split(separator: "\n").filter { $0.hasPrefix("Must be captured") }
        #expect(lines.count == text().split(separator: "\n").filter { $0.hasPrefix("#### ") }.count)
    }
}
