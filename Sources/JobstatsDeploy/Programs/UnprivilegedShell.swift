import CommandExecution

/// Programs that lie on shared storage, run as nobody: whoever may write there, such as root on a compute node without
/// root squashing, is not to be root on the head node, on login nodes and on controllers for it.
enum UnprivilegedShell {
    /// Functions for bash. `lower` finds out how to become nobody and fails where nothing does; `as_nobody SECONDS COMMAND...`
    /// then runs a command as nobody: without other groups, without a way back (setuid programs) where setpriv(1) is there,
    /// without root's environment, standard input and terminal, for that many seconds. It says the last 2,000 bytes of
    /// what the command said, and ends as it did. Who is not root stays who he is.
    static let functions = """
        drop=() session=()
        lower() {
            local uid gid tool
            command -v setsid >/dev/null && session=(setsid -w)
            [ "$(id -u)" != 0 ] && return 0
            uid=$(id -u nobody) && gid=$(id -g nobody) && [ "$uid" -gt 0 ] && [ "$gid" -gt 0 ] || return 1
            for tool in setpriv runuser; do
                case $tool in
                    setpriv) drop=(setpriv --reuid "$uid" --regid "$gid" --clear-groups --no-new-privs --) ;;
                    runuser) drop=(runuser -u nobody --) ;;
                esac
                [ "$("${drop[@]}" id -u </dev/null)" = "$uid" ] && return 0
            done
            return 1
        } 2>/dev/null
        as_nobody() {
            local seconds=$1
            shift
            "${session[@]}" timeout -k 1 "$seconds" "${drop[@]}" env -i "PATH=$PATH" HOME=/nonexistent LC_ALL=C \\
                PYTHONIOENCODING=utf-8 PYTHONDONTWRITEBYTECODE=1 "$@" 2>&1 </dev/null | tail -c 2000
            return "${PIPESTATUS[0]}"
        }
        """

    /// Why nothing was run.
    static let refusal =
        "neither setpriv nor runuser can run a program as nobody here, and what lies on shared storage is not run as root"
    /// The exit status of a command that was not run for that.
    static let refused: Int32 = 121
    /// What helps.
    static let remedy = "on the host: apt-get install util-linux; setpriv --reuid nobody --clear-groups id"

    /// Runs a program in that way. It ends as the program does, with ``refused`` where nothing makes it nobody.
    ///
    /// - Parameter seconds: how long it may take.
    static func command(_ program: String, _ arguments: [String], seconds: Int) -> Command {
        let script = """
            \(functions)
            cd /
            seconds=$1
            shift
            lower || { echo '\(refusal)' >&2; exit \(refused); }
            as_nobody "$seconds" "$@"
            """
        return Command(
            "bash", ["-c", script, "bash", "\(seconds)", program] + arguments, timeout: .seconds(seconds + 5))
    }

    /// As a person types it.
    static func byHand(_ program: String, _ arguments: [String]) -> String {
        ShellQuoting.quote(["runuser", "-u", "nobody", "--", program] + arguments)
    }
}
