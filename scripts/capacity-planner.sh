#!/usr/bin/env bash
# Runs capacity-planner: this repository's own when it is built, else the installed one, else it is built first.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
run_program capacity-planner "$@"
