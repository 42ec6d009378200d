/// The script of an export that runs the hosts' scripts over ssh, stage by stage.
enum ShellStages {
    /// POSIX sh, with an xargs(1) that knows `-P`.
    static let script =
        "#!/bin/sh\n# \(Installed.mark)\n" + #"""
            # Runs the hosts' scripts over ssh as root, stage by stage, several hosts at once. This folder must lie at the same
            # place on every host. --check and --allow NAME,... go to the scripts. SSH may name another ssh, with options.
            # Exit status: 0 all is done, 1 a host failed, 2 usage, 3 all is done but for what needs consent or is left to a
            # person.
            # The script in quotes is run by shells of its own.
            # shellcheck disable=SC2016
            set -eu
            parallel=16 words=''
            usage() {
                echo "usage: sh $0 [--check] [--allow NAME,...] [--parallel NUMBER]" >&2
                exit 2
            }
            while [ $# -gt 0 ]; do
                case $1 in
                    --check) words="$words --check" ;;
                    --allow)
                        case ${2-} in
                            '' | *[!A-Za-z0-9_,-]*) usage ;;
                        esac
                        words="$words --allow $2"
                        shift
                        ;;
                    --parallel)
                        case ${2-} in
                            '' | 0* | *[!0-9]* | ????*) usage ;;
                        esac
                        parallel=$2
                        shift
                        ;;
                    *) usage ;;
                esac
                shift
            done
            here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
            case $here in
                *[!A-Za-z0-9/._-]*)
                    echo "$here: put this folder at a place whose path has letters, digits, dots, dashes and underscores alone" >&2
                    exit 2
                    ;;
            esac
            [ -s "$here/stages" ] || { echo "$here/stages is missing: copy the whole folder" >&2; exit 1; }

            # One host's part of a stage, its output in one piece. xargs(1) begins no further host after status 255.
            one='
            status=0
            said=$(${SSH:-ssh} -n -- "$4" sh "$1/hosts/$4.sh" --stage "$2" $3 2>&1) || status=$?
            printf "%s\n" "$said" | sed "s/^/$4: /"
            [ "$status" != 3 ] || exit 3
            [ "$status" = 0 ] && exit 0
            printf "%s: stage %s failed with status %s\n" "$4" "$2" "$status" >&2
            exit 255
            '
            open=0
            for stage in $(cut -d ' ' -f 1 "$here/stages" | uniq); do
                echo "Stage $stage"
                status=0
                sed -n "s/^$stage //p" "$here/stages" |
                    xargs -P "$parallel" -n 1 sh -c "$one" sh "$here" "$stage" "$words" || status=$?
                case $status in
                    0) ;;
                    # Some ended with 3.
                    123) open=3 ;;
                    *)
                        echo "stopped in stage $stage: mend what failed, then run this again" >&2
                        exit 1
                        ;;
                esac
            done
            exit "$open"

            """#
}
