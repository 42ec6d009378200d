# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# Software images: root file systems that the head nodes see and write at /cm/images/NAME, and from which nodes boot.
# A node that boots from an image has at each boot what the image holds then, and its own identity; all else is gone.

images_directory=$lab_directory/cm-images # in the head nodes: /cm/images
image_disks=$lab_directory/image-disks    # what each image holds beyond the layers that all nodes have

# create_images: the place for images; those made later appear in running head nodes, too.
create_images() {
    mkdir -p "$images_directory" "$image_disks"
    mount --bind "$images_directory" "$images_directory"
    mount --make-shared "$images_directory"
}

has_image() { [[ -d $images_directory/$1/etc ]]; }

# create_image NAME [FROM]: as the nodes are before any deployment, or as another image is.
create_image() {
    local disk=$image_disks/$1
    mkdir -p "$disk/upper" "$disk/work" "$images_directory/$1"
    if [[ -n ${2-} ]]; then
        [[ -d $image_disks/$2 ]] || fail 1 "$2 was cloned with cmsh; do that again"
        cp -a "$image_disks/$2/upper/." "$disk/upper/"
    fi
    mount -t overlay "$lab_name" -o "lowerdir=$(layers_of dgx),upperdir=$disk/upper,workdir=$disk/work" \
        "$images_directory/$1"
}

# create_image_types NODE...: two images and two categories of DGX nodes; the last node is of the other type. They boot
# from the image that BCM says. The hosts that are no DGX nodes have a category of their own, and keep their disks.
create_image_types() {
    local host image commands=''
    for image in default-image other-image services-image; do create_image "$image"; done
    for image in other services; do
        commands+="softwareimage; clone default-image $image-image; commit; "
        commands+="category; clone default $image; set softwareimage $image-image; commit; "
    done
    while read -r host; do
        case $host in mon-* | login-*) commands+="device; use $host; set category services; commit; " ;; esac
    done < <(existing_hosts)
    if (($# > 1)); then commands+="device; use ${*: -1}; set category other; commit; "; fi
    cmsh_outside "$commands" >/dev/null
    for host in "$@"; do echo as-bcm-says >"$nodes_directory/$host/image"; done
}

# image_of HOST: the image that it boots from; status 1 when it keeps its own disk.
image_of() {
    local image
    [[ -e $nodes_directory/$1/image ]] || return 1
    image=$(<"$nodes_directory/$1/image")
    if [[ $image == as-bcm-says ]]; then image=$(cmsh_outside "device use $1; get softwareimage"); fi
    if ! has_image "$image"; then
        printf '%s: there is no image %s; the disk stays as it is\n' "$1" "$image" >&2
        return 1
    fi
    printf '%s' "$image"
}

# provision HOST: before a boot. The disk becomes what the image holds; what makes the host itself stays.
provision() {
    local directory=$nodes_directory/$1 image
    image=$(image_of "$1") || return 0
    [[ -e $directory/machine-id ]] || cp "$directory/upper/etc/machine-id" "$directory/machine-id"
    umount "$directory/root"
    rm -rf --one-file-system "$directory/upper" "$directory/whole"
    if [[ -d $image_disks/$image ]]; then
        cp -a "$image_disks/$image/upper" "$directory/upper"
    else
        # Cloned with cmsh: a folder with everything in it. Nothing is to show through from below.
        cp -a --one-file-system "$images_directory/$image" "$directory/upper"
        mkdir "$directory/whole"
    fi
    cp -a "$directory/identity/." "$directory/upper/"
    mkdir -p "$directory/upper/etc"
    cp "$directory/machine-id" "$directory/upper/etc/machine-id"
    attach_disk "$1"
}

# boot_from HOST IMAGE|none: now, and at each boot from now on.
boot_from() {
    local file=$nodes_directory/$1/image
    if [[ $2 == none ]]; then
        rm -f "$file"
        return 0
    fi
    echo "$2" >"$file"
    cut_power "$1"
    switch_on "$1"
}
