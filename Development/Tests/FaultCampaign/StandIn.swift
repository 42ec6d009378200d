import ClusterTestSupport
import CommandExecution
import FoundationEssentials

/// Programs in the place of what cannot be here.
enum StandIn {
    /// A library that moves the time of the calendar, and no other clock, for a process that loads it.
    static let clock: Task<Result<String, any Error>, Never> = Task {
        do {
            let here = URL(filePath: #filePath).deletingLastPathComponent().path
            let library = try TestCluster.scratchPath("clock") + ".so"
            let swift = try await LocalExecutor().run(Command("sh", ["-c", "realpath \"$(command -v swift)\""]))
            let folder = swift.outputText.split(separator: "/").dropLast().joined(separator: "/")
            let built = try await LocalExecutor().run(
                Command(
                    "/\(folder)/clang",
                    ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, here + "/clock.c"]))
            guard built.succeeded else { throw Campaign.Failure(description: built.errorText) }
            return .success(library)
        } catch { return .failure(error) }
    }

    /// A `systemctl` for the units in a folder. What goes wrong is the word in `systemctl-fault`.
    static func systemctl(_ folder: String) -> String {
        """
        #!/bin/sh
        # Stands in for systemctl: units are files that hold their state, and "calls" is all that was asked for but "show",
        # whatever comes of it.
        PATH=/usr/bin:/bin
        cd '\(folder)' || exit 1
        verb=; units=
        for word; do
            case $word in
            -*) ;;
            *) if [ -z "$verb" ]; then verb=$word; else units="$units $word"; fi ;;
            esac
        done
        if [ "$verb" != show ]; then
            [ -n "$units" ] || echo "$verb" >>calls
            for unit in $units; do echo "$verb $unit" >>calls; done
        fi
        fault=; [ ! -e systemctl-fault ] || read -r fault <systemctl-fault
        case $fault in
        hang) exec sleep 3600 ;;
        fail) echo 'Failed to connect to bus: Connection refused' >&2; exit 1 ;;
        garbage) exec head -c 20000 /dev/urandom ;;
        die) kill -9 $$ ;;
        esac
        become() { echo "$2" >"units/.$1.$$"; mv "units/.$1.$$" "units/$1"; }
        for unit in $units; do
            state=inactive; read -r state <"units/$unit"
            load=loaded; [ ! -e "units/$unit.load" ] || read -r load <"units/$unit.load"
            case $verb in
            show)
                [ "$load" = loaded ] || state=inactive
                sub=dead; [ "$state" != active ] || sub=running
                [ "$fault" != other ] || unit=other.service
                printf 'Id=%s\\nNames=%s\\nLoadState=%s\\nActiveState=%s\\nSubState=%s\\nResult=success\\nNRestarts=0\\n\\n' \\
                    "$unit" "$unit" "$load" "$state" "$sub" ;;
            start)
                if [ -e "units/$unit.breaks" ]; then become "$unit" failed
                elif [ "$fault" != lie ]; then become "$unit" active; fi ;;
            stop) [ "$fault" = lie ] || become "$unit" inactive ;;
            esac
        done

        """
    }
}
