# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # names come from, and go to, the script that sources this
# What makes the hosts a BCM cluster: the simulated head nodes, certificates, this project's programs, the stand-ins.
# Without the built programs (scripts/build.sh) the hosts are plain Debian machines.

simulator=$development_directory/bcm-simulator
bcm_directory=/cm/local/apps/cmd
cluster_directory=$lab_directory/cluster # the simulated cluster; both head nodes see it, whatever happens to the network

# cmsh_outside COMMANDS: BCM's cmsh on this machine, for settings that no host is to be told of.
cmsh_outside() {
    BCM_SIMULATOR_DIRECTORY=$cluster_directory BCM_SIMULATOR_HOST=head-a BCM_SIMULATOR_HOOK='' \
        "$development_directory/simulated-cmsh" -n -q -c "$1"
}

has_simulator() { [[ -x $simulator && -x $development_directory/simulated-cmsh ]]; }

# swift_runtime: the folder of the Swift libraries that the simulator needs, at the same place in the nodes.
swift_runtime() { ldd "$simulator" | awk '/libswiftCore\.so/ { sub("/[^/]*$", "", $3); print $3 }'; }

# create_cluster HOST...: the simulated cluster with these hosts, and the layers of the kinds of node.
create_cluster() {
    local host arguments=()
    mkdir -p "$lab_directory/layer-head" "$lab_directory/layer-mon" "$lab_directory/layer-dgx"
    create_head_layer
    create_artifacts
    if ! has_simulator; then
        warn "there is no simulated BCM in this lab: scripts/build.sh has not built it"
        return 0
    fi
    for host in "$@"; do
        if is_head "$host"; then arguments+=(--head); else arguments+=(--node); fi
        arguments+=("$host=$(address_of "$host")" --mac "$host=$(mac_of "$host")")
    done
    "$simulator" init --directory "$cluster_directory" --shared-address "$master_address" "${arguments[@]}" >/dev/null
    install -D -m 644 "$cluster_directory/pki/cacert.pem" "$lab_directory/layer$bcm_directory/etc/cacert.pem"
    install -d -m 700 "$lab_directory/layer-head/root" "$lab_directory/layer-head/root/.cm"
    install -m 600 "$cluster_directory"/pki/admin.{pem,key} "$lab_directory/layer-head/root/.cm/"
    install -m 755 "$repository/scripts/lab/stand-ins/bcm-hook" "$cluster_directory/hook"
    create_images
}

create_head_layer() {
    local layer=$lab_directory/layer-head program
    mkdir -p "$layer/usr/local/bin" "$layer/cm/local/apps/bcm-simulator"
    for program in "${program_names[@]}"; do
        [[ ! -x $programs_directory/$program ]] || cp "$programs_directory/$program" "$layer/usr/local/bin/"
    done
    has_simulator || return 0
    mkdir -p "$layer/etc/systemd/system/multi-user.target.wants" "$layer/usr/local/libexec" "$layer$bcm_directory/bin"
    cp "$simulator" "$layer/usr/local/libexec/bcm-simulator"
    cp "$development_directory/simulated-cmsh" "$layer$bcm_directory/bin/cmsh"
    cat >"$layer/etc/systemd/system/bcm-simulator.service" <<'END'
[Unit]
Description=Simulated BCM head node (a stand-in for CMDaemon, for tests and training)

[Service]
ExecStart=/usr/local/libexec/bcm-simulator serve --host-name %H --listen 0.0.0.0:8081
Restart=on-failure

[Install]
WantedBy=multi-user.target
END
    ln -s ../bcm-simulator.service "$layer/etc/systemd/system/multi-user.target.wants/"
}

# give_certificate HOST: BCM gives each node a certificate of its own; it is part of the node's identity.
give_certificate() {
    local target=$nodes_directory/$1/identity$bcm_directory/etc source=$cluster_directory/pki/nodes/$1
    has_simulator || return 0
    [[ -e $source.pem ]] || "$simulator" add --directory "$cluster_directory" \
        --node "$1=$(address_of "$1")" --mac "$(mac_of "$1")" >/dev/null
    mkdir -p "$target"
    install -m 600 "$source.pem" "$target/cert.pem"
    install -m 600 "$source.key" "$target/cert.key"
}

# cluster_binds HOST: the options of systemd-nspawn that a head node needs beside the others', one a line.
cluster_binds() {
    is_head "$1" && has_simulator || return 0
    printf -- '--bind=%s:/cm/local/apps/bcm-simulator\n' "$cluster_directory"
    printf -- '--bind-ro=%s\n' "$(swift_runtime)"
    printf -- '--bind=%s:/cm/images\n' "$images_directory"
}

# quoted_hosts PREFIX: the hosts with such names, as the inside of a JSON list.
quoted_hosts() { existing_hosts | sed -n "s/^\($1.*\)/\"\1\"/p" | paste -sd, | sed 's/,/, /g'; }

# print_configuration: what guided-setup needs to know to deploy to this lab. Monitors ask BCM every two seconds instead
# of every minute, so that what happens can be watched. Controllers, login nodes and Grafana there are with Slurm (yes|no).
print_configuration() {
    local slurm=$1 controllers='' login='' grafana='' name file sum separator=''
    if [[ $slurm == yes ]]; then controllers='"head-a", "head-b"' login=$(quoted_hosts login-) grafana='"mon-01"'; fi
    printf '{\n  "cluster_name": "slurm",\n  "prometheus_server": "mon-01",\n  "grafana_server": "mon-01",\n'
    [[ $slurm == no ]] || printf '  "wlm_instance": "%s",\n' "$slurm_cluster"
    printf '  "role_monitor": {"check_interval": 2, "role_loss_delay": 2, "retry_interval": 5, "request_timeout": 3},\n'
    printf '  "systems": {\n    "slurm_controller": [%s],\n' "$controllers"
    printf '    "login_nodes": [%s],\n    "dgx_nodes": [%s],\n' "$login" "$(quoted_hosts dgx-)"
    printf '    "prometheus_server": ["mon-01"],\n    "grafana_server": [%s]\n  },\n  "artifacts": {\n' "$grafana"
    while read -r name file; do
        sum=$(sha256sum "$(artifact_path "$file")")
        printf '%s    "%s": {"path": "%s/%s", "sha256": "%s"}' \
            "$separator" "$name" "$artifacts_directory" "$file" "${sum%% *}"
        separator=$',\n'
    done < <(artifact_files)
    printf '\n  }\n}\n'
}
