import Synchronization

@testable import JobstatsDeploy

/// A console that keeps what was written and answers from a list.
final class TestConsole: Console {
    private struct State {
        var output = ""
        var errors = ""
        var answers: [String]
    }
    private let state: Mutex<State>
    let isTerminal: Bool
    let usesColour = false
    let columns: Int

    init(isTerminal: Bool = false, columns: Int = 80, answers: [String] = []) {
        self.isTerminal = isTerminal
        self.columns = columns
        state = Mutex(State(answers: answers))
    }

    var output: String { state.withLock { $0.output } }
    var errors: String { state.withLock { $0.errors } }
    func write(_ text: String) { state.withLock { $0.output += text } }
    func writeError(_ text: String) { state.withLock { $0.errors += text } }
    func paint(_ lines: [String]) {}
    func ask(_ question: String) async -> String? {
        state.withLock { state in
            state.output += question + "\n"
            return state.answers.isEmpty ? nil : state.answers.removeFirst()
        }
    }
}
