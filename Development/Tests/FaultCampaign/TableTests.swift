import ClusterModel
import FoundationEssentials
import Testing

/// The matrix says what is there.
@Suite struct TableTests {
    private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path

    @Test func everyTestThatACellNamesExists() throws {
        var sources: [String: String] = [:]
        for cell in try Campaign.table.get() {
            let words = cell.test.prefix { $0 != "#" }.split(whereSeparator: { "./".contains($0) }).map(String.init)
            guard words.count >= 3 else {
                Issue.record("\(cell.name): \(cell.test) is no Module.Suite/function")
                continue
            }
            let module = words[0], suite = words[words.count - 2], function = words[words.count - 1]
            if sources[module] == nil { sources[module] = try text(of: module) }
            let source = sources[module] ?? ""
            #expect(source.contains("func \(function)("), "\(cell.name): there is no \(function) in \(module)")
            #expect(
                ["struct \(suite) ", "enum \(suite) "].contains { source.contains($0) },
                "\(cell.name): there is no \(suite) in \(module)")
        }
    }

    @Test func everyCellStandsOnceAndSaysItAll() throws {
        let cells = try Campaign.table.get()
        let names = cells.map(\.name)
        #expect(Set(names).count == names.count)
        for cell in cells {
            #expect(["quick", "long", "lab", "lab-long"].contains(cell.part), "\(cell.name): \(cell.part)")
            #expect(!cell.experiment.isEmpty && !cell.invariant.isEmpty && !cell.fault.contains(" "), "\(cell.name)")
        }
    }

    @Test func everyFaultOfTheSimulatorHasACell() throws {
        let names = Set(try Campaign.table.get().map(\.name))
        for fault in Fault.allCases where fault != .roleMissing { #expect(names.contains("bcm.\(fault.rawValue)")) }
    }

    /// A cell of this campaign's own is an experiment that runs under the cell's name.
    @Test func everyOwnCellIsRunUnderItsName() throws {
        let source = try text(of: "FaultCampaign")
        for cell in try Campaign.table.get() where cell.test.hasPrefix("FaultCampaign.") {
            let argument = cell.test.split(separator: "#").dropFirst().first.map(String.init)
            let isFault = argument.flatMap { Fault(rawValue: $0) } != nil
            #expect(
                source.contains("\"\(cell.name)\"") || argument.map { source.contains("\"\($0)\"") || isFault } == true,
                "nothing runs \(cell.name)")
        }
    }

    /// The sources of a test target, of this package or the libraries'.
    private func text(of module: String) throws -> String {
        let folders = [Self.tests + "/\(module)", Self.tests + "/../../Tests/\(module)"]
        let folder = try #require(folders.first { FileManager.default.fileExists(atPath: $0) }, "no module \(module)")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder)
        return try files.filter { $0.hasSuffix(".swift") }.sorted().map {
            try String(contentsOf: URL(filePath: "\(folder)/\($0)"), encoding: .utf8)
        }.joined(separator: "\n")
    }
}
