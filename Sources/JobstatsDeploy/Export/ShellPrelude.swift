import CommandExecution

/// What every exported script begins with: its options, and a function for each kind of action.
enum ShellPrelude {
    /// The text for a host; an empty short name leaves out the question whether this is the host.
    ///
    /// - Parameter consents: names that `--allow` takes beside those that every export knows.
    static func text(
        host: String, shortName: String, record: OwnershipRecord, stages: Int = 1, consents: Set<String> = [],
        scripts more: [ScriptText] = []
    ) -> String {
        var text = """
            #!/bin/sh
            # \(Installed.mark)
            # For the host \(host) alone. Options: --check changes nothing and says what would change; --allow NAME,...
            # allows what disturbs running work; --stage N does what belongs to one stage, 1 to \(stages), see README.md;
            # --any-host runs where the host has another name. Exit status: 0 all is done, 1 it failed, 2 usage, 3 all is done
            # but for what needs consent or is left to a person.
            # The scripts in quotes are run by shells of their own, and a host needs some of the functions.
            # shellcheck disable=SC1003,SC2016,SC2317
            set -eu
            umask 022
            LC_ALL=C
            export LC_ALL

            host=\(ShellQuoting.quote(host)) name=\(ShellQuoting.quote(shortName.lowercased()))
            record=\(ShellQuoting.quote(record.path)) stages=\(stages)
            known=\(ShellQuoting.quote(consents.union(Consent.exported.map(\.name)).sorted().joined(separator: " ")))

            """
        for (name, script) in scripts { text += "\(name)=\(ScriptText.quoted(script))\n" }
        for script in more { text += "\(script.name)_text=\(ScriptText.quoted(script.text))\n" }
        return text + "\n" + functions
    }

    private static let scripts = [
        ("replace_script", OwnershipScripts.replace), ("directory_script", OwnershipScripts.makeDirectory),
        ("user_script", OwnershipScripts.makeUser), ("link_script", OwnershipScripts.makeLink),
        ("owned_script", ExportScripts.owned), ("unit_script", ExportScripts.unit),
    ]

