import CommandExecution

/// Digests of large files that a host remembers, so that a program of many megabytes is not read again to find that
/// nothing happened to it.
///
/// A digest counts while device, inode, size, modification and change time are the same; the kernel sets the change time
/// at every write (inode(7)). A file that changed just now is not remembered, since a second change within the same tick
/// of the clock would not show: a tick is 10 ms at most, and a second or two where times have no fractions.
package struct KnownSums: Sendable {
    /// The file on the host: a line for each file, with identity, path and digest.
    package var file: String
    /// Whether new digests are written there; false for a check, which changes nothing.
    package var isWritten: Bool
    /// How long ago a file must have changed last to be remembered; three seconds more where times have no fractions.
    package var settling = Duration.milliseconds(30)

    package init(file: String = "\(Installed.stateDirectory)/sums", isWritten: Bool = false) {
        self.file = file
        self.isWritten = isWritten
    }

    private var nanoseconds: Int64 {
        let (seconds, attoseconds) = settling.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    /// Files of fewer bytes are read each time.
    static let leastSize = 1 << 18

    /// Prints `DIGEST  PATH` for every plain file of `$t`, which holds what stat(1) said in the form of
    /// ``FactCollector``.
    var script: String {
        """
        known=\(ShellQuoting.quote(file)) least=\(Self.leastSize) settling=\(nanoseconds) keeps=\(isWritten ? "yes" : "no")
        \(Self.body)
        """
    }

    /// The shell itself looks up what is known, so that programs run only for what is not: sha256sum, for large files of
    /// usual names openssl where that is there, which takes a quarter of the time, and awk where something is to be
    /// remembered. A line of `$all` is an identity and a path, after `+` what to remember.
    private static let body = #"""
        tab='	' line_end='
        ' all='' new='' now='' large='' rest=''
        memory=$line_end
        [ ! -r "$known" ] || while IFS= read -r line; do memory=$memory$line$line_end; done <"$known"
        fields() { path=$1 kind=$2 bytes=$5 changed=$6 identity=$7; }
        set -f
        before=$IFS IFS=$line_end
        set -- $t
        IFS=$tab
        for line; do
            fields $line
            case $kind in 8???) ;; *) continue ;; esac
            key=$identity:$bytes:$changed$tab$path
            mark=-
            if [ "$bytes" -ge "$least" ]; then
                case $memory in
                    *"$line_end$key$tab"*)
                        sum=${memory#*"$line_end$key$tab"}
                        sum=${sum%%"$line_end"*}
                        # A line that is not whole counts for nothing.
                        if [ ${#sum} = 64 ]; then
                            printf '%s  %s\n' "$sum" "$path"
                            continue
                        fi
                        ;;
                esac
                [ -n "$now" ] || now=$(date +%s%N)
                least_age=$settling
                case $changed in *.000000000) least_age=$((settling + 3000000000)) ;; esac
                [ $((now - ${changed%.*}${changed#*.})) -lt "$least_age" ] || mark=+
            fi
            all=$all$mark$key$line_end
            case $path in *[!A-Za-z0-9/._-]*) bytes=0 ;; esac
            if [ "$bytes" -ge 1048576 ] && command -v openssl >/dev/null; then
                large=$large$path$line_end
            else
                rest=$rest$path$line_end
            fi
        done
        IFS=$line_end
        if [ -n "$large" ]; then
            set -- $large
            new=$(openssl dgst -sha256 -r "$@" 2>/dev/null) || { new='' rest=$rest$large; }
        fi
        set -- $rest
        IFS=$before
        set +f
        [ $# = 0 ] || new=$new${new:+$line_end}$(sha256sum -- "$@" 2>/dev/null)
        [ -z "$new" ] || printf '%s\n' "$new"
        lines=${memory#"$line_end"} count=0
        while [ -n "$lines" ] && [ "$count" -le 200 ]; do lines=${lines#*"$line_end"} count=$((count + 1)); done
        # Where files are put in place, lines are added at its end; here the old ones go.
        [ "$count" -le 200 ] || all="$all+$line_end"
        case $keeps$all in
            yes*+*)
                mkdir -p -- "${known%/*}" && next=$(mktemp -- "$known.XXXXXX") && {
                    { printf '%s\n' "$all" "$new"; cat "$known" 2>/dev/null; } | awk -F '\t' '
                        /^\+/ { key[$2] = substr($1, 2); next }
                        /^[0-9a-f]+ [ *]/ && NF == 1 { sum[substr($0, 67)] = substr($0, 1, 64); next }
                        NF == 3 && !($2 in key) { old[$2] = $0 }
                        END {
                            for (path in key) if (path in sum) print key[path] "\t" path "\t" sum[path]
                            for (path in old) print old[path]
                        }' >"$next" &&
                        chmod 644 "$next" && mv -f -- "$next" "$known" || rm -f -- "$next"
                } ;;
        esac 2>/dev/null
        true
        """#
}
