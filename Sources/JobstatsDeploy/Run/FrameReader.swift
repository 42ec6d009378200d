import CommandExecution
import Subprocess

/// Reads the agent's answers from the standard output of `ssh`.
struct FrameReader {
    /// The host ended the connection, or spoke something else.
    struct Broken: Error {
        let reason: String
    }

    private var iterator: SubprocessOutputSequence.AsyncIterator
    private var buffer: [UInt8] = []
    private var start = 0

    init(_ sequence: SubprocessOutputSequence) {
        iterator = sequence.makeAsyncIterator()
    }

    /// Passes over lines until one is exactly this.
    mutating func skip(through line: String) async throws {
        var skipped = 0
        while true {
            let next = try await readLine()
            if next.elementsEqual(line.utf8) { return }
            if next.elementsEqual(RemoteAgent.busy.utf8) {
                throw Broken(reason: "another run is at work on this host; wait for it to end")
            }
            skipped += next.count
            if skipped > 1 << 20 { throw Broken(reason: "more than 1 MiB of greeting") }
        }
    }

    /// Reads the answer to one command.
    mutating func answer(
        to command: Command, id: Int, host: String
    ) async throws -> Result<CommandResult, CommandError> {
        let line = try await readLine()
        guard let header = RemoteAgent.parseHeader(line), header.id == id else {
            let text = String(decoding: line.prefix(80), as: UTF8.self)
            throw Broken(reason: "it answered something else: \(text.debugDescription)")
        }
        if header.outputLength > command.outputLimit || header.errorLength > command.outputLimit {
            throw Broken(reason: "\(command.executable) wrote more than \(command.outputLimit) bytes")
        }
        let output = try await read(header.outputLength)
        let error = try await read(header.errorLength)
        if header.status == RemoteAgent.timedOutStatus || header.status == 137 {
            return .failure(
                CommandError(
                    .timedOut, executable: command.executable, host: host,
                    reason: "no end after \(command.timeout)" + Self.tail(error)))
        }
        return .success(
            CommandResult(
                status: header.status > 128 ? .signalled(header.status - 128) : .exited(header.status),
                standardOutput: output, standardError: error))
    }

    private static func tail(_ error: [UInt8]) -> String {
        error.isEmpty ? "" : "; its last words: " + String(decoding: error.suffix(200), as: UTF8.self).debugDescription
    }

    private mutating func readLine() async throws -> [UInt8] {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return Array(buffer[start..<end])
            }
            let pending = buffer.count - start
            if pending > 1 << 20 { throw Broken(reason: "a line of more than 1 MiB") }
            try await fill()
            searched = start + pending
        }
    }

    private mutating func read(_ count: Int) async throws -> [UInt8] {
        while buffer.count - start < count { try await fill() }
        defer { start += count }
        return Array(buffer[start..<(start + count)])
    }

    private mutating func fill() async throws {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        guard let chunk = try await iterator.next() else { throw Broken(reason: "the connection ended") }
        chunk.withUnsafeBytes { buffer.append(contentsOf: $0) }
    }
}
