/// The scripts that put files, directories and users on a host, take them away again, and keep the host's record of
/// them. POSIX sh with GNU coreutils and findutils; every value is an argument.
enum OwnershipScripts {
    /// Functions on `$record`. The functions read and write it in the shell itself, so a change costs three programs
    /// however long the record is; it is whole at every instant.
    static let functions = """
        line_end='
        '
        words() (
            [ -f "$record" ] || return 0
            while IFS= read -r line; do
                [ "${line#*  }" != "$1" ] || printf '%s\\n' "${line%%  *}"
            done <"$record"
        )
        # Replaces what is known of NAME by these words: remember NAME WORD...
        remember() {
            names=$1 added=''
            shift
            for word; do added=$added"$word  $names$line_end"; done
            remember_lines ${also:+"$also"}
        }
        # Replaces what is known of `names` by the lines `added`, when these files are on disk: remember_lines FILE...
        remember_lines() (
            [ -d "${record%/*}" ] || mkdir -p -- "${record%/*}" || exit 1
            # What writers left that are gone.
            for new in "$record".new.*; do
                process=${new#"$record.new."}
                [ ! -e "$new" ] || kill -0 "${process%%.*}" 2>/dev/null || rm -f -- "$new"
            done
            # A new file of this writer alone: with -C the shell only makes files that are not there (O_EXCL).
            number=0
            set -C
            until new=$record.new.$$.$number && { true >"$new"; } 2>/dev/null; do
                number=$((number + 1))
                [ "$number" -lt 100 ] || { echo "$new cannot be made" >&2; exit 1; }
            done
            set +C
            {
                if [ -f "$record" ]; then
                    while IFS= read -r line; do
                        case $line_end$names$line_end in
                            *"$line_end${line#*  }$line_end"*) ;;
                            *) printf '%s\\n' "$line" || exit 1 ;;
                        esac
                    done <"$record" || exit 1
                fi
                printf %s "$added"
            } >"$new" || exit 1
            sync -- "$new" "$@" && mv -fT -- "$new" "$record"
        )
        # Sets new to a name in the folder that nobody else has or can guess.
        name_new() {
            read -r id </proc/sys/kernel/random/uuid || id=$(printf '%05d%03d' "$(($$ % 100000))" "${count:=100}")
            count=$((${count:-100} + 1))
            new=$1/.bcm-jobstats.${id%%-*}
        }
        # Gives the file that is open as $1 its mode and owner: by name it could be another one by now, since other hosts
        # can write folders of shared storage: access FILE MODE OWNER:GROUP.
        access() {
            if [ "$3" != root:root ] || [ ! -O "$1" ] || [ ! -G "$1" ] || [ ! -O / ]; then chown -- "$3" "$1" || return; fi
            chmod -- "$2" "$1"
        }
        # The same for what stands at a path, unless a link does: access_at PATH MODE OWNER:GROUP.
        access_at() {
            exec 8<"$1" || return
            if [ "$(stat -c %d:%i -- "$1")" != "$(stat -L -c %d:%i /proc/self/fd/8)" ]; then
                echo "$1 is a link, or another file than a moment ago, and stays as it is" >&2
                return 1
            fi
            access /proc/self/fd/8 "$2" "$3" && exec 8<&-
        }
        # Sets present, own, before and known to what is known of the file at $1.
        look() {
            present='' own=no before=''
            if [ -f "$1" ] && [ ! -L "$1" ]; then
                present=$(sha256sum <"$1")
                present=${present%% *}
            fi
            known=$(words "$1")
            for word in $known; do
                case $word in
                    before:*) before=$word ;;
                    "$present") own=yes ;;
                esac
            done
        }

        """

    /// Replaces a file by renaming. Arguments: path, mode, owner:group, SHA-256 of the new bytes, `yes` to keep a copy
    /// also of what is ours, the record, and the words of a command that must accept the new file (`{}` stands for it).
    /// The new bytes come on standard input; where their number follows the SHA-256 after a colon, no more is read.
    ///
    /// What is not known to be ours is copied below the backups first. The new file is created readable by its
    /// owner alone, and stays so until it is complete. The record names the old and the new digest before the rename,
    /// so the file is known to be ours whenever this is interrupted.
    static let replace =
        """
        set -eu
        path=$1 mode=$2 owner=$3 digest=${4%%:*} size='' backup=$5 record=$6
        [ "$digest" = "$4" ] || size=${4#*:}
        shift 6
        folder=${path%/*}
        [ -n "$folder" ] || folder=/

        """ + functions + """
            # What an interrupted run left here goes first: it may be a key, and an image would keep it. On shared storage
            # another host may be at work in the same folder, so young files stay.
            for old in "$folder"/.bcm-jobstats.????????; do
                [ -e "$old" ] || [ -L "$old" ] || continue
                find "$folder" -maxdepth 1 -name '.bcm-jobstats.????????' ! -type d -mmin +30 -delete 2>/dev/null || :
                break
            done
            # With -C no file that is there, nor a link (O_EXCL).
            name_new "$folder"
            umask 077
            set -C
            exec 8>"$new"
            set +C
            umask 022
            trap '[ ! -e "$new" ] || rm -f -- "$new"' EXIT
            trap 'exit 1' HUP INT TERM
            if [ -n "$size" ]; then head -c "$size" >&8; else cat >&8; fi
            # openssl(1) takes a quarter of the time for a large file; what it does not confirm, sha256sum(1) judges.
            came=''
            if [ "${size:-0}" -ge 1048576 ] && command -v openssl >/dev/null; then
                came=$(openssl dgst -sha256 -r "$new" 2>/dev/null) || came=''
            fi
            [ "${came%% *}" = "$digest" ] || came=$(sha256sum <"$new")
            [ "${came%% *}" = "$digest" ] || { echo "the new $path did not come whole, and the present one stays" >&2; exit 1; }
            if [ $# -gt 0 ]; then
                count=$#
                for word in "$@"; do
                    [ "$word" != "{}" ] || word=$new
                    set -- "$@" "$word"
                done
                shift "$count"
                "$@" >&2
            fi
            access /proc/self/fd/8 "$mode" "$owner"
            exec 8>&-
            look "$path"
            if [ "$present" != "$digest" ] && { [ -e "$path" ] || [ -L "$path" ]; }; then
                if [ "$own" = no ] || [ "$backup" = yes ]; then
                    time=$(date -u +%Y%m%dT%H%M%SZ)
                    kept=${record%/*}/backups
                    [ -d "$kept" ] || mkdir -p -m 0700 -- "$kept"
                    kept=$kept/$time
                    mkdir -p -- "$kept$folder"
                    cp -a -- "$path" "$kept$path"
                    [ -n "$known" ] || before=before:$time
                fi
            fi
            [ "$own" = yes ] && [ "$present" != "$digest" ] || present=''
            also=$new # on disk before the record names it and before it takes its place
            remember "$path" ${before:+"$before"} ${present:+"$present"} "$digest"
            mv -fT -- "$new" "$path"
            sync -- "$folder"
            """

