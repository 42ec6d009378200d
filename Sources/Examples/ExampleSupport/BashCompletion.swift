/// What is added to the completions that ArgumentParser makes for bash.
enum BashCompletion {
    /// Completes as if the command's name stood behind the program's, where no other command's does.
    static func assuming(_ command: String, of program: String, unless names: [String]) -> String {
        let function = "_" + program
        return """

            # \(program) \(command) is what \(program) does when no command is named.
            \(function)_usual() {
                if [[ "${COMP_CWORD}" -gt 1 || "${COMP_WORDS[1]}" == -* ]]; then
                    case "${COMP_WORDS[1]}" in
                    \(names.joined(separator: "|"))) ;;
                    *)
                        COMP_LINE="${COMP_WORDS[0]} \(command)${COMP_LINE#"${COMP_WORDS[0]}"}"
                        COMP_POINT=$((COMP_POINT + \(command.utf8.count + 1)))
                        COMP_WORDS=("${COMP_WORDS[0]}" \(command) "${COMP_WORDS[@]:1}")
                        COMP_CWORD=$((COMP_CWORD + 1))
                        ;;
                    esac
                fi
                \(function) "${@}"
            }
            complete -o filenames -F \(function)_usual \(program)

            """
    }
}
