import JobstatsDeploy

/// Plans node statistics for four nodes and prints what would be done where; nothing is contacted.
let text = """
    {"cluster_name": "slurm", "systems": {"dgx_nodes": ["dgx-[01-04]"], "prometheus_server": ["mon-01"],
     "slurm_controller": ["head-a"], "login_nodes": [], "grafana_server": []}}
    """
let configuration = try DeploymentConfiguration.parse(Array(text.utf8), sections: [4]).get()
let plan = try JobstatsPlan(
    configuration: configuration, context: DeploymentContext(localHost: Host("head-a", isLocal: true))
).plan(sections: [4])
print(plan.hosts.map(\.name))
for section in plan.sections { print(section.number, section.title, section.steps.isEmpty ? "empty" : "planned") }

let broken = DeploymentConfiguration.parse(Array(#"{"systems": {"dgx_nodes": ["dgx-01;reboot"]}}"#.utf8), sections: [4])
print("errors:", broken.errors.isEmpty ? "none" : "found")
