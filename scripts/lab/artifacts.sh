# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# What guided-setup installs, on the head nodes: Debian's programs come with the base; here are the stand-ins, made from
# this repository. `lab.sh config` names them all with their SHA-256 sums.

# artifact_files: "NAME FILE" of each, as a configuration names them.
artifact_files() {
    printf '%s %s\n' node_exporter node_exporter prometheus prometheus promtool promtool
    [[ ! -x $stand_in_directory/exporter-standin ]] ||
        printf '%s %s\n' cgroup_exporter cgroup_exporter nvidia_gpu_exporter nvidia_gpu_exporter
    printf '%s %s\n' jobstats jobstats.tar
    ! has_slurm || printf '%s %s\n' grafana grafana.deb
}

# create_artifacts: the stand-ins, as part of the head nodes' layer.
create_artifacts() {
    local place=$lab_directory/layer-head$artifacts_directory sources=$repository/scripts/lab/stand-ins
    mkdir -p "$place"
    if [[ -x $stand_in_directory/exporter-standin ]]; then
        cp "$stand_in_directory/exporter-standin" "$place/cgroup_exporter"
        ln "$place/cgroup_exporter" "$place/nvidia_gpu_exporter"
    fi
    tar --create --file "$place/jobstats.tar" --directory "$sources/jobstats" --sort=name --owner=0 --group=0 \
        --numeric-owner --mtime=@0 jobstats config.py README.md grafana
    ! has_slurm || build_grafana "$sources/grafana" "$place/grafana.deb"
}

# build_grafana SOURCES FILE
build_grafana() {
    local sources=$1 tree
    tree=$(mktemp -d)
    install -D -m 755 "$sources/grafana-server" "$tree/usr/sbin/grafana-server"
    install -D -m 644 "$sources/grafana-server.service" "$tree/lib/systemd/system/grafana-server.service"
    install -D -m 644 "$sources/control" "$tree/DEBIAN/control"
    install -m 755 "$sources/postinst" "$tree/DEBIAN/postinst"
    mkdir -p "$tree/etc/grafana/provisioning/datasources" "$tree/etc/grafana/provisioning/dashboards"
    printf '[server]\n;http_port = 3000\n' >"$tree/etc/grafana/grafana.ini"
    echo /etc/grafana/grafana.ini >"$tree/DEBIAN/conffiles"
    chmod 755 "$tree"
    dpkg-deb --root-owner-group -Zgzip --build "$tree" "$2" >/dev/null
    rm -rf "$tree"
}

# artifact_path FILE: where it lies on this machine.
artifact_path() {
    local layer
    for layer in "$lab_directory/layer-head" "$(base_directory)/artifacts"; do
        [[ -e $layer$artifacts_directory/$1 ]] && printf '%s' "$layer$artifacts_directory/$1" && return 0
    done
    return 1
}
