"""Runs the earlier Python monitor, which is not part of this repository, so that it can be measured. It is imported from its file
as it is; only where it reads and writes is said otherwise: by itself it writes to /var/log, /var/lib and /etc.

usage: earlier_monitor.py pass MONITOR HOST PORT CERTIFICATE KEY NAME TIMES FOLDER
       earlier_monitor.py run MONITOR HOST PORT CERTIFICATE KEY NAME INTERVAL FOLDER

pass: the two requests that it makes in each pass (is BCM there, has this node the role), TIMES times. Prints the CPU time of
      one pass in milliseconds, the resident memory at the end and the most, in kB.
run:  its own loop with a check each INTERVAL seconds, until it is ended. It calls the systemctl that is on PATH; its
      configuration, log, state and target file are in FOLDER (FOLDER/targets has to be there).
Status 3: the Python module `requests`, which it needs, is missing.
"""
import importlib.util
import json
import logging
import os
import resource
import sys
import time


def load(path):
    """The monitor's class, from a file anywhere."""
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location("earlier_monitor_program", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        print(f"earlier_monitor.py: {error}", file=sys.stderr)
        sys.exit(3)
    return module.BCMRoleMonitor


def make(path, host, port, certificate, key, name, interval, folder):
    """A monitor that keeps to FOLDER."""
    program = load(path)

    class Confined(program):
        def setup_logging(self):
            self.hostname = name
            self.state_file = os.path.join(folder, "state.json")
            self.log_file = os.path.join(folder, "monitor.log")
            super().setup_logging()

    configuration = os.path.join(folder, "config.json")
    with open(configuration, "w", encoding="utf-8") as file:
        json.dump({
            "bcm_headnodes": [host], "bcm_port": int(port), "cert_path": certificate, "key_path": key,
            "check_interval": float(interval), "prometheus_targets_dir": os.path.join(folder, "targets")}, file)
    monitor = Confined(config_file=configuration)
    written = [handler.baseFilename for handler in logging.getLogger().handlers if isinstance(handler, logging.FileHandler)]
    if written != [monitor.log_file]:
        sys.exit(f"earlier_monitor.py: it would write to {written}")
    return monitor


def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


def one_pass(monitor):
    if not monitor.test_bcm_connectivity() or monitor.check_slurmclient_role() is None:
        sys.exit("earlier_monitor.py: it could not ask BCM (its log is above)")


def main():
    if len(sys.argv) != 10 or sys.argv[1] not in ("pass", "run"):
        sys.exit(__doc__)
    os.environ["NO_PROXY"] = "*"
    command, path, host, port, certificate, key, name, number, folder = sys.argv[1:]
    monitor = make(path, host, port, certificate, key, name, number, folder)
    if command == "run":
        monitor.monitor_loop()
        return
    for _ in range(3):
        one_pass(monitor)
    start = time.process_time()
    for _ in range(int(number)):
        one_pass(monitor)
    each = (time.process_time() - start) * 1000 / int(number)
    print(f"{each:.3f} {resident()} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}")


main()
