import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

struct KnownSumsTests {
    private let folder = TemporaryFolder()
    private var sums: String { "\(folder.path)/state/sums" }
    private let large = String(repeating: "x", count: 1 << 18)

    private func digest(_ path: String, isWritten: Bool = true, settling: Int = -60) async throws -> String? {
        var memory = KnownSums(file: sums, isWritten: isWritten)
        memory.settling = .seconds(settling)
        let collector = FactCollector([.file(path)], sums: memory)
        return try await collector.collect(with: LocalExecutor()).file(path)?.sha256
    }

    @Test func aLargeFileIsReadOnceAndAgainWhenItChanged() async throws {
        let path = folder.write("pro'gram $x", large)
        let real = SHA256Digest.hex(Array(large.utf8))
        #expect(try await digest(path) == real)
        let remembered = try #require(folder.read("state/sums"))
        #expect(remembered.split(separator: "\n").count == 1 && remembered.contains(real))
        // What is remembered is what is answered: the file itself is not read.
        let invented = String(repeating: "ab", count: 32)
        folder.write("state/sums", remembered.replacing(real, with: invented))
        #expect(try await digest(path) == invented)
        folder.write("pro'gram $x", String(repeating: "y", count: 1 << 18))
        #expect(try await digest(path) == SHA256Digest.hex(Array(repeating: UInt8(ascii: "y"), count: 1 << 18)))
    }

    @Test func veryLargeFilesOfAnyNameAreDigestedAndRemembered() async throws {
        let text = String(repeating: "z", count: 3 << 20)
        for name in ["program", "it's 1"] {
            let path = folder.write(name, text)
            #expect(try await digest(path) == SHA256Digest.hex(Array(text.utf8)))
            #expect(folder.read("state/sums")?.contains("\t\(path)\t\(SHA256Digest.hex(Array(text.utf8)))\n") == true)
        }
    }

    /// As files are put in place, lines are added.
    @Test func aLongMemoryKeepsTheLastLineOfEachPath() async throws {
        let path = folder.write("program", large)
        let real = try #require(try await digest(path))
        let line = try #require(folder.read("state/sums"))
        let other = "0:0:1:1:1.000000001\t/other\t\(String(repeating: "ab", count: 32))\n"
        let old = (0..<300).map { "0:0:\($0):1:1.000000001\t\(path)\t\(String(repeating: "cd", count: 32))\n" }
        folder.write("state/sums", old.joined() + other + line)
        #expect(try await digest(path) == real)
        let kept = try #require(folder.read("state/sums"))
        #expect(Set(kept.split(separator: "\n")) == Set((line + other).split(separator: "\n")), "\(kept)")
        #expect(try await digest(path) == real)
    }

    @Test func aCheckWritesNothing() async throws {
        let path = folder.write("program", large)
        #expect(try await digest(path, isWritten: false) == SHA256Digest.hex(Array(large.utf8)))
        #expect(folder.names == ["program"])
    }

    @Test func aFileThatWasJustWrittenAndASmallOneAreNotRemembered() async throws {
        let path = folder.write("program", large)
        #expect(try await digest(path, settling: 3600) == SHA256Digest.hex(Array(large.utf8)))
        let small = folder.write("small", "hello")
        #expect(try await digest(small) == SHA256Digest.hex(Array("hello".utf8)))
        #expect(!folder.names.contains("state"))
    }

    @Test func aDamagedMemoryIsReplaced() async throws {
        let path = folder.write("program", large)
        mkdir("\(folder.path)/state", 0o755)
        folder.write("state/sums", "\u{0}\tgarbage\n\t\t\n0:0:1:1:1\t\(path)\tzz\n")
        let real = SHA256Digest.hex(Array(large.utf8))
        #expect(try await digest(path) == real)
        #expect(try await digest(path) == real)
        #expect(folder.read("state/sums")?.contains(real) == true)
    }
}
