# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# Shared storage that can fail: one store for the lab, and between it and each host a file system of its own.
#
#   store (tmpfs)  ->  HOST/backing/shared (bind)  ->  HOST/port/export (bindfs)  ->  in the node: /cm/shared
#
# bindfs runs outside the node and stands for the network file system: it keeps nothing in memory, so that what is done
# to HOST/backing/shared is felt by every process of the node at once, whatever mount namespace it lives in. A lock that one
# host takes is taken for all, as with NFS 4.
#
#   on        works
#   off       not mounted: /cm/shared is the node's own empty directory, and mounting it fails
#   readonly  every change fails with EROFS
#   hang      every access waits, in a way that not even SIGKILL ends, and goes on when the storage is back
#   stale     every access fails at once with ENOTCONN
#   full      the store has no room (for all hosts, as on a real cluster)

store=$lab_directory/store
store_size=512m

create_store() {
    mkdir -p "$store"
    mount -t tmpfs "$lab_name" -o "size=$store_size,mode=755" "$store"
    mkdir -p "$store/apps"
}

# start_bindfs NAME BACKING POINT: leaves its process number in the file NAME.
start_bindfs() {
    local pid_file=$1 backing=$2 point=$3
    (
        enter_cgroup storage
        exec setsid bindfs -f --multithreaded --enable-lock-forwarding \
            -o attr_timeout=0,entry_timeout=0,negative_timeout=0 "$backing" "$point" </dev/null >/dev/null 2>&1 9>&-
    ) &
    echo $! >"$pid_file"
    disown
    wait_until 10 answers_as_fuse "$point" || fail 1 "bindfs does not come up at $point"
}

answers_as_fuse() { [[ $(stat --file-system --format=%T "$1" 2>/dev/null) == fuseblk ]]; }

# stop_bindfs FILE: the one whose process number the file holds. Whoever waits for it gets an error.
stop_bindfs() {
    local pid
    [[ -e $1 ]] || return 0
    pid=$(<"$1")
    [[ $(ps -o comm= -p "$pid") == bindfs ]] && kill -KILL "$pid"
    rm -f "$1"
}

# prepare_storage HOST: the mount points, and storage that works.
prepare_storage() {
    local directory=$nodes_directory/$1
    mkdir -p "$directory/backing/shared" "$directory/hang" "$directory/port/export"
    mount --bind "$directory/port" "$directory/port"
    mount --make-shared "$directory/port" # what is mounted here later appears in the node, too
    mount --bind "$store" "$directory/backing/shared"
    echo on >"$directory/storage"
    export_storage "$1"
}

export_storage() {
    local directory=$nodes_directory/$1
    umount --lazy "$directory/port/export" 2>/dev/null || :
    start_bindfs "$directory/bindfs.pid" "$directory/backing" "$directory/port/export"
}

storage_state() { cat "$nodes_directory/$1/storage" 2>/dev/null || :; }

# set_storage HOST STATE
set_storage() {
    local host=$1 state=$2 directory=$nodes_directory/$1 before
    before=$(storage_state "$host")
    [[ $before != "$state" ]] || return 0
    [[ $before == on ]] || restore_storage "$host" "$before"
    case $state in
        on) ;;
        off)
            in_node "$host" umount --lazy /cm/shared || :
            umount --lazy "$directory/port/export"
            stop_bindfs "$directory/bindfs.pid"
            ;;
        readonly) mount -o remount,bind,ro "$directory/backing/shared" ;;
        hang)
            # A second bindfs slips between the first one and the store, and is stopped: the first has then read the
            # requests that it cannot answer, which is what makes them impossible to interrupt.
            start_bindfs "$directory/hang.pid" "$store" "$directory/hang"
            mount --bind "$directory/hang" "$directory/backing/shared"
            kill -STOP "$(<"$directory/hang.pid")"
            ;;
        stale) stop_bindfs "$directory/bindfs.pid" ;;
    esac
    echo "$state" >"$directory/storage"
}

# restore_storage HOST STATE: undoes a state.
restore_storage() {
    local host=$1 directory=$nodes_directory/$1
    case $2 in
        readonly) mount -o remount,bind,rw "$directory/backing/shared" ;;
        hang)
            kill -CONT "$(<"$directory/hang.pid")"
            # It ends when nobody uses it any more, at the latest with the lab.
            umount --lazy "$directory/backing/shared"
            umount --lazy "$directory/hang"
            rm -f "$directory/hang.pid"
            ;;
        off | stale)
            export_storage "$host"
            ! node_is_running "$host" || in_node "$host" umount --lazy /cm/shared 2>/dev/null || :
            ;;
    esac
    node_is_running "$host" || return 0
    in_node "$host" mountpoint -q /cm/shared || in_node "$host" systemctl start cm-shared.mount ||
        warn "$host does not mount /cm/shared"
}

# set_store_full yes|no: a store of exactly the size of what is in it.
set_store_full() {
    local used
    if [[ $1 == yes ]]; then
        used=$(df --block-size=4K --output=used "$store" | tail -n 1)
        mount -o "remount,size=$((used * 4))k" "$store"
        touch "$lab_directory/store-full"
    elif [[ -e $lab_directory/store-full ]]; then
        mount -o "remount,size=$store_size" "$store"
        rm -f "$lab_directory/store-full"
    fi
}
