/// The script that puts several files on a host at once: what ``OwnershipScripts/replace`` does for each, with one program
/// and one flush for all where that is the same.
enum InstallScript {
    /// Arguments: the record, and a line `INDEX PATH MODE OWNER:GROUP SHA-256 SIZE BACKUP` for each file, of which no word
    /// holds anything but letters, digits and `._+:/@-` (``canTake(_:)``). The new bytes of all come on standard input.
    ///
    /// Where a file fails, those before it are put in place, and it and those after it are left as they were; the last
    /// line said is then `bcm-jobstats-failed INDEX`, and the status 1. At every instant each path holds its old file or its
    /// new one, and the record knows both.
    static let text =
        """
        set -u
        record=$1 todo=$2

        """ + OwnershipScripts.functions + """
            failed='' news='' names='' added='' folders='' large='' small='' came='' seen=''
            trap '[ -z "$news" ] || rm -f -- $news 2>/dev/null' EXIT
            trap 'exit 1' HUP INT TERM
            exec 4<&0
            # Does something for each file in turn. One for which it fails, and those after it, go no further.
            walk() {
                kept=''
                while read -r index path mode owner digest size backup new; do
                    [ -n "$index" ] || continue
                    folder=${path%/*}
                    "$@" || { failed=$index; break; }
                    kept=$kept"$index $path $mode $owner $digest $size $backup $new$line_end"
                done <<END
            $todo
            END
                todo=$kept
            }
            stage() {
                # What an interrupted run left (see `replace`).
                for old in "$folder"/.bcm-jobstats.????????; do
                    [ -e "$old" ] || [ -L "$old" ] || continue
                    case "$news " in *" $old "*) continue ;; esac
                    find "$folder/" -maxdepth 1 -name '.bcm-jobstats.????????' ! -type d -mmin +30 -delete 2>/dev/null || :
                    break
                done
                name_new "$folder"
                [ ! -e "$new" ] && [ ! -L "$new" ] || { echo "$new is there already" >&2; return 1; }
                news="$news $new" status=0
                umask 077
                set -C # no file that is there, nor a link (O_EXCL)
                {
                    dd bs=131072 count="$size" iflag=fullblock,count_bytes status=none <&4 >&8 || status=1
                    [ "$status" != 0 ] || access /proc/self/fd/8 "$mode" "$owner" || status=2
                } 8>"$new" || status=1
                set +C
                umask 022
                [ "$status" != 1 ] || echo "no file can be made in $folder: is it there, writable and not full?" >&2
                if [ "$status" != 0 ]; then
                    [ -e "$new" ] || news=${news%" $new"}
                    return 1
                fi
                if [ "$size" -lt 262144 ]; then
                    small="$small $new"
                    return 0
                fi
                large="$large $new"
                # Before the bytes are judged: what is written afterwards has another time.
                seen=$seen$(stat --printf "$path %d:%i:%.9Y:%s:" -- "$new")$line_end
            }
            whole() {
                case $came in *"$digest *$new$line_end"* | *"$digest  $new$line_end"*) return 0 ;; esac
                sum=$(sha256sum <"$new")
                [ "${sum%% *}" = "$digest" ] || { echo "the new $path did not come whole, and the present one stays" >&2; return 1; }
            }
            keep() {
                look "$path"
                if [ "$present" != "$digest" ] && { [ -e "$path" ] || [ -L "$path" ]; }; then
                    if [ "$own" = no ] || [ "$backup" = yes ]; then
                        time=$(date -u +%Y%m%dT%H%M%SZ)
                        [ -d "${record%/*}/backups" ] || mkdir -p -m 0700 -- "${record%/*}/backups" || return
                        copy=${record%/*}/backups/$time
                        mkdir -p -- "$copy$folder" && cp -a -- "$path" "$copy$path" || return
                        [ -n "$known" ] || before=before:$time
                    fi
                fi
                [ "$own" = yes ] && [ "$present" != "$digest" ] || present=''
                names=$names$path$line_end
                for word in $before $present $digest; do added=$added"$word  $path$line_end"; done
                case "$folders " in *" $folder/ "*) ;; *) folders="$folders $folder/" ;; esac
            }
            rename() { mv -fT -- "$new" "$path"; }
            # The digest of a large file, which need not be read again while it is the same (KnownSums).
            learn() {
                [ "$size" -ge 262144 ] || return 0
                # There another host may change a file and its times.
                case $path in /cm/shared/* | /home/*) return 0 ;; esac
                key=$(stat --printf '%d:%i:%.9Y:%s:%.9Z' -- "$path") || return 0
                case $key in *.000000000) return 0 ;; esac
                case $line_end$seen in *"$line_end$path ${key%:*}:$line_end"*) ;; *) return 0 ;; esac
                printf '%s\\t%s\\t%s\\n' "$key" "$path" "$digest" 2>/dev/null >>"${record%/*}/sums" || : # then it is read again
            }
            walk stage
            exec 4<&-
            # openssl(1) takes a quarter of the time for a large file; what it does not confirm, sha256sum(1) judges.
            if [ -n "$large" ] && command -v openssl >/dev/null; then
                came=$(openssl dgst -sha256 -r $large 2>/dev/null)$line_end
            else
                small="$small$large"
            fi
            [ -z "$small" ] || came=$came$(sha256sum -- $small)$line_end
            walk whole
            walk keep
            # On disk before the record names them, and the record before they take their places.
            if [ -n "$todo" ]; then
                first=${todo%% *}
                if remember_lines $news; then
                    walk rename
                    sync -- $folders || { failed=$first todo=''; }
                else
                    failed=$first todo=''
                fi
            fi
            if [ -n "$seen" ] && [ -n "$todo" ]; then
                sleep 0.02 # a later change has another time then: a tick of the kernel's clock is 10 ms at most
                walk learn
            fi
            [ -n "$failed" ] || { news=''; exit 0; }
            printf 'bcm-jobstats-failed %s\\n' "$failed"
            exit 1
            """

    /// Whether a word can stand in the script's lists.
    static func canTake(_ word: String) -> Bool {
        !word.isEmpty
            && word.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "._+:/@-".utf8.contains(byte)
                }
            }
    }
}
