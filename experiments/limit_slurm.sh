#!/usr/bin/env bash
#SBATCH --job-name=limit_study
#SBATCH --cpus-per-task=1
# experiments/limit_slurm.sh [ARGUMENT...]: the limit study on a cluster with Slurm, as two job arrays: trainings, and then
# what is measured on the nets, one task for each net. The arguments go to limit_study; paths in them
# are relative to the project's folder.
#
#   experiments/limit_slurm.sh --quick         builds, brings the data and submits; prints the numbers of the arrays
#   experiments/run limit_study --quick        when they are done: collects the results, and does what failed
#
# All nodes see this folder, the results and the data under the same paths. Options of sbatch (partition, time limit) are
# taken from its environment variables, SBATCH_PARTITION and the like. What tasks say goes to results/slurm.
set -euo pipefail

program=build/release/experiments/limit_study

# A task of the array: the script runs as a copy in Slurm's own folder, but where it was submitted.
if [[ -n ${SLURM_ARRAY_TASK_ID:-} ]]; then
  kind=$1
  shift
  range=$("$program" --parts "$@" | sed -n "s/^$kind //p" | sed -n "${SLURM_ARRAY_TASK_ID}p")
  exec "$program" --threads "${SLURM_CPUS_PER_TASK:-1}" "$@" --jobs "$range"
fi

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  sed -n '4,12s/^# \{0,1\}//p' "$0"
  exit 0
fi
command -v sbatch > /dev/null || { echo "experiments/limit_slurm.sh: there is no sbatch" >&2; exit 1; }
cd "$repo"
parts=$(experiments/run limit_study --parts "$@")
mkdir -p results/slurm

submit() { # train|measure [OPTION...] -- ARGUMENT...; prints the number of the array
  local kind=$1 options=() count
  shift
  while [[ $1 != -- ]]; do options+=("$1"); shift; done
  shift
  count=$(grep -c "^$kind " <<< "$parts")
  sbatch --parsable --array="1-$count" --output="results/slurm/%A_%a" "${options[@]}" experiments/limit_slurm.sh "$kind" "$@"
}

trainings=$(submit train -- "$@")
measurements=$(submit measure --dependency="afterany:$trainings" -- "$@")
echo "submitted: $trainings (trainings), $measurements (what is measured on the nets)"
