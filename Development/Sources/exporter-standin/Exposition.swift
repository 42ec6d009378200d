import Glibc

/// A job as Slurm's prolog records it for a GPU.
struct GPUJob {
    var id: String
    var user: String
}

/// The documented metric families, with made-up figures.
struct Exposition {
    let options: StandInOptions
    private var text = ""

    init(options: StandInOptions) { self.options = options }

    /// What `/metrics` answers at this moment, `uptime` seconds after the start.
    static func text(_ options: StandInOptions, uptime: Int) -> String {
        var exposition = Exposition(options: options)
        exposition.text = "# This is a stand-in for \(options.kind.program): its figures are made up.\n"
        switch options.kind {
        case .cgroup: exposition.addControlGroups(uptime)
        case .gpu: exposition.addDevices(uptime)
        }
        return exposition.text
    }

    private mutating func add(
        _ name: String, _ help: String, _ type: String = "gauge", _ samples: [(labels: [(String, String)], value: Int)]
    ) {
        guard !samples.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        for sample in samples {
            let labels = sample.labels.map { "\($0.0)=\"\(Self.escape($0.1))\"" }.joined(separator: ",")
            text += name + (labels.isEmpty ? "" : "{\(labels)}") + " \(sample.value)\n"
        }
    }

    private static func escape(_ value: String) -> String {
        value.reduce(into: "") { text, character in
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
    }

    // MARK: cgroup_exporter

    private mutating func addControlGroups(_ uptime: Int) {
        var jobs = SlurmControlGroups(root: options.controlGroupRoot).jobs
        for job in (0..<options.deviceCount).compactMap({ job(ofDevice: $0) }) { jobs[job.id] = job.user }
        let ids = jobs.keys.sorted()
        func add(_ name: String, _ help: String, _ value: Int) {
            self.add(
                name, help, "gauge", ids.map { (labels: [("jobid", $0), ("step", ""), ("task", "")], value: value) })
        }
        add("cgroup_cpu_user_seconds", "Cumulative CPU user seconds for jobid", uptime * 14)
        add("cgroup_cpu_system_seconds", "Cumulative CPU system seconds for jobid", uptime * 2)
        add("cgroup_cpu_total_seconds", "Cumulative CPU total seconds for jobid", uptime * 16)
        add("cgroup_cpus", "Number of CPUs in the jobid", 16)
        add("cgroup_memory_cache_bytes", "Memory cache used in bytes", 2 << 30)
        add("cgroup_memory_shmem_bytes", "Shared memory used in bytes", 1 << 28)
        add("cgroup_memory_fail_count", "Memory fail count", 0)
        add("cgroup_memory_rss_bytes", "Memory RSS used in bytes", 24 << 30)
        add("cgroup_memory_total_bytes", "Memory total given to jobid in bytes", 64 << 30)
        add("cgroup_memory_used_bytes", "Memory used in bytes", 26 << 30)
        add("cgroup_memsw_fail_count", "Swap fail count", 0)
        add("cgroup_memsw_total_bytes", "Swap total given to jobid in bytes", 64 << 30)
        add("cgroup_memsw_used_bytes", "Swap used in bytes", 26 << 30)
        self.add(
            "cgroup_uid", "Uid number of user running this job", "gauge",
            ids.map { (labels: [("jobid", $0)], value: Int(jobs[$0] ?? "") ?? 0) })
        self.add("cgroup_exporter_collect_error", "Indicates collection error, 0=no error, 1=error", "gauge", [([], 0)])
    }

    // MARK: nvidia_gpu_prometheus_exporter

    private mutating func addDevices(_ uptime: Int) {
        struct Device {
            var labels: [(String, String)]
            var job: GPUJob?
        }
        let devices = (0..<options.deviceCount).map { index in
            let job = job(ofDevice: index)
            let digits = String(index, radix: 16)
            return Device(
                labels: [
                    ("ordinal", "\(index)"), ("minor_number", "\(index)"),
                    ("uuid", "GPU-00000000-0000-0000-0000-0000000000" + (digits.count < 2 ? "0" : "") + digits),
                    ("name", "Stand-in GPU"), ("GPU_I_ID", ""), ("jobid", job?.id ?? ""), ("userid", job?.user ?? ""),
                ], job: job)
        }
        func add(_ name: String, _ help: String, _ value: (Int, Bool) -> Int) {
            self.add(
                name, help, "gauge",
                devices.enumerated().map { (labels: $1.labels, value: value($0, $1.job != nil)) })
        }
        self.add("nvidia_gpu_num_devices", "Number of GPU devices", "gauge", [([], devices.count)])
        add("nvidia_gpu_memory_total_bytes", "Total memory of the GPU device in bytes") { _, _ in 80 << 30 }
        add("nvidia_gpu_memory_used_bytes", "Memory used by the GPU device in bytes") { $1 ? 40 << 30 : 0 }
        add(
            "nvidia_gpu_duty_cycle", "Percent of time during which one or more kernels were executing on the GPU device"
        ) {
            $1 ? 50 + (uptime / 15 + $0 * 7) % 50 : 0
        }
        add("nvidia_gpu_power_usage_milliwatts", "Power usage of the GPU device in milliwatts") {
            $1 ? 320_000 : 60_000
        }
        add("nvidia_gpu_temperature_celsius", "Temperature of the GPU device in celsius") { $0 % 3 + ($1 ? 62 : 31) }
        add("nvidia_gpu_fanspeed_percent", "Fanspeed of the GPU device as a percent of its maximum") { _, _ in 0 }
        self.add(
            "nvidia_gpu_last_error", "Last error returned while trying to get stats from this GPU", "gauge",
            devices.map { (labels: Array($0.labels.prefix(5)), value: 0) })
        let busy = devices.filter { $0.job != nil }
        self.add(
            "nvidia_gpu_jobId", "JobId number of a job currently using this GPU as reported by Slurm", "gauge",
            busy.compactMap { device in Int(device.job?.id ?? "").map { (labels: device.labels, value: $0) } })
        self.add(
            "nvidia_gpu_jobUid", "Uid number of user running jobs on this GPU", "gauge",
            busy.compactMap { device in Int(device.job?.user ?? "").map { (labels: device.labels, value: $0) } })
    }

    /// What the prolog wrote for a GPU: a job's number and perhaps its user's.
    private func job(ofDevice index: Int) -> GPUJob? {
        let descriptor = open(options.statusDirectory + "/\(index)", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return nil }
        let words = String(decoding: buffer[..<count], as: UTF8.self).split { $0 == " " || $0 == "\n" }.map(String.init)
        guard let id = words.first, words.count <= 2 else { return nil }
        return GPUJob(id: id, user: words.count > 1 ? words[1] : "")
    }
}