    /// Takes a file of ours away and puts back what stood there before. Arguments: path, the digests that are ours
    /// besides the recorded ones, in one word, and the record. A file that somebody changed stays: status 3.
    static let remove =
        """
        set -eu
        path=$1 ours=$2 record=$3

        """ + functions + """
            look "$path"
            case " $ours " in
                *" $present "*) [ -z "$present" ] || own=yes ;;
            esac
            if [ -e "$path" ] || [ -L "$path" ]; then
                if [ "$own" = no ]; then
                    echo "$path was changed meanwhile and stays" >&2
                    exit 3
                fi
                kept=${record%/*}/backups/${before#before:}$path
                if [ -n "$before" ] && { [ -e "$kept" ] || [ -L "$kept" ]; }; then
                    name_new "${path%/*}"
                    { cp -aT --remove-destination -- "$kept" "$new" && mv -fT -- "$new" "$path"; } || {
                        rm -f -- "$new"
                        exit 1
                    }
                else
                    rm -f -- "$path"
                fi
            fi
            [ -z "$known" ] || remember "$path"
            """

    /// Takes a file away with all copies of it. Arguments: path, the record.
    static let removeSecret =
        """
        set -eu
        path=$1 record=$2

        """ + functions + """
            # What a run left that was cut off before the file took its place holds the same bytes.
            rm -f -- "$path" "${record%/*}"/backups/*"$path" "${path%/*}"/.bcm-jobstats.????????
            [ -z "$(words "$path")" ] || remember "$path"
            """

    /// Makes a directory and remembers that it was made. Arguments: path, mode, owner, group, the record.
    static let makeDirectory =
        """
        set -eu
        path=$1 mode=$2 owner=$3 group=$4 record=$5

        """ + functions + """
            [ -d "$path" ] || { remember "$path" directory && (umask 022 && mkdir -p -m "$mode" -- "$path"); }
            access_at "$path" "$mode" "$owner:$group"
            """

    /// Gives a file that is there its mode and owner. Arguments: path, mode, owner:group.
    static let giveAccess =
        """
        set -eu

        """ + functions + """
            access_at "$1" "$2" "$3"
            """

    /// Takes a directory of ours away when nothing is in it, or forgets one that is gone. Arguments: path, the record.
    static let removeDirectory =
        """
        set -eu
        path=$1 record=$2

        """ + functions + """
            [ ! -d "$path" ] || rmdir --ignore-fail-on-non-empty -- "$path"
            [ -d "$path" ] || remember "$path"
            """

    /// Makes a system user and remembers it. Arguments: name, home, the record.
    static let makeUser =
        """
        set -eu
        name=$1 home=$2 record=$3

        """ + functions + """
            useradd --system --user-group --no-create-home --home-dir "$home" --shell /usr/sbin/nologin -- "$name"
            remember "$name" user
            """

    /// Takes a user of ours away. Arguments: name, the record.
    static let removeUser =
        """
        set -eu
        name=$1 record=$2

        """ + functions + """
            userdel -- "$name"
            remember "$name"
            """

    /// Makes a link, in place of another one: ln(1) cannot replace one in a single step; a new name and a rename can.
    /// Arguments: target, path, and `folder` to make its folder where that is missing.
    static let makeLink = """
        set -e
        [ "${3-}" != folder ] || [ -d "${2%/*}" ] || mkdir -p -m 0755 -- "${2%/*}"
        if [ ! -e "$2" ] && [ ! -L "$2" ]; then
            exec ln -sT -- "$1" "$2"
        fi
        read -r id </proc/sys/kernel/random/uuid || id=$(printf '%08d' "$$")
        new=${2%/*}/.bcm-jobstats.${id%%-*}
        ln -sT -- "$1" "$new"
        mv -fT -- "$new" "$2" || { rm -f -- "$new"; exit 1; }
        """
}
