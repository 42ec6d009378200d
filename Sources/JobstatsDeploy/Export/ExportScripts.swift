/// Scripts that both kinds of export carry. POSIX sh; every value is an argument.
enum ExportScripts {
    /// Brings a unit into a state and says what it did. Arguments: `-n` to say only or `-y`, the unit, `enabled`,
    /// `disabled` or `as-found`, `running`, `stopped` or `as-found`, and `restart:FILE` or `reload:FILE` words.
    ///
    /// A process that is older than one of its files is restarted, so an interrupted run is completed by the next one.
    /// For a reload the unit's last change of state counts, which systemd notes for it, too.
    static let unit = """
        set -eu
        mode=$1 unit=$2 enablement=$3 activity=$4
        shift 4
        act() {
            echo "systemctl $*"
            [ "$mode" = -n ] || systemctl "$@"
        }
        show() { systemctl show --no-pager --timestamp=us+utc -p "$1" --value -- "$unit"; }
        microseconds() {
            case $1 in
                '' | n/a) echo 0 ;;
                *) date -u -d "$1" +%s%6N ;;
            esac
        }
        case $(show LoadState) in
            masked)
                echo "$unit is masked: somebody forbade it; to allow it: systemctl unmask $unit" >&2
                exit 1
                ;;
            not-found) act daemon-reload ;;
            *) [ "$(show NeedDaemonReload)" != yes ] || act daemon-reload ;;
        esac
        state=$(show UnitFileState)
        case $enablement in
            enabled) [ "$state" = enabled ] || act enable --quiet -- "$unit" ;;
            disabled) [ "$state" != enabled ] || act disable --quiet -- "$unit" ;;
        esac
        case $(show ActiveState) in
            active | activating | reloading) running=yes ;;
            *) running=no ;;
        esac
        verb=none
        if [ "$running" = yes ]; then
            started=$(microseconds "$(show ExecMainStartTimestamp)")
            loaded=$(microseconds "$(show StateChangeTimestamp)")
            for word; do
                [ -e "${word#*:}" ] || continue
                changed=$(stat -c %.6Z -- "${word#*:}" | tr -d .,)
                case $word in
                    restart:*) [ "$changed" -le "$started" ] || verb=restart ;;
                    reload:*) [ "$changed" -le "$loaded" ] || [ "$verb" = restart ] || verb=reload ;;
                esac
            done
        fi
        case $activity-$running in
            running-no) verb=start ;;
            stopped-yes) verb=stop ;;
            stopped-no) verb=none ;;
        esac
        [ "$verb" != none ] || exit 0
        [ "$mode" = -n ] || systemctl reset-failed -- "$unit" 2>/dev/null || :
        act "$verb" -- "$unit" && exit 0
        journalctl --no-pager -q -n 12 -o cat -u "$unit" >&2
        exit 1
        """

    /// Packages of the distribution from the host's own repositories. Arguments: their names.
    static let packages = ScriptText(
        "packages",
        """
        set -eu
        mode=$1
        shift
        missing=''
        for package; do
            [ "$(dpkg-query -W -f '${db:Status-Status}' -- "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
        done
        [ -n "$missing" ] || exit 0
        echo "not installed:$missing"
        [ "$mode" = -y ] || exit 0
        # Names of packages hold no spaces.
        # shellcheck disable=SC2086
        said=$(DEBIAN_FRONTEND=noninteractive sh -c "$install_script" sh $missing 2>&1) && exit 0
        printf '%s\\n' "$said" | tail -n 15 >&2
        exit 1
        """, running: ["install_script": AptCommands.script])

    /// Ends with 0 when a path is free, ours, or adopted. Arguments: path, mark, the adoption's name, the unit or
    /// nothing, the record, and `yes` when it is adopted.
    static let owned =
        """
        set -eu
        path=$1 mark=$2 adoption=$3 unit=$4 record=$5 adopted=$6

        """ + OwnershipScripts.functions + """
            refuse() {
                echo "$1 was not made by this deployment; to take it over (a copy is kept), allow adopt-$adoption" >&2
                exit 1
            }
            [ "$adopted" != yes ] || exit 0
            if [ -e "$path" ] && [ -z "$(words "$path")" ]; then
                grep -qF -- "$mark" "$path" || refuse "$path"
            fi
            [ -n "$unit" ] || exit 0
            from=$(systemctl show --no-pager -p FragmentPath --value -- "$unit")
            if [ -n "$from" ] && [ "$from" != "$path" ]; then
                if systemctl is-active --quiet -- "$unit" || systemctl is-enabled --quiet -- "$unit"; then
                    refuse "$unit, in use from $from,"
                fi
            fi
            """

    /// Writes digests of installed files into the host's record, after copies of what was changed on the host since.
    /// Arguments: `keep` before the files are replaced or `remember` afterwards, the record, and pairs of SHA-256 and
    /// path. Says what it did.
    static let record =
        """
        set -eu
        action=$1 record=$2
        shift 2

        """ + OwnershipScripts.functions + """
            while [ $# -gt 0 ]; do
                wanted=$1 path=$2
                shift 2
                look "$path"
                case $action in
                    keep)
                        [ -e "$path" ] || [ -L "$path" ] || continue
                        [ "$own" = no ] && [ "$present" != "$wanted" ] || continue
                        kept=${record%/*}/backups
                        [ -d "$kept" ] || mkdir -p -m 0700 -- "$kept"
                        kept=$kept/$(date -u +%Y%m%dT%H%M%SZ)
                        mkdir -p -- "$kept${path%/*}"
                        cp -a -- "$path" "$kept$path"
                        [ -n "$known" ] || remember "$path" "before:${kept##*/}"
                        echo "kept $kept$path"
                        ;;
                    remember)
                        [ "$present" = "$wanted" ] && [ "$own" = no ] || continue
                        remember "$path" ${before:+"$before"} "$wanted"
                        echo "remembered $path"
                        ;;
                esac
            done
            """
}
