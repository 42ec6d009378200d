/// What a person can answer on a walk: a word, of which the beginning suffices while it is the only one.
enum WalkChoice: String, Sendable, CaseIterable {
    case run, commands, diff, check, skip, back, quit, retry, output

    /// The word to type.
    var word: String { rawValue }

    /// What it does, in a line.
    var explanation: String {
        switch self {
        case .run: "look at each host, change what differs, look again"
        case .commands: "show the commands and files by which a person would do the same"
        case .diff: "look at the hosts, change nothing, show the differences"
        case .check: "look at the hosts, change nothing, say what is in place and what would change"
        case .skip: "leave this section as it is and go on"
        case .back: "go to the section before; back 4 goes to section 4"
        case .quit: "end here; what was done stays, and --resume goes on later"
        case .retry: "carry the section out again; what is in place is left alone"
        case .output: "show again what failed, in full"
        }
    }
}
