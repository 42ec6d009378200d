import Testing

@testable import JobstatsDeploy

@Suite struct BundleIndexTests {
    private let sum = String(repeating: "ab", count: 32)

    private func makeIndex() -> BundleIndex {
        var index = BundleIndex()
        index.objects = [sum: 12]
        index.made = ["tree of x from https://example.org/a b": sum]
        index.platform = "ubuntu 24.04 amd64"
        index.packages = [.init(name: "libc6", version: "1:2.36-9+deb12u4~x", sha256: sum)]
        index.closures = ["libc6": ["gcc-12-base", "libc6"]]
        index.tools = [.init(name: "guided-setup", sha256: sum)]
        return index
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        #expect(try BundleIndex.decode(makeIndex().encoded()) == makeIndex())
    }

    private func isRefused(_ change: (String) -> String) -> Bool {
        let text = change(String(decoding: makeIndex().encoded(), as: UTF8.self))
        return (try? BundleIndex.decode(Array(text.utf8))) == nil
    }

    @Test func damagedAndHostileIndexesAreRefused() {
        #expect(!isRefused { $0 })
        #expect(isRefused { String($0.dropLast(20)) })
        #expect(isRefused { $0.replacing("\"format\": 1", with: "\"format\": 2") })
        #expect(isRefused { $0.replacing("\"\(sum)\": 12", with: "\"../../etc/passwd\": 12") })
        #expect(isRefused { $0.replacing("\"\(sum)\": 12", with: "\"\(sum)\": -1") })
        #expect(isRefused { $0.replacing("\"guided-setup\"", with: "\"../guided-setup\"") })
        #expect(isRefused { $0.replacing("\"name\": \"libc6\"", with: "\"name\": \"-o=Debug\"") })
        #expect(isRefused { $0.replacing("\"name\": \"libc6\"", with: "\"name\": \"a/../b\"") })
        #expect(isRefused { $0.replacing("1:2.36-9+deb12u4~x", with: "1; reboot") })
        #expect(isRefused { $0.replacing("ubuntu 24.04 amd64", with: "ubuntu\\u001b[2J") })
        #expect(isRefused { $0.replacing("tree of x", with: "tree\\nof x") })
        #expect(isRefused { $0.replacing("\"objects\"", with: "\"made\"") })
    }
}
