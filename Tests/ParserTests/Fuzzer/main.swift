import Glibc
import LibFuzzer

// The names of the parsers, one a line, for scripts/fuzz.sh.
if CommandLine.arguments.dropFirst() == ["--list"] {
    for parser in Parser.all { print(parser.name) }
    exit(0)
}
// The package manager renames the main function of each program, so libFuzzer's own is not found; this is what it does.
var count = CommandLine.argc
var words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = CommandLine.unsafeArgv
exit(LLVMFuzzerRunDriver(&count, &words) { testOneInput($0, $1) })
