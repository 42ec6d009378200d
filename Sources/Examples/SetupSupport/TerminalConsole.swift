internal import CommandExecution
internal import ExampleSupport
internal import Glibc
public import JobstatsDeploy
internal import Synchronization

/// A console on standard input, output and error.
public final class TerminalConsole: Console {
    /// Whether a person watches and can answer: standard input and output are a terminal.
    public let isTerminal: Bool
    /// Whether colours are welcome: a terminal, and no `NO_COLOR` (no-color.org).
    public let usesColour: Bool
    private let painted = Mutex(0)

    /// Looks at the environment once.
    public init() {
        let kind = getenv("TERM").map { String(cString: $0) } ?? "dumb"
        isTerminal = isatty(STDOUT_FILENO) == 1 && isatty(STDIN_FILENO) == 1
        let noColour = getenv("NO_COLOR").map { strlen($0) > 0 } ?? false
        usesColour = isatty(STDOUT_FILENO) == 1 && kind != "dumb" && !noColour
        canPaint = isatty(STDOUT_FILENO) == 1 && kind != "dumb"
    }

    private let canPaint: Bool

    /// The width of the terminal, `COLUMNS`, or 80.
    public var columns: Int {
        var size = winsize()
        if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 20 { return Int(size.ws_col) }
        return getenv("COLUMNS").flatMap { Int(String(cString: $0)) }.flatMap { $0 >= 20 ? $0 : nil } ?? 80
    }

    /// The height of the terminal, `LINES`, or 24.
    public var rows: Int {
        var size = winsize()
        if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row >= 5 { return Int(size.ws_row) }
        return getenv("LINES").flatMap { Int(String(cString: $0)) }.flatMap { $0 >= 5 ? $0 : nil } ?? 24
    }

    /// Writes to standard output.
    public func write(_ text: String) {
        painted.withLock { _ in Program.write(text, to: STDOUT_FILENO) }
    }

    /// Writes to standard error.
    public func writeError(_ text: String) {
        painted.withLock { _ in Program.write(text, to: STDERR_FILENO) }
    }

    /// Paints lines over those painted last.
    public func paint(_ lines: [String]) {
        guard canPaint else { return }
        painted.withLock { count in
            // Up to the first painted line, then everything below it is cleared (ECMA-48: CUU, ED).
            var text = count > 0 ? "\u{1B}[\(count)A\r\u{1B}[J" : ""
            text += lines.map { $0 + "\n" }.joined()
            if !text.isEmpty { Program.write(text, to: STDOUT_FILENO) }
            count = lines.count
        }
    }

    /// Asks on standard output and reads a line of standard input, on a thread of its own; nil at its end.
    ///
    /// What was typed at a terminal before the question stood there is no answer to it, and is dropped.
    public func ask(_ question: String) async -> String? {
        if isatty(STDIN_FILENO) == 1 { tcflush(STDIN_FILENO, TCIFLUSH) }
        write(question)
        let answer = Answer()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                answer.wait(continuation)
                if !DetachedThread.start(named: "question", { answer.give(readLine()) }) { answer.give(nil) }
            }
        } onCancel: {
            answer.give(nil)
        }
    }

    /// The first answer that comes: a line, or nothing when the run is interrupted.
    private final class Answer: Sendable {
        private struct State {
            var isGiven = false
            var waiter: CheckedContinuation<String?, Never>?
        }
        private let state = Mutex(State())

        func wait(_ continuation: CheckedContinuation<String?, Never>) {
            let isLate = state.withLock { state -> Bool in
                if !state.isGiven { state.waiter = continuation }
                return state.isGiven
            }
            if isLate { continuation.resume(returning: nil) }
        }

        func give(_ line: String?) {
            let waiter = state.withLock { state -> CheckedContinuation<String?, Never>? in
                state.isGiven = true
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(returning: line)
        }
    }
}