    private static let functions = #"""
        mode=-y allowed=, any=no only='' consent='' changes=0 open=0 input='' input_digest='' folder=''
        # A name that no script knows allows nothing, so it is a mistake.
        allow() {
            rest=$1, some=no
            while [ -n "$rest" ]; do
                word=${rest%%,*} rest=${rest#*,}
                [ -n "$word" ] || continue
                case " $known " in
                    *" $word "*) allowed=,$word$allowed some=yes ;;
                    *)
                        printf '%s\n' "--allow: there is no consent of that name: $word" "There are: $known" | tr -d '\000-\010\013-\037\177' >&2
                        exit 2
                        ;;
                esac
            done
            [ "$some" = yes ] || { echo "--allow takes names, separated by commas: $known" >&2; exit 2; }
        }
        while [ $# -gt 0 ]; do
            case $1 in
                --check) mode=-n ;;
                --any-host) any=yes ;;
                --allow)
                    allow "${2-}"
                    shift
                    ;;
                --stage)
                    case ${2-} in
                        '' | *[!0-9]* | ????*) only=0 ;;
                        *) only=$2 ;;
                    esac
                    if [ "$only" -lt 1 ] || [ "$only" -gt "$stages" ]; then
                        echo "--stage takes a number from 1 to $stages" >&2
                        exit 2
                    fi
                    shift
                    ;;
                *)
                    echo "usage: sh $0 [--check] [--allow NAME,...] [--stage N] [--any-host]" >&2
                    exit 2
                    ;;
            esac
            shift
        done
        here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
        stop() {
            printf '%s: %s\n' "$host" "$1" >&2
            exit 1
        }
        [ "$(id -u)" = 0 ] || stop "run this as root"
        if [ "$any" = no ] && [ -n "$name" ] && [ "$(hostname -s | tr '[:upper:]' '[:lower:]')" != "$name" ]; then
            stop "this is $(hostname -s), another host; if it is the right one all the same, add --any-host"
        fi
        # guided-setup takes the same lock on a host.
        if command -v flock >/dev/null && [ -w /run ]; then
            exec 9>/run/bcm-jobstats.lock
            flock -w 20 9 || stop "another run is at work on this host; wait for it to end"
        fi

        # Only root gets at this folder, and it goes with the script.
        trap '[ -z "$folder" ] || rm -rf -- "$folder"' EXIT
        trap 'exit 129' HUP
        trap 'exit 130' INT
        trap 'exit 143' TERM
        # take FILE SHA256: what comes of FILE is judged and used as the same bytes, which nobody changes in between; $taken
        take() {
            [ -n "$folder" ] || folder=$(mktemp -d) || stop "no folder for files in use can be made: look at ${TMPDIR:-/tmp}"
            taken=$folder/file
            [ -f "$1" ] || stop "$1 is missing: copy the whole folder to this host"
            cat <"$1" >"$taken" || stop "$1 cannot be copied to $taken"
            [ "$(sha256sum <"$taken" | cut -c 1-64)" = "$2" ] || stop "$1 has another SHA-256 than $2"
        }
        stage() { [ -z "$only" ] || [ "$only" = "$1" ]; }
        failed() { stop "failed: $1"; }
        quietly() { "$@" >/dev/null 2>&1 </dev/null; }
        allows() {
            case $allowed in
                *",$1,"*) return 0 ;;
            esac
            return 1
        }
        # Says that something is not as wanted, and whether that is changed now.
        would() {
            if [ -n "$consent" ] && ! allows "$consent"; then
                open=$((open + 1))
                printf '  needs consent: %s (--allow %s)\n' "$1" "$consent"
                return 1
            fi
            changes=$((changes + 1))
            if [ "$mode" = -n ]; then
                printf '  would change: %s\n' "$1"
                return 1
            fi
            printf '  changing: %s\n' "$1"
        }
        with_input() {
            input=$1
            shift
            printf '%s' "$input" | base64 -d | "$@"
        }
        # with_file SHA256 FILE COMMAND...: the file on standard input
        with_file() {
            take "$here/$2" "$1"
            shift 2
            "$@" <"$taken"
        }
        is_file() {
            [ -f "$1" ] && [ ! -L "$1" ] && [ "0$(stat -c '%a %U:%G' -- "$1")" = "0${2#0} $3" ] || return 1
            [ "$(sha256sum <"$1" | cut -c 1-64)" = "$4" ]
        }
        # put PATH MODE OWNER:GROUP SHA256 COPY [VALIDATION...], the bytes on standard input
        put() {
            if is_file "$1" "$2" "$3" "$4"; then return 0; fi
            if [ -d "$1" ] && [ ! -L "$1" ]; then stop "$1 is a directory: move it away, a file belongs there"; fi
            would "file $1" || return 0
            path=$1 access=$2 owner=$3 digest=$4 copy=$5
            shift 5
            sh -c "$replace_script" sh "$path" "$access" "$owner" "$digest" "$copy" "$record" "$@" || failed "file $path"
        }
        # copy PATH MODE OWNER:GROUP COPY [ARCHITECTURE SHA256 FILE]... -- [VALIDATION...]
        copy() {
            to=$1 to_mode=$2 to_owner=$3 to_copy=$4 machine=$(uname -m) digest='' file=''
            shift 4
            while [ "$1" != -- ]; do
                if [ "$1" = any ] || [ "$1" = "$machine" ]; then digest=$2 file=$here/$3; fi
                shift 3
            done
            shift
            [ -n "$file" ] || stop "there is no $to for $machine in this export"
            if is_file "$to" "$to_mode" "$to_owner" "$digest"; then return 0; fi
            take "$file" "$digest"
            put "$to" "$to_mode" "$to_owner" "$digest" "$to_copy" "$@" <"$taken"
        }
        secret() {
            [ ! -f "$1" ] || return 0
            stop "$1 is secret and not part of this export: put it there ($2 $3) from the head node, then run this again"
        }
        owned() {
            adopted=no
            if allows "adopt-$3"; then adopted=yes; fi
            sh -c "$owned_script" sh "$1" "$2" "$3" "$4" "$record" "$adopted" || failed "$1 stays as it is"
        }
        directory() {
            if [ -d "$1" ] && [ ! -L "$1" ]; then
                [ "0$(stat -c '%a %U %G' -- "$1")" != "0${2#0} $3 $4" ] || return 0
            elif [ -e "$1" ] || [ -L "$1" ]; then
                stop "$1 is not a directory: move it away, a directory belongs there"
            fi
            would "directory $1" || return 0
            sh -c "$directory_script" sh "$1" "$2" "$3" "$4" "$record" || failed "directory $1"
        }
        link() {
            if [ -L "$1" ]; then
                [ "$(readlink -- "$1")" != "$2" ] || return 0
            elif [ -e "$1" ]; then
                stop "$1 is not a link: move it away, after a look at what it is"
            fi
            would "link $1" || return 0
            sh -c "$link_script" sh "$2" "$1" || failed "link $1"
        }
        absent() {
            [ -e "$1" ] || [ -L "$1" ] || return 0
            would "no file $1" || return 0
            rm -f -- "$1" || failed "no file $1"
        }
        user() {
            if quietly getent passwd -- "$1"; then return 0; fi
            would "system user $1" || return 0
            sh -c "$user_script" sh "$1" "$2" "$record" || failed "system user $1"
        }
        # input [ARCHITECTURE SHA256 FILE]...: what the next script reads
        input() {
            machine=$(uname -m) input='' input_digest=''
            while [ $# -gt 0 ]; do
                if [ "$1" = any ] || [ "$1" = "$machine" ]; then input_digest=$2 input=$here/$3; fi
                shift 3
            done
        }
        # script TITLE SECONDS TEXT ADOPTION ARGUMENT...: with -n it says what it would change, with -y what it changed
        script() {
            title=$1 seconds=$2 text=$3 adoption=$4
            shift 4
            if [ -n "$adoption" ]; then
                adopted=no
                if allows "$adoption"; then adopted=yes; fi
                set -- "$adopted" "$@"
            fi
            file=$input digest=$input_digest input='' input_digest=''
            if ! said=$(timeout "$seconds" sh -c "$text" sh -n "$@" </dev/null); then
                [ "$mode" = -n ] || failed "$title"
                open=$((open + 1))
                printf '  not possible yet: %s\n' "$title"
                return 0
            fi
            [ -n "$said" ] || return 0
            would "$title: $(printf '%s\n' "$said" | paste -s -d ';' -)" || return 0
            taken=/dev/null
            if [ -n "$file" ]; then take "$file" "$digest"; fi
            timeout "$seconds" sh -c "$text" sh -y "$@" <"$taken" >/dev/null || failed "$title"
        }
        unit() {
            said=$(sh -c "$unit_script" sh -n "$@") || failed "unit $1"
            [ -n "$said" ] || return 0
            would "unit $1: $(printf '%s\n' "$said" | paste -s -d ';' -)" || return 0
            sh -c "$unit_script" sh "$mode" "$@" >/dev/null || failed "unit $1"
        }
        check() {
            [ "$mode" = -y ] || return 0
            title=$1
            shift
            "$@" </dev/null >/dev/null || failed "not so: $title"
        }
        by_hand() {
            open=$((open + 1))
            printf '  by hand: %s\n' "$1"
            shift
            for line; do printf '      %s\n' "$line"; done
        }
        finish() {
            word=changed
            [ "$mode" = -y ] || word='to change'
            printf '%s: %s %s, %s left to a person\n' "$host" "$changes" "$word" "$open"
            [ "$open" = 0 ] || exit 3
            exit 0
        }

        """#
}
